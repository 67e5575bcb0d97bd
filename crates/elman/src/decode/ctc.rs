//! Labellings from the scores of connectionist temporal classification ([`elman_engine::loss::ctc_loss`]).
//!
//! [`best_path`] takes the likeliest symbol of each step. [`prefix_beam`] adds up the paths that spell the same (Hannun,
//! Maas, Jurafsky & Ng 2014, arXiv:1408.2873): for each prefix y it holds the probability of its paths that end in a blank,
//! b(y), and of those that do not, n(y):
//!
//! ```text
//! b'(y) = p[␣] (b(y) + n(y))          n'(y) = p[k] n(y), k the last of y
//! n'(yk) += p[k] b(y) if k is the last of y, else p[k] (b(y) + n(y))
//! ```
//!
//! and keeps those of the largest log(b + n) + the prior's score. Unlike the paper's, the prior is not scaled here: it comes
//! with its weight and its reward for length.

use elman_engine::loss::{BLANK, log_softmax, log_sum_exp};
use elman_engine::{EngineError, Real};
use std::collections::BTreeMap;

/// What speaks for a symbol besides the input, with its weight: the log-probability of a language model, say. It is given
/// the prefix and the symbol after it, or none where the labelling ends.
pub type Prior<'a> = dyn FnMut(&[u32], Option<u32>) -> f64 + 'a;

/// A labelling that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Labelling {
    /// Without blanks.
    pub symbols: Vec<u32>,
    /// log of the probability of its paths that were kept.
    pub log_probability: f64,
    /// That and the prior's scores: what it is ranked by.
    pub score: f64,
}

/// The likeliest symbol of each step, repeats merged, blanks left out; the lower symbol of equal ones. `logits` are
/// [steps, symbols], the blank symbol 0.
///
/// # Errors
/// No symbols, no steps, a slice that is no whole number of steps.
pub fn best_path<T: Real>(logits: &[T], symbols: usize) -> Result<Vec<u32>, EngineError> {
    let (mut labelling, mut before) = (vec![], BLANK);
    for row in log_softmax(logits, symbols)?.chunks_exact(symbols) {
        let better = |best: (usize, f64), x: (usize, f64)| if x.1 > best.1 { x } else { best };
        let now = row.iter().copied().enumerate().reduce(better).map_or(BLANK, |(k, _)| k as u32);
        if now != BLANK && now != before {
            labelling.push(now);
        }
        before = now;
    }
    Ok(labelling)
}

/// The best labellings, at most `beam` of them, the best first; `beam` prefixes are kept at each step. `logits` are
/// [steps, symbols], the blank symbol 0.
///
/// # Errors
/// As [`best_path`]; a beam of 0; scores that are no numbers.
pub fn prefix_beam<T: Real>(
    logits: &[T],
    symbols: usize,
    beam: usize,
    prior: Option<&mut Prior>,
) -> Result<Vec<Labelling>, EngineError> {
    if beam == 0 {
        return Err(EngineError::Zero { what: "beam" });
    }
    let log_p = log_softmax(logits, symbols)?;
    if log_p.iter().any(|p| p.is_nan()) {
        return Err(EngineError::Unsupported("the scores of the symbols are no numbers (NaN)".into()));
    }
    let mut search =
        Search { prefixes: Prefixes::default(), prior, kept: vec![(ROOT, Share { blank: 0.0, other: NONE })] };
    for row in log_p.chunks_exact(symbols) {
        search.step(row, beam);
    }
    Ok(search.labellings())
}

/// A prefix, by its number.
type Id = usize;

const ROOT: Id = 0;
const NONE: f64 = f64::NEG_INFINITY;

/// A prefix is another and one symbol more.
struct Prefix {
    parent: Id,
    last: u32,
    /// The prior's score.
    prior: f64,
    /// By their last symbol.
    children: BTreeMap<u32, Id>,
    /// What it gathers in this step, if anything.
    share: Option<Share>,
}

/// All prefixes that were ever looked at, as a tree.
struct Prefixes(Vec<Prefix>);

impl Default for Prefixes {
    fn default() -> Prefixes {
        Prefixes(vec![Prefix { parent: ROOT, last: BLANK, prior: 0.0, children: BTreeMap::new(), share: None }])
    }
}

impl Prefixes {
    fn symbols(&self, mut id: Id) -> Vec<u32> {
        let mut symbols = vec![];
        while id != ROOT {
            symbols.push(self.0[id].last);
            id = self.0[id].parent;
        }
        symbols.reverse();
        symbols
    }
}

