#!/usr/bin/env python3
"""Times Elman beside PyTorch, ONNX Runtime and JAX on this machine, in one command:

    python3 bench/run.py

Makes an environment of its own with the peers (target/bench-venv), builds `elman`, and times every point in rounds in
which all contenders take turns, so that what else runs on the machine hits all of them. Prints a table and writes JSON.
Ratios are peer / elman: above 1, Elman is faster. The bound is `elman cell explain`'s, from multiply-adds and reading
measured on this machine; three times that for forward and backward.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / "bench"
# What peers call a cell, and which of ours has the same equations.
CELLS = {"lstm": "lstm", "gru": "gru-reset-after", "mut1": "mut1"}
# (steps, batch, hidden); input = hidden.
FEW = [(100, 1, 128), (35, 20, 200), (100, 32, 256)]
FULL = [
    (100, 1, 32), (100, 1, 128), (100, 1, 256), (100, 1, 512), (100, 1, 1024), (1000, 1, 64),
    (100, 32, 128), (100, 32, 256), (100, 32, 512), (35, 20, 200), (35, 20, 650), (35, 64, 1024),
]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", metavar="PATH", help="a Python that has the peers; none is installed then")
    parser.add_argument("--full", action="store_true", help="all sizes, 1 and 2 threads (an hour and more)")
    parser.add_argument("--points", metavar="T,B,H;…", help="steps,batch,hidden of the points to time")
    parser.add_argument("--cells", default="lstm,gru,mut1")
    parser.add_argument("--passes", default="forward,backward", help="backward: forward and backward together")
    parser.add_argument("--peers", default="torch,onnxruntime,jax")
    parser.add_argument("--threads", metavar="N,…", help="default 1; with --full 1,2")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.6, help="of a peer's turn")
    parser.add_argument("--out", default=str(ROOT / "target" / "bench.json"))
    options = parser.parse_args()
    for name, known in [("cells", CELLS), ("passes", ["forward", "backward"])]:
        wrong = set(getattr(options, name).split(",")) - set(known)
        if wrong:
            parser.error(f"--{name}: no {', '.join(sorted(wrong))}; choose of {', '.join(known)}")
    return options


def points_of(options):
    if options.points:
        return [tuple(int(n) for n in point.split(",")) for point in options.points.split(";")]
    return FULL if options.full else FEW


def environment(options):
    """The Python that runs the peers."""
    if options.python:
        return options.python
    folder = ROOT / "target" / "bench-venv"
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"making {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", BENCH / "requirements.txt"], check=True)
    return str(python)


def build():
    """The `elman` to time."""
    command = ["cargo", "build", "--release", "--package", "elman-cli", "--message-format", "json"]
    lines = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    found = [message.get("executable") for message in map(json.loads, lines)]
    return [path for path in found if path][-1]


def pinned(threads):
    """Keeps a process to as many cores as it has threads, where the system lets us."""
    def pin():
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    return pin


class Elman:
    """Our own program, started for each turn."""

    def __init__(self, program, threads):
        self.program, self.threads = program, threads

    def ask(self, command, point, *extra):
        sizes = dict(zip(["--steps", "--batch", "--hidden"], point["size"]))
        sizes |= {"--input": point["size"][2], "--threads": self.threads}
        words = [word for pair in sizes.items() for word in map(str, pair)]
        call = [self.program, "cell", command, CELLS[point["cell"]], *words, "--json", *extra]
        done = subprocess.run(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=pinned(self.threads))
        return json.loads(done.stdout) if done.returncode == 0 else {"error": done.stderr.strip()}

    def turn(self, point, _seconds):
        return self.ask("bench", point, *(["--backward"] if point["pass"] == "backward" else []))

    def bound(self, point):
        answer = self.ask("explain", point)
        if "error" in answer:
            return None, answer
        return answer["bound_us"] * (3 if point["pass"] == "backward" else 1), answer


class Peer:
    """A process of `peers.py` that answers a request a line."""

    def __init__(self, python, name, threads):
        command = [python, str(BENCH / "peers.py"), name, str(threads)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            preexec_fn=pinned(threads),
        )

    def turn(self, point, seconds):
        steps, batch, hidden = point["size"]
        request = {"cell": point["cell"], "backward": point["pass"] == "backward", "seconds": seconds}
        try:
            print(json.dumps(request | {"steps": steps, "batch": batch, "hidden": hidden}), file=self.process.stdin, flush=True)
            return json.loads(self.process.stdout.readline())
        except (BrokenPipeError, json.JSONDecodeError):
            return {"error": f"ended with code {self.process.wait()}"}

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def time_point(point, elman, peers, options):
    """Rounds in which everybody takes a turn; one that fails drops out."""
    contenders = {"elman": elman, **peers}
    turns = {name: [] for name in contenders}
    errors = {}
    for _ in range(options.rounds):
        for name, contender in contenders.items():
            if name in errors:
                continue
            answer = contender.turn(point, options.seconds)
            if "error" in answer:
                errors[name] = answer["error"]
            else:
                turns[name].append(answer)
    results = {name: summary(answers) for name, answers in turns.items() if answers}
    bound, explained = elman.bound(point)
    own = results.get("elman")
    for name, result in results.items():
        if own and name != "elman":
            result["ratio"] = result["median_us"] / own["median_us"]
    return {**point, "bound_us": bound, "results": results, "errors": errors, "machine": explained}


def summary(answers):
    medians = sorted(a["median_us"] for a in answers)
    middle = statistics.median(medians)
    return {"median_us": middle, "min_us": min(a["min_us"] for a in answers), "spread": (medians[-1] - medians[0]) / middle}


def row(record, peers):
    """One line of the table."""
    cell = record["cell"] + (" +grad" if record["pass"] == "backward" else "")
    results = record["results"]
    shown = [f"{cell:12}", f"{','.join(map(str, record['size'])):>13}", f"{record['threads']:>2}"]
    own = results.get("elman")
    bound = record["bound_us"]
    shown.append(f"{own['median_us']:>10,.0f} ±{50 * own['spread']:3.0f}%" if own else f"{'–':>16}")
    shown.append(f"{100 * bound / own['median_us']:>5.0f}%" if own and bound else f"{'–':>6}")
    for name in peers:
        result = results.get(name)
        ratio = f"{result['ratio']:5.2f}×" if result and "ratio" in result else f"{'':6}"
        shown.append(f"{result['median_us']:>10,.0f} {ratio}" if result else f"{'–':>10} {'':6}")
    return "  ".join(shown)


def heading(peers):
    shown = [f"{'cell':12}", f"{'T,B,H':>13}", f"{'th':>2}", f"{'elman µs':>16}", f"{'bound':>6}"]
    return "  ".join(shown + [f"{name:>10} {'ratio':6}" for name in peers])


def about():
    """What the figures belong to."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout.strip()
    cpu = platform.processor()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), cpu)
    return {"commit": commit, "cpu": cpu, "cores": os.cpu_count(), "command": sys.argv}


def main():
    options = arguments()
    python, program = environment(options), build()
    names = options.peers.split(",") if options.peers else []
    threads = [int(n) for n in (options.threads or ("1,2" if options.full else "1")).split(",")]
    out = Path(options.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    records = []
    print(heading(names), flush=True)
    for count in threads:
        elman = Elman(program, count)
        peers = {name: Peer(python, name, count) for name in names}
        for cell in options.cells.split(","):
            for kind in options.passes.split(","):
                for size in points_of(options):
                    point = {"cell": cell, "pass": kind, "size": size, "threads": count}
                    records.append(time_point(point, elman, peers, options))
                    print(row(records[-1], names), flush=True)
                    out.write_text(json.dumps({**about(), "points": records}, indent=1))
        for peer in peers.values():
            peer.end()
    print(f"\nT,B,H: steps, batch, hidden = input. bound: the lower bound as a share of elman's time. {out}")


main()
