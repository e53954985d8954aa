"""Runs a model by ONNX Runtime and by `eri exec` in turn and prints medians and their ratio.

Each round measures both, one after the other, so that a machine that drifts drifts for both; within a round each runs
once unmeasured, then a few times, and counts with its median. The ratio is the median of the rounds' ratios: single
times depend on the machine and its mood, the ratio much less.
"""
import argparse
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime


def peer(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    # Threads that spin while idle would take the processors from the program measured next.
    options.add_session_config_entry("session.intra_op.allow_spinning", "1")
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("eri", help="the command")
    parser.add_argument("model", help="MODEL.eri")
    parser.add_argument("onnx", help="the same network and weights as MODEL.onnx")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--repeat", type=int, default=3, help="measured runs of each in a round")
    parser.add_argument("--threads", default="1,2", help="thread counts to measure, with commas")
    arguments = parser.parse_args()

    random = np.random.default_rng(0)
    inputs = {
        "faces": random.standard_normal((1, 32, 3, 112, 112), dtype=np.float32),
        "audio": random.standard_normal((1, 32, 1024), dtype=np.float32),
    }
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for name, values in inputs.items():
            np.save(f"{folder}/{name}.npy", values)
            files += ["--input", f"{name}={folder}/{name}.npy"]

        def ours(threads):
            command = [arguments.eri, "exec", arguments.model, *files, "--output-dir", f"{folder}/out"]
            command += ["--threads", str(threads), "--repeat", str(arguments.repeat), "--json"]
            return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["median_ms"]

        def theirs(session):
            session.run(None, inputs)
            times = []
            for _ in range(arguments.repeat):
                start = time.perf_counter()
                session.run(None, inputs)
                times.append((time.perf_counter() - start) * 1e3)
            return statistics.median(times)

        print(f"onnxruntime {onnxruntime.__version__}; medians of {arguments.rounds} rounds of {arguments.repeat}, ms")
        print(f"{'threads':>7} {'eri':>9} {'onnxruntime':>12} {'ratio':>7}   lowest and highest ratio")
        for threads in map(int, arguments.threads.split(",")):
            session = peer(arguments.onnx, threads)
            rounds = []
            for index in range(arguments.rounds):
                # Whoever runs second finds a warmer machine: the order alternates.
                if index % 2 == 0:
                    a = ours(threads)
                    b = theirs(session)
                else:
                    b = theirs(session)
                    a = ours(threads)
                rounds.append((a, b))
            ratios = [a / b for a, b in rounds]
            print(
                f"{threads:>7} {statistics.median(a for a, _ in rounds):>9.1f}"
                f" {statistics.median(b for _, b in rounds):>12.1f} {statistics.median(ratios):>7.3f}"
                f"   {min(ratios):.3f} {max(ratios):.3f}", flush=True)

        expected = session.run(None, inputs)[0]
        found = np.load(Path(folder) / "out/intensities.npy")
        difference = np.abs(found - expected).max() / np.abs(expected).max()
        print(f"largest difference of the intensities, of the largest: {difference:.1e}")
        if not difference <= 1e-4:
            raise SystemExit("expected at most 1e-4: the two do not compute the same network")


main()
