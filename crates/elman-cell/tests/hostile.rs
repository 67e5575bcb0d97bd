//! No text panics, overflows the stack, hangs, or takes more than a second per megabyte.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use elman_cell::{Sizes, builtin, parse};

/// A small generator of numbers (xorshift, Marsaglia 2003), so that every run tests the same texts.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

/// Reads a text, prints what it says, and whatever can be printed of it; says how long that took.
fn survive(text: &str) -> Duration {
    let start = busy();
    match parse("hostile", text) {
        Ok(cell) => {
            let _ = cell.check_sizes(Sizes { input: 3, hidden: 4, output: 5 });
            let _ = cell.check_sizes(Sizes { input: usize::MAX, hidden: usize::MAX, output: 0 });
            for printed in [cell.to_text(), cell.to_latex()] {
                let again = parse("again", &printed);
                assert!(again.is_ok_and(|again| again.same_as(&cell)), "{text}\nis printed as\n{printed}");
            }
        }
        Err(errors) => {
            assert!(errors.has_errors());
            let rendered = errors.render("hostile", text);
            assert!(rendered.len() <= 16 * 1024, "{}", rendered.len());
            assert!(rendered.chars().all(|c| c == '\n' || !c.is_control()));
            for d in errors.shown().0 {
                assert!(d.message.len() <= 300 && d.hint.as_ref().is_none_or(|h| h.len() <= 300));
            }
        }
    }
    busy() - start
}

/// The time this thread has spent on a processor, where the system tells, so that other work on the machine does not
/// count; else the time of day.
fn busy() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = told.split(' ').next().and_then(|n| n.parse().ok());
    nanoseconds.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

/// A second per megabyte in a release build; unoptimised builds get ten. The best of three runs counts.
fn in_time(text: &str) {
    let megabytes = (text.len() as f64 / 1e6).max(0.5);
    let allowed = megabytes * if cfg!(debug_assertions) { 10.0 } else { 1.0 };
    let took = (0..3).map(|_| survive(text).as_secs_f64()).find(|took| *took < allowed);
    let shown: String = text.chars().take(40).collect();
    assert!(took.is_some(), "{shown:?}… takes more than {allowed} s");
}

#[test]
fn deep_nesting_is_an_error() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{", "}"),
        ("tanh(", ")"),
        ("\\tanh{", "}"),
        ("\\frac{", "}{2}"),
        ("-(", ")"),
        ("\\tilde{", "}"),
    ] {
        for depth in [50, 90, 150, 1000, 100_000] {
            in_time(&format!("h' = {}x{}", open.repeat(depth), close.repeat(depth)));
            in_time(&format!("h' = {}x", open.repeat(depth)));
        }
    }
    for word in [
        "tanh ",
        "\\tanh ",
        "\\tilde ",
        "-",
        "\\frac ",
        "\\left(",
        "\\mathrm{",
        "\\begin{aligned}",
        "$",
        "\\\\",
        "^{",
        "_{",
        "'",
    ] {
        in_time(&format!("h' = {}x", word.repeat(100_000)));
    }
}

#[test]
fn long_lines_take_linear_time() {
    for piece in [
        "x + ",
        "x * ",
        "x ",
        "W ",
        "x",
        "Ux_t",
        "W_zx_t ",
        "x_tW_2",
        "a_b",
        "[x, ",
        "sigmiod(x) + ",
        "1",
        "é",
        "W^T ",
        "h' ",
        "& ",
        "\t",
        "\0",
        "\u{202e}",
        "x_{a}",
        "q_t + ",
        "1/0 + ",
        "\\foo ",
        "\\quad ",
        "; ",
        ", ",
        "= ",
        ". ",
        "𝐖",
    ] {
        let count = 400_000 / piece.len();
        in_time(&format!("h' = tanh(U h) + {}x", piece.repeat(count)));
        in_time(&piece.repeat(count));
        in_time(&format!("$${}x$$", piece.repeat(count)));
    }
}

