"""Attention logits, measured, blended and capped, against logits written out."""

import math

import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402, N812
from torch_models import (  # noqa: E402
    explicit_attention,
    explicit_entropy,
    explicit_logits,
    normalised,
)

from seismo.torch import attention  # noqa: E402
from seismo.torch.attention import Call  # noqa: E402

kernel = F.scaled_dot_product_attention


def made(shape, key_shape=None, seed=0, dtype=torch.float32, value_width=None):
    generator = torch.Generator().manual_seed(seed)
    key_shape = key_shape or shape
    value_shape = (*key_shape[:-1], value_width or key_shape[-1])
    shapes = (shape, key_shape, value_shape)
    return [(torch.randn(s, generator=generator) * 2).to(dtype).requires_grad_() for s in shapes]


def masks(queries, keys):
    generator = torch.Generator().manual_seed(7)
    padding = torch.ones(2, 1, 1, keys, dtype=torch.bool)
    padding[1, :, :, keys - 3 :] = False
    holes = torch.rand(2, 1, queries, keys, generator=generator) > 0.3
    holes[0, 0, 2] = False
    bias = torch.randn(1, 4, queries, keys, generator=generator)
    lowest = torch.finfo(torch.float32).min
    return {
        "padding": padding,
        "holes": holes,
        "bias": bias,
        "bias and holes": bias.masked_fill(~holes, -math.inf),
        "transformers": torch.zeros(2, 1, queries, keys).masked_fill(~holes, lowest),
        "one for all": torch.rand(queries, keys, generator=generator) > 0.2,
    }


CASES = {
    "plain": {"shape": (2, 4, 13, 8)},
    "causal": {"shape": (2, 4, 13, 8), "is_causal": True},
    "grouped": {
        "shape": (2, 4, 13, 8),
        "key_shape": (2, 2, 13, 8),
        "is_grouped": True,
        "is_causal": True,
    },
    "one key head": {"shape": (2, 4, 13, 8), "key_shape": (2, 1, 13, 8), "is_grouped": True},
    "scaled": {"shape": (2, 4, 13, 8), "scale": 0.7},
    "cross": {"shape": (2, 4, 5, 8), "key_shape": (2, 4, 13, 8)},
    "cross causal": {"shape": (2, 4, 13, 8), "key_shape": (2, 4, 9, 8), "is_causal": True},
    "three dimensions": {"shape": (6, 13, 8), "is_causal": True},
    "narrow values": {"shape": (2, 4, 13, 8), "value_width": 4},
    "wide values": {"shape": (2, 4, 13, 8), "value_width": 24, "is_causal": True},
    **{name: {"shape": (2, 4, 13, 8), "mask": mask} for name, mask in masks(13, 13).items()},
}


def call_of(shape, key_shape=None, mask=None, value_width=None, dtype=torch.float32, **rest):
    q, k, v = made(shape, key_shape, dtype=dtype, value_width=value_width)
    return Call(q, k, v, mask, **rest)


def logits_of(call):
    return explicit_logits(call.query, call.key, call.mask, call.is_causal, call.scale)


def rows_that_see(logits):
    """1 where a row sees a key: what the kernel gives the others depends on how they are hidden."""
    return (logits.amax(-1, keepdim=True) > -math.inf).double()


@pytest.fixture(params=[1 << 22, 64], ids=["one block", "many blocks"])
def blocks(request, monkeypatch):
    monkeypatch.setattr(attention, "_BLOCK", request.param)


@pytest.mark.parametrize("name", CASES)
def test_the_largest_logit_and_the_entropy_are_those_of_the_logits_written_out(name, blocks):
    call = call_of(**CASES[name])
    measured = attention.statistics(call)
    logits = logits_of(call)
    assert float(measured.maximum) == pytest.approx(float(logits.max()), rel=1e-6)
    entropy = float(measured.entropy / measured.rows)
    assert entropy == pytest.approx(float(explicit_entropy(logits)), rel=1e-5)
    seen = (logits > -math.inf).sum(-1)
    assert float(measured.rows) == float((seen > 0).sum())
    assert float(measured.shared_rows) == float((seen > 1).sum())


def test_the_share_of_the_bound_is_one_where_all_logits_are_equal():
    q = torch.zeros(1, 2, 6, 4)
    measured = attention.statistics(Call(q, q, q, is_causal=True))
    # The first row sees one key: its bound is 0.
    assert float(measured.shared_rows) == 10
    assert float(measured.share / measured.shared_rows) == pytest.approx(1, abs=1e-6)


def test_rows_that_all_see_nothing_count_for_nothing():
    q = torch.randn(1, 1, 3, 4)
    mask = torch.zeros(3, 3, dtype=torch.bool)
    mask[0] = True
    measured = attention.statistics(Call(q, q, q, mask))
    assert float(measured.rows) == 1
    assert math.isfinite(float(measured.entropy))


def test_beyond_the_budget_every_nth_query_is_looked_at(blocks):
    call = call_of((2, 4, 64, 8))
    assert attention.query_stride(call, 2 * 4 * 64 * 64) == 1
    assert attention.query_stride(call, 2 * 4 * 64 * 16) == 4
    measured = attention.statistics(call, budget=2 * 4 * 64 * 16)
    assert float(measured.rows) == 2 * 4 * 16
    assert float(measured.maximum) == pytest.approx(
        float(logits_of(call)[:, :, ::4].max()), rel=1e-6
    )


