use super::*;

const HOSTILE: &str = "<script>alert(\"1\")</script> & 'x' \u{1}\u{7f} ]]> <!-- привет";

fn picture() -> Picture {
    Picture { height: 1, width: 2, channels: 1, pixels: vec![0, 255] }
}

/// A page with each kind of section, and hostile text at each place.
fn page() -> Report {
    let h = || String::from(HOSTILE);
    let line = Line { name: h(), points: vec![(0.0, 3.0), (1.0, f64::NAN), (2.0, 1.5), (3.0, 1.25)] };
    let sections = vec![
        Section::Text { title: h(), paragraphs: vec![h(), h()] },
        Section::Curves(Curves { title: h(), across: h(), up: h(), lines: vec![line.clone(), line] }),
        Section::Table { title: h(), head: vec![h(), h()], rows: vec![vec![h(), "1.5".into()], vec![h()]] },
        Section::Confusion { title: h(), names: vec![h(), "b".into()], counts: vec![vec![7, 3], vec![0, 0]] },
        Section::Alignment {
            title: h(),
            read: vec![h(), "b".into(), "c".into()],
            written: vec!["d".into(), h()],
            weights: vec![vec![0.25, 0.75, 0.0], vec![f64::NAN]],
        },
        Section::Samples {
            title: h(),
            names: [h(), h(), h()],
            samples: vec![
                Sample { wanted: Some(h()), ..Sample::of(h(), h()) },
                Sample { wanted: Some("no".into()), picture: Some(picture()), ..Sample::of(h(), h()) },
                Sample::of(h(), h()),
            ],
        },
        Section::ByLength {
            title: h(),
            metric: h(),
            unit: h(),
            trained: Some(4),
            bins: vec![
                Bin { shortest: 1, longest: 4, examples: 30, value: 91.5 },
                Bin { shortest: 5, longest: 5, examples: 7, value: f64::NAN },
                Bin { shortest: 6, longest: 9, examples: 7, value: 12.5 },
            ],
        },
    ];
    Report { title: h(), sections }
}

/// Reads XML strictly enough for what a page can do wrong: tags that do not nest, attributes without quotes, characters that
/// were not escaped. Returns the text of all elements and attributes, unescaped, and the names of the elements.
fn parse(xml: &str) -> Result<(String, Vec<String>), String> {
    let (mut open, mut text, mut names) = (Vec::new(), String::new(), Vec::new());
    let mut rest = xml.strip_prefix("<!DOCTYPE html>").ok_or("no doctype")?;
    while let Some(at) = rest.find('<') {
        text += &unescape(&rest[..at])?;
        let end = rest[at..].find('>').ok_or("a tag without end")? + at;
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name.to_string()) {
                return Err(format!("</{name}> closes nothing"));
            }
            continue;
        }
        let (tag, closed) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(format!("<{tag}> is no tag"));
        }
        text += &parse_attributes(attributes)?;
        names.push(name.to_string());
        if !closed {
            open.push(name.to_string());
        }
    }
    match (open.is_empty(), rest.trim().is_empty()) {
        (true, true) => Ok((text, names)),
        _ => Err(format!("{open:?} left open, {rest:?} left over")),
    }
}

fn parse_attributes(mut rest: &str) -> Result<String, String> {
    let mut text = String::new();
    while !rest.trim().is_empty() {
        let (name, after) = rest.trim_start().split_once("=\"").ok_or(format!("{rest}: no value"))?;
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(format!("{name} is no attribute"));
        }
        let (value, after) = after.split_once('"').ok_or(format!("{rest}: no end"))?;
        text += &unescape(value)?;
        rest = after;
    }
    Ok(text)
}

