//! The lecture's cells, pasted as it prints them, mean what it says.

use elman_cell::{Cell, parse};

fn cell(text: &str) -> Cell {
    parse("lecture", text).unwrap_or_else(|errors| panic!("{}", errors.render("lecture", text)))
}

/// The equations in plain text, without documentation.
fn reads(text: &str) -> String {
    cell(text).to_text()
}

fn codes(text: &str) -> Vec<&'static str> {
    cell(text).diagnostics.iter().map(|d| d.code).collect()
}

const RNN: [&str; 3] = [
    r"
    $$h_t = \sigma_h(Ux_t + Wh_{t-1})$$
    $$y_t = \sigma_y(Vh_t)$$",
    r"
    $$h_t = f_h(Ux_t + Wh_{t-1} + b_h) \quad \hat{y}_t = f_y(Vh_t + b_y)$$",
    r"
    $$h_t = \tanh(h_{t-1}W_1 + x_tW_2)$$
    $$y_t = h_tW_3$$",
];

#[test]
fn the_simple_network_in_its_spellings() {
    assert_eq!(reads(RNN[0]), "h' = tanh(U x + W h)\ny = identity(V h')\n");
    assert_eq!(reads(RNN[1]), "h' = tanh(U x + W h + b_h)\ny_hat = identity(V h' + b_y)\n");
    assert_eq!(reads(RNN[2]), "h' = tanh(h W_1 + x W_2)\ny = h' W_3\n");
    assert_eq!(codes(RNN[0]), ["N003", "N003"]);
}

#[test]
fn the_same_in_plain_text_splits_runs_and_says_so() {
    let text = "h_t = σ_h(Ux_t + Wh_{t-1})\ny_t = σ_y(Vh_t)";
    assert_eq!(reads(text), reads(RNN[0]));
    assert_eq!(codes(text).iter().filter(|c| **c == "N002").count(), 3);
}

#[test]
fn lstm() {
    let text = r"
    $$f_t = \sigma (W_f \cdot [h_{t-1}, x_t] + b_f)$$
    $$i_t = \sigma(W_i \cdot [h_{t-1}, x_t] + b_i)$$
    $$\tilde{C}_t = \tanh(W_C \cdot [h_{t-1}, x_t] + b_C)$$
    $$C_t = f_t * C_{t-1} + i_t * \tilde{C}_t$$
    $$o_t = \sigma (W_o [h_{t-1}, x_t] + b_o)$$
    $$h_t = o_t * \tanh (C_t)$$";
    let builtin = parse("lstm", elman_cell::builtin::source("lstm").unwrap()).unwrap();
    let mut pasted = cell(text);
    assert!(pasted.diagnostics.is_empty());
    pasted.doc = builtin.doc.clone();
    assert!(pasted.same_as(&builtin), "{}", pasted.to_text());
}

#[test]
fn gru_in_both_spellings() {
    let first = r"
    $$z_t = \sigma(W_z \cdot [h_{t-1}, x_t] + b_z)$$
    $$r_t = \sigma(W_r \cdot [h_{t-1}, x_t] + b_r)$$
    $$\tilde{h}_t = \tanh(W_h \cdot [r_t \odot h_{t-1}, x_t] + b_h)$$
    $$h_t = (1 - z_t) \odot h_{t-1} + z_t \odot \tilde{h}_t$$";
    let builtin = parse("gru", elman_cell::builtin::source("gru").unwrap()).unwrap();
    let mut pasted = cell(first);
    pasted.doc = builtin.doc.clone();
    assert!(pasted.same_as(&builtin), "{}", pasted.to_text());

    let second = r"
    $$z_t = \sigma(h_{t-1}W_1^z + x_tW_2^z + b_z)$$
    $$r_t = \sigma(h_{t-1}W_1^r + x_tW_2^z + b_r)$$
    $$\widetilde{h}_t = \tanh((r_t \odot h_{t-1})W_1^h + x_tW_2^h + b_h)$$
    $$h_t = (1 - z_t) \odot h_{t-1} + z_t \odot \widetilde{h}_t$$";
    assert_eq!(codes(second), ["N001"], "W_2^z is shared, and a note says so");
    let names: Vec<String> = cell(second).params.into_iter().map(|p| p.name).collect();
    assert_eq!(names, ["W_1^z", "W_2^z", "b_z", "W_1^r", "b_r", "W_1^h", "W_2^h", "b_h"]);
    assert!(reads(second).starts_with("z = sigmoid(h W_1^z + x W_2^z + b_z)\n"));
}

#[test]
fn mut1_as_printed() {
    let text = r"
    $$\begin{aligned}z &= \text{sigm}(W_{xz}x_t + b_z) \\r &= \text{sigm}(W_{xr}x_t + W_{hr}h_t + b_r) \\h_{t+1} &= \tanh(W_{hh}(r \odot h_t) + \tanh(x_t) + b_h) \odot z \\&+ h_t \odot (1 - z)\end{aligned}$$";
    let builtin = parse("mut1", elman_cell::builtin::source("mut1").unwrap()).unwrap();
    let mut pasted = cell(text);
    pasted.doc = builtin.doc.clone();
    assert!(pasted.diagnostics.is_empty(), "{:?}", pasted.diagnostics);
    assert!(pasted.same_as(&builtin), "{}", pasted.to_text());
}

#[test]
fn mut2_and_mut3_as_the_lecture_writes_them() {
    let mut2 = "z = sigm(W_xz x_t + W_hz h_t + b_z)
        r = sigm(x_t + W_hr h_t + b_r)
        h_{t+1} = tanh(W_hh (r ⊙ h_t) + W_xh x_t + b_h) ⊙ z
                + h_t ⊙ (1 − z)";
    let mut3 = "z = sigm(W_xzx_t + W_hz tanh(h_t) + b_z);  r = sigm(W_xrx_t + W_hrh_t + b_r)
        h_{t+1} = tanh(W_hh(r ⊙ h_t) + W_xhx_t + b_h) ⊙ z + h_t ⊙ (1 − z)";
    for (name, text) in [("mut2", mut2), ("mut3", mut3)] {
        let builtin = parse(name, elman_cell::builtin::source(name).unwrap()).unwrap();
        let mut pasted = cell(text);
        pasted.doc = builtin.doc.clone();
        assert!(pasted.same_as(&builtin), "{}", pasted.to_text());
    }
}
