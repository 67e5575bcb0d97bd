//! Expressions of numbers alone, computed once; one that is not finite is an error.

use std::collections::HashMap;

use super::names::{Meanings, Reads};
use crate::diag::{Report, quote};
use crate::functions;
use crate::syntax::tree::{Callee, NodeId, NodeKind, Operator, Tree};

/// The value of every node that is made of numbers alone.
pub(super) fn fold(source: &str, tree: &Tree, meanings: &Meanings, report: &mut Report) -> HashMap<NodeId, f64> {
    let mut values = HashMap::new();
    for live in &meanings.live {
        for &id in live {
            let Some(value) = value(tree, meanings, &values, id) else {
                divides_by_zero(source, tree, &values, id, report);
                continue;
            };
            if value.is_finite() {
                values.insert(id, value);
            } else {
                let span = tree.node(id).span;
                let message = format!("{} is {value}, not a finite number", quote(source, span));
                report
                    .error("E301", span, message)
                    .hint("divide by no 0, take logarithms and roots of positive numbers only");
            }
        }
    }
    values
}

/// `v / 0`, where `v` is no number.
fn divides_by_zero(source: &str, tree: &Tree, values: &HashMap<NodeId, f64>, id: NodeId, report: &mut Report) {
    if let NodeKind::Binary(Operator::Div, a, b) = &tree.node(id).kind
        && values.get(b) == Some(&0.0)
        && !values.contains_key(a)
    {
        let message = format!("{} divides by 0", quote(source, tree.node(id).span));
        report.error("E301", tree.node(*b).span, message).hint("divide by a number other than 0");
    }
}

fn value(tree: &Tree, meanings: &Meanings, known: &HashMap<NodeId, f64>, id: NodeId) -> Option<f64> {
    let of = |id: &NodeId| known.get(id).copied();
    Some(match &tree.node(id).kind {
        NodeKind::Number(v) => *v,
        NodeKind::Name(..) => match meanings.reads.get(&id) {
            Some(Reads::Number(v)) => *v,
            _ => return None,
        },
        NodeKind::Neg(a) => -of(a)?,
        NodeKind::Power(a, p) => of(a)?.powf(*p),
        NodeKind::Binary(operator, a, b) => operator.value(of(a)?, of(b)?),
        NodeKind::Product(list) => list.iter().map(of).product::<Option<f64>>()?,
        NodeKind::Call(Callee::Known(f), list) => {
            let list = list.iter().map(of).collect::<Option<Vec<_>>>()?;
            functions::value(*f, &list)?
        }
        _ => return None,
    })
}
