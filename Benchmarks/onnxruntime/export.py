"""Exports the dual-branch network to ONNX with a model file's own weights.

export.py WEIGHTS OUT.onnx: WEIGHTS is a folder of NAME.npy, as `eri inspect MODEL.eri --tensors WEIGHTS` writes it. One
clip of 32 faces and 32 rows, both modalities present.
"""
import sys
import warnings
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Tests/Golden/generate"))
import network  # noqa: E402


def dual_branch(folder):
    """The network with the weights in FOLDER, and inputs to trace it with."""
    parameters = network.Parameters()
    module = network.DualBranch(parameters).eval()
    weights = {path.name[: -len(".npy")]: np.load(path) for path in Path(folder).glob("*.npy")}
    constants = (".temporal.positions", ".temporal.scale")  # the module makes its own
    network.load(module, {name: values for name, values in weights.items() if not name.endswith(constants)})
    size = parameters.spatial.image_size
    return module, (torch.zeros(1, 32, 3, size, size), torch.zeros(1, 32, parameters.sound_width))


def main():
    if len(sys.argv) != 3:
        raise SystemExit("usage: export.py WEIGHTS OUT.onnx")
    module, inputs = dual_branch(sys.argv[1])
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    with torch.no_grad():
        torch.onnx.export(
            module, inputs, sys.argv[2], input_names=["faces", "audio"], output_names=["intensities"], opset_version=17,
            dynamo=False)


if __name__ == "__main__":
    main()
