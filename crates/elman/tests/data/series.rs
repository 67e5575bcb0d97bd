//! `.ts` files.

use crate::{Files, Spoiled, real, refuses};
use elman::data::SeriesSet;

const TWO: &str = "# made\n@problemName x\n@timeStamps false\n@dimensions 2\n@classLabel true a b\n@data\n\
                   1,2,3:-1,-2,-3e0:a\n\n4:5:b\n";

#[test]
fn values_lie_step_by_step() {
    let files = Files::new();
    let set = SeriesSet::read(&files.write("a.ts", TWO)).unwrap();
    assert_eq!((set.channels, set.classes.join(" ")), (2, "a b".into()));
    assert_eq!(set.series[0].values, [1.0, -1.0, 2.0, -2.0, 3.0, -3.0]);
    assert_eq!((set.series[0].steps(), set.series[1].steps(), set.series[1].line), (3, 1, 9));
    assert_eq!(set.series[1].label.as_deref(), Some("b"));
    let bare = SeriesSet::read(&files.write("b.ts", "@data\n1,2\n3\n")).unwrap();
    assert_eq!((bare.channels, bare.series[0].label.clone()), (1, None));
}

#[test]
fn spoiled_series_are_refused() {
    #[rustfmt::skip]
    refuses(&[
        Spoiled { name: "a.ts", bytes: b"", says: "F: there is no line `@data` in it; a .ts file has one before its cases" },
        Spoiled { name: "b.ts", bytes: b"@dimensions 2\n@data\n", says: "F: no case follows `@data`; the file was cut off, or is empty" },
        Spoiled { name: "c.ts", bytes: b"@dimensions 2\n@classLabel true a b\n@data\n1,2:3,4:c\n", says: "F:4: label `c` is not in the header's @classLabel (a b); the label stands last, behind a `:`, `?` where it is not known" },
        Spoiled { name: "d.ts", bytes: b"@dimensions 3\n@classLabel true a b\n@data\n1,2:3,4:a\n", says: "F:4: the case has 2 dimensions, and 3 are wanted" },
        Spoiled { name: "m.ts", bytes: b"@dimensions 2\n@classLabel false\n@data\n1,2:3,4:a\n", says: "F:4: the case has 3 dimensions, and 2 are wanted; if the last is a label, the header says `@classLabel true` and all labels" },
        Spoiled { name: "e.ts", bytes: b"@classLabel true a b\n@data\n1,2:3,4:a\n1:a\n", says: "F:4: the case has 1 dimensions, and 2 are wanted" },
        Spoiled { name: "f.ts", bytes: b"@classLabel true a b\n@data\n1,2:3:a\n", says: "F:3: column `dimension 2`: it has 1 values, and dimension 1 has 2" },
        Spoiled { name: "g.ts", bytes: b"@classLabel true a b\n@data\n1,?:3,4:a\n", says: "F:3: column `dimension 1`: `?` (value 2) is no number; missing values are not read, fill them in first" },
        Spoiled { name: "h.ts", bytes: b"@timeStamps true\n@data\n(0,1):a\n", says: "F:1: time stamps are not read; save the values alone (@timeStamps false)" },
        Spoiled { name: "i.ts", bytes: b"@dimensions many\n@data\n1\n", says: "F:1: `many` is no number of dimensions from 1" },
        Spoiled { name: "j.ts", bytes: b"1,2,3:a\n", says: "F:1: `1,2,3:a` is no line of a .ts header; they begin with @, and @data comes before the cases" },
        Spoiled { name: "k.ts", bytes: b"@data\n1,nan\n", says: "F:2: column `dimension 1`: `nan` (value 2) is no number; missing values are not read, fill them in first" },
        Spoiled { name: "l.ts", bytes: b"@data\n1,\xFF\n", says: "F:2: byte 3 of the line (byte 9 of the text, 0xff) is not UTF-8; it looks like windows-1252: give `--encoding windows-1252`" },
    ], SeriesSet::read);
}

#[test]
fn real_series() {
    let Some(path) = real("japanesevowels/JapaneseVowels_TRAIN.ts") else { return };
    let set = SeriesSet::read(&path).unwrap();
    assert_eq!((set.series.len(), set.channels, set.classes.len()), (270, 12, 9));
    let steps: Vec<usize> = set.series.iter().map(elman::data::Series::steps).collect();
    assert_eq!((steps.iter().min(), steps.iter().max()), (Some(&7), Some(&26)));
    assert_eq!(set.series[0].values[..2], [1.860936, -0.207383]);
    let Some(path) = real("basicmotions/BasicMotions_TEST.ts") else { return };
    let set = SeriesSet::read(&path).unwrap();
    assert_eq!((set.series.len(), set.channels, set.series[39].steps()), (40, 6, 100));
}
