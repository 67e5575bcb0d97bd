//! A recurrent decoder whose cell attends: input feeding.
//!
//! ```text
//! target ─▶ embedding ─▶ layer of a cell that attends to the memory ─▶ layers ─▶ tanh(W h)
//! ```
//!
//! What was attended to at a word is known at the next, within the cell's equations: Bahdanau et al. 2015 (arXiv:1409.0473,
//! `gru-attention`) and Luong et al. 2015 (arXiv:1508.04025, section 3.3, `lstm-attention`), or any cell with memories. The
//! last memory of a cell is the encoder's outputs, if it is as wide; every other one is a product of them, computed once. The
//! cell runs step by step; its weights stay within it.

use super::decoder::{Decoded, Decoder, Memory, Stack};
use crate::cells::{self, Text};
use crate::error::Error;
use crate::model::queries::Queries;
use crate::task::settings::{self, Attention, Dropout};
use elman_cell::{Cell, builtin};
use elman_engine::tape::{Blueprint, Layout, Linear, NO_ROW, Tape, Var};
use elman_engine::{EngineError, Spec};
use std::sync::Arc;

/// The layer that attends, then those above it.
pub struct Feeding {
    stack: Stack,
    /// Per memory of the cell; none is the encoder's outputs themselves.
    memories: Vec<Option<Linear>>,
    combine: Linear,
}

/// The cell that attends: the one named, or the built-in decoder of `--cell` with the attention of the settings.
///
/// # Errors
/// A cell that cannot be used or attends to nothing; none built in.
pub fn cell(m: &settings::Model) -> Result<Cell, Error> {
    let Some(name) = &m.decoder_cell else { return built_in(m) };
    let cell = cells::find(name)?;
    let refuse = |message: &str| Err(Error::Refused(format!("model.decoder_cell is {name}: {message}")));
    if cell.memories.is_empty() {
        return refuse("it attends to nothing; name a cell with a memory, such as gru-attention");
    }
    if cell.inputs.len() > 1 {
        return refuse("it reads further inputs at each step, and there is one, the word before");
    }
    Ok(cell)
}

/// `gru-attention` or `lstm-attention`, with another line where the attention is another.
fn built_in(m: &settings::Model) -> Result<Cell, Error> {
    let query = match m.cell.as_str() {
        "gru" => "h",
        "lstm" => "h'",
        other => {
            let message = "model.input_feeding knows decoders for the cells gru and lstm";
            let way = "name a cell that attends, --decoder-cell FILE";
            return Err(Error::Refused(format!("{message}, and model.cell is {other}: {way}")));
        }
    };
    let name = format!("{}-attention", m.cell);
    let attends = match m.attention {
        Attention::Dot => format!("a  = attend(W_a {query}, m)"),
        Attention::Scaled => format!("a  = attend_scaled(W_a {query}, m)"),
        Attention::Additive => format!("a  = attend_additive(W_a {query}, v_a, k, m)"),
    };
    let mut source = String::new();
    for line in builtin::source(&name).unwrap_or_default().lines() {
        if line.starts_with("memory m") && m.attention == Attention::Additive {
            source.push_str("memory k : hidden\n");
        }
        if line.starts_with("memory k") {
            continue;
        }
        source.push_str(if line.starts_with("a ") { &attends } else { line });
        source.push('\n');
    }
    Ok(Text { file: format!("{name}.cell"), name, source }.parse()?)
}

impl Feeding {
    /// Declares it for memories of `from` units.
    ///
    /// # Errors
    /// A cell that cannot be used.
    pub fn declare(blueprint: &mut Blueprint, m: &settings::Model, from: usize) -> Result<Feeding, Error> {
        let attends = Spec { output: Some(from), ..Spec::new(Arc::new(cell(m)?), m.embedding, m.hidden) };
        let layer = blueprint.recurrent("decoder.0", attends)?;
        let mut stack = Stack::default();
        let mut width = stack.push(blueprint, layer, from);
        let wanted: Vec<(String, usize)> =
            blueprint.network(layer).memories().iter().map(|t| (t.name.clone(), t.count())).collect();
        let last = wanted.len() - 1;
        let product = |(k, (name, units)): (usize, (String, usize))| {
            let itself = k == last && units == from;
            (!itself).then(|| blueprint.linear(&format!("memory.{name}"), from, units))
        };
        let memories = wanted.into_iter().enumerate().map(product).collect();
        for l in 1..m.layers {
            let cell = Arc::new(cells::find(&m.cell)?);
            let layer = blueprint.recurrent(&format!("decoder.{l}"), Spec::new(cell, width, m.hidden))?;
            width = stack.push(blueprint, layer, from);
        }
        Ok(Feeding { stack, memories, combine: blueprint.linear("combine", width, m.embedding) })
    }
}

