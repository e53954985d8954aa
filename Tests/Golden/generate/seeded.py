"""SeededRandom and the weights' initialisation, written again from their definitions with integers and IEEE doubles.

Python's + - * / and math.sqrt are the same IEEE operations as Swift's; log, exp, sin and cos come from libm, whose last bit
may differ, which rounding to float32 hides but for rare ties. Run as a script, it prints the digests that
Tests/ERINetworksTests/InitialisationTests.swift holds.
"""

import math
import struct

import numpy as np

MASK = (1 << 64) - 1


def _splitmix(state):
    state = (state + 0x9E3779B97F4A7C15) & MASK
    z = state
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return state, z ^ (z >> 31)


def fnv1a(data):
    digest = 0xCBF29CE484222325
    for byte in data:
        digest = ((digest ^ byte) * 0x100000001B3) & MASK
    return digest


class SeededRandom:
    """xoshiro256** (Blackman and Vigna, 2018), seeded by splitmix64; one stream per name."""

    def __init__(self, seed, stream=None):
        if stream is not None:
            _, mixed = _splitmix(seed)
            _, name = _splitmix(fnv1a(stream.encode()))
            seed = mixed ^ name
        self.state = []
        for _ in range(4):
            seed, value = _splitmix(seed)
            self.state.append(value)
        self.spare = None

    def bits(self):
        s0, s1, s2, s3 = self.state
        product = (s1 * 5) & MASK
        result = ((((product << 7) | (product >> 57)) & MASK) * 9) & MASK
        shifted = (s1 << 17) & MASK
        s2 ^= s0
        s3 ^= s1
        s1 ^= s2
        s0 ^= s3
        s2 ^= shifted
        s3 = ((s3 << 45) | (s3 >> 19)) & MASK
        self.state = [s0, s1, s2, s3]
        return result

    def uniform(self):
        return (self.bits() >> 11) * 2.0**-53

    def normal(self):
        if self.spare is not None:
            value, self.spare = self.spare, None
            return value
        while True:
            x = 2 * self.uniform() - 1
            y = 2 * self.uniform() - 1
            square = x * x + y * y
            if not 0 < square < 1:
                continue
            factor = math.sqrt(-2 * math.log(square) / square)
            self.spare = y * factor
            return x * factor


def uniform_weight(seed, name, shape, fan_in):
    random = SeededRandom(seed, name)
    bound = 1 / math.sqrt(fan_in)
    values = [bound * (2 * random.uniform() - 1) for _ in range(math.prod(shape))]
    return np.array(values, np.float32).reshape(shape)


def normal_values(seed, name, shape, deviation=1.0):
    random = SeededRandom(seed, name)
    values = [deviation * random.normal() for _ in range(math.prod(shape))]
    return np.array(values, np.float32).reshape(shape)


def row_norms(v):
    """The length of each v[o], squares summed in double precision in order."""
    lengths = []
    for row in v.reshape(v.shape[0], -1):
        square = 0.0
        for value in row.tolist():
            square += value * value
        lengths.append(math.sqrt(square))
    return np.array(lengths, np.float32).reshape((v.shape[0],) + (1,) * (v.ndim - 1))


def positions(steps, width, base):
    table = np.zeros((steps, width), np.float32)
    for step in range(steps):
        for pair in range(width // 2):
            angle = step * math.exp(-(2 * pair) / width * math.log(base))
            table[step, 2 * pair] = math.sin(angle)
            table[step, 2 * pair + 1] = math.cos(angle)
    return table


def main():
    v = uniform_weight(0, "video.tcn.0.conv1.v", (16, 32, 3), 96)
    tensors = {
        "video.backbone.conv1.weight": uniform_weight(0, "video.backbone.conv1.weight", (8, 3, 7, 7), 147),
        "video.spatial.pos": normal_values(0, "video.spatial.pos", (1, 4, 32), 0.02),
        "video.tcn.0.conv1.v": v,
        "video.tcn.0.conv1.g": row_norms(v),
        "fusion.fc.bias": uniform_weight(0, "fusion.fc.bias", (7,), 12),
        "audio.temporal.positions": positions(8, 16, 1000),
    }
    for name, values in tensors.items():
        print(f"{name} 0x{fnv1a(values.astype('<f4').tobytes()):016x}")


if __name__ == "__main__":
    main()
