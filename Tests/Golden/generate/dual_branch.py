# requires: numpy torch==2.15.0
"""The dual-branch network's values at every stage, by PyTorch.

    run dual_branch.py                              writes Tests/Golden/networks
    run dual_branch.py --full DIR                   writes the full network's stages into DIR (seed 0, about a minute)
    run dual_branch.py --full DIR --weights FOLDER  the same from a file's weights, FOLDER/NAME.npy each

Without --weights every weight is drawn as `eri init` draws it, then biases, norms and lengths are moved off the values
they start at (`perturbed`), so that no layer is an identity.
"""
import argparse
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))
import network  # noqa: E402
import seeded  # noqa: E402

NARROW = network.Parameters(
    steps=8, sound_width=24, fusion_width=12,
    spatial=network.Spatial(image_size=32, base_width=8, blocks=2, feed_forward=48),
    temporal=network.Temporal(levels=3, width=16, blocks=2, feed_forward=24))
# Every choice that the narrow network leaves at its default.
CHOICES = network.Parameters(
    steps=8, sound_width=24, fusion_width=12, labels=2,
    spatial=network.Spatial(
        image_size=32, base_width=8, blocks=2, feed_forward=48, heads=2, gelu="tanh", attention_bias=False,
        final_norm=False),
    temporal=network.Temporal(
        levels=3, width=16, blocks=2, feed_forward=24, heads=2, kernel=2, convolutions=1, scaled=False,
        position_base=10000, temma_norm=True, band=(2, 1)))
CHOICES_STAGES = {
    "video.spatial.blocks.1.out", "video.pool.out", "video.tcn.out", "video.temporal.norm.out", "audio.tcn.out",
    "audio.temporal.norm.out", "intensities"}
STAGE_ENDINGS = (
    "maxpool.out", "layer1.1.out", "layer2.1.out", "layer3.1.out", "spatial.norm.out", "pool.out", "tcn.out",
    "temporal.norm.out", "fusion.norm.out", "fusion.proj.out", "fusion.fc.out", "intensities")


def initial(name, value, seed):
    """PyTorch's default for the layer the tensor belongs to, drawn from the tensor's own stream."""
    shape = tuple(value.shape)
    layer, part = name.rsplit(".", 1)
    if part == "pos":
        return seeded.normal_values(seed, name, shape, 0.02)
    if part in ("running_mean", "running_var"):
        return np.full(shape, part == "running_var", np.float32)
    norms = ("norm", "norm1", "norm2", "bn1", "bn2")
    if layer.endswith(norms) or layer.endswith("downsample.1"):
        return np.full(shape, part == "weight", np.float32)
    return None


def fan_in(name, state):
    layer, part = name.rsplit(".", 1)
    weight = state.get(f"{layer}.weight", state.get(f"{layer}.v"))
    return int(np.prod(weight.shape[1:]))


def seeded_weights(module, seed):
    state = {name: value for name, value in module.state_dict().items() if not name.endswith("num_batches_tracked")}
    weights = {}
    for name, value in state.items():
        fixed = initial(name, value, seed)
        if fixed is not None:
            weights[name] = fixed
        elif not name.endswith(".g"):
            weights[name] = seeded.uniform_weight(seed, name, tuple(value.shape), fan_in(name, state))
    for name in state:
        if name.endswith(".g"):
            weights[name] = seeded.row_norms(weights[f"{name[:-1]}v"])
    return weights


def perturbed(weights, seed):
    """Vectors and weight norm's lengths moved by a tenth of a normal deviate each."""
    moved = {}
    for name, values in weights.items():
        if values.ndim == 1 or name.endswith(".g"):
            random = seeded.SeededRandom(seed, f"{name} perturbed")
            flat = [float(value) + 0.1 * random.normal() for value in values.ravel()]
            values = np.array(flat, np.float32).reshape(values.shape)
        moved[name] = values
    return moved


def inputs(parameters, seed):
    size = parameters.spatial.image_size
    faces = seeded.normal_values(seed, "faces", (1, parameters.steps, 3, size, size))
    audio = seeded.normal_values(seed, "audio", (1, parameters.steps, parameters.sound_width))
    return torch.from_numpy(faces), torch.from_numpy(audio)


def write(folder, parameters, weights, keep):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    module = network.DualBranch(parameters).eval()
    if weights is None:
        weights = perturbed(seeded_weights(module, 7), 7)
    network.load(module, weights)
    folder.mkdir(parents=True, exist_ok=True)
    found = network.stages(module, *inputs(parameters, 11))
    for name in sorted(found):
        if keep(name):
            np.save(folder / f"{name}.npy", np.ascontiguousarray(found[name].numpy().astype("<f4")))
            print(f"{folder.name}/{name} {list(found[name].shape)}")


def is_stage(name):
    return name.endswith(STAGE_ENDINGS) or ".blocks." in name and name.split(".")[-2].isdigit() or (
        ".tcn." in name and name.split(".")[-2].isdigit())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", type=Path, metavar="DIR")
    parser.add_argument("--weights", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    if arguments.full is not None:
        weights = None
        if arguments.weights is not None:
            weights = {path.name[:-4]: np.load(path) for path in arguments.weights.glob("*.npy")}
            weights = {name: w for name, w in weights.items() if not name.endswith((".positions", ".temporal.scale"))}
        write(arguments.full, network.Parameters(), weights, is_stage)
        return
    folder = Path(__file__).resolve().parent.parent / "networks"
    write(folder / "narrow", NARROW, None, is_stage)
    write(folder / "choices", CHOICES, None, CHOICES_STAGES.__contains__)


if __name__ == "__main__":
    main()
