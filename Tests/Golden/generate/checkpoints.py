# requires: numpy torch==2.15.0
"""Small checkpoints of every form that ERIConvert reads from zip archives and pickles, by PyTorch and NumPy.

    run checkpoints.py                writes Tests/Golden/checkpoints: the files and expected.json
    run checkpoints.py --check FILE…  loads files with torch.load(weights_only=True) or numpy.load(allow_pickle=False) and
                                      compares them with FILE.json, where the tests wrote what they put in
"""
import hashlib
import io
import json
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import torch

FOLDER = Path(__file__).resolve().parent.parent / "checkpoints"
warnings.filterwarnings("ignore")


def tensors():
    """One tensor of each kind that matters, from integers, so that nothing depends on a generator."""
    base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4) / 8 - 1
    flat = torch.arange(40, dtype=torch.float32)
    return {
        "float": base,
        "half": base.half(),
        "bfloat": base.bfloat16(),
        "double": base.double(),
        "int64": torch.arange(-3, 3),
        "int32": torch.arange(-3, 3, dtype=torch.int32),
        "int16": torch.arange(-3, 3, dtype=torch.int16),
        "int8": torch.arange(-3, 3, dtype=torch.int8),
        "uint8": torch.arange(250, 256, dtype=torch.uint8),
        "bool": torch.tensor([True, False, True]),
        "scalar": torch.tensor(7),
        "empty": torch.zeros(0, 3),
        "transposed": base.permute(2, 0, 1),
        "transposed half": base.half().permute(1, 2, 0),
        "transposed byte": torch.arange(12, dtype=torch.uint8).reshape(3, 4).t(),
        "transposed double": base.double().transpose(0, 2),
        "expanded": torch.tensor([[1.0], [2.0]]).expand(2, 5),
        "stepped": flat[3:33:3],
        "window": flat[8:20].reshape(3, 4),
        "overlapping": flat.as_strided((4, 3), (2, 1), 5),
        "parameter": torch.nn.Parameter(base[0].clone()),
    }


