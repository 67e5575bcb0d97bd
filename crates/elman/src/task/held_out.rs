//! Parts that have no file: tenths of the training examples. Copies of an example stay in one part: whoever has learned one
//! knows the others, and they would say that learning by heart is best. What copies have in common is their `gist`.

use super::settings::Data;
use super::{Part, batches};
use elman_engine::dropout::{MaskKey, Purpose};
use std::collections::{HashMap, HashSet};

/// An order that has nothing to do with that of the file, always the same.
pub fn shuffle<E>(all: &mut [E]) {
    let key = MaskKey { seed: 0, purpose: Purpose::Order, layer: 1, step: 0, sequence: 0 };
    batches::shuffle(all, &mut key.random());
}

/// Says how much of the files of other parts stands in training, too, and takes parts that have no file: a tenth of the training
/// part for validation, and another for the test. `what` they are goes into the remarks. Examples of one `gist` are copies; of
/// `None` there are none.
pub fn divide<E>(
    parts: &mut [Vec<E>; 3],
    data: &Data,
    gist: impl Fn(&E) -> Option<String>,
    what: &str,
    remarks: &mut Vec<String>,
) {
    for part in [Part::Valid, Part::Test] {
        remarks.extend(remark_on_copies(&parts[0], &parts[part as usize], part, &gist));
    }
    if !data.valid.is_empty() {
        return;
    }
    let mut train = std::mem::take(&mut parts[Part::Train as usize]);
    shuffle(&mut train);
    let share = train.len() / 10;
    for part in [Part::Valid, Part::Test].into_iter().take(1 + usize::from(data.test.is_empty())) {
        let (rest, held) = parted(train, share, &gist);
        remarks.push(format!("a tenth of the {what} ({}) is held out: {}", held.len(), part.name()));
        parts[part as usize] = held;
        train = rest;
    }
    parts[Part::Train as usize] = train;
}

/// Takes `share` of the examples from the end, or the next that fit, each with all its copies: (the rest, what was taken).
pub fn parted<E>(all: Vec<E>, share: usize, gist: impl Fn(&E) -> Option<String>) -> (Vec<E>, Vec<E>) {
    let gists: Vec<Option<String>> = all.iter().map(gist).collect();
    let mut copies: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, gist) in gists.iter().enumerate() {
        copies.entry(gist.as_deref().unwrap_or_default()).or_default().push(place);
    }
    let (mut taken, mut left) = (vec![false; all.len()], share);
    for (place, gist) in gists.iter().enumerate().rev() {
        let group = gist.as_deref().map_or(std::slice::from_ref(&place), |gist| &copies[gist]);
        if !taken[place] && group.len() <= left {
            group.iter().for_each(|place| taken[*place] = true);
            left -= group.len();
        }
    }
    if left == share {
        // All are copies of few.
        let rest = all.len() - share;
        taken[rest..].fill(true);
    }
    let (held, rest): (Vec<_>, Vec<_>) = all.into_iter().zip(taken).partition(|(_, taken)| *taken);
    let alone = |part: Vec<(E, bool)>| part.into_iter().map(|(example, _)| example).collect();
    (alone(rest), alone(held))
}

/// Says of a part that was given as files how much of it stands in training, too.
pub fn remark_on_copies<E>(
    train: &[E],
    other: &[E],
    part: Part,
    gist: impl Fn(&E) -> Option<String>,
) -> Option<String> {
    let known: HashSet<String> = train.iter().filter_map(&gist).collect();
    let copies = other.iter().filter_map(&gist).filter(|gist| known.contains(gist)).count();
    let (all, part) = (other.len(), part.name());
    (copies > 0)
        .then(|| format!("{part}: {copies} of {all} stand in training, too: they measure what is known by heart"))
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::error::Error;
    use crate::task::Settings;

    /// Checks a reader of pairs, which tells the first of each, part by part, and its remarks: those of one text stay together.
    pub fn holds_copies_together(read: impl Fn(&Settings) -> Result<([Vec<String>; 3], Vec<String>), Error>) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pairs.tsv");
        let lines: String = (0..240).map(|i| format!("ask {}\tanswer {i}\n", i / 3)).collect();
        std::fs::write(&file, lines).unwrap();
        let mut settings = Settings::default();
        settings.data.train = vec![file.display().to_string()];
        let [train, valid, test] = read(&settings).unwrap().0.map(HashSet::<String>::from_iter);
        assert!(train.is_disjoint(&valid) && train.is_disjoint(&test) && valid.is_disjoint(&test));
        assert_eq!([train.len(), valid.len(), test.len()], [64, 8, 8]);
        settings.data.test = settings.data.train.clone();
        let remarks = read(&settings).unwrap().1;
        assert!(remarks.iter().any(|r| r.starts_with("test: 240 of 240 stand in training")), "{remarks:?}");
    }

    fn parts_of(all: Vec<usize>, gist: impl Fn(&usize) -> Option<String>) -> [Vec<usize>; 3] {
        let (mut parts, mut remarks) = ([all, vec![], vec![]], vec![]);
        divide(&mut parts, &Data::default(), gist, "numbers", &mut remarks);
        let held = parts[2].len();
        assert_eq!(remarks[1], format!("a tenth of the numbers ({held}) is held out: test"));
        parts
    }

    #[test]
    fn copies_stay_in_one_part() {
        let [train, valid, test] = parts_of((0..300).collect(), |i| Some((i / 4).to_string()));
        assert_eq!([valid.len(), test.len()], [28, 28]);
        let groups = |part: &[usize]| part.iter().map(|i| i / 4).collect::<HashSet<_>>();
        let [train, valid, test] = [train, valid, test].map(|part| groups(&part));
        assert!(train.is_disjoint(&valid) && train.is_disjoint(&test) && valid.is_disjoint(&test));
        assert_eq!(train.len() + valid.len() + test.len(), 75);
    }

    #[test]
    fn where_all_are_copies_or_none_is_the_last_are_taken() {
        for gist in [|_: &usize| None, |_: &usize| Some(String::new())] {
            let [train, valid, test] = parts_of((0..40).collect(), gist);
            let mut order: Vec<usize> = (0..40).collect();
            shuffle(&mut order);
            assert_eq!([train, test, valid].concat(), order);
        }
    }

    #[test]
    fn copies_in_files_of_their_own_are_counted() {
        let own = |i: &usize| Some(i.to_string());
        let said = remark_on_copies(&[1, 2, 3], &[3, 4, 3], Part::Test, own);
        assert_eq!(said.unwrap(), "test: 2 of 3 stand in training, too: they measure what is known by heart");
        assert_eq!(remark_on_copies(&[1, 2, 3], &[4], Part::Test, own), None);
    }
}
