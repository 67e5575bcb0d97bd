//! `elman cell run`: what it reads, what it refuses, what it leaves behind.

mod common;

use common::{Folder, numbers, tensor};
use elman::tensors::{Named, TensorFile};

const STEPS: usize = 4;
const BATCH: usize = 3;
const INPUT: usize = 2;
const HIDDEN: usize = 5;

fn x() -> Named<f64> {
    tensor("x", &[STEPS, BATCH, INPUT])
}

/// The parameters of `tanh`.
fn weights() -> Vec<Named<f64>> {
    let shapes = parameters("tanh");
    shapes.iter().map(|(name, shape)| tensor(&format!("0.forward.{name}"), shape)).collect()
}

/// Names and shapes of a cell's parameters, as `cell check` gives them.
fn parameters(cell: &str) -> Vec<(String, Vec<usize>)> {
    let run = common::run_in(&common::root(), &format!("cell check {cell} --input {INPUT} --hidden {HIDDEN} --json"));
    let json = run.good().json();
    let shape =
        |p: &serde_json::Value| p["shape"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect();
    json["parameters"].as_array().unwrap().iter().map(|p| (p["name"].as_str().unwrap().into(), shape(p))).collect()
}

/// A folder with `in` and `w` for `tanh`.
fn folder(inputs: &[Named<f64>]) -> Folder {
    let folder = Folder::new();
    folder.tensors("in", inputs);
    folder.tensors("w", &weights());
    folder
}

fn single(tensors: &[Named<f64>]) -> Vec<Named<f32>> {
    let one = |t: &Named<f64>| Named {
        name: t.name.clone(),
        shape: t.shape.clone(),
        data: t.data.iter().map(|v| *v as f32).collect(),
    };
    tensors.iter().map(one).collect()
}

const RUN: &str = "cell run tanh --input in --weights w --output out --dtype f64";

/// It fails with one line that holds all of `parts`, and leaves nothing new.
fn refuses(folder: &Folder, arguments: &str, parts: &[&str]) {
    let before = folder.files();
    folder.run(arguments).one_error(parts);
    assert_eq!(folder.files(), before);
}

#[test]
fn outputs_and_gradients_have_their_names() {
    let folder = folder(&[x(), tensor("dy", &[STEPS, BATCH, HIDDEN])]);
    folder.run(RUN).good();
    assert_eq!(folder.open("out").names().collect::<Vec<_>>(), ["0.forward.h", "y"]);
    folder.run(&format!("{RUN} --grad")).good();
    let out = folder.open("out");
    let mut wanted: Vec<String> = parameters("tanh").iter().map(|(name, _)| format!("d.0.forward.{name}")).collect();
    wanted.extend(["0.forward.h", "d.0.forward.h", "d.x", "y"].map(String::from));
    wanted.sort();
    assert_eq!(out.names().collect::<Vec<_>>(), wanted);
    assert_eq!(out.shape("d.x"), Some(&[STEPS, BATCH, INPUT][..]));
    assert_eq!(out.shape("d.0.forward.h"), Some(&[BATCH, HIDDEN][..]));
}

#[test]
fn the_equation_is_what_runs() {
    let folder = Folder::new();
    folder.text("own.cell", "h' = tanh(W x + U h + b)\n");
    folder.tensors("in", &[x(), tensor("0.forward.h", &[BATCH, HIDDEN])]);
    let (w, u, b) = (
        tensor("0.forward.W", &[HIDDEN, INPUT]),
        tensor("0.forward.U", &[HIDDEN, HIDDEN]),
        tensor("0.forward.b", &[HIDDEN]),
    );
    folder.tensors("w", &[w.clone(), u.clone(), b.clone()]);
    folder.run(&RUN.replace("tanh", "own.cell")).good();
    let y = numbers(&folder.open("out"), "y");
    let (x, mut h) = (x().data, tensor("0.forward.h", &[BATCH, HIDDEN]).data);
    for step in 0..STEPS {
        for row in 0..BATCH {
            let before = h[row * HIDDEN..][..HIDDEN].to_vec();
            for unit in 0..HIDDEN {
                let dot = |m: &[f64], v: &[f64]| m[unit * v.len()..].iter().zip(v).map(|(m, v)| m * v).sum::<f64>();
                let now = &x[(step * BATCH + row) * INPUT..][..INPUT];
                let wanted = (dot(&w.data, now) + dot(&u.data, &before) + b.data[unit]).tanh();
                h[row * HIDDEN + unit] = wanted;
                let found = y[(step * BATCH + row) * HIDDEN + unit];
                assert!(
                    (found - wanted).abs() < 1e-13,
                    "step {step}, row {row}, unit {unit}: {found}, wanted {wanted}"
                );
            }
        }
    }
}

#[test]
fn f32_files_are_read_as_f64_and_f64_files_are_not_read_as_f32() {
    let folder = folder(&[x()]);
    refuses(
        &folder,
        "cell run tanh --input in --weights w --output out",
        &["`x`", "found dtype F64, wanted dtype F32"],
    );
    folder.tensors("in", &single(&[x()]));
    refuses(
        &folder,
        "cell run tanh --input in --weights w --output out",
        &["w: ", "found dtype F64, wanted dtype F32"],
    );
    folder.run(RUN).good();
    let mixed = numbers(&folder.open("out"), "y");
    folder.tensors("w", &single(&weights()));
    folder.run("cell run tanh --input in --weights w --output out").good();
    let short = folder.open("out").numbers::<f32>("y", &[STEPS, BATCH, HIDDEN]).unwrap();
    assert!(short.iter().zip(&mixed).all(|(s, d)| (f64::from(*s) - d).abs() < 1e-5));
}

#[test]
fn wrong_inputs_are_refused() {
    struct Case {
        inputs: Vec<Named<f64>>,
        parts: &'static [&'static str],
    }
    let nothing = Named { name: "x".into(), shape: vec![STEPS, 0, INPUT], data: vec![] };
    let cases = [
        Case { inputs: vec![tensor("X", &[1])], parts: &["in: tensor `x`: found no such tensor"] },
        Case {
            inputs: vec![tensor("x", &[STEPS, INPUT])],
            parts: &["`x`", "found shape [4, 2]", "[steps, batch, input]"],
        },
        Case { inputs: vec![nothing], parts: &["`x`", "found shape [4, 0, 2]"] },
        Case { inputs: vec![x(), tensor("lenghts", &[BATCH])], parts: &["`lenghts`", "wanted `lengths`"] },
        Case {
            inputs: vec![x(), tensor("lengths", &[BATCH])],
            parts: &["`lengths`", "found dtype F64, wanted dtype I64"],
        },
        Case { inputs: vec![x(), tensor("0.forward.h", &[BATCH, 4])], parts: &["`0.forward.h`", "[3, 4]", "[3, 5]"] },
        Case { inputs: vec![x(), tensor("1.forward.h", &[BATCH, HIDDEN])], parts: &["`1.forward.h`"] },
        Case { inputs: vec![x(), tensor("0.backward.h", &[BATCH, HIDDEN])], parts: &["`0.backward.h`"] },
    ];
    for case in cases {
        refuses(&folder(&case.inputs), RUN, case.parts);
    }
    refuses(&folder(&[x()]), &format!("{RUN} --grad"), &["`dy`", "found no such tensor", "[4, 3, 5]"]);
    let wide = [x(), tensor("dy", &[STEPS, BATCH, 2 * HIDDEN])];
    refuses(&folder(&wide), &format!("{RUN} --grad"), &["`dy`", "found shape [4, 3, 10]", "[4, 3, 5]"]);
}

