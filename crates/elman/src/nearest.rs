//! The name that was probably meant: for "no such cell, did you mean …".
//!
//! Distance is the number of letters changed, added, dropped or swapped with their neighbour.

/// The candidate nearest to `name`, if one is near enough to be a slip: at most a third of the letters differ.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let slips = |candidate: &str| strsim::osa_distance(&name.to_lowercase(), &candidate.to_lowercase());
    let (distance, best) = candidates.into_iter().map(|c| (slips(c), c)).min()?;
    (distance <= name.chars().count().div_ceil(3)).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let names = ["lstm", "gru", "gru-reset-after", "mut1"];
        assert_eq!(nearest("lsmt", names), Some("lstm"));
        assert_eq!(nearest("GRU", names), Some("gru"));
        assert_eq!(nearest("gru-resetafter", names), Some("gru-reset-after"));
        assert_eq!(nearest("transformer", names), None);
        assert_eq!(nearest("x", []), None);
    }
}
