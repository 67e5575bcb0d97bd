"""What everybody must find: the loop over the steps in f64, with gradients by autograd."""

from pathlib import Path

import numpy
import torch
from safetensors.numpy import load_file, save_file

from .cells import CELLS, elman_tensors, parameters, sequence
from .contender import STREAMED, compare
from .pytorch import Loop

IN, WEIGHTS, OUT = "in.safetensors", "weights.safetensors", "out.safetensors"


class Reference:
    def __init__(self, threads):
        torch.set_num_threads(threads)

    def write(self, cell, kind, size, folder):
        """expected.npz for the peers, and Elman's tensors of input and weights."""
        steps, batch, hidden = size
        folder = Path(folder)
        x, values = sequence(steps, batch, hidden), parameters(cell, hidden)
        if kind == "stream":
            x = x.repeat(STREAMED, axis=0)
        expected = run(cell, kind, x)
        numpy.savez(folder / "expected.npz", **expected)
        given = {"x": x, "dy": numpy.ones_like(x)} if kind == "backward" else {"x": x}
        save_file(given, folder / IN)
        save_file({f"0.forward.{n}": v for n, v in elman_tensors(cell, values).items()}, folder / WEIGHTS)
        return {}

    def judge(self, cell, kind, folder):
        """What Elman wrote."""
        folder = Path(folder)
        found = load_file(folder / OUT)
        with numpy.load(folder / "expected.npz") as file:
            expected = dict(file)
        if kind == "stream":
            found["y"] = found["y"][-1]
        wanted = {name: expected[name] for name in ["y", "d.x"] if name in expected}
        if kind == "backward":
            states = {name: expected[f"d.{name}"] for name in CELLS[cell].states}
            learned = {name: expected[f"d.{name}"] for name in CELLS[cell].parameters}
            of_layer = states | elman_tensors(cell, learned)
            wanted |= {f"d.0.forward.{name}": value for name, value in of_layer.items()}
        return compare(found, wanted)


def run(cell, kind, x):
    network = Loop(cell, x.shape[2], lambda steps: steps, len(x), torch.float64)
    x = torch.from_numpy(x).double().requires_grad_()
    state = tuple(torch.zeros(x.shape[1:], dtype=torch.float64, requires_grad=True) for _ in network.cell.states)
    y = network.output(x, state)
    if kind != "backward":
        return {"y": (y[-1] if kind == "stream" else y).detach().numpy()}
    names = ["x", *network.cell.states, *network.values]
    found = torch.autograd.grad(y.sum(), [x, *state, *network.values.values()])
    return {"y": y.detach().numpy()} | {f"d.{name}": d.numpy() for name, d in zip(names, found)}
