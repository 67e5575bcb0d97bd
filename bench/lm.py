#!/usr/bin/env python3
"""Times the whole training step of a language model beside PyTorch on this machine, in one command:

    python3 bench/lm.py

10,000 words, two layers, batches of 20 sequences of 35 steps, f32: embedding, layers, softmax, cross entropy, clipped
gradients, SGD. The text is made here (seeded, words drawn by Zipf's law). Peers are torch.nn in eager mode and under
torch.compile; they start from Elman's parameters and must come to Elman's losses before their time counts. All take
turns; `ratio` is Elman's tokens a second over those of the faster peer. FLOPs are those of matrix products, two for each
weight and token forward, three times that in all; the peak is that of fused multiply-adds, measured here.
"""

import argparse
import json
import math
import random
import shutil
import statistics
from pathlib import Path

from machine import ROOT, WORK, Child, about, build, call, environment

WORDS, LAYERS, BATCH, STEPS = 10_000, 2, 20, 35
RATE, CLIP, INIT = 1.0, 5.0, 0.1
GATES = {"lstm": 4, "gru-reset-after": 3}
TOKENS = 300 * BATCH * STEPS
LINE = 20
# Steps that peers must repeat, and how near their losses must come.
CHECKED, NEAR = 4, 1e-3


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", metavar="PATH", help="a Python that has the peers; none is installed then")
    parser.add_argument("--cells", default="lstm", metavar="C,…", help="of lstm, gru-reset-after")
    parser.add_argument("--hidden", default="200,650", metavar="H,…")
    parser.add_argument("--tied", default="no", help="no, yes or no,yes")
    parser.add_argument("--threads", default="1,2", metavar="N,…")
    parser.add_argument("--peers", default="torch,torch-compile")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6, help="of a turn")
    parser.add_argument("--out", default=str(ROOT / "target" / "bench-lm.json"))
    options = parser.parse_args()
    for name, known in [("cells", GATES), ("tied", ["no", "yes"]), ("peers", ["torch", "torch-compile"])]:
        wrong = set(getattr(options, name).split(",")) - set(known)
        if wrong:
            parser.error(f"--{name}: no {', '.join(sorted(wrong))}; choose of {', '.join(known)}")
    return options


def texts(folder):
    """The text to train on, and a little one to score. Each word stands in the first one once at least; `<unk>` and
    `<eos>` make up the 10,000."""
    rng = random.Random(1)
    known = [f"w{k}" for k in range(1, WORDS - 1)]
    words = known + rng.choices(known, weights=[1 / k for k in range(1, WORDS - 1)], k=TOKENS - len(known))
    rng.shuffle(words)
    lines = [" ".join(words[k : k + LINE - 1]) for k in range(0, len(words), LINE - 1)]
    files = folder / "train.txt", folder / "valid.txt"
    for file, part in zip(files, [lines, lines[:BATCH]]):
        file.write_text("\n".join(part) + "\n")
    return files


class Elman:
    """`elman train lm`, started for each turn, timed by its own statement."""

    def __init__(self, program, threads, texts):
        self.program, self.threads, self.texts = program, threads, texts
        self.speed = None

    def train(self, point, steps, out):
        shutil.rmtree(out, ignore_errors=True)
        train, valid = self.texts
        words = [self.program, "train", "lm", "--data", train, "--valid", valid, "--test", valid, "--out", out]
        words += ["--cell", point["cell"], "--layers", LAYERS, "--hidden", point["hidden"], "--batch", BATCH]
        words += ["--steps", STEPS, "--optimiser", "sgd", "--rate", RATE, "--clip", CLIP, "--init", INIT]
        words += ["--schedule", "constant", "--max-steps", steps, "--checkpoint-seconds", 1e6, "--threads", self.threads]
        words += ["--tied"] if point["tied"] else []
        answer = call(words, self.threads)
        return answer if "error" in answer else json.loads((out / "metrics.jsonl").read_text().splitlines()[-1])

    def check(self, point, out):
        """A short run that the peers repeat."""
        answer = self.train(point, CHECKED, out)
        self.speed = answer.get("tokens_per_second")
        return answer

    def turn(self, point, seconds):
        steps = max(CHECKED, math.ceil(seconds * self.speed / (BATCH * STEPS)))
        answer = self.train(point, steps, WORK / "turn")
        self.speed = answer.get("tokens_per_second", self.speed)
        return answer


