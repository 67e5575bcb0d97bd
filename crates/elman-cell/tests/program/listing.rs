#[test]
fn show() {
    for b in [
        crate::cells::lstm_concat(),
        crate::cells::gru(),
        crate::cells::simple(),
        crate::cells::antisymmetric(),
        crate::cells::layer_norm_lstm(),
    ] {
        let c = b.build();
        let p = elman_cell::lower(&c);
        let d = elman_cell::derive(&p);
        println!("{}\n{}\n=======", elman_cell::canonical(&c), elman_cell::backward_text(&c, &p, &d));
    }
}
