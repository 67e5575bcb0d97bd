"""ONNX's recurrent operators with the parameters of `cells.py`."""

import numpy

from .cells import CELLS, parameters


def lstm(p):
    order = lambda a: gates(a, 4, [0, 3, 1, 2])  # i f C o → i o f c
    return order(p["W"]), order(p["U"]), [order(p["b"]), 0 * p["b"]]


def gru_reset_after(p):
    order = lambda a: gates(a, 3, [1, 0, 2])  # r z n → z r h
    return order(p["W"]), order(p["U"]), [order(p["b"]), order(p["b_u"])]


def gru(p):
    """ONNX's z keeps the old state, Elman's takes the new one: sigmoid(−a) = 1 − sigmoid(a)."""
    sign = numpy.repeat(numpy.float32([-1, 1, 1]), len(p["W"]))
    recurrent = numpy.concatenate([p["U_zr"], p["U_h"]], axis=1)
    return sign * p["W"], sign * recurrent, [sign * p["b"], 0 * p["b"]]


def tanh(p):
    return p["W"], p["U"], [p["b"], 0 * p["b"]]


def gates(array, count, order):
    apart = numpy.split(array, count, axis=-1)
    return numpy.concatenate([apart[k] for k in order], axis=-1)


OPERATORS = {
    "lstm": ("LSTM", lstm, {}),
    "gru-reset-after": ("GRU", gru_reset_after, {"linear_before_reset": 1}),
    "gru": ("GRU", gru, {"linear_before_reset": 0}),
    "tanh": ("RNN", tanh, {}),
}


def model(cell, kind, steps, batch, hidden):
    """Bytes of a model: `x` → `y`, or of a stream `x` and states `s0`, `s1` → `t0`, `t1`."""
    from onnx import TensorProto, helper, numpy_helper

    if kind == "backward":
        raise NotImplementedError("does not train")
    if cell not in OPERATORS:
        raise NotImplementedError("has no operator for it")
    operator, weights_of, settings = OPERATORS[cell]
    w, r, b = weights_of(parameters(cell, hidden))
    weights = {"W": w.T[None], "R": r.T[None], "B": numpy.concatenate(b)[None]}
    value = lambda name, *shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    inputs, outputs, names, results = [value("x", steps, batch, hidden)], [], ["x", *weights], ["y"]
    if kind == "stream":
        count = len(CELLS[cell].states)
        inputs += [value(f"s{k}", 1, batch, hidden) for k in range(count)]
        outputs += [value(f"t{k}", 1, batch, hidden) for k in range(count)]
        names, results = [*names, "", "s0", "s1"][: 5 + count], ["", "t0", "t1"][: 1 + count]
    else:
        outputs.append(value("y", steps, 1, batch, hidden))
    graph = helper.make_graph(
        [helper.make_node(operator, names, results, hidden_size=hidden, **settings)], "cell", inputs, outputs,
        [numpy_helper.from_array(numpy.ascontiguousarray(a, dtype="float32"), name) for name, a in weights.items()],
    )
    whole = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    return whole.SerializeToString()
