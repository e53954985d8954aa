"""Measures the dual-branch network on one clip by every runtime in turn and prints a table in Markdown.

A round starts every host once for each number of threads: a fresh process that loads the model, computes one clip and then
computes it a few times more. So a round gives a host's latency (the median of those), the time from its start to its first
output, and its peak resident set. Rounds are added to RESULTS, so that a measurement can be made in pieces; the order turns
from round to round. A ratio is the median of the rounds' ratios: the machine drifts, and single times with it.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
MIB = 1 << 20
# The variables by which OpenVINO's and NNCF's tools, and the Hugging Face library that LiteRT's converter brings, leave out reporting
# to their vendors.
SILENT = {"CI": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}


class Host:
    """One row: how a process is started, and what it consists of."""

    def __init__(self, key, name, group, command, model, library, environment=None):
        self.key, self.name, self.group, self.command = key, name, group, command
        self.model, self.library, self.environment = model, library, environment or {}

    def measure(self, threads, repeat):
        started = time.perf_counter()
        process = subprocess.Popen(
            [*self.command, str(threads), str(repeat)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **self.environment})
        sample = {}
        for line in process.stdout:
            words = line.split()
            if not words:
                continue
            if words[0] == "first":
                sample["start"] = (time.perf_counter() - started) * 1e3
                sample["outputs"] = [float(word) for word in words[1:]]
            elif words[0] == "ms":
                sample["latency"] = statistics.median(float(word) for word in words[1:])
            elif words[0] == "peak":
                sample["peak"] = int(words[1]) * 1024
        errors = process.stderr.read()
        if process.wait() != 0 or len(sample) != 4:
            raise RuntimeError((errors.strip().splitlines() or ["no message"])[-1])
        return sample


class OwnHost(Host):
    """eri-run: a process of one run for the start and one of several for the latency."""

    def __init__(self, key, name, group, tool, model, folder, options=()):
        inputs = ["--input", f"faces={folder}/faces.npy", "--input", f"audio={folder}/audio.npy"]
        command = [str(tool), "exec", str(model), *inputs, "--output-dir", f"{folder}/out-{key}", "--json", *options]
        super().__init__(key, name, group, command, [model], [tool])
        self.output = Path(folder) / f"out-{key}" / "intensities.npy"

    def run(self, *options):
        started = time.perf_counter()
        result = subprocess.run([*self.command, *options], capture_output=True, text=True)
        if result.returncode != 0:
            raise RuntimeError(result.stderr.strip())
        return (time.perf_counter() - started) * 1e3, json.loads(result.stdout)

    def measure(self, threads, repeat):
        start, single = self.run("--threads", str(threads))
        _, several = self.run("--threads", str(threads), "--repeat", str(repeat))
        return {
            "start": start, "latency": several["median_ms"],
            "peak": max(single["peak_resident_bytes"], several["peak_resident_bytes"]),
            "outputs": [float(value) for value in np.load(self.output).ravel()],
        }


def package(name, python=sys.executable):
    """The folder of an interpreter's package."""
    find = f"import importlib.util; print(importlib.util.find_spec({name!r}).submodule_search_locations[0])"
    result = subprocess.run([python, "-c", find], capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(f"the package {name} is not installed")
    return Path(result.stdout.strip())


def interpreter(variable, folder, *packages):
    """The Python of packages that want other versions than the rest: the one that VARIABLE names, else an environment of their own."""
    if os.environ.get(variable):
        return os.environ[variable]
    environment = folder / f"venv-{packages[0]}"
    python = environment / "bin/python"
    if not python.exists():
        for command in (
                [sys.executable, "-m", "venv", environment], [python, "-m", "pip", "install", "--quiet", *packages]):
            result = subprocess.run(command, capture_output=True, text=True)
            if result.returncode != 0:
                shutil.rmtree(environment, ignore_errors=True)
                lines = result.stderr.strip().splitlines()
                raise RuntimeError(f"{' '.join(packages)} cannot be installed: {lines[-1] if lines else 'no message'}")
    return python


def converted(kind, folder, suffix, source="model.onnx", python=sys.executable):
    """The path of a peer's model, made unless it is there."""
    target = folder / f"{kind}{suffix}"
    if not target.exists():
        result = subprocess.run(
            [python, HERE / "convert.py", kind, folder / source, target], capture_output=True, text=True,
            env={**os.environ, **SILENT})
        if result.returncode != 0 or not target.exists():
            lines = (result.stderr.strip() or result.stdout.strip()).splitlines()
            raise RuntimeError(f"its model could not be made: {lines[-1] if lines else 'no message'}")
    return target


def compiled(source, folder, *options):
    """The path of a host in C or C++, made anew."""
    source = HERE / source
    target = folder / source.stem
    command = ["c++" if source.suffix == ".cpp" else "cc", "-O2", "-o", target, source, *options]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(f"its host does not compile: {result.stderr.strip().splitlines()[-1]}")
    return target


def onnxruntime_c(key, folder, raw, model, group, name):
    library = next((package("onnxruntime") / "capi").glob("libonnxruntime.so.*"))
    host = compiled("onnxruntime_host.c", folder, "-ldl")
    return Host(key, name, group, [host, model, *raw], [model], [library], {"ORT_LIBRARY": str(library)})


def openvino_c(key, folder, raw, model, group, name):
    wheel = package("openvino")
    libraries = [
        next((wheel / "libs").glob(pattern)) for pattern in (
            "libopenvino.so.*", "libopenvino_c.so.*", "libopenvino_intel_cpu_plugin.so", "libopenvino_ir_frontend.so.*",
            "libtbb.so.*")
    ]
    host = compiled(
        "openvino_host.c", folder, f"-I{wheel}/include", libraries[1], f"-Wl,-rpath,{wheel}/libs",
        f"-Wl,-rpath-link,{wheel}/libs")
    return Host(key, name, group, [host, model, *raw], [model, model.with_suffix(".bin")], libraries)


def mnn(key, folder, raw, model, group, name):
    library = next(package("MNN").parent.glob("_mnncengine*.so"))
    return Host(key, name, group, [sys.executable, HERE / "host.py", "mnn", model, *raw], [model], [library])


def ncnn(folder, raw):
    wheel = package("ncnn")
    libraries = [next(wheel.glob("ncnn*.so")), *wheel.with_name("ncnn.libs").glob("libgomp*")]
    model = converted("ncnn", folder, "", "weights")
    return Host(
        "ncnn", "ncnn, Python, frame by frame", "fp32", [sys.executable, HERE / "host.py", "ncnn", model, *raw],
        sorted(model.iterdir()), libraries)


def litert(key, folder, raw, name, group):
    python = interpreter("ERI_LITERT_PYTHON", folder, "litert-torch", "ai-edge-litert")
    library = package("ai_edge_litert", python) / "libpywrap_litert_common.so"
    model = converted("litert", folder, ".tflite", "weights", python)
    if key == "litert-int8":
        model = converted(key, folder, ".tflite", model.name, python)
    return Host(key, name, group, [python, HERE / "host.py", "litert", model, *raw], [model], [library])


def executorch(folder, raw):
    python = interpreter("ERI_EXECUTORCH_PYTHON", folder, "executorch", "torch")
    wheel = package("executorch", python)
    names = ("executorch_backend_xnnpack", "executorch_kernels_optimized", "executorch_threadpool", "executorch")
    host = compiled(
        "executorch_host.cpp", folder, "-std=c++17", "-DC10_USING_CUSTOM_GENERATED_MACROS", "-DET_EVENT_TRACER_ENABLED",
        "-DET_USE_THREADPOOL", f"-I{wheel}/include", f"-I{wheel}/include/executorch/runtime/core/portable_type/c10",
        f"-L{wheel}/lib", f"-Wl,-rpath,{wheel}/lib", "-Wl,--no-as-needed", *(f"-l{name}" for name in names))
    model = converted("executorch", folder, ".pte", "weights", python)
    return Host(
        "executorch", "ExecuTorch (XNNPACK), C++ host", "fp32", [host, model, *raw], [model],
        [wheel / f"lib/lib{name}.so" for name in names])


def tract(folder, raw):
    library = next(package("tract").glob("tract*.so"))
    model = folder / "model.onnx"
    return Host(
        "tract", "tract, Python, one thread always", "fp32", [sys.executable, HERE / "host.py", "tract", model, *raw],
        [model], [library])


def bits():
    """What docs/quantization.md advises: 7 on x86-64 without 8-bit dot products, 8 elsewhere."""
    flags = set(Path("/proc/cpuinfo").read_text().split())
    return "7" if "avx2" in flags and flags.isdisjoint({"avx512_vnni", "avx_vnni"}) else "8"


def hosts(arguments, folder):
    """All rows that can be measured, by key, and why others cannot."""
    raw = [folder / "faces.raw", folder / "audio.raw"]
    plain = folder / "model.onnx"
    made, absent = {}, {}

    def add(key, make):
        if arguments.peers and key not in arguments.peers and key != "eri":
            return
        try:
            made[key] = make()
        except Exception as error:  # Whatever keeps a peer from being measured is printed.
            absent[key] = str(error)

    def own_int8(key, name, *options):
        model = folder / f"quantized-{bits()}.eri"
        listed = subprocess.run([arguments.eri, "--help"], capture_output=True, text=True).stdout
        if "  quantize " not in listed:
            raise RuntimeError("this eri has no quantize yet")
        if not model.exists():
            # One clip, as a folder of its inputs' arrays.
            calibration = folder / "calibration"
            calibration.mkdir(exist_ok=True)
            for part in ("faces", "audio"):
                (calibration / f"{part}.npy").write_bytes((folder / f"{part}.npy").read_bytes())
            command = [
                arguments.eri, "quantize", folder / "model.eri", model, "--calibrate", calibration, "--bits", bits()]
            result = subprocess.run(command, capture_output=True, text=True)
            if result.returncode != 0:
                raise RuntimeError(result.stderr.strip())
        return OwnHost(key, f"{name}, `quantize --bits {bits()}`", "int8", arguments.tool, model, folder, options)

    add("eri", lambda: OwnHost("eri", "ERI, `eri-run`", "fp32", arguments.tool, folder / "model.eri", folder))
    add("eri-low", lambda: OwnHost(
        "eri-low", "ERI, `eri-run --memory low`", "fp32", arguments.tool, folder / "model.eri", folder,
        ("--memory", "low")))
    add("onnxruntime", lambda: onnxruntime_c("onnxruntime", folder, raw, plain, "fp32", "ONNX Runtime, C host"))
    add("onnxruntime-python", lambda: Host(
        "onnxruntime-python", "ONNX Runtime, Python", "fp32",
        [sys.executable, HERE / "host.py", "onnxruntime", plain, *raw], [plain], []))
    add("openvino", lambda: openvino_c(
        "openvino", folder, raw, converted("openvino", folder, ".xml"), "fp32", "OpenVINO, C host"))
    add("mnn", lambda: mnn("mnn", folder, raw, converted("mnn", folder, ".mnn"), "fp32", "MNN, Python"))
    add("ncnn", lambda: ncnn(folder, raw))
    add("litert", lambda: litert("litert", folder, raw, "LiteRT (XNNPACK), Python", "fp32"))
    add("executorch", lambda: executorch(folder, raw))
    add("tract", lambda: tract(folder, raw))
    add("eri-int8", lambda: own_int8("eri-int8", "ERI, `eri-run`"))
    add("eri-low-int8", lambda: own_int8("eri-low-int8", "ERI, `eri-run --memory low`", "--memory", "low"))
    add("onnxruntime-int8", lambda: onnxruntime_c(
        "onnxruntime-int8", folder, raw, converted("onnxruntime-int8", folder, ".onnx"), "int8",
        "ONNX Runtime static QDQ, C host"))
    add("openvino-int8", lambda: openvino_c(
        "openvino-int8", folder, raw, converted("openvino-int8", folder, ".xml"), "int8", "OpenVINO NNCF, C host"))
    add("mnn-int8", lambda: mnn(
        "mnn-int8", folder, raw, converted("mnn-int8", folder, ".mnn"), "int8", "MNN 8-bit weights, Python"))
    add("litert-int8", lambda: litert("litert-int8", folder, raw, "LiteRT (XNNPACK) static, Python", "int8"))
    return made, absent


def inputs(folder):
    """The clip, as .npy for ours and raw for the others."""
    random = np.random.default_rng(0)
    for name, shape in (("faces", (1, 32, 3, 112, 112)), ("audio", (1, 32, 1024))):
        values = random.standard_normal(shape, dtype=np.float32)
        np.save(folder / f"{name}.npy", values)
        values.tofile(folder / f"{name}.raw")


def size(paths):
    return sum(Path(path).stat().st_size for path in paths) / MIB


def median(values):
    return statistics.median(values) if values else None


def ratio(results, key, threads, what):
    """Ours over the peer's, over rounds that have both."""
    own = "eri-int8" if results["hosts"][key]["group"] == "int8" else "eri"
    pairs = [
        (round["samples"][f"{own} {threads}"][what], round["samples"][f"{key} {threads}"][what])
        for round in results["rounds"]
        if f"{own} {threads}" in round["samples"] and f"{key} {threads}" in round["samples"]
    ]
    return median([ours / theirs for ours, theirs in pairs])


def table(results):
    """The rows in Markdown."""
    threads = results["threads"]

    def cells(key, what, form):
        texts = []
        for count in threads:
            values = [
                round["samples"][f"{key} {count}"][what] for round in results["rounds"]
                if f"{key} {count}" in round["samples"]
            ]
            texts.append(form(median(values)) if values else "–")
        return " / ".join(texts)

    def ratios(key, what):
        if key.startswith("eri"):
            return ""
        found = [ratio(results, key, count, what) for count in threads]
        return " / ".join("–" if value is None else f"{value:.2f}" for value in found)

    counts = " / ".join(str(count) for count in threads)
    lines = [
        f"| one clip, {counts} threads | latency ms | ours to it | peak MiB | ours to it | start to first output ms | "
        "ours to it | model MiB | runtime MiB | difference |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    reference = None
    for group in ("fp32", "int8"):
        lines.append(f"| **{group}** | | | | | | | | | |")
        for key, host in results["hosts"].items():
            if host["group"] != group:
                continue
            outputs = next(
                (sample["outputs"] for round in results["rounds"] for name, sample in round["samples"].items()
                 if name.split(" ")[0] == key), None)
            if outputs is None:
                lines.append(f"| {host['name']} | not measured | | | | | | | | |")
                continue
            if key == "eri":
                reference = outputs
            difference = max(abs(a - b) for a, b in zip(outputs, reference)) if reference else None
            lines.append(
                f"| {host['name']} | {cells(key, 'latency', lambda v: f'{v:.0f}')} | {ratios(key, 'latency')} "
                f"| {cells(key, 'peak', lambda v: f'{v / MIB:.0f}')} | {ratios(key, 'peak')} "
                f"| {cells(key, 'start', lambda v: f'{v:.0f}')} | {ratios(key, 'start')} "
                f"| {host['model']:.2f} | {format(host['library'], '.1f') if host['library'] else ''} "
                f"| {'' if key == 'eri' or difference is None else f'{difference:.1e}'} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path, help="a folder with model.eri and model.onnx, of one network")
    parser.add_argument("--eri", required=True, help="the workstation's tool")
    parser.add_argument("--tool", required=True, type=Path, help="the device tool that is measured")
    parser.add_argument("--results", type=Path, help="where rounds are added; default: WORK/results.json")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--repeat", type=int, default=3, help="measured runs of each process")
    parser.add_argument("--threads", default="1,2", help="numbers of threads, with commas")
    parser.add_argument("--peers", help="rows to measure beside our own, with commas; default: all")
    arguments = parser.parse_args()
    arguments.peers = arguments.peers.split(",") if arguments.peers else None
    threads = [int(count) for count in arguments.threads.split(",")]
    path = arguments.results or arguments.work / "results.json"
    if not (arguments.work / "faces.raw").exists():
        inputs(arguments.work)
    made, absent = hosts(arguments, arguments.work)
    results = {"threads": threads, "hosts": {}, "rounds": []}
    if path.exists():
        results = json.loads(path.read_text())
    for key, host in made.items():
        results["hosts"][key] = {
            "name": host.name, "group": host.group, "model": size(host.model), "library": size(host.library)}

    keys = list(made)
    for index in range(arguments.rounds):
        turn = index % max(1, len(keys))
        samples = {}
        for key in keys[turn:] + keys[:turn]:
            for count in threads:
                try:
                    samples[f"{key} {count}"] = made[key].measure(count, arguments.repeat)
                except RuntimeError as error:
                    absent[key] = str(error)
        results["rounds"].append({"samples": samples})
        path.write_text(json.dumps(results))
        print(f"round {index + 1} of {arguments.rounds}", file=sys.stderr, flush=True)

    rounds = len(results["rounds"])
    print(f"Medians of {rounds} rounds of {arguments.repeat} runs.\n")
    print(table(results))
    print()
    for key, reason in absent.items():
        print(f"- {key}: not measured: {reason}")


main()
