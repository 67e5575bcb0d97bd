//! Lengths of made-up sequences.

use elman_engine::Random;

/// How long the sequences of a made-up batch are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lengths {
    /// All as long as there are steps.
    Equal,
    /// Drawn uniformly from 1 to the number of steps.
    Uniform,
}

impl Lengths {
    /// The length of each of `batch` sequences; `None` where all are `steps` long.
    pub fn draw(self, steps: usize, batch: usize, random: &mut Random) -> Option<Vec<usize>> {
        let one = |_| 1 + ((random.uniform() * steps as f64) as usize).min(steps - 1);
        (self == Lengths::Uniform).then(|| (0..batch).map(one).collect())
    }
}
