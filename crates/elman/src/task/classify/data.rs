//! Files of texts with labels, of pictures, of series → examples.

use super::files;
use super::model::Model;
use crate::data::labelled::Columns;
use crate::error::Error;
use crate::task::settings::Settings;
use crate::task::words::Spelled;
use crate::task::{Part, held_out};
use std::collections::HashSet;

/// How web addresses begin.
const ADDRESSES: [&str; 2] = ["http://", "https://"];
/// What one is read as.
const ADDRESS: &str = "http";

/// What is read of an example.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Words.
    Words {
        /// As numbers.
        spelled: Spelled,
        /// Rows of the table of n-grams.
        ngrams: Vec<u32>,
        /// log p of each label by the linear model, if one answers together with the network.
        linear: Vec<f32>,
    },
    /// Numbers, the same count each step.
    Numbers {
        /// Steps.
        steps: usize,
        /// [steps, width].
        values: Vec<f32>,
    },
}

impl Input {
    /// Steps.
    pub fn len(&self) -> usize {
        match self {
            Input::Words { spelled, .. } => spelled.words.len(),
            Input::Numbers { steps, .. } => *steps,
        }
    }

    /// log p of each label by the linear model; nothing where there is none.
    pub fn linear(&self) -> &[f32] {
        match self {
            Input::Words { linear, .. } => linear,
            Input::Numbers { .. } => &[],
        }
    }

    /// There is no step.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// An input and the number of its label.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// What is read.
    pub input: Input,
    /// What it is.
    pub label: u32,
    /// What it is in another respect; `NO_TARGET` if that is not known.
    pub also: u32,
}

/// Examples of all parts.
#[derive(Clone, Debug, Default)]
pub struct Examples {
    train: Vec<Example>,
    valid: Vec<Example>,
    test: Vec<Example>,
    /// What was decided unasked while reading.
    pub remarks: Vec<String>,
    /// The columns of the tables, asked for or found.
    pub columns: Columns,
}

impl Examples {
    /// Those of a part.
    pub fn of(&self, part: Part) -> &[Example] {
        match part {
            Part::Train => &self.train,
            Part::Valid => &self.valid,
            Part::Test => &self.test,
        }
    }

    /// All training and validation examples, as bytes.
    pub fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        self.train.iter().chain(&self.valid).flat_map(|e| {
            let input: Vec<u8> = match &e.input {
                Input::Words { spelled: s, .. } => {
                    s.words.iter().chain(s.characters.iter().flatten()).flat_map(|id| id.to_le_bytes()).collect()
                }
                Input::Numbers { values, .. } => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
            };
            input.into_iter().chain(e.label.to_le_bytes())
        })
    }
}

/// One example as it stands in its file.
#[derive(Clone, Debug)]
pub struct RawExample {
    /// Where it stands, for messages.
    pub place: String,
    /// What is read.
    pub input: RawInput,
    /// What it is.
    pub label: String,
    /// What it is in another respect.
    pub also: Option<String>,
}

/// What is read, before words have numbers.
#[derive(Clone, Debug)]
pub enum RawInput {
    /// A text.
    Text(String),
    /// A picture or a series.
    Numbers(Grid),
}

impl RawInput {
    /// A text as it is read: of a web address only that it is one, for what follows is the same in no two texts.
    pub fn text(text: &str) -> RawInput {
        let (mut all, mut rest) = (String::with_capacity(text.len()), text);
        while let Some(at) = ADDRESSES.iter().filter_map(|scheme| rest.find(scheme)).min() {
            let end = rest[at..].find(char::is_whitespace).map_or(rest.len(), |length| at + length);
            all.push_str(&rest[..at]);
            all.push_str(ADDRESS);
            rest = &rest[end..];
        }
        all.push_str(rest);
        RawInput::Text(all)
    }

    /// What texts have in common that are copies of each other: their letters and digits, but for addresses and names behind `@`.
    /// Nothing of numbers, and of texts that have none.
    fn gist(&self) -> Option<String> {
        let RawInput::Text(text) = self else { return None };
        let words = text.split_whitespace().filter(|w| *w != ADDRESS && !w.starts_with('@'));
        let gist: String =
            words.flat_map(str::chars).filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        (!gist.is_empty()).then_some(gist)
    }
}

/// Numbers as they stand in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// Of a picture: height, width, channels.
    pub picture: Option<[usize; 3]>,
    /// Numbers of a step.
    pub width: usize,
    /// [steps, width]
    pub values: Vec<f32>,
}

