"""The cells, written once over arrays of PyTorch or JAX, as a careful user of either would write them.

`ahead` is what does not depend on the state, for all steps at once; `step` makes the next states of the last ones and
one step of each of `ahead`'s arrays. The first state is the output. Gates that read the same vector share a product:
matrices are [units, gates × units] and stand on the right, `x @ W`. `m` has the functions of the library.

`elman` says what Elman's own file of the cell calls the pieces: {"W_i": [("U", 0), ("W", 0)]} is a matrix [units, 2 ×
units] made of the first gate of U and that of W, each transposed, side by side.
"""

import math


def pieces(gates, names):
    """The pieces of all gates, `{}` in a name being the gate."""
    return {
        name.format(gate): [(source, k) for source in sources]
        for name, sources in names.items()
        for k, gate in enumerate(gates)
    }


class Tanh:
    parameters = {"W": 1, "U": 1, "b": 1}
    states = ["h"]
    elman = pieces([""], {"W": ["W"], "U": ["U"], "b": ["b"]})

    def ahead(m, p, x):
        return (x @ p["W"] + p["b"],)

    def step(m, p, state, x):
        return (m.tanh(x + state[0] @ p["U"]),)


class Lstm:
    parameters = {"W": 4, "U": 4, "b": 4}
    states = ["h", "C"]
    elman = pieces("ifCo", {"W_{}": ["U", "W"], "b_{}": ["b"]})
    ahead = Tanh.ahead

    def step(m, p, state, x):
        h, c = state
        i, f, g, o = m.split(x + h @ p["U"], 4)
        c = m.sigmoid(f) * c + m.sigmoid(i) * m.tanh(g)
        return m.sigmoid(o) * m.tanh(c), c


class LstmWithoutForget:
    """Of Jozefowicz et al. 2015, where i is the candidate, j the input gate, and o a tanh."""

    parameters = {"W": 3, "U": 3, "b": 3}
    states = ["h", "c"]
    elman = pieces("ijo", {"W_x{}": ["W"], "W_h{}": ["U"], "b_{}": ["b"]})
    ahead = Tanh.ahead

    def step(m, p, state, x):
        h, c = state
        i, j, o = m.split(x + h @ p["U"], 3)
        c = c + m.tanh(i) * m.sigmoid(j)
        return m.tanh(c) * m.tanh(o), c


class LstmWithoutInput(LstmWithoutForget):
    elman = pieces("ifo", {"W_x{}": ["W"], "W_h{}": ["U"], "b_{}": ["b"]})

    def step(m, p, state, x):
        h, c = state
        i, f, o = m.split(x + h @ p["U"], 3)
        c = c * m.sigmoid(f) + m.tanh(i)
        return m.tanh(c) * m.tanh(o), c


class LstmWithoutOutput(LstmWithoutForget):
    elman = pieces("ijf", {"W_x{}": ["W"], "W_h{}": ["U"], "b_{}": ["b"]})

    def step(m, p, state, x):
        h, c = state
        i, j, f = m.split(x + h @ p["U"], 3)
        c = c * m.sigmoid(f) + m.tanh(i) * m.sigmoid(j)
        return m.tanh(c), c


class LstmPeephole:
    parameters = {"W": 4, "U": 4, "b": 4, "w": 3}
    states = ["h", "c"]
    elman = pieces("ifco", {"W_x{}": ["W"], "W_h{}": ["U"], "b_{}": ["b"]}) | pieces("ifo", {"w_c{}": ["w"]})
    ahead = Tanh.ahead

    def step(m, p, state, x):
        h, c = state
        i, f, g, o = m.split(x + h @ p["U"], 4)
        w_i, w_f, w_o = m.split(p["w"], 3)
        c = m.sigmoid(f + w_f * c) * c + m.sigmoid(i + w_i * c) * m.tanh(g)
        return m.sigmoid(o + w_o * c) * m.tanh(c), c


class LayerNormLstm:
    """Each gate is normalised on its own."""

    parameters = {"W": 4, "U": 4, "g_x": 4, "g_h": 4, "b": 4, "g_c": 1, "b_c": 1}
    states = ["h", "c"]
    elman = pieces("fiou", {"W_{}": ["W"], "U_{}": ["U"], "g_x{}": ["g_x"], "g_h{}": ["g_h"], "b_{}": ["b"]}) | pieces(
        "c", {"g_{}": ["g_c"], "b_{}": ["b_c"]}
    )

    def ahead(m, p, x):
        return (m.norm(x @ p["W"], 4) * p["g_x"] + p["b"],)

    def step(m, p, state, x):
        h, c = state
        f, i, o, u = m.split(x + m.norm(h @ p["U"], 4) * p["g_h"], 4)
        c = m.sigmoid(f) * c + m.sigmoid(i) * m.tanh(u)
        return m.sigmoid(o) * m.tanh(m.norm(c, 1) * p["g_c"] + p["b_c"]), c


class GruResetAfter:
    parameters = {"W": 3, "U": 3, "b": 3, "b_u": 3}
    states = ["h"]
    elman = pieces("rzn", {"W_i{}": ["W"], "W_h{}": ["U"], "b_i{}": ["b"], "b_h{}": ["b_u"]})
    ahead = Tanh.ahead

    def step(m, p, state, x):
        (h,) = state
        x_r, x_z, x_n = m.split(x, 3)
        h_r, h_z, h_n = m.split(h @ p["U"] + p["b_u"], 3)
        r, z = m.sigmoid(x_r + h_r), m.sigmoid(x_z + h_z)
        return ((1 - z) * m.tanh(x_n + r * h_n) + z * h,)


