//! Texts, vocabularies, corpora and windows.

mod corpus;
mod ptb;
mod source;
mod tokens;
mod windows;
