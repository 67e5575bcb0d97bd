//! Dimensions with unknowns, and the equations between them.
//!
//! An unknown is solved by an equation in which it stands alone, once: `?r = hidden + input`. Equations with several
//! unknowns wait until others are solved. What is left at the end is `output` (nothing fixes it).

use crate::cell::Span;
use crate::dim::Dim;

/// An unknown dimension.
pub(super) type Var = u32;

/// A dimension: a known sum, and unknowns each so many times, ordered and without zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Length {
    pub known: Dim,
    pub unknown: Vec<(Var, u32)>,
}

/// Where an equation between dimensions comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    /// The equation of the cell.
    pub equation: usize,
    /// The expression.
    pub span: Span,
}

/// What comes of setting two dimensions equal.
pub(super) enum Outcome {
    /// They are equal now.
    Equal,
    /// Too little is known yet.
    Waits,
    /// Both are known and differ.
    Differ(Dim, Dim),
    /// They can never be equal: an unknown would have to contain itself, or a count overflows.
    Never,
}

/// The unknowns and what is known of them.
#[derive(Default)]
pub(super) struct Solver {
    solved: Vec<Option<(Length, Origin)>>,
}

impl Length {
    /// Without unknowns.
    pub fn known(known: Dim) -> Length {
        Length { known, unknown: Vec::new() }
    }

    /// One unknown.
    pub fn of(var: Var) -> Length {
        Length { known: Dim::ZERO, unknown: vec![(var, 1)] }
    }

    /// The sum; `None` where a count overflows.
    pub fn plus(&self, other: &Length) -> Option<Length> {
        let mut sum = Length { known: self.known.checked_add(other.known)?, unknown: self.unknown.clone() };
        for &(var, times) in &other.unknown {
            match sum.unknown.binary_search_by_key(&var, |u| u.0) {
                Ok(i) => sum.unknown[i].1 = sum.unknown[i].1.checked_add(times)?,
                Err(i) => sum.unknown.insert(i, (var, times)),
            }
        }
        Some(sum)
    }

    fn times(&self, n: u32) -> Option<Length> {
        let unknown = self.unknown.iter().map(|&(v, k)| Some((v, k.checked_mul(n)?))).collect::<Option<_>>()?;
        Some(Length { known: self.known.checked_times(n)?, unknown })
    }
}

impl Solver {
    /// A new unknown.
    pub fn fresh(&mut self) -> Length {
        self.solved.push(None);
        Length::of(self.solved.len() as Var - 1)
    }

    /// `length` with everything filled in that is known; `None` where a count overflows.
    pub fn resolve(&mut self, length: &Length) -> Option<Length> {
        let mut result = Length::known(length.known);
        let mut work: Vec<(Var, u32)> = length.unknown.clone();
        let mut steps = 0;
        while let Some((var, times)) = work.pop() {
            steps += 1;
            match &self.solved[var as usize] {
                None => result = result.plus(&Length { known: Dim::ZERO, unknown: vec![(var, times)] })?,
                Some((value, _)) => {
                    let value = value.times(times)?;
                    result.known = result.known.checked_add(value.known)?;
                    work.extend(value.unknown);
                }
            }
            if steps > 100_000 {
                return None;
            }
        }
        self.shorten(length, &result);
        Some(result)
    }

    /// Remembers the solution of a single unknown directly, so that chains stay short.
    fn shorten(&mut self, length: &Length, result: &Length) {
        if let ([(var, 1)], Dim::ZERO) = (&length.unknown[..], length.known)
            && let Some((value, _)) = &mut self.solved[*var as usize]
        {
            *value = result.clone();
        }
    }

    /// Sets two dimensions equal.
    pub fn unify(&mut self, a: &Length, b: &Length, origin: Origin) -> Outcome {
        let (Some(mut a), Some(mut b)) = (self.resolve(a), self.resolve(b)) else { return Outcome::Never };
        let open = !a.unknown.is_empty() || !b.unknown.is_empty();
        cancel(&mut a, &mut b);
        match (&a.unknown[..], &b.unknown[..]) {
            ([], []) if a.known == b.known => Outcome::Equal,
            ([], []) if open && !can_be_equal(a.known, b.known) => Outcome::Never,
            ([], []) => Outcome::Differ(a.known, b.known),
            ([(var, 1)], _) if a.known == Dim::ZERO => self.bind(*var, b, origin),
            (_, [(var, 1)]) if b.known == Dim::ZERO => self.bind(*var, a, origin),
            ([], _) if a.known == Dim::ZERO => Outcome::Never,
            (_, []) if b.known == Dim::ZERO => Outcome::Never,
            _ => Outcome::Waits,
        }
    }

    fn bind(&mut self, var: Var, value: Length, origin: Origin) -> Outcome {
        if value.known == Dim::ZERO && value.unknown.is_empty() || value.unknown.iter().any(|u| u.0 == var) {
            return Outcome::Never;
        }
        self.solved[var as usize] = Some((value, origin));
        Outcome::Equal
    }

