//! One cell, one text; two cells, two texts.

use crate::builder::*;
use crate::cells;
use elman_cell::canonical;
use elman_cell::cell::Init;
use elman_cell::op::Function as F;

fn text(b: &Builder) -> String {
    canonical(&b.build())
}

fn assert_one(a: &Builder, b: &Builder) {
    assert_eq!(text(a), text(b));
}

fn assert_two(a: &Builder, b: &Builder) {
    assert_ne!(text(a), text(b));
}

/// The lecture's GRU, with concatenations.
fn gru_concat() -> Builder {
    let gate =
        |f: fn(E) -> E, g: &str, s: E| f(mat(&format!("W_{g}"), H, H + I) % cat([s, x()]) + b(&format!("b_{g}")));
    cell("lecture")
        .eq("h'", (1.0 - val("u")) * h() + val("u") * val("h_tilde"))
        .eq("h_tilde", gate(tanh, "h", val("r") * h()))
        .eq("r", gate(sigmoid, "r", h()))
        .eq("u", gate(sigmoid, "z", h()))
}

#[test]
fn three_spellings_of_gru_are_one() {
    assert_one(&cells::gru(), &gru_concat());
    assert_one(&cells::gru(), &cells::gru_rows("W_2^r"));
}

#[test]
fn a_shared_weight_is_another_cell() {
    assert_two(&cells::gru_rows("W_2^z"), &cells::gru_rows("W_2^r"));
    assert_two(&cells::gru(), &cells::gru_after());
    let two = cell("two").eq("h'", tanh(u("A", h()) + u("B", tanh(h()))));
    let one = cell("one").eq("h'", tanh(u("A", h()) + u("A", tanh(h()))));
    assert_two(&one, &two);
}

/// The LSTM with other names, its equations turned round, operands swapped, signs moved and values in between.
fn lstm_renamed() -> Builder {
    cell("renamed")
        .eq("y'", th() * val("p"))
        .eq("p", sigmoid(b("z4") + mat("z2", H, I) % x() + mat("z3", H, H) % prev("y")))
        .eq("a", val("j") * val("k"))
        .eq("s'", val("a") - (-(prev("s")) * val("q")))
        .eq("q", sigmoid(val("inner") - (-b("f3"))))
        .eq("inner", mat("f2", H, H + I) % cat([prev("y"), x()]))
        .eq("j", tanh(mat("j1", H, H) % prev("y") + (b("j3") + wx("j2"))))
        .eq("k", sigmoid((mat("k1", H, H) % prev("y") + b("k3")) + wx("k2")))
        .output("y")
}

fn th() -> E {
    tanh(val("s"))
}

#[test]
fn a_renamed_and_reordered_lstm_is_the_lstm() {
    assert_one(&cells::lstm(), &lstm_renamed());
    assert_one(&cells::lstm(), &cells::lstm_concat());
}

#[test]
fn another_function_is_another_cell() {
    let with = |f: fn(E) -> E| cells::lstm().replace("o", f(wx("W_o") + u("U_o", h()) + b("b_o")));
    assert_one(&cells::lstm(), &with(sigmoid));
    assert_two(&cells::lstm(), &with(tanh));
    assert_two(&cells::lstm(), &cells::lstm().output("c"));
    assert_two(&cells::mut1(), &cells::mut3());
}

#[test]
fn declarations_that_matter_are_told_apart() {
    let plain = cells::lstm();
    assert_two(&plain, &plain.clone().init("b_f", Init::Constant(1.0)));
    assert_two(&plain.clone().init("b_i", Init::Constant(1.0)), &plain.clone().init("b_f", Init::Constant(1.0)));
    assert_two(&plain, &plain.clone().share("U_f"));
    assert_two(&plain, &plain.clone().learn("h"));
    assert_two(&plain.clone().learn("h"), &plain.clone().learn("c"));
    assert_two(&plain, &plain.clone().eq("idle", wx("Idle")));
    assert_two(&cells::own_size(), &cells::own_size().dim("m", elman_cell::Dim::fixed(6)));
}

#[test]
fn algebra_that_only_respells_is_seen_through() {
    let pairs = [
        (u("V", h()) - u("W", h()), (mat("V", H, H) - mat("W", H, H)) % h()),
        (tanh(t(mat("K", I, H)) % x()), tanh(wx("K"))),
        (t(mat("K", I + H, H)) % cat([x(), h()]), u("A", h()) + wx("B")),
        (f2(F::Max, x_part(), h()), f2(F::Max, h(), x_part())),
        (f(F::Silu, x_part()), x_part() * sigmoid(x_part())),
        (2.0 * (h() + b("b")), b("b") + h() + h() + b("b")),
        (-(-h()) * x_part() / num(2.0), 0.5 * (x_part() * h())),
        (u("W", -h()), -(u("W", h()))),
        (tanh(wx("A") + wx("B")) * sigmoid(wx("A")), tanh(wx("A") + wx("B")) * sigmoid(wx("B"))),
    ];
    for (a, c) in pairs {
        assert_one(&cell("a").eq("h'", a), &cell("b").eq("h'", c));
    }
    let mean_of_five = f(F::Sum, h()) / num(5.0);
    assert_two(&cell("a").eq("h'", f(F::Mean, h()) * x_part()), &cell("b").eq("h'", mean_of_five * x_part()));
}

#[test]
fn alike_states_are_told_apart_by_their_readers() {
    let update = |w: &str, v: &str| tanh(u(w, h()) + u(v, prev("m")));
    let one = cell("a").eq("h'", update("A", "B")).eq("m'", update("C", "D")).output("h");
    let other = cell("b").eq("h'", update("A", "B")).eq("m'", update("C", "D")).output("m");
    assert_one(&one, &other);
    assert_two(&one, &cell("c").eq("h'", update("A", "B")).eq("m'", update("A", "D")).output("h"));
}

fn x_part() -> E {
    wx("X")
}

#[test]
fn overlapping_blocks_stay_one_parameter() {
    let whole = |v: E| mat("W", H, H + H) % v;
    let overlapping = cell("a").eq("h'", whole(cat([h(), tanh(h())])) * whole(h2())).eq("m'", h()).dim("m", H + H);
    let apart =
        cell("b").eq("h'", whole(cat([h(), tanh(h())])) * (mat("V", H, H + H) % h2())).eq("m'", h()).dim("m", H + H);
    assert_two(&overlapping, &apart);
}

fn h2() -> E {
    prev("m")
}

#[test]
fn no_two_test_cells_are_one() {
    let all: Vec<_> = cells::all().into_iter().map(|(c, _)| (c.name.clone(), canonical(&c))).collect();
    let same = [("lstm", "lstm-concat"), ("gru", "gru-rows"), ("Identity", "power 1")];
    for (i, (a, first)) in all.iter().enumerate() {
        for (b, second) in &all[..i] {
            let expected = same.contains(&(b, a)) || same.contains(&(a, b));
            assert!(first != second || expected, "{a} and {b}:\n{first}");
        }
    }
}
