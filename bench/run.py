#!/usr/bin/env python3
"""Times Elman beside PyTorch, ONNX Runtime, OpenVINO and JAX on this machine, in one command:

    python3 bench/run.py

Makes an environment of its own with the peers (target/bench-venv), builds `elman`, and times every point in rounds in
which all contenders take turns, so that what else runs on the machine hits all of them. Everybody's result is compared
with a reference first; who is wrong is not timed. Prints a table and means, and writes JSON. A ratio is Elman's time over
that of the fastest peer: below 1, Elman is faster.
"""

import argparse
import json
import statistics
from pathlib import Path

import report
from bound import bound_us
from contenders import Elman, Peer
from machine import ROOT, WORK, Child, about, build, environment

BUILT_IN = ["lstm", "gru-reset-after", "gru", "tanh"]
WRITTEN = ["mut1", "mut2", "mut3", "lstm-f", "lstm-i", "lstm-o", "lstm-peephole", "layer-norm-lstm"]
PASSES = ["forward", "backward", "stream"]
PEERS = ["torch", "torch-compile", "onnxruntime", "openvino", "jax"]
# Those that keep weights in fewer bits.
NARROW = {"bf16": ["torch", "openvino"], "int8": ["torch", "onnxruntime"]}
# (steps, batch, hidden); input = hidden. Written cells are timed at the few.
FEW = [(35, 20, 200), (100, 32, 256), (100, 1, 128)]
FULL = [
    (100, 1, 32), (100, 1, 128), (100, 1, 256), (100, 1, 512), (100, 1, 1024), (1000, 1, 64),
    (100, 32, 128), (100, 32, 256), (100, 32, 512), (35, 20, 200), (35, 20, 650), (35, 64, 1024),
]
STREAM = [32, 128, 256, 512]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", metavar="PATH", help="a Python that has the peers; none is installed then")
    parser.add_argument("--full", action="store_true", help="all cells and sizes, 1 and 2 threads (hours)")
    parser.add_argument("--points", metavar="T,B,H;…", type=points, help="steps,batch,hidden of the points to time; default 35,20,200;100,32,256;100,1,128, with --full twelve")
    parser.add_argument("--cells", metavar="C,…", help="default lstm,gru-reset-after,mut1; with --full all")
    parser.add_argument("--passes", metavar="P,…", help="forward, backward (both together), stream (a step a call); default all")
    parser.add_argument("--peers", metavar="P,…", help=f"of {', '.join(PEERS)}; default all")
    parser.add_argument("--dtype", choices=["f32", *NARROW], default="f32", help="of the weights; bf16 and int8 do not train")
    parser.add_argument("--threads", metavar="N,…", help="default 1; with --full 1,2")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.6, help="of a peer's turn")
    parser.add_argument("--out", default=str(ROOT / "target" / "bench.json"))
    parser.add_argument("--read", metavar="FILE,…", help="time nothing: means and table of figures that --out wrote")
    parser.add_argument("--table", metavar="FILE", help="put the table into a Markdown file, between its marks")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds: at least 1")
    options.threads = [int(n) for n in (options.threads or ("1,2" if options.full else "1")).split(",")]
    narrow = options.dtype != "f32"
    for name, known, default in [
        ("cells", BUILT_IN + WRITTEN, BUILT_IN + WRITTEN if options.full else ["lstm", "gru-reset-after", "mut1"]),
        ("passes", PASSES, ["forward", "stream"] if narrow else PASSES),
        ("peers", NARROW[options.dtype] if narrow else PEERS, NARROW[options.dtype] if narrow else PEERS),
    ]:
        chosen = getattr(options, name)
        setattr(options, name, chosen.split(",") if chosen else default)
        wrong = set(getattr(options, name)) - set(known)
        if wrong:
            parser.error(f"--{name}: no {', '.join(sorted(wrong))}; choose of {', '.join(known)}")
    if narrow and "backward" in options.passes:
        parser.error(f"--dtype {options.dtype}: weights of few bits do not train; --passes forward,stream")
    return options


