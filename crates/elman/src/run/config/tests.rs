//! What is written is read back; what is misspelt is named.

use super::*;

#[test]
fn settings_are_read_back_as_they_were_written() {
    let mut config = Config { seed: 12, ..Config::default() };
    config.data.train = "a.txt".into();
    config.optimiser.rate = Some(0.1);
    config.dropout.output = 0.35;
    config.group.push(Group { name: "embedding*".into(), rate: 0.5, decay: None, frozen: true });
    let text = config.to_toml().unwrap();
    assert_eq!(Config::from_toml(&text, "c").unwrap(), config);
    assert_eq!(Config::from_toml("", "c").unwrap(), Config::default());
}

#[test]
fn a_misspelt_key_is_named_with_its_line_and_the_nearest() {
    let message = |text| Config::from_toml(text, "run.toml").unwrap_err().to_string();
    assert_eq!(
        message("seed = 3\n[model]\nhiden = 4\n"),
        "run.toml:3: there is no key `hiden`, did you mean `hidden`?"
    );
    assert!(message("[modell]\n").contains("did you mean `model`?"));
    assert!(message("[optimiser]\nrule = \"sdg\"\n").contains("sgd"));
    assert!(message("[train]\nbatch = \"x\"\n").starts_with("run.toml:2:"));
    assert!(message("[train\n").starts_with("run.toml:1:"));
}

#[test]
fn what_cannot_work_is_refused_by_name() {
    let refused = |change: fn(&mut Config)| {
        let mut config = Config::default();
        config.data.train = "a.txt".into();
        config.check().unwrap();
        change(&mut config);
        config.check().unwrap_err().to_string()
    };
    assert!(refused(|c| c.dropout.between = 1.0).contains("dropout.between is 1"));
    assert!(refused(|c| c.train.batch = 0).contains("train.batch is 0"));
    assert!(refused(|c| c.optimiser.rate = Some(f64::NAN)).contains("optimiser.rate is NaN"));
    assert!(refused(|c| c.optimiser.nesterov = true).contains("nesterov"));
    assert!(refused(|c| c.optimiser.clip_value = 1.0).contains("clip_norm"));
    assert!(refused(|c| c.format = 2).contains("format is 2"));
    assert!(refused(|c| c.data.train.clear()).contains("--data"));
    assert!(refused(|c| c.data.test = Some("-".into())).contains("standard input"));
}

#[test]
fn what_a_transformer_has_not_is_refused_by_name() {
    let refused = |change: fn(&mut Config)| {
        let mut config = Config::default();
        config.data.train = "a.txt".into();
        config.model.kind = Kind::Transformer;
        config.check().unwrap();
        change(&mut config);
        config.check().unwrap_err().to_string()
    };
    assert!(refused(|c| c.model.cell = "gru".into()).contains("model.cell is for recurrent layers"));
    assert!(refused(|c| c.dropout.zoneout = 0.1).contains("dropout.zoneout"));
    assert!(refused(|c| c.dropout.recurrent = 0.1).contains("dropout.recurrent"));
    assert!(refused(|c| c.dropout.variational = true).contains("dropout.variational"));
    assert!(refused(|c| c.train.recompute = true).contains("train.recompute"));
    assert!(refused(|c| c.model.heads = Some(3)).contains("model.hidden is 200, which 3 heads"));
    assert!(refused(|c| c.model.heads = Some(0)).contains("0 heads"));
    assert!(refused(|c| (c.model.tied, c.model.embedding) = (true, Some(100))).contains("model.embedding"));
    let recurrent = |c: &mut Config| (c.model.kind, c.model.heads) = (Kind::Recurrent, Some(2));
    assert!(refused(recurrent).contains("model.heads is for transformers"));
}

#[test]
fn settings_of_a_transformer_name_no_cell_and_are_read_back() {
    let mut config = Config::default();
    (config.data.train, config.model.kind) = ("a.txt".into(), Kind::Transformer);
    let text = config.resolved().to_toml().unwrap();
    assert!(text.contains("kind = \"transformer\"\n") && text.contains("heads = 4\n"), "{text}");
    assert!(!text.contains("cell ="), "{text}");
    Config::from_toml(&text, "c").unwrap().check().unwrap();
}
