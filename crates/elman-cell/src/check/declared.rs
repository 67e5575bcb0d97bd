//! What declarations say of names that equations use: `share`, `init`, `learn`, `input x : 8`.

use super::shape::Forced;
use crate::cell::{Init, Param, Shape, State};
use crate::diag::Report;
use crate::dim::Dim;
use crate::nearest::nearest;
use crate::syntax::tree::{Declared, Node, NodeKind, Tree};

/// `input x : 8` asks for input = 8.
pub(super) fn input_of_declared_size(tree: &Tree, forced: &mut Vec<Forced>) {
    for input in tree.declarations.inputs.iter().filter(|i| tree.names.file(i.name) == "x" && i.value != Dim::INPUT) {
        forced.push(Forced { left: Dim::INPUT, right: input.value, equation: 0, span: input.span, labels: Vec::new() });
    }
}

/// Adds the initial values that are learned, and what is said of parameters.
pub(super) fn apply(tree: &Tree, params: &mut Vec<Param>, states: &mut [State], report: &mut Report) {
    for learn in &tree.declarations.learns {
        learn_state(tree, learn, params, states, report);
    }
    for share in &tree.declarations.shares {
        if let Some(i) = param(tree, share, "share", params, states, report) {
            params[i].shared = true;
        }
    }
    for init in &tree.declarations.inits {
        let Some(i) = param(tree, init, "init", params, states, report) else { continue };
        let whole_matrix = matches!(init.value, Init::Xavier | Init::He | Init::Orthogonal | Init::Identity);
        if whole_matrix && !matches!(params[i].shape, Shape::Matrix(..)) {
            let message = format!("`{}` is no matrix, which this initialiser needs", params[i].name);
            report.error("E112", init.span, message).hint("write a number, `uniform(a)` or `normal(s)`");
        } else if params[i].init.is_some() {
            let message = format!("`{}` is initialised twice", params[i].name);
            report.error("E101", init.span, message).hint("delete one of the two");
        }
        params[i].init = Some(init.value);
    }
}

fn learn_state(tree: &Tree, learn: &Declared<()>, params: &mut Vec<Param>, states: &mut [State], report: &mut Report) {
    let file = tree.names.file(learn.name);
    let Some(i) = states.iter().position(|s| s.name == file) else {
        let near = nearest(file, states.iter().map(|s| s.name.as_str()));
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                "`learn h` makes the initial value of the state `h` a parameter; parameters are learned anyway".into()
            }
        };
        report.error("E111", learn.span, format!("`{file}` is no state")).hint(hint);
        return;
    };
    let name = format!("{file}_0");
    if states[i].initial.is_some()
        || params.iter().any(|p| p.name == name)
        || tree.equations.iter().any(|e| tree.names.file(e.name) == name)
    {
        let message = format!("`{name}`, the initial value of `{file}`, exists already");
        report.error("E101", learn.span, message).hint("rename the other one, or delete one `learn`");
        return;
    }
    states[i].initial = Some(crate::cell::ParamId(params.len() as u32));
    let latex = crate::name::Name::from_file(&name).latex_at(None);
    params.push(Param {
        name,
        latex,
        shape: Shape::Vector(states[i].dim),
        init: None,
        shared: false,
        span: learn.span,
    });
}

/// The parameter that a declaration names.
fn param<T>(
    tree: &Tree,
    declared: &Declared<T>,
    word: &str,
    params: &[Param],
    states: &[State],
    report: &mut Report,
) -> Option<usize> {
    let file = tree.names.file(declared.name);
    let found = params.iter().position(|p| p.name == file);
    // An equation that is wrong may be the one that would make it a parameter.
    let read = |node: &Node| matches!(node.kind, NodeKind::Name(name, _) if name == declared.name);
    let unknown = report.errors() > 0 && tree.nodes.iter().any(read);
    if found.is_none() && !unknown {
        let hint = match nearest(file, params.iter().map(|p| p.name.as_str())) {
            _ if states.iter().any(|s| s.name == file) => {
                format!("`{file}` is a state: `learn {file}` makes its initial value the parameter `{file}_0`")
            }
            Some(near) => format!("did you mean `{near}`?"),
            None => "it names a parameter that an equation uses".into(),
        };
        let message = format!("`{word}` of `{file}`, which is no parameter of this cell");
        report.error("E111", declared.span, message).hint(hint);
    }
    found
}
