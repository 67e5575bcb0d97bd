//! The recurrent layers of a model: one runner a layer, so that masks lie between them, on one team of threads.

use super::super::dropout::Draw;
use elman_engine::dropout::Purpose;
use elman_engine::{
    Batch, Binary, EngineError, Gradients, Network, Options, Outputs, Real, Region, Runner, Team, Weights,
};

/// What a window hands to the next: per layer, per state of the cell, `[columns, units]`; of a transformer, as one layer, per
/// step that was read, `[columns, embedding]`. Empty at the start, where states are zero or learned.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State<T>(pub Vec<Vec<Vec<T>>>);

/// Which weights the runners hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Packed {
    /// Older ones.
    Old,
    /// The model's.
    Plain,
    /// Those with recurrent ones dropped.
    Dropped,
}

pub(super) struct Layers<T: Real> {
    runners: Vec<Runner<T>>,
    /// Per layer: its parameters among the model's.
    index: Vec<Vec<usize>>,
    recurrent: Vec<Vec<Region>>,
    packed: Packed,
    outputs: Vec<Outputs<T>>,
    gradients: Gradients<T>,
    /// The masks between layers of the last window, above each layer.
    between: Vec<Option<Vec<T>>>,
    /// Runners are given their inputs again on the way back.
    recompute: bool,
}

impl<T: Real> Layers<T> {
    pub fn new(
        networks: Vec<Network>,
        index: Vec<Vec<usize>>,
        weights: &[Vec<T>],
        options: &Options,
    ) -> Result<Layers<T>, EngineError> {
        // The model's threads run all layers.
        let options = Options { threads: 1, trace: vec![], ..options.clone() };
        let runner = |(network, own): (&Network, &Vec<usize>)| {
            let own = Weights(own.iter().map(|k| weights[*k].clone()).collect());
            Runner::new(network, &own, options.clone())
        };
        let runners: Vec<Runner<T>> = networks.iter().zip(&index).map(runner).collect::<Result<_, _>>()?;
        let recurrent = networks.iter().map(Network::recurrent).collect();
        let outputs = runners.iter().map(|_| Outputs::default()).collect();
        let (packed, gradients, between) = (Packed::Plain, Gradients::default(), vec![]);
        Ok(Layers { runners, index, recurrent, packed, outputs, gradients, between, recompute: options.recompute })
    }

    pub fn state_units(&self) -> Vec<Vec<usize>> {
        self.runners.iter().map(|r| r.network().states().iter().map(|t| t.count()).collect()).collect()
    }

    pub fn forget_packed(&mut self) {
        self.packed = Packed::Old;
    }

