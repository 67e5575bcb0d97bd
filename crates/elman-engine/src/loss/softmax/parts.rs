//! The vocabulary in parts, and where things lie in the memory of one.

use elman_kernel::Buffer;
use elman_kernel::code::{LANES, Timeline};

/// Tokens of a block: a full panel of packed columns.
pub(super) const BLOCK: usize = 4 * LANES;

/// Tokens of a block where there are no more: one strip.
pub(super) const FEW: usize = LANES;

/// Blocks of a chunk.
pub(super) const BLOCKS: usize = 4;

/// Bytes of a part's weights, of a second cache of 1 MiB.
pub(super) const PART: usize = 448 << 10;

/// Where things are in the memory of a part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// Numbers from one word to the next.
    pub stride: usize,
    /// [W b] and [dW db], [words, stride].
    pub weights: usize,
    pub gradients: usize,
    /// z, then e, of each block: [words, block].
    pub logits: [usize; BLOCKS],
    /// Per token of a block.
    pub largest: usize,
    pub sum: usize,
    /// Wᵀ e, [units, block].
    pub dh: usize,
    pub len: usize,
}

impl Layout {
    /// Where a logit of a block of `width` tokens is.
    pub fn logit(&self, block: usize, width: usize, word: usize, token: usize) -> usize {
        self.logits[block] + word * width + token
    }
}

/// Some words, in order.
pub(super) struct Part<T> {
    pub words: Timeline,
    pub memory: Buffer<T>,
    /// mₚ of each token of a chunk.
    pub largest: Vec<T>,
}

/// Numbers from one row of units and a bias to the next: an odd number of strips, so that rows that follow each other
/// fall into different sets of a cache.
pub(super) fn row(units: usize) -> usize {
    ((units / LANES + 1) | 1) * LANES
}

/// Most words of a part.
pub(super) fn words_of_a_part(units: usize) -> usize {
    (PART / (row(units) * size_of::<f32>())).max(BLOCK)
}

/// Words of a part, and parts.
pub(super) fn cut(vocabulary: usize, most: usize) -> (usize, usize) {
    let words = vocabulary.div_ceil(vocabulary.div_ceil(most));
    (words, vocabulary.div_ceil(words))
}

pub(super) fn layout(words: usize, units: usize) -> Layout {
    let mut used = 0;
    let mut take = |n: usize| {
        let at = used;
        used += n.next_multiple_of(LANES);
        at
    };
    let stride = row(units);
    let (weights, gradients) = (take(words * stride), take(words * stride));
    let logits = [0; BLOCKS].map(|_| take(words * BLOCK));
    let (largest, sum, dh) = (take(BLOCK), take(BLOCK), take(units * BLOCK));
    Layout { stride, weights, gradients, logits, largest, sum, dh, len: used }
}
