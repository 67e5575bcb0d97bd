//! How a network is run.

use elman_kernel::{Isa, Precision};

/// How a network is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Threads, the caller's included.
    pub threads: usize,
    /// The instruction set of `f32` kernels.
    pub isa: Isa,
    /// Whether gradients will be asked for.
    pub backward: bool,
    /// How weights are kept. What is not full does not train.
    pub precision: Precision,
    /// Named values whose value at every step is kept.
    pub trace: Vec<String>,
    /// Between forward and backward only the states of every √steps-th step are kept, and the rest is computed again:
    /// much less memory for long sequences, for about twice the time. Changes no bit. Such a runner is given its batch again
    /// ([`Runner::backward_with`](super::Runner::backward_with)).
    pub recompute: bool,
}

impl Options {
    /// One thread, the fastest instruction set, full precision, no gradients.
    pub fn new() -> Options {
        Options {
            threads: 1,
            isa: Isa::detect(),
            backward: false,
            precision: Precision::Full,
            trace: vec![],
            recompute: false,
        }
    }

    /// The same with gradients.
    pub fn with_backward(self) -> Options {
        Options { backward: true, ..self }
    }

    /// The same with a number of threads.
    pub fn with_threads(self, threads: usize) -> Options {
        Options { threads, ..self }
    }

    /// The same with an instruction set.
    pub fn with_isa(self, isa: Isa) -> Options {
        Options { isa, ..self }
    }

    /// The same with weights in a precision.
    pub fn with_precision(self, precision: Precision) -> Options {
        Options { precision, ..self }
    }

    /// The same with values computed again for the backward run.
    pub fn with_recompute(self) -> Options {
        Options { recompute: true, ..self }
    }

    /// The same with values to trace.
    pub fn with_trace(self, trace: &[&str]) -> Options {
        Options { trace: trace.iter().map(|s| s.to_string()).collect(), ..self }
    }
}

impl Default for Options {
    fn default() -> Options {
        Options::new()
    }
}
