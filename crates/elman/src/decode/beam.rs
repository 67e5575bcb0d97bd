//! Beam search: the best sequences of a model that is asked token by token.
//!
//!   score(y) = log p(y) / lp(y)      lp(y) = ((5 + |y|) / 6)^α,  |y| with its end        (Wu et al. 2016, arXiv:1609.08144)
//!
//! At each step all tokens after all beams are ranked by log p; as many are taken as the beam is wide, those that end are
//! done and leave it narrower by one. The search is over when all have ended, when none can come to a better score than the
//! best that were found, or at the greatest length. Greedy search is a beam of 1. No coverage penalty.

use crate::error::Error;

/// A model that goes on from the tokens before.
pub trait Step {
    /// log p of every token after each beam, [beams, vocabulary]; −∞ forbids a token. Beam i is the beam `parents[i]` of the
    /// call before, gone on by `tokens[i]`: the model keeps the state of the beams it was last given, and picks from it.
    /// The first call has one beam, `parents` `[0]`, and the token that every sequence begins with.
    ///
    /// # Errors
    /// As the model has them.
    fn scores(&mut self, parents: &[usize], tokens: &[u32]) -> Result<Vec<f32>, Error>;
}

/// How wide, how long, and what for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beam {
    /// Sequences that are followed at once.
    pub width: usize,
    /// Results wanted, at most `width`.
    pub best: usize,
    /// α: 0 leaves log p as it is, and more speaks for longer sequences.
    pub length_penalty: f64,
    /// Tokens at most, without the end.
    pub longest: usize,
    /// The token that every sequence begins with.
    pub begin: u32,
    /// The token that ends a sequence.
    pub end: u32,
}

/// A sequence that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Without begin and end.
    pub tokens: Vec<u32>,
    /// log p, of the end too if it has come.
    pub log_probability: f64,
    /// What it is ranked by.
    pub score: f64,
    /// Whether the model ended it; else it was cut at the greatest length.
    pub ended: bool,
}

/// Tokens on their way and their log p.
struct Live {
    tokens: Vec<u32>,
    log_probability: f64,
}

/// Beam `parent` gone on by `token`.
struct Candidate {
    parent: usize,
    token: u32,
    log_probability: f64,
}

/// The best sequences, the best first; those that never ended come after those that did.
///
/// # Errors
/// Widths of 0, an α that is negative or no number, scores that are no numbers or of another length; what the model says.
pub fn search(model: &mut impl Step, beam: Beam) -> Result<Vec<Found>, Error> {
    let mut search = Search::new(beam)?;
    while let Some((parents, tokens)) = search.asks() {
        let scores = model.scores(parents, tokens)?;
        search.take(&scores)?;
    }
    Ok(search.found())
}

/// A search on its way, for models that are asked for many at once: what it asks, what it is told, what it found.
pub struct Search {
    beam: Beam,
    live: Vec<Live>,
    parents: Vec<usize>,
    tokens: Vec<u32>,
    found: Vec<Found>,
    length: usize,
    over: bool,
}

impl Search {
    /// At its beginning.
    ///
    /// # Errors
    /// Widths of 0, an α that is negative or no number.
    pub fn new(beam: Beam) -> Result<Search, Error> {
        check(beam)?;
        let live = vec![Live { tokens: vec![], log_probability: 0.0 }];
        Ok(Search { beam, live, parents: vec![0], tokens: vec![beam.begin], found: vec![], length: 0, over: false })
    }

    /// Parents and tokens of the beams whose scores it needs, as [`Step::scores`] has them; `None` when it is over.
    pub fn asks(&self) -> Option<(&[usize], &[u32])> {
        (!self.over).then_some((&self.parents, &self.tokens))
    }

    /// What each beam has written that it asks of, without its beginning.
    pub fn written(&self) -> impl Iterator<Item = &[u32]> {
        self.live.iter().map(|l| l.tokens.as_slice())
    }