/// The memory of each row's own source: its layout, and the rows to take.
fn of_rows(of: &Layout, sources: &[u32]) -> (Layout, Vec<u32>) {
    let layout = Layout::new(sources.iter().map(|s| of.lengths[*s as usize]).collect());
    let rows = layout.fill(NO_ROW, |step, row| of.row(step, sources[row] as usize) as u32);
    (layout, rows)
}

impl Decoder for Feeding {
    fn begin(&self, tape: &mut Tape<'_, f32>, y: Var, of: &Layout) -> Result<Vec<Var>, EngineError> {
        self.stack.begin(tape, y, of)
    }

    fn beside(&self, tape: &mut Tape<'_, f32>, values: Var) -> Result<Vec<Var>, EngineError> {
        self.memories.iter().flatten().map(|product| tape.linear(values, *product)).collect()
    }

    fn run(
        &self,
        tape: &mut Tape<'_, f32>,
        (x, layout): (Var, &Layout),
        memory: &Memory,
        queries: &Queries,
        drop: &Dropout,
    ) -> Result<Decoded, EngineError> {
        let mut beside = memory.beside.iter().copied();
        let mut own: Vec<Var> =
            self.memories.iter().map(|product| product.and_then(|_| beside.next()).unwrap_or(memory.values)).collect();
        let mut of = memory.layout.clone();
        if let Queries::Chosen { sources, .. } = queries {
            let (chosen, rows) = of_rows(&of, sources);
            own = own.iter().map(|v| tape.rows(*v, &rows)).collect::<Result<_, _>>()?;
            of = chosen;
        }
        let attended: Vec<(Var, &Layout)> = own.iter().map(|v| (*v, &of)).collect();
        let (mut h, mut carried) = (x, vec![]);
        for (l, (layer, states)) in self.stack.each(&memory.carried).enumerate() {
            let run = if l == 0 {
                tape.attending(layer, h, layout, states, &attended)?
            } else {
                h = tape.dropout(h, drop.between);
                tape.recurrent(layer, h, layout, states)?
            };
            h = run.y;
            carried.extend(run.states);
        }
        let z = tape.linear(h, self.combine)?;
        let top = tape.tanh(z);
        Ok(Decoded { top: tape.dropout(top, drop.output), carried, weights: vec![] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equations(m: &settings::Model) -> Vec<String> {
        let text = cell(m).unwrap().source;
        text.lines().filter(|l| !l.starts_with('#')).map(String::from).collect()
    }

    #[test]
    fn the_built_in_cells_are_those_of_the_papers() {
        let of = |cell: &str, attention| settings::Model { cell: cell.into(), attention, ..settings::Model::default() };
        let known = |name| {
            let m = settings::Model { decoder_cell: Some(String::from(name)), ..settings::Model::default() };
            equations(&m)
        };
        assert_eq!(equations(&of("gru", Attention::Additive)), known("gru-attention"));
        assert_eq!(equations(&of("lstm", Attention::Dot)), known("lstm-attention"));
        for (cell_name, query) in [("gru", "h"), ("lstm", "h'")] {
            for (attention, says) in [
                (Attention::Dot, format!("a  = attend(W_a {query}, m)")),
                (Attention::Scaled, format!("a  = attend_scaled(W_a {query}, m)")),
                (Attention::Additive, format!("a  = attend_additive(W_a {query}, v_a, k, m)")),
            ] {
                assert!(equations(&of(cell_name, attention)).contains(&says), "{says}");
            }
        }
        assert!(cell(&of("mgu", Attention::Dot)).unwrap_err().to_string().contains("--decoder-cell"));
    }

    #[test]
    fn each_row_has_the_memory_of_its_source() {
        let of = Layout::new(vec![1, 3]);
        let (layout, rows) = of_rows(&of, &[1, 0, 1]);
        assert_eq!(layout.lengths[..], [3, 1, 3]);
        assert_eq!(rows, [1, 0, 1, 3, NO_ROW, 3, 5, NO_ROW, 5]);
    }
}
