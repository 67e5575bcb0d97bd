#!/usr/bin/env python3
"""Writes what PyTorch's autograd makes of decoders that attend to a memory, in the forms of `elman cell run`.

    python reference/torch_attention.py FOLDER

One layer, sequences and memories of different lengths, initial states that are not zero, and the gradients of
everything. Each sequence is run by itself, on the slots that it has: nothing is masked. Beyond a sequence's length `x`
and `dy`, and beyond a memory's length its slots, are NaN in the files.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

STEPS, BATCH, INPUT, HIDDEN, OUTPUT, SLOTS = 6, 3, 7, 5, 9, 4
LENGTHS = [6, 2, 5]
SLOTS_OF = [4, 1, 3]


def bahdanau(p, memories, x, h):
    """Additive scores, keys apart from values (Bahdanau et al. 2015): `gru-attention`."""
    k, m = memories["k"], memories["m"]
    a = torch.softmax(torch.tanh(p["W_a"] @ h["h"] + k) @ p["v_a"], 0) @ m
    gate = lambda g: torch.sigmoid(p[f"W_{g}"] @ x + p[f"U_{g}"] @ h["h"] + p[f"C_{g}"] @ a + p[f"b_{g}"])
    z, r = gate("z"), gate("r")
    c = torch.tanh(p["W"] @ x + p["U"] @ (r * h["h"]) + p["C"] @ a + p["b"])
    new = (1 - z) * h["h"] + z * c
    return {"h": new}, new


def luong(p, memories, x, h):
    """Scores q · k and input feeding (Luong et al. 2015): `lstm-attention`, and without W_a `lstm-attention-dot`."""
    m = memories["m"]
    gate = lambda g: p[f"W_{g}"] @ x + p[f"V_{g}"] @ h["y"] + p[f"U_{g}"] @ h["h"] + p[f"b_{g}"]
    i, f, o = (torch.sigmoid(gate(g)) for g in "ifo")
    c = f * h["c"] + i * torch.tanh(gate("g"))
    new = o * torch.tanh(c)
    query = p["W_a"] @ new if "W_a" in p else new
    a = torch.softmax(m @ query, 0) @ m
    y = torch.tanh(p["W_c"] @ a + p["W_h"] @ new)
    return {"c": c, "h": new, "y": y}, y


def scaled(p, memories, x, h):
    """PyTorch's own function, keys apart from values: `data/scaled-attention.cell`."""
    k, v = memories["k"], memories["v"]
    q = (p["W_q"] @ h["h"] + p["b_q"])[None]
    a = torch.nn.functional.scaled_dot_product_attention(q[None], k[None], v[None])[0, 0]
    new = torch.tanh(p["W"] @ x + p["U"] @ h["h"] + p["A"] @ a + p["b"])
    return {"h": new}, new


def luong_shapes(memory):
    shapes = {}
    for g in "ifog":
        shapes |= {f"W_{g}": (HIDDEN, INPUT), f"V_{g}": (HIDDEN, HIDDEN), f"U_{g}": (HIDDEN, HIDDEN), f"b_{g}": (HIDDEN,)}
    return shapes | {"W_c": (HIDDEN, memory), "W_h": (HIDDEN, HIDDEN)}


GATE = {"W": (HIDDEN, INPUT), "U": (HIDDEN, HIDDEN), "C": (HIDDEN, OUTPUT), "b": (HIDDEN,)}

# Step, parameters, memories with the length of their rows, states.
CASES = {
    "gru-attention": (
        bahdanau,
        {"W_a": (HIDDEN, HIDDEN), "v_a": (HIDDEN,)}
        | {key + g: shape for g in ["_z", "_r", ""] for key, shape in GATE.items()},
        {"k": HIDDEN, "m": OUTPUT},
        ["h"],
    ),
    "lstm-attention": (luong, luong_shapes(OUTPUT) | {"W_a": (OUTPUT, HIDDEN)}, {"m": OUTPUT}, ["c", "h", "y"]),
    "lstm-attention-dot": (luong, luong_shapes(HIDDEN), {"m": HIDDEN}, ["c", "h", "y"]),
    "scaled-attention": (
        scaled,
        {"W_q": (3, HIDDEN), "b_q": (3,), "W": (HIDDEN, INPUT), "U": (HIDDEN, HIDDEN), "A": (HIDDEN, OUTPUT), "b": (HIDDEN,)},
        {"k": 3, "v": OUTPUT},
        ["h"],
    ),
}


def make(name, folder):
    step, shapes, memory_units, states = CASES[name]
    rng = np.random.default_rng(20261124)
    draw = lambda *shape: torch.from_numpy(rng.standard_normal(shape))
    p = {key: (0.5 * draw(*shape)).requires_grad_() for key, shape in shapes.items()}
    x = draw(STEPS, BATCH, INPUT).requires_grad_()
    memories = {key: draw(SLOTS, BATCH, n).requires_grad_() for key, n in memory_units.items()}
    initial = {s: draw(BATCH, HIDDEN).requires_grad_() for s in states}
    dy, d_final = draw(STEPS, BATCH, HIDDEN), {s: draw(BATCH, HIDDEN) for s in states}

    loss, y, final = 0, torch.zeros(STEPS, BATCH, HIDDEN, dtype=torch.float64), {s: [] for s in states}
    for b in range(BATCH):
        h = {s: initial[s][b] for s in states}
        own = {key: m[: SLOTS_OF[b], b] for key, m in memories.items()}
        for t in range(LENGTHS[b]):
            h, out = step(p, own, x[t, b], h)
            y[t, b] = out.detach()
            loss = loss + dy[t, b] @ out
        for s in states:
            final[s].append(h[s].detach())
            loss = loss + d_final[s][b] @ h[s]
    loss.backward()

    def ragged(tensor, lengths):
        inside = torch.arange(tensor.shape[0])[:, None, None] < torch.tensor(lengths)[None, :, None]
        return torch.where(inside, tensor.detach(), torch.full((), float("nan"), dtype=torch.float64))

    prefix = "0.forward."
    inputs = {"x": ragged(x, LENGTHS), "dy": ragged(dy, LENGTHS), "lengths": torch.tensor(LENGTHS)}
    outputs = {"y": y, "d.x": x.grad}
    for key, m in memories.items():
        inputs |= {key: ragged(m, SLOTS_OF), f"{key}.lengths": torch.tensor(SLOTS_OF)}
        outputs[f"d.{key}"] = m.grad
    for s in states:
        inputs |= {prefix + s: initial[s], f"d.{prefix}{s}": d_final[s]}
        outputs |= {prefix + s: torch.stack(final[s]), f"d.{prefix}{s}": initial[s].grad}
    outputs |= {f"d.{prefix}{key}": value.grad for key, value in p.items()}
    values = {prefix + key: value for key, value in p.items()}
    for kind, tensors in [("in", inputs), ("weights", values), ("out", outputs)]:
        arrays = {key: tensor.detach().contiguous().numpy() for key, tensor in tensors.items()}
        save_file(arrays, folder / f"{name}.{kind}.safetensors")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in CASES:
        make(name, folder)
        print(name)


main()
