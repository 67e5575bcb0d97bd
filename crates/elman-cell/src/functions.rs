//! The functions of the language: spellings, number of arguments, value of a number.
//!
//! What a function does to vectors is in `lower.rs`; here stands only what reading and folding need.

use crate::op::{Function, Score};

/// Spellings of each function; the first is the one that is printed.
const SPELLINGS: &[(Function, &[&str])] = &[
    (Function::Sigmoid, &["sigmoid", "sigm", "sigma"]),
    (Function::Tanh, &["tanh", "th"]),
    (Function::Relu, &["relu"]),
    (Function::LeakyRelu, &["leaky_relu"]),
    (Function::Elu, &["elu"]),
    (Function::Selu, &["selu"]),
    (Function::Gelu, &["gelu"]),
    (Function::Silu, &["silu", "swish"]),
    (Function::Softplus, &["softplus"]),
    (Function::Softsign, &["softsign"]),
    (Function::HardSigmoid, &["hard_sigmoid"]),
    (Function::HardTanh, &["hard_tanh"]),
    (Function::Sin, &["sin"]),
    (Function::Cos, &["cos"]),
    (Function::Exp, &["exp"]),
    (Function::Log, &["log", "ln"]),
    (Function::Sqrt, &["sqrt"]),
    (Function::Abs, &["abs"]),
    (Function::Sign, &["sign"]),
    (Function::Max, &["max"]),
    (Function::Min, &["min"]),
    (Function::Softmax, &["softmax"]),
    (Function::LayerNorm, &["layer_norm"]),
    (Function::RmsNorm, &["rms_norm"]),
    (Function::Sum, &["sum"]),
    (Function::Mean, &["mean"]),
    (Function::Norm, &["norm"]),
    (Function::Identity, &["identity"]),
    (Function::Attend, &["attend"]),
    (Function::AttendScaled, &["attend_scaled"]),
    (Function::AttendAdditive, &["attend_additive"]),
];

/// The function so spelled.
pub(crate) fn find(name: &str) -> Option<Function> {
    SPELLINGS.iter().find(|(_, names)| names.contains(&name)).map(|(f, _)| *f)
}

/// The function so spelled when case and underscores do not count, as in `ReLU` or `LayerNorm`; three letters at least.
pub(crate) fn find_loosely(name: &str) -> Option<Function> {
    let plain = |s: &str| s.replace('_', "").to_ascii_lowercase();
    let name = (3..=20).contains(&name.len()).then(|| plain(name))?;
    SPELLINGS.iter().find(|(_, names)| names.iter().any(|n| plain(n) == name)).map(|(f, _)| *f)
}

/// All spellings.
pub(crate) fn spellings<'a>() -> impl Iterator<Item = &'a str> {
    SPELLINGS.iter().flat_map(|(_, names)| names.iter().copied())
}

/// The spelling that is printed.
pub(crate) fn spelling(function: Function) -> &'static str {
    SPELLINGS.iter().find(|(f, _)| *f == function).map_or("", |(_, names)| names[0])
}

/// How many arguments it takes, at least and at most.
pub(crate) fn arguments(function: Function) -> (usize, usize) {
    match function {
        Function::Max | Function::Min => (2, 2),
        Function::Attend | Function::AttendScaled => (2, 3),
        Function::AttendAdditive => (3, 4),
        _ => (1, 1),
    }
}

/// How a function that attends compares; its last argument, or last two, are memories.
pub(crate) fn score(function: Function) -> Option<Score> {
    Some(match function {
        Function::Attend => Score::Dot,
        Function::AttendScaled => Score::Scaled,
        Function::AttendAdditive => Score::Additive,
        _ => return None,
    })
}

/// The vectors that an attention takes ahead of its memories.
pub(crate) fn vectors(score: Score) -> usize {
    if score == Score::Additive { 2 } else { 1 }
}

/// The function of a score.
pub(crate) fn attending(score: Score) -> Function {
    match score {
        Score::Dot => Function::Attend,
        Score::Scaled => Function::AttendScaled,
        Score::Additive => Function::AttendAdditive,
    }
}

/// Whether it runs over the units of a whole vector and gives a vector.
pub(crate) fn over_units(function: Function) -> bool {
    matches!(function, Function::Softmax | Function::LayerNorm | Function::RmsNorm)
}

/// Whether it makes a scalar of a vector.
pub(crate) fn reduces(function: Function) -> bool {
    matches!(function, Function::Sum | Function::Mean | Function::Norm)
}

/// The value at numbers, for constants that are written out; `None` for functions of whole vectors.
pub(crate) fn value(function: Function, arguments: &[f64]) -> Option<f64> {
    use Function as F;
    let (&x, &y) = (arguments.first()?, arguments.last()?);
    Some(match function {
        F::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        F::Tanh => x.tanh(),
        F::Relu => x.max(0.0),
        F::LeakyRelu => {
            if x > 0.0 {
                x
            } else {
                0.01 * x
            }
        }
        F::Elu => {
            if x > 0.0 {
                x
            } else {
                x.exp_m1()
            }
        }
        F::Silu => x / (1.0 + (-x).exp()),
        F::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
        F::Softsign => x / (1.0 + x.abs()),
        F::HardSigmoid => (x / 6.0 + 0.5).clamp(0.0, 1.0),
        F::HardTanh => x.clamp(-1.0, 1.0),
        F::Sin => x.sin(),
        F::Cos => x.cos(),
        F::Exp => x.exp(),
        F::Log => x.ln(),
        F::Sqrt => x.sqrt(),
        F::Abs => x.abs(),
        F::Sign => {
            if x == 0.0 {
                0.0
            } else {
                x.signum()
            }
        }
        F::Max => {
            if x > y {
                x
            } else {
                y
            }
        }
        F::Min => {
            if x < y {
                x
            } else {
                y
            }
        }
        F::Identity => x,
        F::Selu | F::Gelu | F::Softmax | F::LayerNorm | F::RmsNorm | F::Sum | F::Mean | F::Norm => return None,
        F::Attend | F::AttendScaled | F::AttendAdditive => return None,
    })
}
