//! Functions that an author may write, and the primitives they are made of.
//!
//! A *function* is a row here: its spellings, its number of arguments, and its expansion into primitives
//! (`lower.rs`). A *primitive* is an operation of a [`Program`](crate::Program): it has a value in `f64`
//! (`interpret.rs`), one derivative (`derive.rs`) and one kernel.

/// A function of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Function {
    Sigmoid,
    Tanh,
    Relu,
    LeakyRelu,
    Elu,
    Selu,
    Gelu,
    Silu,
    Softplus,
    Softsign,
    HardSigmoid,
    HardTanh,
    Sin,
    Cos,
    Exp,
    Log,
    Sqrt,
    Abs,
    Sign,
    Max,
    Min,
    Softmax,
    LayerNorm,
    RmsNorm,
    Sum,
    Mean,
    Norm,
    /// The identity: what an activation slot in an output's equation stands for.
    Identity,
    Attend,
    AttendScaled,
    AttendAdditive,
}

/// How a query q is compared with a key k of n units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Score {
    /// q · k (Luong et al. 2015, arXiv:1508.04025)
    Dot,
    /// q · k / √n (Vaswani et al. 2017, arXiv:1706.03762)
    Scaled,
    /// u · tanh(q + k) with a vector u, the *weight* (Bahdanau et al. 2015, arXiv:1409.0473)
    Additive,
}

/// Elementwise primitives of one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unary {
    /// −x
    Neg,
    /// |x|
    Abs,
    /// −1, 0 or 1
    Sign,
    /// √x; its derivative at 0 is taken as 0
    Sqrt,
    /// eˣ
    Exp,
    /// eˣ − 1, exact near 0
    Expm1,
    /// ln x
    Log,
    /// sin x
    Sin,
    /// cos x
    Cos,
    /// tanh x
    Tanh,
    /// 1 / (1 + e⁻ˣ)
    Sigmoid,
    /// ln(1 + eˣ)
    Softplus,
    /// Φ(x), the normal distribution function: gelu(x) = x·Φ(x)
    NormalCdf,
}

/// Elementwise primitives of two arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binary {
    /// a + b
    Add,
    /// a − b
    Sub,
    /// a · b
    Mul,
    /// a / b
    Div,
    /// a if a > b, else b
    Max,
    /// a if a < b, else b
    Min,
}
