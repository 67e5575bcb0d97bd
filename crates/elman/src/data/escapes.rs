//! Escapes of XML that stand in texts where nobody undid them: `&#39;` for `'`, `&amp;` for `&`.

use std::borrow::Cow;

/// The names that XML itself has, each with what it stands for.
const NAMES: [(&str, char); 5] = [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\'')];

/// The text with what its escapes stand for; what is no escape stays as it is.
pub fn undone(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let (mut all, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('&') {
        all.push_str(&rest[..at]);
        rest = &rest[at..];
        match escape(rest) {
            Some((c, length)) => {
                all.push(c);
                rest = &rest[length..];
            }
            None => {
                all.push('&');
                rest = &rest[1..];
            }
        }
    }
    all.push_str(rest);
    Cow::Owned(all)
}

/// What the escape at the beginning of a text stands for, and its length.
fn escape(text: &str) -> Option<(char, usize)> {
    let end = text.find(';')?;
    let name = text.get(1..end)?;
    let number = |digits: &str, radix| {
        let digits = Some(digits).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        u32::from_str_radix(digits, radix).ok().and_then(char::from_u32)
    };
    let c = match name.strip_prefix('#') {
        Some(digits) => match digits.strip_prefix(['x', 'X']) {
            Some(digits) => number(digits, 16),
            None => number(digits, 10),
        },
        None => NAMES.iter().find(|(known, _)| *known == name).map(|(_, c)| *c),
    };
    // A control character would be none that somebody wrote.
    c.filter(|c| !c.is_control()).map(|c| (c, end + 1))
}

#[cfg(test)]
mod tests {
    use super::undone;

    #[test]
    fn escapes_are_undone_once_and_other_text_is_left() {
        for (text, wanted) in [
            ("&#39;&#39;", "''"),
            ("AT&amp;T", "AT&T"),
            ("&lt;b&gt; &quot;a&apos;&quot;", "<b> \"a'\""),
            ("&#x41;&#X42;&#1046;", "AB\u{416}"),
            ("&amp;lt;", "&lt;"),
            (
                "a & b; &nothing; &; &#; &#x; &#99999999; &#10; &#+65; R&D",
                "a & b; &nothing; &; &#; &#x; &#99999999; &#10; &#+65; R&D",
            ),
            ("\u{416}&", "\u{416}&"),
            ("plain", "plain"),
        ] {
            assert_eq!(undone(text), wanted, "{text}");
        }
    }
}
