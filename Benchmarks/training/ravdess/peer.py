"""PyTorch's side: trains the audio branch on a cache's exported MFCC, with the options of `eri train audio`.

peer.py FEATURES --seed S [OPTION…]: FEATURES is a folder with the cache's index.csv and, for each shard, what
`eri inspect SHARD --tensors FEATURES/SHARD` wrote. Prints a JSON object per epoch: epoch, loss, validation_pearson,
learning_rate, seconds. An option means what it means to `eri train`; random draws are PyTorch's and NumPy's own.
"""
import argparse
import csv
import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "Tests/Golden/generate"))
import network  # noqa: E402

STEPS = 32
STACK = 8


def read(folder):
    """For both splits: MFCC of each clip [F, coefficients], and labels [clips, labels]."""
    with open(folder / "index.csv", newline="") as file:
        lines = [line for line in csv.reader(file)]
    start = next(index for index, line in enumerate(lines) if line[0] == "id")
    header = lines[start]
    labels = header[header.index("error") + 1:]
    clips = [dict(zip(header, line)) for line in lines[start + 1:]]
    found = {}
    for split in ("train", "validation"):
        chosen = [clip for clip in clips if clip["split"] == split and int(clip["mfcc_frames"] or 0) > 0]
        mfcc = [
            np.load(folder / f"shard-{int(clip['shard']):05d}" / f"{clip['number']}_mfcc.npy") for clip in chosen]
        found[split] = mfcc, np.array([[float(clip[label]) for label in labels] for clip in chosen], np.float32)
        if not chosen:
            raise SystemExit(f"{folder / 'index.csv'}: expected clips with sound in the split {split}, found none")
    return found, labels


