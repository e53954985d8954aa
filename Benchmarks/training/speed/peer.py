"""PyTorch's side: a network's training step, eager, one for each line on standard input.

It prints `ready` after a step that counts for nothing, then for each line the milliseconds of one step: forward, mean squared
error, backward, Adam. Dropout and batch statistics as in training; fusion starts from features and drops modalities.
"""
import argparse
import sys
import time
from pathlib import Path

import torch
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "Tests/Golden/generate"))
import network  # noqa: E402

KEEP_BOTH, KEEP_VIDEO = 0.9, 0.5


def modalities(batch):
    """[batch, 2]: audio and video, of which the one or the other is left out now and then."""
    both = torch.rand(batch) < KEEP_BOTH
    video = torch.rand(batch) < KEEP_VIDEO
    return torch.stack([both | ~video, both | video], dim=1).float()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=["audio", "fusion", "video"])
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--tuned", action="store_true", help="channels last for pictures, and Adam as one kernel")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(arguments.threads)
    p, batch = network.Parameters(), arguments.batch
    kinds = {"audio": network.AudioBranch, "fusion": network.FusionPart, "video": network.VideoBranch}
    module = kinds[arguments.network](p).train()
    side, width = p.spatial.image_size, p.temporal.width
    shapes = {
        "audio": [(batch, p.steps, p.sound_width)], "fusion": [(batch, p.steps, width)] * 2,
        "video": [(batch, p.steps, 3, side, side)]}
    inputs = [torch.randn(shape) for shape in shapes[arguments.network]]
    targets = torch.rand(batch, p.labels)
    if arguments.tuned:
        module = module.to(memory_format=torch.channels_last)
        if arguments.network == "video":
            frames = inputs[0].flatten(0, 1).to(memory_format=torch.channels_last)
            inputs = [frames.unflatten(0, (batch, p.steps))]
    optimiser = torch.optim.Adam(module.parameters(), lr=1e-4, fused=arguments.tuned)

    def step():
        optimiser.zero_grad()
        present = [modalities(batch)] if arguments.network == "fusion" else []
        F.mse_loss(module(*inputs, *present), targets).backward()
        optimiser.step()

    step()
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        step()
        print(f"{(time.perf_counter() - start) * 1e3:.3f}", flush=True)


main()
