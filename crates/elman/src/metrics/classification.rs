//! One class of several an example: accuracy, precision, recall and F1 of each class, their mean (macro F1), confusion.
//!
//!   precision = hits / given        recall = hits / wanted        F1 = 2 · hits / (given + wanted)
//!
//! The mean is over the classes that occur, wanted or given, as in scikit-learn; a class that does neither has no F1.

use super::{Estimate, MetricError, paired};
use serde::Serialize;

/// All figures of a classification.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Classification {
    /// Examples scored.
    pub examples: usize,
    /// The share that is right, with Wilson's interval.
    pub accuracy: Estimate,
    /// The mean of the classes' F1, with the interval of a bootstrap over examples.
    pub macro_f1: Estimate,
    /// Each class, in the order of the names.
    pub classes: Vec<ClassScore>,
    /// Examples by wanted class (row) and given class (column).
    pub confusion: Vec<Vec<usize>>,
}

/// How one class fares. A share of nothing is 0.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassScore {
    /// Its name.
    pub name: String,
    /// Of those given as this class, the share that is of it.
    pub precision: f64,
    /// Of those that are of this class, the share that was given as it.
    pub recall: f64,
    /// The harmonic mean of the two.
    pub f1: f64,
    /// Examples of this class.
    pub support: usize,
}

/// Scores `given` against `wanted`, classes by their places in `names`.
///
/// # Errors
/// Different numbers of examples, none, or a class beyond the names.
pub fn classification(wanted: &[usize], given: &[usize], names: &[String]) -> Result<Classification, MetricError> {
    paired(given.len(), wanted.len(), "examples")?;
    let classes = names.len();
    let cells = cells(wanted, given, classes)?;
    let count = |examples: &mut dyn Iterator<Item = usize>| {
        let mut counts = vec![0; classes * classes];
        examples.for_each(|e| counts[cells[e]] += 1);
        counts
    };
    let counts = count(&mut (0..cells.len()));
    let right = (0..classes).map(|c| counts[c * classes + c]).sum();
    let accuracy = Estimate::share(right, cells.len()).ok_or(MetricError::Nothing { what: "examples" })?;
    let macro_f1 =
        Estimate::bootstrap(cells.len(), |drawn| mean_f1(&count(&mut drawn.iter().map(|e| *e as usize)), classes));
    Ok(Classification {
        examples: cells.len(),
        accuracy,
        macro_f1,
        classes: names.iter().enumerate().map(|(c, name)| score(name, &Marginals::of(&counts, classes, c))).collect(),
        confusion: counts.chunks(classes).map(<[usize]>::to_vec).collect(),
    })
}

/// By how much one classifier is above another on the same examples, below 0 where it is not.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Gain {
    /// The difference of the shares that are right, with the interval of a bootstrap over examples with both answers.
    pub accuracy: Estimate,
    /// The difference of the means of the classes' F1, likewise.
    pub macro_f1: Estimate,
}

/// What `given` has above `other`, both against `wanted`, of so many classes.
///
/// # Errors
/// As [`classification`].
pub fn gain(wanted: &[usize], given: &[usize], other: &[usize], classes: usize) -> Result<Gain, MetricError> {
    paired(given.len(), wanted.len(), "examples")?;
    paired(other.len(), wanted.len(), "examples")?;
    let both = [cells(wanted, given, classes)?, cells(wanted, other, classes)?];
    let difference = |figure: &dyn Fn(&[usize]) -> f64| {
        Estimate::bootstrap(wanted.len(), |drawn| {
            let [own, others] = both.each_ref().map(|cells| {
                let mut counts = vec![0; classes * classes];
                drawn.iter().for_each(|e| counts[cells[*e as usize]] += 1);
                figure(&counts)
            });
            own - others
        })
    };
    let right = |counts: &[usize]| (0..classes).map(|c| counts[c * classes + c]).sum::<usize>();
    Ok(Gain {
        accuracy: difference(&|counts| share(right(counts), wanted.len())),
        macro_f1: difference(&|counts| mean_f1(counts, classes)),
    })
}

/// The mean F1 of the classes that occur: what a model may be chosen by.
///
/// # Errors
/// As [`classification`].
pub fn macro_f1(wanted: &[usize], given: &[usize], classes: usize) -> Result<f64, MetricError> {
    paired(given.len(), wanted.len(), "examples")?;
    let mut counts = vec![0; classes * classes];
    cells(wanted, given, classes)?.into_iter().for_each(|cell| counts[cell] += 1);
    Ok(mean_f1(&counts, classes))
}

/// Where in the confusion matrix each example stands.
fn cells(wanted: &[usize], given: &[usize], classes: usize) -> Result<Vec<usize>, MetricError> {
    let cell = |(e, (w, g)): (usize, (&usize, &usize))| match *w.max(g) {
        class if class >= classes => Err(MetricError::Class { example: e + 1, class, classes }),
        _ => Ok(w * classes + g),
    };
    wanted.iter().zip(given).enumerate().map(cell).collect()
}