def rows(mfcc, offset=0):
    """[32, 8 · coefficients]: rows of eight frames, evenly spread."""
    mfcc = mfcc[min(offset, max(len(mfcc) - STACK, 0)):]
    count = max(len(mfcc) // STACK, 1)
    stacked = mfcc[:count * STACK].reshape(count, -1)
    return stacked[[step * (count - 1) // (STEPS - 1) for step in range(STEPS)]]


def initialise(module):
    """What PyTorch's own layers start as, for the two of network.py that are not PyTorch's."""
    with torch.no_grad():
        for layer in module.modules():
            if isinstance(layer, network.CausalConvolution):
                bound = 1 / math.sqrt(layer.v[0].numel())
                layer.v.uniform_(-bound, bound)
                layer.bias.uniform_(-bound, bound)
                layer.g.copy_(layer.v.norm(dim=(1, 2), keepdim=True))
            elif isinstance(layer, network.Pool):
                bound = 1 / math.sqrt(layer.weight.numel())
                layer.weight.uniform_(-bound, bound)
                layer.bias.uniform_(-bound, bound)


def mean_pearson(truth, predictions):
    truth, predictions = truth.astype(np.float64), predictions.astype(np.float64)
    truth, predictions = truth - truth.mean(0), predictions - predictions.mean(0)
    scale = np.sqrt((truth**2).sum(0) * (predictions**2).sum(0))
    return float(np.where(scale > 0, (truth * predictions).sum(0) / np.where(scale > 0, scale, 1), 0).mean())


class Batches:
    """Clips of the training split, changed anew each epoch."""

    def __init__(self, options, mfcc, targets):
        self.options = options
        self.random = np.random.default_rng(options.seed)
        self.coefficients = mfcc[0].shape[1]
        offsets = range(options.row_shift + 1)
        self.shifted = [np.stack([rows(clip, offset) for clip in mfcc]) for offset in offsets]
        self.targets = targets

    def inputs(self, clips):
        offsets = self.random.integers(0, len(self.shifted), len(clips))
        return np.stack([self.shifted[offset][clip] for offset, clip in zip(offsets, clips)])

    def mask(self, sound):
        o, random = self.options, self.random
        for _ in range(o.time_masks):
            length = random.integers(0, o.time_mask_rows + 1)
            first = random.integers(0, STEPS - length + 1)
            sound[first:first + length] = 0
        bands = sound.reshape(STEPS, STACK, self.coefficients)
        for _ in range(o.coefficient_masks):
            width = random.integers(0, o.coefficient_mask_width + 1)
            first = random.integers(0, self.coefficients - width + 1)
            bands[:, :, first:first + width] = 0

    def __iter__(self):
        o = self.options
        count = len(self.targets)
        order = self.random.permutation(count)
        for start in range(0, count, o.batch):
            clips = order[start:start + o.batch]
            sound, wanted = self.inputs(clips), self.targets[clips]
            if o.mixup > 0:
                partners = self.random.integers(0, count, len(clips))
                share = self.random.beta(o.mixup, o.mixup, len(clips)).astype(np.float32)
                sound = share[:, None, None] * sound + (1 - share[:, None, None]) * self.inputs(partners)
                wanted = share[:, None] * wanted + (1 - share[:, None]) * self.targets[partners]
            if o.noise > 0:
                sound = sound + o.noise * self.random.standard_normal(sound.shape, dtype=np.float32)
            if o.label_noise > 0:
                noise = o.label_noise * self.random.standard_normal(wanted.shape, dtype=np.float32)
                wanted = np.clip(wanted + noise, 0, 1)
            for clip in sound:
                self.mask(clip)
            yield torch.from_numpy(sound), torch.from_numpy(wanted)


def network_parameters(options, coefficients, labels):
    """`--set` of the names that the audio branch has."""
    temporal = network.Temporal()
    for setting in options.set:
        name, value = setting.split("=")
        part, member = name.split(".")
        if part != "temporal" or not hasattr(temporal, member):
            raise SystemExit(f"--set {setting}: expected a member of temporal")
        setattr(temporal, member, type(getattr(temporal, member))(value))
    return network.Parameters(steps=STEPS, sound_width=STACK * coefficients, labels=labels, temporal=temporal)


def optimiser_of(options, module):
    kinds = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    return kinds[options.optimizer](module.parameters(), lr=options.lr, weight_decay=options.weight_decay)


def train(options):
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    splits, labels = read(options.features)
    frames = np.concatenate(splits["train"][0]).astype(np.float64)
    mean, deviation = frames.mean(0).astype(np.float32), frames.std(0).astype(np.float32)
    standard = {split: [(clip - mean) / deviation for clip in mfcc] for split, (mfcc, _) in splits.items()}
    batches = Batches(options, standard["train"], splits["train"][1])
    sound = torch.from_numpy(np.stack([rows(clip) for clip in standard["validation"]]))
    truth = splits["validation"][1]
    module = network.AudioBranch(network_parameters(options, len(mean), len(labels)))
    initialise(module)
    average = None
    if options.averaging > 0:
        average = torch.optim.swa_utils.AveragedModel(
            module, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(options.averaging))
        average.update_parameters(module)  # the first update copies
    optimiser = optimiser_of(options, module)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimiser, mode="max", factor=0.5, patience=options.patience, threshold=1e-4, min_lr=1e-6)
    for epoch in range(1, options.epochs + 1):
        start = time.perf_counter()
        module.train()
        total = 0.0
        for inputs, wanted in batches:
            optimiser.zero_grad()
            loss = F.mse_loss(module(inputs), wanted)
            loss.backward()
            if options.clip > 0:
                nn.utils.clip_grad_norm_(module.parameters(), options.clip)
            optimiser.step()
            total += float(loss.detach()) * len(wanted)
            if average is not None:
                average.update_parameters(module)
        judged = (module if average is None else average).eval()
        with torch.no_grad():
            predictions = torch.cat([judged(part) for part in sound.split(options.batch)]).numpy()
        metric = mean_pearson(truth, predictions)
        report = {
            "epoch": epoch, "loss": total / len(batches.targets), "validation_pearson": metric,
            "learning_rate": optimiser.param_groups[0]["lr"], "seconds": time.perf_counter() - start}
        print(json.dumps(report), flush=True)
        schedule.step(metric)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("features", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=1e-4)
    parser.add_argument("--patience", type=int, default=10)
    parser.add_argument("--optimizer", choices=["adam", "adamw"], default="adam")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    for name in ("weight-decay", "clip", "averaging", "mixup", "noise", "label-noise"):
        parser.add_argument(f"--{name}", type=float, default=0.0)
    for name, value in (("row-shift", 0), ("time-masks", 0), ("time-mask-rows", 4), ("coefficient-masks", 0),
                        ("coefficient-mask-width", 16)):
        parser.add_argument(f"--{name}", type=int, default=value)
    train(parser.parse_args())


main()
