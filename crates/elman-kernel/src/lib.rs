//! Fast loops on slices: products with packed weights, elementwise blocks, math functions, one thread team.
//!
//! This room knows no cell. A [`Machine`] runs a list of [`code::Phase`]s: stages, each a few products followed by a block
//! of elementwise instructions, over the steps and rows of a [`code::Timeline`]. It is the only room with `unsafe`.
//!
//! **One chain a number.** Each element of a product is one chain of fused multiply-adds over the inner index in order,
//! whatever the tile, the instruction set or the number of threads; elementwise functions are the same sequence of
//! correctly rounded operations everywhere. So AVX-512, AVX2 and portable code give the same bits (NaN is NaN: its sign
//! and payload are not promised).
//!
//! | file | what it says |
//! |---|---|
//! | `code.rs` | what runs: phases, stages, products, instructions |
//! | `machine/` | checks a code, cuts it into tiles, shares it among threads |
//! | `pack.rs` | the layout of packed weights |
//! | `narrow.rs` | weights in bf16 and int8, and their arithmetic |
//! | `kernels/` | the loops, compiled once for each instruction set |
//! | `math/` | one function a file, written once over `simd/` |
//! | `team.rs` | the threads |
//! | `exhaustive.rs` | measures a function on all f32 |
//!
//! ```
//! use elman_kernel::code::{Member, Phase, Place, Product, Rows, Split, Stage, Timeline};
//! use elman_kernel::{Isa, Machine, MatrixShape, PackedMatrix, Team, View};
//!
//! // y = b + W x for two tokens: x [2, 3] at 0, y [2, 2] at 6.
//! let shape = MatrixShape { members: 1, units: 2, segments: vec![3] };
//! let w = [1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0];
//! let view = View { data: &w, offset: 0, unit_stride: 3, k_stride: 1 };
//! let isa = Isa::detect();
//! let packed = PackedMatrix::pack(isa, &shape, &[view])?;
//! let place = |offset, rows, stride| Place { offset, rows, stride };
//! let member = Member { init: Some(place(0, Rows::Fixed, 0)), out: place(6, Rows::Token, 2) };
//! let product = Product { before: None, matrix: 0, segments: vec![place(0, Rows::Token, 3)], members: vec![member] };
//! let stage = Stage { products: vec![product], block: vec![], units: 2, whole_rows: false };
//! let mut machine = Machine::new(isa, vec![Phase::Bulk(vec![stage])], 10, 2, vec![shape])?;
//!
//! let mut memory = [1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0];
//! let timeline = Timeline::equal(2, 1);
//! machine.run(&timeline, &[10.0, 20.0], &[packed], &mut memory, &Team::new(1)?, Split::Rows)?;
//! assert_eq!(memory[6..], [11.0, 24.0, 15.0, 31.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod buffer;
pub mod code;
pub mod exhaustive;
mod isa;
mod kernels;
pub mod limits;
mod machine;
mod map;
mod math;
mod narrow;
mod pack;
mod real;
mod simd;
mod team;

pub use buffer::{Buffer, Number};
pub use isa::{Isa, IsaError};
pub use machine::{CodeError, Machine};
pub use map::map;
pub use narrow::Precision;
pub use pack::{MatrixShape, PackError, PackedMatrix, View};
pub use real::Real;
pub use team::{Member, Team, lock};
