//! Sums, products, functions of single numbers, and dropout.

use elman_kernel::code::{Binary, Unary};
use elman_kernel::{Real, map};

use super::{Back, Operation, Tape, Var, mul};
use crate::error::{EngineError, check};

struct Add([Var; 2]);

impl<T: Real> Operation<T> for Add {
    fn backward(&mut self, d: &[T], back: &mut Back<'_, T>) -> Result<(), EngineError> {
        self.0.iter().for_each(|v| back.add(*v, d.to_vec()));
        Ok(())
    }
}

struct Multiply([Var; 2]);

impl<T: Real> Operation<T> for Multiply {
    fn backward(&mut self, d: &[T], back: &mut Back<'_, T>) -> Result<(), EngineError> {
        let [a, b] = self.0;
        let da = d.iter().zip(back.value(b)).map(|(d, b)| mul(*d, *b)).collect();
        let db = d.iter().zip(back.value(a)).map(|(d, a)| mul(*d, *a)).collect();
        back.add(a, da);
        back.add(b, db);
        Ok(())
    }
}

/// y = x ⊙ mask
struct Mask<T> {
    x: Var,
    mask: Vec<T>,
}

impl<T: Real> Operation<T> for Mask<T> {
    fn backward(&mut self, d: &[T], back: &mut Back<'_, T>) -> Result<(), EngineError> {
        back.add(self.x, d.iter().zip(&self.mask).map(|(d, m)| mul(*d, *m)).collect());
        Ok(())
    }
}

/// y = a x
struct Scale<T> {
    x: Var,
    a: T,
}

impl<T: Real> Operation<T> for Scale<T> {
    fn backward(&mut self, d: &[T], back: &mut Back<'_, T>) -> Result<(), EngineError> {
        back.add(self.x, d.iter().map(|d| mul(*d, self.a)).collect());
        Ok(())
    }
}

/// y = f(x), with f′(x) computed ahead.
struct Function<T> {
    x: Var,
    slope: Vec<T>,
}

impl<T: Real> Operation<T> for Function<T> {
    fn backward(&mut self, d: &[T], back: &mut Back<'_, T>) -> Result<(), EngineError> {
        back.add(self.x, d.iter().zip(&self.slope).map(|(d, s)| mul(*d, *s)).collect());
        Ok(())
    }
}

impl<T: Real> Tape<'_, T> {
    /// a + b
    ///
    /// # Errors
    /// Different shapes.
    pub fn add(&mut self, a: Var, b: Var) -> Result<Var, EngineError> {
        self.both(a, b, Binary::Add).map(|value| self.record(value, self.nodes[a.0].width, Add([a, b])))
    }

    /// a ⊙ b
    ///
    /// # Errors
    /// Different shapes.
    pub fn multiply(&mut self, a: Var, b: Var) -> Result<Var, EngineError> {
        self.both(a, b, Binary::Mul).map(|value| self.record(value, self.nodes[a.0].width, Multiply([a, b])))
    }

    fn both(&self, a: Var, b: Var, op: Binary) -> Result<Vec<T>, EngineError> {
        check("the second of two values", self.value(b).len(), self.value(a).len())?;
        Ok(self.value(a).iter().zip(self.value(b)).map(|(a, b)| T::binary(op, *a, *b)).collect())
    }

    /// a x
    pub fn scale(&mut self, x: Var, a: f64) -> Var {
        let a = T::from_f64(a);
        let value = self.value(x).iter().map(|x| mul(*x, a)).collect();
        self.record(value, self.width(x), Scale { x, a })
    }

    /// Units are dropped while training: each is 0 with probability `drop`, else divided by 1 − drop.
    pub fn dropout(&mut self, x: Var, drop: f64) -> Var {
        let Some(mask) = self.mask(drop, self.value(x).len()) else { return x };
        let value = self.value(x).iter().zip(&mask).map(|(x, m)| mul(*x, *m)).collect();
        self.record(value, self.width(x), Mask { x, mask })
    }

    /// Whole rows are dropped while training.
    pub fn drop_rows(&mut self, x: Var, drop: f64) -> Var {
        let width = self.width(x);
        let Some(rows) = self.mask(drop, self.count(x)) else { return x };
        let mask: Vec<T> = rows.iter().flat_map(|m| std::iter::repeat_n(*m, width)).collect();
        let value = self.value(x).iter().zip(&mask).map(|(x, m)| mul(*x, *m)).collect();
        self.record(value, width, Mask { x, mask })
    }

    /// tanh
    pub fn tanh(&mut self, x: Var) -> Var {
        let y = self.mapped(x, Unary::Tanh);
        let slope = y.iter().map(|y| T::binary(Binary::Sub, T::ONE, mul(*y, *y))).collect();
        self.record(y, self.width(x), Function { x, slope })
    }

    /// 1 / (1 + e⁻ˣ)
    pub fn sigmoid(&mut self, x: Var) -> Var {
        let y = self.mapped(x, Unary::Sigmoid);
        let slope = y.iter().map(|y| mul(*y, T::binary(Binary::Sub, T::ONE, *y))).collect();
        self.record(y, self.width(x), Function { x, slope })
    }

    /// max(x, 0)
    pub fn relu(&mut self, x: Var) -> Var {
        let step = |x: &T| if *x > T::ZERO { T::ONE } else { T::ZERO };
        let slope: Vec<T> = self.value(x).iter().map(step).collect();
        let y = self.value(x).iter().zip(&slope).map(|(x, s)| mul(*x, *s)).collect();
        self.record(y, self.width(x), Function { x, slope })
    }

    /// x Φ(x), with Φ the normal distribution. Hendrycks & Gimpel 2016, arXiv:1606.08415.
    pub fn gelu(&mut self, x: Var) -> Var {
        let below = self.mapped(x, Unary::NormalCdf);
        let half = T::from_f64(-0.5);
        let exponents: Vec<T> = self.value(x).iter().map(|x| mul(half, mul(*x, *x))).collect();
        let mut density = vec![T::ZERO; exponents.len()];
        map(self.store.isa(), Unary::Exp, &exponents, &mut density);
        let factor = T::from_f64(1.0 / std::f64::consts::TAU.sqrt());
        let x_values = self.value(x).to_vec();
        let slope =
            |((x, density), below): ((&T, &T), &T)| T::binary(Binary::Add, *below, mul(*x, mul(*density, factor)));
        let slope = x_values.iter().zip(&density).zip(&below).map(slope).collect();
        let y = x_values.iter().zip(&below).map(|(x, p)| mul(*x, *p)).collect();
        self.record(y, self.width(x), Function { x, slope })
    }

    fn mapped(&self, x: Var, op: Unary) -> Vec<T> {
        let mut y = vec![T::ZERO; self.value(x).len()];
        map(self.store.isa(), op, self.value(x), &mut y);
        y
    }
}
