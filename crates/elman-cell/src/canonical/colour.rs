//! Colours of forms: numbers that depend on what a form does and on what is done with it, and on no name or order.
//!
//! A round goes up from the leaves (a form's colour from its operands') and down from the output and the states (a
//! form's context from its readers'); then each leaf is coloured anew by its context, a state also by its new value.
//! Rounds end when they tell no more leaves apart.

use std::collections::BTreeSet;

use super::form::{Form, FormId, Forms};
use crate::cell::{Cell, Init, Param, Shape, StateId};
use crate::dim::Dim;

/// No cell worth telling apart needs more.
const MOST_ROUNDS: usize = 32;

/// Sorts commutative operands, and the states, by colour.
pub(super) fn sort(cell: &Cell, forms: &mut Forms) {
    let mut colouring = Colouring { leaves: leaves(cell, forms), up: vec![0; forms.all.len()] };
    let mut apart = 0;
    for _ in 0..MOST_ROUNDS {
        colouring.round(forms);
        let now = colouring.leaves.iter().collect::<BTreeSet<_>>().len();
        if now <= apart {
            break;
        }
        apart = now;
    }
    let up = &colouring.up;
    for form in &mut forms.all {
        match form {
            Form::Sum { addends, .. } => addends.sort_by_key(|&(c, f)| (up[f.index()], c.to_bits())),
            Form::Factors(all) => all.sort_by_key(|&(e, f)| (up[f.index()], e)),
            Form::Apply { commutes: true, operands, .. } => operands.sort_by_key(|f| up[f.index()]),
            _ => {}
        }
    }
    let colour = |s: &StateId| mix(state_colour(cell, *s), up[forms.next[s.index()].index()]);
    forms.state_order.sort_by_key(colour);
}

struct Colouring {
    /// Per form: what a leaf is known by (of other forms unused).
    leaves: Vec<u64>,
    /// Per form: its colour.
    up: Vec<u64>,
}

impl Colouring {
    fn round(&mut self, forms: &Forms) {
        for (i, form) in forms.all.iter().enumerate() {
            let operands = form.operands();
            self.up[i] = if operands.is_empty() && !matches!(form, Form::Sum { .. }) {
                self.leaves[i]
            } else {
                let roles = operands.iter().enumerate().map(|(k, f)| mix(role(form, k), self.up[f.index()]));
                roles.fold(own(form), u64::wrapping_add)
            };
        }
        let context = self.contexts(forms);
        for (i, form) in forms.all.iter().enumerate() {
            let next = if let Form::State(s) = form { self.up[forms.next[s.index()].index()] } else { 0 };
            self.leaves[i] = mix(mix(self.leaves[i], context[i]), next);
        }
    }

    fn contexts(&self, forms: &Forms) -> Vec<u64> {
        let mut context = vec![0u64; forms.all.len()];
        let mut add = |f: FormId, colour: u64| context[f.index()] = context[f.index()].wrapping_add(colour);
        add(forms.output, text("output"));
        for (i, form) in forms.all.iter().enumerate() {
            if let Form::State(s) = form {
                add(forms.next[s.index()], mix(text("next"), self.leaves[i]));
            }
        }
        for (i, form) in forms.all.iter().enumerate().rev() {
            let from = mix(context[i], self.up[i]);
            for (k, f) in form.operands().into_iter().enumerate() {
                context[f.index()] = context[f.index()].wrapping_add(mix(role(form, k), from));
            }
        }
        context
    }
}

/// What a form is, apart from its operands.
fn own(form: &Form) -> u64 {
    match form {
        Form::Sum { constant, .. } => mix(text("sum"), constant.to_bits()),
        Form::Factors(_) => text("factors"),
        Form::Product { .. } => text("product"),
        Form::Apply { name, .. } => mix(text("apply"), text(name)),
        _ => 0,
    }
}

/// How a form reads its operand k. Whether a matrix is transposed is left out: it is if its parameter is written so.
fn role(form: &Form, k: usize) -> u64 {
    match form {
        Form::Sum { addends, .. } => addends[k].0.to_bits(),
        Form::Factors(all) => all[k].0 as u64,
        Form::Apply { commutes: true, .. } => 0,
        _ => k as u64,
    }
}

fn leaves(cell: &Cell, forms: &Forms) -> Vec<u64> {
    let colour = |form: &Form| match form {
        Form::Input(i) => mix(text("input"), i.index() as u64),
        Form::State(s) => state_colour(cell, *s),
        Form::Length(d) => mix(text("length"), dim(*d)),
        Form::Weight { param, shape, .. } => {
            let shape = match shape {
                Shape::Scalar => 1,
                Shape::Vector(d) => mix(2, dim(*d)),
                Shape::Matrix(a, b) => mix(3, dim(*a).wrapping_add(dim(*b))),
            };
            mix(text("weight"), mix(shape, declared(&cell.params[param.index()])))
        }
        _ => 0,
    };
    forms.all.iter().map(colour).collect()
}

fn state_colour(cell: &Cell, s: StateId) -> u64 {
    let state = &cell.states[s.index()];
    let learned = state.initial.map_or(0, |p| declared(&cell.params[p.index()]));
    mix(text("state"), mix(dim(state.dim), learned))
}

/// What is declared of a parameter.
fn declared(param: &Param) -> u64 {
    let init = match param.init {
        None => 1,
        Some(Init::Constant(x)) => mix(2, x.to_bits()),
        Some(Init::Uniform(x)) => mix(3, x.to_bits()),
        Some(Init::Normal(x)) => mix(4, x.to_bits()),
        Some(Init::Xavier) => 5,
        Some(Init::He) => 6,
        Some(Init::Orthogonal) => 7,
        Some(Init::Identity) => 8,
    };
    mix(init, u64::from(param.shared))
}

fn dim(d: Dim) -> u64 {
    [d.hidden.into(), d.output.into(), d.fixed as u64].into_iter().fold(d.input.into(), mix)
}

fn text(s: &str) -> u64 {
    s.bytes().fold(0, |h, b| mix(h, b.into()))
}

/// Two numbers as one (the finaliser of splitmix64, Steele et al. 2014).
fn mix(a: u64, b: u64) -> u64 {
    let mut z =
        a.rotate_left(23).wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(b).wrapping_add(0x632B_E59B_D9B4_E019);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
