"""ONNX Runtime's recurrent operators, with bound buffers. It does not train, and has no operator for a written cell."""

import tempfile
from pathlib import Path

import numpy
import onnxruntime

from .cells import CELLS, sequence
from .contender import Contender
from .onnx_model import model


class OnnxRuntime(Contender):
    dtypes = ["f32", "int8"]

    def __init__(self, threads):
        onnxruntime.set_default_logger_severity(3)
        self.options = onnxruntime.SessionOptions()
        self.options.intra_op_num_threads = threads
        self.options.inter_op_num_threads = 1

    def build(self, cell, kind, steps, batch, hidden):
        network = model(cell, kind, steps, batch, hidden)
        network = quantised(network) if self.dtype == "int8" else network
        session = onnxruntime.InferenceSession(network, self.options, providers=["CPUExecutionProvider"])
        x = buffer(sequence(steps, batch, hidden))
        if kind == "stream":
            return stream(session, x, len(CELLS[cell].states), (1, batch, hidden))
        y = buffer(numpy.zeros((steps, 1, batch, hidden), "float32"))
        binding = bound(session, {"x": x}, {"y": y})
        return lambda: session.run_with_iobinding(binding), lambda _: {"y": y.numpy()}


def quantised(network):
    """The model with 8-bit weights, where there is an operator for it."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder:
        plain, narrow = Path(folder) / "plain.onnx", Path(folder) / "narrow.onnx"
        plain.write_bytes(network)
        quantize_dynamic(plain, narrow, weight_type=QuantType.QInt8, op_types_to_quantize=["LSTM"])
        found = narrow.read_bytes()
    if b"DynamicQuantize" not in found:
        raise NotImplementedError("has no operator for it in int8")
    return found


def buffer(array):
    return onnxruntime.OrtValue.ortvalue_from_numpy(array)


def bound(session, inputs, outputs):
    binding = session.io_binding()
    for name, value in inputs.items():
        binding.bind_ortvalue_input(name, value)
    for name, value in outputs.items():
        binding.bind_ortvalue_output(name, value)
    return binding


def stream(session, x, states, shape):
    """Two sets of states, read and written in turn."""
    sets = [[buffer(numpy.zeros(shape, "float32")) for _ in range(states)] for _ in range(2)]
    named = lambda letter, values: {f"{letter}{k}": v for k, v in enumerate(values)}
    turns = [bound(session, {"x": x} | named("s", sets[k]), named("t", sets[1 - k])) for k in range(2)]
    now = 0

    def call():
        nonlocal now
        session.run_with_iobinding(turns[now])
        now = 1 - now
        return sets[now][0]

    return call, lambda h: {"y": h.numpy()}