def nested():
    """A training checkpoint: the model beside its optimizer, counters and lists."""
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    with torch.no_grad():
        for index, value in enumerate(model.state_dict().values()):
            value.copy_(torch.full_like(value, index + 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.5)
    model(torch.arange(12, dtype=torch.float32).reshape(4, 3)).square().sum().backward()
    optimizer.step()
    for state in optimizer.state.values():
        for index, key in enumerate(sorted(state)):
            state[key].fill_(index + 0.5)
    with torch.no_grad():
        for index, value in enumerate(model.state_dict().values()):
            value.copy_(torch.full_like(value, index + 1))
    return {
        "epoch": 3,
        "model_state_dict": model.state_dict(),
        "optimizer_state_dict": optimizer.state_dict(),
        "history": [torch.arange(2), (torch.arange(3), "text")],
        "note": "best",
        1: {"two": torch.ones(1)},
    }


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(2, 3)
        self.norm = torch.nn.BatchNorm1d(3)
        self.register_buffer("table", torch.arange(6).reshape(2, 3).t())
        with torch.no_grad():
            for index, value in enumerate(self.parameters()):
                value.copy_(torch.full_like(value, index + 1))

    def forward(self, x):
        return self.norm(self.linear(x)) + torch.tensor([1.0, 2.0, 3.0])


def code(dtype):
    return str(dtype).removeprefix("torch.")


def describe(name, tensor):
    array = tensor.detach().contiguous()
    raw = array.flatten().view(torch.uint8).numpy().tobytes() if array.numel() else b""
    return {
        "name": name, "dtype": code(tensor.dtype), "shape": list(tensor.shape), "nbytes": len(raw),
        "sha256": hashlib.sha256(raw).hexdigest(),
    }


def walk(value, name=""):
    if isinstance(value, torch.Tensor):
        yield describe(name, value)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from walk(item, f"{name}/{key}" if name else str(key))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from walk(item, f"{name}/{index}" if name else str(index))


def describe_array(name, array):
    raw = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes()
    return {
        "name": name, "dtype": array.dtype.newbyteorder("=").name, "shape": list(array.shape), "nbytes": len(raw),
        "sha256": hashlib.sha256(raw).hexdigest(),
    }


def deflate(source, target):
    """The same archive with every entry deflated."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            entry = zipfile.ZipInfo(info.filename, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, old.read(info))


def big_endian(source, target):
    """The same archive as a big-endian machine writes it."""
    values = torch.load(source, weights_only=True)
    sizes = {str(index): tensor.element_size() for index, tensor in enumerate(values.values())}
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            data = old.read(info)
            folder, _, name = info.filename.partition("/")
            if name == "byteorder":
                data = b"big"
            elif name.startswith("data/"):
                size = sizes[name.removeprefix("data/")]
                data = np.frombuffer(data, f"V{size}").tobytes() if size == 1 else (
                    np.frombuffer(data, f"<u{size}").astype(f">u{size}").tobytes())
            new.writestr(zipfile.ZipInfo(info.filename, (1980, 1, 1, 0, 0, 0)), data)


def save_script(module, path):
    """Without the debugging tables, which hold the paths of whoever saved it; its number of a class differs each time."""
    script = io.BytesIO()
    torch.jit.save(module, script)
    with zipfile.ZipFile(script) as old, zipfile.ZipFile(path, "w") as new:
        for info in old.infolist():
            if not info.filename.endswith(".debug_pkl"):
                new.writestr(zipfile.ZipInfo(info.filename, (1980, 1, 1, 0, 0, 0)), old.read(info))


def generate():
    FOLDER.mkdir(exist_ok=True)
    expected = []

    def keep(name, container, entries):
        expected.append({"file": name, "container": container, "tensors": list(entries)})

    def save(name, value, **options):
        torch.save(value, FOLDER / name, **options)

    def save_legacy(name, value):
        # Storages are called by their addresses, so no two files are alike: one that says the same stays.
        path = FOLDER / name
        if not path.exists() or list(walk(torch.load(path))) != list(walk(value)):
            save(name, value, _use_new_zipfile_serialization=False)

    kinds = tensors()
    save("kinds.pth", kinds)
    keep("kinds.pth", "torch-zip", walk(kinds))
    save_legacy("kinds-legacy.pth", kinds)
    keep("kinds-legacy.pth", "torch-legacy", walk(kinds))
    deflate(FOLDER / "kinds.pth", FOLDER / "kinds-deflated.pth")
    keep("kinds-deflated.pth", "torch-zip", walk(kinds))
    unsigned = {f"uint{bits}": torch.arange(4).to(getattr(torch, f"uint{bits}")) for bits in (16, 32, 64)}
    save("unsigned.pth", unsigned)
    keep("unsigned.pth", "torch-zip", walk(unsigned))
    small = {"weight": torch.arange(6, dtype=torch.float32).reshape(2, 3), "steps": torch.tensor(5)}
    save("small.pth", small)
    keep("small.pth", "torch-zip", walk(small))
    save_legacy("small-legacy.pth", small)
    keep("small-legacy.pth", "torch-legacy", walk(small))
    save("small-protocol4.pth", small, pickle_protocol=4)
    keep("small-protocol4.pth", "torch-zip", walk(small))
    big_endian(FOLDER / "small.pth", FOLDER / "small-big.pth")
    keep("small-big.pth", "torch-zip", walk(small))
    save("lonely.pth", torch.arange(3))
    keep("lonely.pth", "torch-zip", walk(torch.arange(3), "tensor"))
    checkpoint = nested()
    save("nested.pth", checkpoint)
    keep("nested.pth", "torch-zip", walk(checkpoint))
    save_legacy("nested-legacy.pth", checkpoint)
    keep("nested-legacy.pth", "torch-legacy", walk(checkpoint))

    block = Block().eval()
    path = FOLDER / "script.pt"
    if not path.exists() or list(walk(torch.jit.load(path).state_dict())) != list(walk(block.state_dict())):
        save_script(torch.jit.script(block), path)
    keep("script.pt", "torchscript", walk(block.state_dict()))
    # A whole module is code to PyTorch: refused, and with placeholders its tensors have the state dictionary's names.
    # A fresh one: scripting leaves its marks on a module.
    block = Block().eval()
    Block.__module__ = "network"
    sys.modules["network"] = sys.modules[__name__]
    save("module.pth", block)
    keep("module.pth", "torch-zip", walk(block.state_dict()))

    arrays = {
        "float": np.arange(24, dtype="<f4").reshape(2, 3, 4) / 8,
        "fortran": np.asfortranarray(np.arange(24, dtype="<f8").reshape(2, 3, 4)),
        "big": np.arange(6, dtype=">i4").reshape(2, 3),
        "half": np.arange(5, dtype="<f2"),
        "uint16": np.arange(5, dtype="<u2"),
        "bool": np.array([True, False]),
        "scalar": np.array(3),
        "empty": np.zeros((0, 4), "<f4"),
        "a/b": np.arange(3, dtype="i1"),
    }
    for name, write in (("arrays.npz", np.savez), ("arrays-deflated.npz", np.savez_compressed)):
        buffer = io.BytesIO()
        write(buffer, **arrays)
        # NumPy stamps entries with the time of day.
        with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(FOLDER / name, "w") as new:
            for info in old.infolist():
                entry = zipfile.ZipInfo(info.filename, (1980, 1, 1, 0, 0, 0))
                entry.compress_type = info.compress_type
                new.writestr(entry, old.read(info))
        keep(name, "npz", (describe_array(key, value) for key, value in arrays.items()))

    (FOLDER / "expected.json").write_text(
        "[\n" + ",\n".join(json.dumps(item) for item in expected) + "\n]\n")


def check(paths):
    for path in paths:
        expected = json.loads(Path(path + ".json").read_text())
        if path.endswith(".npz"):
            with np.load(path, allow_pickle=False) as archive:
                found = [describe_array(name, archive[name]) for name in archive.files]
        else:
            values = torch.load(path, weights_only=True)
            mapped = torch.load(path, weights_only=True, mmap=True)
            assert all(torch.equal(values[key].view(-1).view(torch.uint8) if values[key].numel() else values[key],
                                   mapped[key].view(-1).view(torch.uint8) if values[key].numel() else mapped[key])
                       for key in values)
            found = [describe(name, value) for name, value in values.items()]
        if found != expected:
            sys.exit(f"{path}: expected {expected}, found {found}")
        print(f"{path}: {len(found)} tensors as written")


if len(sys.argv) > 1 and sys.argv[1] == "--check":
    check(sys.argv[2:])
else:
    generate()
