//! `elman predict`

use crate::outcome::Outcome;
use crate::values::{Machine, WeightType};
use clap::Args;
use elman::engine::Precision;
use elman::model::Trained;
use elman::predict::{Line, encoding_of, predict};
use elman::task::settings::TaskName;
use elman::text::Source;
use std::io::{self, Write};
use std::path::PathBuf;

/// Arguments of `elman predict`.
#[derive(Args)]
#[command(
    after_help = "Example:\n  elman predict runs/readme --data README.md\n\nA line for each line (picture, series): of a language model nats, tokens, perplexity and the line, parted by tabs; of other\ntasks the label, tags, text or documents. --json says the same with names."
)]
pub struct Arguments {
    /// The run's folder
    #[arg(value_name = "DIR")]
    run: PathBuf,
    /// What is to be answered: lines of text, or a file of pictures or series; standard input for -
    #[arg(long, value_name = "FILE", default_value = "-")]
    data: String,
    /// The encoding of --data [default: utf-8 of standard input, that of training of a file]
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
    /// Of a ranker: the file it searches, a document a line
    #[arg(long, value_name = "FILE")]
    documents: Option<String>,
    /// So many answers (labels, documents, translations), the best first [default: 1]
    #[arg(long, value_name = "K", value_parser = crate::values::size)]
    top: Option<usize>,
    /// Of a translator: texts that are followed at once [default: the run's search.beam]
    #[arg(long, value_name = "N", value_parser = crate::values::size)]
    beam: Option<usize>,
    /// Of a translator: more speaks for longer texts [default: the run's search.length_penalty]
    #[arg(long, value_name = "A")]
    length_penalty: Option<f64>,
    /// Of a language model: go on from the state of the line before, instead of afresh
    #[arg(long)]
    carry: bool,
    #[command(flatten)]
    weights: WeightType,
    #[command(flatten)]
    machine: Machine,
    /// Print a line of JSON for each line
    #[arg(long)]
    json: bool,
}

impl Arguments {
    /// Answers lines as they come.
    pub fn run(self) -> Result<Outcome, elman::Error> {
        let machine = elman::train::Machine { threads: self.machine.threads(), isa: self.machine.isa()? };
        if elman::task::is_one(&self.run) {
            return self.task(machine);
        }
        self.have_no_use_for(
            "a language model",
            &[
                ("documents", self.documents.is_some()),
                ("top", self.top.is_some()),
                ("beam", self.beam.is_some()),
                ("length-penalty", self.length_penalty.is_some()),
            ],
        )?;
        let mut trained = Trained::load_in(&self.run, machine, self.weights.precision())?;
        let encoding = encoding_of(&self.data, self.encoding.as_deref(), trained.config.data.encoding.as_deref());
        let mut source = Source::open(&self.data, encoding)?;
        let mut gone = false;
        let done = predict(&mut trained, &mut source, self.carry, &mut |line| {
            print(line, self.json).map_err(|source| {
                gone = source.kind() == io::ErrorKind::BrokenPipe;
                elman::Error::Write { file: "standard output".into(), source }
            })
        });
        if gone { Ok(Outcome::good("")) } else { done.map(|()| Outcome::good("")) }
    }
}

impl Arguments {
    /// Refuses flags that were given to a run that does not heed them.
    fn have_no_use_for(&self, model: &str, flags: &[(&str, bool)]) -> Result<(), elman::Error> {
        let Some((flag, _)) = flags.iter().find(|(_, given)| *given) else { return Ok(()) };
        let run = self.run.display();
        Err(elman::Error::Refused(format!("{run}: the run is {model}, which has no use for --{flag}: leave it out")))
    }

    /// Predicts with a run of a task with examples.
    fn task(self, machine: elman::train::Machine) -> Result<Outcome, elman::Error> {
        let narrow = self.weights.precision() != Precision::Full;
        self.have_no_use_for("of a task with examples", &[("carry", self.carry), ("dtype", narrow)])?;
        if self.top.is_some() && !self.json && elman::task::task_of(&self.run) == Some(TaskName::Tag) {
            let message = "--top N of a tagger is shown with --json: each word with its likeliest tags";
            return Err(elman::Error::Refused(message.into()));
        }
        let mut gone = false;
        let mut show = |p: &elman::task::Prediction| {
            let line = if self.json { p.json.to_string() } else { p.fields.join("\t") };
            let mut out = io::stdout().lock();
            writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|source| {
                gone = source.kind() == io::ErrorKind::BrokenPipe;
                elman::Error::Write { file: "standard output".into(), source }
            })
        };
        let Arguments { top, documents, encoding, beam, length_penalty, .. } = self;
        let asked = elman::task::Asked { encoding, top, documents, beam, length_penalty };
        let done = elman::task::predict(&self.run, &self.data, &asked, machine, &mut show);
        if gone { Ok(Outcome::good("")) } else { done.map(|()| Outcome::good("")) }
    }
}

fn print(line: &Line, json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(line)?)?;
    } else {
        writeln!(out, "{:.4}\t{}\t{:.2}\t{}", line.nats, line.tokens, line.perplexity, line.text)?;
    }
    out.flush()
}
