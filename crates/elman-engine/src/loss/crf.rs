//! A linear-chain conditional random field. Lafferty, McCallum & Pereira 2001; above a recurrent network: Huang, Xu & Yu
//! 2015, arXiv:1508.01991.
//!
//!   s(y) = a[y₁] + Σₜ zₜ[yₜ] + Σₜ A[yₜ₋₁, yₜ] + b[y_T]          L = log Z − s(target),   Z = Σ_y exp s(y)
//!   αₜ(j) = zₜ[j] + log Σᵢ exp(αₜ₋₁(i) + A[i, j])              βₜ(i) = log Σⱼ exp(A[i, j] + zₜ₊₁[j] + βₜ₊₁(j))
//!   p(yₜ = j) = exp(αₜ(j) + βₜ(j) − log Z)       p(yₜ = i, yₜ₊₁ = j) = exp(αₜ(i) + A[i, j] + zₜ₊₁[j] + βₜ₊₁(j) − log Z)
//!   ∂L/∂zₜ[j] = p(yₜ = j) − [targetₜ = j], and likewise A by the pairs, a by the first tag and b by the last
//!
//! One sequence a call, on the calling thread, in f64 and in the order of the steps and tags. A score of −∞ forbids a tag
//! or a pair; where all paths are forbidden the loss is NaN.

use elman_kernel::Real;

use super::log_sum_exp;
use crate::error::{EngineError, check};

/// The scores of tags that follow each other: A, a and b.
#[derive(Clone, Debug, PartialEq)]
pub struct Crf {
    tags: usize,
    transitions: Vec<f64>,
    start: Vec<f64>,
    end: Vec<f64>,
}

/// Where gradients go. Those of the scores are added to what is there, so that sequences can follow one another.
pub struct CrfGradients<'a, T> {
    /// By z, [steps, tags]: written.
    pub emissions: &'a mut [T],
    /// By A, [tags, tags]: added to.
    pub transitions: &'a mut [T],
    /// By a, `[tags]`: added to.
    pub start: &'a mut [T],
    /// By b, `[tags]`: added to.
    pub end: &'a mut [T],
}

/// α and β of a sequence, [steps, tags], and log Z.
struct Sums {
    alpha: Vec<f64>,
    beta: Vec<f64>,
    log_z: f64,
}

impl Crf {
    /// Takes A, [tags, tags], where A[i, j] is the score of tag j after tag i, and a and b, `[tags]`, the scores of the
    /// first and the last tag.
    ///
    /// # Errors
    /// No tags, slices of other lengths.
    pub fn new<T: Real>(transitions: &[T], start: &[T], end: &[T]) -> Result<Crf, EngineError> {
        let tags = start.len();
        if tags == 0 {
            return Err(EngineError::Zero { what: "tags" });
        }
        check("end scores", end.len(), tags)?;
        let pairs = tags.checked_mul(tags).ok_or_else(|| EngineError::Overflow { what: "transitions".into() })?;
        check("transitions", transitions.len(), pairs)?;
        Ok(Crf { tags, transitions: wide(transitions), start: wide(start), end: wide(end) })
    }

    /// L of one sequence, in nats: `emissions` is z, [steps, tags], `target` a tag a step.
    ///
    /// # Errors
    /// No steps, slices of other lengths, a target that is no tag.
    pub fn loss<T: Real>(&self, emissions: &[T], target: &[u32]) -> Result<f64, EngineError> {
        let z = self.checked(emissions)?;
        self.check_target(target, z.len())?;
        Ok(self.log_z(&self.alpha(&z)) - self.score(&z, target))
    }

    /// L, and the gradients of `scale` times it.
    ///
    /// # Errors
    /// As [`Crf::loss`].
    pub fn loss_and_gradients<T: Real>(
        &self,
        emissions: &[T],
        target: &[u32],
        scale: f64,
        into: CrfGradients<'_, T>,
    ) -> Result<f64, EngineError> {
        let z = self.checked(emissions)?;
        self.check_target(target, z.len())?;
        check("d emissions", into.emissions.len(), z.len())?;
        check("d transitions", into.transitions.len(), self.transitions.len())?;
        check("d start scores", into.start.len(), self.tags)?;
        check("d end scores", into.end.len(), self.tags)?;
        let sums = self.sums(&z);
        let mut d = sums.marginals();
        target.iter().zip(d.chunks_exact_mut(self.tags)).for_each(|(y, d)| d[*y as usize] -= 1.0);
        let last = d.len() - self.tags;
        add(into.start, &d[..self.tags], scale);
        add(into.end, &d[last..], scale);
        into.emissions.iter_mut().zip(&d).for_each(|(to, d)| *to = T::from_f64(scale * d));
        add(into.transitions, &self.pairs(&z, &sums, target), scale);
        Ok(sums.log_z - self.score(&z, target))
    }

    /// p(yₜ = j) under all paths: [steps, tags] → [steps, tags].
    ///
    /// # Errors
    /// No steps, a slice that is no whole number of steps.
    pub fn marginals<T: Real>(&self, emissions: &[T]) -> Result<Vec<f64>, EngineError> {
        Ok(self.sums(&self.checked(emissions)?).marginals())
    }

