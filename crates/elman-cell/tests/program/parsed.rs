//! From text: what the checker gives is what these tests build by hand.

use crate::builder::*;
use crate::cells;
use elman_cell::interpret::{Point, check_gradient};
use elman_cell::schedule::Schedule;
use elman_cell::verify::verify;
use elman_cell::{Cell, backward_text, canonical, derive, lower};

fn parse(text: &str) -> Cell {
    elman_cell::parse("cell", text).unwrap_or_else(|d| panic!("{}", d.render("cell", text)))
}

const GRU: &str = "
z  = sigmoid(W_z x + U_z h + b_z)
r  = sigmoid(W_r x + U_r h + b_r)
c  = tanh(W_c x + U_c (r * h) + b_c)
h' = (1 - z) * h + z * c
";

const GRU_CONCATENATED: &str = r"
$$z_t = \sigma(W_z \cdot [h_{t-1}, x_t] + b_z)$$
$$r_t = \sigma(W_r \cdot [h_{t-1}, x_t] + b_r)$$
$$\tilde{h}_t = \tanh(W_h \cdot [r_t \odot h_{t-1}, x_t] + b_h)$$
$$h_t = (1 - z_t) \odot h_{t-1} + z_t \odot \tilde{h}_t$$
";

const GRU_ROWS: &str = r"
$$z_t = \sigma(h_{t-1}W_1^z + x_tW_2^z + b_z)$$
$$r_t = \sigma(h_{t-1}W_1^r + x_tW_2^r + b_r)$$
$$\widetilde{h}_t = \tanh((r_t \odot h_{t-1})W_1^h + x_tW_2^h + b_h)$$
$$h_t = (1 - z_t) \odot h_{t-1} + z_t \odot \widetilde{h}_t$$
";

const MUT1: &str = r"
$$\begin{aligned}z &= \text{sigm}(W_{xz}x_t + b_z) \\r &= \text{sigm}(W_{xr}x_t + W_{hr}h_t + b_r) \\h_{t+1} &= \tanh(W_{hh}(r \odot h_t) + \tanh(x_t) + b_h) \odot z \\&+ h_t \odot (1 - z)\end{aligned}$$
";

#[test]
fn three_written_spellings_of_gru_are_one() {
    let expected = canonical(&cells::gru().build());
    for text in [GRU, GRU_CONCATENATED, GRU_ROWS] {
        assert_eq!(canonical(&parse(text)), expected, "{text}");
    }
    let as_printed = GRU_ROWS.replace("W_2^r", "W_2^z");
    assert_eq!(canonical(&parse(&as_printed)), canonical(&cells::gru_rows("W_2^z").build()));
}

#[test]
fn written_cells_have_right_gradients_and_schedules() {
    let learned = "h' = tanh(W x + a * (U - U^T) h + b)\ny = V h' + norm(h') * c\nparam a : 1\nlearn h\n";
    for text in [GRU, GRU_CONCATENATED, GRU_ROWS, MUT1, learned] {
        let program = lower(&parse(text));
        let derived = derive(&program);
        let schedule = Schedule::new(&program, &derived, &[]);
        assert_eq!(verify(&program, &derived, &schedule, &[]), Ok(()), "{text}");
        let point = Point::random(&program, SQUARE, 3, 9);
        let check = check_gradient(&program, &derived, &point, 10);
        assert!(check.worst() < 1e-6, "{text}\n{check:?}");
    }
}

#[test]
fn a_dimension_that_is_forced_keeps_its_declared_name() {
    assert_eq!(canonical(&parse(MUT1)), canonical(&cells::mut1().build()));
}

#[test]
fn thousands_of_equations_take_no_time() {
    let chain = |link: &dyn Fn(usize) -> String| {
        let links: String = (1..3_000).map(|i| format!("{}\n", link(i))).collect();
        format!("a0 = h + x\n{links}h' = tanh(a2999)\n")
    };
    let texts = [
        chain(&|i| format!("a{i} = tanh(a{}) + W x", i - 1)),
        chain(&|i| format!("a{i} = a{} * a{} + b", i - 1, i / 2)),
        chain(&|i| format!("a{i} = a{} + a{}", i - 1, i / 2)),
    ];
    for text in texts {
        let cell = parse(&text);
        let start = std::time::Instant::now();
        let program = lower(&cell);
        let derived = derive(&program);
        let schedule = Schedule::new(&program, &derived, &[]);
        assert_eq!(verify(&program, &derived, &schedule, &[]), Ok(()));
        let printed = canonical(&cell).len() + backward_text(&cell, &program, &derived).len();
        // About 0.1 s in a release build on one core.
        assert!(printed < 1_000_000 && start.elapsed().as_secs() < 10, "{printed} {:?}", start.elapsed());
    }
}
