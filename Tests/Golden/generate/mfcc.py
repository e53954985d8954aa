# requires: librosa==0.11.0 numpy
"""MFCC of a synthesised clip by librosa, the golden of ERISignalTests."""
from pathlib import Path

import librosa
import numpy as np

COUNT = 33_075  # 1.5 s at 22,050 Hz


def clip():
    """Rising sawtooth, noise that fades in, digital silence in the middle third; 16-bit integers over 32768.

    ERISignalTests/SynthesisedClip.swift makes the same bits.
    """
    samples = np.zeros(COUNT, dtype=np.float32)
    state, phase, step = 12345, 0, 0x0100_0000
    for n in range(COUNT):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        phase = (phase + step) & 0xFFFFFFFF
        step = (step + 40_000) & 0xFFFFFFFF
        saw = (phase >> 18) - 8192
        noise = ((state >> 19) - 4096) * n // COUNT
        silent = COUNT // 3 <= n < 2 * COUNT // 3
        samples[n] = 0 if silent else np.float32(saw + noise) / np.float32(32768)
    return samples


def main():
    mfcc = librosa.feature.mfcc(y=clip(), sr=22050, n_mfcc=128)
    folder = Path(__file__).resolve().parent.parent / "signal"
    folder.mkdir(exist_ok=True)
    np.save(folder / "mfcc.npy", np.ascontiguousarray(mfcc.T.astype("<f4")))  # [frames, 128], as MFCC.compute returns it


main()