fn unescape(text: &str) -> Result<String, String> {
    if let Some(c) = text.chars().find(|c| c.is_control() && *c != '\n' && *c != '\t') {
        return Err(format!("{c:?} is forbidden"));
    }
    let mut out = String::new();
    let mut pieces = text.split('&');
    out += pieces.next().unwrap_or("");
    for piece in pieces {
        let (name, after) = piece.split_once(';').ok_or(format!("&{piece} has no end"))?;
        out += match name {
            "amp" => "&",
            "lt" => "<",
            "gt" => ">",
            "quot" => "\"",
            "#39" => "'",
            _ => return Err(format!("&{name}; is unknown")),
        };
        out += after;
    }
    Ok(out)
}

#[test]
fn a_page_is_well_formed_and_says_what_it_was_given() {
    let html = page().to_html();
    let (text, names) = parse(&html).unwrap();
    let shown = HOSTILE.replace(['\u{1}', '\u{7f}'], "\u{fffd}");
    assert!(text.matches(&shown).count() > 20, "{}", text.matches(&shown).count());
    for name in names {
        assert!(!["script", "link", "iframe"].contains(&name.as_str()), "{name}");
    }
    assert!(!html.contains("NaN"));
    assert!(html.contains("class=\"bar beyond\"") && text.contains("the bins in the other colour"));
    // The one kind of source that is within the page.
    let html = html.replace("src=\"data:image/png;base64,", "");
    for outside in ["src=", "href=", "@import", "url("] {
        assert!(!html.contains(outside), "{outside}: the page needs something else");
    }
    assert_eq!(page().to_html(), page().to_html());
}

#[test]
fn the_reader_of_this_test_refuses_what_is_not_well_formed() {
    for wrong in ["<p>", "<p></b>", "<p>a & b</p>", "<p class=x></p>", "<p>\u{1}</p>", "<p/> < 3", "</p>"] {
        assert!(parse(&format!("<!DOCTYPE html>{wrong}")).is_err(), "{wrong}");
    }
}

#[test]
fn empty_sections_are_pages_too() {
    let title = || String::from("t");
    let none = vec![
        Section::Text { title: title(), paragraphs: Vec::new() },
        Section::Curves(Curves { title: title(), across: title(), up: title(), lines: Vec::new() }),
        Section::Table { title: title(), head: Vec::new(), rows: vec![Vec::new()] },
        Section::Confusion { title: title(), names: Vec::new(), counts: Vec::new() },
        Section::Alignment { title: title(), read: Vec::new(), written: Vec::new(), weights: Vec::new() },
        Section::samples("t", ["a", "b", "c"], Vec::new()),
        Section::ByLength { title: title(), metric: title(), unit: title(), trained: None, bins: Vec::new() },
    ];
    parse(&Report { title: title(), sections: none }.to_html()).unwrap();
}

#[test]
fn curves_come_from_the_lines_of_a_run() {
    let lines = "{\"step\":10,\"train_loss\":2.5,\"valid_loss\":2.25,\"valid_accuracy\":0.5,\"seconds\":1}\n\
                 {\"step\":20,\"train_loss\":1.5,\"valid_loss\":null,\"valid_accuracy\":0.75,\"seconds\":2}\n{\"step\":3";
    let curves = curves_of(lines);
    assert_eq!(curves.iter().map(|c| c.title.as_str()).collect::<Vec<_>>(), ["Loss", "Accuracy"]);
    assert_eq!(curves[0].lines[0].points, [(10.0, 2.5), (20.0, 1.5)]);
    assert!(curves[0].lines[1].points[1].1.is_nan());
    assert_eq!(curves[1].lines[0].points, [(10.0, 0.5), (20.0, 0.75)]);
    let nested = "{\"step\":4,\"train_loss\":2,\"valid\":{\"f1\":0.5,\"loss\":3}}\n{\"step\":8,\"valid\":7}";
    let curves = curves_of(nested);
    assert_eq!(curves.iter().map(|c| c.title.as_str()).collect::<Vec<_>>(), ["Loss", "F1"]);
    assert_eq!((curves[0].lines[1].points[0], curves[1].lines[0].points[0]), ((4.0, 3.0), (4.0, 0.5)));
    assert!(curves_of("").is_empty() && curves_of("[1]\n7\n").is_empty());
}