/// What the confusion matrix says of one class.
struct Marginals {
    hits: usize,
    given: usize,
    wanted: usize,
}

impl Marginals {
    fn of(counts: &[usize], classes: usize, class: usize) -> Marginals {
        Marginals {
            hits: counts[class * classes + class],
            given: (0..classes).map(|w| counts[w * classes + class]).sum(),
            wanted: counts[class * classes..][..classes].iter().sum(),
        }
    }

    fn f1(&self) -> f64 {
        share(2 * self.hits, self.given + self.wanted)
    }
}

fn share(part: usize, all: usize) -> f64 {
    if all == 0 { 0.0 } else { part as f64 / all as f64 }
}

fn score(name: &str, m: &Marginals) -> ClassScore {
    ClassScore {
        name: name.into(),
        precision: share(m.hits, m.given),
        recall: share(m.hits, m.wanted),
        f1: m.f1(),
        support: m.wanted,
    }
}

fn mean_f1(counts: &[usize], classes: usize) -> f64 {
    let all = (0..classes).map(|c| Marginals::of(counts, classes, c));
    let f1s: Vec<f64> = all.filter(|m| m.given + m.wanted > 0).map(|m| m.f1()).collect();
    f1s.iter().sum::<f64>() / f1s.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("c{i}")).collect()
    }

    #[test]
    fn a_gain_is_the_difference_of_both_figures_and_sure_only_where_examples_agree() {
        let wanted: Vec<usize> = (0..400).map(|i| i % 2).collect();
        let wrong_at = |k: usize| wanted.iter().enumerate().map(|(i, w)| if i % k == 0 { 1 - w } else { *w }).collect();
        let [tenth, fifth, other_fifth]: [Vec<usize>; 3] = [wrong_at(10), wrong_at(5), {
            let mut shifted: Vec<usize> = wrong_at(400);
            (0..80).for_each(|i| shifted[i * 5 + 2] = 1 - wanted[i * 5 + 2]);
            shifted
        }];
        let g = gain(&wanted, &tenth, &fifth, 2).unwrap();
        let figure = |given: &[usize]| classification(&wanted, given, &names(2)).unwrap();
        assert_eq!(g.accuracy.value, figure(&tenth).accuracy.value - figure(&fifth).accuracy.value);
        assert_eq!(g.macro_f1.value, figure(&tenth).macro_f1.value - figure(&fifth).macro_f1.value);
        // One errs only where the other does, at 40 of 80: the normal interval of 40 of 400.
        let half = 1.96 * (0.1f64 * 0.9 / 400.0).sqrt();
        assert!(
            (g.accuracy.low - (0.1 - half)).abs() < 0.006 && (g.accuracy.high - (0.1 + half)).abs() < 0.006,
            "{g:?}"
        );
        let even = gain(&wanted, &fifth, &other_fifth, 2).unwrap();
        assert!(even.accuracy.low < 0.0 && even.accuracy.high > 0.0, "{even:?}");
        assert!(gain(&wanted, &tenth, &fifth[1..], 2).is_err());
    }

    #[test]
    fn figures_of_a_small_table_by_hand() {
        // Class 3 never occurs; class 2 is given once, and never wanted.
        let (wanted, given) = ([0, 0, 0, 1, 1, 0], [0, 0, 1, 1, 2, 0]);
        let c = classification(&wanted, &given, &names(4)).unwrap();
        assert_eq!(c.confusion, [[3, 1, 0, 0], [0, 1, 1, 0], [0; 4], [0; 4]]);
        assert_eq!(c.accuracy.value, 4.0 / 6.0);
        let [a, b, g, n] = &c.classes[..] else { panic!() };
        assert_eq!((a.precision, a.recall, a.f1, a.support), (1.0, 0.75, 6.0 / 7.0, 4));
        assert_eq!((b.precision, b.recall, b.f1, b.support), (0.5, 0.5, 0.5, 2));
        assert_eq!((g.precision, g.recall, g.f1, g.support), (0.0, 0.0, 0.0, 0));
        assert_eq!((n.f1, n.support), (0.0, 0));
        assert_eq!(c.macro_f1.value, (6.0 / 7.0 + 0.5 + 0.0) / 3.0);
        assert!(c.macro_f1.low <= c.macro_f1.value && c.macro_f1.value <= c.macro_f1.high);
        assert_eq!(macro_f1(&wanted, &given, 4).unwrap(), c.macro_f1.value);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let error = |w: &[usize], g: &[usize]| classification(w, g, &names(2)).unwrap_err().to_string();
        assert_eq!(error(&[0, 1], &[0, 2]), "example 2 is of class 2, but there are only 2 classes (0 to 1)");
        assert!(error(&[0, 1], &[0]).starts_with("1 examples were given, but 2 are wanted"));
        assert_eq!(error(&[], &[]), "there are no examples to score");
    }
}