/// Examples as they stand in their files.
#[derive(Clone, Debug, Default)]
pub struct Raw {
    /// Of the training part.
    pub train: Vec<RawExample>,
    valid: Vec<RawExample>,
    test: Vec<RawExample>,
    remarks: Vec<String>,
    /// Those of the tables, asked for or found.
    columns: Columns,
}

/// Reads all files of the settings; parts that have no file are taken from the training examples, a tenth each.
///
/// # Errors
/// What the readers say; too few examples.
pub fn read(settings: &Settings) -> Result<Raw, Error> {
    let mut raw = Raw::default();
    let d = &settings.data;
    // Files of labels stand in the order of the files that they belong to.
    let mut beside = d.files_beside();
    // Columns that were found in the first file are those of all.
    let mut columns = Columns { text: d.text.clone(), label: d.label.clone(), also: d.also.clone() };
    for (files, part) in [(&d.train, Part::Train), (&d.valid, Part::Valid), (&d.test, Part::Test)] {
        for file in files {
            let (examples, remarks) = files::read(file, beside.next().flatten(), &mut columns, settings)?;
            raw.part(part).extend(examples);
            raw.remarks.extend(remarks);
        }
    }
    raw.columns = columns;
    if let Some([_, folds]) = d.fold
        && raw.train.len() < 2 * folds
    {
        let (file, examples) = (d.train.join(", "), raw.train.len());
        let message = format!("{examples} examples are too few for {folds} folds: take at most {}", examples / 2);
        return Err(Error::Refused(format!("{file}: {message}")));
    }
    raw.remark_on_copies(Part::Valid);
    raw.remark_on_copies(Part::Test);
    raw.hold_out(settings);
    if raw.train.is_empty() || raw.valid.is_empty() {
        let message = "too few examples: at least 10 are needed, or files for --data and --valid";
        return Err(Error::Refused(format!("{}: {message}", d.train.join(", "))));
    }
    Ok(raw)
}

impl Raw {
    /// Takes parts that have no file from the training examples.
    fn hold_out(&mut self, settings: &Settings) {
        let d = &settings.data;
        if !d.valid.is_empty() {
            return;
        }
        held_out::shuffle(&mut self.train);
        let mut shares = vec![Part::Valid];
        if let Some([fold, folds]) = d.fold {
            let all = std::mem::take(&mut self.train);
            for (place, example) in all.into_iter().enumerate() {
                let part = if place % folds + 1 == fold { Part::Test } else { Part::Train };
                self.part(part).push(example);
            }
            self.remarks.push(format!("share {fold} of {folds} is held out: test"));
        } else if d.test.is_empty() {
            shares.push(Part::Test);
        }
        let share = self.train.len() / 10;
        for part in shares {
            let (train, held) = held_out::parted(std::mem::take(&mut self.train), share, |e| e.input.gist());
            self.remarks.push(format!("a tenth of the examples ({}) is held out: {}", held.len(), part.name()));
            self.train = train;
            *self.part(part) = held;
        }
        // A share of a cross-validation has no file either.
        self.keep_rare_labels(if d.test.is_empty() { &[Part::Valid, Part::Test] } else { &[Part::Valid] });
    }

    fn remark_on_copies(&mut self, part: Part) {
        let other = std::mem::take(self.part(part));
        self.remarks.extend(held_out::remark_on_copies(&self.train, &other, part, |e| e.input.gist()));
        *self.part(part) = other;
    }

    /// Examples of labels that training would else lack go back to it.
    fn keep_rare_labels(&mut self, held_out: &[Part]) {
        for part in held_out {
            let all = std::mem::take(self.part(*part));
            let known: HashSet<&str> = self.train.iter().map(|e| e.label.as_str()).collect();
            let (others, rare): (Vec<_>, Vec<_>) = all.into_iter().partition(|e| known.contains(e.label.as_str()));
            if !rare.is_empty() {
                let (count, name) = (rare.len(), part.name());
                self.remarks
                    .push(format!("{count} of them go back to training, which has no other with their label: {name}"));
            }
            self.train.extend(rare);
            *self.part(*part) = others;
        }
    }

    /// The settings with the columns that were found.
    pub fn named(&self, settings: &Settings) -> Settings {
        let mut named = settings.clone();
        named.data.text.clone_from(&self.columns.text);
        named
    }

