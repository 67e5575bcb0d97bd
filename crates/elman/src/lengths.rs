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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uniform_lengths_reach_both_ends_and_depend_on_the_seed_alone() {
        let draw = |seed| Lengths::Uniform.draw(5, 400, &mut Random::new(seed, 0)).unwrap();
        let lengths = draw(3);
        for length in 1..=5 {
            let share = lengths.iter().filter(|l| **l == length).count();
            assert!((40..160).contains(&share), "{length}: {share} of 400");
        }
        assert!(lengths.iter().all(|l| (1..=5).contains(l)));
        assert_eq!(lengths, draw(3));
        assert_ne!(lengths, draw(4));
        assert_eq!(Lengths::Equal.draw(5, 400, &mut Random::new(3, 0)), None);
    }
}
