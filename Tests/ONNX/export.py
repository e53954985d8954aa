# requires: numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
"""Our networks as ONNX: checked by onnx.checker, run by ONNX Runtime, read back, and compared with what `eri exec` gives.

    run export.py [--keep DIR]

Every network, in its default form and with other choices, each small and from seed 1: the file keeps the weights digest, passes the checker
with its shapes inferred, gives eri's outputs in ONNX Runtime, and once read back gives them in eri. Absent inputs are tried where a
network has `present`: a modality that is 0 there may hold anything.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

ERI = os.environ.get("ERI", ".build/release/eri")
# Of the largest value: float32 sums of some hundred terms in another order.
TOLERANCE = 2e-5

CASES = [
    ("dual-branch", {}),
    ("video-branch", {}),
    ("audio-branch", {}),
    ("dual-branch", "choices"),
    ("video-branch", "choices"),
    ("audio-branch", "choices"),
    ("resnet18-stem", {}),
    ("mtcnn-p", {}),
    ("mtcnn-r", {}),
    ("mtcnn-o", {}),
]


def eri(*arguments):
    result = subprocess.run([ERI, *map(str, arguments)], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"eri {' '.join(map(str, arguments))}: exit {result.returncode}: {result.stderr}")
    return result.stdout


def choices(folder, network):
    """Every parameter that has another choice than the default's, as --set takes it."""
    eri("init", network, folder / "default.eri", "--seed", 1)
    parameters = json.loads(eri("inspect", folder / "default.eri", "--json"))["provenance"]["parameters"]
    other = []
    for name, value in parameters.items():
        last = name.split(".")[-1].lower()
        if isinstance(value, bool):
            other += ["--set", f"{name}={str(not value).lower()}"]
        elif value == "exact":
            other += ["--set", f"{name}=tanh"]
        elif value == "standard":
            other += ["--set", f"{name}=temma"]
        elif value == "temma":
            other += ["--set", f"{name}=standard"]
    return other


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep")
    options = parser.parse_args()
    root = Path(options.keep or tempfile.mkdtemp(prefix="eri-export-"))
    worst = 0.0
    for number, (network, settings) in enumerate(CASES):
        folder = root / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        model, exported, back = folder / "model.eri", folder / "model.onnx", folder / "back.eri"
        eri("init", network, model, "--seed", 1, *(choices(folder, network) if settings else []))
        eri("convert", model, exported)
        ids = {line.split()[0] for line in eri("id", model, exported).splitlines()}
        assert len(ids) == 1, f"{network}: expected one digest, found {ids}"
        onnx.checker.check_model(str(exported), full_check=True)
        eri("convert", exported, back)
        ids |= {eri("id", back).split()[0]}
        assert len(ids) == 1, f"{network}: expected one digest, found {ids}"
        session = onnxruntime.InferenceSession(str(exported), providers=["CPUExecutionProvider"])
        sizes = {"N": 2, "H": 40, "W": 48}
        random = np.random.default_rng(number)
        shapes = {i.name: [sizes.get(d, d) for d in i.shape] for i in session.get_inputs()}
        inputs = {n: random.standard_normal(s).astype(np.float32) for n, s in shapes.items() if n != "present"}
        trials = [{}]
        if "present" in shapes:
            trials = [{"present": np.array(p, np.float32)} for p in ([[1, 1], [1, 1]], [[1, 0], [0, 1]])]
        for trial in trials:
            given = {**inputs, **trial}
            if trial and 0 in trial["present"]:
                # What is not present may hold anything.
                given["faces"] = inputs["faces"].copy()
                given["faces"][0] = np.nan
            arguments = []
            for name, value in given.items():
                np.save(folder / f"{name}.npy", value)
                arguments += ["--input", f"{name}={folder}/{name}.npy"]
            theirs = session.run(None, given)
            names = [o.name for o in session.get_outputs()]
            for file in (model, back):
                eri("exec", file, *arguments, "--output-dir", folder / "out")
                for name, value in zip(names, theirs):
                    ours = np.load(folder / "out" / f"{name.replace('/', '_')}.npy")
                    assert ours.shape == value.shape, f"{network}: {name}: {ours.shape} and {value.shape}"
                    error = float(np.max(np.abs(ours - value)) / np.max(np.abs(value)))
                    worst = max(worst, error)
                    assert error <= TOLERANCE, f"{network} {file.name}: {name}: {error} of the largest value"
        print(f"{network}{' with other choices' if settings else ''}: checked, {len(trials)} run, largest error {worst:.2g}")


if __name__ == "__main__":
    main()