    /// Packs the weights that this window needs, where the runners do not hold them.
    pub fn pack(&mut self, team: &Team, weights: &[Vec<T>], draw: Option<&Draw>) -> Result<(), EngineError> {
        let dropping = draw.filter(|d| d.dropout.recurrent > 0.0);
        if dropping.is_none() && self.packed == Packed::Plain {
            return Ok(());
        }
        for (l, runner) in self.runners.iter_mut().enumerate() {
            let own = self.index[l].iter().map(|k| weights[*k].as_slice());
            if let Some(draw) = dropping {
                let mut own: Vec<Vec<T>> = own.map(<[T]>::to_vec).collect();
                drop_recurrent(&self.recurrent[l], &self.index[l], draw, &mut own);
                runner.set_parameters_on(team, &own.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
            } else {
                runner.set_parameters_on(team, &own.collect::<Vec<_>>())?;
            }
        }
        self.packed = if dropping.is_some() { Packed::Dropped } else { Packed::Plain };
        Ok(())
    }

    /// Runs all layers over `x`, `[steps · columns, units]`; the last one's output, to be handed back.
    pub fn forward(
        &mut self,
        team: &Team,
        ([steps, columns], lengths): ([usize; 2], Option<&[usize]>),
        x: &[T],
        state: &mut State<T>,
        zoneout: f64,
        draw: Option<&Draw>,
    ) -> Result<Vec<T>, EngineError> {
        self.between.clear();
        let layers = self.runners.len();
        for l in 0..layers {
            let (below, own) = self.outputs.split_at_mut(l);
            let input = below.last().map_or(x, |o| o.y.as_slice());
            let network = self.runners[l].network().clone();
            let zones = zones(&network, l, [steps, columns], zoneout, draw);
            if let Some(states) = state.0.get_mut(l) {
                for (s, t) in states.iter_mut().zip(network.states()) {
                    s.truncate(columns * t.count());
                }
            }
            let mut batch = Batch::new(steps, columns, input);
            batch.inputs.extend(zones.iter().map(Vec::as_slice));
            batch.lengths = lengths;
            batch.initial = state.0.get(l).map(Vec::as_slice);
            self.runners[l].forward_on(team, &batch, &mut own[0])?;
            let shape = [steps, columns, network.output_size()];
            let above = draw.filter(|_| l + 1 < layers);
            let mask = above.and_then(|d| d.units(Purpose::Between, l, d.dropout.between, shape));
            multiply(&mut own[0].y, mask.as_deref());
            self.between.push(mask);
        }
        state.0 = self.outputs.iter_mut().map(|o| std::mem::take(&mut o.states)).collect();
        Ok(self.outputs.last_mut().map(|o| std::mem::take(&mut o.y)).unwrap_or_default())
    }

    /// Takes memory back that [`Layers::forward`] handed out.
    pub fn give_back(&mut self, y: Vec<T>) {
        if let Some(o) = self.outputs.last_mut() {
            o.y = y;
        }
    }

    /// `x` is what `forward` was given; `dy` is the gradient by the last layer's output, and becomes that by the first one's
    /// input. Gradients of the layers' parameters are written over the model's.
    pub fn backward(
        &mut self,
        team: &Team,
        ([steps, columns], lengths): ([usize; 2], Option<&[usize]>),
        x: &[T],
        dy: &mut Vec<T>,
        draw: &Draw,
        gradients: &mut [Vec<T>],
    ) -> Result<(), EngineError> {
        for l in (0..self.runners.len()).rev() {
            multiply(dy, self.between.get(l).and_then(Option::as_deref));
            let input = l.checked_sub(1).map_or(x, |below| self.outputs[below].y.as_slice());
            let zones = match self.recompute {
                true => zones(self.runners[l].network(), l, [steps, columns], 0.0, Some(draw)),
                false => vec![],
            };
            let mut batch = Batch::new(steps, columns, input);
            batch.inputs.extend(zones.iter().map(Vec::as_slice));
            batch.lengths = lengths;
            let again = self.recompute.then_some(&batch);
            let shared = self.of_layers_above(l, gradients);
            let own = &mut self.gradients.parameters;
            own.clear();
            own.extend(self.index[l].iter().map(|k| std::mem::take(&mut gradients[*k])));
            let done = self.runners[l].backward_on(team, again, dy, None, &mut self.gradients);
            let own = &mut self.gradients.parameters;
            if draw.dropout.recurrent > 0.0 && done.is_ok() {
                drop_recurrent(&self.recurrent[l], &self.index[l], draw, own);
            }
            for (k, g) in self.index[l].iter().zip(own) {
                gradients[*k] = std::mem::take(g);
            }
            for (k, above) in shared {
                gradients[k].iter_mut().zip(above).for_each(|(to, g)| *to = T::binary(Binary::Add, g, *to));
            }
            done?;
            std::mem::swap(dy, &mut self.gradients.inputs[0]);
        }
        Ok(())
    }
}

impl<T: Real> Layers<T> {
    /// Gradients of the parameters that layer `l` shares with layers above it, which have been there already.
    fn of_layers_above(&self, l: usize, gradients: &[Vec<T>]) -> Vec<(usize, Vec<T>)> {
        let above = |k: &&usize| self.index[l + 1..].iter().any(|index| index.contains(k));
        self.index[l].iter().filter(above).map(|k| (*k, gradients[*k].clone())).collect()
    }
}

/// The further inputs of a zoned cell: drawn while training, their probability otherwise.
fn zones<T: Real>(
    network: &Network,
    layer: usize,
    [steps, columns]: [usize; 2],
    zoneout: f64,
    draw: Option<&Draw>,
) -> Vec<Vec<T>> {
    let one = |(slot, t): (usize, &elman_engine::Tensor)| match draw {
        Some(d) => d.zones(layer, slot, [steps, columns, t.count()]),
        None => vec![T::from_f64(zoneout); steps * columns * t.count()],
    };
    network.inputs()[1..].iter().enumerate().map(one).collect()
}

/// Multiplies the recurrent regions of a layer's parameters (or of their gradients) by their masks.
fn drop_recurrent<T: Real>(regions: &[Region], index: &[usize], draw: &Draw, own: &mut [Vec<T>]) {
    for (slot, region) in regions.iter().enumerate() {
        let width = region.columns.len();
        let mask = draw.weights::<T>(index[region.parameter] << 16 | slot, region.rows * width);
        let rows = own[region.parameter].chunks_exact_mut(region.width);
        for (row, mask) in rows.zip(mask.chunks_exact(width)) {
            multiply(&mut row[region.columns.clone()], Some(mask));
        }
    }
}

/// values ⊙ mask, where there is one.
pub(super) fn multiply<T: Real>(values: &mut [T], mask: Option<&[T]>) {
    if let Some(mask) = mask {
        values.iter_mut().zip(mask).for_each(|(v, m)| *v = T::binary(Binary::Mul, *v, *m));
    }
}
