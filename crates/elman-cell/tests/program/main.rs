//! From a checked cell to its program, its derived backward pass, its canonical form and its listings.

mod attend;
mod builder;
mod canonical;
mod cells;
mod gradients;
mod listing;
mod lowering;
mod parsed;
mod random;
mod schedule;
mod verify;
