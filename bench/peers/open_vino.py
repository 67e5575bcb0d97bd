"""OpenVINO's recurrent operators, in f32 or with the hint that bf16 will do. It does not train."""

import numpy
import openvino

from .cells import CELLS, sequence
from .contender import Contender
from .onnx_model import model


class OpenVino(Contender):
    dtypes = ["f32", "bf16"]

    def __init__(self, threads):
        self.core = openvino.Core()
        self.settings = {
            "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "ENABLE_CPU_PINNING": False,
        }

    def build(self, cell, kind, steps, batch, hidden):
        network = self.core.read_model(model(cell, kind, steps, batch, hidden))
        settings = self.settings | {"INFERENCE_PRECISION_HINT": self.dtype}
        compiled = self.core.compile_model(network, "CPU", settings)
        x = sequence(steps, batch, hidden)
        if kind == "stream":
            return stream(compiled, x, len(CELLS[cell].states), (1, batch, hidden))
        request = compiled.create_infer_request()
        return lambda: request.infer({0: x}, share_inputs=True, share_outputs=True), lambda found: {"y": found[0]}


def stream(compiled, x, states, shape):
    """Two requests, of which each reads the states that the other wrote."""
    sets = [[openvino.Tensor(numpy.zeros(shape, "float32")) for _ in range(states)] for _ in range(2)]
    given = openvino.Tensor(x)
    requests = [compiled.create_infer_request() for _ in range(2)]
    for turn, request in enumerate(requests):
        request.set_input_tensor(0, given)
        for k in range(states):
            request.set_input_tensor(1 + k, sets[turn][k])
            request.set_output_tensor(k, sets[1 - turn][k])
    now = 0

    def call():
        nonlocal now
        requests[now].infer(share_outputs=True)
        now = 1 - now
        return sets[now][0]

    return call, lambda h: {"y": h.data}
