//! The cells that these tests run.

use crate::builder::*;
use elman_cell::op::Function as F;
use elman_cell::{Cell, Dim, Sizes};

pub fn simple() -> Builder {
    cell("simple")
        .eq("h'", tanh(wx("U") + u("W", h()) + b("b_h")))
        .eq("y", mat("V", O, H) % val("h") + vector("b_y", O))
}

fn gate(function: fn(E) -> E, g: &str) -> E {
    function(wx(&format!("W_{g}")) + u(&format!("U_{g}"), h()) + b(&format!("b_{g}")))
}

pub fn lstm() -> Builder {
    cell("lstm")
        .eq("f", gate(sigmoid, "f"))
        .eq("i", gate(sigmoid, "i"))
        .eq("g", gate(tanh, "g"))
        .eq("o", gate(sigmoid, "o"))
        .eq("c'", val("f") * prev("c") + val("i") * val("g"))
        .eq("h'", val("o") * tanh(val("c")))
}

/// As the lecture prints it.
pub fn lstm_concat() -> Builder {
    let gate = |f: fn(E) -> E, g: &str| f(mat(&format!("W_{g}"), H, H + I) % cat([h(), x()]) + b(&format!("b_{g}")));
    cell("lstm-concat")
        .eq("f", gate(sigmoid, "f"))
        .eq("i", gate(sigmoid, "i"))
        .eq("C_tilde", gate(tanh, "C"))
        .eq("C'", val("f") * prev("C") + val("i") * val("C_tilde"))
        .eq("o", gate(sigmoid, "o"))
        .eq("h'", val("o") * tanh(val("C")))
}

pub fn peephole() -> Builder {
    let gate = |g: &str, c: E| {
        sigmoid(wx(&format!("W_{g}")) + u(&format!("U_{g}"), h()) + b(&format!("p_{g}")) * c + b(&format!("b_{g}")))
    };
    cell("peephole")
        .eq("f", gate("f", prev("c")))
        .eq("i", gate("i", prev("c")))
        .eq("g", tanh(wx("W_g") + u("U_g", h()) + b("b_g")))
        .eq("c'", val("f") * prev("c") + val("i") * val("g"))
        .eq("o", gate("o", val("c")))
        .eq("h'", val("o") * tanh(val("c")))
        .learn("c")
}

/// Reset before the product.
pub fn gru() -> Builder {
    cell("gru")
        .eq("z", gate(sigmoid, "z"))
        .eq("r", gate(sigmoid, "r"))
        .eq("c", tanh(wx("W_c") + u("U_c", val("r") * h()) + b("b_c")))
        .eq("h'", (1.0 - val("z")) * h() + val("z") * val("c"))
}

/// Reset after the product.
pub fn gru_after() -> Builder {
    cell("gru-after")
        .eq("z", gate(sigmoid, "z"))
        .eq("r", gate(sigmoid, "r"))
        .eq("n", tanh(wx("W_n") + b("b_n") + val("r") * (u("U_n", h()) + b("b_u"))))
        .eq("h'", (1.0 - val("z")) * val("n") + val("z") * h())
}

/// The lecture's row form, which uses W_2^z in two gates (or, for comparison, a matrix of its own in each).
pub fn gru_rows(second: &str) -> Builder {
    let row = |w: &str, v: E, dim: Dim| t(mat(w, dim, H)) % v;
    cell("gru-rows")
        .eq("z", sigmoid(row("W_1^z", h(), H) + row("W_2^z", x(), I) + b("b_z")))
        .eq("r", sigmoid(row("W_1^r", h(), H) + row(second, x(), I) + b("b_r")))
        .eq("c", tanh(row("W_1^h", val("r") * h(), H) + row("W_2^h", x(), I) + b("b_h")))
        .eq("h'", (1.0 - val("z")) * h() + val("z") * val("c"))
}

pub fn mut1() -> Builder {
    cell("mut1")
        .eq("z", sigmoid(wx("W_xz") + b("b_z")))
        .eq("r", sigmoid(wx("W_xr") + u("W_hr", h()) + b("b_r")))
        .eq("h'", tanh(u("W_hh", val("r") * h()) + tanh(x()) + b("b_h")) * val("z") + h() * (1.0 - val("z")))
}

