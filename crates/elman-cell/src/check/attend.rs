//! Memories and what reads them: a memory is attended to, and nothing else is done with it.
//!
//! A call of `attend` and kin takes one vector (the query; two with an additive score), then one memory, or the keys
//! and the values. What is wrong about that is reported here, and reads nothing from then on.

use std::collections::HashSet;

use super::names::{Meanings, Reads};
use crate::diag::{Report, quote};
use crate::functions;
use crate::syntax::tree::{Callee, NodeId, NodeKind, Tree};

/// The memories that a call attends to, keys and values, by their places; `None` where one is wrong.
pub(super) fn memories(tree: &Tree, meanings: &Meanings, call: NodeId) -> Option<(usize, usize)> {
    let NodeKind::Call(Callee::Known(f), list) = &tree.node(call).kind else { return None };
    let memories = list.get(functions::vectors(functions::score(*f)?)..)?;
    let place = |id: &NodeId| match meanings.reads.get(id) {
        Some(Reads::Memory(i)) => Some(*i),
        _ => None,
    };
    Some((place(memories.first()?)?, place(memories.last()?)?))
}

/// Reports memories where a vector is needed, and anything else where a memory is.
pub(super) fn check(source: &str, tree: &Tree, meanings: &mut Meanings, report: &mut Report) {
    let mut attended = HashSet::new();
    for &id in meanings.live.iter().flatten() {
        let NodeKind::Call(Callee::Known(f), list) = &tree.node(id).kind else { continue };
        let Some(score) = functions::score(*f) else { continue };
        let vectors = functions::vectors(score).min(list.len());
        for (place, argument) in list.iter().enumerate().skip(vectors) {
            match meanings.reads.get(argument) {
                Some(Reads::Memory(_)) => {
                    attended.insert(*argument);
                }
                Some(Reads::Wrong) => {}
                read => {
                    let undefined = matches!(read, Some(Reads::Param(_)));
                    no_memory(source, tree, (*f, place, *argument), undefined, report);
                }
            }
        }
    }
    let mut wrong = Vec::new();
    for &id in meanings.live.iter().flatten() {
        if matches!(meanings.reads.get(&id), Some(Reads::Memory(_))) && !attended.contains(&id) {
            let span = tree.node(id).span;
            let name = quote(source, span);
            let message = format!("{name} is a memory where a vector or a matrix is needed");
            let plain = name.trim_matches('`');
            let hint = format!("attend to it, as in `attend(W h, {plain})`: that is a vector as long as its rows");
            let room = report.has_room();
            let entry = report.error("E211", span, message).hint(hint);
            if let (NodeKind::Name(symbol, _), true) = (&tree.node(id).kind, room)
                && let Some(declared) = tree.declarations.memories.iter().find(|m| m.name == *symbol)
            {
                entry.label(declared.span, "declared here");
            }
            wrong.push(id);
        }
    }
    meanings.reads.extend(wrong.into_iter().map(|id| (id, Reads::Wrong)));
}

fn no_memory(
    source: &str,
    tree: &Tree,
    (f, place, argument): (crate::op::Function, usize, NodeId),
    undefined: bool,
    report: &mut Report,
) {
    let node = tree.node(argument);
    let which = ["first", "second", "third", "fourth"].get(place).copied().unwrap_or("last");
    let function = functions::spelling(f);
    let message =
        format!("{} is no memory, which the {which} argument of `{function}` must be", quote(source, node.span));
    let hint = match node.kind {
        NodeKind::Name(symbol, _) if undefined => {
            let name = tree.names.file(symbol);
            format!("rows to attend to are declared: `memory {name}`, or `memory {name} : 64`")
        }
        _ => "a memory is given with the sequence and declared, as in `memory m`; what is made of its rows is another one"
            .to_string(),
    };
    report.error("E210", node.span, message).hint(hint);
}
