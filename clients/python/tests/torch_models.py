"""Small models as people write them, and attention written out."""

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn


class Attention(nn.Module):
    """As nanoGPT writes it."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)

    def forward(self, x):
        batch, time, width = x.shape
        q, k, v = (
            part.view(batch, time, self.heads, -1).transpose(1, 2)
            for part in self.c_attn(x).split(width, dim=2)
        )
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).reshape(batch, time, width))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    def __init__(self, width=32, layers=3, heads=4, vocabulary=50):
        super().__init__()
        blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.transformer = nn.ModuleDict(
            {"wte": nn.Embedding(vocabulary, width), "h": blocks, "ln_f": nn.LayerNorm(width)}
        )
        self.lm_head = nn.Linear(width, vocabulary, bias=False)

    def forward(self, tokens, targets=None):
        x = self.transformer.wte(tokens)
        for block in self.transformer.h:
            x = block(x)
        logits = self.lm_head(self.transformer.ln_f(x))
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def gpt(seed=0, **sizes):
    torch.manual_seed(seed)
    return GPT(**sizes)


def tokens(seed=0, batch=4, time=16, vocabulary=50):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, vocabulary, (batch, time), generator=generator)


def explicit_logits(q, k, mask=None, is_causal=False, scale=None):
    """Logits [B, H, T, S] in float64, with -inf where they are masked."""
    q, k = q.double(), k.double()
    if k.shape[-3] != q.shape[-3]:
        k = k.repeat_interleave(q.shape[-3] // k.shape[-3], dim=-3)
    logits = q @ k.transpose(-1, -2) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if is_causal:
        seen = torch.ones(logits.shape[-2:], dtype=torch.bool).tril()
        logits = logits.masked_fill(~seen, -math.inf)
    if mask is None:
        return logits
    if mask.dtype == torch.bool:
        return logits.masked_fill(~mask, -math.inf)
    hidden = mask <= torch.finfo(mask.dtype).min / 2
    return (logits + mask.double()).masked_fill(hidden, -math.inf)


def explicit_attention(logits, v):
    """Softmax of explicit logits, times the values; rows that see nothing give zeros."""
    if v.shape[-3] != logits.shape[-3]:
        v = v.repeat_interleave(logits.shape[-3] // v.shape[-3], dim=-3)
    return torch.softmax(logits, dim=-1).nan_to_num() @ v.double()


def explicit_entropy(logits):
    """Mean over the rows that see a key."""
    rows = logits.amax(-1) > -math.inf
    p = torch.softmax(logits[rows], dim=-1)
    return -(p * p.clamp(min=1e-300).log()).sum(-1).mean()


def normalised(x):
    return F.layer_norm(x.double(), x.shape[-1:], eps=1e-5)
