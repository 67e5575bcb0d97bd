#!/usr/bin/env python3
"""Writes what torch.nn.RNN, LSTM and GRU compute, in the forms of `elman cell run`.

    python reference/torch_rnn.py FOLDER

Two layers, both directions, packed sequences of different lengths, initial states that are not zero, and the gradients
of everything. Beyond a sequence's length `x` and `dy` are NaN in the files.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

STEPS, BATCH, INPUT, HIDDEN, LAYERS = 6, 3, 7, 5, 2
LENGTHS = [6, 2, 5]
DIRECTIONS = ["forward", "backward"]


def tanh_weights(part):
    """h' = tanh(W x + U h + b); `part(kind, gate)` is a block of rows of torch's tensor `kind`."""
    return {
        "W": part("weight_ih", 0),
        "U": part("weight_hh", 0),
        "b": part("bias_ih", 0) + part("bias_hh", 0),
    }


def tanh_gradients(part):
    """As the weights; a summed bias has the gradient of either part."""
    return tanh_weights(part) | {"b": part("bias_ih", 0)}


def lstm_weights(part):
    """Gates on [h, x]; torch orders them i, f, g, o."""
    weights = {}
    for gate, name in enumerate(["i", "f", "C", "o"]):
        weights[f"W_{name}"] = torch.cat([part("weight_hh", gate), part("weight_ih", gate)], 1)
        weights[f"b_{name}"] = part("bias_ih", gate) + part("bias_hh", gate)
    return weights


def lstm_gradients(part):
    """As the weights; a summed bias has the gradient of either part."""
    biases = {f"b_{name}": part("bias_ih", gate) for gate, name in enumerate(["i", "f", "C", "o"])}
    return lstm_weights(part) | biases


def gru_parts(part):
    """Reset after the product, both biases kept; torch orders the gates r, z, n."""
    parts = {}
    for gate, name in enumerate(["r", "z", "n"]):
        for ours, theirs in [("W_i", "weight_ih"), ("W_h", "weight_hh"), ("b_i", "bias_ih"), ("b_h", "bias_hh")]:
            parts[ours + name] = part(theirs, gate)
    return parts


CASES = {
    "tanh": (torch.nn.RNN, ["h"], tanh_weights, tanh_gradients),
    "lstm": (torch.nn.LSTM, ["h", "C"], lstm_weights, lstm_gradients),
    "gru-reset-after": (torch.nn.GRU, ["h"], gru_parts, gru_parts),
}


def places():
    """(prefix in our files, suffix in torch, index in torch's stacked states) of each layer and direction."""
    for layer in range(LAYERS):
        for index, direction in enumerate(DIRECTIONS):
            suffix = f"_l{layer}" + ("_reverse" if index else "")
            yield f"{layer}.{direction}", suffix, 2 * layer + index


def named_parameters(module, suffix, naming, of):
    """Our names and blocks for one layer and direction; `of` takes the tensor or its gradient."""

    def part(kind, gate):
        return of(getattr(module, kind + suffix))[gate * HIDDEN : (gate + 1) * HIDDEN]

    return naming(part)


def make(name, folder):
    layer, states, weights, gradients = CASES[name]
    rng = np.random.default_rng(20261123)
    draw = lambda *shape: torch.from_numpy(rng.standard_normal(shape))
    module = layer(INPUT, HIDDEN, LAYERS, bidirectional=True).double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(0.5 * draw(*parameter.shape))

    x = draw(STEPS, BATCH, INPUT).requires_grad_()
    initial = [draw(2 * LAYERS, BATCH, HIDDEN).requires_grad_() for _ in states]
    dy = draw(STEPS, BATCH, 2 * HIDDEN)
    d_final = [draw(2 * LAYERS, BATCH, HIDDEN) for _ in states]

    packed = torch.nn.utils.rnn.pack_padded_sequence(x, LENGTHS, enforce_sorted=False)
    y, final = module(packed, tuple(initial) if len(states) > 1 else initial[0])
    y, _ = torch.nn.utils.rnn.pad_packed_sequence(y, total_length=STEPS)
    final = list(final) if len(states) > 1 else [final]
    torch.autograd.backward([y, *final], [dy, *d_final])

    inside = torch.arange(STEPS)[:, None, None] < torch.tensor(LENGTHS)[None, :, None]
    beyond = torch.full((), float("nan"), dtype=torch.float64)
    inputs = {
        "x": torch.where(inside, x.detach(), beyond),
        "lengths": torch.tensor(LENGTHS),
        "dy": torch.where(inside, dy, beyond),
    }
    outputs = {"y": y, "d.x": x.grad}
    values = {}
    for prefix, suffix, index in places():
        for state, start, end, d_end in zip(states, initial, final, d_final):
            inputs[f"{prefix}.{state}"] = start[index]
            inputs[f"d.{prefix}.{state}"] = d_end[index]
            outputs[f"{prefix}.{state}"] = end[index]
            outputs[f"d.{prefix}.{state}"] = start.grad[index]
        for key, value in named_parameters(module, suffix, weights, lambda p: p).items():
            values[f"{prefix}.{key}"] = value
        for key, value in named_parameters(module, suffix, gradients, lambda p: p.grad).items():
            outputs[f"d.{prefix}.{key}"] = value

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
