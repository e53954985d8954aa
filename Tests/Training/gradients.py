# requires: numpy torch==2.15.0
"""Gradients of full networks by PyTorch in double precision, and how near `eri gradients` comes to them.

    gradients.py write WORK            inputs, targets and PyTorch's gradients for each of WORK/NETWORK/weights
    gradients.py compare WORK FOUND…   WORK/NETWORK/FOUND/NAME.npy against them

A tensor's distance is the norm of its difference from the double-precision one. Ours may be three times PyTorch's own
single-precision distance, the root mean square of eight runs that differ in nothing but rounding, or three roundings of the
tensor where PyTorch's is less than one. The same rule holds gradients that are zero in theory: there both are all error.
Of the video branch's millions of ReLUs and maxima a few fall the other way in single precision, PyTorch's as well, which is most
of its stem's distance; the narrow golden of Tests/Golden/training has none of these and is the sharper test there.
"""
import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Golden/generate"))
import network  # noqa: E402
import training  # noqa: E402

FULL = network.Parameters()
# As the script that calls this one sets them; the full stem would take PyTorch's double precision minutes.
NARROW_VIDEO = replace(FULL, spatial=replace(FULL.spatial, base_width=16, image_size=56))
NETWORKS = {"audio-branch": (FULL, 64), "fusion": (FULL, 64), "video-branch": (NARROW_VIDEO, 2)}
ALLOWED = 3.0
ROUNDING = 2.0**-24


def batch_of(name, parameters, batch):
    random = np.random.default_rng(0)
    shapes = {
        "audio-branch": {"audio": (parameters.steps, parameters.sound_width)},
        "video-branch": {"faces": (parameters.steps, 3, parameters.spatial.image_size, parameters.spatial.image_size)},
        "fusion": {f"{branch}.temporal.norm.out": (parameters.steps, parameters.temporal.width)
                   for branch in ("audio", "video")},
    }
    inputs = {
        value: random.standard_normal((batch, *shape), dtype=np.float32) for value, shape in shapes[name].items()}
    if name == "fusion":
        # Both, audio alone, video alone, both, …
        inputs["present"] = np.tile(np.array([[1, 1], [1, 0], [0, 1], [1, 1]], np.float32), (batch // 4, 1))
    return inputs, random.random((batch, parameters.labels), dtype=np.float32)


def write(work):
    torch.set_num_threads(1)
    for name, (parameters, batch) in NETWORKS.items():
        folder = work / name
        wanted = {
            tensor for tensor in training.network_of(name, parameters).state_dict()
            if not tensor.endswith("num_batches_tracked")}
        weights = {tensor: np.load(folder / "weights" / f"{tensor}.npy") for tensor in wanted}
        inputs, targets = batch_of(name, parameters, batch)
        for value, array in inputs.items():
            np.save(folder / f"{value}.npy", array)
        np.save(folder / "targets.npy", targets)
        loss, _, exact, errors = training.measured(
            name, parameters, weights, {value: torch.from_numpy(array) for value, array in inputs.items()},
            torch.from_numpy(targets))
        exact = {tensor: values for tensor, values in exact.items() if not training.is_running(tensor)}
        errors = {tensor: errors[tensor] for tensor in exact}
        (folder / "exact").mkdir()
        for tensor, values in exact.items():
            np.save(folder / "exact" / f"{tensor}.npy", values.numpy())
        (folder / "errors.json").write_text(json.dumps(errors))
        print(f"{name}: batch {batch}, {len(exact)} tensors, loss {loss:.6f}", flush=True)


def compare(work, found, every):
    beyond = 0
    for name in NETWORKS:
        errors = json.loads((work / name / "errors.json").read_text())
        rows = []
        for tensor, error in errors.items():
            exact = np.load(work / name / "exact" / f"{tensor}.npy")
            path = work / name / found / f"{tensor}.npy"
            if not path.is_file():
                raise SystemExit(f"{path}: expected the gradient of {tensor}, found no file")
            ours = np.load(path).astype(np.float64)
            if ours.shape != exact.shape:
                raise SystemExit(f"{path}: expected the shape {exact.shape}, found {ours.shape}")
            norm = np.linalg.norm(exact)
            distance = np.linalg.norm(ours - exact)
            ratio = distance / max(error, ROUNDING * norm, np.finfo(np.float32).tiny)
            rows.append((float("inf") if np.isnan(ratio) else ratio, tensor, distance, error, norm))
        rows.sort(reverse=True)
        print(f"{name}, {found}: {len(rows)} tensors; distance over PyTorch's, median {rows[len(rows) // 2][0]:.2f}")
        print(f"  {'ratio':>8} {'eri':>9} {'PyTorch':>9}  tensor")
        for ratio, tensor, distance, error, norm in rows if every else rows[:10]:
            # Relative, but for what has no size of its own.
            scale, kind = (1, ", zero in theory") if training.is_zero(tensor) else (norm, "")
            print(f"  {ratio:>8.2f} {distance / scale:>9.1e} {error / scale:>9.1e}  {tensor}{kind}")
        above = sum(row[0] > ALLOWED for row in rows)
        print(f"  worst ratio {rows[0][0]:.2f}; {above} above {ALLOWED:g}")
        beyond += above
    return beyond


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(dest="action", required=True)
    writing = actions.add_parser("write")
    writing.add_argument("work", type=Path)
    comparing = actions.add_parser("compare")
    comparing.add_argument("work", type=Path)
    comparing.add_argument("found", nargs="+")
    comparing.add_argument("--all", action="store_true", help="every tensor, not the worst ten of each network")
    arguments = parser.parse_args()
    if arguments.action == "write":
        write(arguments.work)
    elif sum(compare(arguments.work, found, arguments.all) for found in arguments.found) > 0:
        raise SystemExit(1)


main()