#[test]
fn wrong_weights_are_refused() {
    let folder = folder(&[x()]);
    for (k, good) in weights().iter().enumerate() {
        let mut missing = weights();
        missing.remove(k);
        folder.tensors("w", &missing);
        refuses(&folder, RUN, &["w: ", &format!("`{}`: found no such tensor", good.name)]);
        let mut misshapen = weights();
        misshapen[k] = tensor(&good.name, &[good.shape[0] + 1, 3, 1]);
        folder.tensors("w", &misshapen);
        refuses(&folder, RUN, &["w: ", &format!("`{}`: found shape", good.name)]);
        let mut surplus = weights();
        surplus.push(tensor(&format!("{}_", good.name), &[1]));
        folder.tensors("w", &surplus);
        refuses(&folder, RUN, &["w: ", &format!("`{}_`: found a name that nothing reads", good.name)]);
    }
    folder.tensors("w", &weights());
    refuses(&folder, &format!("{RUN} --hidden 6"), &["w: ", "[5", "[6"]);
    refuses(&folder, &format!("{RUN} --layers 2"), &["w: tensor `1.forward."]);
    refuses(&folder, &format!("{RUN} --bidirectional"), &["w: tensor `0.backward."]);
}

#[test]
fn an_earlier_output_survives_an_error() {
    let folder = folder(&[tensor("x", &[STEPS, INPUT])]);
    folder.text("out", "mine");
    refuses(&folder, RUN, &["`x`"]);
    assert_eq!(std::fs::read_to_string(folder.path().join("out")).unwrap(), "mine");
}

