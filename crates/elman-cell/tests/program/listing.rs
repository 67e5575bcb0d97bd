//! What is printed, and that it is short of nothing.

use crate::builder::*;
use crate::cells;
use elman_cell::{backward_text, derive, lower};

fn derived(b: &Builder) -> String {
    let cell = b.build();
    let program = lower(&cell);
    backward_text(&cell, &program, &derive(&program))
}

#[test]
fn the_derived_gru_reads_like_a_textbook() {
    let expected = "\
dh' = dout + dh_later
dc = dh' * z
dc_in = dc * (1 - c * c)
dr = U_c^T dc_in * h
dr_in = dr * (r * (1 - r))
dz = dh' * (c - h)
dz_in = dz * (z * (1 - z))
dh = U_z^T dz_in + U_r^T dr_in + U_c^T dc_in * r + dh' * (1 - z)
dx = W_z^T dz_in + W_r^T dr_in + W_c^T dc_in
dW_z += dz_in ⊗ x
dU_z += dz_in ⊗ h
dW_r += dr_in ⊗ x
dU_r += dr_in ⊗ h
dW_c += dc_in ⊗ x
dU_c += dc_in ⊗ r * h
db_z += dz_in
db_r += dr_in
db_c += dc_in
";
    assert_eq!(derived(&cells::gru()), expected);
}

#[test]
fn columns_and_transposes_are_told_from_their_matrix() {
    let text = derived(&cells::lstm_concat());
    assert!(text.contains("dW_f[0 .. hidden] += df_in ⊗ h\n"), "{text}");
    assert!(!text.contains("place"), "blocks of a parameter need no assembling line:\n{text}");
    let text = derived(&cells::antisymmetric());
    assert!(text.contains("d(W - W^T) += "), "{text}");
    assert!(text.contains("dW = dW + (-d(W - W^T) - d(-W^T))^T + d(W - W^T)\n"), "{text}");
}

#[test]
fn a_program_prints_a_line_a_node() {
    let program = lower(&cells::simple().build());
    let expected = "\
%7 = affine(p2; p0·x0, p1·s0) : hidden
%8 = tanh(%7) : hidden  # h
%9 = affine(p4; p3·%8) : output  # y
s0' = %8
y = %9
";
    assert_eq!(program.to_string(), expected);
    let text = derive(&program).to_string();
    assert!(text.contains("affine(0; ") && text.contains("dp0 = Σ") && text.contains(" ⊗ ^"), "{text}");
}

#[test]
fn every_cell_prints() {
    for (cell, _) in cells::all() {
        let program = lower(&cell);
        let derived = derive(&program);
        let text = backward_text(&cell, &program, &derived);
        let missing = |n: &str| !text.contains(&format!("d{n} ")) && !text.contains(&format!("d{n}["));
        for (param, gradient) in cell.params.iter().zip(&derived.params) {
            let unwritten = text.contains("dW") || !missing(&param.name);
            assert!(gradient.is_none() || unwritten, "{}: {}\n{text}", cell.name, param.name);
        }
        assert!(!text.contains("= \n") && text.len() < 20_000, "{}", cell.name);
    }
}