pub fn mut2() -> Builder {
    cell("mut2")
        .eq("z", sigmoid(wx("W_xz") + u("W_hz", h()) + b("b_z")))
        .eq("r", sigmoid(x() + u("W_hr", h()) + b("b_r")))
        .eq("h'", tanh(u("W_hh", val("r") * h()) + wx("W_xh") + b("b_h")) * val("z") + h() * (1.0 - val("z")))
}

pub fn mut3() -> Builder {
    cell("mut3")
        .eq("z", sigmoid(wx("W_xz") + u("W_hz", tanh(h())) + b("b_z")))
        .eq("r", sigmoid(wx("W_xr") + u("W_hr", h()) + b("b_r")))
        .eq("h'", tanh(u("W_hh", val("r") * h()) + wx("W_xh") + b("b_h")) * val("z") + h() * (1.0 - val("z")))
}

fn layer_norm(g: &str, v: E) -> E {
    b(&format!("g_{g}")) * f(F::LayerNorm, v)
}

pub fn layer_norm_lstm() -> Builder {
    let gate = |f: fn(E) -> E, g: &str| {
        let both = layer_norm(&format!("x{g}"), wx(&format!("W_{g}")))
            + layer_norm(&format!("h{g}"), u(&format!("U_{g}"), h()));
        f(both + b(&format!("b_{g}")))
    };
    cell("layer-norm-lstm")
        .eq("f", gate(sigmoid, "f"))
        .eq("i", gate(sigmoid, "i"))
        .eq("g", gate(tanh, "g"))
        .eq("o", gate(sigmoid, "o"))
        .eq("c'", val("f") * prev("c") + val("i") * val("g"))
        .eq("h'", val("o") * tanh(layer_norm("c", val("c")) + b("b_c")))
}

pub fn min_gru() -> Builder {
    cell("min-gru")
        .eq("z", sigmoid(wx("W_z") + b("b_z")))
        .eq("h'", (1.0 - val("z")) * h() + val("z") * (wx("W_h") + b("b_h")))
}

pub fn antisymmetric() -> Builder {
    cell("antisymmetric").eq("m", u("W", h()) - t(mat("W", H, H)) % h() - 0.1 * h()).eq(
        "h'",
        h() + 0.2
            * tanh((mat("W", H, H) - t(mat("W", H, H))) % h() + wx("V") + b("b") - scalar("g") * h())
            * sigmoid(val("m")),
    )
}

/// Concatenations that meet no matrix, are nested, or stand on the left.
pub fn concatenations() -> Builder {
    let both = cat([val("a"), x()]);
    cell("concatenations")
        .eq("a", tanh(t(mat("W", H + I + H, H)) % cat([cat([h(), x()]), prev("m")])))
        .eq("s", sigmoid(both.clone() * vector("p", H + I) + vector("q", H + I)))
        .eq("m'", tanh(mat("V", H, H + I) % (val("s") * both)))
        .eq("h'", val("a") * val("m") - mat("K", H, H + I) % val("s"))
}

/// Fast RNN with learned scalars, one inside a bias.
pub fn learned_scalar() -> Builder {
    let (a, c) = (sigmoid(scalar("alpha")), scalar("beta"));
    cell("learned-scalar")
        .eq("c", tanh(wx("W") + u("U", h()) + scalar("gamma")))
        .eq("h'", a.clone() * val("c") + c * h() + a * (u("K", val("c")) + b("b")) / 3.0)
}

pub fn reductions() -> Builder {
    cell("reductions")
        .eq("p", f(F::Softmax, wx("W") + u("U", h())))
        .eq("n", h() / (f(F::Norm, h()) + 1.0) + f(F::Mean, val("p") * x2()))
        .eq("r", f(F::RmsNorm, u("R", val("n"))) * f(F::Sum, val("p") * val("n")))
        .eq("h'", val("r") + b("b") + f(F::Mean, x()))
}

fn x2() -> E {
    wx("X2")
}

pub fn second_input() -> Builder {
    let eight = Dim::fixed(8);
    cell("second-input")
        .input("c", eight)
        .eq("h'", tanh(wx("W") + mat("C", H, eight) % E::Input("c") + u("U", h()) + b("b")))
}

