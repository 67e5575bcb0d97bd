//! The order in which examples are learned from: every epoch another, by the seed alone.

use elman_engine::Random;
use elman_engine::dropout::{MaskKey, Purpose};

/// Batches of a pool, within which lengths are sorted.
const POOL: usize = 50;

/// The batches of an epoch: examples shuffled, sorted by length within pools so that batches have like lengths, and the
/// batches shuffled.
pub fn batches(lengths: &[usize], batch: usize, seed: u64, epoch: u64) -> Vec<Vec<usize>> {
    let key = MaskKey { seed, purpose: Purpose::Order, layer: 0, step: epoch, sequence: 0 };
    let mut random = key.random();
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    shuffle(&mut order, &mut random);
    let mut all: Vec<Vec<usize>> = vec![];
    for pool in order.chunks_mut(batch.max(1).saturating_mul(POOL)) {
        pool.sort_by_key(|example| lengths[*example]);
        all.extend(pool.chunks(batch.max(1)).map(<[usize]>::to_vec));
    }
    shuffle(&mut all, &mut random);
    all
}

/// In order of length, for what is only measured.
pub fn by_length(lengths: &[usize], batch: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|example| lengths[*example]);
    order.chunks(batch.max(1)).map(<[usize]>::to_vec).collect()
}

/// Fisher & Yates.
pub fn shuffle<V>(values: &mut [V], random: &mut Random) {
    for i in (1..values.len()).rev() {
        let j = (random.uniform() * (i + 1) as f64) as usize;
        values.swap(i, j.min(i));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_has_each_example_once_and_depends_on_seed_and_number() {
        let lengths: Vec<usize> = (0..1000).map(|i| 1 + i * 7 % 40).collect();
        let one = batches(&lengths, 16, 1, 0);
        let mut all: Vec<usize> = one.concat();
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<_>>());
        assert_eq!(one, batches(&lengths, 16, 1, 0));
        assert_ne!(one, batches(&lengths, 16, 1, 1));
        assert_ne!(one, batches(&lengths, 16, 2, 0));
        let spread = |b: &Vec<usize>| {
            let l = b.iter().map(|i| lengths[*i]);
            l.clone().max().unwrap_or(0) - l.min().unwrap_or(0)
        };
        let mean = one.iter().map(spread).sum::<usize>() as f64 / one.len() as f64;
        assert!(mean < 4.0, "{mean}");
    }
}