#[test]
fn a_file_that_is_read_is_not_written() {
    let folder = folder(&[x()]);
    refuses(&folder, &RUN.replace("--output out", "--output in"), &["--input and --output", "the same file"]);
    refuses(&folder, &RUN.replace("--output out", "--output ./w"), &["--weights and --output"]);
    refuses(&folder, &format!("{RUN} --save-weights ./out"), &["--output and --save-weights"]);
}

#[test]
fn nothing_is_written_when_one_of_two_files_cannot_be() {
    let folder = folder(&[x()]);
    refuses(&folder, &format!("{RUN} --save-weights missing/w"), &["missing/w"]);
    refuses(&folder, &RUN.replace("--output out", "--output missing/out --save-weights saved"), &["missing/out"]);
}

#[test]
fn seeds_start_parameters_and_saved_ones_start_them_again() {
    let folder = folder(&[x()]);
    let run = |rest: &str| folder.run(&format!("cell run tanh --input in --dtype f64 --hidden 5 {rest}")).good();
    run("--output a --save-weights saved --seed 7");
    run("--output b --seed 7");
    run("--output c --weights saved");
    run("--output d --seed 8");
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert_eq!(read("a"), read("b"));
    assert_eq!(read("a"), read("c"));
    assert_ne!(read("a"), read("d"));
}

#[test]
fn hidden_is_asked_for_only_where_nothing_tells() {
    let folder = folder(&[x()]);
    let run = "cell run tanh --input in --output out --dtype f64";
    refuses(&folder, run, &["--hidden"]);
    for told in [tensor("0.forward.h", &[BATCH, HIDDEN]), tensor("dy", &[STEPS, BATCH, HIDDEN])] {
        folder.tensors("in", &[x(), told]);
        folder.run(run).good();
        assert_eq!(folder.open("out").shape("y"), Some(&[STEPS, BATCH, HIDDEN][..]));
    }
    folder.tensors("in", &[x(), tensor("dy", &[STEPS, BATCH, 2 * HIDDEN])]);
    folder.run(&format!("{run} --bidirectional --grad")).good();
    assert_eq!(folder.open("out").shape("0.backward.h"), Some(&[BATCH, HIDDEN][..]));
    folder.tensors("in", &[x()]);
    folder.run(&RUN.replace("tanh", "mut1").replace("--weights w", "")).good();
    assert_eq!(folder.open("out").shape("y"), Some(&[STEPS, BATCH, INPUT][..]));
}