    /// Takes the scores it asked for.
    ///
    /// # Errors
    /// Scores that are no numbers or of another length.
    pub fn take(&mut self, scores: &[f32]) -> Result<(), Error> {
        let (beam, length) = (self.beam, self.length);
        let width = beam.width - self.found.len();
        let (mut next, mut ended) = (vec![], vec![]);
        for c in ranked(scores, &self.live, beam, length, width)? {
            let mut tokens = self.live[c.parent].tokens.clone();
            if c.token == beam.end {
                ended.push(c.parent);
                let score = c.log_probability / penalty(length + 1, beam.length_penalty);
                self.found.push(Found { tokens, log_probability: c.log_probability, score, ended: true });
            } else {
                tokens.push(c.token);
                next.push((c.parent, Live { tokens, log_probability: c.log_probability }));
            }
        }
        if length == beam.longest {
            ended.sort_unstable();
            ended.into_iter().rev().for_each(|parent| drop(self.live.remove(parent)));
            self.over = true;
            return Ok(());
        }
        (self.parents, self.live) = next.into_iter().unzip();
        self.tokens = self.live.iter().filter_map(|l| l.tokens.last().copied()).collect();
        self.length += 1;
        if self.live.is_empty() || hopeless(&self.live, &self.found, beam) {
            self.live.clear();
            self.over = true;
        }
        Ok(())
    }

    /// What was found so far, the best first.
    pub fn found(self) -> Vec<Found> {
        let Search { beam, live, mut found, .. } = self;
        let cut = |l: Live| {
            let score = l.log_probability / penalty(l.tokens.len(), beam.length_penalty);
            Found { tokens: l.tokens, log_probability: l.log_probability, score, ended: false }
        };
        found.sort_by(order);
        let mut unended: Vec<Found> = live.into_iter().map(cut).collect();
        unended.sort_by(order);
        found.append(&mut unended);
        found.truncate(beam.best);
        found
    }
}

/// lp
fn penalty(length: usize, alpha: f64) -> f64 {
    ((5.0 + length as f64) / 6.0).powf(alpha)
}

fn check(beam: Beam) -> Result<(), Error> {
    let refuse = |message: String| Err(Error::Refused(message));
    match beam {
        Beam { width: 0, .. } => refuse("the beam is 0 wide: at least 1 is needed".into()),
        Beam { best: 0, .. } => refuse("0 results are wanted: at least 1 is needed".into()),
        Beam { best, width, .. } if best > width => {
            refuse(format!("{best} results of a beam {width} wide: widen the beam, or ask for fewer"))
        }
        Beam { length_penalty: a, .. } if !(a.is_finite() && a >= 0.0) => {
            refuse(format!("the length penalty is {a}: a number from 0"))
        }
        _ => Ok(()),
    }
}

/// The `width` best that go on from the beams, or, at the greatest length, those that end: by log p, then by beam and token.
fn ranked(scores: &[f32], live: &[Live], beam: Beam, length: usize, width: usize) -> Result<Vec<Candidate>, Error> {
    let vocabulary = scores.len() / live.len();
    if vocabulary == 0 || scores.len() != vocabulary * live.len() || beam.end as usize >= vocabulary {
        let message = format!("a model gave {} scores for {} beams, end token {}", scores.len(), live.len(), beam.end);
        return Err(Error::Refused(message));
    }
    let mut candidates = vec![];
    for (parent, (row, before)) in scores.chunks_exact(vocabulary).zip(live).enumerate() {
        for (token, score) in (0u32..).zip(row) {
            if score.is_nan() {
                return Err(Error::Diverged(format!(
                    "token {} of a sequence: its scores are no numbers (NaN)",
                    length + 1
                )));
            }
            if *score > f32::NEG_INFINITY && (length < beam.longest || token == beam.end) {
                let log_probability = before.log_probability + f64::from(*score);
                candidates.push(Candidate { parent, token, log_probability });
            }
        }
    }
    let order = |a: &Candidate, b: &Candidate| {
        b.log_probability.total_cmp(&a.log_probability).then((a.parent, a.token).cmp(&(b.parent, b.token)))
    };
    if candidates.len() > width {
        candidates.select_nth_unstable_by(width - 1, order);
        candidates.truncate(width);
    }
    candidates.sort_by(order);
    Ok(candidates)
}