    /// Texts with their labels, of a part: (label, text).
    pub fn texts(&self, part: Part) -> Vec<(String, String)> {
        let examples = match part {
            Part::Train => &self.train,
            Part::Valid => &self.valid,
            Part::Test => &self.test,
        };
        let text = |e: &RawExample| match &e.input {
            RawInput::Text(text) => Some((e.label.clone(), text.clone())),
            RawInput::Numbers(_) => None,
        };
        examples.iter().filter_map(text).collect()
    }

    fn part(&mut self, part: Part) -> &mut Vec<RawExample> {
        match part {
            Part::Train => &mut self.train,
            Part::Valid => &mut self.valid,
            Part::Test => &mut self.test,
        }
    }

    /// The examples with numbers for words and labels.
    ///
    /// # Errors
    /// A label that training does not have, numbers of another shape.
    pub fn encoded(self, model: &Model) -> Result<Examples, Error> {
        let all = |raw: Vec<RawExample>| -> Result<Vec<Example>, Error> {
            let one = |e: RawExample| {
                let label = model.label(&e.label, &e.place)?;
                let also = model.also(e.also.as_deref());
                Ok(Example { input: model.input(e.input, &e.place)?, label, also })
            };
            raw.into_iter().map(one).collect()
        };
        let (remarks, columns) = (self.remarks, self.columns);
        Ok(Examples { train: all(self.train)?, valid: all(self.valid)?, test: all(self.test)?, remarks, columns })
    }
}

#[cfg(test)]
mod tests {
    use super::{Raw, RawExample, RawInput, Settings};

    #[test]
    fn copies_of_a_text_stay_in_one_part() {
        // Of three texts two say the same.
        let text = |i: usize| match i % 3 {
            0 => format!("Bank number {} is shut!", i / 3),
            1 => format!("@friend bank number {} is shut http://t.co/{i}", i / 3),
            _ => format!("a lone remark of {i}"),
        };
        let one = |i: usize| RawExample {
            place: String::new(),
            input: RawInput::text(&text(i)),
            label: (i % 2).to_string(),
            also: None,
        };
        let mut raw = Raw { train: (0..300).map(one).collect(), ..Raw::default() };
        raw.hold_out(&Settings::default());
        let gists = |part: &[RawExample]| part.iter().filter_map(|e| e.input.gist()).collect::<Vec<_>>();
        let [train, valid, test] = [gists(&raw.train), gists(&raw.valid), gists(&raw.test)];
        assert_eq!(train.len() + valid.len() + test.len(), 300);
        assert_eq!([valid.len(), test.len()], [30, 30]);
        assert!(
            !valid.iter().any(|g| train.contains(g)) && !test.iter().any(|g| train.contains(g) || valid.contains(g))
        );
        // Where all are copies, there is nothing better to hold out.
        let mut raw = Raw { train: (0..40).map(|_| one(0)).collect(), ..Raw::default() };
        raw.hold_out(&Settings::default());
        assert_eq!((raw.valid.len(), raw.test.len()), (4, 4));
    }

    #[test]
    fn a_label_that_stands_once_stays_in_training() {
        let one = |i: usize| RawExample {
            place: String::new(),
            input: RawInput::text(&format!("number {i}")),
            label: if i.is_multiple_of(10) { format!("rare {i}") } else { "common".into() },
            also: None,
        };
        let mut raw = Raw { train: (0..200).map(one).collect(), ..Raw::default() };
        raw.hold_out(&Settings::default());
        let rare = |part: &[RawExample]| part.iter().filter(|e| e.label.starts_with("rare")).count();
        assert_eq!([rare(&raw.train), rare(&raw.valid), rare(&raw.test)], [20, 0, 0]);
        assert_eq!(raw.train.len() + raw.valid.len() + raw.test.len(), 200);
        assert!(raw.remarks.iter().any(|r| r.contains("go back to training")), "{:?}", raw.remarks);
    }

    #[test]
    fn addresses_are_read_as_addresses() {
        for (text, wanted) in [
            ("see http://t.co/zn7Cg, now", "see http now"),
            ("https://a.b/c", "http"),
            ("http://a https://b\thttp://c", "http http\thttp"),
            ("ёж http:/ и https", "ёж http:/ и https"),
            ("", ""),
        ] {
            let RawInput::Text(read) = RawInput::text(text) else { panic!("{text}") };
            assert_eq!(read, wanted);
        }
    }
}
