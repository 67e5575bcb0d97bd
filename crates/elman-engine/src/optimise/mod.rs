//! Optimisers: what a step of training does to parameters.
//!
//! A rule is one file, with its equations; a step is elementwise, so its bits depend on no thread. The rate of each
//! parameter comes from outside: schedules and parameter groups are not known here. Does not clip: see `clip.rs`.

mod adam;
mod average;
mod clip;
mod rmsprop;
mod sgd;

pub use average::Average;
pub use clip::{clip_scale, clip_value, norm};

use elman_kernel::code::Binary;
use elman_kernel::{Real, Team};

/// Elements that a thread takes at once.
const PIECE: usize = 1 << 14;

/// How parameters follow gradients.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// θ ← θ − η g
    Sgd,
    /// v ← μ v + g; θ ← θ − η v (or η (g + μ v), Nesterov's)
    Momentum {
        /// μ
        momentum: f64,
        /// Look ahead: Nesterov 1983.
        nesterov: bool,
    },
    /// Kingma & Ba 2015. With `decoupled`, weight decay is AdamW's (Loshchilov & Hutter 2019).
    Adam {
        /// β₁
        beta1: f64,
        /// β₂
        beta2: f64,
        /// ε
        epsilon: f64,
        /// Decay apart from the gradient.
        decoupled: bool,
    },
    /// Tieleman & Hinton 2012.
    RmsProp {
        /// ρ
        decay: f64,
        /// ε
        epsilon: f64,
        /// μ
        momentum: f64,
    },
}

impl Rule {
    /// Numbers kept per parameter element.
    pub fn moments(self) -> usize {
        match self {
            Rule::Sgd => 0,
            Rule::Momentum { .. } => 1,
            Rule::Adam { .. } => 2,
            Rule::RmsProp { momentum, .. } => 1 + usize::from(momentum != 0.0),
        }
    }

    /// Step number `count` of some parameters with their moments.
    fn step<T: Real>(self, p: &mut [T], g: &[T], moments: &mut [&mut [T]], s: Step, count: u64) {
        match (self, moments) {
            (Rule::Momentum { momentum, nesterov }, [v]) => sgd::momentum(p, g, v, s, momentum, nesterov),
            (Rule::Adam { beta1, beta2, epsilon, decoupled }, [m, v]) => {
                adam::step(p, g, m, v, s, adam::Betas { beta1, beta2, epsilon, decoupled }, count);
            }
            (Rule::RmsProp { decay, epsilon, .. }, [v]) => rmsprop::step(p, g, v, s, decay, epsilon),
            (Rule::RmsProp { decay, epsilon, momentum }, [v, m]) => {
                rmsprop::momentum(p, g, v, m, s, decay, epsilon, momentum);
            }
            _ => sgd::step(p, g, s),
        }
    }
}

/// What one parameter's step uses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// η
    pub rate: f64,
    /// Weight decay λ: λ θ is added to the gradient (apart from it, for AdamW).
    pub decay: f64,
    /// The parameter stays as it is, and so do its moments.
    pub frozen: bool,
    /// What gradients are multiplied with first: 1, or that of [`clip_scale`].
    pub scale: f64,
}

/// A rule and its moments.
#[derive(Clone, Debug, PartialEq)]
pub struct Optimiser<T> {
    rule: Rule,
    /// Per parameter, per moment.
    moments: Vec<Vec<Vec<T>>>,
    steps: u64,
}

impl<T: Real> Optimiser<T> {
    /// With moments of zero for parameters of these lengths.
    pub fn new(rule: Rule, lengths: &[usize]) -> Optimiser<T> {
        let moments = lengths.iter().map(|n| vec![vec![T::ZERO; *n]; rule.moments()]).collect();
        Optimiser { rule, moments, steps: 0 }
    }

    /// One step of every parameter, shared by the threads of a team. `steps[i]` says how parameter i goes.
    pub fn step(&mut self, team: &Team, parameters: &mut [Vec<T>], gradients: &[Vec<T>], steps: &[Step]) {
        self.steps += 1;
        let (rule, count) = (self.rule, self.steps);
        let mut pieces = vec![];
        for (((p, g), m), s) in parameters.iter_mut().zip(gradients).zip(&mut self.moments).zip(steps) {
            if s.frozen {
                continue;
            }
            let mut moments: Vec<_> = m.iter_mut().map(|m| m.chunks_mut(PIECE)).collect();
            for (p, g) in p.chunks_mut(PIECE).zip(g.chunks(PIECE)) {
                pieces.push((p, g, moments.iter_mut().filter_map(Iterator::next).collect::<Vec<_>>(), *s));
            }
        }
        team.each(pieces, |(p, g, mut m, s)| rule.step(p, g, &mut m, s, count));
    }

    /// The rule.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Per parameter, per moment: what a checkpoint keeps.
    pub fn moments(&self) -> &[Vec<Vec<T>>] {
        &self.moments
    }

    /// Goes on from a checkpoint. `false` where the moments have other lengths; nothing has changed then.
    pub fn restore(&mut self, moments: Vec<Vec<Vec<T>>>, steps: u64) -> bool {
        let lengths = |m: &[Vec<Vec<T>>]| m.iter().map(|p| p.iter().map(Vec::len).collect()).collect::<Vec<Vec<_>>>();
        let fits = lengths(&moments) == lengths(&self.moments);
        if fits {
            (self.moments, self.steps) = (moments, steps);
        }
        fits
    }
}

/// a b + c, rounded twice: a fused one is a function call on the portable target, the slowest part of a step.
pub(crate) fn multiply_add<T: Real>(a: T, b: T, c: T) -> T {
    T::binary(Binary::Add, multiply(a, b), c)
}

/// a b
fn multiply<T: Real>(a: T, b: T) -> T {
    T::binary(Binary::Mul, a, b)
}

#[cfg(test)]
mod tests;