/// A state of its own size beside `h`, written without a bias, and a projection.
pub fn own_size() -> Builder {
    let n = Dim::fixed(4);
    cell("own-size")
        .dim("m", n)
        .eq("m'", 0.9 * prev("m") + tanh(mat("A", n, I) % x() - mat("B", n, H) % h()))
        .eq("h'", tanh(u("U", u("V", h())) + mat("P", H, n) % val("m") + (b("b") - 1.0)))
}

/// A weight used in two places, once transposed, and a square.
pub fn shared_weight() -> Builder {
    cell("shared-weight")
        .eq("a", tanh(u("W", h()) + b("b")))
        .eq("h'", tanh(t(mat("W", H, H)) % (val("a") * val("a")) + u("W", val("a")) + wx("V") + b("b") * val("a")))
}

/// Invariants of every kind: a product with a bias, a norm of one, a scaled matrix, a state set to a number's broadcast.
pub fn invariants() -> Builder {
    let scale = f(F::Norm, u("A", b("b")));
    cell("invariants")
        .eq("h'", tanh((scale * mat("W", H, H)) % h() + u("A", b("b")) + f(F::Softmax, b("k")) * h() + wx("V")))
        .eq("s'", f(F::Mean, prev("s") * val("h")) + 0.5)
        .eq("y", val("h") * f(F::Sum, prev("s")))
}

/// A sum named and read once, one read twice, an equation that nothing reads.
pub fn named_sums() -> Builder {
    cell("named-sums")
        .eq("once", wx("W") + b("b"))
        .eq("twice", u("U", h()) - b("k"))
        .eq("idle", tanh(wx("Idle")))
        .eq("z", sigmoid(val("once") - val("twice") + 1.0))
        .eq("h'", val("z") * h() - (1.0 - val("z")) * tanh(val("twice") - x3()))
}

fn x3() -> E {
    wx("X3")
}

/// One elementwise function after another, away from kinks for almost all points.
pub fn function(function: F) -> Builder {
    let v = wx("W") + u("U", h()) + b("b");
    let positive = matches!(function, F::Log | F::Sqrt);
    let v = if positive { 0.3 + v.clone() * v } else { v };
    let value = match function {
        F::Max | F::Min => f2(function, v, u("K", h())),
        _ => f(function, v),
    };
    cell(&format!("{function:?}")).eq("h'", 0.5 * value + 0.3 * h())
}

pub fn power(p: f64) -> Builder {
    cell(&format!("power {p}")).eq("h'", pow(0.6 + sigmoid(wx("W") + u("U", h()) + b("b")), p) / (1.5 + tanh(h())))
}

/// Every function of the language.
pub const FUNCTIONS: [F; 28] = [
    F::Sigmoid,
    F::Tanh,
    F::Relu,
    F::LeakyRelu,
    F::Elu,
    F::Selu,
    F::Gelu,
    F::Silu,
    F::Softplus,
    F::Softsign,
    F::HardSigmoid,
    F::HardTanh,
    F::Sin,
    F::Cos,
    F::Exp,
    F::Log,
    F::Sqrt,
    F::Abs,
    F::Sign,
    F::Max,
    F::Min,
    F::Softmax,
    F::LayerNorm,
    F::RmsNorm,
    F::Sum,
    F::Mean,
    F::Norm,
    F::Identity,
];

/// All of them, each with sizes that fit it.
pub fn all() -> Vec<(Cell, Sizes)> {
    let mut all: Vec<(Cell, Sizes)> = [
        simple(),
        lstm(),
        lstm_concat(),
        peephole(),
        gru(),
        gru_after(),
        gru_rows("W_2^z"),
        gru_rows("W_2^r"),
        mut3(),
        layer_norm_lstm(),
        min_gru(),
        antisymmetric(),
        concatenations(),
        learned_scalar(),
        reductions(),
        second_input(),
        own_size(),
        shared_weight(),
        invariants(),
        named_sums(),
    ]
    .iter()
    .map(|b| (b.build(), SIZES))
    .collect();
    all.extend([mut1(), mut2()].iter().map(|b| (b.build(), SQUARE)));
    all.extend(FUNCTIONS.iter().map(|&f| (function(f).build(), SIZES)));
    all.extend([0.0, 0.5, -0.5, 1.0, 2.0, 3.0, 7.0, -1.0, -3.0, 1.7].iter().map(|&p| (power(p).build(), SIZES)));
    all
}