@pytest.mark.parametrize("weight", [0.0, 0.01, 0.5, 0.99, 1.0])
@pytest.mark.parametrize("name", CASES)
def test_the_blend_through_the_kernel_is_that_of_the_logits_written_out(name, weight):
    call = call_of(**CASES[name])
    roots = (torch.tensor((1 - weight) ** 0.5), torch.tensor(weight**0.5))
    prepared = attention.blended_call(call, *roots)
    output = attention.narrowed(prepared.run(kernel), call)

    inputs = [t.detach().double().requires_grad_() for t in (call.query, call.key, call.value)]
    q, k, v = inputs
    scale = call.factor
    old = explicit_logits(q, k, call.mask, call.is_causal, scale)
    new = explicit_logits(normalised(q), normalised(k), call.mask, call.is_causal, scale)
    # Where a mask hides, both are -inf, and 0 times that is no number.
    blend = torch.where(old == -math.inf, old, (1 - weight) * old + weight * new)
    expected = explicit_attention(blend, v)
    assert output.shape == expected.shape
    seeing = rows_that_see(old)
    assert torch.allclose(output.double() * seeing, expected * seeing, atol=1e-5)

    direction = torch.randn(expected.shape, generator=torch.Generator().manual_seed(3)) * seeing
    got = torch.autograd.grad((output * direction).sum(), (call.query, call.key, call.value))
    wanted = torch.autograd.grad((expected * direction).nansum(), inputs)
    for a, b in zip(got, wanted):
        assert torch.allclose(a.double(), b, atol=1e-4)

    measured = attention.statistics(prepared)
    assert float(measured.maximum) == pytest.approx(float(blend.max()), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_the_whole_of_the_new_logits_costs_no_wider_heads(name):
    call = call_of(**CASES[name])
    prepared = attention.normalised_call(call)
    assert prepared.query.shape == call.query.shape
    new = explicit_logits(
        normalised(call.query), normalised(call.key), call.mask, call.is_causal, call.factor
    )
    expected = explicit_attention(new, call.value)
    seeing = rows_that_see(new)
    assert torch.allclose(prepared.run(kernel).double() * seeing, expected * seeing, atol=1e-5)


@pytest.mark.parametrize("cap", [0.5, 5.0, 1e6])
@pytest.mark.parametrize("name", CASES)
def test_capped_attention_is_that_of_the_logits_written_out(name, cap, blocks):
    call = call_of(**CASES[name])
    inverse = torch.tensor(1 / cap)
    output = attention.capped(call, inverse)

    inputs = [t.detach().double().requires_grad_() for t in (call.query, call.key, call.value)]
    q, k, v = inputs
    plain = explicit_logits(q, k, scale=call.factor)
    hidden = explicit_logits(q, k, call.mask, call.is_causal, call.factor) == -math.inf
    bias = 0.0
    if call.mask is not None and call.mask.dtype != torch.bool:
        bias = call.mask.double().clamp(min=-1e6)
    logits = (cap * torch.tanh(plain / cap) + bias).masked_fill(hidden, -math.inf)
    # A cap of a million changes nothing, but for what tanh loses of a small number.
    tolerance = 1e-5 if cap < 1e6 else 1e-1
    assert torch.allclose(output.double(), explicit_attention(logits, v), atol=tolerance)
    if cap == 1e6:
        return
    direction = torch.randn(output.shape, generator=torch.Generator().manual_seed(3))
    got = torch.autograd.grad((output * direction).sum(), (call.query, call.key, call.value))
    wanted = torch.autograd.grad((explicit_attention(logits, v) * direction).nansum(), inputs)
    for a, b in zip(got, wanted):
        assert torch.allclose(a.double(), b, atol=1e-4)

    measured = attention.statistics(call, inverse)
    before = explicit_logits(q, k, call.mask, call.is_causal, call.factor)
    assert float(measured.maximum) == pytest.approx(float(before.max()), rel=1e-6)
    entropy = float(measured.entropy / measured.rows)
    assert entropy == pytest.approx(float(explicit_entropy(logits)), rel=1e-5)


def test_dropout_of_capped_attention_is_drawn_once_and_the_same_going_backward(blocks):
    torch.manual_seed(0)
    call = call_of((1, 2, 32, 8), dropout=0.5)
    v = torch.ones_like(call.value).requires_grad_()
    output = attention.capped(Call(call.query, call.key, v, dropout=0.5), torch.tensor(0.1))
    # The output is linear in the values: its gradient by them has the mask of the forward pass.
    (gradient,) = torch.autograd.grad(output.sum(), v)
    assert float(gradient.sum()) == pytest.approx(float(output.sum()), rel=1e-5)
    assert not torch.allclose(output, torch.ones_like(output))


def test_half_precision_is_measured_in_single():
    call = call_of((2, 4, 33, 16), dtype=torch.bfloat16, is_causal=True)
    measured = attention.statistics(call)
    assert measured.maximum.dtype == torch.float32
    assert float(measured.maximum) == pytest.approx(float(logits_of(call).max()), rel=1e-6)
