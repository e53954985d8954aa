"""Times training steps of `eri train-step` and of PyTorch in turn, and prints medians, ratios and peak memory.

Every side is one process that does a step for each line it is sent, so that a machine that drifts drifts for all of them:
each round has one step of each, in an order that turns. The ratio is the median of the rounds' ratios to PyTorch's quicker
form. Peak memory is VmHWM of the process at its end; a process that has done nothing but import torch is printed beside it.
"""
import argparse
import statistics
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
BATCHES = {"audio": 64, "fusion": 64, "video": 2}
ROUNDS = {"audio": 15, "fusion": 51, "video": 5}
# Threads that spin after a step would take the processors from the next one's.
PAUSE = 0.02


def peak(process):
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1000
    raise SystemExit(f"process {process.pid}: expected VmHWM in its status, found none")


class Side:
    def __init__(self, name, command):
        self.name = name
        self.times = []
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.expect("ready")

    def expect(self, wanted=None):
        line = self.process.stdout.readline().strip()
        if not line or wanted is not None and line != wanted:
            raise SystemExit(f"{self.name}: expected {wanted or 'milliseconds'}, found {line!r}")
        return line

    def step(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.expect())

    def close(self):
        self.megabytes = peak(self.process)
        self.process.stdin.close()
        self.process.stdout.read()
        self.process.wait()


def measure(arguments, network, threads):
    options = ["--batch", str(BATCHES[network]), "--threads", str(threads)]
    peer = [arguments.python, str(HERE / "peer.py"), network, *options]
    sides = [Side("PyTorch", peer), Side("PyTorch tuned", [*peer, "--tuned"])]
    if arguments.eri != "none":
        sides.insert(0, Side("eri", [arguments.eri, "train-step", network, *options]))
    rounds = arguments.rounds or ROUNDS[network]
    for index in range(rounds + 1):
        turn = index % len(sides)
        for side in sides[turn:] + sides[:turn]:
            time.sleep(PAUSE)
            milliseconds = side.step()
            if index > 0:
                side.times.append(milliseconds)
    for side in sides:
        side.close()
    best = min(sides[-2:], key=lambda side: statistics.median(side.times))
    for side in sides:
        ratios = [own / other for own, other in zip(side.times, best.times)]
        print(
            f"{network:>7} {BATCHES[network]:>5} {threads:>7} {rounds:>6}  {side.name:<13}"
            f" {statistics.median(side.times):>9.1f} {min(side.times):>9.1f} {statistics.median(ratios):>6.3f}"
            f"   {min(ratios):.2f} {max(ratios):.2f}  {side.megabytes:>8.0f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("eri", help="the command; `none` leaves PyTorch alone")
    parser.add_argument("python", help="an interpreter that has torch")
    parser.add_argument("--networks", default="audio,fusion,video")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, help="15 for audio, 51 for fusion, 5 for video")
    arguments = parser.parse_args()
    importing = "import torch; print(torch.__version__, flush=True); input()"
    idle = subprocess.Popen([arguments.python, "-c", importing], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    version = idle.stdout.readline().strip()
    print(f"torch {version}, {peak(idle):.0f} MB when imported; one step of each side a round, ms")
    idle.communicate("\n")
    print(
        f"{'network':>7} {'batch':>5} {'threads':>7} {'rounds':>6}  {'side':<13} {'median':>9} {'lowest':>9} {'ratio':>6}"
        f"   {'least, most':<10} {'peak MB':>8}")
    for network in arguments.networks.split(","):
        for threads in map(int, arguments.threads.split(",")):
            measure(arguments, network, threads)


main()
