"""A Lightning module with Seismo's logger and hands.

python lightning_loop.py        some ten seconds on a CPU
"""

import lightning.pytorch as lightning
import torch

from seismo.lightning import SeismoCallback, SeismoLogger


class Regression(lightning.LightningModule):
    def __init__(self, width=16, rate=1e-2):
        super().__init__()
        self.save_hyperparameters()
        self.rate = rate
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(4, width), torch.nn.Tanh(), torch.nn.Linear(width, 1)
        )

    def training_step(self, batch, _):
        inputs, targets = batch
        loss = torch.nn.functional.mse_loss(self.layers(inputs), targets)
        self.log("train_loss", loss)
        return loss

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=self.rate)


def main():
    torch.manual_seed(0)
    inputs = torch.randn(512, 4)
    data = torch.utils.data.TensorDataset(inputs, inputs.sum(dim=1, keepdim=True).sin())
    trainer = lightning.Trainer(
        logger=SeismoLogger("lightning"), callbacks=[SeismoCallback()], max_epochs=5,
        accelerator="cpu", enable_progress_bar=False, enable_model_summary=False,
        enable_checkpointing=False, log_every_n_steps=5,
    )  # fmt: skip
    trainer.fit(Regression(), torch.utils.data.DataLoader(data, batch_size=32, shuffle=True))


if __name__ == "__main__":
    main()
