"""In the manner of Trackio's page: runs of one project in a loop, epochs, a table at the end."""

import random

import trackio

runs = 2
epochs = 8


def simulate_multiple_runs():
    for run in range(runs):
        trackio.init(
            project="fake-training", name=f"run-{run}", config={"epochs": epochs, "seed": run}
        )
        random.seed(run)
        for epoch in range(epochs):
            trackio.log(
                {
                    "epoch": epoch,
                    "train_loss": 2.0 / (epoch + 1) + 0.01 * random.random(),
                    "val": {"loss": 2.2 / (epoch + 1), "accuracy": epoch / epochs},
                }
            )
        trackio.finish()


simulate_multiple_runs()