/// Whether no beam can still come among the best: log p only falls, and lp is greatest at the greatest length.
fn hopeless(live: &[Live], found: &[Found], beam: Beam) -> bool {
    let Some(most) = live.iter().map(|l| l.log_probability).reduce(f64::max) else { return true };
    let bound = most.min(0.0) / penalty(beam.longest + 1, beam.length_penalty);
    found.iter().filter(|f| f.score > bound).count() >= beam.best
}

/// The best first, then by tokens.
fn order(a: &Found, b: &Found) -> std::cmp::Ordering {
    b.score.total_cmp(&a.score).then_with(|| a.tokens.cmp(&b.tokens))
}

#[cfg(test)]
mod tests {
    use super::*;
    use elman_engine::Random;

    const VOCABULARY: usize = 4;
    const BEGIN: u32 = 0;
    const END: u32 = 3;
    const LONGEST: usize = 5;

    /// Scores drawn by everything before the token; remembers what its beams hold.
    struct Drawn {
        seed: u64,
        beams: Vec<Vec<u32>>,
        calls: usize,
    }

    impl Drawn {
        fn new(seed: u64) -> Drawn {
            Drawn { seed, beams: vec![vec![]], calls: 0 }
        }

        /// log p after a prefix; begin is never said again.
        fn row(&self, prefix: &[u32]) -> Vec<f32> {
            let stream = prefix.iter().fold(1, |n, t| n * 7 + u64::from(*t));
            let mut r = Random::new(self.seed, stream);
            let z: Vec<f64> = (0..VOCABULARY).map(|_| 3.0 * r.uniform()).collect();
            let all = z[1..].iter().map(|z| z.exp()).sum::<f64>().ln();
            (0..VOCABULARY).map(|k| if k == 0 { f32::NEG_INFINITY } else { (z[k] - all) as f32 }).collect()
        }
    }

    impl Step for Drawn {
        fn scores(&mut self, parents: &[usize], tokens: &[u32]) -> Result<Vec<f32>, Error> {
            self.calls += 1;
            let gone_on = |(p, t): (&usize, &u32)| [&self.beams[*p][..], &[*t]].concat();
            self.beams = parents.iter().zip(tokens).map(gone_on).collect();
            Ok(self.beams.iter().flat_map(|b| self.row(b)).collect())
        }
    }

    fn beam(width: usize, best: usize, length_penalty: f64) -> Beam {
        Beam { width, best, length_penalty, longest: LONGEST, begin: BEGIN, end: END }
    }

    /// All sequences that end, by score.
    fn all(model: &Drawn, alpha: f64) -> Vec<Found> {
        let mut found = vec![];
        let mut open = vec![(vec![BEGIN], 0.0)];
        while let Some((prefix, log_p)) = open.pop() {
            let row = model.row(&prefix);
            let ended = log_p + f64::from(row[END as usize]);
            let lp = ((5.0 + prefix.len() as f64) / 6.0).powf(alpha);
            found.push(Found { tokens: prefix[1..].into(), log_probability: ended, score: ended / lp, ended: true });
            if prefix.len() <= LONGEST {
                open.extend((1..END).map(|t| ([&prefix[..], &[t]].concat(), log_p + f64::from(row[t as usize]))));
            }
        }
        found.sort_by(order);
        found
    }

    #[test]
    fn a_wide_beam_is_exhaustive() {
        for seed in 0..20 {
            for alpha in [0.0, 0.6, 1.0] {
                let wanted = all(&Drawn::new(seed), alpha);
                let found = search(&mut Drawn::new(seed), beam(1000, 5, alpha)).unwrap();
                assert_eq!(found, wanted[..5], "{seed} {alpha}");
            }
        }
    }

