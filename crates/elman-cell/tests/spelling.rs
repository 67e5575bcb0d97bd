//! Spellings: what each way of writing means, shown by the plain text it prints as.

use elman_cell::{Cell, parse};

fn cell(text: &str) -> Cell {
    parse("spelling", text).unwrap_or_else(|errors| panic!("{}", errors.render("spelling", text)))
}

fn reads(text: &str) -> String {
    cell(text).to_text().trim_end().replace('\n', "; ")
}

fn wrong(text: &str) -> Vec<&'static str> {
    let errors = parse("spelling", text).err().unwrap_or_else(|| panic!("{text} is no error: {}", reads(text)));
    errors.0.iter().filter(|d| d.severity == elman_cell::Severity::Error).map(|d| d.code).collect()
}

struct Case {
    written: &'static str,
    means: &'static str,
}

const CASES: &[Case] = &[
    // Subscripts, time and runs of letters.
    Case { written: "h_t = tanh(W_zx_t + U_xzh_{t-1})", means: "h' = tanh(W_z x + U_xz h)" },
    Case { written: "h_t = tanh(x_tW_2 + h_{t-1}W_xi)", means: "h' = tanh(x W_2 + h W_xi)" },
    Case { written: "h_t = tanh(x_{t}W_{2} + h_{t-1}W_{xi})", means: "h' = tanh(x W_2 + h W_xi)" },
    Case { written: "hₜ = tanh(W₁xₜ + U hₜ₋₁)", means: "h' = tanh(W_1 x + U h)" },
    Case { written: "h_{1,t} = tanh(W x_t + U h_{1,t-1})", means: "h_1' = tanh(W x + U h_1)" },
    Case { written: "h^{(1)}_t = tanh(W x_t + U h_{t-1}^{(1)})", means: "h^{(1)}' = tanh(W x + U h^{(1)})" },
    Case { written: "h^{(t)} = tanh(W x^{(t)} + U h^{(t-1)})", means: "h' = tanh(W x + U h)" },
    Case { written: "h' = tanh(Ux + Wh)", means: "h' = tanh(U x + W h)" },
    Case { written: "h' = tanh(Wxh x + Whh h + bh)", means: "h' = tanh(Wxh x + Whh h + bh)" },
    Case { written: "h' = tanh(x @ Wx + h @ Wh)", means: "h' = tanh(x Wx + h Wh)" },
    Case { written: r"$h_t = tanh(Wx_t + Uh_{t-1})$", means: "h' = tanh(W x + U h)" },
    Case { written: "gate = sigmoid(W x)\nh_t = gate \\odot h_{t-1}", means: "gate = sigmoid(W x); h' = gate * h" },
    // Accents, fonts, Greek.
    Case {
        written: r"\mathbf{h}_t = \tanh(\mathbf{W}\mathbf{x}_t + \boldsymbol{U} \mathrm{h}_{t-1})",
        means: "h' = tanh(W x + U h)",
    },
    Case {
        written: r"\bar{h}_t = \tanh(W x_t); h_t = \bar{h_t} + h_{t-1}",
        means: "h_bar = tanh(W x); h' = h_bar + h",
    },
    Case { written: "h̃ = tanh(W x); h' = h + h_tilde", means: "h_tilde = tanh(W x); h' = h + h_tilde" },
    Case { written: "ŷ = V h'; h' = tanh(W x + U h)", means: "y_hat = V h'; h' = tanh(W x + U h)" },
    Case {
        written: "h' = α * h + \\alpha \\odot x_t * alpha\ninput x : hidden",
        means: "h' = alpha * h + alpha * x * alpha",
    },
    Case {
        written: r"\text{out}_t = V h_t \\ h_t = \operatorname{ReLU}(W x_t + U h_{t-1}).",
        means: "out = V h'; h' = relu(W x + U h)",
    },
    // As papers print them.
    Case { written: r"\vec{h}_t = \tanh(W \vec{x}_t + U \vec h_{t-1})", means: "h' = tanh(W x + U h)" },
    Case { written: "h⃗_t = tanh(W x⃗_t + U h⃗_{t-1})", means: "h' = tanh(W x + U h)" },
    Case {
        written: r"{\bf h}_t = {\rm tanh}({\bf W}{\bf x}_t + {\bf U} {\bf h}_{t-1})",
        means: "h' = tanh(W x + U h)",
    },
    Case {
        written: r"h_t = \frac12 W x_t + \frac 3 4 h_{t-1} - \frac1{10} b",
        means: "h' = 0.5 * W x + 0.75 * h - 0.1 * b",
    },
    Case {
        written: r"z_t = \sigma(W x_t), \; h_t = z_t \odot h_{t-1} + \max(b, x_t), y_t = V h_t.",
        means: "z = sigmoid(W x); h' = z * h + max(b, x); y = V h'",
    },
    // Superscripts.
    Case { written: "h' = tanh(W_1^z x + U^T h)^2", means: "h' = tanh(W_1^z x + U^T h)^2" },
    Case { written: r"h_t = (W^\top h_{t-1})^{1/2} + Uᵀ h_{t-1}^2", means: "h' = (W^T h)^0.5 + U^T h^2" },
    Case { written: "h' = (W - W^T) h - 0.1 * h + V x", means: "h' = (W - W^T) h - 0.1 * h + V x" },
    // Operators and numbers.
    Case { written: "h' = -W x * -h / 2 + 2 h − h", means: "h' = (-W) x * -h / 2 + 2 * h - h" },
    Case { written: "const a = 1/4\nh' = a h + 3 * a * x_t W", means: "h' = 0.25 * h + 0.75 * x W" },
    Case { written: r"h_t = \frac{x_t W}{2} \times h_{t-1}", means: "h' = x W / 2 * h" },
    Case { written: "h' = [a; h] M + W [x, h]\na = tanh(U h)", means: "h' = [a, h] M + W [x, h]; a = tanh(U h)" },
    Case { written: "h' = (W U) x + A B h", means: "h' = W U x + A B h" },
    // Functions and slots.
    Case {
        written: r"h_t = \tanh W_x * h_{t-1} + \sigma C_t \\ C_t = x_t U",
        means: "h' = tanh(W_x) * h + sigmoid(C); C = x U",
    },
    Case { written: "function f_h = relu\nh' = f_h(W x + U h)", means: "h' = relu(W x + U h)" },
    Case {
        written: "h' = g(W x) * ψ_2(h) + σ_z(h)\nq = φ(V h')",
        means: "h' = tanh(W x) * tanh(h) + tanh(h); q = tanh(V h')",
    },
    Case { written: "z = σ_g(W x + U h)\nh' = z * h", means: "z = sigmoid(W x + U h); h' = z * h" },
    Case { written: "h' = max(W x, h) + norm(h) * h", means: "h' = max(W x, h) + norm(h) * h" },
    // Lines.
    Case { written: "h' = tanh(W x\n+ U h\n+\nb)", means: "h' = tanh(W x + U h + b)" },
    Case { written: "h_t\n&= \\tanh(W x_t\n\\\\&+ U h_{t-1})", means: "h' = tanh(W x + U h)" },
    Case { written: "\u{feff}# doc\r\nh' = tanh(W x + U h), % why\r\n", means: "# doc; h' = tanh(W x + U h)" },
    Case {
        written: "$$\n\\begin{align*}\nh_t &= \\tanh\\left(W x_t\n\\right. \\\\[2pt] &\\quad + \\left. U h_{t-1}\\right),\n\\end{align*}\n$$",
        means: "h' = tanh(W x + U h)",
    },
    // States and outputs.
    Case { written: "c' = c + W x\nh' = tanh(c')", means: "c' = c + W x; h = tanh(c')" },
    Case { written: "h_t = tanh(W x_t + U h)", means: "h' = tanh(W x + U h)" },
    Case { written: "h = tanh(W x + U h_{t-1})\nq = V h", means: "h' = tanh(W x + U h); q = V h'" },
    Case { written: "h_{t+1} = tanh(W x_{t+1} + U h_t)", means: "h' = tanh(W x + U h)" },
    // Declarations.
    Case {
        written: "input c : 8\nstate m : hidden + 2\nparam a : 1\nlearn m\ninit a = 0.5\nshare W\noutput m\nm' = a * m + W c + V x\nh' = h * tanh(m') U",
        means: "",
    },
];