/// log b and log n.
#[derive(Clone, Copy)]
struct Share {
    blank: f64,
    other: f64,
}

impl Share {
    fn both(self) -> f64 {
        log_sum_exp([self.blank, self.other].into_iter())
    }
}

struct Search<'a, 'b> {
    prefixes: Prefixes,
    prior: Option<&'a mut Prior<'b>>,
    kept: Vec<(Id, Share)>,
}

impl Search<'_, '_> {
    /// Goes on by a step with log p of its symbols, and keeps the `beam` best.
    fn step(&mut self, log_p: &[f64], beam: usize) {
        let mut met = vec![];
        for (id, share) in std::mem::take(&mut self.kept) {
            let last = self.prefixes.0[id].last;
            self.add(id, Share { blank: log_p[BLANK as usize] + share.both(), other: NONE }, &mut met);
            if id != ROOT {
                self.add(id, Share { blank: NONE, other: log_p[last as usize] + share.other }, &mut met);
            }
            for (k, p) in (0u32..).zip(log_p).skip(1) {
                let from = if k == last { share.blank } else { share.both() };
                if p + from > NONE {
                    let child = self.child(id, k);
                    self.add(child, Share { blank: NONE, other: p + from }, &mut met);
                }
            }
        }
        let share = |id: Id| self.prefixes.0[id].share.unwrap_or(Share { blank: NONE, other: NONE });
        let mut ranked: Vec<(Id, Share, f64)> =
            met.iter().map(|id| (*id, share(*id), share(*id).both() + self.prefixes.0[*id].prior)).collect();
        // What scores the same stays in the order in which it was met: the search is the same each time.
        ranked.sort_by(|a, b| b.2.total_cmp(&a.2));
        ranked.truncate(beam);
        met.into_iter().for_each(|id| self.prefixes.0[id].share = None);
        self.kept = ranked.into_iter().map(|(id, share, _)| (id, share)).collect();
    }

    /// Adds to what a prefix gathers; notes it in `met` the first time.
    fn add(&mut self, id: Id, more: Share, met: &mut Vec<Id>) {
        let share = &mut self.prefixes.0[id].share;
        *share = Some(match *share {
            None => {
                met.push(id);
                more
            }
            Some(old) => {
                let sum = |a: f64, b: f64| log_sum_exp([a, b].into_iter());
                Share { blank: sum(old.blank, more.blank), other: sum(old.other, more.other) }
            }
        });
    }

    /// The prefix `id` and `symbol`.
    fn child(&mut self, id: Id, symbol: u32) -> Id {
        if let Some(child) = self.prefixes.0[id].children.get(&symbol) {
            return *child;
        }
        let more = match &mut self.prior {
            Some(prior) => prior(&self.prefixes.symbols(id), Some(symbol)),
            None => 0.0,
        };
        let child = self.prefixes.0.len();
        let prior = self.prefixes.0[id].prior + more;
        self.prefixes.0.push(Prefix { parent: id, last: symbol, prior, children: BTreeMap::new(), share: None });
        self.prefixes.0[id].children.insert(symbol, child);
        child
    }

