//! A checked cell: what the text means, with every name resolved and every shape known.
//!
//! `Cell` is made by the checker only, so a `Cell` in hand is a right one: names resolved, ranks and dimensions
//! consistent, no cycle within a step, at least one state. It keeps the author's parameters and the author's
//! equations (for printing and for errors); `program.rs` turns it into primitives.
//!
//! Does not know sizes (they come with [`Cell::check_sizes`]), and does not know a cell by its name.

use crate::diag::{Diagnostic, Label};
use crate::dim::Dim;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);
        impl $name {
            /// The place in its `Vec`.
            pub fn index(self) -> usize { self.0 as usize }
        }
    };
}
pub(crate) use id;

id!(/// An expression of a cell.
    ExprId);
id!(/// A per-step input; 0 is `x`.
    InputId);
id!(/// A state.
    StateId);
id!(/// A parameter.
    ParamId);
id!(/// A memory.
    MemoryId);
id!(/// An equation.
    EquationId);

/// Bytes `start..end` of the source text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// The rank of a value and its dimensions. Rank is part of the type, never assumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// One number that broadcasts.
    Scalar,
    /// A vector of units.
    Vector(Dim),
    /// rows × columns; `W v` needs `v` of `columns` and gives `rows`.
    Matrix(Dim, Dim),
}

/// A checked recurrent cell.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The name it was given (a file's stem, a built-in's name). Only printed, never looked at.
    pub name: String,
    /// The first comment block: documentation and citation.
    pub doc: String,
    /// The text it came from.
    pub source: String,
    /// Per-step inputs; the first is `x`.
    pub inputs: Vec<Input>,
    /// Memories, in the order of their declarations.
    pub memories: Vec<Memory>,
    /// States, in the order in which they are first defined.
    pub states: Vec<State>,
    /// Parameters, in the order of first appearance; the initial value `h_0` of a learned state is one too.
    pub params: Vec<Param>,
    /// Equations in the author's order (values may be used above their definition).
    pub equations: Vec<Equation>,
    /// Indices of `equations` so that each stands after what it reads within the step.
    pub order: Vec<EquationId>,
    /// The expressions of all equations.
    pub exprs: Vec<Expr>,
    /// The equation whose value the layer hands on.
    pub output: EquationId,
    /// Pairs of dimensions that the equations force to be equal, such as input = hidden in MUT1.
    pub requirements: Vec<Requirement>,
    /// Warnings and notes met on the way.
    pub diagnostics: Vec<Diagnostic>,
}

/// A per-step input.
#[derive(Clone, Debug)]
pub struct Input {
    /// Its name in files (`x`, `c`).
    pub name: String,
    /// Its length.
    pub dim: Dim,
}

/// Rows that an equation attends to: per sequence `slots` × `dim`, the same at all steps.
#[derive(Clone, Debug)]
pub struct Memory {
    /// Its name in files (`m`).
    pub name: String,
    /// The length of a row.
    pub dim: Dim,
}

/// What is attended to, and how: Σ over slots s of softmax_s(score(query, keys_s)) · values_s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Attention {
    /// How the query is compared with the keys.
    pub score: crate::op::Score,
    /// What it is compared with.
    pub keys: MemoryId,
    /// What is summed: as many slots as the keys have, often the keys themselves.
    pub values: MemoryId,
}

/// A value carried from step to step.
#[derive(Clone, Debug)]
pub struct State {
    /// Its name in files (`h`, `C`).
    pub name: String,
    /// Its length.
    pub dim: Dim,
    /// The equation that gives its new value.
    pub next: EquationId,
    /// The parameter that holds its initial value, where that is learned; otherwise it starts at zero.
    pub initial: Option<ParamId>,
}

/// A learned value.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its name in files (`W_f`, `b_f`, `C_tilde`).
    pub name: String,
    /// Its name as LaTeX prints it.
    pub latex: String,
    /// `Vector(dim)`, `Matrix(rows, cols)` in the orientation of its equation, or `Vector(1)` declared as `param a : 1`
    /// (a learned scalar: its expressions have shape `Scalar`).
    pub shape: Shape,
    /// How it starts; `None` is the default: uniform ±1/√hidden for matrices and weight vectors alike.
    pub init: Option<Init>,
    /// Whether all layers hold the same one (`share W`).
    pub shared: bool,
    /// Where it first appears.
    pub span: Span,
}

/// An initialiser.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Every element this number; `zeros` and `ones` are 0 and 1.
    Constant(f64),
    /// Uniform in ±a.
    Uniform(f64),
    /// Normal with this standard deviation.
    Normal(f64),
    /// Glorot & Bengio 2010, uniform: ±√(6 / (rows + columns)).
    Xavier,
    /// He et al. 2015, normal: √(2 / columns).
    He,
    /// Rows (or columns) of a random orthogonal matrix; Saxe et al. 2014.
    Orthogonal,
    /// Ones on the diagonal.
    Identity,
}

/// `name = value`, or `name' = value` for a state.
#[derive(Clone, Debug)]
pub struct Equation {
    /// Its name in files.
    pub name: String,
    /// Its name as LaTeX prints it.
    pub latex: String,
    /// The state it updates, if it is one.
    pub state: Option<StateId>,
    /// The right-hand side.
    pub value: ExprId,
    /// The whole equation.
    pub span: Span,
    /// Its line, from 1.
    pub line: usize,
}

/// A typed expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its rank and dimensions.
    pub shape: Shape,
    /// Where it was written.
    pub span: Span,
}

/// The forms of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A number; constants (`const alpha = 0.3`) arrive as their value.
    Number(f64),
    /// This step's input.
    Input(InputId),
    /// A state's previous value.
    Previous(StateId),
    /// The value of an equation at this step (the new value, for a state).
    Value(EquationId),
    /// A parameter.
    Param(ParamId),
    /// −a, of any rank.
    Neg(ExprId),
    /// a + b; scalars broadcast.
    Add(ExprId, ExprId),
    /// a − b.
    Sub(ExprId, ExprId),
    /// a ⊙ b, or a number times a matrix.
    Mul(ExprId, ExprId),
    /// a / b elementwise.
    Div(ExprId, ExprId),
    /// a to the power of a number.
    Pow(ExprId, f64),
    /// A matrix times a vector. `v W` (a row vector) arrives as `Product(Transpose(W), v)`.
    Product(ExprId, ExprId),
    /// The transpose of a matrix.
    Transpose(ExprId),
    /// A function of one or two arguments.
    Call(crate::op::Function, Vec<ExprId>),
    /// The vectors one after another.
    Concat(Vec<ExprId>),
    /// A memory's rows, weighted by how well a query fits them.
    Attend {
        /** What is attended to, and how. */
        how: Attention,
        /** A vector as long as a key. */
        query: ExprId,
        /** The vector u of additive scores. */
        weight: Option<ExprId>,
    },
}

/// Two dimensions that must have one size, and the equation that says so.
#[derive(Clone, Debug)]
pub struct Requirement {
    /// One side.
    pub left: Dim,
    /// The other side.
    pub right: Dim,
    /// The equation that forces it.
    pub equation: EquationId,
    /// The expression to point at: it has `left` units.
    pub span: Span,
    /// What gave the two sides their dimensions.
    pub labels: Vec<Label>,
}