#[test]
fn each_spelling_means_what_it_says() {
    let cases = CASES.iter().filter(|c| !c.means.is_empty());
    let differ = |c: &&Case| reads(c.written) != c.means;
    let told: Vec<String> = cases
        .filter(differ)
        .map(|c| format!("{}\n  reads {}\n  not   {}\n", c.written, reads(c.written), c.means))
        .collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn each_spelling_prints_and_reads_back_as_itself() {
    for case in CASES {
        let cell = cell(case.written);
        for text in [cell.to_text(), cell.to_latex()] {
            let again = parse("again", &text).unwrap_or_else(|e| panic!("{}", e.render("printed", &text)));
            assert!(
                again.same_as(&cell),
                "{}\nis printed as\n{text}\nwhich reads as\n{}",
                case.written,
                again.to_text()
            );
        }
    }
}

#[test]
fn declarations_say_what_inference_cannot() {
    let cell = cell(CASES[CASES.len() - 1].written);
    assert_eq!(cell.inputs[1].dim.to_string(), "8");
    assert_eq!(cell.states[0].dim.to_string(), "hidden + 2");
    assert_eq!(cell.equations[cell.output.index()].name, "m");
    let names: Vec<&str> = cell.params.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["a", "W", "V", "U", "m_0"]);
    assert!(cell.params[1].shared && cell.states[0].initial.is_some());
    assert_eq!(cell.params[0].init, Some(elman_cell::cell::Init::Constant(0.5)));
}

