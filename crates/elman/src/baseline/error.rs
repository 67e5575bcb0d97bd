//! What a baseline cannot do.

/// Why there is no baseline.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BaselineError {
    /// A part without examples.
    #[error("the {part} part has no examples")]
    Empty {
        /// Its name.
        part: &'static str,
    },
    /// Nothing to tell apart.
    #[error("all training examples are `{class}`: a classifier needs two classes or more")]
    OneClass {
        /// The class.
        class: String,
    },
    /// Nothing to try.
    #[error("there is nothing to choose from: name at least one {what}")]
    NoChoice {
        /// What is missing.
        what: &'static str,
    },
    /// A setting out of its range.
    #[error("{what} is {value}: it must be a number greater than 0")]
    Setting {
        /// The setting.
        what: &'static str,
        /// Its value.
        value: f64,
    },
    /// A sentence whose words and tags do not pair up.
    #[error("sentence {sentence} of the {part} part has {words} words and {tags} tags")]
    Unpaired {
        /// The part.
        part: &'static str,
        /// The sentence, from 1.
        sentence: usize,
        /// Its words.
        words: usize,
        /// Its tags.
        tags: usize,
    },
    /// Pictures of a size that does not fit.
    #[error("{values} values are no whole number of pictures of {pixels} values each")]
    Pictures {
        /// How many values there are.
        values: usize,
        /// How many a picture has.
        pixels: usize,
    },
}
