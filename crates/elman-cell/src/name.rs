//! Names: base, subscripts, superscripts, accents; their spelling in files and in LaTeX.
//!
//! In files names are ASCII: fonts and braces vanish, subscripts come before superscripts, accents are appended:
//! `W_{xz}` → `W_xz`, `W_{1}^{z}` → `W_1^z`, `\tilde{C}` → `C_tilde`, `α` → `alpha`. Two names with one file spelling
//! are one name.

use std::collections::HashMap;

/// Bytes of a name in files.
pub(crate) const LONGEST: usize = 64;

/// Greek letters: the character and its name. The first line of a name is the one printed.
const GREEK: &[(char, &str)] = &[
    ('α', "alpha"),
    ('β', "beta"),
    ('γ', "gamma"),
    ('δ', "delta"),
    ('ε', "epsilon"),
    ('ζ', "zeta"),
    ('η', "eta"),
    ('θ', "theta"),
    ('ι', "iota"),
    ('κ', "kappa"),
    ('λ', "lambda"),
    ('μ', "mu"),
    ('ν', "nu"),
    ('ξ', "xi"),
    ('ο', "omicron"),
    ('π', "pi"),
    ('ρ', "rho"),
    ('σ', "sigma"),
    ('ς', "varsigma"),
    ('τ', "tau"),
    ('υ', "upsilon"),
    ('φ', "phi"),
    ('χ', "chi"),
    ('ψ', "psi"),
    ('ω', "omega"),
    ('Γ', "Gamma"),
    ('Δ', "Delta"),
    ('Θ', "Theta"),
    ('Λ', "Lambda"),
    ('Ξ', "Xi"),
    ('Π', "Pi"),
    ('Σ', "Sigma"),
    ('Υ', "Upsilon"),
    ('Φ', "Phi"),
    ('Ψ', "Psi"),
    ('Ω', "Omega"),
    ('Α', "Alpha"),
    ('Β', "Beta"),
    ('Ε', "Epsilon"),
    ('Ζ', "Zeta"),
    ('Η', "Eta"),
    ('Ι', "Iota"),
    ('Κ', "Kappa"),
    ('Μ', "Mu"),
    ('Ν', "Nu"),
    ('Ο', "Omicron"),
    ('Ρ', "Rho"),
    ('Τ', "Tau"),
    ('Χ', "Chi"),
    ('µ', "mu"),
    ('ϵ', "epsilon"),
    ('ϕ', "phi"),
    ('ϑ', "vartheta"),
    ('ϱ', "varrho"),
    ('ϖ', "varpi"),
    ('ϰ', "varkappa"),
];

/// Names that only LaTeX has a letter for.
const VARIANTS: &[&str] = &["varepsilon", "varphi", "vartheta", "varrho", "varpi", "varsigma", "varkappa"];

/// The name of a Greek letter.
pub(crate) fn greek(letter: char) -> Option<&'static str> {
    GREEK.iter().find(|(c, _)| *c == letter).map(|(_, name)| *name)
}

/// The Greek letter that a LaTeX command prints, by its name.
pub(crate) fn greek_command(name: &str) -> Option<&'static str> {
    GREEK.iter().map(|(_, n)| *n).chain(VARIANTS.iter().copied()).find(|n| *n == name)
}

/// Accents: the LaTeX command, and the word that is appended in files.
const ACCENTS: &[(&str, &str)] = &[
    ("tilde", "tilde"),
    ("widetilde", "tilde"),
    ("hat", "hat"),
    ("widehat", "hat"),
    ("bar", "bar"),
    ("overline", "bar"),
    ("dot", "dot"),
    ("ddot", "ddot"),
    ("check", "check"),
    ("widecheck", "check"),
    ("breve", "breve"),
    ("acute", "acute"),
    ("grave", "grave"),
    ("mathring", "ring"),
    ("underline", "underline"),
];

/// The accent of a LaTeX command.
pub(crate) fn accent_command(command: &str) -> Option<&'static str> {
    ACCENTS.iter().find(|(c, _)| *c == command).map(|(_, word)| *word)
}

/// Whether a subscript is an accent as files spell it (`C_tilde`).
fn accent_word(word: &str) -> Option<&'static str> {
    ACCENTS.iter().find(|(_, w)| *w == word).map(|(_, w)| *w)
}

/// A name in its parts, all of them ASCII.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Name {
    /// `W`, `alpha`, `out`.
    pub base: String,
    /// Subscripts, time apart.
    pub subscripts: Vec<String>,
    /// Superscripts that belong to the name.
    pub superscripts: Vec<String>,
    /// `tilde`, `hat`, …
    pub accents: Vec<&'static str>,
}

impl Name {
    /// A name without subscripts; Greek letters are spelled out.
    pub fn plain(letters: &str) -> Name {
        Name { base: spell(letters), ..Name::default() }
    }

    /// Adds a subscript; `tilde`, `hat` and their kin are accents.
    pub fn subscript(&mut self, text: String) {
        match accent_word(&text) {
            Some(accent) => self.accents.push(accent),
            None => self.subscripts.push(text),
        }
    }

    /// As files spell it.
    pub fn file(&self) -> String {
        let mut out = self.base.clone();
        for (mark, part) in self.subscripts.iter().map(|s| ('_', s)).chain(self.superscripts.iter().map(|s| ('^', s))) {
            out.push(mark);
            out.push_str(part);
        }
        for accent in &self.accents {
            out.push('_');
            out.push_str(accent);
        }
        out
    }

    /// Bytes of the file spelling.
    pub fn length(&self) -> usize {
        let parts = self.subscripts.iter().chain(&self.superscripts).map(|s| s.len() + 1).sum::<usize>();
        self.base.len() + parts + self.accents.iter().map(|a| a.len() + 1).sum::<usize>()
    }