#[test]
fn an_output_of_its_own_size_is_inferred() {
    let folder = folder(&[x()]);
    folder.text("v.cell", "h' = tanh(W x + U h + b)\ny = V h' + c\n");
    let shapes: [(&str, &[usize]); 5] =
        [("W", &[HIDDEN, INPUT]), ("U", &[HIDDEN, HIDDEN]), ("b", &[HIDDEN]), ("V", &[7, HIDDEN]), ("c", &[7])];
    folder.tensors("w", &shapes.map(|(name, shape)| tensor(&format!("0.forward.{name}"), shape)));
    folder.run(&RUN.replace("tanh", "v.cell")).good();
    assert_eq!(folder.open("out").shape("y"), Some(&[STEPS, BATCH, 7][..]));
}

#[test]
fn merges_are_what_they_say() {
    let folder = folder(&[x()]);
    let run = "cell run tanh --input in --dtype f64 --hidden 5 --bidirectional --output";
    for merge in ["concat", "sum", "mean"] {
        folder.run(&format!("{run} {merge} --merge {merge}")).good();
    }
    let y = |name: &str| numbers(&folder.open(name), "y");
    let (concat, sum, mean) = (y("concat"), y("sum"), y("mean"));
    for token in 0..STEPS * BATCH {
        for unit in 0..HIDDEN {
            let wanted = concat[token * 2 * HIDDEN + unit] + concat[token * 2 * HIDDEN + HIDDEN + unit];
            assert_eq!(sum[token * HIDDEN + unit], wanted);
            assert_eq!(mean[token * HIDDEN + unit], wanted / 2.0);
        }
    }
}

#[test]
fn traces_are_written_for_every_layer_and_direction() {
    let folder = folder(&[x()]);
    let run = "cell run gru --input in --output out --dtype f64 --hidden 5 --layers 2 --bidirectional";
    folder.run(&format!("{run} --trace z,h")).good();
    let out = folder.open("out");
    for place in ["0.forward", "0.backward", "1.forward", "1.backward"] {
        assert_eq!(out.shape(&format!("trace.{place}.z")), Some(&[STEPS, BATCH, HIDDEN][..]));
    }
    let (y, h) = (numbers(&out, "y"), numbers(&out, "trace.1.backward.h"));
    for token in 0..STEPS * BATCH {
        assert_eq!(y[token * 2 * HIDDEN + HIDDEN..][..HIDDEN], h[token * HIDDEN..][..HIDDEN]);
    }
    refuses(&folder, &format!("{run} --trace zz"), &["`zz`"]);
}

#[test]
fn a_second_input_is_read_beside_x() {
    let folder = Folder::new();
    folder.text("two.cell", "input c : 3\nh' = tanh(W x + V c + U h + b)\n");
    let dy = tensor("dy", &[STEPS, BATCH, HIDDEN]);
    folder.tensors("in", &[x(), tensor("c", &[STEPS, BATCH, 3]), dy.clone()]);
    let run = "cell run two.cell --input in --output out --dtype f64 --hidden 5 --grad";
    folder.run(run).good();
    assert_eq!(folder.open("out").shape("d.c"), Some(&[STEPS, BATCH, 3][..]));
    refuses(&folder, &format!("{run} --layers 2"), &["`c`"]);
    folder.tensors("in", &[x(), dy]);
    refuses(&folder, run, &["`c`: found no such tensor"]);
}

const SLOTS: usize = 6;
const ATTENDS: &str = "cell run attends.cell --input in --output out --dtype f64 --hidden 5 --grad";

/// A folder with a cell that attends to rows of 3 numbers, and its inputs.
fn attending(memory: Option<Named<f64>>) -> Folder {
    let folder = Folder::new();
    folder.text("attends.cell", "memory m\na = attend(W_q h, m)\nh' = tanh(W x + U h + A a + b)\n");
    let given = [x(), tensor("dy", &[STEPS, BATCH, HIDDEN])].into_iter().chain(memory);
    folder.tensors("in", &given.collect::<Vec<_>>());
    folder
}

