//! Products that read the same operands become one packed product.

use super::{Member, Product};
use crate::program::{Node, NodeId, Op};

/// Terms `from .. to` of an affine node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub node: NodeId,
    pub from: usize,
    pub to: usize,
}

/// Groups parts with the same operands and the same number of rows, in the order of their first members.
pub(super) fn merge(nodes: &[Node], parts: &[Part]) -> Vec<Product> {
    let mut products: Vec<Product> = vec![];
    for part in parts {
        let node = &nodes[part.node.index()];
        let Op::Affine { terms, .. } = &node.op else { continue };
        let vectors: Vec<NodeId> = terms[part.from..part.to].iter().map(|t| t.vector).collect();
        let member = Member { node: part.node, from: part.from };
        let same = |p: &&mut Product| p.vectors == vectors && nodes[p.members[0].node.index()].shape == node.shape;
        match products.iter_mut().find(same) {
            Some(p) => p.members.push(member),
            None => products.push(Product { vectors, members: vec![member] }),
        }
    }
    products
}
