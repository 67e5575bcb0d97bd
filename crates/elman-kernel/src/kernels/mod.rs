//! The kernels of each instruction set as a table of functions: chosen once, called without asking again.
//!
//! Bodies are generic over [`crate::simd::Lanes`] and inlined into functions compiled for one instruction set each.

mod attend;
mod elementwise;
mod exponentials;
mod narrow;
mod product;
mod reduce;
mod tables;

pub(crate) use elementwise::{binary, unary};
pub(crate) use narrow::{Narrow, narrow};
pub(crate) use product::AHEAD;
pub(crate) use tables::{double, single};

use crate::code::{Binary, LANES, Unary};

/// One segment of a product's operand.
#[derive(Clone, Copy)]
pub(crate) struct Segment<T> {
    /// Row 0.
    pub a: *const T,
    /// From one row to the next, where a row's k follow each other; else from one k to the next.
    pub row: usize,
    /// Inner indices.
    pub k: usize,
}

/// Columns of a strip up to which half of its registers do.
pub(crate) const HALF: usize = LANES / 2;

/// Sixteen columns of a product, of weights kept as `B`.
#[derive(Clone, Copy)]
pub(crate) struct Strip<T, B = T> {
    /// Its first packed weight.
    pub b: *const B,
    /// The same in a second matrix, whose segments come next; null where there is none.
    pub then: *const B,
    /// Where row 0 starts from; null for zero.
    pub init: *const T,
    /// From one row of `init` to the next.
    pub init_row: usize,
    /// Where row 0 goes.
    pub out: *mut T,
    /// From one row of `out` to the next.
    pub out_row: usize,
    /// Columns that are real.
    pub lanes: usize,
}

/// Which rows and columns of a product a call of its kernel computes, and what it asks for meanwhile.
#[derive(Clone, Copy)]
pub(crate) struct Cut<B> {
    /// Packed elements from one k to the next.
    pub width: usize,
    /// The first row.
    pub first: usize,
    /// The first segment of the second matrix.
    pub turn: usize,
    /// What a later call reads of each matrix; a kernel with time for that brings it to the second cache.
    pub later: [*const B; 2],
    /// Elements of it with each k; 0: none are wanted, and `later` is near.
    pub each: usize,
}

impl<B> Cut<B> {
    /// One matrix, and nothing asked for: for a kernel of fewer rows than [`AHEAD`] or of rows that follow each other.
    pub(crate) fn new(width: usize, first: usize) -> Cut<B> {
        Cut { width, first, turn: usize::MAX, later: [std::ptr::null(); 2], each: 0 }
    }
}

/// (segments, strips, cut). Computes a fixed number of rows and strips.
///
/// Safety: the rows' operands and `init` are readable, `out` writable for `lanes` columns, the weights for all of k.
pub(crate) type Product<T, B = T> = unsafe fn(&[Segment<B>], &[Strip<T, B>], &Cut<B>);

/// The kernel of a product by rows (from 1), panels (1, 2, 4) and strips of a panel (from 1).
pub(crate) type Choose<T, B = T> = fn(usize, usize, usize) -> Product<T, B>;

/// An argument of an elementwise function: a row of units or one number a row.
#[derive(Clone, Copy)]
pub(crate) struct Input<T> {
    /// Row 0, unit 0.
    pub at: *const T,
    /// From one row to the next.
    pub row: usize,
}

/// (rows, units, arguments, result, from one row of the result to the next).
///
/// Safety: arguments are readable and the result writable for all rows and units.
pub(crate) type Apply<T> = unsafe fn(usize, usize, &[Input<T>; 3], *mut T, usize);

/// (rows, units, argument, result, from one row of the result to the next): one number a row.
///
/// Safety: as [`Apply`].
pub(crate) type Reduce<T> = unsafe fn(usize, usize, Input<T>, *mut T, usize);

/// (rows, units, row 0, from one row to the next, largest, sums): see [`crate::code::Phase::Exponentials`].
///
/// Safety: all rows, the largest and the sums are readable and writable for all units, a multiple of 16.
pub(crate) type Exponentials<T> = unsafe fn(usize, usize, *mut T, usize, *mut T, *mut T);