    /// The places that solved the unknowns of `length`, and what each was solved as.
    pub fn origins(&self, length: &Length) -> Vec<(Origin, Length)> {
        let mut work: Vec<Var> = length.unknown.iter().map(|u| u.0).collect();
        let mut origins = Vec::new();
        while let Some(var) = work.pop() {
            if let Some((value, origin)) = &self.solved[var as usize] {
                origins.push((*origin, value.clone()));
                work.extend(value.unknown.iter().map(|u| u.0));
            }
            if origins.len() >= 4 {
                break;
            }
        }
        origins
    }

    /// Solves all that is left as `output`.
    pub fn default_to_output(&mut self) {
        let origin = Origin { equation: 0, span: Span::default() };
        for solved in self.solved.iter_mut().filter(|s| s.is_none()) {
            *solved = Some((Length::known(Dim::OUTPUT), origin));
        }
    }

    /// A dimension at the end; `None` where a count overflows.
    pub fn dim(&mut self, length: &Length) -> Option<Dim> {
        self.resolve(length).map(|l| l.known)
    }
}

/// Takes away what stands on both sides.
fn cancel(a: &mut Length, b: &mut Length) {
    let both = |x: &mut u32, y: &mut u32| {
        let common = (*x).min(*y);
        *x -= common;
        *y -= common;
    };
    if !a.unknown.is_empty() || !b.unknown.is_empty() {
        both(&mut a.known.input, &mut b.known.input);
        both(&mut a.known.hidden, &mut b.known.hidden);
        both(&mut a.known.output, &mut b.known.output);
        let common = a.known.fixed.min(b.known.fixed);
        a.known.fixed -= common;
        b.known.fixed -= common;
    }
    for (var, times) in &mut a.unknown {
        if let Ok(i) = b.unknown.binary_search_by_key(var, |u| u.0) {
            both(times, &mut b.unknown[i].1);
        }
    }
    a.unknown.retain(|u| u.1 > 0);
    b.unknown.retain(|u| u.1 > 0);
}

/// Whether some sizes of at least 1 make two known dimensions equal, as far as a glance tells.
pub(super) fn can_be_equal(a: Dim, b: Dim) -> bool {
    let difference = |x: u32, y: u32| i128::from(x) - i128::from(y);
    let factors = [difference(a.input, b.input), difference(a.hidden, b.hidden), difference(a.output, b.output)];
    let wanted = b.fixed as i128 - a.fixed as i128;
    let divisor = factors.iter().fold(0, |g, &f| gcd(g, f.unsigned_abs()));
    if divisor == 0 {
        return wanted == 0;
    }
    let least: i128 = factors.iter().sum();
    let one_sign = factors.iter().all(|&f| f >= 0) || factors.iter().all(|&f| f <= 0);
    let reachable = !one_sign || wanted.signum() == least.signum() && wanted.abs() >= least.abs();
    reachable && wanted.unsigned_abs().is_multiple_of(divisor)
}

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Origin = Origin { equation: 0, span: Span { start: 0, end: 0 } };

    #[test]
    fn an_unknown_takes_the_value_of_the_other_side() {
        let mut s = Solver::default();
        let (a, b) = (s.fresh(), s.fresh());
        let sum = a.plus(&Length::known(Dim::INPUT)).unwrap();
        let whole = Length::known(Dim::INPUT + Dim::HIDDEN);
        assert!(matches!(s.unify(&sum, &whole, HERE), Outcome::Equal));
        assert!(matches!(s.unify(&b, &sum, HERE), Outcome::Equal));
        assert_eq!(s.dim(&a), Some(Dim::HIDDEN));
        assert_eq!(s.dim(&b), Some(Dim::INPUT + Dim::HIDDEN));
    }

    #[test]
    fn an_unknown_cannot_contain_itself() {
        let mut s = Solver::default();
        let a = s.fresh();
        let more = a.plus(&Length::known(Dim::ONE)).unwrap();
        assert!(matches!(s.unify(&a, &more, HERE), Outcome::Never));
    }

    #[test]
    fn doubling_ends_in_an_overflow_not_in_memory() {
        let mut s = Solver::default();
        let mut last = s.fresh();
        let mut overflowed = false;
        for _ in 0..40 {
            let next = s.fresh();
            let Some(double) = s.resolve(&last).and_then(|l| l.plus(&l)) else {
                overflowed = true;
                break;
            };
            s.unify(&next, &double, HERE);
            last = next;
        }
        assert!(overflowed);
    }

    #[test]
    fn a_glance_tells_what_can_never_be_equal() {
        assert!(can_be_equal(Dim::INPUT, Dim::HIDDEN));
        assert!(can_be_equal(Dim::INPUT, Dim::fixed(3)));
        assert!(!can_be_equal(Dim::fixed(3), Dim::fixed(4)));
        assert!(!can_be_equal(Dim::INPUT + Dim::HIDDEN, Dim::HIDDEN));
        assert!(!can_be_equal(Dim::HIDDEN + Dim::HIDDEN, Dim::fixed(5)));
        assert!(can_be_equal(Dim::INPUT + Dim::HIDDEN, Dim::fixed(5)));
    }
}
