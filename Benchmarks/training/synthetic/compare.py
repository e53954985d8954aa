"""compare.py LABELS AUDIO VIDEO FUSION: mean Pearson of three files of predictions, with bootstrap intervals.

LABELS is the dataset's data_info.csv. Chance is the fusion's predictions dealt to the wrong clips. The last line is how much
fusion is above the better of the other two, drawn again together: an interval above 0 is a gain.
"""
import csv
import random
import sys

DRAWS = 1000
NAMES = ("audio", "video", "fusion")


def rows(path):
    with open(path, newline="") as file:
        return {row["File_ID"].strip("[]"): row for row in csv.DictReader(file)}


def pearson(truth, predictions):
    count = len(truth)
    a, b = sum(truth) / count, sum(predictions) / count
    xy = sum((x - a) * (y - b) for x, y in zip(truth, predictions))
    xx, yy = sum((x - a) ** 2 for x in truth), sum((y - b) ** 2 for y in predictions)
    return xy / (xx * yy) ** 0.5 if xx * yy > 0 else 0.0


def each_pearson(truth, predictions, clips):
    return [pearson([t[c] for c in clips], [p[c] for c in clips]) for t, p in zip(truth, predictions)]


def mean(values):
    return sum(values) / len(values)


def interval(values):
    values = sorted(values)
    return f"{values[int(0.025 * len(values))]:+.3f} to {values[int(0.975 * len(values))]:+.3f}"


def main():
    if len(sys.argv) != 5:
        raise SystemExit("usage: compare.py LABELS AUDIO VIDEO FUSION")
    labelled = rows(sys.argv[1])
    found = {name: rows(path) for name, path in zip(NAMES, sys.argv[2:])}
    ids = sorted(found["fusion"])
    labels = [column for column in found["fusion"][ids[0]] if column != "File_ID"]
    truth = [[float(labelled[clip][label]) for clip in ids] for label in labels]
    predictions = {
        name: [[float(table[clip][label]) for clip in ids] for label in labels] for name, table in found.items()}
    everyone = range(len(ids))

    draw = random.Random(0)
    dealt = []
    for _ in range(DRAWS):
        order = list(everyone)
        draw.shuffle(order)
        dealt.append(mean([pearson(t, [p[c] for c in order]) for t, p in zip(truth, predictions["fusion"])]))
    again = [[draw.randrange(len(ids)) for _ in everyone] for _ in range(DRAWS)]
    drawn = {name: [mean(each_pearson(truth, predictions[name], clips)) for clips in again] for name in NAMES}

    print(f"{len(ids)} clips that were not trained on: Pearson, its mean over the labels and that one's 95 % interval")
    print(f"{'':<7} {'mean':>6}  {'95 %':<16} " + " ".join(f"{label[:9]:>9}" for label in labels))
    print(f"{'chance':<7} {mean(dealt):>6.3f}  {interval(dealt):<16}")
    means = {}
    for name in NAMES:
        single = each_pearson(truth, predictions[name], everyone)
        means[name] = mean(single)
        print(
            f"{name:<7} {means[name]:>6.3f}  {interval(drawn[name]):<16} " + " ".join(f"{r:>9.3f}" for r in single))
    better = max(("audio", "video"), key=means.get)
    gains = [fused - single for fused, single in zip(drawn["fusion"], drawn[better])]
    print(f"fusion less {better}: {means['fusion'] - means[better]:+.3f}, {interval(gains)}")


main()
