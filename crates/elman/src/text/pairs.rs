//! Byte pair encoding, learned. Sennrich et al. 2016, arXiv:1508.07909, algorithm 1, over bytes.
//!
//! Each step joins the neighbours that stand together most often, equal counts by their smaller ids. A pair that spells a
//! token which exists already is passed over, so every token has one way to be made. Counts are 64 bits wide and no
//! order of a hash table is ever seen: the same text gives the same merges, always. The trainers of `tokenizers` 0.23 do
//! not promise that (byte pairs are counted in 32 signed bits; the unigram trainer scores rare characters in the order of
//! a randomly seeded table), so that crate only applies what is learned here.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet};

/// Two neighbours: 0-255 is a byte, 256 + k the token that merge k makes.
pub(super) type Pair = (u32, u32);

/// The first token that is not a byte.
const BYTES: u32 = 256;
/// A pair met fewer times is not joined.
const LEAST: u64 = 2;

/// At most `most` merges, in order, for `words` with their counts.
pub(super) fn learn(words: &BTreeMap<Vec<u8>, u64>, most: usize) -> Vec<Pair> {
    let mut state = State::of(words);
    let mut merges = Vec::new();
    while merges.len() < most {
        let Some(pair) = state.best() else { break };
        if state.name(pair) {
            state.join(pair, BYTES + merges.len() as u32);
            merges.push(pair);
        }
    }
    merges
}

struct State {
    words: Vec<(Vec<u32>, u64)>,
    counts: HashMap<Pair, u64>,
    /// The words a pair may stand in; some may have lost it since.
    places: HashMap<Pair, Vec<u32>>,
    queue: BinaryHeap<(u64, Reverse<Pair>)>,
    spelling: Vec<Vec<u8>>,
    known: HashSet<Vec<u8>>,
}

impl State {
    fn of(words: &BTreeMap<Vec<u8>, u64>) -> State {
        let words = words.iter().map(|(w, n)| (w.iter().map(|b| u32::from(*b)).collect(), *n)).collect();
        let mut state = State {
            words,
            counts: HashMap::new(),
            places: HashMap::new(),
            queue: BinaryHeap::new(),
            spelling: (0..=u8::MAX).map(|b| vec![b]).collect(),
            known: HashSet::new(),
        };
        let mut touched = BTreeSet::new();
        for at in 0..state.words.len() {
            state.enter(at, &mut touched);
        }
        state.queue_up(touched);
        state
    }

    /// The pair to join next.
    fn best(&mut self) -> Option<Pair> {
        while let Some((count, Reverse(pair))) = self.queue.pop() {
            let now = self.counts.get(&pair).copied().unwrap_or(0);
            if now == count && now >= LEAST {
                return Some(pair);
            }
            if now >= LEAST && now < count {
                self.queue.push((now, Reverse(pair)));
            }
        }
        None
    }

    /// Gives the new token its spelling; false if another token has it.
    fn name(&mut self, (left, right): Pair) -> bool {
        let spelling = [&self.spelling[left as usize][..], &self.spelling[right as usize]].concat();
        let new = self.known.insert(spelling.clone());
        if new {
            self.spelling.push(spelling);
        }
        new
    }

    /// Replaces `pair` by `token` in every word, from left to right.
    fn join(&mut self, pair: Pair, token: u32) {
        let mut places = self.places.remove(&pair).unwrap_or_default();
        places.sort_unstable();
        places.dedup();
        let mut touched = BTreeSet::new();
        for at in places {
            let at = at as usize;
            self.leave(at);
            self.words[at].0 = joined(&self.words[at].0, pair, token);
            self.enter(at, &mut touched);
        }
        // Only pairs with the new token are new; the others wait in the queue under a count they had before.
        touched.retain(|(left, right)| *left == token || *right == token);
        self.queue_up(touched);
    }

    fn leave(&mut self, at: usize) {
        let (word, times) = &self.words[at];
        for pair in word.windows(2) {
            if let Some(count) = self.counts.get_mut(&(pair[0], pair[1])) {
                *count -= times;
            }
        }
    }

    fn enter(&mut self, at: usize, touched: &mut BTreeSet<Pair>) {
        let (word, times) = &self.words[at];
        for pair in word.windows(2) {
            let pair = (pair[0], pair[1]);
            *self.counts.entry(pair).or_default() += times;
            let places = self.places.entry(pair).or_default();
            if places.last() != Some(&(at as u32)) {
                places.push(at as u32);
            }
            touched.insert(pair);
        }
    }

    fn queue_up(&mut self, pairs: BTreeSet<Pair>) {
        for pair in pairs {
            let count = self.counts.get(&pair).copied().unwrap_or(0);
            self.queue.push((count, Reverse(pair)));
        }
    }
}

/// `word` with `token` in place of each `pair`.
fn joined(word: &[u32], pair: Pair, token: u32) -> Vec<u32> {
    let mut out = Vec::with_capacity(word.len());
    let mut i = 0;
    while i < word.len() {
        if word[i..].starts_with(&[pair.0, pair.1]) {
            out.push(token);
            i += 2;
        } else {
            out.push(word[i]);
            i += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(of: &[(&str, u64)]) -> BTreeMap<Vec<u8>, u64> {
        of.iter().map(|(w, n)| (w.as_bytes().to_vec(), *n)).collect()
    }

    /// The slow way: count everything anew at each step.
    fn slowly(words: &BTreeMap<Vec<u8>, u64>, most: usize) -> Vec<Pair> {
        let mut words: Vec<(Vec<u32>, u64)> =
            words.iter().map(|(w, n)| (w.iter().map(|b| u32::from(*b)).collect(), *n)).collect();
        let mut spelling: Vec<Vec<u8>> = (0..=255).map(|b| vec![b]).collect();
        let mut merges = Vec::new();
        while merges.len() < most {
            let mut counts = BTreeMap::new();
            for (word, n) in &words {
                for p in word.windows(2) {
                    *counts.entry((p[0], p[1])).or_insert(0u64) += n;
                }
            }
            let spell = |p: &Pair| [&spelling[p.0 as usize][..], &spelling[p.1 as usize]].concat();
            let open = counts.iter().filter(|(p, n)| **n >= LEAST && !spelling.contains(&spell(p)));
            let Some((&pair, _)) = open.max_by_key(|(p, n)| (**n, Reverse(**p))) else { break };
            spelling.push(spell(&pair));
            let token = BYTES + merges.len() as u32;
            words.iter_mut().for_each(|w| w.0 = joined(&w.0, pair, token));
            merges.push(pair);
        }
        merges
    }

    #[test]
    fn the_most_frequent_pair_comes_first_and_ties_go_to_the_smaller() {
        let merges = learn(&words(&[("abab", 3), ("xy", 6), ("cd", 5), ("q", 9)]), 10);
        assert_eq!(merges[..3], [(97, 98), (120, 121), (99, 100)]);
        assert_eq!(merges[3], (256, 256));
        assert_eq!(merges.len(), 4);
    }

    #[test]
    fn the_queue_gives_what_counting_anew_gives() {
        let many = "aaaa aaab abaab baabaa abcabc bcabca aabbcc ccbbaa abbaabba banana bandana cabana aaaaaaa bacab";
        let set = many.split(' ').zip([5, 3, 2, 7, 4, 4, 1, 2, 6, 9, 8, 3, 2, 5]).collect::<Vec<_>>();
        let set = words(&set);
        assert_eq!(learn(&set, 40), slowly(&set, 40));
        assert!(learn(&set, 40).len() > 20);
    }
}
