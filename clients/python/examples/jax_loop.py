"""A JAX loop whose rate is halved half-way, as `seismo control` or the key `{` would.

python jax_loop.py        some ten seconds on a CPU
"""

import jax
import jax.numpy as jnp

import seismo
import seismo.jax

STEPS = 200


def loss_of(weights, inputs, targets):
    hidden = jnp.tanh(inputs @ weights["in"])
    return jnp.mean((hidden @ weights["out"] - targets) ** 2)


@jax.jit
def update(weights, inputs, targets, rate):
    loss, gradient = jax.value_and_grad(loss_of)(weights, inputs, targets)
    updates = jax.tree.map(lambda g: -rate * g, gradient)
    metrics = {"loss": loss, **seismo.jax.norms(gradient, weights, updates)}
    return jax.tree.map(jnp.add, weights, updates), metrics


def main():
    keys = jax.random.split(jax.random.key(0), 3)
    inputs = jax.random.normal(keys[0], (256, 8))
    targets = jnp.sin(inputs.sum(axis=1, keepdims=True))
    weights = {
        "in": jax.random.normal(keys[1], (8, 32)) / 3,
        "out": jax.random.normal(keys[2], (32, 1)) / 6,
    }
    factor = seismo.multiplier()
    with seismo.init(name="jax", config={"width": 32}, total_steps=STEPS) as run:
        run.controls(lr=factor)
        for step in run.steps(STEPS):
            rate = 0.2 * factor.value
            weights, metrics = update(weights, inputs, targets, rate)
            run.log({**metrics, "lr": rate}, step=step)
            if step == STEPS // 2:
                run.request("set lr.multiplier 0.5")


if __name__ == "__main__":
    main()
