//! What is measured of a ranker, and how it is shown.

use super::data::Collection;
use crate::error::Error;
use crate::metrics::Estimate;
use crate::metrics::ranking::{Ranking, rank_of, ranking};
use crate::report::{Sample, Section};
use crate::task::words::split;
use crate::task::{Against, Beside, Shown};
use std::sync::atomic::{AtomicBool, Ordering};

/// Queries that a person is shown.
const SHOWN: usize = 15;

/// What a query finds.
pub struct Order {
    /// The ranks of the documents that answer it, from 1.
    pub ranks: Vec<usize>,
    /// The first document.
    pub first: Option<usize>,
}

/// What each query finds by its scores of documents; none if `stop` was raised.
pub fn orders(
    c: &Collection,
    mut scores: impl FnMut(usize) -> Result<Vec<f64>, Error>,
    stop: &AtomicBool,
) -> Result<Option<Vec<Order>>, Error> {
    let mut orders = vec![];
    for (q, relevant) in c.relevant.iter().enumerate() {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let scores = scores(q)?;
        let first = (0..scores.len()).reduce(|best, d| if scores[d] > scores[best] { d } else { best });
        orders.push(Order { ranks: relevant.iter().filter_map(|d| rank_of(&scores, *d)).collect(), first });
    }
    Ok(Some(orders))
}

/// The figures of all orders.
pub fn measure(orders: &[Order]) -> Result<Ranking, Error> {
    let ranks: Vec<&[usize]> = orders.iter().map(|o| o.ranks.as_slice()).collect();
    Ok(ranking(&ranks, &[1, 10])?)
}

/// The names that `values` gives.
const FIGURES: [&str; 5] = ["mrr", "recall@1", "recall@10", "ndcg@10", "median_rank"];

/// The figures that a run is compared by.
pub fn values(r: &Ranking) -> Vec<(String, f64)> {
    let all = [r.mrr, r.recall[0].value, r.recall[1].value, r.ndcg_at[1].value, r.median_rank];
    FIGURES.iter().map(|name| name.to_string()).zip(all).collect()
}

/// Words of a query.
pub fn words(query: &str) -> usize {
    split(query).count()
}

/// Intervals by drawing queries again and again; the mean reciprocal rank against length; some queries.
pub fn shown(c: &Collection, orders: &[Order], baselines: &[(String, Ranking)]) -> Shown {
    let best = |o: &Order| o.ranks.iter().copied().min().unwrap_or(usize::MAX);
    let mean = |of: &dyn Fn(&Order) -> f64| {
        let each: Vec<f64> = orders.iter().map(of).collect();
        Estimate::bootstrap(each.len(), |drawn| {
            drawn.iter().map(|i| each[*i as usize]).sum::<f64>() / drawn.len().max(1) as f64
        })
    };
    let recall = |o: &Order, k: usize| o.ranks.iter().filter(|r| **r <= k).count() as f64 / o.ranks.len().max(1) as f64;
    let lengths = c.queries.iter().map(|query| words(query)).collect();
    let sample = |q: usize| {
        let wanted = c.relevant[q].first().map(|d| c.documents[*d].clone());
        let found = orders[q].first.map_or("", |d| c.documents[d].as_str());
        // Of several that are wanted, the one that was found.
        let hit = orders[q].first.filter(|d| c.relevant[q].contains(d)).map(|d| c.documents[d].clone());
        Sample { wanted: hit.or(wanted), ..Sample::of(&c.queries[q], found) }
    };
    let count = SHOWN.min(orders.len());
    let samples = (0..count).map(|k| sample(k * orders.len() / count)).collect();
    Shown {
        intervals: vec![
            ("mrr", mean(&|o| 1.0 / best(o) as f64)),
            ("recall@1", mean(&|o| recall(o, 1))),
            ("recall@10", mean(&|o| recall(o, 10))),
        ],
        baselines: baselines.iter().map(|(name, r)| Beside { name: name.clone(), values: values(r) }).collect(),
        against: Some(Against::shares("MRR", lengths, orders.iter().map(|o| [1.0 / best(o) as f64, 1.0]))),
        sections: vec![Section::samples("Queries", ["query", "wanted", "found"], samples)],
        ..Shown::default()
    }
}