class Peer:
    def __init__(self, python, name, threads):
        self.child = Child(python, f"lm-{name}", threads)

    def check(self, point, run, data, wanted):
        given = {"cell": point["cell"], "hidden": point["hidden"], "tied": point["tied"], "batch": BATCH, "steps": STEPS}
        answer = self.child.ask(do="start", run=str(run), text=str(data), rate=RATE, clip=CLIP, **given)
        if "error" not in answer and answer["words"] != WORDS:
            return {"error": f"{answer['words']} words instead of {WORDS}"}
        if "error" not in answer:
            answer = self.child.ask(do="losses", count=CHECKED)
        if "error" in answer:
            return answer
        loss = statistics.mean(answer["losses"])
        near = abs(loss - wanted) <= NEAR * wanted
        return {"loss": loss} if near else {"error": f"its loss is {loss:.4f}, Elman's {wanted:.4f}"}

    def turn(self, _point, seconds):
        return self.child.ask(do="turn", seconds=seconds)


def peak(program, threads):
    """FLOP/s of fused multiply-adds."""
    sizes = ["--input", 8, "--hidden", 8, "--batch", 1, "--steps", 1]
    answer = call([program, "cell", "explain", "tanh", *sizes, "--threads", threads, "--json"], threads)
    return 1e9 * threads * json.loads(answer["printed"])["peak_gflops"]


def flops(point):
    """Of a token, forward and backward."""
    weights = LAYERS * 2 * GATES[point["cell"]] * point["hidden"] ** 2 + point["hidden"] * WORDS
    return 3 * 2 * weights


def time_point(point, elman, peers, options):
    """Everybody is checked, then all take turns."""
    run = WORK / "checked"
    first = elman.check(point, run)
    if "error" in first:
        return {**point, "results": {}, "errors": {"elman": first["error"]}}
    errors = {}
    for name, peer in peers.items():
        answer = peer.check(point, run, elman.texts[0], first["train_loss"])
        if "error" in answer:
            errors[name] = answer["error"]
    speeds = {name: [] for name in ["elman", *peers] if name not in errors}
    for _ in range(options.rounds):
        for name in list(speeds):
            answer = (elman if name == "elman" else peers[name]).turn(point, options.seconds)
            if "error" in answer:
                errors[name] = answer["error"]
                del speeds[name]
            else:
                speeds[name].append(answer["tokens_per_second"])
    return {**point, "results": {name: summary(all_) for name, all_ in speeds.items()}, "errors": errors}


def summary(speeds):
    middle = statistics.median(speeds)
    return {"tokens_per_second": middle, "spread": (max(speeds) - min(speeds)) / middle}


def finish(record, top):
    """Adds the ratio to the faster peer and shares of the peak."""
    results = record["results"]
    for result in results.values():
        result["of_peak"] = result["tokens_per_second"] * flops(record) / top
    others = [r["tokens_per_second"] for name, r in results.items() if name != "elman"]
    if "elman" in results and others:
        record["ratio"] = results["elman"]["tokens_per_second"] / max(others)
    return {**record, "peak_gflops": top / 1e9}


def row(record, names):
    model = f"{record['cell']} {record['hidden']}" + (" tied" if record["tied"] else "")
    shown = [f"{model:24}", f"{record['threads']:>2}"]
    for name in names:
        r = record["results"].get(name)
        shown.append(f"{r['tokens_per_second']:>7,.0f} ±{50 * r['spread']:3.0f}% {100 * r['of_peak']:4.0f}%" if r else f"{'–':>19}")
    shown.append(f"{record['ratio']:5.2f}" if "ratio" in record else f"{'–':>5}")
    return "  ".join(shown)


def main():
    options = arguments()
    python, program = environment(options.python), build()
    names = options.peers.split(",") if options.peers else []
    WORK.mkdir(parents=True, exist_ok=True)
    files = texts(WORK)
    records = []
    print("tokens a second, half the spread of the rounds, share of the peak; ratio: Elman's over the faster peer's")
    print("  ".join([f"{'model':24}", "th", *[f"{name:>19}" for name in ["elman", *names]], "ratio"]), flush=True)
    for threads in map(int, options.threads.split(",")):
        elman = Elman(program, threads, files)
        top = peak(program, threads)
        for cell in options.cells.split(","):
            for hidden in map(int, options.hidden.split(",")):
                for tied in options.tied.split(","):
                    point = {"cell": cell, "hidden": hidden, "tied": tied == "yes", "threads": threads}
                    peers = {name: Peer(python, name, threads) for name in names}
                    records.append(finish(time_point(point, elman, peers, options), top))
                    for peer in peers.values():
                        peer.child.end()
                    print(row(records[-1], ["elman", *names]), flush=True)
                    for name, error in records[-1]["errors"].items():
                        print(f"    {name}: {error}", flush=True)
                    Path(options.out).write_text(json.dumps({**about(python), "points": records}, indent=1))
    ratios = [r["ratio"] for r in records if "ratio" in r]
    if ratios:
        print(f"geometric mean of the ratios: {statistics.geometric_mean(ratios):.2f}")
    print(options.out)


main()
