# requires: numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
"""Networks that ONNX Runtime quantises (quantize_static, QDQ, u8 activations, s8 weights per channel), read by eri, run, and written back.

    run qdq.py [--keep DIR]

Each network is exported by eri, quantised by ONNX Runtime on drawn inputs, converted to .eri and executed: its outputs are compared with ONNX
Runtime's of the same quantised file. Then it is exported again, and ONNX Runtime runs that: the same pairs must be there.
"""
import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

ERI = os.environ.get("ERI", ".build/release/eri")
# Of the largest value. Both round to the same grids, but where float32 sums differ a number may fall to the other step.
TOLERANCE = 0.06

CASES = [
    ("resnet18-stem", ["spatial.image_size=32", "spatial.base_width=8"], {"faces": (2, 3, 32, 32)}),
    ("audio-branch", ["temporal.width=16", "temporal.blocks=1", "temporal.feed_forward=32", "temporal.levels=2"],
     {"audio": (2, 32, 1024)}),
]


def eri(*arguments):
    done = subprocess.run([ERI, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"eri {' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return done


class Drawn(CalibrationDataReader):
    def __init__(self, inputs):
        self.batches = [inputs]

    def get_next(self):
        return self.batches.pop() if self.batches else None


def run_onnx(path, inputs):
    options = onnxruntime.SessionOptions()
    # The pairs as they stand: no kernel of ONNX Runtime's own that rounds elsewhere.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"]).run(None, inputs)[0]


def run_eri(path, inputs, folder):
    words = ["exec", path, "--output-dir", folder / "out", "--exact"]
    for name, values in inputs.items():
        np.save(folder / f"{name}.npy", values)
        words += ["--input", f"{name}={folder / name}.npy"]
    eri(*words)
    return np.load(next((folder / "out").glob("*.npy")))


def difference(a, b):
    return float(np.abs(a.astype(np.float64) - b).max() / np.abs(b).max())


def pairs(path):
    types = [node.op_type for node in onnx.load(path).graph.node]
    return types.count("QuantizeLinear"), types.count("DequantizeLinear")


def case(network, settings, shapes, folder):
    words = [part for setting in settings for part in ("--set", setting)]
    eri("init", network, folder / "float.eri", "--seed", 1, *words)
    eri("convert", folder / "float.eri", folder / "float.onnx")
    random = np.random.default_rng(0)
    inputs = {name: random.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    quantize_static(
        folder / "float.onnx", folder / "qdq.onnx", Drawn(inputs), quant_format=QuantFormat.QDQ, per_channel=True,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
    said = eri("convert", folder / "qdq.onnx", folder / "qdq.eri").stderr
    expected = run_onnx(folder / "qdq.onnx", inputs)
    read = difference(run_eri(folder / "qdq.eri", inputs, folder), expected)
    eri("convert", folder / "qdq.eri", folder / "back.onnx")
    onnx.checker.check_model(str(folder / "back.onnx"))
    back = difference(run_onnx(folder / "back.onnx", inputs), expected)
    note = next((line for line in said.splitlines() if "QuantizeLinear" in line), "no pair recognised")
    print(f"{network:16} read {read:.2e}  back {back:.2e}  pairs {pairs(folder / 'qdq.onnx')} -> {pairs(folder / 'back.onnx')}")
    print(f"  {note}")
    return read <= TOLERANCE and back <= TOLERANCE and "became quantized" in said


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as temporary:
        for network, settings, shapes in CASES:
            folder = (arguments.keep or Path(temporary)) / network
            folder.mkdir(parents=True, exist_ok=True)
            good = case(network, settings, shapes, folder) and good
    sys.exit(0 if good else 1)


main()
