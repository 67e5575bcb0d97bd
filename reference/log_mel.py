#!/usr/bin/env python3
"""Writes log-mel features by numpy, in f64, as JSON.

    python reference/log_mel.py reference/data/log-mel.json

Frames under a periodic Hann window, numpy.fft.rfft padded to a power of two, triangular filters made as a whole matrix
over the frequencies of the spectrum (the way of torchaudio's melscale_fbanks, mel_scale "htk", norm None), natural
logarithm with a floor of 1e-10. The samples are 16-bit integers, read as n / 32768.
"""

import json
import sys
from pathlib import Path

import numpy as np

FLOOR = 1e-10
# rate, samples, frame and hop in milliseconds, bands
CASES = [(16_000, 1000, 25.0, 10.0, 40), (8_000, 555, 25.0, 10.0, 40), (11_025, 600, 20.0, 7.5, 23)]


def filters(rate, size, bands):
    """[bands, size / 2 + 1]"""
    frequencies = np.linspace(0, rate / 2, size // 2 + 1)
    mels = np.linspace(0, 2595 * np.log10(1 + rate / 2 / 700), bands + 2)
    points = 700 * (10 ** (mels / 2595) - 1)
    apart = np.diff(points)
    slopes = points[:, None] - frequencies[None, :]
    down = -slopes[:-2] / apart[:-1, None]
    up = slopes[2:] / apart[1:, None]
    return np.maximum(0, np.minimum(down, up))


def case(rate, samples, frame_ms, hop_ms, bands, random):
    t = np.arange(samples) / rate
    sound = 0.4 * np.sin(2 * np.pi * 440 * t) + 0.2 * np.sin(2 * np.pi * (900 + 4000 * t) * t) + 0.05 * random.normal(size=samples)
    integers = np.clip(np.round(sound * 32768), -32768, 32767).astype(int)
    x = (integers / 32768).astype(np.float32).astype(np.float64)
    # Halves go up, as in Rust: Python's round() takes them to the even number.
    frame, hop = int(frame_ms * 1e-3 * rate + 0.5), int(hop_ms * 1e-3 * rate + 0.5)
    size = 2 ** int(np.ceil(np.log2(frame)))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frame) / frame)
    starts = range(0, samples - frame + 1, hop)
    power = np.stack([np.abs(np.fft.rfft(window * x[s : s + frame], size)) ** 2 for s in starts])
    features = np.log(np.maximum(FLOOR, power @ filters(rate, size, bands).T))
    return {
        "rate": rate, "frame": frame_ms, "hop": hop_ms, "bands": bands,
        "samples": integers.tolist(), "features": features.flatten().tolist(),
    }  # fmt: skip


def main():
    random = np.random.default_rng(5)
    Path(sys.argv[1]).write_text(json.dumps([case(*c, random) for c in CASES]) + "\n")


if __name__ == "__main__":
    main()
