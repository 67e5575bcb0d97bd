//! Layers of a transformer, the yardstick beside recurrent ones: attention with several heads, positions as sines (Vaswani
//! et al. 2017, arXiv:1706.03762), normalised before each part (Xiong et al. 2020, arXiv:2002.04745).

pub mod masked;

use elman_cell::cell::Init;
use elman_engine::tape::{Blueprint, Layout, Linear, Parameter, Tape, Var};
use elman_engine::{EngineError, Real};

/// Gain and bias of a layer norm.
#[derive(Clone, Copy, Debug)]
pub struct Norm {
    gain: Parameter,
    bias: Parameter,
}

/// A layer of a transformer.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    attention: Attention,
    norm: Norm,
    up: Linear,
    down: Linear,
}

/// Attention with several heads, and the norm before it.
#[derive(Clone, Copy, Debug)]
pub struct Attention {
    norm: Norm,
    query: Linear,
    key: Linear,
    value: Linear,
    out: Linear,
    heads: usize,
    width: usize,
}

impl Norm {
    /// Declares it: 1 and 0.
    pub fn declare(blueprint: &mut Blueprint, name: &str, width: usize) -> Norm {
        let gain = blueprint.parameter(&format!("{name}.gain"), &[width], Init::Constant(1.0));
        Norm { gain, bias: blueprint.parameter(&format!("{name}.bias"), &[width], Init::Constant(0.0)) }
    }

    /// Applies it.
    ///
    /// # Errors
    /// Rows of another width.
    pub fn run<T: Real>(self, tape: &mut Tape<'_, T>, x: Var) -> Result<Var, EngineError> {
        tape.layer_norm(x, self.gain, self.bias)
    }
}

impl Attention {
    /// Declares it.
    pub fn declare(blueprint: &mut Blueprint, name: &str, width: usize, heads: usize) -> Attention {
        let mut linear = |part: &str| blueprint.linear(&format!("{name}.{part}"), width, width);
        let (query, key, value, out) = (linear("query"), linear("key"), linear("value"), linear("out"));
        Attention {
            norm: Norm::declare(blueprint, &format!("{name}.norm"), width),
            query,
            key,
            value,
            out,
            heads,
            width,
        }
    }

    /// x + attention(norm(x)); of x itself, or of a memory.
    ///
    /// # Errors
    /// Shapes that do not fit.
    pub fn run<T: Real>(
        &self,
        tape: &mut Tape<'_, T>,
        (x, layout): (Var, &Layout),
        memory: Option<(Var, &Layout)>,
        causal: bool,
        drop: f64,
    ) -> Result<Var, EngineError> {
        let normed = self.norm.run(tape, x)?;
        let (source, of) = memory.unwrap_or((normed, layout));
        let (q, k, v) =
            (tape.linear(normed, self.query)?, tape.linear(source, self.key)?, tape.linear(source, self.value)?);
        let scale = 1.0 / ((self.width / self.heads) as f64).sqrt();
        let mixed = tape.attention((q, layout), (k, v, of), self.heads, scale, causal)?.mixed;
        let out = tape.linear(mixed, self.out)?;
        let out = tape.dropout(out, drop);
        tape.add(x, out)
    }
}

impl Block {
    /// Declares it; the inner layer is four times as wide.
    pub fn declare(blueprint: &mut Blueprint, name: &str, width: usize, heads: usize) -> Block {
        let attention = Attention::declare(blueprint, &format!("{name}.attention"), width, heads);
        let norm = Norm::declare(blueprint, &format!("{name}.norm"), width);
        let up = blueprint.linear(&format!("{name}.up"), width, 4 * width);
        Block { attention, norm, up, down: blueprint.linear(&format!("{name}.down"), 4 * width, width) }
    }

    /// Attention within the sequence, then the same two products at each step.
    ///
    /// # Errors
    /// Shapes that do not fit.
    pub fn run<T: Real>(
        &self,
        tape: &mut Tape<'_, T>,
        x: Var,
        layout: &Layout,
        causal: bool,
        drop: f64,
    ) -> Result<Var, EngineError> {
        let x = self.attention.run(tape, (x, layout), None, causal, drop)?;
        self.inner(tape, x, drop)
    }

    /// x + W₂ gelu(W₁ norm(x))
    ///
    /// # Errors
    /// Shapes that do not fit.
    pub fn inner<T: Real>(&self, tape: &mut Tape<'_, T>, x: Var, drop: f64) -> Result<Var, EngineError> {
        let normed = self.norm.run(tape, x)?;
        let up = tape.linear(normed, self.up)?;
        let bent = tape.gelu(up);
        let down = tape.linear(bent, self.down)?;
        let down = tape.dropout(down, drop);
        tape.add(x, down)
    }
}

/// Sines and cosines of the step, [rows of the layout, width].
pub fn positions(layout: &Layout, width: usize) -> Vec<f32> {
    let mut all = vec![0.0; layout.rows() * width];
    for b in 0..layout.sequences() {
        for (step, row) in layout.of(b).enumerate() {
            for (unit, x) in all[row * width..][..width].iter_mut().enumerate() {
                let slow = 10_000f64.powf((unit / 2 * 2) as f64 / width as f64);
                let angle = step as f64 / slow;
                *x = if unit % 2 == 0 { angle.sin() } else { angle.cos() } as f32;
            }
        }
    }
    all
}
