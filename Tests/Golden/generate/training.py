# requires: numpy torch==2.15.0
"""Gradients and loss curves by PyTorch.

    run training.py                 writes Tests/Golden/training
    run training.py --curves        only its loss curves

NETWORK.npy holds the gradients of the mean squared error by every weight, one tensor after another, computed in double
precision; NETWORK.json says which, the loss, and for each tensor the norm of its gradient and how far PyTorch's own
single precision is from it: the root mean square over eight runs that differ in nothing but rounding (pictures' channels
first or last, the batch's order, a factor on the loss). Batch norm takes
the batch's statistics, and the running statistics after the step stand behind the gradients. Nothing is dropped out.
Weights are those of dual_branch.py's narrow network; inputs are normal, targets uniform deviates from seed 11.

curves.json holds the loss of each of 50 Adam steps of the full audio branch and the full fusion part, from the weights of
`eri init --seed 0`, in single precision and in double.
"""
import argparse
import json
import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent))
import dual_branch  # noqa: E402
import network  # noqa: E402
import seeded  # noqa: E402

SEED = 11
RUNS = 8
NARROW = dual_branch.NARROW
# The stem's weights are most of the narrow network's; a golden with all of them would be too large.
NARROW_VIDEO = replace(NARROW, spatial=replace(NARROW.spatial, base_width=4, feed_forward=24))
STEPS = 50
BATCH = 64
# Fewer would be learnt by heart within the steps, and rounding differences grow with what is learnt by heart.
BATCHES = 8


def without_dropout(parameters):
    return replace(
        parameters, spatial=replace(parameters.spatial, dropout=0.0), temporal=replace(parameters.temporal, dropout=0.0))


def network_of(name, parameters):
    kinds = {"audio-branch": network.AudioBranch, "video-branch": network.VideoBranch, "fusion": network.FusionPart}
    return kinds[name](without_dropout(parameters)).train()


def deviates(name, shape):
    return torch.from_numpy(seeded.normal_values(SEED, name, shape))


def targets(batch, labels):
    random = seeded.SeededRandom(SEED, "targets")
    return torch.tensor([[random.uniform() for _ in range(labels)] for _ in range(batch)], dtype=torch.float32)


def inputs_of(name, parameters, batch, present=None):
    """By name, in the order in which the network takes them."""
    steps = parameters.steps
    if name == "audio-branch":
        return {"audio": deviates("audio", (batch, steps, parameters.sound_width))}
    if name == "video-branch":
        size = parameters.spatial.image_size
        return {"faces": deviates("faces", (batch, steps, 3, size, size))}
    width = parameters.temporal.width
    found = {
        f"{branch}.temporal.norm.out": deviates(f"{branch}.temporal.norm.out", (batch, steps, width))
        for branch in ("audio", "video")}
    if present is not None:
        found["present"] = torch.tensor(present, dtype=torch.float32)
    return found


def is_running(name):
    return name.endswith(("running_mean", "running_var"))


def is_zero(name):
    """In theory: these are added to every term of a softmax alike."""
    return name.endswith(("pool.bias", "attn.k.bias"))


def one_step(name, parameters, weights, inputs, wanted, order, factor, dtype, channels_last=False):
    """Loss, gradients by name, and running statistics after the step; the loss was multiplied by `factor` for the
    backward pass, and the batch taken in the `order`."""
    module = network_of(name, parameters)
    network.load(module, weights)
    module.to(dtype)
    if channels_last:
        module.to(memory_format=torch.channels_last)
    output = module(*(values[order].to(dtype) for values in inputs.values()))
    loss = F.mse_loss(output, wanted[order].to(dtype))
    (loss * factor).backward()
    gradients = {n: p.grad.double() / factor for n, p in module.named_parameters()}
    running = {n: b.double() for n, b in module.named_buffers() if is_running(n)}
    return float(loss.detach()), gradients, running


def root_mean_square(values):
    return math.sqrt(sum(value * value for value in values) / len(values))


