# requires: numpy==2.4.6 safetensors==0.8.0 onnx==1.23.2 ml_dtypes==0.6.0 mindspore==2.10.0
"""Small safetensors, MindSpore, ONNX and .npy files by the software that they come from, and what they hold.

    run containers.py                writes Tests/Golden/containers: the files and expected.json
    run containers.py --check FILE…  loads .safetensors and .ckpt files and prints each tensor's name, dtype, shape and SHA-256
"""
import hashlib
import json
import sys
from pathlib import Path

import ml_dtypes
import numpy as np

FOLDER = Path(__file__).resolve().parent.parent / "containers"


def arrays():
    """One array of each kind that matters, from integers, so that nothing depends on a generator."""
    base = (np.arange(24, dtype=np.float32).reshape(2, 3, 4) / 8 - 1)
    return {
        "float": base,
        "double": base.astype(np.float64)[0],
        "half": base.astype(np.float16)[1],
        "bfloat": base.astype(ml_dtypes.bfloat16)[0, 0],
        "i64": np.array([-(2**62), -1, 0, 2**62]),
        "i32": np.array([[-(2**31), 2**31 - 1]], dtype=np.int32),
        "i16": np.array([-(2**15), 7], dtype=np.int16),
        "i8": np.array([-128, 127, 3], dtype=np.int8),
        "u64": np.array([2**63 + 5], dtype=np.uint64),
        "u32": np.array([2**32 - 1, 1], dtype=np.uint32),
        "u16": np.array([65535], dtype=np.uint16),
        "u8": np.array([0, 255, 9], dtype=np.uint8),
        "flags": np.array([True, False, True]),
        "scalar": np.array(2.5, dtype=np.float32),
        "empty": np.zeros((0, 3), dtype=np.float32),
    }


def entry(name, dtype, array, shape=None):
    data = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes() if array.dtype.kind != "V" else array.tobytes()
    return {
        "name": name,
        "dtype": dtype,
        "shape": list(array.shape) if shape is None else shape,
        "nbytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def write_safetensors(values):
    import safetensors.numpy

    tags = {
        "float32": "F32", "float64": "F64", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32",
        "int16": "I16", "int8": "I8", "uint64": "U64", "uint32": "U32", "uint16": "U16", "uint8": "U8", "bool": "BOOL",
    }
    data = safetensors.numpy.save(values, metadata={"made": "by safetensors", "quote": "\"é\n"})
    (FOLDER / "kinds.safetensors").write_bytes(data)
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    names = [name for name in header if name != "__metadata__"]
    return "kinds.safetensors", "safetensors", [entry(n, tags[str(values[n].dtype)], values[n]) for n in names]


def write_mindspore(values):
    import mindspore

    tags = {
        "float32": "Float32", "float64": "Float64", "float16": "Float16", "bfloat16": "BFloat16", "int64": "Int64",
        "int32": "Int32", "int16": "Int16", "int8": "Int8", "uint64": "UInt64", "uint32": "UInt32", "uint16": "UInt16",
        "uint8": "UInt8", "bool": "Bool",
    }
    chosen = {name: array for name, array in values.items() if name not in ("empty", "bfloat")}
    chosen["moment1.float"] = values["float"] * 2
    chosen["global_step"] = np.array(12, dtype=np.int32)
    files = []
    for file, checks in (("kinds.ckpt", True), ("plain.ckpt", False)):
        held = chosen if checks else {"float": chosen["float"], "scalar": chosen["scalar"]}
        parameters = [{"name": name, "data": mindspore.Tensor(array)} for name, array in held.items()]
        texts = None if checks else {"text": "un texte"}
        mindspore.save_checkpoint(parameters, str(FOLDER / file), crc_check=checks, append_dict=texts)
        (FOLDER / file).chmod(0o644)
        files.append((file, "mindspore-ckpt", [entry(n, tags[str(a.dtype)], a) for n, a in held.items()]))
    return files


def write_onnx(values):
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    files = []
    raw = [numpy_helper.from_array(array, name) for name, array in values.items()]
    typed = [
        helper.make_tensor(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape, array.flatten().tolist())
        for name, array in values.items()
    ]
    for file, tensors in (("raw.onnx", raw), ("typed.onnx", typed)):
        node = helper.make_node("Relu", ["x"], ["y"])
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3])
        y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3])
        graph = helper.make_graph([node], "g", [x], [y], initializer=tensors)
        model = helper.make_model(graph, producer_name="containers.py", opset_imports=[helper.make_opsetid("", 17)])
        (FOLDER / file).write_bytes(model.SerializeToString(deterministic=True))
        files.append((file, "onnx", [
            entry(t.name, TensorProto.DataType.Name(t.data_type), values[t.name]) for t in tensors]))
    tensors = [numpy_helper.from_array(values[name], name) for name in ("float", "i64")]
    graph = helper.make_graph([node], "g", [x], [y], initializer=tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    onnx.save_model(
        model, str(FOLDER / "external.onnx"), save_as_external_data=True, location="external.data", size_threshold=0)
    (FOLDER / "external.data").chmod(0o644)
    files.append(("external.onnx", "onnx", [
        entry(t.name, TensorProto.DataType.Name(t.data_type), values[t.name]) for t in tensors]))
    return files


def write_npy(values):
    np.save(FOLDER / "array.name.npy", np.asfortranarray(values["double"]))
    return "array.name.npy", "npy", [entry("array.name", "float64", np.ascontiguousarray(values["double"]))]


def check(paths):
    for path in paths:
        if path.endswith(".safetensors"):
            import safetensors

            with open(path, "rb") as file:
                loaded = safetensors.deserialize(file.read())
            found = [(name, t["dtype"], list(t["shape"]), hashlib.sha256(bytes(t["data"])).hexdigest()) for name, t in loaded]
        else:
            import mindspore

            parameters = mindspore.load_checkpoint(path)
            found = [
                (name, str(p.dtype), list(p.shape), hashlib.sha256(p.asnumpy().tobytes()).hexdigest())
                for name, p in parameters.items()
            ]
        for name, dtype, shape, digest in sorted(found):
            print(path, name, dtype, shape, digest)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--check"]:
        check(sys.argv[2:])
    else:
        FOLDER.mkdir(exist_ok=True)
        values = arrays()
        files = [write_safetensors(values), *write_mindspore(values), *write_onnx(values), write_npy(values)]
        expected = [{"file": f, "container": c, "tensors": t} for f, c, t in files]
        (FOLDER / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
