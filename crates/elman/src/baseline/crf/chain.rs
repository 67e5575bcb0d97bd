//! The arithmetic of a linear chain: likelihood, gradient, best tags. Lafferty, McCallum & Pereira 2001; scaled sums as in
//! Rabiner 1989.
//!
//!   p(t | x) ∝ exp Σᵢ ( W[xᵢ, tᵢ] + A[tᵢ₋₁, tᵢ] )        W[xᵢ, t]: the sum of the weights of word i's features for tag t
//!
//! A row of A behind the others stands for the beginning of the sentence.

/// Weights: [features, tags], then A [tags + 1, tags].
#[derive(Clone, Copy)]
pub(super) struct Chain<'a> {
    pub tags: usize,
    pub weights: &'a [f64],
}

/// A sentence: the features of each word, and the tags.
pub(super) struct Coded {
    pub words: Vec<Vec<u32>>,
    pub tags: Vec<usize>,
}

impl Chain<'_> {
    /// Where A begins.
    fn transitions(&self) -> usize {
        self.weights.len() - (self.tags + 1) * self.tags
    }

    /// W[xᵢ, ·] of each word: [words, tags].
    fn emissions(&self, words: &[Vec<u32>]) -> Vec<f64> {
        let mut all = vec![0.0; words.len() * self.tags];
        for (sums, features) in all.chunks_exact_mut(self.tags).zip(words) {
            for feature in features {
                let w = &self.weights[*feature as usize * self.tags..][..self.tags];
                sums.iter_mut().zip(w).for_each(|(s, w)| *s += w);
            }
        }
        all
    }

    /// exp A: the same for all sentences of a pass.
    pub fn exponentials(&self) -> Vec<f64> {
        self.weights[self.transitions()..].iter().map(|a| a.exp()).collect()
    }

    /// − ln p(tags | words); its gradient is added to `gradient`. `m` is exp A.
    pub fn loss(&self, sentence: &Coded, m: &[f64], gradient: &mut [f64]) -> f64 {
        let (tags, words) = (self.tags, sentence.words.len());
        if words == 0 {
            return 0.0;
        }
        let mut e = self.emissions(&sentence.words);
        let own = self.score(&e, &sentence.tags);
        let mut log_sum = 0.0;
        for row in e.chunks_exact_mut(tags) {
            let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            row.iter_mut().for_each(|x| *x = (*x - most).exp());
            log_sum += most;
        }
        let (alpha, c) = forward(&e, m, tags);
        log_sum += c.iter().map(|c| c.ln()).sum::<f64>();
        let base = self.transitions();
        let mut beta = vec![1.0; tags];
        for i in (0..words).rev() {
            let (tag, here) = (sentence.tags[i], &alpha[i * tags..][..tags]);
            let mut marginal: Vec<f64> = here.iter().zip(&beta).map(|(a, b)| a * b).collect();
            marginal[tag] -= 1.0;
            for feature in &sentence.words[i] {
                let g = &mut gradient[*feature as usize * tags..][..tags];
                g.iter_mut().zip(&marginal).for_each(|(g, p)| *g += p);
            }
            let behind: Vec<f64> = e[i * tags..][..tags].iter().zip(&beta).map(|(e, b)| e * b / c[i]).collect();
            let before = if i == 0 { tags } else { sentence.tags[i - 1] };
            gradient[base + before * tags + tag] -= 1.0;
            let mut add = |s: usize, alpha: f64| -> f64 {
                let (g, m) = (&mut gradient[base + s * tags..][..tags], &m[s * tags..][..tags]);
                let mut sum = 0.0;
                for ((g, m), b) in g.iter_mut().zip(m).zip(&behind) {
                    sum += m * b;
                    *g += alpha * m * b;
                }
                sum
            };
            match i {
                0 => drop(add(tags, 1.0)),
                _ => beta = (0..tags).map(|s| add(s, alpha[(i - 1) * tags + s])).collect(),
            }
        }
        log_sum - own
    }

    /// The exponent of `tags`.
    fn score(&self, emissions: &[f64], tags: &[usize]) -> f64 {
        let (mut before, mut sum) = (self.tags, 0.0);
        for (row, tag) in emissions.chunks_exact(self.tags).zip(tags) {
            sum += row[*tag] + self.weights[self.transitions() + before * self.tags + tag];
            before = *tag;
        }
        sum
    }

    /// The most probable tags. Viterbi 1967; of equal ones those with the lower numbers at the end.
    pub fn best(&self, words: &[Vec<u32>]) -> Vec<usize> {
        let (tags, base) = (self.tags, self.transitions());
        let a = |s: usize, t: usize| self.weights[base + s * tags + t];
        let mut back: Vec<usize> = Vec::with_capacity(words.len() * tags);
        let mut scores: Vec<f64> = Vec::new();
        for row in self.emissions(words).chunks_exact(tags) {
            let mut next = Vec::with_capacity(tags);
            for (t, emission) in row.iter().enumerate() {
                let reach = |s: usize| scores[s] + a(s, t);
                let (from, score) = match scores.is_empty() {
                    true => (0, a(tags, t)),
                    false => {
                        let from = (1..tags).fold(0, |best, s| if reach(s) > reach(best) { s } else { best });
                        (from, reach(from))
                    }
                };
                back.push(from);
                next.push(score + emission);
            }
            scores = next;
        }
        let mut tag = (1..scores.len()).fold(0, |best, t| if scores[t] > scores[best] { t } else { best });
        let mut found = Vec::with_capacity(words.len());
        for i in (0..words.len()).rev() {
            found.push(tag);
            tag = back[i * tags + tag];
        }
        found.reverse();
        found
    }
}