    fn labellings(mut self) -> Vec<Labelling> {
        let mut found = vec![];
        for (id, share) in self.kept {
            let symbols = self.prefixes.symbols(id);
            let end = self.prior.as_mut().map_or(0.0, |prior| prior(&symbols, None));
            let (log_probability, prior) = (share.both(), self.prefixes.0[id].prior + end);
            found.push(Labelling { symbols, log_probability, score: log_probability + prior });
        }
        found.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.symbols.cmp(&b.symbols)));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use elman_engine::Random;
    use elman_engine::loss::ctc_loss;

    /// Sums of some thousand f64 probabilities.
    const EXACT: f64 = 1e-12;

    fn logits(steps: usize, symbols: usize, seed: u64) -> Vec<f64> {
        let mut r = Random::new(seed, 0);
        (0..steps * symbols).map(|_| 4.0 * r.uniform() - 2.0).collect()
    }

    /// Every labelling and its probability, from every path.
    fn all(z: &[f64], symbols: usize) -> BTreeMap<Vec<u32>, f64> {
        let steps = z.len() / symbols;
        let mut found = BTreeMap::new();
        for n in 0..symbols.pow(steps as u32) {
            let path: Vec<usize> = (0..steps).map(|t| n / symbols.pow(t as u32) % symbols).collect();
            let share = |t: usize| {
                let row = &z[t * symbols..(t + 1) * symbols];
                row[path[t]].exp() / row.iter().map(|z| z.exp()).sum::<f64>()
            };
            let mut merged = path.clone();
            merged.dedup();
            let labelling = merged.into_iter().filter(|k| *k != 0).map(|k| k as u32).collect::<Vec<u32>>();
            *found.entry(labelling).or_insert(0.0) += (0..steps).map(share).product::<f64>();
        }
        found
    }

    #[test]
    fn a_wide_beam_finds_every_labelling_with_its_probability() {
        for (steps, symbols, seed) in [(6, 3, 1), (5, 4, 2), (4, 3, 3), (1, 3, 4), (7, 2, 5)] {
            let z = logits(steps, symbols, seed);
            let wanted = all(&z, symbols);
            let found = prefix_beam(&z, symbols, 10_000, None).unwrap();
            assert_eq!(found.len(), wanted.len());
            for l in &found {
                assert!((l.log_probability.exp() - wanted[&l.symbols]).abs() < EXACT, "{l:?}");
                assert!((l.log_probability + ctc_loss(&z, symbols, &l.symbols).unwrap()).abs() < EXACT, "{l:?}");
            }
            let best = wanted.iter().max_by(|a, b| a.1.total_cmp(b.1)).unwrap();
            assert_eq!(&found[0].symbols, best.0);
            assert!(found.windows(2).all(|l| l[0].score >= l[1].score));
        }
    }

    #[test]
    fn the_prior_is_weighed_against_the_input() {
        let (z, symbols) = (logits(6, 3, 7), 3);
        let pair = |a: u32, b: u32| 1.5 * f64::from(a) - 0.7 * f64::from(b);
        let mut prior = |prefix: &[u32], next: Option<u32>| match next {
            Some(next) => pair(prefix.last().copied().unwrap_or(0), next),
            None => -0.3 * prefix.len() as f64,
        };
        let score = |(y, p): (&Vec<u32>, &f64)| {
            let pairs = (0..y.len()).map(|i| pair(if i == 0 { 0 } else { y[i - 1] }, y[i])).sum::<f64>();
            p.ln() + pairs - 0.3 * y.len() as f64
        };
        let wanted = all(&z, symbols);
        let found = prefix_beam(&z, symbols, 10_000, Some(&mut prior)).unwrap();
        let best = wanted.iter().max_by(|a, b| score(*a).total_cmp(&score(*b))).unwrap();
        assert_eq!(&found[0].symbols, best.0);
        assert!((found[0].score - score(best)).abs() < EXACT);
        assert_ne!(found[0].symbols, prefix_beam(&z, symbols, 10_000, None).unwrap()[0].symbols);
    }

    #[test]
    fn sums_of_paths_win_over_the_best_path() {
        // Blank is the likeliest of either step, 0.4 each, but three paths spell `1`: 2 · 0.4 · 0.35 + 0.35² > 0.4².
        let z: Vec<f64> = [0.4, 0.35, 0.25, 0.4, 0.35, 0.25].map(f64::ln).into();
        assert!(best_path(&z, 3).unwrap().is_empty());
        let found = prefix_beam(&z, 3, 4, None).unwrap();
        assert_eq!(found[0].symbols, [1]);
        assert!((found[0].log_probability.exp() - 0.4025).abs() < EXACT);
        assert_eq!(found.len(), 4);
    }

    #[test]
    fn the_best_path_merges_repeats_and_leaves_out_blanks() {
        let path = [1, 1, 0, 1, 2, 2, 0, 0, 3];
        let z: Vec<f32> = path.iter().flat_map(|k| (0..4).map(move |i| if i == *k { 5.0 } else { 0.0 })).collect();
        assert_eq!(best_path(&z, 4).unwrap(), [1, 1, 2, 3]);
        assert_eq!(prefix_beam(&z, 4, 8, None).unwrap()[0].symbols, [1, 1, 2, 3]);
        assert!(best_path(&[0f32; 6], 3).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_score_is_refused() {
        assert!(best_path::<f32>(&[], 3).is_err());
        assert!(best_path(&[0f32; 4], 3).is_err());
        assert!(prefix_beam(&[0f32; 6], 3, 0, None).is_err());
        assert!(prefix_beam(&[f32::NAN; 6], 3, 2, None).is_err());
        assert!(prefix_beam(&[0f32; 6], 0, 2, None).is_err());
    }
}
