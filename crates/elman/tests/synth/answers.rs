//! The answers are right, and the paper's forms are exact.

use elman::synth::{Made, Split};

fn texts(name: &str, count: u64) -> Vec<(String, String)> {
    let made = Made::parse(name).unwrap();
    let text = |k| {
        let e = made.example(Split::Train, k);
        (made.text(e.targets.symbols()), made.text(&e.answer()))
    };
    (0..count).map(text).collect()
}

/// Inputs, targets and scored steps as text.
fn labelled(name: &str, count: u64) -> Vec<(String, String, Vec<bool>)> {
    let made = Made::parse(name).unwrap();
    let text = |k| {
        let e = made.example(Split::Test, k);
        (made.text(e.inputs.symbols()), made.text(e.targets.symbols()), e.scored)
    };
    (0..count).map(text).collect()
}

#[test]
fn memorization() {
    for (all, answer) in texts("memorization", 100) {
        assert_eq!(all, format!("{answer}={answer}."));
        assert!(answer.len() == 5 && answer.bytes().all(|b| b.is_ascii_lowercase()));
    }
}

#[test]
fn adding() {
    let made = Made::parse("adding?length=31").unwrap();
    let mut marked = [0; 31];
    for k in 0..2000 {
        let e = made.example(Split::Train, k);
        let marks: Vec<usize> = (0..31).filter(|i| e.inputs.real()[2 * i + 1] == 1.0).collect();
        assert!(marks.len() == 2 && marks[0] < 15 && marks[1] >= 15, "{marks:?}");
        let sum: f32 = marks.iter().map(|i| e.inputs.real()[2 * i]).sum();
        assert_eq!(e.targets.real()[30], sum);
        assert_eq!(e.scored.iter().position(|s| *s), Some(30));
        assert!(e.inputs.real().iter().step_by(2).all(|v| (0.0..1.0).contains(v)));
        marks.into_iter().for_each(|i| marked[i] += 1);
    }
    assert!(marked.iter().all(|n| *n > 70), "{marked:?}");
}

#[test]
fn copy_with_delay() {
    for (inputs, targets, scored) in labelled("copy?delay=6&length=4", 50) {
        let letters = &inputs[..4];
        assert_eq!(inputs, format!("{letters}_____:____"));
        assert_eq!(targets, format!("__________{letters}"));
        assert!(scored.iter().enumerate().all(|(step, s)| *s == (step >= 10)));
    }
}

#[test]
fn temporal_order() {
    let of = |marks: &str| match marks {
        "XX" | "XXX" => 'Q',
        "XY" | "XXY" => 'R',
        "YX" | "XYX" => 'S',
        "YY" | "XYY" => 'U',
        "YXX" => 'V',
        "YXY" => 'A',
        "YYX" => 'B',
        _ => 'C',
    };
    for (name, spans) in
        [("temporal-order", vec![10..=20, 50..=60]), ("temporal-order?marks=3", vec![10..=20, 33..=43, 66..=76])]
    {
        for (inputs, targets, scored) in labelled(name, 300) {
            assert!(inputs.starts_with('E') && inputs.ends_with('B') && (100..=110).contains(&inputs.len()));
            let at: Vec<usize> = inputs.match_indices(['X', 'Y']).map(|(i, _)| i).collect();
            assert!(at.len() == spans.len() && at.iter().zip(&spans).all(|(i, span)| span.contains(i)), "{at:?}");
            let marks: String = inputs.matches(['X', 'Y']).collect();
            assert_eq!(targets.chars().last(), Some(of(&marks)));
            assert_eq!(scored.iter().position(|s| *s), Some(inputs.len() - 1));
        }
    }
}

#[test]
fn parity() {
    let mut lengths = [0; 21];
    for (inputs, targets, scored) in labelled("parity", 2000) {
        let bits = inputs.strip_suffix('=').unwrap();
        lengths[bits.len()] += 1;
        assert_eq!(targets.ends_with('1'), bits.matches('1').count() % 2 == 1);
        assert_eq!(scored.iter().position(|s| *s), Some(bits.len()));
    }
    assert!(lengths[0] == 0 && lengths[1..].iter().all(|n| *n > 60), "{lengths:?}");
}

