//! Tokens: the pieces of a text, with LaTeX commands already read as what they print.

use crate::cell::Span;
use crate::op::Function;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A run of letters and digits that starts with a letter; after `_` also with a digit.
    Word,
    /// A run that is one name also in LaTeX, as in `\text{gate}`.
    Roman,
    /// A single letter that is a name of its own: `\alpha`, `ŷ`. The text is its name.
    Letter,
    /// A number.
    Number,
    /// An accent before its letter: `\tilde`. The text is its word in files.
    AccentBefore,
    /// An accent after its letter: a combining character.
    AccentAfter,
    /// A function by its LaTeX command: `\tanh`.
    Function(Function),
    /// `\frac`.
    Fraction,
    /// `\top`, `\intercal`.
    Top,
    /// `_`
    Subscript,
    /// `^`
    Superscript,
    /// `'`
    Prime,
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`, `⊙`, `\odot`, `\circ`, `\times`: elementwise.
    Times,
    /// `/`
    Over,
    /// `·`, `\cdot`, `@`: a matrix product.
    Dot,
    /// `(`, `[` or `{`.
    Open(char),
    /// `)`, `]` or `}`.
    Close(char),
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// `:`
    Colon,
    /// `=`, `:=`, `\gets`.
    Equals,
    /// `.` that belongs to no number.
    Stop,
    /// What was reported already and stands for some factor.
    Wrong,
    /// End of a line.
    Newline,
    /// `\\`
    RowBreak,
    /// `\quad`, `\qquad`.
    Quad,
    /// `$`, `$$`, `\[`, `\]`, `\(`, `\)`; `true` where mathematics begins.
    Math(bool),
    /// `\begin{aligned}` (`true`) or `\end{aligned}`.
    Environment(bool),
}

/// A token and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'s> {
    /// What it is.
    pub kind: Kind,
    /// Its letters or digits, for kinds that have some.
    pub text: &'s str,
    /// Where it stands.
    pub span: Span,
    /// Whether a backslash made it.
    pub latex: bool,
}

impl Kind {
    /// Whether an equation goes on after it, or before it, on the next line.
    pub fn is_operator(self) -> bool {
        matches!(self, Kind::Plus | Kind::Minus | Kind::Times | Kind::Over | Kind::Dot)
    }

    /// Whether it ends a piece of text: what follows is another equation, or a further line of this one.
    pub fn separates(self) -> bool {
        matches!(self, Kind::Newline | Kind::RowBreak | Kind::Quad | Kind::Math(_) | Kind::Environment(_))
    }
}
