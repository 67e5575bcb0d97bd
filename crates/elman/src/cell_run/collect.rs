//! Results under the names that the output file gives them.

use super::inputs::Inputs;
use crate::tensors::Named;
use elman_engine::{Gradients, Network, Outputs, Tensor};

/// `y`, the final states, the traces.
pub fn outputs<T>(network: &Network, inputs: &Inputs<T>, outputs: Outputs<T>) -> Vec<Named<T>> {
    let (steps, batch) = (inputs.steps, inputs.batch);
    let mut named = vec![Named { name: "y".into(), shape: vec![steps, batch, network.output_size()], data: outputs.y }];
    named.extend(rows("", network.states(), &[batch], outputs.states));
    named.extend(outputs.traces.into_iter().map(|trace| Named {
        name: format!("trace.{}", trace.name),
        shape: vec![steps, batch, trace.dim],
        data: trace.values,
    }));
    named
}

/// `d.` of inputs, memories, parameters and initial states.
pub fn gradients<T>(network: &Network, inputs: &Inputs<T>, gradients: Gradients<T>) -> Vec<Named<T>> {
    let (steps, batch) = (inputs.steps, inputs.batch);
    let (every_step, once) = ([steps, batch], [batch]);
    let slots = inputs.memories.iter().map(|m| m.slots);
    let inputs = rows("d.", network.inputs(), &every_step, gradients.inputs);
    let parameters = rows("d.", network.parameters(), &[], gradients.parameters);
    let initial = rows("d.", network.states(), &once, gradients.initial);
    let memories = network.memories().iter().zip(gradients.memories).zip(slots).map(|((tensor, data), slots)| Named {
        name: format!("d.{}", tensor.name),
        shape: [&[slots, batch], tensor.shape.as_slice()].concat(),
        data,
    });
    inputs.chain(memories).chain(parameters).chain(initial).collect()
}

/// Each tensor with its values, under its name with `prefix`, its shape after `outer`.
fn rows<'a, T: 'a>(
    prefix: &'a str,
    tensors: &'a [Tensor],
    outer: &'a [usize],
    values: Vec<Vec<T>>,
) -> impl Iterator<Item = Named<T>> + 'a {
    tensors.iter().zip(values).map(move |(tensor, data)| Named {
        name: format!("{prefix}{}", tensor.name),
        shape: [outer, tensor.shape.as_slice()].concat(),
        data,
    })
}
