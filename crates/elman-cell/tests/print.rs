//! A printed cell reads back as itself: the built-in cells, and random ones.

use elman_cell::{Cell, builtin, parse};

fn reads_back(cell: &Cell, source: &str) {
    for text in [cell.to_text(), cell.to_latex()] {
        let again =
            parse("again", &text).unwrap_or_else(|e| panic!("{source}\nprints as\n{}", e.render("printed", &text)));
        assert!(again.same_as(cell), "{source}\nprints as\n{text}\nand reads as\n{}", again.to_text());
    }
}

#[test]
fn every_builtin_cell() {
    for name in builtin::names() {
        let source = builtin::source(name).unwrap();
        let cell = parse(name, source).unwrap();
        reads_back(&cell, source);
        assert_eq!(cell.to_text(), parse(name, &cell.to_text()).unwrap().to_text(), "printing twice changes nothing");
    }
}

/// A generator of random expressions over a few names (xorshift, Marsaglia 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }

    fn vector(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.pick(&["x", "h", "c", "m", "b", "w_c", "v_hat"]).to_string();
        }
        let inner = |r: &mut Random| r.vector(depth - 1);
        match self.below(14) {
            0 => format!("({} + {})", inner(self), inner(self)),
            1 => format!("({} - {})", inner(self), inner(self)),
            2 => format!("({}) * ({})", inner(self), inner(self)),
            3 => format!("({}) / ({})", inner(self), inner(self)),
            4 => format!("-({})", inner(self)),
            5 => format!(
                "{} ({})",
                self.pick(&["W", "U_x", "V^T", "(W + U_x)", "(W U_x)", "(2 * W - U_x^T)", "W_1^z"]),
                inner(self)
            ),
            6 => format!("({}) {}", inner(self), self.pick(&["W", "U_x", "V^T", "W_1^z V"])),
            7 => format!("{}({})", self.pick(&["tanh", "sigm", "relu", "softmax", "layer_norm", "exp"]), inner(self)),
            8 => format!("max({}, {})", inner(self), inner(self)),
            9 => format!("{} * ({})", self.pick(&["0.5", "-2", "1e-7", "sum(x)", "a", "(1 - a)", "1/3"]), inner(self)),
            10 => format!("({})^{}", inner(self), self.pick(&["2", "0.5", "-1", "3"])),
            11 => format!("M [{}, {}]", inner(self), inner(self)),
            12 => format!("2 ({})", inner(self)),
            _ => inner(self),
        }
    }

    fn cell(&mut self) -> String {
        let mut text = String::from("# a random cell\nparam a : 1\n");
        for left in ["h'", "c'", "m"] {
            let value = self.vector(4).replace(" m", " h").replace("(m", "(c");
            text.push_str(&format!("{left} = {value} + h + c\n"));
        }
        text.push_str("init a = 0.5\noutput c\n");
        text
    }
}

#[test]
fn random_cells() {
    let mut random = Random(7);
    let mut right = 0;
    for _ in 0..3_000 {
        let source = random.cell();
        if let Ok(cell) = parse("random", &source) {
            right += 1;
            reads_back(&cell, &source);
        }
    }
    assert!(right > 500, "only {right} random cells are right");
}