#[test]
fn dyck() {
    let mut deepest = 0;
    for (inputs, targets, scored) in labelled("dyck?depth=3&kinds=3&length=30", 300) {
        let mut open = Vec::new();
        for (step, c) in inputs.chars().enumerate() {
            match c {
                '(' => open.push(')'),
                '[' => open.push(']'),
                '{' => open.push('}'),
                c => assert_eq!(open.pop(), Some(c)),
            }
            deepest = deepest.max(open.len());
            let closed = ")]}".contains(c);
            assert_eq!(scored[step], closed && !open.is_empty(), "{inputs} {step}");
            if scored[step] {
                assert_eq!(targets.chars().nth(step), open.last().copied());
            }
        }
        assert!(open.is_empty() && inputs.len() == 30);
    }
    assert_eq!(deepest, 3);
}

#[test]
fn sums() {
    let mut lengths = [0; 4];
    for (all, answer) in texts("sums?terms=3", 1000) {
        let (question, sum) = all.strip_suffix('.').unwrap().split_once('=').unwrap();
        assert_eq!(answer, format!("{sum}."));
        let terms: Vec<u64> = question.split('+').map(|t| t.parse().unwrap()).collect();
        assert_eq!((terms.len(), terms.iter().sum::<u64>()), (3, sum.parse().unwrap()));
        question.split('+').for_each(|t| lengths[t.len()] += 1);
    }
    assert!(lengths[1..].iter().all(|n| *n > 850), "{lengths:?}");
}

#[test]
fn arithmetic_has_the_form_of_the_paper() {
    let symbols = Made::parse("arithmetic").unwrap().symbols().len();
    assert_eq!(symbols, 40);
    let (mut negative, mut longest, mut runs) = (0, 0, [0; 5]);
    for (all, answer) in texts("arithmetic", 2000) {
        let (question, result) = all.strip_suffix('.').unwrap().split_once('=').unwrap();
        assert_eq!(answer, format!("{result}."));
        assert!(question.starts_with(|c: char| c.is_ascii_digit()));
        let plain: String = question.chars().filter(|c| !c.is_ascii_lowercase()).collect();
        let at = plain.find(['+', '-']).unwrap();
        let (a, b): (i64, i64) = (plain[..at].parse().unwrap(), plain[at + 1..].parse().unwrap());
        let expected = if &plain[at..=at] == "+" { a + b } else { a - b };
        assert_eq!(result, expected.to_string(), "{all}");
        negative += u32::from(expected < 0);
        longest = longest.max(plain[..at].len());
        let mut run = 0;
        for c in question.chars().skip(1).chain(['=']) {
            if c.is_ascii_lowercase() {
                run += 1;
            } else {
                runs[run] += 1;
                run = 0;
            }
        }
    }
    assert!((300..700).contains(&negative) && longest == 8 && runs[4] == 0, "{negative} {longest} {runs:?}");
    let all: i32 = runs.iter().sum();
    assert!(runs[..4].iter().all(|n| (n - all / 4).abs() < all / 50), "{runs:?}");
}

#[test]
fn xml_has_the_form_of_the_paper() {
    assert_eq!(Made::parse("xml").unwrap().symbols().len(), 29);
    let (mut lengths, mut rounds_seen) = ([0; 11], 0);
    for (all, answer) in texts("xml", 2000) {
        assert_eq!(all, answer, "every character is scored");
        let (mut open, mut tags) = (Vec::new(), 0);
        for tag in all.strip_suffix('>').unwrap().split('>') {
            let tag = tag.strip_prefix('<').unwrap();
            tags += 1;
            match tag.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop(), Some(name), "{all}"),
                None => {
                    assert!(tag.bytes().all(|b| b.is_ascii_lowercase()) && (2..=10).contains(&tag.len()), "{tag}");
                    assert!(tags <= 50, "no tag opens after 50 rounds");
                    lengths[tag.len()] += 1;
                    open.push(tag);
                }
            }
        }
        assert!(open.is_empty(), "{all}");
        rounds_seen = rounds_seen.max(tags);
    }
    assert!(rounds_seen > 50, "some documents are closed by force");
    let all: i32 = lengths.iter().sum();
    assert!(lengths[2..].iter().all(|n| (n - all / 9).abs() < all / 40), "{lengths:?}");
}
