//! The rows of README's table of tasks: which task on which data, with which settings, and what its figure stands beside.

/// A task on a data set.
pub(super) struct Row {
    /// What it is asked for by, and its runs are named by.
    pub name: &'static str,
    /// What README calls it.
    pub what: &'static str,
    /// `TASK --data …`; `DATA` stands for the folder of the data.
    pub data: &'static str,
    /// The other flags of `elman train`.
    pub settings: &'static str,
    /// What is measured.
    pub figure: Figure,
    /// Where the baselines' figures stand in the JSON of `elman eval` (RFC 6901), each with its name.
    pub baselines: &'static [(&'static str, &'static str)],
    /// A figure that others printed.
    pub in_print: Option<(&'static str, f64)>,
    /// What is to be reached.
    pub reach: &'static str,
}

impl Row {
    /// What follows `elman train`, with the data in `folder`.
    pub fn train(&self, folder: &str) -> String {
        format!("{} {}", self.data, self.settings).trim().replace("DATA", folder)
    }

    /// Shares of all examples give a spread of their own: there is one seed.
    pub fn folds(&self) -> Option<usize> {
        let mut words = self.data.split(' ').skip_while(|word| *word != "--folds");
        words.nth(1)?.parse().ok()
    }
}

/// A figure among the values of `elman eval --json`, and how it is written.
pub(super) struct Figure {
    /// Its name there.
    pub name: &'static str,
    /// What it is multiplied with.
    pub times: f64,
    /// Written before the number.
    pub before: &'static str,
    /// Digits after the point.
    pub digits: usize,
    /// Written after the number.
    pub after: &'static str,
    /// The least is the best.
    pub least: bool,
}

const ACCURACY: Figure = Figure { name: "accuracy", times: 100.0, before: "", digits: 1, after: "%", least: false };
const FINE_ACCURACY: Figure = Figure { digits: 2, ..ACCURACY };
const MACRO_F1: Figure = Figure { name: "macro_f1", before: "macro F1 ", after: "", ..ACCURACY };
const BLEU: Figure = Figure { name: "bleu", times: 1.0, before: "BLEU ", digits: 1, after: "", least: false };
const CHRF: Figure = Figure { name: "chrf", before: "chrF ", ..BLEU };
const MRR: Figure = Figure { name: "mrr", before: "MRR ", digits: 3, ..BLEU };
const ERROR_RATE: Figure = Figure { name: "character_error_rate", least: true, ..ACCURACY };

const LINEAR: (&str, &str) = ("linear n-grams", "/details/baseline/figures/accuracy/value");
const LINEAR_F1: (&str, &str) = ("linear n-grams", "/details/baseline/figures/macro_f1/value");
const TF_IDF: (&str, &str) = ("TF-IDF", "/details/baselines/tf_idf/mrr");
const CHARACTERS: (&str, &str) = ("runs of letters", "/details/baselines/characters/mrr");
const NEAREST: (&str, &str) = ("nearest picture", "/details/nearest/chrf");
const CRF: (&str, &str) = ("CRF", "/details/baseline/accuracy/value");

/// The settings of each row are those that the figures of README were made with.
pub(super) const ROWS: &[Row] = &[
    Row {
        name: "sst2",
        what: "SST-2, `classify`",
        data: "classify --data DATA/sst/binary.train.txt --valid DATA/sst/binary.dev.txt --test DATA/sst/binary.test.txt",
        settings: "--dropout 0.5 --dropout-words 0.1 --epochs 5 --members 3",
        figure: ACCURACY,
        baselines: &[LINEAR],
        in_print: None,
        reach: "82",
    },
    Row {
        name: "trec",
        what: "TREC, `classify`",
        data: "classify --data DATA/trec/TREC.train --test DATA/trec/TREC.test --encoding windows-1252",
        settings: "--also fine --dropout 0.5 --dropout-words 0.2 --rate 0.002 --epochs 12 --members 3 --linear",
        figure: ACCURACY,
        baselines: &[LINEAR],
        in_print: None,
        reach: "92",
    },
    Row {
        name: "trec-vectors",
        what: "TREC with GloVe's word vectors and WordNet's senses, `classify --vectors`",
        data: "classify --data DATA/trec/TREC.train --test DATA/trec/TREC.test --encoding windows-1252 --vectors DATA/glove/glove-senses.txt",
        settings: "--vocab-size 400000 --also fine --dropout 0.3 --dropout-words 0.2 --smoothing 0.1 --rate 0.002 --epochs 12 --members 3 --linear",
        figure: ACCURACY,
        baselines: &[LINEAR],
        in_print: None,
        reach: "92",
    },
    Row {
        name: "ru-tweets-banks",
        what: "Russian tweets on banks, `classify`",
        data: "classify --data DATA/ru-sentiment-tweets/banks-train.tsv --test DATA/ru-sentiment-tweets/banks-test.tsv --text text --label label",
        settings: "--dropout 0.5 --dropout-words 0.2 --rate 0.002 --epochs 10 --ngrams 1048576 --members 3 --linear --choose macro-f1",
        figure: MACRO_F1,
        baselines: &[LINEAR_F1],
        in_print: None,
        reach: "the baseline",
    },
    Row {
        name: "ru-tweets-telecoms",
        what: "Russian tweets on telecoms, `classify`",
        data: "classify --data DATA/ru-sentiment-tweets/telecoms-train.tsv --test DATA/ru-sentiment-tweets/telecoms-test.tsv --text text --label label",
        settings: "--dropout 0.5 --dropout-words 0.2 --rate 0.002 --epochs 10 --ngrams 1048576 --members 3 --linear --choose macro-f1",
        figure: MACRO_F1,
        baselines: &[LINEAR_F1],
        in_print: None,
        reach: "the baseline",
    },
    Row {
        name: "mr-polarity",
        what: "film reviews (MR), five shares, `classify`",
        data: "classify --data DATA/mr-polarity/rt-polarity.pos,DATA/mr-polarity/rt-polarity.neg --labels positive,negative --encoding windows-1252 --folds 5",
        settings: "--dropout 0.5 --dropout-words 0.1 --epochs 5 --members 3 --linear",
        figure: ACCURACY,
        baselines: &[LINEAR],
        in_print: None,
        reach: "the baseline",
    },
    Row {
        name: "mr-vectors",
        what: "film reviews (MR) with GloVe's word vectors, five shares, `classify --vectors`",
        data: "classify --data DATA/mr-polarity/rt-polarity.pos,DATA/mr-polarity/rt-polarity.neg --labels positive,negative --encoding windows-1252 --folds 5 --vectors DATA/glove/glove.6B.100d.txt",
        settings: "--ngrams 0 --embedding 32 --dropout 0.5 --dropout-words 0.1 --epochs 5 --members 3 --linear",
        figure: ACCURACY,
        baselines: &[LINEAR],
        in_print: None,
        reach: "the baseline",
    },
    Row {
        name: "ru-rusentne",
        what: "RuSentNE, sentiment about a name, `classify`",
        data: "classify --data DATA/ru-sentiment-rusentne/train_data.csv.gz --test DATA/ru-sentiment-rusentne/validation_data_labeled.csv --text sentence,entity --label label",
        settings: "--dropout 0.5 --dropout-words 0.2 --epochs 8 --members 3 --linear --choose macro-f1",
        figure: MACRO_F1,
        baselines: &[LINEAR_F1],
        in_print: None,
        reach: "the baseline",
    },
    Row {
        name: "ewt",
        what: "UD English EWT, `tag`",
        data: "tag --data DATA/ud-english-ewt/en_ewt-ud-train.conllu.gz --valid DATA/ud-english-ewt/en_ewt-ud-dev.conllu.gz --test DATA/ud-english-ewt/en_ewt-ud-test.conllu.gz",
        settings: "--characters 160 --dropout 0.4 --dropout-words 0.15 --epochs 14 --rate 0.002 --average-from 7 --members 3",
        figure: FINE_ACCURACY,
        baselines: &[CRF],
        in_print: None,
        reach: "95.3",
    },
    Row {
        name: "ru-tags",
        what: "Russian, UD GSD after other kinds of text, `tag`",
        data: "tag --data DATA/ru-pos-grameval/GramEval2020-RuEval2017-Lenta-news-dev.conllu,DATA/ru-pos-grameval/GramEval2020-RuEval2017-social-dev.conllu,DATA/ru-pos-grameval/GramEval2020-SynTagRus-dev.conllu,DATA/ru-pos-grameval/GramEval2020-Taiga-news-train.conllu,DATA/ru-pos-grameval/GramEval2020-Taiga-poetry-train.conllu,DATA/ru-pos-grameval/GramEval2020-Taiga-social-train.conllu,DATA/ru-pos-grameval/MorphoRuEval2017-JZ-gold.conllu,DATA/ru-pos-grameval/MorphoRuEval2017-Lenta-train.conllu,DATA/ru-pos-grameval/MorphoRuEval2017-VK-gold.conllu,DATA/ud-russian-taiga/ru_taiga-ud-dev.conllu.gz,DATA/ud-russian-poetry/ru_poetry-ud-dev.conllu,DATA/ud-russian-poetry/ru_poetry-ud-test.conllu --valid DATA/ud-russian-gsd/ru_gsd-ud-dev.conllu.gz --test DATA/ud-russian-gsd/ru_gsd-ud-test.conllu.gz",
        settings: "--characters 160 --dropout 0.4 --dropout-words 0.25 --epochs 14 --rate 0.002 --batch 8 --average-from 7 --members 3",
        figure: FINE_ACCURACY,
        baselines: &[CRF],
        in_print: None,
        reach: "the baseline",
    },
    Row {
        name: "multi30k",
        what: "Multi30k, German → English, `translate`",
        data: "translate --data DATA/multi30k/train.de.gz --target-data DATA/multi30k/train.en.gz --valid DATA/multi30k/val.de.gz --target-valid DATA/multi30k/val.en.gz --test DATA/multi30k/test_2016_flickr.de.gz --target-test DATA/multi30k/test_2016_flickr.en.gz",
        settings: "--vocab-size 6000 --epochs 14 --average-from 11 --warmup 200",
        figure: BLEU,
        baselines: &[],
        in_print: Some(("GRU with attention, in print", 28.3)),
        reach: "33",
    },
    Row {
        name: "digits",
        what: "strings of MNIST digits, `label --ctc`: characters wrong",
        data: "label --ctc --data DATA/mnist/train-images-idx3-ubyte.gz --labels DATA/mnist/train-labels-idx1-ubyte.gz,DATA/mnist/t10k-labels-idx1-ubyte.gz --test DATA/mnist/t10k-images-idx3-ubyte.gz",
        settings: "--strings 40000 --epochs 3 --rate 0.002",
        figure: ERROR_RATE,
        baselines: &[],
        in_print: None,
        reach: "at most 2",
    },
    Row {
        name: "spoken",
        what: "digits that espeak-ng says in unheard voices, `label --ctc`: characters wrong",
        data: "label --ctc --data DATA/spoken/train.csv --valid DATA/spoken/valid.csv --test DATA/spoken/test.csv --text file --label digits",
        settings: "--rate 0.002 --batch 8 --epochs 20",
        figure: ERROR_RATE,
        baselines: &[],
        in_print: None,
        reach: "at most 5",
    },
    Row {
        name: "mnist-rows",
        what: "MNIST, rows as steps, `classify`",
        data: "classify --data DATA/mnist/train-images-idx3-ubyte.gz --labels DATA/mnist/train-labels-idx1-ubyte.gz,DATA/mnist/t10k-labels-idx1-ubyte.gz --test DATA/mnist/t10k-images-idx3-ubyte.gz --as rows",
        settings: "--shift 2 --epochs 4",
        figure: FINE_ACCURACY,
        baselines: &[],
        in_print: None,
        reach: "98.8",
    },
    Row {
        name: "mnist-pixels",
        what: "MNIST, pixel by pixel (784 steps), `classify`",
        data: "classify --data DATA/mnist/train-images-idx3-ubyte.gz --labels DATA/mnist/train-labels-idx1-ubyte.gz,DATA/mnist/t10k-labels-idx1-ubyte.gz --test DATA/mnist/t10k-images-idx3-ubyte.gz --as pixels",
        settings: "--cell janet-chrono --directions 1 --layers 1 --batch 32 --epochs 12 --rate 0.002 --warmup 200 --clip 1 --dropout 0",
        figure: FINE_ACCURACY,
        baselines: &[],
        in_print: Some(("LSTM of the same size, in print", 97.3)),
        reach: "97",
    },
    Row {
        name: "cifar",
        what: "CIFAR-10, 5,000 pictures as JPEG, rows as steps, `classify`",
        data: "classify --data DATA/cifar10-jpeg-subset/cifar10_train_5000.bin.gz --as rows",
        settings: "--shift 2 --epochs 20",
        figure: ACCURACY,
        baselines: &[],
        in_print: None,
        reach: "–",
    },
    Row {
        name: "splice",
        what: "splice junctions, ten shares, `classify`",
        data: "classify --data DATA/splice/splice.data --unit char --folds 10",
        settings: "--cell gru --hidden 64 --embedding 16 --dropout 0.6 --rate 0.002 --epochs 15",
        figure: ACCURACY,
        baselines: &[LINEAR],
        in_print: None,
        reach: "95.5",
    },
    Row {
        name: "emoji-en",
        what: "emoji → English names, `caption`",
        data: "caption --data DATA/emoji-captions/train-images-idx4-ubyte.gz --test DATA/emoji-captions/valid-images-idx4-ubyte.gz --captions DATA/emoji-captions/train.tsv,DATA/emoji-captions/valid.tsv --text en",
        settings: "",
        figure: CHRF,
        baselines: &[NEAREST],
        in_print: None,
        reach: "the baseline",
    },
    Row {
        name: "emoji-ru",
        what: "emoji → Russian names, `caption`",
        data: "caption --data DATA/emoji-captions/train-images-idx4-ubyte.gz --test DATA/emoji-captions/valid-images-idx4-ubyte.gz --captions DATA/emoji-captions/train.tsv,DATA/emoji-captions/valid.tsv --text ru",
        settings: "",
        figure: CHRF,
        baselines: &[NEAREST],
        in_print: None,
        reach: "the baseline",
    },
    Row {
        name: "tatoeba-rank",
        what: "Tatoeba, English → Russian, `rank`",
        data: "rank --data DATA/mt-en-ru/tatoeba-train.tsv.gz --valid DATA/mt-en-ru/tatoeba-valid.tsv --test DATA/mt-en-ru/tatoeba-test.tsv",
        settings: "",
        figure: MRR,
        baselines: &[TF_IDF, CHARACTERS],
        in_print: None,
        reach: "both searches",
    },
];
