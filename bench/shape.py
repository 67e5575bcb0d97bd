#!/usr/bin/env python3
"""Three things that time should follow from, and nothing else, on this machine, in one command:

    python3 bench/shape.py

ragged    A batch of sequences of unequal length (uniform in 1 … steps, a fixed seed) costs its share of tokens: its time
          over that of equal lengths, divided by its tokens over theirs.
scan      A cell without products in its loop is its hoisted product: the time that the products would take at the peak of
          multiply-adds, as a share of all (so a lower bound of the products' share).
renamed   A cell with all names changed and its equations in another order takes the same time: one over the other. Both
          have the same canonical form, which is compared first.

Those that are compared take turns; figures are medians of the rounds.
"""

import argparse
import json
import re
import statistics

from machine import WORK, build, call

KINDS = ["ragged", "scan", "renamed"]
RAGGED = [("lstm", 35, 8, 200), ("lstm", 100, 32, 256), ("gru", 35, 20, 200), ("min-gru", 100, 32, 256), ("mut1", 35, 64, 200)]
SCANS = [("min-gru", 100, 32, 256), ("min-gru", 35, 20, 256), ("min-lstm", 100, 32, 256)]
RENAMED = ["lstm", "gru", "gru-reset-after", "mut1", "mgu", "janet", "lstm-peephole", "layer-norm-lstm", "min-gru", "light-recurrent-unit"]
# Words of the language that are no names of the author's; `x` is the input.
KEPT = set("""x sigmoid tanh relu exp log sqrt abs sin cos softmax layer_norm norm softplus gelu silu elu softsign sum mean max min
    hard_sigmoid hard_tanh leaky_relu sign clip input hidden output state param learn init uniform normal xavier he identity
    orthogonal constant zeros ones T""".split())


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(KINDS), metavar="K,…", help="of ragged, scan, renamed")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--elman", metavar="PATH", help="a built program, instead of building one")
    options = parser.parse_args()
    wrong = set(options.only.split(",")) - set(KINDS)
    if wrong:
        parser.error(f"--only: no {', '.join(sorted(wrong))}; choose of {', '.join(KINDS)}")
    if options.rounds < 1:
        parser.error("--rounds: at least 1")
    return options


def asked(words):
    answer = call(words, 1)
    if "error" in answer:
        raise SystemExit(f"{' '.join(map(str, words))}: {answer['error']}")
    return json.loads(answer["printed"])


class Program:
    def __init__(self, path, rounds):
        self.path, self.rounds = path, rounds

    def bench(self, cell, size, *more):
        steps, batch, hidden = size
        sizes = ["--input", hidden, "--hidden", hidden, "--batch", batch, "--steps", steps, "--threads", 1]
        return asked([self.path, "cell", "bench", cell, *sizes, *more, "--json"])

    def turns(self, *calls):
        """The answers of each call, which take turns."""
        rounds = [[call() for call in calls] for _ in range(self.rounds)]
        return [list(answers) for answers in zip(*rounds)]


def median(answers):
    return statistics.median(a["median_us"] for a in answers)


def ratio(over, under):
    """The median of the rounds' own ratios: both sides of one stand next to each other in time."""
    return statistics.median(a["median_us"] / b["median_us"] for a, b in zip(over, under))


def ragged(program):
    print("ragged: time over the share of tokens, lengths uniform in 1 … steps\n")
    print("| cell; steps, batch, hidden | share of tokens | forward | forward and backward |\n|---|---|---|---|")
    for cell, *size in RAGGED:
        shown = []
        for passes in [[], ["--backward"]]:
            equal = lambda: program.bench(cell, size, *passes)
            uneven = lambda: program.bench(cell, size, *passes, "--lengths", "uniform")
            some, all_ = program.turns(uneven, equal)
            # Operations follow tokens alone.
            operations = lambda answer: answer["gflops"] * answer["median_us"]
            share = operations(some[0]) / operations(all_[0])
            shown.append(ratio(some, all_) / share)
        print(f"| {cell}; {', '.join(map(str, size))} | {share:.2f} | {shown[0]:.2f} | {shown[1]:.2f} |", flush=True)


