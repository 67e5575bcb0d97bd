#!/usr/bin/env python3
"""One library of recurrent networks, timed on request.

    peers.py torch|onnxruntime|jax THREADS

Reads a JSON object a line from standard input, {"cell", "backward", "steps", "batch", "hidden", "seconds"}, and answers
each with one: {"median_us", "min_us", "repeats"} or {"error"}. Input and hidden size are equal. Every network gives its
whole output; with "backward" also the gradients of the sum of the output by the input and all parameters. Products of
the input alone are made for all steps at once, as a careful user would write them.
"""

import json
import math
import os
import sys
import time


def fix_threads(threads):
    """Before any library is loaded, so that none starts more."""
    for name in ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"]:
        os.environ[name] = str(threads)
    os.environ["JAX_PLATFORMS"] = "cpu"
    # XLA takes as many threads as the process has cores.
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))[:threads]
        os.sched_setaffinity(0, cores)


def parameters(cell, hidden):
    """Uniform in ±1/√hidden, as [hidden, columns]: products are `x @ W`."""
    import numpy

    shapes = {
        "lstm": {"W": 4, "U": 4, "b": 4},
        "gru": {"W": 3, "U": 3, "b": 3, "b_u": 3},
        "mut1": {"W": 2, "W_hr": 1, "W_hh": 1, "b_z": 1, "b_r": 1, "b_h": 1},
    }[cell]
    rng = numpy.random.default_rng(0)
    bound = 1 / math.sqrt(hidden)
    shape = lambda name, gates: (gates * hidden,) if name.startswith("b") else (hidden, gates * hidden)
    return {n: rng.uniform(-bound, bound, shape(n, g)).astype("float32") for n, g in shapes.items()}


def sequence(steps, batch, hidden):
    import numpy

    return numpy.random.default_rng(1).standard_normal((steps, batch, hidden)).astype("float32")


class Torch:
    """torch.nn.LSTM and GRU; MUT1 as a loop over the steps."""

    def __init__(self, threads):
        import torch

        torch.set_num_threads(threads)
        torch.set_num_interop_threads(1)
        self.torch = torch

    def build(self, cell, backward, steps, batch, hidden):
        torch = self.torch
        x = torch.from_numpy(sequence(steps, batch, hidden)).requires_grad_(backward)
        if cell == "mut1":
            values = [torch.from_numpy(p).requires_grad_(backward) for p in parameters(cell, hidden).values()]
            output = lambda: self.mut1(x, *values)
        else:
            module = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell](hidden, hidden).train(backward)
            values = list(module.parameters())
            output = lambda: module(x)[0]
        if backward:
            return lambda: torch.autograd.grad(output().sum(), [x, *values])

        def forward():
            with torch.inference_mode():
                return output()

        return forward

    def mut1(self, x, w, w_hr, w_hh, b_z, b_r, b_h):
        torch = self.torch
        hidden = x.size(2)
        ahead = x @ w
        z = torch.sigmoid(ahead[:, :, :hidden] + b_z)
        x_r = ahead[:, :, hidden:] + b_r
        x_h = torch.tanh(x) + b_h
        h = torch.zeros_like(x[0])
        outputs = []
        for t in range(x.size(0)):
            r = torch.sigmoid(x_r[t] + h @ w_hr)
            h = torch.tanh((r * h) @ w_hh + x_h[t]) * z[t] + h * (1 - z[t])
            outputs.append(h)
        return torch.stack(outputs)


class OnnxRuntime:
    """The LSTM and GRU operators; it does not train, and has no operator for a written cell."""

    def __init__(self, threads):
        import onnxruntime

        onnxruntime.set_default_logger_severity(3)
        self.options = onnxruntime.SessionOptions()
        self.options.intra_op_num_threads = threads
        self.options.inter_op_num_threads = 1
        self.onnxruntime = onnxruntime

    def build(self, cell, backward, steps, batch, hidden):
        if backward:
            raise NotImplementedError("does not train")
        if cell == "mut1":
            raise NotImplementedError("has no operator for it")
        model = self.model(cell, steps, batch, hidden).SerializeToString()
        session = self.onnxruntime.InferenceSession(model, self.options, providers=["CPUExecutionProvider"])
        x = sequence(steps, batch, hidden)
        return lambda: session.run(None, {"x": x})

    def model(self, cell, steps, batch, hidden):
        from onnx import TensorProto, helper, numpy_helper

        gates = {"lstm": 4, "gru": 3}[cell]
        values = parameters(cell, hidden)
        biases = [values["b"], values.get("b_u", 0 * values["b"])]
        import numpy

        weights = {"W": values["W"].T[None], "R": values["U"].T[None], "B": numpy.concatenate(biases)[None]}
        extra = {"linear_before_reset": 1} if cell == "gru" else {}
        node = helper.make_node(cell.upper(), ["x", "W", "R", "B"], ["y"], hidden_size=hidden, **extra)
        assert weights["W"].shape == (1, gates * hidden, hidden)
        value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        graph = helper.make_graph(
            [node],
            cell,
            [value("x", [steps, batch, hidden])],
            [value("y", [steps, 1, batch, hidden])],
            [numpy_helper.from_array(numpy.ascontiguousarray(w), name) for name, w in weights.items()],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)