def points(text):
    """The points of `--points`."""
    given = [tuple(int(n) for n in point.split(",")) for point in text.split(";")]
    if any(len(point) != 3 or min(point) < 1 for point in given):
        raise ValueError
    return given


def points_of(options, threads):
    """Every point at a number of threads."""
    for cell in options.cells:
        for kind in options.passes:
            if kind == "stream":
                sizes = [(1, 1, hidden) for hidden in (STREAM if options.full else STREAM[1::2])]
                sizes = [(1, 1, h) for _, _, h in options.points] if options.points else sizes
            else:
                sizes = options.points or (FULL if options.full and cell in BUILT_IN else FEW)
            for size in dict.fromkeys(sizes):
                yield {"cell": cell, "pass": kind, "size": size, "threads": threads}


def time_point(point, contenders, reference, options):
    """All are checked, then take turns in rounds; one that fails drops out."""
    wanted = reference.ask(do="write", cell=point["cell"], kind=point["pass"], size=point["size"], folder=str(WORK))
    if "error" in wanted:
        return {**point, "bound_us": None, "results": {}, "errors": {"reference": wanted["error"]}}
    checked = {name: contender.check(point) for name, contender in contenders.items()}
    errors = {name: answer["error"] for name, answer in checked.items() if "error" in answer}
    turns = {name: [] for name in contenders}
    for _ in range(options.rounds):
        for name, contender in contenders.items():
            if name in errors:
                continue
            answer = contender.turn(point, options.seconds)
            if "error" in answer:
                errors[name] = answer["error"]
            else:
                turns[name].append(answer)
    results = {n: summary(answers) | checked[n] for n, answers in turns.items() if answers and n not in errors}
    bound, explained = bound_us(contenders["elman"], point)
    return {**point, "bound_us": bound, "results": results, "errors": errors, "machine": explained}


def summary(answers):
    """Of a contender's turns: medians and tails are the median turn's, the spread is that of all."""
    medians = sorted(a["median_us"] for a in answers)
    middle = statistics.median(medians)
    tail, least = statistics.median(a["p99_us"] for a in answers), min(a["min_us"] for a in answers)
    return {"median_us": middle, "p99_us": tail, "min_us": least, "spread": (medians[-1] - medians[0]) / middle}


def time_all(options):
    """Prints and writes each point as it is done; what --out holds in the end."""
    python, program = environment(options.python), build()
    WORK.mkdir(parents=True, exist_ok=True)
    out = Path(options.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    figures = {**about(python), "dtype": options.dtype, "points": []}
    print(report.heading(options.peers), flush=True)
    for threads in options.threads:
        reference = Child(python, "reference", threads)
        peers = {name: Peer(python, name, threads, WORK, options.dtype) for name in options.peers}
        contenders = {"elman": Elman(program, threads, reference, WORK, options.dtype), **peers}
        for point in points_of(options, threads):
            record = time_point(point, contenders, reference, options)
            figures["points"].append(record)
            print(report.row(record, options.peers), flush=True)
            for name, error in record["errors"].items():
                if not error.startswith("NotImplementedError"):
                    print(f"    {name}: {error}", flush=True)
            out.write_text(json.dumps(figures, indent=1))
        for child in [reference, *(peer.child for peer in peers.values())]:
            child.end()
    return figures


def read(files):
    """Figures of one run or of several; where they share a point the last one counts."""
    runs = [json.loads(Path(file).read_text()) for file in files]
    key = lambda record: (record["cell"], record["pass"], record["threads"], *record["size"])
    return {**runs[-1], "points": list({key(record): record for run in runs for record in run["points"]}.values())}


def main():
    options = arguments()
    figures = read(options.read.split(",")) if options.read else time_all(options)
    records = figures["points"]
    print("\n".join(report.means(records) + report.behind(records) + report.worse_with_two(records)))
    if options.table:
        report.put_table(options.table, records, options.peers, figures)
    print(f"\nT,B,H: steps, batch, hidden = input. bound: the lower bound as a share of Elman's time. {options.read or options.out}")


main()
