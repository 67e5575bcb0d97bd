//! Parameter groups: which rate, decay and freezing a parameter has, by patterns of its name.

use crate::error::Error;
use crate::run::config::Group;
use elman_cell::nearest::nearest;
use elman_engine::Tensor;
use elman_engine::optimise::Step;

/// What a group makes of its parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Way {
    /// The rate is multiplied by this.
    pub rate: f64,
    /// Weight decay.
    pub decay: f64,
    /// They stay as they are.
    pub frozen: bool,
}

impl Way {
    /// A step at this rate.
    pub fn step(&self, rate: f64, scale: f64) -> Step {
        Step { rate: rate * self.rate, decay: self.decay, frozen: self.frozen, scale }
    }
}

/// The way of each parameter.
///
/// # Errors
/// A pattern that matches none, with the nearest name.
pub fn ways(groups: &[Group], decay: f64, parameters: &[Tensor]) -> Result<Vec<Way>, Error> {
    let mut ways = vec![Way { rate: 1.0, decay, frozen: false }; parameters.len()];
    for group in groups {
        let mut met = false;
        for (way, t) in ways.iter_mut().zip(parameters).filter(|(_, t)| matches(&group.name, &t.name)) {
            *way = Way { rate: group.rate, decay: group.decay.unwrap_or(decay), frozen: group.frozen };
            met |= !t.name.is_empty();
        }
        if !met {
            let names = || parameters.iter().map(|t| t.name.as_str());
            let way = match nearest(&group.name, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", names().collect::<Vec<_>>().join(", ")),
            };
            return Err(Error::Refused(format!("group `{}` matches no parameter: {way}", group.name)));
        }
    }
    match ways.iter().all(|w| w.frozen) {
        true => Err(Error::Refused("every parameter is frozen: nothing would be trained".into())),
        false => Ok(ways),
    }
}

/// Whether a name is like a pattern, in which `*` stands for anything.
pub fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(start) else { return false };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let end = pieces.pop().unwrap_or("");
    for piece in pieces {
        match name.find(piece) {
            Some(at) => name = &name[at + piece.len()..],
            None => return false,
        }
    }
    name.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str) -> Group {
        Group { name: name.into(), rate: 0.5, decay: Some(0.25), frozen: true }
    }

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name, wanted) in [
            ("embedding", "embedding", true),
            ("embedding", "embeddings", false),
            ("0.*", "0.forward.W", true),
            ("*.b_*", "1.forward.b_f", true),
            ("*.b_*", "1.forward.W_b", false),
            ("*W*W", "W", false),
            ("*", "x", true),
        ] {
            assert_eq!(matches(pattern, name), wanted, "{pattern} {name}");
        }
    }

    #[test]
    fn the_last_group_that_matches_says_and_strangers_are_named() {
        let tensors = ["embedding", "0.forward.W"].map(|name| Tensor { name: name.into(), shape: vec![1] });
        let soft = Group { frozen: false, decay: None, ..group("emb*") };
        let ways = super::ways(&[group("*g"), soft], 0.1, &tensors).unwrap();
        assert_eq!(ways[0], Way { rate: 0.5, decay: 0.1, frozen: false });
        assert_eq!(ways[1], Way { rate: 1.0, decay: 0.1, frozen: false });
        let error = super::ways(&[group("embeding")], 0.0, &tensors).unwrap_err().to_string();
        assert!(error.contains("did you mean `embedding`?"), "{error}");
        assert!(super::ways(&[group("*")], 0.0, &tensors).is_err());
    }
}