#[test]
fn many_lines_take_linear_time() {
    for line in [
        "z = z\n",
        "h' = tanh(W x + U h)\n",
        "input c : 8\n",
        "state m : 64\n",
        "const a = 0.3\n",
        "init b = 1\n",
        "param W : hidden x 4\n",
        "learn h\n",
        "output y\n",
        "share W\n",
        "function f = tnah\n",
        "# comment\n",
        "(\n",
        "x\n",
        "+ x\n",
        "y = [h, h]\n",
        "\\\\ \n",
        "$\n",
    ] {
        in_time(&line.repeat(400_000 / line.len()));
    }
    let numbered = |line: &dyn Fn(usize) -> String| (0..10_000).map(line).collect::<String>();
    in_time(&numbered(&|i| format!("a{i} = tanh(a{} + W{i} x)\n", i + 1)));
    in_time(&numbered(&|i| format!("a{} = tanh(a{i} + W{i} x)\n", i + 1)));
    in_time(&numbered(&|i| format!("a{i}' = a{i} + [a{i}, x]\n")));
    in_time(&numbered(&|i| format!("a{i} = [a{}, a{}]\n", i + 1, i + 2)));
    in_time(&numbered(&|i| format!("const a{i} = 1\nstate s{i} : 4\nparam p{i} : 1\n")));
    in_time(&numbered(&|i| format!("a{i}_t = a{}\n", (i * 7) % 10_000)));
    in_time(&numbered(&|i| format!("a{i} = x + W_a{i}x + A{i} (1) (2)\n")));
    for piece in ["\\text{", "\\text{a b} ", " (1)", "\\quad \\text{word} ", "x^{<t>} ", "\\left\\{ ", "x(t) ", "дx"] {
        in_time(&format!("h' = h {}", piece.repeat(100_000)));
    }
}

#[test]
fn mutated_cells_are_survived() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let pieces = [
        "'", "_t", "_{t-1}", "^T", "^2", "(", ")", "[", "]", "{", "}", "+", "*", "·", "\\", "\\\\", "$", "=", ",", ";",
        "\n", " ", "x", "h", "W", "σ", "tanh", "0", "1e9", "é", "\u{303}", "#", "input ", "state ", "ₜ", "²", ":", "&",
    ];
    let rounds = if cfg!(debug_assertions) { 1_000 } else { 5_000 };
    for round in 0..rounds {
        let name = builtin::names()[numbers.below(builtin::names().len())];
        let source = builtin::source(name).unwrap();
        let text = if round % 2 == 0 { source.to_string() } else { parse(name, source).unwrap().to_latex() };
        let mut letters: Vec<char> = text.chars().collect();
        for _ in 0..=numbers.below(4) {
            let at = numbers.below(letters.len());
            match numbers.below(4) {
                0 => drop(letters.remove(at)),
                1 => drop(letters.splice(at..at, pieces[numbers.below(pieces.len())].chars())),
                2 => letters[at] = char::from_u32(numbers.below(0x500) as u32).unwrap_or('?'),
                _ => {
                    let to = numbers.below(letters.len());
                    letters.swap(at, to);
                }
            }
        }
        survive(&letters.into_iter().collect::<String>());
    }
}

#[test]
fn random_bytes_are_survived() {
    let mut numbers = Numbers(42);
    for _ in 0..2_000 {
        let bytes: Vec<u8> = (0..numbers.below(200)).map(|_| numbers.below(256) as u8).collect();
        survive(&String::from_utf8_lossy(&bytes));
    }
    let bytes: Vec<u8> = (0..1_000_000).map(|_| numbers.below(256) as u8).collect();
    in_time(&String::from_utf8_lossy(&bytes));
    in_time(&"\u{feff}".repeat(300_000));
    survive("");
    survive("\n\n\n");
}