#[test]
fn a_memory_is_read_under_its_name() {
    let folder = attending(Some(tensor("m", &[SLOTS, BATCH, 3])));
    folder.run(&format!("{ATTENDS} --layers 2 --bidirectional --merge sum --trace a")).good();
    let out = folder.open("out");
    assert_eq!(out.shape("d.m"), Some(&[SLOTS, BATCH, 3][..]));
    assert_eq!(out.shape("trace.1.backward.a"), Some(&[STEPS, BATCH, 3][..]));
    for (memory, found) in [
        (None, "no such tensor"),
        (Some(tensor("m", &[SLOTS, BATCH + 1, 3])), "shape [6, 4, 3]"),
        (Some(tensor("m", &[BATCH, 3])), "shape [3, 3]"),
    ] {
        refuses(&attending(memory), ATTENDS, &["in: tensor `m`", found, "wanted shape [slots, 3, "]);
    }
}

#[test]
fn slots_that_a_sequence_does_not_have_are_never_read_and_have_no_gradient() {
    let lengths = [SLOTS, 1, 4];
    let mut memory = tensor("m", &[SLOTS, BATCH, 3]);
    for (at, value) in memory.data.iter_mut().enumerate() {
        if at / (BATCH * 3) >= lengths[at / 3 % BATCH] {
            *value = f64::NAN;
        }
    }
    let folder = attending(Some(memory));
    add_integers(&folder, "m.lengths", &lengths.map(|l| l as i64));
    folder.run(ATTENDS).good();
    let out = folder.open("out");
    for name in out.names() {
        assert!(numbers(&out, name).iter().all(|v| v.is_finite()), "{name}");
    }
    for (at, value) in numbers(&out, "d.m").into_iter().enumerate() {
        assert_eq!(value != 0.0, at / (BATCH * 3) < lengths[at / 3 % BATCH], "{at}: {value}");
    }
    for bad in [0, 7, -1] {
        let folder = attending(Some(tensor("m", &[SLOTS, BATCH, 3])));
        add_integers(&folder, "m.lengths", &[2, bad, 1]);
        refuses(&folder, ATTENDS, &["`m.lengths`", &format!("found {bad} at [1], wanted 1 to 6 (the slots of `m`)")]);
    }
}

#[test]
fn a_shared_parameter_is_one_tensor() {
    let folder = folder(&[x()]);
    folder.text("one.cell", "share U\nh' = tanh(W x + U h + b)\n");
    folder.run("cell run one.cell --input in --output out --save-weights s --dtype f64 --hidden 5 --layers 2").good();
    let names: Vec<String> = folder.open("s").names().map(String::from).collect();
    assert_eq!(names, ["0.forward.W", "0.forward.b", "1.forward.W", "1.forward.b", "shared.U"]);
    folder.run("cell run one.cell --input in --output out --weights s --dtype f64 --layers 2").good();
}

#[test]
fn learned_initial_states_are_given_whole_or_not_at_all() {
    let folder = folder(&[x(), tensor("0.forward.h", &[BATCH, HIDDEN])]);
    folder.text("learn.cell", "learn c\nc' = 0.5 * c + tanh(W x + U h + b)\nh' = tanh(c')\n");
    let run = "cell run learn.cell --input in --output out --dtype f64 --hidden 5";
    refuses(&folder, run, &["`0.forward.c`", "learned"]);
    folder.tensors("in", &[x(), tensor("0.forward.c", &[BATCH, HIDDEN])]);
    folder.run(run).good();
}

