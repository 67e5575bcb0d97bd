//! WAV files.

use crate::{Files, Spoiled, refuses};
use elman::data::Sound;

fn wav(channels: u16, bits: u16, samples: &[i32]) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let spec =
        hound::WavSpec { channels, sample_rate: 8000, bits_per_sample: bits, sample_format: hound::SampleFormat::Int };
    let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
    samples.iter().for_each(|sample| writer.write_sample(*sample).unwrap());
    writer.finalize().unwrap();
    bytes.into_inner()
}

#[test]
fn samples_are_between_minus_one_and_one_whatever_their_width() {
    let files = Files::new();
    for bits in [8, 16, 24, 32] {
        let half = 1 << (bits - 2);
        let sound = Sound::read(&files.write("a.wav", wav(1, bits, &[half, -half, 0]))).unwrap();
        assert_eq!((sound.rate, sound.channels, sound.samples), (8000, 1, vec![0.5, -0.5, 0.0]), "{bits}");
    }
    let two = Sound::read(&files.write("b.wav", wav(2, 16, &[16384, 0, -16384, -16384]))).unwrap();
    assert_eq!((two.channels, two.samples), (2, vec![0.25, -0.5]));
    let told = Sound::read(&files.write("c.wav", wav(1, 16, &[]))).unwrap_err().to_string();
    assert!(told.ends_with("c.wav: there is no sound in it"), "{told}");
}

#[test]
fn damaged_sound_is_refused_and_never_a_panic() {
    let files = Files::new();
    let whole = wav(2, 16, &[1, 2, 3, 4, 5, 6]);
    let path = files.write("a.wav", &whole[..whole.len() - 3]);
    let told = Sound::read(&path).unwrap_err().to_string();
    assert_eq!(told, format!("{path}: the file ends before its sound does; copy or record it again"));
    for at in 0..whole.len() {
        for value in [0, 1, 255] {
            let mut bytes = whole.clone();
            bytes[at] = value;
            let _ = Sound::read(&files.write("b.wav", bytes));
        }
    }
}

#[test]
fn spoiled_sound_is_refused() {
    const NO: &str = "F: it does not begin as WAV files do; `ffmpeg -i FILE sound.wav` makes one";
    #[rustfmt::skip]
    refuses(&[
        Spoiled { name: "a.wav", bytes: b"", says: NO },
        Spoiled { name: "b.wav", bytes: b"RIFF", says: NO },
        Spoiled { name: "c.wav", bytes: b"RIFX\0\0\0\0WAVE", says: NO },
        Spoiled { name: "d.wav", bytes: b"ID3\x03 an MP3 file by another name", says: NO },
        Spoiled { name: "e.wav", bytes: b"OggS\0\0\0\0\0\0\0\0", says: NO },
        Spoiled { name: "f.wav", bytes: b"RIFF\0\0\0\0AVI ", says: NO },
        Spoiled { name: "g.wav", bytes: b"RIFF\x24\0\0\0WAVE", says: "F: the file ends before its sound does; copy or record it again" },
        Spoiled { name: "h.wav", bytes: b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1F\0\0", says: "F: the file ends before its sound does; copy or record it again" },
        Spoiled { name: "i.wav", bytes: b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x07\0\x01\0\x40\x1F\0\0\x40\x1F\0\0\x01\0\x08\0data\x01\0\0\0a", says: "F: the sound is packed in the WAV; `ffmpeg -i FILE -c:a pcm_s16le sound.wav` unpacks it" },
        Spoiled { name: "j.wav.gz", bytes: b"\x1F\x8B\x08\0\0\0\0\0\0\x03\x4B", says: "F: the gzip data is cut off or damaged (incomplete deflate stream); copy or download it again" },
    ], Sound::read);
}
