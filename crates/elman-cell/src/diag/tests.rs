use super::*;

fn report_at(source: &str, start: usize, end: usize) -> Diagnostics {
    let mut report = Report::new(source);
    report
        .error("E004", Span { start, end }, "wrong\nhere")
        .hint("write \u{1b}[31m")
        .label(Span { start: 0, end: 1 }, "look");
    report.finish()
}

#[test]
fn columns_count_characters_and_lines_count_from_one() {
    let d = report_at("a\nαβ = c\n", 6, 7);
    assert_eq!((d.0[0].line, d.0[0].column), (2, 3));
    assert_eq!(d.0[0].labels[0].line, 1);
}

#[test]
fn no_control_character_reaches_the_terminal() {
    let text = report_at("a\u{1b}[31m = \u{202e}b", 0, 4).render("x\u{7}.cell", "a\u{1b}[31m = \u{202e}b");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{202e}'), "{text:?}");
}

#[test]
fn a_long_line_is_cut_around_its_span() {
    let source = format!("{}@{}", "x ".repeat(100_000), "y ".repeat(100_000));
    let text = report_at(&source, 200_000, 200_001).render("a.cell", &source);
    assert!(text.len() < 1500, "{}", text.len());
    let lines: Vec<&str> = text.lines().collect();
    let caret = lines[4].chars().position(|c| c == '^').unwrap();
    assert_eq!(lines[3].chars().nth(caret), Some('@'), "{text}");
}

#[test]
fn twenty_are_printed_and_the_rest_counted() {
    let source = "x".repeat(500);
    let mut report = Report::new(&source);
    for i in 0..150 {
        report.error("E001", Span { start: i, end: i + 1 }, "m".repeat(10_000));
    }
    let text = report.finish().render("a.cell", &source);
    assert_eq!(text.matches("error[E001]").count(), 20);
    assert!(text.contains("and 130 more"), "{text}");
    assert!(text.len() <= 16 * 1024);
}

#[test]
fn codes_are_unique_and_sorted_within_their_letter() {
    for pair in CODES.windows(2) {
        assert!(pair[0].0.as_bytes()[0] != pair[1].0.as_bytes()[0] || pair[0].0 < pair[1].0, "{pair:?}");
    }
}
