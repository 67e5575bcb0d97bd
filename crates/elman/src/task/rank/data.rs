//! Files of pairs → queries, documents, and which belong together.

use crate::data::Pairs;
use crate::data::pairs::Columns;
use crate::data::table::Reading;
use crate::error::Error;
use crate::task::settings::Settings;
use crate::task::{Part, held_out};
use std::collections::HashMap;

/// Pairs of a query and a document that answers it, per part.
#[derive(Clone, Debug, Default)]
pub struct Raw {
    parts: [Vec<(String, String)>; 3],
    /// What was decided unasked while reading.
    pub remarks: Vec<String>,
    /// The columns of the tables, asked for or found.
    pub columns: Columns,
}

impl Raw {
    /// Those of a part.
    pub fn of(&self, part: Part) -> &[(String, String)] {
        &self.parts[part as usize]
    }

    /// Training and validation pairs, as bytes.
    pub fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        let pairs = self.of(Part::Train).iter().chain(self.of(Part::Valid));
        pairs.flat_map(|(q, d)| q.bytes().chain([0]).chain(d.bytes()).chain([0]))
    }
}

/// Reads all files of the settings; a part that has no file is a tenth of the training pairs.
///
/// # Errors
/// What the readers say; files that do not belong together; too few pairs.
pub fn read(settings: &Settings) -> Result<Raw, Error> {
    let d = &settings.data;
    let columns = Columns { source: d.source.clone(), target: d.target.clone() };
    let mut raw = Raw { columns, ..Raw::default() };
    let files = d.train.len() + d.valid.len() + d.test.len();
    if !d.beside.is_empty() && d.beside.len() != files && d.beside.len() != d.train.len() + d.valid.len() {
        let (found, way) = (d.beside.len(), "name one for each file of --data, --valid and --test, in this order");
        return Err(Error::Refused(format!("--documents names {found} files beside {files}: {way}")));
    }
    let mut beside = d.files_beside();
    for (files, part) in [(&d.train, Part::Train), (&d.valid, Part::Valid), (&d.test, Part::Test)] {
        for file in files {
            let pairs = match beside.next().flatten() {
                Some(documents) => Pairs::read_aligned(file, documents, d.encoding.as_deref())?,
                None => {
                    let reading = Reading { encoding: d.encoding.clone(), ..Reading::default() };
                    let pairs = Pairs::read(file, &raw.columns, &reading)?;
                    // Columns that were found in the first file are those of all.
                    raw.columns = Columns { source: Some(pairs.source.clone()), target: Some(pairs.target.clone()) };
                    pairs
                }
            };
            raw.parts[part as usize].extend(pairs.pairs.into_iter().map(|p| (p.source, p.target)));
            raw.remarks.extend(pairs.remarks);
        }
    }
    held_out::divide(&mut raw.parts, d, gist, "pairs", &mut raw.remarks);
    if raw.of(Part::Train).is_empty() || raw.of(Part::Valid).is_empty() {
        let message = "too few pairs: at least 10 are needed, or files for --data and --valid";
        return Err(Error::Refused(format!("{}: {message}", d.train.join(", "))));
    }
    Ok(raw)
}

/// Pairs of one query are copies.
fn gist((query, _): &(String, String)) -> Option<String> {
    Some(query.clone())
}

/// The different queries and documents of a part, in the order they come.
#[derive(Clone, Debug, Default)]
pub struct Collection {
    /// The queries.
    pub queries: Vec<String>,
    /// The documents.
    pub documents: Vec<String>,
    /// Per query, the documents that answer it.
    pub relevant: Vec<Vec<usize>>,
}

impl Collection {
    /// Of pairs.
    pub fn of(pairs: &[(String, String)]) -> Collection {
        let mut all = Collection::default();
        let (mut queries, mut documents) = (HashMap::new(), HashMap::new());
        for (query, document) in pairs {
            let q = *queries.entry(query.as_str()).or_insert_with(|| {
                all.queries.push(query.clone());
                all.relevant.push(vec![]);
                all.queries.len() - 1
            });
            let d = *documents.entry(document.as_str()).or_insert_with(|| {
                all.documents.push(document.clone());
                all.documents.len() - 1
            });
            if !all.relevant[q].contains(&d) {
                all.relevant[q].push(d);
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::{Collection, Part, read};
    use crate::task::held_out::tests::holds_copies_together;

    #[test]
    fn what_stands_twice_is_one_query_or_document() {
        let pair = |q: &str, d: &str| (q.to_string(), d.to_string());
        let c = Collection::of(&[pair("a", "x"), pair("b", "y"), pair("a", "y"), pair("a", "x")]);
        assert_eq!((c.queries.join(""), c.documents.join("")), ("ab".into(), "xy".into()));
        assert_eq!(c.relevant, [vec![0, 1], vec![1]]);
    }

    #[test]
    fn pairs_of_one_query_are_held_out_together() {
        holds_copies_together(|settings| {
            let raw = read(settings)?;
            let of = |part| raw.of(part).iter().map(|(query, _)| query.clone()).collect();
            Ok(([Part::Train, Part::Valid, Part::Test].map(of), raw.remarks.clone()))
        });
    }
}
