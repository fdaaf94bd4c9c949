"""In the manner of PyTorch's tutorials: running losses, a graph, images and a curve."""

from datetime import datetime

import torch
from torch import nn
from torch.utils.tensorboard import SummaryWriter

torch.manual_seed(0)
inputs = torch.randn(128, 1, 4, 4)
labels = (inputs.mean(dim=(1, 2, 3)) > 0).long()
data = torch.utils.data.TensorDataset(inputs, labels)
training_loader = torch.utils.data.DataLoader(data, batch_size=8, shuffle=True)
model = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 2))
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

timestamp = datetime.now().strftime("%Y%m%d_%H%M%S")
writer = SummaryWriter(f"runs/fashion_trainer_{timestamp}")
writer.add_image("four images", inputs[:4].reshape(1, 8, 8))
writer.add_graph(model, inputs[:2])


def train_one_epoch(epoch_index, tb_writer):
    running_loss, last_loss = 0.0, 0.0
    for i, (batch, truth) in enumerate(training_loader):
        optimizer.zero_grad()
        loss = loss_fn(model(batch), truth)
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
        if i % 4 == 3:
            last_loss = running_loss / 4
            tb_x = epoch_index * len(training_loader) + i + 1
            tb_writer.add_scalar("Loss/train", last_loss, tb_x)
            running_loss = 0.0
    return last_loss


for epoch in range(3):
    model.train(True)
    avg_loss = train_one_epoch(epoch, writer)
    model.eval()
    with torch.no_grad():
        scores = model(inputs)
        avg_vloss = loss_fn(scores, labels)
    writer.add_scalars(
        "Training vs. Validation Loss", {"Training": avg_loss, "Validation": avg_vloss}, epoch + 1
    )
    writer.add_pr_curve("positive", labels == 1, scores.softmax(dim=1)[:, 1], epoch + 1)
    writer.flush()
writer.close()