    #[test]
    fn a_beam_of_one_is_greedy_and_a_wider_one_finds_better() {
        let (mut better, mut calls) = (0, 0);
        for seed in 0..50 {
            let mut model = Drawn::new(seed);
            let found = search(&mut model, beam(1, 1, 0.0)).unwrap();
            calls += model.calls;
            let (mut prefix, mut log_p) = (vec![BEGIN], 0.0);
            loop {
                let row = model.row(&prefix);
                let least = if prefix.len() > LONGEST { END } else { 1 };
                let choice = (least..=END).max_by(|a, b| row[*a as usize].total_cmp(&row[*b as usize])).unwrap();
                log_p += f64::from(row[choice as usize]);
                if choice == END {
                    break;
                }
                prefix.push(choice);
            }
            assert_eq!((&found[0].tokens[..], found[0].log_probability), (&prefix[1..], log_p));
            assert!(found[0].ended);
            let wide = search(&mut Drawn::new(seed), beam(8, 8, 0.0)).unwrap();
            assert!(wide.windows(2).all(|w| w[0].score >= w[1].score));
            better += usize::from(wide[0].score > found[0].score);
        }
        assert!(better > 10 && calls < 50 * (LONGEST + 1), "{better} {calls}");
    }

    /// Says the same at every step, whatever was before.
    struct Same(Vec<f32>);

    impl Step for Same {
        fn scores(&mut self, parents: &[usize], _: &[u32]) -> Result<Vec<f32>, Error> {
            Ok(parents.iter().flat_map(|_| self.0.clone()).collect())
        }
    }

    #[test]
    fn what_scores_the_same_comes_in_the_order_of_its_tokens() {
        let found = search(&mut Same(vec![f32::NEG_INFINITY, -1.0, -1.0, -1.0]), beam(4, 4, 1.0)).unwrap();
        let again = search(&mut Same(vec![f32::NEG_INFINITY, -1.0, -1.0, -1.0]), beam(4, 4, 1.0)).unwrap();
        assert_eq!(found, again);
        assert!(found.windows(2).all(|f| order(&f[0], &f[1]).is_lt()));
    }

    #[test]
    fn what_never_ends_is_cut() {
        let never = || Same(vec![f32::NEG_INFINITY, -0.5, -2.0, f32::NEG_INFINITY]);
        let found = search(&mut never(), beam(2, 2, 1.0)).unwrap();
        assert_eq!(found.iter().map(|f| (f.tokens.len(), f.ended)).collect::<Vec<_>>(), [(LONGEST, false); 2]);
        assert_eq!(found[0].log_probability, -0.5 * LONGEST as f64);
        // An end that is forced at the greatest length leaves nothing cut behind.
        let late = search(&mut Same(vec![f32::NEG_INFINITY, -0.5, -2.0, -50.0]), beam(2, 2, 1.0)).unwrap();
        assert!(late.iter().all(|f| f.ended && f.tokens.len() == LONGEST) && late.len() == 2);
    }

    #[test]
    fn what_makes_no_search_is_refused() {
        let model = || Same(vec![0.0, -1.0, -1.0, -1.0]);
        let refused = |beam: Beam| search(&mut model(), beam).is_err();
        assert!(refused(beam(0, 1, 0.0)) && refused(beam(1, 0, 0.0)) && refused(beam(1, 2, 0.0)));
        assert!(refused(beam(1, 1, -1.0)) && refused(beam(1, 1, f64::NAN)));
        assert!(refused(Beam { end: 4, ..beam(1, 1, 0.0) }));
        assert!(search(&mut Same(vec![0.0, f32::NAN, 0.0, 0.0]), beam(1, 1, 0.0)).is_err());
        assert!(search(&mut Same(vec![]), beam(1, 1, 0.0)).is_err());
    }
}