    /// As LaTeX prints it, with `time` (such as `t-1`) in the last subscript.
    pub fn latex_at(&self, time: Option<&str>) -> String {
        let mut out = match self.base.as_str() {
            base if base.len() == 1 => base.to_string(),
            base if greek_command(base).is_some() => format!("\\{base}"),
            base => format!("\\mathrm{{{base}}}"),
        };
        for accent in &self.accents {
            let command = ACCENTS.iter().find(|(_, w)| w == accent).map_or(*accent, |(c, _)| *c);
            out = format!("\\{command}{{{out}}}");
        }
        let last = self.subscripts.len().saturating_sub(1);
        for early in &self.subscripts[..last] {
            out = format!("{{{out}_{{{early}}}}}");
        }
        match (self.subscripts.last(), time) {
            (Some(sub), Some(time)) => out.push_str(&format!("_{{{sub},{time}}}")),
            (Some(part), None) => out.push_str(&braced('_', part)),
            (None, Some(part)) => out.push_str(&braced('_', part)),
            (None, None) => {}
        }
        for (i, sup) in self.superscripts.iter().enumerate() {
            if i > 0 {
                out = format!("{{{out}}}");
            }
            out.push_str(&superscript(sup).unwrap_or_else(|| braced('^', sup)));
        }
        out
    }

    /// As plain text prints it: the file spelling, but a superscript that would read as a power or a transpose stands
    /// in brackets.
    pub fn text(&self) -> String {
        let mut out = self.base.clone();
        self.subscripts.iter().for_each(|s| out.push_str(&format!("_{s}")));
        self.superscripts.iter().for_each(|s| out.push_str(&superscript(s).unwrap_or_else(|| format!("^{s}"))));
        self.accents.iter().for_each(|a| out.push_str(&format!("_{a}")));
        out
    }

    /// The parts of a file spelling.
    pub fn from_file(file: &str) -> Name {
        let mut name = Name::default();
        let mut rest = file;
        let mut mark = None;
        loop {
            let end = rest[usize::from(mark.is_some())..].find(['_', '^']);
            let end = end.map_or(rest.len(), |i| i + usize::from(mark.is_some()));
            let part = rest[usize::from(mark.is_some())..end].to_string();
            match mark {
                None => name.base = part,
                Some('_') => name.subscript(part),
                Some(_) => name.superscripts.push(part),
            }
            rest = &rest[end..];
            mark = rest.chars().next();
            if mark.is_none() {
                return name;
            }
        }
    }
}

/// `^{(1)}`, where `^1` would be a power and `^T` a transpose.
fn superscript(text: &str) -> Option<String> {
    let needs = text == "T" || text.starts_with(|c: char| c.is_ascii_digit());
    needs.then(|| format!("^{{({text})}}"))
}

fn braced(mark: char, text: &str) -> String {
    if text.len() == 1 { format!("{mark}{text}") } else { format!("{mark}{{{text}}}") }
}

/// Letters and digits with every Greek letter spelled out.
pub(crate) fn spell(letters: &str) -> String {
    let mut out = String::with_capacity(letters.len());
    for c in letters.chars() {
        match greek(c) {
            Some(name) => out.push_str(name),
            None => out.push(c),
        }
    }
    out
}

/// A name of one text, by its file spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Symbol(pub u32);

impl Symbol {
    /// The place in its table.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The names of one text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    by_file: HashMap<String, Symbol>,
    files: Vec<String>,
}

impl Names {
    /// The symbol of a name, new or known.
    pub fn intern(&mut self, name: &Name) -> Symbol {
        self.intern_file(name.file())
    }

    /// The symbol of a file spelling, new or known.
    pub fn intern_file(&mut self, file: String) -> Symbol {
        if let Some(&symbol) = self.by_file.get(&file) {
            return symbol;
        }
        let symbol = Symbol(self.files.len() as u32);
        self.files.push(file.clone());
        self.by_file.insert(file, symbol);
        symbol
    }

    /// The symbol of a file spelling, if the text holds it.
    pub fn find(&self, file: &str) -> Option<Symbol> {
        self.by_file.get(file).copied()
    }

    /// The file spelling.
    pub fn file(&self, symbol: Symbol) -> &str {
        &self.files[symbol.index()]
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(base: &str, subs: &[&str], sups: &[&str]) -> Name {
        let mut name = Name::plain(base);
        subs.iter().for_each(|s| name.subscript(s.to_string()));
        name.superscripts = sups.iter().map(|s| s.to_string()).collect();
        name
    }

    #[test]
    fn files_spell_names_in_ascii() {
        assert_eq!(name("W", &["1"], &["z"]).file(), "W_1^z");
        assert_eq!(name("C", &["tilde"], &[]).file(), "C_tilde");
        assert_eq!(name("C", &["tilde", "f"], &[]).file(), "C_f_tilde");
        assert_eq!(name("α", &[], &[]).file(), "alpha");
    }

    #[test]
    fn a_file_spelling_is_read_back() {
        for file in ["W", "W_1^z", "C_tilde", "h_1^z_tilde", "W_hh_l0", "alpha_xz"] {
            assert_eq!(Name::from_file(file).file(), file);
        }
    }

    #[test]
    fn latex_prints_accents_time_and_runs() {
        assert_eq!(name("C", &["tilde"], &[]).latex_at(Some("t")), "\\tilde{C}_t");
        assert_eq!(name("W", &["1"], &["z"]).latex_at(None), "W_1^z");
        assert_eq!(name("gate", &["xz"], &[]).latex_at(Some("t-1")), "\\mathrm{gate}_{xz,t-1}");
    }
}
