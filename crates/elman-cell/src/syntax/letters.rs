//! Characters: which are letters, subscripts, accents, spaces; what a precomposed one is made of.

use crate::name::greek;

/// Whether it may stand in a run of letters.
pub(super) fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || greek(c).is_some()
}

/// Space that separates and means nothing.
pub(super) fn is_space(c: char) -> bool {
    c != '\n'
        && (c.is_whitespace()
            || matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{20d7}'))
}

/// A combining accent.
pub(super) fn combining(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{302}' => "hat",
        '\u{303}' => "tilde",
        '\u{304}' | '\u{305}' => "bar",
        '\u{307}' => "dot",
        '\u{308}' => "ddot",
        '\u{30c}' => "check",
        _ => return None,
    })
}

/// Letters with their accent built in: accent, letters with it, the same letters without.
const COMPOSED: &[(&str, &str, &str)] = &[
    ("hat", "âĉêĝĥîĵôŝûŵŷẑÂĈÊĜĤÎĴÔŜÛŴŶẐ", "aceghijosuwyzACEGHIJOSUWYZ"),
    ("tilde", "ãẽĩñõũṽỹÃẼĨÑÕŨṼỸ", "aeinouvyAEINOUVY"),
    ("bar", "āēīōūḡȳĀĒĪŌŪḠȲ", "aeiougyAEIOUGY"),
    ("dot", "ȧḃċḋėḟġḣṁṅȯṗṙṡṫẇẋẏżȦḂĊḊĖḞĠḢṀṄȮṖṘṠṪẆẊẎŻ", "abcdefghmnoprstwxyzABCDEFGHMNOPRSTWXYZ"),
];

/// The letter and the accent of a precomposed character.
pub(super) fn decompose(c: char) -> Option<(&'static str, &'static str)> {
    COMPOSED.iter().find_map(|(accent, with, without)| {
        let place = with.chars().position(|w| w == c)?;
        Some((without.get(place..=place)?, *accent))
    })
}

/// What a subscript character stands for.
pub(super) fn subscript(c: char) -> Option<&'static str> {
    small(c, "₀₁₂₃₄₅₆₇₈₉₊₋ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", "0123456789+-aehijklmnoprstuvx")
}

/// What a superscript character stands for.
pub(super) fn superscript(c: char) -> Option<&'static str> {
    small(c, "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵀᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ", "0123456789+-Tabcdefghijklmnoprstuvwxyz")
}

fn small(c: char, from: &str, to: &'static str) -> Option<&'static str> {
    let place = from.chars().position(|f| f == c)?;
    to.get(place..=place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_as_long_as_their_partners() {
        for (accent, with, without) in COMPOSED {
            assert_eq!(with.chars().count(), without.len(), "{accent}");
        }
        assert_eq!(subscript('ₓ'), Some("x"));
        assert_eq!(subscript('ₜ'), Some("t"));
        assert_eq!(superscript('ᵀ'), Some("T"));
        assert_eq!(superscript('ᶻ'), Some("z"));
        assert_eq!(decompose('ŷ'), Some(("y", "hat")));
    }
}
