"""The whole training step of a language model in PyTorch: Embedding, two layers of LSTM or GRU, Linear, cross entropy,
clipped gradients, SGD. Starts from the parameters that an Elman run started from, and trains on the same windows."""

import json
import time
from pathlib import Path

import torch
from safetensors.torch import load_file

CELLS = {"lstm": torch.nn.LSTM, "gru-reset-after": torch.nn.GRU}


class Model(torch.nn.Module):
    def __init__(self, cell, words, hidden, tied):
        super().__init__()
        self.embedding = torch.nn.Embedding(words, hidden)
        self.layers = CELLS[cell](hidden, hidden, num_layers=2)
        self.output = torch.nn.Linear(hidden, words)
        if tied:
            self.output.weight = self.embedding.weight

    def forward(self, inputs, targets, state):
        """Nats a token, and the state for the next window."""
        hidden, state = self.layers(self.embedding(inputs), state)
        return torch.nn.functional.cross_entropy(self.output(hidden).flatten(0, 1), targets.flatten()), state


def lstm_layer(given, hidden):
    """Elman's W_g = [U, W] of each gate; PyTorch's gates are i, f, g, o."""
    gates = torch.cat([given[f"W_{g}"] for g in "ifCo"])
    bias = torch.cat([given[f"b_{g}"] for g in "ifCo"])
    return {"weight_hh": gates[:, :hidden], "weight_ih": gates[:, hidden:], "bias_ih": bias, "bias_hh": 0 * bias}


def gru_layer(given, _hidden):
    all_gates = lambda kind: torch.cat([given[kind.format(g)] for g in "rzn"])
    forms = {"weight_ih": "W_i{}", "weight_hh": "W_h{}", "bias_ih": "b_i{}", "bias_hh": "b_h{}"}
    return {name: all_gates(form) for name, form in forms.items()}


LAYERS = {"lstm": lstm_layer, "gru-reset-after": gru_layer}


class Torch:
    def __init__(self, threads):
        torch.set_num_threads(threads)
        torch.set_num_interop_threads(1)

    def start(self, run, text, cell, hidden, tied, batch, steps, rate, clip):
        """From an Elman run: its vocabulary, and the parameters of its checkpoint before the first step."""
        self.rate, self.clip, self.steps = rate, clip, steps
        ids = {word: k for k, word in enumerate(json.loads((Path(run) / "vocabulary.json").read_text())["entries"])}
        tokens = [ids[w] for line in Path(text).read_text().splitlines() for w in [*line.split(), "<eos>"]]
        length = len(tokens) // batch
        # Columns side by side; the first token is predicted from the end of a line.
        columns = lambda stream: torch.tensor(stream[: length * batch]).view(batch, length).t().contiguous()
        self.inputs, self.targets = columns([ids["<eos>"], *tokens]), columns(tokens)
        self.model = Model(cell, len(ids), hidden, tied)
        self.load(load_file(Path(run) / "checkpoint" / "1" / "tensors.safetensors"), cell, hidden)
        self.step_of_window = self.compiled(self.model)
        self.at, self.state = 0, None
        return {"words": len(ids)}

    def load(self, tensors, cell, hidden):
        given = {n.removeprefix("weights."): t for n, t in tensors.items() if n.startswith("weights.")}
        values = {"embedding.weight": given["embedding"], "output.bias": given["output.bias"]}
        values["output.weight"] = given.get("output.weight", given["embedding"])
        for k in range(2):
            mine = {n.removeprefix(f"{k}.forward."): t for n, t in given.items() if n.startswith(f"{k}.forward.")}
            values |= {f"layers.{name}_l{k}": t for name, t in LAYERS[cell](mine, hidden).items()}
        self.model.load_state_dict(values)
        # Elman's LSTM has one bias a gate where PyTorch adds two: the other one stays 0.
        fixed = "bias_hh" if cell == "lstm" else None
        self.learned = [p for name, p in self.model.named_parameters() if not (fixed and fixed in name)]
        self.optimiser = torch.optim.SGD(self.learned, lr=self.rate)

    def compiled(self, model):
        return model

    def step(self):
        """One window, a full one; the nats a token before the update."""
        if self.at + self.steps > len(self.inputs):
            self.at, self.state = 0, None
        window = slice(self.at, self.at + self.steps)
        self.at += self.steps
        loss, state = self.step_of_window(self.inputs[window], self.targets[window], self.state)
        self.state = state.detach() if torch.is_tensor(state) else tuple(s.detach() for s in state)
        self.model.zero_grad()
        # A window's loss is summed over its steps.
        (loss * self.steps).backward()
        torch.nn.utils.clip_grad_norm_(self.learned, self.clip)
        self.optimiser.step()
        return loss.item()

    def losses(self, count):
        return {"losses": [self.step() for _ in range(count)]}

    def turn(self, seconds):
        """Tokens a second over whole steps, for at least so long."""
        self.step()
        start, steps = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            self.step()
            steps += 1
        tokens = steps * self.steps * self.inputs.shape[1]
        return {"tokens_per_second": tokens / (time.perf_counter() - start)}


class TorchCompiled(Torch):
    def compiled(self, model):
        torch._dynamo.config.allow_rnn = True
        return torch.compile(model, dynamic=False)