class Jax:
    """`lax.scan` under `jit`."""

    def __init__(self, threads):
        import jax

        self.jax = jax

    def build(self, cell, backward, steps, batch, hidden):
        jax = self.jax
        x = jax.numpy.asarray(sequence(steps, batch, hidden))
        values = {name: jax.numpy.asarray(p) for name, p in parameters(cell, hidden).items()}
        output = getattr(self, cell)
        if backward:
            run = jax.jit(jax.grad(lambda p, x: output(p, x).sum(), argnums=(0, 1)))
        else:
            run = jax.jit(output)
        return lambda: jax.block_until_ready(run(values, x))

    def lstm(self, p, x):
        jax = self.jax
        sigmoid, numpy = jax.nn.sigmoid, jax.numpy

        def step(state, x_t):
            h, c = state
            i, f, g, o = numpy.split(x_t + h @ p["U"], 4, axis=-1)
            c = sigmoid(f) * c + sigmoid(i) * numpy.tanh(g)
            h = sigmoid(o) * numpy.tanh(c)
            return (h, c), h

        zero = numpy.zeros_like(x[0])
        return jax.lax.scan(step, (zero, zero), x @ p["W"] + p["b"])[1]

    def gru(self, p, x):
        jax = self.jax
        sigmoid, numpy = jax.nn.sigmoid, jax.numpy

        def step(h, x_t):
            x_r, x_z, x_n = numpy.split(x_t, 3, axis=-1)
            h_r, h_z, h_n = numpy.split(h @ p["U"] + p["b_u"], 3, axis=-1)
            r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
            h = (1 - z) * numpy.tanh(x_n + r * h_n) + z * h
            return h, h

        return jax.lax.scan(step, numpy.zeros_like(x[0]), x @ p["W"] + p["b"])[1]

    def mut1(self, p, x):
        jax = self.jax
        sigmoid, numpy = jax.nn.sigmoid, jax.numpy
        x_z, x_r = numpy.split(x @ p["W"], 2, axis=-1)
        ahead = sigmoid(x_z + p["b_z"]), x_r + p["b_r"], numpy.tanh(x) + p["b_h"]

        def step(h, at):
            z, r, x_h = at
            r = sigmoid(r + h @ p["W_hr"])
            h = numpy.tanh((r * h) @ p["W_hh"] + x_h) * z + h * (1 - z)
            return h, h

        return jax.lax.scan(step, numpy.zeros_like(x[0]), ahead)[1]


PEERS = {"torch": Torch, "onnxruntime": OnnxRuntime, "jax": Jax}
WARM_UP = 0.15
LEAST = 7


def measure(call, seconds):
    """Each call by itself, after a warm-up: as `elman cell bench` does it."""
    start = time.perf_counter()
    call()
    while time.perf_counter() - start < WARM_UP:
        call()
    times = []
    start = time.perf_counter()
    while len(times) < LEAST or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        call()
        times.append(time.perf_counter() - before)
    times.sort()
    return {"median_us": 1e6 * times[len(times) // 2], "min_us": 1e6 * times[0], "repeats": len(times)}


def main():
    name, threads = sys.argv[1], int(sys.argv[2])
    fix_threads(threads)
    peer = PEERS[name](threads)
    built = {}
    for line in sys.stdin:
        request = json.loads(line)
        seconds = request.pop("seconds")
        key = json.dumps(request, sort_keys=True)
        try:
            if key not in built:
                built.clear()
                built[key] = peer.build(**request)
            answer = measure(built[key], seconds)
        except Exception as error:  # whatever a library raises is its answer
            answer = {"error": f"{type(error).__name__}: {error}"[:200]}
        print(json.dumps(answer), flush=True)


main()
