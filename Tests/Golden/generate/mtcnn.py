# requires: numpy torch==2.15.0
"""MTCNN's three networks by PyTorch.

    run mtcnn.py                            writes Tests/Golden/networks/mtcnn-p, -r and -o (weights and images drawn)
    run mtcnn.py --files CHECKPOINTS DIR    writes what facenet-pytorch's files in CHECKPOINTS give into DIR

The layers are those of Zhang et al. 2016 with facenet-pytorch's names: its files load into these modules as they are.
"""
import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent))
import seeded  # noqa: E402
from dual_branch import fan_in, perturbed  # noqa: E402


def rectified(module, index, inputs, outputs, kernel):
    setattr(module, f"conv{index}", nn.Conv2d(inputs, outputs, kernel))
    setattr(module, f"prelu{index}", nn.PReLU(outputs))


class Stage(nn.Module):
    def rectify(self, x, index):
        return getattr(self, f"prelu{index}")(getattr(self, f"conv{index}")(x))

    @staticmethod
    def pool(x, kernel):
        return nn.functional.max_pool2d(x, kernel, 2, ceil_mode=True)

    @staticmethod
    def flat(x):
        return x.permute(0, 3, 2, 1).reshape(x.shape[0], -1)


class Proposal(Stage):
    size = (21, 28)

    def __init__(self):
        super().__init__()
        rectified(self, 1, 3, 10, 3)
        rectified(self, 2, 10, 16, 3)
        rectified(self, 3, 16, 32, 3)
        self.conv4_1 = nn.Conv2d(32, 2, 1)
        self.conv4_2 = nn.Conv2d(32, 4, 1)

    def forward(self, x):
        x = self.rectify(self.rectify(self.pool(self.rectify(x, 1), 2), 2), 3)
        return {"probability": self.conv4_1(x).softmax(1), "box": self.conv4_2(x)}


class Refinement(Stage):
    size = (24, 24)

    def __init__(self):
        super().__init__()
        rectified(self, 1, 3, 28, 3)
        rectified(self, 2, 28, 48, 3)
        rectified(self, 3, 48, 64, 2)
        self.dense4 = nn.Linear(576, 128)
        self.prelu4 = nn.PReLU(128)
        self.dense5_1 = nn.Linear(128, 2)
        self.dense5_2 = nn.Linear(128, 4)

    def forward(self, x):
        x = self.pool(self.rectify(self.pool(self.rectify(x, 1), 3), 2), 3)
        x = self.prelu4(self.dense4(self.flat(self.rectify(x, 3))))
        return {"probability": self.dense5_1(x).softmax(1), "box": self.dense5_2(x)}


class Output(Stage):
    size = (48, 48)

    def __init__(self):
        super().__init__()
        rectified(self, 1, 3, 32, 3)
        rectified(self, 2, 32, 64, 3)
        rectified(self, 3, 64, 64, 3)
        rectified(self, 4, 64, 128, 2)
        self.dense5 = nn.Linear(1152, 256)
        self.prelu5 = nn.PReLU(256)
        self.dense6_1 = nn.Linear(256, 2)
        self.dense6_2 = nn.Linear(256, 4)
        self.dense6_3 = nn.Linear(256, 10)

    def forward(self, x):
        x = self.pool(self.rectify(self.pool(self.rectify(x, 1), 3), 2), 3)
        x = self.rectify(self.pool(self.rectify(x, 3), 2), 4)
        x = self.prelu5(self.dense5(self.flat(x)))
        return {"probability": self.dense6_1(x).softmax(1), "box": self.dense6_2(x), "points": self.dense6_3(x)}


STAGES = {"mtcnn-p": (Proposal, "pnet"), "mtcnn-r": (Refinement, "rnet"), "mtcnn-o": (Output, "onet")}


def drawn_weights(module, seed):
    """PyTorch's defaults, each tensor from its own stream, then vectors moved off the values they start at."""
    state = module.state_dict()
    weights = {}
    for name, value in state.items():
        if name.startswith("prelu"):
            weights[name] = np.full(tuple(value.shape), 0.25, np.float32)
        else:
            weights[name] = seeded.uniform_weight(seed, name, tuple(value.shape), fan_in(name, state))
    return {name: torch.from_numpy(values) for name, values in perturbed(weights, seed).items()}


def images(count, size):
    """Pixels drawn from 0 to 255 and prepared as MTCNN takes them; every step is exact in float32."""
    random = seeded.SeededRandom(11, "image")
    shape = (count, 3) + size
    pixels = [float(int(random.uniform() * 256)) for _ in range(int(np.prod(shape)))]
    return torch.from_numpy(((np.array(pixels, np.float32) - 127.5) / 128).reshape(shape))


def write(folder, module, count):
    folder.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        found = module.eval()(images(count, module.size))
    for name, values in found.items():
        np.save(folder / f"{name}.npy", np.ascontiguousarray(values.numpy().astype("<f4")))
        print(f"{folder.name}/{name} {list(values.shape)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", nargs=2, type=Path, metavar=("CHECKPOINTS", "DIR"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    networks = Path(__file__).resolve().parent.parent / "networks"
    for name, (kind, file) in STAGES.items():
        module = kind()
        if arguments.files is None:
            module.load_state_dict(drawn_weights(module, 7))
            write(networks / name, module, 2)
        else:
            checkpoints, folder = arguments.files
            module.load_state_dict(torch.load(checkpoints / f"facenet_{file}.pt", weights_only=True))
            write(folder / name, module, 16)


if __name__ == "__main__":
    main()
