"""Norms of pytrees, against the same numbers computed by hand."""

import math

import pytest

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402
import numpy  # noqa: E402
from conftest import steps_of  # noqa: E402

import seismo.jax  # noqa: E402


def flax_like(seed=0):
    """A transformer's parameters as Flax names them."""
    generator = numpy.random.default_rng(seed)

    def array(*shape):
        return jnp.asarray(generator.normal(size=shape), jnp.float32)

    blocks = {
        f"Block_{n}": {"Dense_0": {"kernel": array(4, 8)}, "Dense_1": {"kernel": array(8, 4)}}
        for n in range(3)
    }
    return {"params": {**blocks, "Embed_0": {"embedding": array(9, 4)}, "count": jnp.int32(7)}}


def norm(*leaves):
    return math.sqrt(sum(float((numpy.asarray(x, "float64") ** 2).sum()) for x in leaves))


def test_norms_are_those_of_the_blocks():
    parameters, gradients = flax_like(0), flax_like(1)
    updates = jax.tree.map(lambda g: -0.1 * g if g.ndim else g, gradients)
    told = jax.jit(seismo.jax.norms)(gradients, parameters, updates)
    for n in range(3):
        held = jax.tree.leaves(gradients["params"][f"Block_{n}"])
        weights = norm(*jax.tree.leaves(parameters["params"][f"Block_{n}"]))
        assert float(told[f"grad_norm/{n}"]) == pytest.approx(norm(*held), rel=1e-5)
        assert float(told[f"grad_rms/L{n}"]) == pytest.approx(norm(*held) / 8, rel=1e-5)
        assert float(told[f"update_rms/L{n}"]) == pytest.approx(norm(*held) / 80, rel=1e-5)
        assert float(told[f"param_norm/L{n}"]) == pytest.approx(weights, rel=1e-5)
        assert float(told[f"update_ratio/{n}"]) == pytest.approx(norm(*held) / 10 / weights, 1e-5)
    assert "grad_norm/Embed_0" in told
    floats = [x for x in jax.tree.leaves(gradients) if x.ndim]
    weights = [x for x in jax.tree.leaves(parameters) if x.ndim]
    assert float(told["grad_norm"]) == pytest.approx(norm(*floats), rel=1e-5)
    ratio = norm(*floats) / 10 / norm(*weights)
    assert float(told["update_ratio"]) == pytest.approx(ratio, rel=1e-5)


@pytest.mark.parametrize(
    ("tree", "groups"),
    [
        ({"layers": [{"w": jnp.ones(2)}] * 2, "head": {"w": jnp.ones(2)}}, {"0", "1", "head"}),
        ([jnp.ones(2), jnp.ones(2)], {"0", "1"}),
        ({"in": jnp.ones(2), "out": jnp.ones(2)}, {"in", "out"}),
        (jnp.ones(2), {"parameters"}),
        ({"h": {"0": {"a": {"w": jnp.ones(2)}}, "1": {"a": {"w": jnp.ones(2)}}}}, {"0", "1"}),
    ],
)
def test_groups_of_other_trees(tree, groups):
    told = seismo.jax.norms(tree)
    assert {name.partition("/")[2] for name in told if name.startswith("grad_norm/")} == groups


def test_they_are_logged_from_the_thread(run):
    run.log(seismo.jax.norms(flax_like()), step=3)
    run.finish()
    (line,) = steps_of(run.path)
    assert {"grad_norm", "grad_norm/2", "grad_rms/L2"} <= set(line["metrics"])
    assert all(isinstance(value, float) for value in line["metrics"].values())
