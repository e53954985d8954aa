# requires: numpy==2.4.6 onnx==1.23.2 ml_dtypes==0.6.0
"""ONNX's own backend tests through `eri convert` and `eri exec`, and a table of what passed by operator.

    run [--only OPERATOR|REGEX] [--list-failures] [--list-unsupported] [--jobs N] [--require PERCENT] [--keep DIR]

The cases are the node cases of onnx.backend.test.case.node and the models of its folders simple, light, pytorch-operator and
pytorch-converted. Outputs are compared as ONNX's own runner does: shapes and types exactly, values within the case's tolerances. A
case is "not supported" where the tool refuses it with exit 3; every other refusal is a failure. The share at the end is of the cases
whose operators are not control flow, sequence, string, random or training ones.

.npy has no bfloat16, float8 or int4: inputs and outputs of these types become float32 with a Cast behind or before them, which
changes no value of theirs; a result that the type could not hold is a failure.
"""
import argparse
import collections
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

warnings.filterwarnings("ignore")
ERI = os.environ.get("ERI", ".build/release/eri")

WRAPPED = {
    TensorProto.BFLOAT16: ml_dtypes.bfloat16,
    TensorProto.FLOAT8E4M3FN: ml_dtypes.float8_e4m3fn,
    TensorProto.FLOAT8E4M3FNUZ: ml_dtypes.float8_e4m3fnuz,
    TensorProto.FLOAT8E5M2: ml_dtypes.float8_e5m2,
    TensorProto.FLOAT8E5M2FNUZ: ml_dtypes.float8_e5m2fnuz,
    TensorProto.INT4: ml_dtypes.int4,
    TensorProto.UINT4: ml_dtypes.uint4,
}
CONTROL_FLOW = {"If", "Loop", "Scan"}
STRING = {"StringConcat", "StringNormalizer", "StringSplit", "RegexFullMatch"}
RANDOM = {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Bernoulli", "Multinomial"}


class Case:
    def __init__(self, name, model, data, operator, rtol, atol):
        self.name, self.model, self.data, self.operator = name, model, data, operator
        self.rtol, self.atol = rtol, atol


# --- What there is ---


def node_cases():
    from onnx.backend.test.case.node import collect_testcases

    cases = list(collect_testcases(None))
    single = {c.name: c.model.graph.node[0].op_type for c in cases if len(c.model.graph.node) == 1}
    for case in cases:
        operator = single.get(case.name)
        if "_expanded" in case.name:
            operator = single.get(case.name.split("_expanded")[0], operator)
        yield Case(case.name, case.model, case.data_sets, operator or "(several)", case.rtol, case.atol)


def folder_cases(kind):
    from onnx.backend.test.loader import load_model_tests

    for test in load_model_tests(kind=kind):
        folder = Path(test.model_dir)
        model = onnx.load(folder / "model.onnx")
        data = []
        for set_folder in sorted(folder.glob("test_data_set*")):
            pair = []
            for what, infos in (("input", model.graph.input), ("output", model.graph.output)):
                files = [set_folder / f"{what}_{i}.pb" for i in range(len(list(set_folder.glob(f"{what}_*.pb"))))]
                pair.append([load(file, info) for file, info in zip(files, infos)])
            data.append(tuple(pair))
        yield Case(test.name, model, data, f"({kind})", test.rtol, test.atol)


def load(file, info):
    message = {"sequence_type": onnx.SequenceProto, "optional_type": onnx.OptionalProto}.get(
        info.type.WhichOneof("value"), TensorProto)()
    message.ParseFromString(file.read_bytes())
    return numpy_helper.to_array(message) if isinstance(message, TensorProto) else None


def light_cases():
    from onnx.backend.test.loader import load_model_tests

    folder = Path(onnx.__file__).parent / "backend/test/data/light"
    for test in load_model_tests(kind="real"):
        path = folder / Path(test.url).name
        model = onnx.load(path)
        given = {tensor.name for tensor in model.graph.initializer}
        inputs = []
        for info in model.graph.input:
            if info.name in given:
                continue
            # As onnx.backend.test.runner makes them.
            shape = tuple(d.dim_value if d.HasField("dim_value") else 1 for d in info.type.tensor_type.shape.dim)
            count = np.prod(shape)
            inputs.append((np.arange(count).reshape(shape) / count).astype(np.float32))
        outputs = []
        for index in range(len(model.graph.output)):
            message = TensorProto()
            message.ParseFromString((folder / f"{path.stem}_output_{index}.pb").read_bytes())
            outputs.append(numpy_helper.to_array(message))
        yield Case(test.name, model, [(inputs, outputs)], "(light)", test.rtol, test.atol)


# --- What the issue leaves out ---


def every_node(model):
    pending = [model.graph.node, *(f.node for f in model.functions)]
    while pending:
        for node in pending.pop():
            yield node
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    pending.append(attribute.g.node)
                pending.extend(graph.node for graph in attribute.graphs)


def every_type(model):
    for info in [*model.graph.input, *model.graph.output, *model.graph.value_info]:
        yield info.type
    for tensor in model.graph.initializer:
        yield helper.make_tensor_type_proto(tensor.data_type, tensor.dims)


def left_out(case):
    """Why the case is none of those that the share counts, or None."""
    nodes = list(every_node(case.model))
    types = [node.op_type for node in nodes]
    kinds = {t.WhichOneof("value") for t in every_type(case.model)}
    if CONTROL_FLOW.intersection(types):
        return "control flow"
    if kinds & {"sequence_type", "optional_type"} or any("Sequence" in t or t.startswith("Optional") for t in types):
        return "sequence"
    strings = any(t.tensor_type.elem_type == TensorProto.STRING for t in every_type(case.model))
    if strings or STRING.intersection(types):
        return "string"
    if RANDOM.intersection(types):
        return "random"
    if any(node.domain == "ai.onnx.preview.training" for node in nodes):
        return "training"
    for node in nodes:
        if any(a.name == "training_mode" and a.i for a in node.attribute):
            return "training"
        if node.op_type == "Dropout" and len(node.input) > 2 and node.input[2]:
            names = [info.name for info in case.model.graph.input]
            if node.input[2] not in names or case.data[0][0][names.index(node.input[2])]:
                return "training"
    return None


# --- Running ---


def wrapped(case):
    """The model with float32 in place of types that .npy lacks, or a reason why it cannot be run."""
    graph = case.model.graph
    infos = [*graph.input, *graph.output]
    types = {info.name: info.type.tensor_type.elem_type for info in infos if info.type.HasField("tensor_type")}
    if not any(t in WRAPPED for t in types.values()):
        return case.model, {}
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    graph = model.graph
    if not any(o.domain in ("", "ai.onnx") for o in model.opset_import):
        model.opset_import.append(helper.make_opsetid("", 21))
    given = {tensor.name for tensor in graph.initializer}
    rename = {}
    before, after = [], []
    for info in graph.input:
        if info.name in given or types.get(info.name) not in WRAPPED:
            continue
        rename[info.name] = info.name + "__typed"
        attributes = {"to": types[info.name]}
        if WRAPPED[types[info.name]] not in (ml_dtypes.bfloat16, ml_dtypes.int4, ml_dtypes.uint4):
            attributes["saturate"] = 0
        before.append(helper.make_node("Cast", [info.name], [rename[info.name]], **attributes))
        info.type.tensor_type.elem_type = TensorProto.FLOAT
    for info in graph.output:
        if types.get(info.name) not in WRAPPED:
            continue
        rename[info.name] = info.name + "__typed"
        after.append(helper.make_node("Cast", [rename[info.name]], [info.name], to=TensorProto.FLOAT))
        info.type.tensor_type.elem_type = TensorProto.FLOAT
    for node in graph.node:
        node.input[:] = [rename.get(n, n) for n in node.input]
        node.output[:] = [rename.get(n, n) for n in node.output]
    nodes = [*before, *graph.node, *after]
    del graph.node[:]
    graph.node.extend(nodes)
    return model, types


def call(*arguments):
    result = subprocess.run([ERI, *map(str, arguments)], capture_output=True, text=True, errors="replace")
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    return result.returncode, (lines or [""])[-1]


def run(case, folder):
    """("passed" | "failed" | "not supported", why)."""
    try:
        model, types = wrapped(case)
        path = folder / "model.onnx"
        path.write_bytes(model.SerializeToString())
        code, message = call("convert", path, folder / "model.eri", "--level", 1, "--threads", 1)
        message = message.replace(f"{folder}/", "")
        if code == 3:
            return "not supported", message
        if code != 0:
            return "failed", f"convert, exit {code}: {message}"
        given = {tensor.name for tensor in model.graph.initializer}
        names = [info.name for info in model.graph.input if info.name not in given]
        for number, (inputs, expected) in enumerate(case.data):
            arguments = []
            if len(inputs) != len(names):
                names = [info.name for info in model.graph.input][: len(inputs)]
            for index, (name, value) in enumerate(zip(names, inputs)):
                if isinstance(value, TensorProto):
                    value = numpy_helper.to_array(value)
                if value is None:
                    continue
                value = np.asarray(value)
                if types.get(name) in WRAPPED:
                    value = value.astype(np.float32)
                np.save(folder / f"in{number}_{index}.npy", value)
                arguments += ["--input", f"{name}={folder}/in{number}_{index}.npy"]
            out = folder / f"out{number}"
            code, message = call("exec", folder / "model.eri", *arguments, "--output-dir", out)
            message = message.replace(f"{folder}/", "")
            if code == 3:
                return "not supported", message
            if code != 0:
                return "failed", f"exec, exit {code}: {message}"
            for info, reference in zip(model.graph.output, expected):
                compare(case, info.name, reference, np.load(out / (info.name.replace("/", "_") + ".npy")), types)
        return "passed", ""
    except AssertionError as error:
        return "failed", " ".join(str(error).split())[:300]
    except Exception as error:  # a case that the harness itself cannot run is a failure, not a stop
        return "failed", f"{type(error).__name__}: {error}"[:300]


def compare(case, name, reference, found, types):
    if isinstance(reference, TensorProto):
        reference = numpy_helper.to_array(reference)
    reference = np.asarray(reference)
    rtol = case.rtol
    kind = WRAPPED.get(types.get(name))
    if kind is not None:
        assert reference.dtype == kind, f"{name}: expected {reference.dtype}, found {np.dtype(kind)}"
        held = found.astype(kind).astype(np.float32)
        assert np.array_equal(held, found, equal_nan=True), f"{name}: expected values of {np.dtype(kind)}, found others"
        reference = reference.astype(np.float32)
        if kind is ml_dtypes.bfloat16:
            rtol = max(rtol, 2**-6)
    assert found.shape == reference.shape, f"{name}: expected shape {reference.shape}, found {found.shape}"
    assert found.dtype == reference.dtype, f"{name}: expected {reference.dtype}, found {found.dtype}"
    np.testing.assert_allclose(found, reference, rtol=rtol, atol=case.atol, err_msg=name)


def reason(message, excluded):
    """A short reason for a refusal."""
    if excluded:
        return excluded
    operators = re.findall(r"(?:found |, )([\w.]+) \((\d+) nodes?(?:, ([^)]*))?\)", message)
    if operators:
        return "operator " + ", ".join(sorted({n + (f" ({d})" if d else "") for n, _, d in operators}))
    if "nodes)" in message or "(FLOAT" in message or "found FLOAT" in message or re.search(r"\((U?INT2|FLOAT\w+)\)", message):
        return "type"
    return message.split(": ", 1)[-1][:120]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", help="cases of this operator, or whose name or operator matches")
    parser.add_argument("--list-failures", action="store_true", help="print each failed case and why")
    parser.add_argument("--list-unsupported", action="store_true", help="print each refused case and why")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--require", type=float, default=0, help="exit 1 if the share is below so many percent")
    parser.add_argument("--keep", help="keep each case's files below this folder")
    options = parser.parse_args()

    cases = [*node_cases(), *folder_cases("simple"), *light_cases()]
    cases += [*folder_cases("pytorch-operator"), *folder_cases("pytorch-converted")]
    if options.only:
        pattern = re.compile(options.only)
        exact = [case for case in cases if case.operator == options.only]
        cases = exact or [c for c in cases if pattern.search(c.name) or pattern.search(c.operator)]
    root = Path(options.keep or tempfile.mkdtemp(prefix="eri-onnx-"))
    results = []

    def one(case):
        folder = root / case.name
        folder.mkdir(parents=True, exist_ok=True)
        excluded = left_out(case)
        outcome, why = run(case, folder)
        if not options.keep:
            shutil.rmtree(folder)
        return case, excluded, outcome, why

    try:
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for index, result in enumerate(pool.map(one, cases)):
                results.append(result)
                if sys.stderr.isatty():
                    print(f"\r{index + 1}/{len(cases)}", end="", file=sys.stderr)
    finally:
        if not options.keep:
            shutil.rmtree(root, ignore_errors=True)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return report(results, options)


def report(results, options):
    table = collections.defaultdict(collections.Counter)
    reasons = collections.Counter()
    for case, excluded, outcome, why in results:
        table[case.operator][outcome] += 1
        if outcome == "not supported":
            why = reason(why, excluded)
            reasons[why] += 1
            table[case.operator][why] += 1
    print(f"{'operator':32} {'passed':>7} {'failed':>7} {'refused':>8}  why refused")
    for operator in sorted(table, key=str.lower):
        row = table[operator]
        others = [k for k in row if k not in ("passed", "failed", "not supported")]
        print(
            f"{operator:32} {row['passed']:7} {row['failed']:7} {row['not supported']:8}  {'; '.join(sorted(others))}".rstrip())
    print("\nnot supported, by reason:")
    for why, count in reasons.most_common():
        print(f"{count:6}  {why}")
    if options.list_failures or options.list_unsupported:
        for title, wanted, outcome in (
            ("failed", options.list_failures, "failed"),
            ("not supported", options.list_unsupported, "not supported"),
        ):
            if wanted:
                print(f"\n{title}:")
                for case, _, found, why in results:
                    if found == outcome:
                        print(f"  {case.name} ({case.operator}): {why}")
    totals = collections.Counter(outcome for _, _, outcome, _ in results)
    print(f"\n{len(results)} cases: {totals['passed']} passed, {totals['failed']} failed, {totals['not supported']} not supported")
    for title, chosen in (
        ("node cases", [r for r in results if not r[0].operator.startswith("(") or r[0].operator == "(several)"]),
        ("all cases", results),
    ):
        demanded = [r for r in chosen if r[1] is None]
        passed = sum(1 for r in demanded if r[2] == "passed")
        share = 100 * passed / max(1, len(demanded))
        print(
            f"{title} without control flow, sequence, string, random and training operators: "
            f"{passed} of {len(demanded)} passed, {share:.1f} %")
    return 1 if share < options.require else 0


if __name__ == "__main__":
    sys.exit(main())
