//! Draws that tasks share.

use elman_engine::Random;

/// A whole number below `n`, which is at least 1. From 64 bits, so the bias is below n / 2⁶⁴.
pub(crate) fn below(random: &mut Random, n: u64) -> u64 {
    let bits = u64::from(random.bits()) << 32 | u64::from(random.bits());
    ((u128::from(bits) * u128::from(n)) >> 64) as u64
}

/// A whole number from `least` to `most`.
pub(crate) fn between(random: &mut Random, least: u64, most: u64) -> u64 {
    least + below(random, most - least + 1)
}

/// Uniform in [0, 1), with the 24 bits that an f32 holds.
pub(super) fn uniform(random: &mut Random) -> f32 {
    (random.bits() >> 8) as f32 / (1 << 24) as f32
}

/// A coin.
pub(super) fn coin(random: &mut Random) -> bool {
    random.bits() >> 31 == 1
}

/// A letter of the first `n` of the alphabet.
pub(super) fn letter(random: &mut Random, n: u64) -> char {
    char::from(b'a' + below(random, n) as u8)
}

/// A number of 1 to `digits` digits, each count as likely as another, without a leading zero (but 0 itself).
pub(super) fn number(random: &mut Random, digits: u64) -> i64 {
    let count = between(random, 1, digits) as u32;
    let least = if count == 1 { 0 } else { 10_u64.pow(count - 1) };
    between(random, least, 10_u64.pow(count) - 1) as i64
}

/// The letters a to z.
pub(super) fn letters() -> impl Iterator<Item = char> {
    'a'..='z'
}
