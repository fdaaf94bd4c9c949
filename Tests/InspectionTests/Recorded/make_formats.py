#!/usr/bin/env python3
"""Records what PyTorch makes of numbers in formats of four and eight bits.

usage: make_formats.py             (needs torch; writes formats.json beside this file)

Every number has been scaled by the absmax of its group; groups are the tensor, a row, or 64
neighbours in row-major order. E4M3 and E5M2 are torch's own types; integers are torch.round, which
takes halves to even; NF4 and FP4 are the nearest of their sixteen values.
"""
import json, math, pathlib
import torch

NF4 = [-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
       -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725,
       0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941,
       0.7229568362236023, 1.0]
FP4 = [s * v for v in (0, 1 / 192, 1 / 6, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 1) for s in (1, -1)]
LIMITS = dict(int8=127, int4=7, e4m3=448, e5m2=57344, nf4=1, fp4=1)


def nearest(y, name):
    if name in ("int8", "int4"):
        return torch.round(y)
    if name == "e4m3":
        return y.to(torch.float32).to(torch.float8_e4m3fn).to(torch.float64)
    if name == "e5m2":
        return y.to(torch.float32).to(torch.float8_e5m2).to(torch.float64)
    codes = torch.tensor(NF4 if name == "nf4" else FP4, dtype=torch.float64)
    return codes[(y[..., None] - codes).abs().argmin(-1)]


def cost(x, name, group):
    x = x.to(torch.float64)
    error, flushed = 0.0, 0
    for start in range(0, x.numel(), group):
        part = x.flatten()[start:start + group]
        scale = part.abs().max() / LIMITS[name]
        if scale == 0:
            continue
        q = nearest(part / scale, name) * scale
        error += float(((part - q) ** 2).sum())
        flushed += int(((q == 0) & (part != 0)).sum())
    signal = float((x ** 2).sum())
    return dict(sqnr_db=10 * math.log10(signal / error), flushed=flushed / x.numel())


def describe(x):
    wide = x.to(torch.float64)
    centred = wide - wide.mean()
    return dict(shape=list(x.shape), values=[float(v) for v in x.flatten()],
                rms=float((wide ** 2).mean().sqrt()), absmax=float(wide.abs().max()),
                kurtosis=float((centred ** 4).mean() / (centred ** 2).mean() ** 2),
                formats={n: {g: cost(x, n, size) for g, size in
                             (("tensor", x.numel()), ("row", x.shape[-1]), ("block64", 64))}
                         for n in LIMITS})


def main():
    torch.manual_seed(3)
    cases = dict(
        normal=torch.randn(6, 100) * 0.02,
        outliers=torch.randn(7, 48) * torch.tensor([1e-3, 1, 1e-2, 30, 1e-4, 1, 5])[:, None],
        shifted=1 + 1e-3 * torch.randn(5, 33),
        tiny=torch.randn(2, 70) * 1e-36,
        huge=torch.randn(2, 70) * 1e37,
    )
    # Each number of both eight-bit types, the middles between neighbours and what lies beside those.
    points = {}
    for name, kind in (("e4m3", torch.float8_e4m3fn), ("e5m2", torch.float8_e5m2)):
        codes = torch.arange(256, dtype=torch.uint8).view(kind).to(torch.float32)
        codes = torch.unique(codes[codes.isfinite()])
        middles = (codes[1:] + codes[:-1]) / 2
        beside = torch.cat([torch.nextafter(middles, codes[1:]), torch.nextafter(middles, codes[:-1])])
        x = torch.cat([codes, middles, beside])
        points[name] = dict(x=[float(v) for v in x], q=[float(v) for v in x.to(kind).to(torch.float32)])
    text = json.dumps(dict(cases={n: describe(x) for n, x in cases.items()}, points=points))
    pathlib.Path(__file__).with_name("formats.json").write_text(text + "\n")


main()