#[test]
fn what_looks_alike_and_is_not() {
    assert_eq!(wrong("z_t = sigmoid(W x)\nh_t = z * h_{t-1}"), ["E104"]);
    assert_eq!(wrong("z = sigmoid(W x)\nh_t = z_t * h_{t-1}"), ["E104"]);
    assert_eq!(wrong("h' = tanh(W_t x + U h)"), ["E105"]);
    assert_eq!(wrong("h' = h (x + h)"), ["E201"]);
    assert_eq!(wrong("h' = tanh(W · x + x · h)"), ["E201"]);
    assert_eq!(wrong("h = tanh(W x + U h)"), ["E107"]);
    assert_eq!(wrong("h' = tahn(W x + U h)"), ["E109"]);
    assert_eq!(wrong("h' = tanh(W x + U h) + q_{t-1}"), ["E103"]);
    assert_eq!(wrong("h'' = tanh(W x + U h)"), ["E009"]);
    assert_eq!(wrong("h' = a_[x] + U h"), ["E009"]);
    assert_eq!(wrong(&format!("h' = {} x + h", "W".repeat(70))), ["E011"]);
    assert_eq!(wrong(&format!("h' = {}h", "h + ".repeat(300))), ["E007"]);
    assert_eq!(wrong("h' = h + sum(a) * x W\na = [a2, x]\na2 = [a, a]"), ["E107", "E209"]);
}

#[test]
fn the_nearest_name_is_offered() {
    let text = "h' = sigmiod(W x + U h)";
    let errors = parse("hint", text).unwrap_err();
    assert_eq!(errors.0[0].hint.as_deref(), Some("did you mean `sigmoid`?"));
    assert_eq!((errors.0[0].line, errors.0[0].column), (1, 6));
}

#[test]
fn sizes_that_clash_are_named_with_their_numbers() {
    let mut sizes = elman_cell::Sizes { input: 10, hidden: 20, output: 20 };
    let mut cell = cell("z = sigm(W_xz x_t + b_z)\nh' = tanh(W_hh h + tanh(x_t) + b_h) * z + h * (1 - z)");
    let errors = cell.check_sizes(sizes).unwrap_err();
    let said = format!("{} {}", errors.0[0].message, errors.0[0].hint.clone().unwrap());
    for part in ["equation of `h`", "input = 10", "hidden = 20", "tanh(W_x x)", "projec", "`sum` merge"] {
        assert!(said.contains(part), "{part} is missing in {said}");
    }
    sizes.input = 20;
    assert!(cell.check_sizes(sizes).is_ok());
    sizes.hidden = usize::MAX;
    assert!(cell.check_sizes(sizes).is_err());
    cell = parse("plain", "h' = tanh(W x + U h)").unwrap();
    assert!(cell.check_sizes(sizes).unwrap_err().0.iter().all(|d| d.code == "E208"));
}