#[test]
fn padding_is_never_read_and_never_written() {
    let lengths = [STEPS, 1, 3];
    let mut x = x();
    let mut dy = tensor("dy", &[STEPS, BATCH, 2 * HIDDEN]);
    for step in 0..STEPS {
        for (row, length) in lengths.iter().enumerate().filter(|(_, l)| step >= **l) {
            let _ = length;
            x.data[(step * BATCH + row) * INPUT..][..INPUT].fill(f64::NAN);
            dy.data[(step * BATCH + row) * 2 * HIDDEN..][..2 * HIDDEN].fill(f64::NAN);
        }
    }
    let folder = Folder::new();
    folder.tensors("in", &[x, dy]);
    add_lengths(&folder, &lengths.map(|l| l as i64));
    folder.run("cell run lstm --input in --output out --dtype f64 --layers 2 --bidirectional --grad").good();
    let out = folder.open("out");
    for name in out.names() {
        assert!(numbers(&out, name).iter().all(|v| v.is_finite()), "{name}");
    }
    let (y, dx) = (numbers(&out, "y"), numbers(&out, "d.x"));
    assert!(y[(STEPS - 1) * BATCH * 2 * HIDDEN + 2 * HIDDEN..].iter().all(|v| *v == 0.0));
    assert!(dx[(STEPS - 1) * BATCH * INPUT + INPUT..].iter().all(|v| *v == 0.0));
}

#[test]
fn lengths_outside_the_steps_are_refused() {
    for bad in [-1, 0, 5, i64::MIN, i64::MAX] {
        let folder = folder(&[x()]);
        add_lengths(&folder, &[4, bad, 1]);
        refuses(&folder, RUN, &["in: tensor `lengths`", &format!("found {bad} at [1], wanted 1 to 4")]);
    }
    let folder = folder(&[x()]);
    add_lengths(&folder, &[4, 1]);
    refuses(&folder, RUN, &["`lengths`", "found shape [2], wanted shape [3]"]);
}

/// Rewrites `in` with `lengths` at the end of its bytes.
fn add_lengths(folder: &Folder, lengths: &[i64]) {
    add_integers(folder, "lengths", lengths);
}

fn add_integers(folder: &Folder, name: &str, lengths: &[i64]) {
    let path = folder.path().join("in");
    let bytes = std::fs::read(&path).unwrap();
    let header_length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header = std::str::from_utf8(&bytes[8..8 + header_length]).unwrap().trim_end();
    let data = &bytes[8 + header_length..];
    let (start, end) = (data.len(), data.len() + 8 * lengths.len());
    let entry = format!(r#""{name}":{{"dtype":"I64","shape":[{}],"data_offsets":[{start},{end}]}}"#, lengths.len());
    let header = format!("{},{entry}}}", header.strip_suffix('}').unwrap());
    let added = lengths.iter().flat_map(|l| l.to_le_bytes());
    let whole = (header.len() as u64).to_le_bytes().into_iter().chain(header.bytes()).chain(data.iter().copied());
    std::fs::write(path, whole.chain(added).collect::<Vec<u8>>()).unwrap();
}

#[test]
fn files_that_lie_are_refused() {
    let folder = folder(&[x()]);
    let good = std::fs::read(folder.path().join("in")).unwrap();
    for (bytes, part) in
        [(&good[..good.len() - 1], "bytes of data"), (&good[..9], "bytes of header"), (&[][..], "0 bytes")]
    {
        std::fs::write(folder.path().join("in"), bytes).unwrap();
        refuses(&folder, RUN, &["in: not a safetensors file", part]);
    }
    refuses(&folder, &RUN.replace("--input in", "--input none"), &["none: "]);
    refuses(&folder, &RUN.replace("--input in", "--input ."), &[".: "]);
    refuses(&folder, &RUN.replace("--output out", "--output ."), &[]);
    assert!(TensorFile::open(&folder.path().join("out")).is_err());
}

#[test]
fn sizes_that_a_cell_forbids_are_refused() {
    let folder = folder(&[x()]);
    let run = folder.run("cell run mut1 --input in --output out --dtype f64 --hidden 5");
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.err.starts_with("error[E"), "{run:?}");
    let run = folder.run("cell run mut1 --input in --output out --dtype f64 --layers 2 --bidirectional");
    assert!(run.code == Some(1) && run.err.contains("sum"), "{run:?}");
    folder.run("cell run mut1 --input in --output out --dtype f64 --layers 2 --bidirectional --merge sum").good();
}
