//! What the machine runs: phases, stages, products and instructions, with offsets instead of pointers.
//!
//! Rows are sequences (in a time loop) or tokens (in bulk). Sequences are sorted by falling length, so that the rows
//! active at a step are a prefix, and tokens are packed: the token of row b at step t is `first[t] + b`.

/// Columns of a strip: the unit of column packing and of vector padding, on every instruction set.
pub const LANES: usize = 16;

/// The rows and steps to run over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// Rows of the batch.
    pub batch: usize,
    /// Active rows at each step: never rising, at most `batch`, at least 1.
    pub active: Vec<usize>,
    /// The first token of each step (`first[0] = 0`, `first[t + 1] = first[t] + active[t]`).
    pub first: Vec<usize>,
    /// The number of steps that ran before this timeline: only its parity matters, for [`Rows::Parity`].
    pub start: usize,
}

impl Timeline {
    /// `batch` rows, each active for all of `steps`.
    pub fn equal(steps: usize, batch: usize) -> Timeline {
        Timeline::from_active(batch, vec![batch; steps])
    }

    /// From the number of active rows at each step.
    pub fn from_active(batch: usize, active: Vec<usize>) -> Timeline {
        let first = active
            .iter()
            .scan(0, |next, &n| {
                let f = *next;
                *next += n;
                Some(f)
            })
            .collect();
        Timeline { batch, active, first, start: 0 }
    }

    /// All tokens.
    pub fn tokens(&self) -> usize {
        self.active.iter().sum()
    }
}

/// How the row of a place follows from step t and row b.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rows {
    /// One row for all, in the *constants* memory (parameters): never written.
    Fixed,
    /// Row b.
    Batch,
    /// Row `first[t] + b`.
    Token,
    /// The row before this step, in an array that starts with `batch` initial rows:
    /// b at step 0, later `batch + first[t − 1] + b`.
    Before,
    /// The row after this step in that array: `batch + first[t] + b`.
    After,
    /// Two alternating halves: row `((start + t + flip) mod 2) · batch + b`.
    Parity {
        /// 1 for the other half.
        flip: usize,
    },
    /// Memory of the running thread, one tile in size: row and unit count from the tile's first. `offset` is a slot
    /// number (0, 1, …), `stride` is ignored. Lives within one stage.
    Scratch,
}

/// Where a value lies: element (row, unit) is at `offset + row · stride + unit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Its first element, in the work memory (in the constants for [`Rows::Fixed`]).
    pub offset: usize,
    /// How rows are found.
    pub rows: Rows,
    /// Elements from one row to the next, at least the width.
    pub stride: usize,
}

/// What an instruction reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operand {
    /// A unit each.
    Units(Place),
    /// One number a row: unit 0 of the place, broadcast over the units.
    PerRow(Place),
    /// One number for all.
    Splat(f64),
}

/// Elementwise functions of one argument; each is one file of `math/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Unary {
    Copy,
    Neg,
    Abs,
    Sign,
    Sqrt,
    Exp,
    Expm1,
    Log,
    Sin,
    Cos,
    Tanh,
    Sigmoid,
    Softplus,
    NormalCdf,
}

/// Elementwise functions of two arguments. `Max` is `if a > b { a } else { b }`, `Min` is `if a < b { a } else { b }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Max,
    Min,
}

