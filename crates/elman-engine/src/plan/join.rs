//! Products of all steps at once, moved into the loop where there are rows enough.
//!
//! A product of inputs alone is hoisted out of the loop, so that weights are read once for all tokens. Where a step has rows
//! enough to use weights at the speed of multiply-adds anyway, that only costs a pass over the sums, written and read again;
//! there one call of a kernel goes on from the input's terms to those of the state. The chain, and so its bits, are the same.

use elman_kernel::code::{Factor, Phase, Product, Rows, Stage};

use super::{Frame, MatrixPlan};

/// Most bytes of two matrices that are read together at every step, for so many rows: 2 MiB, which a second cache may hold;
/// 16 MiB where twice the rows use each of their numbers, as long as it takes to bring the next from the third.
const ROOM: [(usize, usize); 2] = [(32, 16 << 20), (16, 2 << 20)];

/// Joins each product of the loop that goes on from all that a product before the loop leaves.
pub(super) fn join(phases: &mut Vec<Phase>, matrices: &[MatrixPlan], frame: Frame) {
    let [Phase::Bulk(before), Phase::Steps { stages, .. }, ..] = phases.as_mut_slice() else { return };
    let Some((_, room)) = ROOM.into_iter().find(|(least, _)| frame.batch >= *least) else { return };
    let room = room / frame.weight_bytes;
    for product in stages.iter_mut().flat_map(|stage| &mut stage.products) {
        if let Some(first) = take(before, product, matrices, room) {
            product.members.iter_mut().zip(&first.members).for_each(|(member, first)| member.init = first.init);
            product.before = Some(Factor { matrix: first.matrix, segments: first.segments });
        }
    }
    before.retain(|stage| !(stage.products.is_empty() && stage.block.is_empty()));
    if before.is_empty() {
        phases.remove(0);
    }
}

/// The product whose results are what `product` starts from, out of its stage; `room`: most numbers of their matrices.
fn take(before: &mut [Stage], product: &Product, matrices: &[MatrixPlan], room: usize) -> Option<Product> {
    let numbers = |product: &Product| matrices[product.matrix].shape().numbers();
    let small = |first: &Product| numbers(first) + numbers(product) <= room;
    let goes_on = |first: &Product| {
        let mut pairs = product.members.iter().zip(&first.members);
        product.members.len() == first.members.len() && pairs.all(|(m, f)| m.init == Some(f.out))
    };
    let lasts = |first: &Product| first.segments.iter().all(|place| place.rows != Rows::Scratch);
    before.iter_mut().find_map(|stage| {
        let at = stage.products.iter().position(|first| goes_on(first) && lasts(first) && small(first))?;
        Some(stage.products.remove(at))
    })
}