def scan(program):
    print("\nscan: the hoisted products at peak, as a share of the time forward\n")
    print("| cell; steps, batch, hidden | µs | products at peak, µs | share |\n|---|---|---|---|")
    for cell, *size in SCANS:
        steps, batch, hidden = size
        sizes = ["--input", hidden, "--hidden", hidden, "--batch", batch, "--steps", steps, "--threads", 1]
        explain = lambda: asked([program.path, "cell", "explain", cell, *sizes, "--json"])
        timed, explained = program.turns(lambda: program.bench(cell, size), explain)
        at_peak = statistics.median(e["bulk_flops"] / e["peak_gflops"] / 1e3 for e in explained)
        share = statistics.median(e["bulk_flops"] / e["peak_gflops"] / 1e3 / t["median_us"] for e, t in zip(explained, timed))
        print(f"| {cell}; {', '.join(map(str, size))} | {median(timed):.0f} | {at_peak:.0f} | {share:.0%} |", flush=True)


def renamed(program):
    print("\nrenamed: time of the cell with other names and another order, over its own\n")
    print("| cell; 35, 20, 200 | forward | forward and backward |\n|---|---|---|")
    WORK.mkdir(parents=True, exist_ok=True)
    for cell in RENAMED:
        text = call([program.path, "cell", "show", cell, "--format", "text"], 1)["printed"]
        file = WORK / "renamed.cell"
        file.write_text(another(text))
        form = lambda name: asked([program.path, "cell", "check", name, "--json"])["canonical"]
        if form(cell) != form(file):
            raise SystemExit(f"{cell}: the renamed cell is another one:\n{file.read_text()}")
        size, shown = (35, 20, 200), []
        for passes in [[], ["--backward"]]:
            new, old = program.turns(lambda: program.bench(file, size, *passes), lambda: program.bench(cell, size, *passes))
            shown.append(ratio(new, old))
        print(f"| {cell} | {shown[0]:.3f} | {shown[1]:.3f} |", flush=True)


NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def another(text):
    """The same cell: new names, and each equation as late as those that read it allow."""
    lines = [line.split("#")[0].rstrip() for line in text.splitlines()]
    lines = [line for line in lines if line]
    equations = [line for line in lines if "=" in line and not re.match(r"(state|param|input|output|learn)\b", line)]
    declared = [line for line in lines if line not in equations]
    made = [line.split("=")[0].strip() for line in equations]
    if not any(line.startswith("output") for line in declared):
        # Without its name nothing would say which state is handed on.
        handed = next((n for n in ["y", "h"] if n in made or n + "'" in made), made[0].rstrip("'"))
        declared.append(f"output {handed}")
    names = sorted({n for line in lines for n in NAME.findall(line)} - KEPT)
    new = {name: f"{'Q' if name[0].isupper() else 'q'}_{k}{k}" for k, name in enumerate(reversed(names))}
    swap = lambda line: NAME.sub(lambda m: new.get(m[0], m[0]), line)
    return "\n".join(map(swap, declared + reordered(equations, made))) + "\n"


def reordered(equations, made):
    """An order in which what an equation reads of this step stands before it; of those that may come next, the last."""
    names = lambda side: set(re.findall(r"[A-Za-z][A-Za-z0-9_]*'?", side))
    reads = [names(e.split("=", 1)[1]) & set(made) for e in equations]
    left, done, order = list(range(len(equations))), set(), []
    while left:
        k = next(k for k in reversed(left) if reads[k] <= done)
        left.remove(k)
        done.add(made[k])
        order.append(equations[k])
    return order


def main():
    options = arguments()
    program = Program(options.elman or build(), options.rounds)
    for kind in options.only.split(","):
        {"ragged": ragged, "scan": scan, "renamed": renamed}[kind](program)


main()
