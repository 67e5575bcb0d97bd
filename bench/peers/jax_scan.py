"""JAX: `lax.scan` under `jit`."""

import jax
from jax import numpy

from .cells import CELLS, parameters, sequence
from .contender import Contender


class Functions:
    """What `cells.py` asks for."""

    sigmoid, tanh = jax.nn.sigmoid, numpy.tanh

    def split(a, parts):
        return numpy.split(a, parts, axis=-1)

    def norm(a, parts):
        apart = a.reshape(*a.shape[:-1], parts, -1)
        centred = apart - apart.mean(axis=-1, keepdims=True)
        variance = (centred * centred).mean(axis=-1, keepdims=True)
        return (centred * jax.lax.rsqrt(variance + 1e-5)).reshape(a.shape)


class Jax(Contender):
    def __init__(self, threads):
        pass  # XLA takes as many threads as the process has cores

    def build(self, cell, kind, steps, batch, hidden):
        equations = CELLS[cell]
        x = numpy.asarray(sequence(steps, batch, hidden))
        values = {name: numpy.asarray(p) for name, p in parameters(cell, hidden).items()}
        zeros = tuple(numpy.zeros((batch, hidden), "float32") for _ in equations.states)
        if kind == "stream":
            return stream(equations, values, x[0], zeros)

        def output(values, x, state):
            def step(state, at):
                state = equations.step(Functions, values, state, *at)
                return state, state[0]

            return jax.lax.scan(step, state, equations.ahead(Functions, values, x))[1]

        if kind == "forward":
            run = jax.jit(output)
            return lambda: run(values, x, zeros).block_until_ready(), lambda y: {"y": y}

        def loss(*given):
            y = output(*given)
            return y.sum(), y

        run = jax.jit(jax.grad(loss, argnums=(0, 1, 2), has_aux=True))
        return lambda: jax.block_until_ready(run(values, x, zeros)), lambda found: named(equations, *found)


def named(equations, gradients, y):
    d_values, d_x, d_state = gradients
    found = {"y": y, "d.x": d_x} | {f"d.{name}": d for name, d in d_values.items()}
    return found | {f"d.{name}": d for name, d in zip(equations.states, d_state)}


def stream(equations, values, x, state):
    run = jax.jit(lambda values, x, state: equations.step(Functions, values, state, *equations.ahead(Functions, values, x)))

    def call():
        nonlocal state
        state = jax.block_until_ready(run(values, x, state))
        return state[0]

    return call, lambda h: {"y": h}
