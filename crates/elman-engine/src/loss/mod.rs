//! Losses that are primitives of their own: value and gradient by hand, each checked against differences.

mod softmax;

pub use softmax::{HeadGradients, SoftmaxHead, TokenLosses};
