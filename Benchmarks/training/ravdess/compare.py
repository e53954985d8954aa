"""Trains the audio branch by `eri train audio` and by PyTorch over several seeds in turn, on the same prepared cache.

For each seed both run, one after the other, in an order that alternates, with the same options and threads. Prints each
seed's best mean Pearson on the validation split and the epoch it was reached, the means, their difference, and the time of
the epochs of each. PyTorch's weights and draws are its own: seeds are only names.
"""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def best(lines):
    history = [json.loads(line) for line in lines]
    top = max(history, key=lambda record: record["validation_pearson"] or -1)
    return top["validation_pearson"], top["epoch"], sum(record["seconds"] for record in history)


def ours(arguments, seed, folder):
    log = Path(folder) / f"eri-{seed}.jsonl"
    command = [
        arguments.eri, "train", "audio", "--data", arguments.cache, "--out", f"{folder}/eri-{seed}.eri", "--log", str(log),
        "--seed", str(seed), *arguments.both]
    finished = subprocess.run(command, stdout=subprocess.DEVNULL)
    if finished.returncode != 0:
        raise SystemExit(finished.returncode)
    return best(log.read_text().splitlines())


def theirs(arguments, seed, _):
    command = [arguments.python, str(HERE / "peer.py"), arguments.features, "--seed", str(seed), *arguments.both]
    finished = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if finished.returncode != 0:
        raise SystemExit(finished.returncode)
    return best(finished.stdout.splitlines())


def summary(name, runs, walls):
    scores = [run[0] for run in runs]
    spread = statistics.stdev(scores) if len(scores) > 1 else float("nan")
    error = spread / len(scores) ** 0.5
    print(
        f"{name:<8} mean {statistics.mean(scores):.4f}, deviation {spread:.4f}, standard error of the mean {error:.4f};"
        f" epochs {sum(run[2] for run in runs):.0f} s, whole processes {sum(walls):.0f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("eri", help="the command; `none` leaves PyTorch alone")
    parser.add_argument("python", help="an interpreter that has torch; `none` leaves it out")
    parser.add_argument("cache", help="what `eri prepare` made")
    parser.add_argument("features", help="the cache's MFCC, exported")
    parser.add_argument("--seeds", default="0,1,2,3,4")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=60)
    # What stands after -- are options of both sides.
    words = sys.argv[1:]
    end = words.index("--") if "--" in words else len(words)
    arguments = parser.parse_args(words[:end])
    arguments.both = ["--epochs", str(arguments.epochs), "--threads", str(arguments.threads), *words[end + 1:]]
    sides = {"eri": ours, "PyTorch": theirs}
    if arguments.eri == "none":
        del sides["eri"]
    if arguments.python == "none":
        del sides["PyTorch"]
    runs = {name: [] for name in sides}
    walls = {name: [] for name in sides}
    print(f"audio branch, {' '.join(arguments.both)}: best mean Pearson on the validation split")
    print(f"{'seed':>4} {'':<8} {'Pearson':>8} {'epoch':>6} {'seconds':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for index, seed in enumerate(map(int, arguments.seeds.split(","))):
            for name in list(sides)[::1 if index % 2 == 0 else -1]:
                start = time.perf_counter()
                run = sides[name](arguments, seed, folder)
                walls[name].append(time.perf_counter() - start)
                runs[name].append(run)
                print(f"{seed:>4} {name:<8} {run[0]:>8.4f} {run[1]:>6} {run[2]:>8.1f}", flush=True)
    for name in sides:
        summary(name, runs[name], walls[name])
    if len(sides) == 2:
        means = {name: statistics.mean(run[0] for run in runs[name]) for name in sides}
        totals = {name: sum(walls[name]) for name in sides}
        print(
            f"eri less PyTorch {means['eri'] - means['PyTorch']:+.4f}; time of eri over PyTorch's"
            f" {totals['eri'] / totals['PyTorch']:.2f}")


main()
