"""PyTorch in eager mode: torch.nn where it has the cell, else a loop over the steps; and that loop under torch.compile,
some steps a call (a loop of 35 compiled as a whole takes minutes)."""

import torch

from .cells import CELLS, parameters, sequence
from .contender import Contender

MODULES = {"lstm": torch.nn.LSTM, "gru-reset-after": torch.nn.GRU, "tanh": torch.nn.RNN}


class Functions:
    """What `cells.py` asks for."""

    sigmoid, tanh = torch.sigmoid, torch.tanh

    def split(a, parts):
        return torch.chunk(a, parts, -1)

    def norm(a, parts):
        apart = a.unflatten(-1, (parts, -1))
        return torch.nn.functional.layer_norm(apart, apart.shape[-1:]).flatten(-2)


class Torch(Contender):
    dtypes = ["f32", "bf16", "int8"]
    at_once = 1_000_000  # all of them

    def __init__(self, threads):
        torch.set_num_threads(threads)
        torch.set_num_interop_threads(1)

    def build(self, cell, kind, steps, batch, hidden):
        if cell in MODULES:
            return calls(Module(cell, hidden, self.dtype), kind, steps, batch, hidden)
        if self.dtype == "int8":
            raise NotImplementedError("a loop is not quantised")
        dtype = torch.bfloat16 if self.dtype == "bf16" else torch.float32
        return calls(Loop(cell, hidden, self.compiled, self.at_once, dtype), kind, steps, batch, hidden)

    def compiled(self, steps):
        return steps


class TorchCompiled(Torch):
    at_once = 5

    def __init__(self, threads):
        super().__init__(threads)
        torch._inductor.config.compile_threads = 1

    def build(self, cell, kind, *size):
        if cell in MODULES:
            raise NotImplementedError("torch.nn has it")
        torch._dynamo.reset()
        return super().build(cell, kind, *size)

    def compiled(self, steps):
        return torch.compile(steps, dynamic=False)


def calls(network, kind, steps, batch, hidden):
    """(call, read) of a network with `values`, `output(x, state)` and `step(x, state)`."""
    x = torch.from_numpy(sequence(steps, batch, hidden)).to(network.dtype).requires_grad_(kind == "backward")
    zeros = lambda: torch.zeros(batch, hidden, dtype=network.dtype, requires_grad=kind == "backward")
    state = tuple(zeros() for _ in network.cell.states)

    def forward():
        with torch.inference_mode():
            return network.output(x, state)

    def backward():
        y = network.output(x, state)
        return y, torch.autograd.grad(y.sum(), [x, *state, *network.values.values()])

    def stream():
        nonlocal state
        with torch.inference_mode():
            state = network.step(x, state)
            return state[0]

    def gradients(returned):
        y, (d_x, *rest) = returned
        d_state, d_values = rest[: len(state)], rest[len(state) :]
        found = {"y": y.detach(), "d.x": d_x} | {f"d.{n}": d for n, d in zip(network.cell.states, d_state)}
        return found | {f"d.{name}": network.canonical(d) for name, d in zip(network.values, d_values)}

    only = lambda y: {"y": y.float()}
    return {"forward": (forward, only), "backward": (backward, gradients), "stream": (stream, only)}[kind]


class Module:
    """torch.nn's, whose gates stand in the order of `cells.py`."""

    def __init__(self, cell, hidden, dtype="f32"):
        self.cell, self.dtype = CELLS[cell], torch.bfloat16 if dtype == "bf16" else torch.float32
        self.module = MODULES[cell](hidden, hidden)
        given = parameters(cell, hidden)
        given.setdefault("b_u", 0 * given["b"])
        names = {"W": "weight_ih_l0", "U": "weight_hh_l0", "b": "bias_ih_l0", "b_u": "bias_hh_l0"}
        self.module.load_state_dict({name: torch.from_numpy(given[n].T.copy()) for n, name in names.items()})
        self.values = {n: getattr(self.module, name) for n, name in names.items()}
        if dtype == "int8":
            self.module = quantised(self.module)
        else:
            self.module.to(self.dtype)

    def output(self, x, state):
        return self.module(x, self.given(state))[0]

    def step(self, x, state):
        state = self.module(x, self.given(state))[1]
        return tuple(s[0] for s in state) if isinstance(state, tuple) else (state[0],)

    def given(self, state):
        apart = tuple(s[None] for s in state)
        return apart if len(apart) == 2 else apart[0]

    def canonical(self, tensor):
        return tensor.T if tensor.dim() == 2 else tensor


def quantised(module):
    """The module with 8-bit weights, where there is one."""
    kinds = {torch.nn.LSTM, torch.nn.GRU}
    if type(module) not in kinds:
        raise NotImplementedError("has no module for it in int8")
    return torch.ao.quantization.quantize_dynamic(torch.nn.Sequential(module), kinds, dtype=torch.qint8)[0]


class Loop:
    """`compiled` makes of a function of several steps one that may be faster; `at_once` is how many steps it is given."""

    def __init__(self, cell, hidden, compiled, at_once, dtype=torch.float32):
        self.cell, self.at_once, self.steps = CELLS[cell], at_once, compiled(steps_of(CELLS[cell]))
        self.dtype = dtype
        given = parameters(cell, hidden)
        self.values = {n: torch.from_numpy(v).to(dtype).requires_grad_() for n, v in given.items()}

    def output(self, x, state):
        ahead = self.cell.ahead(Functions, self.values, x)
        outputs = []
        for parts in zip(*(a.split(self.at_once) for a in ahead)):
            state, some = self.steps(self.values, state, parts)
            outputs += some
        return torch.stack(outputs)

    def step(self, x, state):
        return self.steps(self.values, state, self.cell.ahead(Functions, self.values, x))[0]

    def canonical(self, tensor):
        return tensor


def steps_of(cell):
    def steps(p, state, ahead):
        """The last state, and the output of each step."""
        outputs = []
        for at in zip(*(a.unbind(0) for a in ahead)):
            state = cell.step(Functions, p, state, *at)
            outputs.append(state[0])
        return state, outputs

    return steps
