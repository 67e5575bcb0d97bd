//! LaTeX commands: what each prints, or that it prints nothing.

use super::token::Kind;
use crate::functions;
use crate::name::{accent_command, greek_command};

/// What a command is read as.
pub(super) enum Command {
    /// Nothing: spacing, sizes, alignment.
    Nothing,
    /// Nothing, and a full stop after it as well: `\left.`
    Delimiter,
    /// Nothing, its argument included: `\label{…}`.
    Skip,
    /// A font in which letters stay letters: `\mathbf`.
    Font,
    /// A font that makes one name of its argument: `\text`.
    Words,
    /// A font for the rest of its group: `{\rm tanh}`.
    Switch {
        /** Whether it makes one name of the group. */
        words: bool,
    },
    /// A token without text.
    Token(Kind),
    /// A letter or an accent by name.
    Named(Kind, &'static str),
    /// `\begin` or `\end`.
    Environment(bool),
    /// Not known.
    Unknown,
}

/// Environments whose rows are equations.
const ENVIRONMENTS: &[&str] = &[
    "aligned",
    "align",
    "equation",
    "gathered",
    "gather",
    "split",
    "eqnarray",
    "alignat",
    "alignedat",
    "flalign",
    "multline",
    "math",
    "displaymath",
    "dmath",
];

/// Whether an environment's rows are equations.
pub(super) fn is_environment(name: &str) -> bool {
    ENVIRONMENTS.contains(&name.strip_suffix('*').unwrap_or(name))
}

/// Commands offered as the nearest of a misspelt one.
pub(super) fn well_known<'a>() -> impl Iterator<Item = &'a str> {
    let more = [
        "sigma",
        "tilde",
        "hat",
        "bar",
        "widetilde",
        "widehat",
        "odot",
        "cdot",
        "circ",
        "times",
        "frac",
        "mathrm",
        "mathbf",
        "text",
        "operatorname",
        "boldsymbol",
        "left",
        "right",
        "quad",
        "begin",
        "end",
        "top",
        "prime",
        "alpha",
        "beta",
        "gamma",
        "lambda",
        "phi",
        "psi",
    ];
    functions::spellings().filter(|s| !s.contains('_')).chain(more)
}

/// Reads the name of a command, without its backslash.
pub(super) fn read(name: &str) -> Command {
    match name {
        "," | ";" | "!" | ":" | ">" | " " | "/" | "enspace" | "thinspace" | "medspace" | "thickspace"
        | "negthinspace" | "nonumber" | "notag" | "displaystyle" | "textstyle" | "scriptstyle" | "limits"
        | "nolimits" | "hfill" | "noindent" | "middle" | "relax" | "allowbreak" | "nobreak" | "mathstrut" | "strut" => {
            Command::Nothing
        }
        "left" | "right" => Command::Delimiter,
        "label" | "tag" | "hspace" | "vspace" | "phantom" | "hphantom" | "vphantom" => Command::Skip,
        "mathbf" | "boldsymbol" | "bm" | "mathcal" | "mathbb" | "mathfrak" | "mathscr" | "symbf" | "pmb" | "mathit"
        | "mathnormal" | "bold" | "vec" => Command::Font,
        "mathrm" | "text" | "operatorname" | "textrm" | "textbf" | "textit" | "textsf" | "texttt" | "textnormal"
        | "mathsf" | "mathtt" | "mbox" | "symrm" => Command::Words,
        "rm" | "sf" | "tt" => Command::Switch { words: true },
        "bf" | "it" | "cal" => Command::Switch { words: false },
        "begin" => Command::Environment(true),
        "end" => Command::Environment(false),
        "\\" | "newline" | "cr" | "tabularnewline" => Command::Token(Kind::RowBreak),
        "quad" | "qquad" => Command::Token(Kind::Quad),
        "[" | "(" => Command::Token(Kind::Math(true)),
        "]" | ")" => Command::Token(Kind::Math(false)),
        "{" | "lbrace" => Command::Token(Kind::Open('(')),
        "}" | "rbrace" => Command::Token(Kind::Close(')')),
        "lbrack" => Command::Token(Kind::Open('[')),
        "rbrack" => Command::Token(Kind::Close(']')),
        "lparen" => Command::Token(Kind::Open('(')),
        "rparen" => Command::Token(Kind::Close(')')),
        "_" => Command::Token(Kind::Subscript),
        "cdot" | "cdotp" => Command::Token(Kind::Dot),
        "odot" | "circ" | "times" | "ast" | "star" => Command::Token(Kind::Times),
        "div" => Command::Token(Kind::Over),
        "prime" => Command::Token(Kind::Prime),
        "top" | "intercal" => Command::Token(Kind::Top),
        "frac" | "dfrac" | "tfrac" | "cfrac" => Command::Token(Kind::Fraction),
        "gets" | "leftarrow" | "coloneqq" | "triangleq" | "coloneq" => Command::Token(Kind::Equals),
        _ => named(name),
    }
}

fn named(name: &str) -> Command {
    if let Some(letter) = greek_command(name) {
        return Command::Named(Kind::Letter, letter);
    }
    if let Some(accent) = accent_command(name) {
        return Command::Named(Kind::AccentBefore, accent);
    }
    if let Some(function) = functions::find(name) {
        return Command::Token(Kind::Function(function));
    }
    let size = name.strip_suffix(['l', 'r', 'm']).unwrap_or(name);
    if ["big", "Big", "bigg", "Bigg"].contains(&size) { Command::Nothing } else { Command::Unknown }
}
