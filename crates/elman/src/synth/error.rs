//! What can be wrong with the name of made data.

/// An error in `NAME?key=value&key=value`.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SynthError {
    /// No task of that name.
    #[error("there is no made data `{name}`{} there are {names}", meant(*.nearest))]
    Task {
        /// The name as it was given.
        name: String,
        /// The name that was probably meant.
        nearest: Option<&'static str>,
        /// All names.
        names: String,
    },
    /// No option of that name.
    #[error("`{task}` has no option `{key}`{} it has {keys}", meant(*.nearest))]
    Key {
        /// The task.
        task: &'static str,
        /// The key as it was given.
        key: String,
        /// The key that was probably meant.
        nearest: Option<&'static str>,
        /// All keys.
        keys: String,
    },
    /// An option given twice.
    #[error("`{task}`: the option `{key}` is given twice; keep one")]
    Twice {
        /// The task.
        task: &'static str,
        /// The key.
        key: &'static str,
    },
    /// Not `key=value`.
    #[error("`{task}`: `{part}` is not `key=value`; write `{task}?key=value&key=value`")]
    Shape {
        /// The task.
        task: &'static str,
        /// The part between two `&`.
        part: String,
    },
    /// Not a number, or out of range.
    #[error("`{task}`: `{key}={value}` must be a whole number from {least} to {most}")]
    Value {
        /// The task.
        task: &'static str,
        /// The key.
        key: &'static str,
        /// The value as it was given.
        value: String,
        /// The smallest value.
        least: u64,
        /// The largest value.
        most: u64,
    },
    /// Options that contradict each other.
    #[error("`{task}`: {reason}")]
    Clash {
        /// The task.
        task: &'static str,
        /// Which, and what to do.
        reason: String,
    },
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map_or(";".into(), |n| format!(" (did you mean `{n}`?);"))
}
