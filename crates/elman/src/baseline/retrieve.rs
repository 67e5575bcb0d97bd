//! Documents for a query by cosine similarity of TF-IDF rows: of words, or of n-grams of characters, which find names and
//! cognates across languages too.
//!
//!   score(q, d) = q · d        q, d: rows of length 1 (`ngrams::features`), n-grams that occur in documents alone

use super::BaselineError;
use super::ngrams::features::{Columns, Features, Weights};
use crate::metrics::MetricError;
use crate::metrics::ranking::{Ranking, rank_of, ranking};

/// Single words by TF-IDF.
pub const WORDS: Features = Features { words: 1, characters: 0, positions: 0, weights: Weights::TfIdf, least: 1 };
/// n-grams of 2 to 4 characters by TF-IDF.
pub const CHARACTERS: Features = Features { words: 0, characters: 4, positions: 0, weights: Weights::TfIdf, least: 1 };

/// Documents that can be asked for.
#[derive(Clone, Debug)]
pub struct Index {
    columns: Columns,
    /// For each column the documents it occurs in, with its value there.
    postings: Vec<Vec<(u32, f32)>>,
    documents: usize,
}

impl Index {
    /// Indexes `documents`.
    ///
    /// # Errors
    /// No document.
    pub fn of<S: AsRef<str>>(features: Features, documents: &[S]) -> Result<Index, BaselineError> {
        if documents.is_empty() {
            return Err(BaselineError::Empty { part: "document" });
        }
        let texts = || documents.iter().map(AsRef::as_ref);
        let columns = Columns::of(features, texts());
        let rows = columns.rows(texts());
        let mut postings = vec![Vec::new(); columns.len()];
        for document in 0..rows.len() {
            let (places, values) = rows.row(document);
            for (place, value) in places.iter().zip(values) {
                postings[*place as usize].push((document as u32, *value));
            }
        }
        Ok(Index { columns, postings, documents: documents.len() })
    }

    /// The score of each document for `query`, 0 to 1.
    pub fn scores(&self, query: &str) -> Vec<f64> {
        let mut scores = vec![0.0; self.documents];
        let row = self.columns.rows([query]);
        let (places, values) = row.row(0);
        for (place, value) in places.iter().zip(values) {
            for (document, theirs) in &self.postings[*place as usize] {
                scores[*document as usize] += f64::from(*value) * f64::from(*theirs);
            }
        }
        scores
    }

    /// The best `count` documents with their scores; of equal ones the first.
    pub fn best(&self, query: &str, count: usize) -> Vec<(usize, f64)> {
        let mut all: Vec<(usize, f64)> = self.scores(query).into_iter().enumerate().collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        all.truncate(count);
        all
    }

    /// How well the index does on queries of which each has one relevant document, by its place.
    ///
    /// # Errors
    /// No query, or a document that is not in the index.
    pub fn evaluate<S: AsRef<str>>(&self, queries: &[(S, usize)], cutoffs: &[usize]) -> Result<Ranking, MetricError> {
        let mut ranks = Vec::with_capacity(queries.len());
        for (example, (query, relevant)) in queries.iter().enumerate() {
            let rank = rank_of(&self.scores(query.as_ref()), *relevant);
            ranks.push([rank.ok_or(MetricError::Lacks { example: example + 1, what: "relevant document" })?]);
        }
        ranking(&ranks, cutoffs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_words_find_their_document() {
        let documents = ["the cat sat on the mat", "the dog sat by the door", "a Bird sang"];
        let words = Index::of(WORDS, &documents).unwrap();
        assert_eq!(words.best("the dog", 2).iter().map(|(d, _)| *d).collect::<Vec<_>>(), [1, 0]);
        assert!((words.scores("a bird sang")[2] - 1.0).abs() < 1e-6);
        assert_eq!(words.scores("nothing known"), [0.0; 3]);
        let characters = Index::of(CHARACTERS, &documents).unwrap();
        assert_eq!(characters.best("birds", 1)[0].0, 2);
        let queries = [("cat", 0), ("dogs", 1), ("bird", 2)];
        // What nothing is known of ranks last: equal scores count against it.
        assert_eq!(words.evaluate(&queries, &[1]).unwrap().mrr, (1.0 + 1.0 / 3.0 + 1.0) / 3.0);
        assert_eq!(characters.evaluate(&queries, &[1]).unwrap().recall[0].value, 1.0);
        assert!(words.evaluate(&[("cat", 3)], &[1]).is_err());
        assert!(Index::of(WORDS, &[] as &[&str]).is_err());
    }
}
