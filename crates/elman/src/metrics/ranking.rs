//! Documents in an order, some of them relevant: recall@k, mean reciprocal rank, nDCG.
//!
//!   recall@k = relevant among the first k / relevant        reciprocal rank = 1 / rank of the first relevant
//!   nDCG = Σ 1/log₂(1 + rank) over the relevant, divided by what the best order has (Järvelin & Kekäläinen 2002, gains 0 and 1)
//!
//! All are means over queries.

use super::{MetricError, paired};
use serde::Serialize;

/// All figures of a ranking.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ranking {
    /// Queries scored.
    pub queries: usize,
    /// For each cutoff that was asked for.
    pub recall: Vec<AtCutoff>,
    /// Mean reciprocal rank.
    pub mrr: f64,
    /// Over the whole order.
    pub ndcg: f64,
    /// Over the first k, for each cutoff that was asked for.
    pub ndcg_at: Vec<AtCutoff>,
    /// The middle of the ranks of the first relevant document, from 1.
    pub median_rank: f64,
}

/// A figure of the first k documents.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AtCutoff {
    /// How many documents are looked at.
    pub k: usize,
    /// The figure.
    pub value: f64,
}

/// The rank, from 1, that `scores` give to document `relevant`; of equal scores it is the last, so that a model which
/// scores all alike gains nothing. NaN ranks behind all.
pub fn rank_of(scores: &[f64], relevant: usize) -> Option<usize> {
    let own = *scores.get(relevant)?;
    let ahead = |(d, s): (usize, &f64)| d != relevant && (*s >= own || own.is_nan());
    Some(1 + scores.iter().enumerate().filter(|(d, s)| ahead((*d, s))).count())
}

/// Scores the orders of several queries. `ranks`: for each query, the ranks (from 1) of its relevant documents.
///
/// # Errors
/// No query, a query without a relevant document, or a rank of 0.
pub fn ranking<R: AsRef<[usize]>>(ranks: &[R], cutoffs: &[usize]) -> Result<Ranking, MetricError> {
    paired(ranks.len(), ranks.len(), "queries")?;
    let mut all = Vec::with_capacity(ranks.len());
    for (i, query) in ranks.iter().enumerate() {
        let mut query = query.as_ref().to_vec();
        query.sort_unstable();
        match query.first() {
            None => return Err(MetricError::Lacks { example: i + 1, what: "relevant document" }),
            Some(0) => return Err(MetricError::Rank { example: i + 1 }),
            Some(_) => all.push(query),
        }
    }
    let mean = |of: &dyn Fn(&[usize]) -> f64| all.iter().map(|q| of(q)).sum::<f64>() / all.len() as f64;
    let at = |of: &dyn Fn(&[usize], usize) -> f64| {
        cutoffs.iter().map(|&k| AtCutoff { k, value: mean(&|q| of(q, k)) }).collect::<Vec<_>>()
    };
    Ok(Ranking {
        queries: all.len(),
        recall: at(&|q, k| q.iter().filter(|r| **r <= k).count() as f64 / q.len() as f64),
        mrr: mean(&|q| 1.0 / q[0] as f64),
        ndcg: mean(&|q| ndcg(q, usize::MAX)),
        ndcg_at: at(&ndcg),
        median_rank: median(all.iter().map(|q| q[0]).collect()),
    })
}

fn ndcg(ranks: &[usize], k: usize) -> f64 {
    let gain = |rank: usize| 1.0 / (1.0 + rank as f64).log2();
    let best: f64 = (1..=ranks.len().min(k)).map(gain).sum();
    // A sum of nothing is −0 in Rust.
    let gained = ranks.iter().filter(|r| **r <= k).fold(0.0, |sum, r| sum + gain(*r));
    if best > 0.0 { gained / best } else { 0.0 }
}

fn median(mut ranks: Vec<usize>) -> f64 {
    ranks.sort_unstable();
    let (low, high) = (ranks[(ranks.len() - 1) / 2], ranks[ranks.len() / 2]);
    (low as f64 + high as f64) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_three_queries_by_hand() {
        let r = ranking(&[vec![1], vec![4, 2], vec![12]], &[1, 3, 10]).unwrap();
        let recall: Vec<f64> = r.recall.iter().map(|a| a.value).collect();
        assert_eq!(recall, [1.0 / 3.0, 0.5, 2.0 / 3.0]);
        assert!((r.mrr - (1.0 + 0.5 + 1.0 / 12.0) / 3.0).abs() < 1e-15);
        let second = (1.0 / 3f64.log2() + 1.0 / 5f64.log2()) / (1.0 + 1.0 / 3f64.log2());
        assert!((r.ndcg - (1.0 + second + 1.0 / 13f64.log2()) / 3.0).abs() < 1e-15);
        let third = (1.0 + (1.0 / 3f64.log2()) / (1.0 + 1.0 / 3f64.log2())) / 3.0;
        assert!((r.ndcg_at[1].value - third).abs() < 1e-15);
        assert_eq!((r.queries, r.median_rank), (3, 2.0));
    }

    #[test]
    fn equal_scores_count_against_the_model() {
        assert_eq!(rank_of(&[0.5, 0.5, 0.7, 0.1], 0), Some(3));
        assert_eq!(rank_of(&[f64::NAN, 0.1, f64::NAN], 0), Some(3));
        assert_eq!(rank_of(&[1.0], 1), None);
        assert!(ranking(&[vec![0]], &[1]).is_err() && ranking(&[Vec::new()], &[1]).is_err());
        assert!(ranking::<Vec<usize>>(&[], &[1]).is_err());
    }
}