def measured(name, parameters, weights, inputs, wanted):
    """The double-precision step, and for each tensor the single-precision step's distance from it."""
    batch = wanted.shape[0]
    order = list(range(batch))
    loss, gradients, running = one_step(name, parameters, weights, inputs, wanted, order, 1, torch.float64)
    exact = gradients | running
    squares = {tensor: [] for tensor in exact}
    losses = []
    for run in range(RUNS):
        turned = order[run % batch:] + order[:run % batch]
        found_loss, found, found_running = one_step(
            name, parameters, weights, inputs, wanted, turned, 1 + 2 * run, torch.float32, channels_last=run // 4 == 1)
        losses.append(abs(found_loss - loss))
        for tensor, values in (found | found_running).items():
            squares[tensor].append(float((values - exact[tensor]).norm()))
    return loss, losses, exact, {tensor: root_mean_square(errors) for tensor, errors in squares.items()}


def write_gradients(folder, name, parameters, batch, present=None):
    module = network_of(name, parameters)
    weights = dual_branch.perturbed(dual_branch.seeded_weights(module, 7), 7)
    inputs = inputs_of(name, parameters, batch, present)
    loss, losses, exact, errors = measured(name, parameters, weights, inputs, targets(batch, parameters.labels))
    tensors = [
        {
            "name": tensor, "shape": list(values.shape), "norm": float(values.norm()), "error": errors[tensor],
            "kind": "running statistic" if is_running(tensor) else "zero gradient" if is_zero(tensor) else "gradient",
        }
        for tensor, values in exact.items()]
    flat = np.concatenate([values.numpy().ravel() for values in exact.values()]).astype("<f4")
    np.save(folder / f"{name}.npy", flat)
    report = {"batch": batch, "loss": loss, "loss_error": root_mean_square(losses), "tensors": tensors}
    if present is not None:
        report["present"] = present
    (folder / f"{name}.json").write_text(json.dumps(report, indent=1) + "\n")
    worst = max(t["error"] / t["norm"] for t in tensors if t["kind"] != "zero gradient")
    print(f"{name}: {len(tensors)} tensors, {flat.size} values, loss {loss:.6f}, single precision at most {worst:.1e} away")


def curve(name, weights, inputs, wanted, dtype):
    """The loss of each step, before it."""
    module = network_of(name, network.Parameters())
    network.load(module, weights)
    module.to(dtype)
    inputs = [values.to(dtype) for values in inputs.values()]
    wanted = wanted.to(dtype)
    optimiser = torch.optim.Adam(module.parameters(), lr=1e-4)
    losses = []
    for step in range(STEPS):
        first = step % BATCHES * BATCH
        part = slice(first, first + BATCH)
        optimiser.zero_grad()
        loss = F.mse_loss(module(*(values[part] for values in inputs)), wanted[part])
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    return losses


def write_curves(folder):
    report = {"batch": BATCH, "batches": BATCHES}
    parameters = network.Parameters()
    wanted = targets(BATCH * BATCHES, parameters.labels)
    for name in ("audio-branch", "fusion"):
        weights = dual_branch.seeded_weights(network_of(name, parameters), 0)
        inputs = inputs_of(name, parameters, BATCH * BATCHES)
        single, double = (curve(name, weights, inputs, wanted, dtype) for dtype in (torch.float32, torch.float64))
        distance = max(abs(a - b) / b for a, b in zip(single, double))
        print(f"{name}: loss {single[0]:.6f} to {single[-1]:.6f}, single precision at most {distance:.1e} away")
        report[name] = {"single": single, "double": double}
    (folder / "curves.json").write_text(json.dumps(report, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--curves", action="store_true", help="leave the gradients as they are")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    folder = Path(__file__).resolve().parent.parent / "training"
    folder.mkdir(exist_ok=True)
    if not arguments.curves:
        write_gradients(folder, "audio-branch", NARROW, 4)
        write_gradients(folder, "video-branch", NARROW_VIDEO, 2)
        write_gradients(folder, "fusion", NARROW, 4, [[1, 1], [1, 0], [0, 1], [1, 1]])
    write_curves(folder)


if __name__ == "__main__":
    main()