/// One elementwise operation over the tile. `units` is its width.
#[derive(Clone, Debug, PartialEq)]
pub enum Instr {
    /// out = op(a)
    Unary {
        /** The function. */
        op: Unary,
        /** Its argument. */
        a: Operand,
        /** Result. */
        out: Place,
        /** Width. */
        units: usize,
    },
    /// out = op(a, b)
    Binary {
        /** The function. */
        op: Binary,
        /** Left. */
        a: Operand,
        /** Right. */
        b: Operand,
        /** Result. */
        out: Place,
        /** Width. */
        units: usize,
    },
    /// out = a · b + c, rounded once
    Fma {
        /** Factor. */
        a: Operand,
        /** Factor. */
        b: Operand,
        /** Addend. */
        c: Operand,
        /** Result. */
        out: Place,
        /** Width. */
        units: usize,
    },
    /// out = condition > 0 ? positive : otherwise
    Select {
        /** Tested. */
        condition: Operand,
        /** Where positive. */
        positive: Operand,
        /** Elsewhere. */
        otherwise: Operand,
        /** Result. */
        out: Place,
        /** Width. */
        units: usize,
    },
    /// Unit 0 of out = the sum over the units of a, by 16 virtual lanes: lane l adds units l, l + 16, … in order from 0,
    /// then the lanes are added as a tree (l and l + 8, l + 4, l + 2, l + 1). Only in whole-row stages.
    Sum {
        /** Summed. */
        a: Place,
        /** Result. */
        out: Place,
        /** Width of a. */
        units: usize,
    },
    /// Unit 0 of out = the largest unit of a. Only in whole-row stages.
    Largest {
        /** Searched. */
        a: Place,
        /** Result. */
        out: Place,
        /** Width of a. */
        units: usize,
    },
    /// out = Σ over the slots s of the row's memory of αₛ · valuesₛ, one chain a unit in their order, with α the softmax of
    /// the scores of the query and the keys. Scores and the sum of the exponentials go by 16 virtual lanes, as `Sum` does.
    /// Only in whole-row stages of time loops.
    Attend {
        /** What is read. */
        attend: Attend,
        /** Result, as wide as a value. */
        out: Place,
    },
    /// out = the gradient by an attention's query, and in the same row behind it the one by its weight if it has one.
    /// Only in whole-row stages of time loops.
    AttendGradient {
        /** What the attention read. */
        attend: Attend,
        /** The gradient by its result. */
        gradient: Place,
        /** Result. */
        out: Place,
    },
}

/// How an attention compares a query q with a key k of n units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Score {
    /// q · k
    Dot,
    /// q · k / √n
    Scaled,
    /// weight · tanh(q + k)
    Additive,
}

/// Rows of a memory, those of a sequence after each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    /// A [`Rows::Batch`] place: slot 0 of each sequence; its stride holds all slots.
    pub place: Place,
    /// The width of a slot.
    pub units: usize,
    /// Elements from one slot to the next.
    pub stride: usize,
}

/// What an attention reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attend {
    /// How the query is compared with the keys.
    pub score: Score,
    /// As wide as a key.
    pub query: Place,
    /// The vector of additive scores, as wide as a key.
    pub weight: Option<Place>,
    /// What the query is compared with.
    pub keys: Slots,
    /// What is summed.
    pub values: Slots,
    /// A [`Rows::Batch`] place: unit 0 is how many slots the sequence has, 0 to `slots`. No others are read.
    pub lengths: Place,
    /// Slots there is room for.
    pub slots: usize,
}

impl Attend {
    /// The width of its gradient by the query, with the one by the weight behind it.
    pub fn gradient_units(&self) -> usize {
        if self.score == Score::Additive { 2 * self.keys.units } else { self.keys.units }
    }
}

/// A merged product: all members read the same operands through one packed matrix.
///
/// Per member: out = init + Σ over segments of (segment · matrixᵀ): one chain an element, from init (or 0), over the
/// segments in order, over each segment's units in order; first over those of `before`, if there is one.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    /// Another matrix of as many members and units, whose terms come first; both in one precision.
    pub before: Option<Factor>,
    /// Which of the packed matrices.
    pub matrix: usize,
    /// The operands, one a segment of the matrix.
    pub segments: Vec<Place>,
    /// Where each member starts from and goes to.
    pub members: Vec<Member>,
}

/// A packed matrix and its operands.
#[derive(Clone, Debug, PartialEq)]
pub struct Factor {
    /// Which of the packed matrices.
    pub matrix: usize,
    /// The operands, one a segment of the matrix.
    pub segments: Vec<Place>,
}