    /// The path of the highest score, and s of it (Viterbi 1967). Of equal paths it takes the lower tag, from the last
    /// step back.
    ///
    /// # Errors
    /// As [`Crf::marginals`].
    pub fn best<T: Real>(&self, emissions: &[T]) -> Result<(Vec<u32>, f64), EngineError> {
        let z = self.checked(emissions)?;
        let mut rows = z.chunks_exact(self.tags);
        let first = rows.next().unwrap_or_default();
        let mut scores: Vec<f64> = first.iter().zip(&self.start).map(|(z, a)| z + a).collect();
        let mut before = vec![];
        for row in rows {
            let came = |j: usize| first_largest((0..self.tags).map(|i| scores[i] + self.pair(i, j)));
            let (from, most): (Vec<u32>, Vec<f64>) = (0..self.tags).map(came).unzip();
            scores = row.iter().zip(most).map(|(z, m)| z + m).collect();
            before.push(from);
        }
        let (last, score) = first_largest(scores.iter().zip(&self.end).map(|(s, b)| s + b));
        let mut path = vec![last];
        for from in before.iter().rev() {
            path.push(from[path[path.len() - 1] as usize]);
        }
        path.reverse();
        Ok((path, score))
    }

    fn pair(&self, i: usize, j: usize) -> f64 {
        self.transitions[i * self.tags + j]
    }

    /// s(path)
    fn score(&self, z: &[f64], path: &[u32]) -> f64 {
        let own = path.iter().zip(z.chunks_exact(self.tags)).map(|(y, z)| z[*y as usize]).sum::<f64>();
        let pairs = path.windows(2).map(|y| self.pair(y[0] as usize, y[1] as usize)).sum::<f64>();
        let ends =
            path.first().map_or(0.0, |y| self.start[*y as usize]) + path.last().map_or(0.0, |y| self.end[*y as usize]);
        own + pairs + ends
    }

    fn alpha(&self, z: &[f64]) -> Vec<f64> {
        let mut alpha: Vec<f64> = z.iter().zip(&self.start).map(|(z, a)| z + a).collect();
        for row in z.chunks_exact(self.tags).skip(1) {
            let before = alpha.len() - self.tags;
            for (j, z) in row.iter().enumerate() {
                let all = log_sum_exp((0..self.tags).map(|i| alpha[before + i] + self.pair(i, j)));
                alpha.push(z + all);
            }
        }
        alpha
    }

    fn beta(&self, z: &[f64]) -> Vec<f64> {
        let mut beta = vec![0.0; z.len()];
        let last = z.len() - self.tags;
        beta[last..].copy_from_slice(&self.end);
        for at in (0..last).step_by(self.tags).rev() {
            for i in 0..self.tags {
                let next = at + self.tags;
                beta[at + i] = log_sum_exp((0..self.tags).map(|j| self.pair(i, j) + z[next + j] + beta[next + j]));
            }
        }
        beta
    }

    fn log_z(&self, alpha: &[f64]) -> f64 {
        log_sum_exp(alpha[alpha.len() - self.tags..].iter().zip(&self.end).map(|(a, b)| a + b))
    }

    fn sums(&self, z: &[f64]) -> Sums {
        let alpha = self.alpha(z);
        let log_z = self.log_z(&alpha);
        Sums { alpha, beta: self.beta(z), log_z }
    }

    /// Σₜ p(yₜ = i, yₜ₊₁ = j) − [targetₜ = i, targetₜ₊₁ = j], [tags, tags].
    fn pairs(&self, z: &[f64], sums: &Sums, target: &[u32]) -> Vec<f64> {
        let mut d = vec![0.0; self.transitions.len()];
        for (at, y) in (0..z.len()).step_by(self.tags).zip(target.windows(2)) {
            for i in 0..self.tags {
                for j in 0..self.tags {
                    let next = at + self.tags + j;
                    let path = sums.alpha[at + i] + self.pair(i, j) + z[next] + sums.beta[next];
                    d[i * self.tags + j] += (path - sums.log_z).exp();
                }
            }
            d[y[0] as usize * self.tags + y[1] as usize] -= 1.0;
        }
        d
    }

    /// z in f64, at least one step of it.
    fn checked<T: Real>(&self, emissions: &[T]) -> Result<Vec<f64>, EngineError> {
        if emissions.is_empty() {
            return Err(EngineError::Zero { what: "steps" });
        }
        check("emissions", emissions.len(), emissions.len().next_multiple_of(self.tags))?;
        Ok(wide(emissions))
    }

    fn check_target(&self, target: &[u32], emissions: usize) -> Result<(), EngineError> {
        check("target tags", target.len(), emissions / self.tags)?;
        match target.iter().find(|y| **y as usize >= self.tags) {
            None => Ok(()),
            Some(y) => Err(EngineError::Unsupported(format!("target {y} is none of the {} tags", self.tags))),
        }
    }
}

impl Sums {
    fn marginals(&self) -> Vec<f64> {
        self.alpha.iter().zip(&self.beta).map(|(a, b)| (a + b - self.log_z).exp()).collect()
    }
}

/// The first of the largest, and its place; the first of all where there is none.
fn first_largest(values: impl Iterator<Item = f64>) -> (u32, f64) {
    let best = values.zip(0u32..).reduce(|best, x| if x.0 > best.0 { x } else { best });
    best.map_or((0, f64::NEG_INFINITY), |(value, place)| (place, value))
}

fn wide<T: Real>(values: &[T]) -> Vec<f64> {
    values.iter().map(|x| x.to_f64()).collect()
}

/// to ← to + scale · d
fn add<T: Real>(to: &mut [T], d: &[f64], scale: f64) {
    to.iter_mut().zip(d).for_each(|(to, d)| *to = T::from_f64(to.to_f64() + scale * d));
}

#[cfg(test)]
mod tests;
