//! Fast loops on slices: products with packed weights, elementwise blocks, math functions, one thread team.
//!
//! This room knows no cell. It runs a list of [`code::Phase`]s: phases of stages, each a few products followed by a block of
//! elementwise instructions, over the steps and rows of a [`code::Timeline`]. It is the only room with `unsafe`.
//!
//! **One chain a number.** Each element of a product is one chain of fused multiply-adds over the inner index in order,
//! whatever the tile, the instruction set or the number of threads; elementwise functions are the same sequence of
//! correctly rounded operations everywhere. So AVX-512, AVX2 and portable code give the same bits.

mod buffer;
pub mod code;
pub mod exhaustive;
mod isa;
mod kernels;
pub mod limits;
mod machine;
mod math;
mod pack;
mod real;
mod simd;
mod team;

pub use buffer::Buffer;
pub use isa::{Isa, IsaError};
pub use machine::{CodeError, Machine};
pub use pack::{MatrixShape, PackError, PackedMatrix, View};
pub use real::Real;
pub use team::{Member, Team};