/// Sums over all tags so far, each row scaled to the sum 1: [words, tags]; and what each was divided by.
fn forward(e: &[f64], m: &[f64], tags: usize) -> (Vec<f64>, Vec<f64>) {
    let (mut alpha, mut c): (Vec<f64>, Vec<f64>) = (Vec::with_capacity(e.len()), Vec::new());
    for (i, e) in e.chunks_exact(tags).enumerate() {
        let mut row = vec![0.0; tags];
        let mut add = |s: usize, factor: f64| row.iter_mut().zip(&m[s * tags..]).for_each(|(r, m)| *r += factor * m);
        match i {
            0 => add(tags, 1.0),
            _ => (0..tags).for_each(|s| add(s, alpha[(i - 1) * tags + s])),
        }
        row.iter_mut().zip(e).for_each(|(r, e)| *r *= e);
        let sum: f64 = row.iter().sum();
        alpha.extend(row.iter().map(|r| r / sum));
        c.push(sum);
    }
    (alpha, c)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAGS: usize = 3;

    fn made() -> (Vec<f64>, Coded) {
        let weights = (0..4 * TAGS + (TAGS + 1) * TAGS).map(|i| ((i * 7919) % 17) as f64 / 5.0 - 1.6).collect();
        (weights, Coded { words: vec![vec![0, 2], vec![1], vec![2, 3], vec![0]], tags: vec![2, 0, 1, 1] })
    }

    /// Every sequence of tags with its exponent.
    fn all(chain: &Chain, words: &[Vec<u32>]) -> Vec<(Vec<usize>, f64)> {
        let e = chain.emissions(words);
        let of = |k: usize| (0..words.len()).map(|i| k / TAGS.pow(i as u32) % TAGS).collect::<Vec<_>>();
        (0..TAGS.pow(words.len() as u32)).map(|k| (of(k), chain.score(&e, &of(k)))).collect()
    }

    #[test]
    fn likelihood_and_best_tags_are_those_of_all_sequences() {
        let (weights, sentence) = made();
        let chain = Chain { tags: TAGS, weights: &weights };
        let every = all(&chain, &sentence.words);
        let log_sum = every.iter().map(|(_, s)| s.exp()).sum::<f64>().ln();
        let own = every.iter().find(|(tags, _)| *tags == sentence.tags).unwrap().1;
        let loss = chain.loss(&sentence, &chain.exponentials(), &mut vec![0.0; weights.len()]);
        assert!((loss - (log_sum - own)).abs() < 1e-12, "{loss} {}", log_sum - own);
        let best = every.iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
        assert_eq!(chain.best(&sentence.words), best.0);
        assert!(chain.best(&[]).is_empty());
    }

    #[test]
    fn the_gradient_is_that_of_differences() {
        let (weights, sentence) = made();
        let loss = |w: &[f64], g: &mut [f64]| {
            let chain = Chain { tags: TAGS, weights: w };
            chain.loss(&sentence, &chain.exponentials(), g)
        };
        let mut gradient = vec![0.0; weights.len()];
        loss(&weights, &mut gradient);
        for i in 0..weights.len() {
            let moved = |by: f64| {
                let mut w = weights.clone();
                w[i] += by;
                loss(&w, &mut vec![0.0; weights.len()])
            };
            let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((difference - gradient[i]).abs() < 1e-8, "{i}: {} {difference}", gradient[i]);
        }
    }
}
