"""Times eri convert against cp and sha256sum of the same file, in turn, and samples eri's peak memory.

usage: compare.py ERI FOLDER [--rounds N] [--megabytes N]
"""
import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import safetensors.numpy
import torch

parser = argparse.ArgumentParser()
parser.add_argument("eri")
parser.add_argument("folder", type=Path)
parser.add_argument("--rounds", type=int, default=7)
parser.add_argument("--megabytes", type=int, default=100)
options = parser.parse_args()


def weights():
    """Convolutions and vectors of many sizes, one matrix a quarter of all: normal deviates, as initialised weights are."""
    generator = np.random.default_rng(0)
    left = options.megabytes * 1_000_000 // 4
    tensors = {}

    def add(name, *shape):
        nonlocal left
        tensors[name] = (generator.standard_normal(shape) * 0.05).astype(np.float32)
        left -= tensors[name].size

    add("embedding.weight", options.megabytes * 1_000_000 // 16 // 512, 512)
    layer = 0
    while left > 0:
        width = [64, 128, 256, 512][layer % 4]
        add(f"layers.{layer}.conv.weight", width, width, 3, 3)
        add(f"layers.{layer}.norm.weight", width)
        add(f"layers.{layer}.norm.bias", width)
        layer += 1
    return tensors


def timed(command):
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def peak(command):
    """VmHWM in bytes, sampled until the process ends."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    status, largest = Path(f"/proc/{process.pid}/status"), 0
    while process.poll() is None:
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM"):
                largest = max(largest, int(line.split()[1]) * 1024)
        time.sleep(0.002)
    if process.returncode != 0:
        sys.exit(f"{command}: exit {process.returncode}")
    return largest


tensors = weights()
files = [options.folder / "weights.safetensors", options.folder / "weights.pth"]
safetensors.numpy.save_file(tensors, files[0])
torch.save({name: torch.from_numpy(values) for name, values in tensors.items()}, files[1])
largest = max(values.nbytes for values in tensors.values())
copy, out = options.folder / "copy", options.folder / "out.eri"
print(f"{len(tensors)} tensors, the largest of {largest / 1e6:.1f} MB")
for file in files:
    convert = [options.eri, "convert", file, out, "--level", "1", "--threads", "2"]
    copying, hashing, converting = [], [], []
    for _ in range(options.rounds):
        copying.append(timed(["cp", file, copy]))
        hashing.append(timed(["sha256sum", copy]))
        converting.append(timed(convert))
    peer = statistics.median(copying) + statistics.median(hashing)
    own = statistics.median(converting)
    memory = peak(convert)
    bound = 1.5 * largest + 64 * 2**20
    print(
        f"{file.name}: {file.stat().st_size / 1e6:.1f} MB; cp {statistics.median(copying):.3f} s, sha256sum "
        f"{statistics.median(hashing):.3f} s, eri convert {own:.3f} s: {own / peer:.2f} x both; "
        f"{out.stat().st_size / 1e6:.1f} MB; peak {memory / 1e6:.1f} MB of {bound / 1e6:.1f} MB allowed"
    )
