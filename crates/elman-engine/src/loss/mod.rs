//! Losses that are primitives of their own: value and gradient by hand, each checked against differences.

mod linear;
mod softmax;

pub use linear::LinearHead;
pub use softmax::{HeadGradients, SoftmaxHead, TokenLosses};
