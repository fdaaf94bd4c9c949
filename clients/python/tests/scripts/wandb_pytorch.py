"""In the manner of W&B's introduction for PyTorch: a block, a watched model, an example count."""

import torch
import wandb
from torch import nn

hyperparameters = {
    "epochs": 3,
    "classes": 4,
    "kernels": [16, 32],
    "batch_size": 16,
    "learning_rate": 0.05,
    "architecture": "MLP",
}


def make(config):
    torch.manual_seed(0)
    inputs = torch.randn(128, 8)
    labels = inputs[:, : config.classes].argmax(dim=1)
    data = torch.utils.data.TensorDataset(inputs, labels)
    loader = torch.utils.data.DataLoader(data, batch_size=config.batch_size, shuffle=True)
    model = nn.Sequential(nn.Linear(8, config.kernels[0]), nn.ReLU(), nn.Linear(16, config.classes))
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    return model, loader, nn.CrossEntropyLoss(), optimizer


def train(model, loader, criterion, optimizer, config):
    wandb.watch(model, criterion, log="all", log_freq=10)
    example_ct = 0
    for epoch in range(config.epochs):
        for inputs, labels in loader:
            loss = criterion(model(inputs), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            example_ct += len(inputs)
            wandb.log({"epoch": epoch, "loss": loss}, step=example_ct)


def test(model, loader):
    model.eval()
    with torch.no_grad():
        predicted, labels = [], []
        for inputs, truth in loader:
            predicted += model(inputs).argmax(dim=1).tolist()
            labels += truth.tolist()
    correct = sum(a == b for a, b in zip(predicted, labels))
    matrix = wandb.plot.confusion_matrix(
        y_true=labels, preds=predicted, class_names=["a", "b", "c", "d"]
    )
    wandb.log({"test_accuracy": correct / len(labels), "confusion": matrix})
    torch.save(model.state_dict(), "model.pt")
    wandb.save("model.pt")


with wandb.init(project="pytorch-demo", config=hyperparameters):
    config = wandb.config
    model, loader, criterion, optimizer = make(config)
    train(model, loader, criterion, optimizer, config)
    test(model, loader)