/// One result of a merged product.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// A bias ([`Rows::Fixed`]) or a partial sum to go on from.
    pub init: Option<Place>,
    /// The result.
    pub out: Place,
}

/// Products, then the block that runs on them while they are hot.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// The products.
    pub products: Vec<Product>,
    /// The elementwise operations, in order.
    pub block: Vec<Instr>,
    /// The units of every member and instruction, where `whole_rows` is false.
    pub units: usize,
    /// A tile must hold whole rows: some instruction crosses units, or widths differ.
    pub whole_rows: bool,
}

/// Which way a time loop runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// t = 0, 1, …
    Ascending,
    /// The last step first.
    Descending,
}

/// A part of a code, finished before the next begins.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant)] // A code has a few phases.
pub enum Phase {
    /// The stages over all tokens. Only `Token`, `Fixed`, `Scratch`, and (see [`Timeline`]) `Before` and `After` places.
    Bulk(Vec<Stage>),
    /// The stages at each step.
    Steps {
        /// Which way.
        order: Order,
        /// The stages of a step.
        stages: Vec<Stage>,
        /// No product and no instruction that crosses units is in them: each unit runs through time by itself (a scan),
        /// so that threads split units and a tile runs all its steps while hot.
        independent: bool,
    },
    /// Gradients of matrices: out(i, j) += Σ over tokens of left(token, i) · right(token, j), one chain an element, steps
    /// in rising order, rows in order within a step.
    Outer {
        /// The operand whose units run along the lanes.
        right: Place,
        /// Its width.
        columns: usize,
        /// The operands whose units are the rows of the results.
        lefts: Vec<OuterRow>,
    },
    /// Gradients of vectors: out(j) += Σ over tokens of value(token, j), in the order of `Outer`.
    Total {
        /// Summed. A `PerRow`-like scalar has width 1.
        value: Place,
        /// Its width.
        units: usize,
        /// Where in the work memory.
        out: usize,
    },
    /// Gradients of an attention's memory: for each sequence, over its steps in rising order, to key s is added
    /// dsₛ · query (of additive scores dsₛ · weight · (1 − tanh²(query + keyₛ))), then to value s αₛ · gradient, one chain a
    /// unit, with dsₛ = αₛ (gradient · valuesₛ − Σ α (gradient · values)) the gradient by score s.
    Memory {
        /// What the attention read: query and weight are `Token`, `Before`, `After` or `Fixed` places.
        attend: Attend,
        /// The gradient by its result, a `Token`, `Before` or `After` place.
        gradient: Place,
        /// Added to, with the strides of the keys.
        d_keys: Place,
        /// Added to, with the strides of the values; perhaps the same.
        d_values: Place,
    },
    /// A softmax over tokens, short of its division: for each unit j, `largest(j)` = the largest value(token, j) over all
    /// tokens, value(token, j) ← exp(value(token, j) − largest(j)), `sum(j)` = Σ over tokens of the new values: one chain
    /// for each 256 tokens, then one chain over their sums.
    Exponentials {
        /// A `Token` place: read, then written.
        value: Place,
        /// Its width, a multiple of [`LANES`].
        units: usize,
        /// Where the largest go, in the work memory.
        largest: usize,
        /// Where the sums go.
        sum: usize,
    },
}

/// One left operand of [`Phase::Outer`].
#[derive(Clone, Debug, PartialEq)]
pub struct OuterRow {
    /// The operand.
    pub left: Place,
    /// Its width: rows of the result.
    pub rows: usize,
    /// The result's first element in the work memory.
    pub out: usize,
    /// Elements from one row of the result to the next.
    pub stride: usize,
}

/// How threads share the work of time loops and bulk phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// Each thread takes rows, and runs all their steps without waiting for the others.
    Rows,
    /// Each thread takes units of every stage; a barrier after each stage.
    Units,
}
