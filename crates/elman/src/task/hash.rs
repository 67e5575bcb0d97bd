//! Texts as rows of a table: FNV-1a, and what spreads its bits.

/// The offset of FNV-1a, 64 bits: a key of nothing.
pub const BEGIN: u64 = 0xcbf2_9ce4_8422_2325;
/// Its prime.
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// `key` gone on with a text.
pub fn hash(key: u64, text: &str) -> u64 {
    text.bytes().fold(key, |key, byte| (key ^ u64::from(byte)).wrapping_mul(PRIME))
}

/// Moves all bits into the low ones (the finaliser of MurmurHash3).
pub fn spread(key: u64) -> u64 {
    let key = (key ^ (key >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let key = (key ^ (key >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    key ^ (key >> 33)
}