/// What one row's attention reads. A row of keys (values) is `key_row` (`value_row`) elements behind the one before.
pub(crate) struct Attend<T> {
    pub query: *const T,
    /// The vector of additive scores; null for others.
    pub weight: *const T,
    pub keys: *const T,
    pub key_row: usize,
    pub units: usize,
    pub values: *const T,
    pub value_row: usize,
    pub value_units: usize,
    pub slots: usize,
    /// What scores are divided by.
    pub scale: Option<f64>,
    /// Twice `room_row` numbers, at least a number a slot each, and 16 more.
    pub room: *mut T,
    pub room_row: usize,
    /// For gradients of additive scores: `bent_row` numbers a slot, at least a key's units.
    pub bent: *mut T,
    pub bent_row: usize,
}

/// (what is read, result): see [`crate::code::Instr::Attend`].
///
/// Safety: all slots of keys and values, the query and the weight are readable, the room and the result writable.
pub(crate) type AttendTo<T> = unsafe fn(&Attend<T>, *mut T);

/// (what is read, gradient by the result, gradient by the query and behind it by the weight).
///
/// Safety: as [`AttendTo`].
pub(crate) type AttendGradient<T> = unsafe fn(&Attend<T>, *const T, *mut T);

/// (what is read, gradient by the result, gradients by keys and by values, which are added to): see
/// [`crate::code::Phase::Memory`].
///
/// Safety: as [`AttendTo`]; the two may be one.
pub(crate) type AttendMemory<T> = unsafe fn(&Attend<T>, *const T, *mut T, *mut T);

/// The functions of one instruction set.
pub(crate) struct Kernels<T: 'static> {
    /// Strips in a panel of packed weights.
    pub panel: usize,
    /// Most rows of a product at once.
    pub rows: usize,
    /// Panels at once for 1, 2 and 3 rows: enough chains to hide the latency of an addition.
    pub spread: [usize; 3],
    /// Products of rows with panels.
    pub product: Choose<T>,
    /// The same where no strip has more than [`HALF`] columns.
    pub half: Choose<T>,
    /// The same for one panel, where the operand's rows follow each other: the transpose of what `product` reads.
    pub across: fn(usize, usize) -> Product<T>,
    /// By function; then whether its argument is one number a row.
    pub unary: [[Apply<T>; 2]; 14],
    /// By function; then bit i says whether argument i is one number a row.
    pub binary: [[Apply<T>; 4]; 6],
    /// Bits as for `binary`.
    pub fma: [Apply<T>; 8],
    /// Bits as for `binary`.
    pub select: [Apply<T>; 8],
    /// The sum of a row.
    pub sum: Reduce<T>,
    /// The largest of a row.
    pub largest: Reduce<T>,
    /// Adds the rows of the argument to the result, in order.
    pub total: Reduce<T>,
    /// Exponentials of columns, and their sums.
    pub exponentials: Exponentials<T>,
    /// Attention to a memory.
    pub attend: AttendTo<T>,
    /// Its gradient by the query and the weight.
    pub attend_gradient: AttendGradient<T>,
    /// Its gradient by the memory.
    pub attend_memory: AttendMemory<T>,
}

/// All functions of one argument; their place is their number.
pub(crate) const UNARY: [Unary; 14] = [
    Unary::Copy,
    Unary::Neg,
    Unary::Abs,
    Unary::Sign,
    Unary::Sqrt,
    Unary::Exp,
    Unary::Expm1,
    Unary::Log,
    Unary::Sin,
    Unary::Cos,
    Unary::Tanh,
    Unary::Sigmoid,
    Unary::Softplus,
    Unary::NormalCdf,
];

/// All functions of two arguments; their place is their number.
pub(crate) const BINARY: [Binary; 6] = [Binary::Add, Binary::Sub, Binary::Mul, Binary::Div, Binary::Max, Binary::Min];