class Gru:
    """The reset gate acts before the product."""

    parameters = {"W": 3, "U_zr": 2, "U_h": 1, "b": 3}
    states = ["h"]
    elman = {
        "W_z": [("U_zr", 0), ("W", 0)],
        "W_r": [("U_zr", 1), ("W", 1)],
        "W_h": [("U_h", 0), ("W", 2)],
    } | pieces("zrh", {"b_{}": ["b"]})
    ahead = Tanh.ahead

    def step(m, p, state, x):
        (h,) = state
        x_z, x_r, x_h = m.split(x, 3)
        h_z, h_r = m.split(h @ p["U_zr"], 2)
        z, r = m.sigmoid(x_z + h_z), m.sigmoid(x_r + h_r)
        return ((1 - z) * h + z * m.tanh(x_h + (r * h) @ p["U_h"]),)


class Mut1:
    parameters = {"W": 2, "U_r": 1, "U_h": 1, "b": 3}
    states = ["h"]
    elman = pieces("zr", {"W_x{}": ["W"]}) | pieces("zrh", {"b_{}": ["b"]}) | {
        "W_hr": [("U_r", 0)],
        "W_hh": [("U_h", 0)],
    }

    def ahead(m, p, x):
        x_z, x_r = m.split(x @ p["W"], 2)
        b_z, b_r, b_h = m.split(p["b"], 3)
        return m.sigmoid(x_z + b_z), x_r + b_r, m.tanh(x) + b_h

    def step(m, p, state, z, x_r, x_h):
        (h,) = state
        r = m.sigmoid(x_r + h @ p["U_r"])
        return (m.tanh((r * h) @ p["U_h"] + x_h) * z + h * (1 - z),)


class Mut2:
    parameters = {"W": 2, "U_zr": 2, "U_h": 1, "b": 3}
    states = ["h"]
    elman = pieces("zh", {"W_x{}": ["W"]}) | pieces("zr", {"W_h{}": ["U_zr"]}) | pieces("zrh", {"b_{}": ["b"]}) | {
        "W_hh": [("U_h", 0)],
    }

    def ahead(m, p, x):
        x_z, x_h = m.split(x @ p["W"], 2)
        b_z, b_r, b_h = m.split(p["b"], 3)
        return x_z + b_z, x + b_r, x_h + b_h

    def step(m, p, state, x_z, x_r, x_h):
        (h,) = state
        h_z, h_r = m.split(h @ p["U_zr"], 2)
        z, r = m.sigmoid(x_z + h_z), m.sigmoid(x_r + h_r)
        return (m.tanh((r * h) @ p["U_h"] + x_h) * z + h * (1 - z),)


class Mut3:
    parameters = {"W": 3, "U_z": 1, "U_r": 1, "U_h": 1, "b": 3}
    states = ["h"]
    elman = pieces("zrh", {"W_x{}": ["W"], "b_{}": ["b"]}) | {
        "W_hz": [("U_z", 0)],
        "W_hr": [("U_r", 0)],
        "W_hh": [("U_h", 0)],
    }
    ahead = Tanh.ahead

    def step(m, p, state, x):
        (h,) = state
        x_z, x_r, x_h = m.split(x, 3)
        z = m.sigmoid(x_z + m.tanh(h) @ p["U_z"])
        r = m.sigmoid(x_r + h @ p["U_r"])
        return (m.tanh((r * h) @ p["U_h"] + x_h) * z + h * (1 - z),)


# By Elman's names.
CELLS = {
    "lstm": Lstm,
    "gru-reset-after": GruResetAfter,
    "gru": Gru,
    "tanh": Tanh,
    "mut1": Mut1,
    "mut2": Mut2,
    "mut3": Mut3,
    "lstm-f": LstmWithoutForget,
    "lstm-i": LstmWithoutInput,
    "lstm-o": LstmWithoutOutput,
    "lstm-peephole": LstmPeephole,
    "layer-norm-lstm": LayerNormLstm,
}


def parameters(cell, hidden):
    """Uniform in ±1/√hidden, gains around 1. Capitals are matrices."""
    import numpy

    rng = numpy.random.default_rng(0)
    bound = 1 / math.sqrt(hidden)
    shape = lambda name, gates: (hidden, gates * hidden) if name[0].isupper() else (gates * hidden,)
    centre = lambda name: 1.0 if name.startswith("g_") else 0.0
    return {
        name: (centre(name) + rng.uniform(-bound, bound, shape(name, gates))).astype("float32")
        for name, gates in CELLS[cell].parameters.items()
    }


def sequence(steps, batch, hidden):
    import numpy

    return numpy.random.default_rng(1).standard_normal((steps, batch, hidden)).astype("float32")


def elman_tensors(cell, values):
    """Parameters, or their gradients, under the names and in the shapes of Elman's file of the cell."""
    import numpy

    def piece(source, gate):
        one = numpy.split(values[source], CELLS[cell].parameters[source], axis=-1)[gate]
        return one.T

    return {
        name: numpy.ascontiguousarray(numpy.concatenate([piece(*s) for s in sources], axis=-1))
        for name, sources in CELLS[cell].elman.items()
    }
