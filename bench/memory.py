#!/usr/bin/env python3
"""Memory of training beside PyTorch, on this machine, in one command:

    python3 bench/memory.py

Elman's is the peak of its process less that of one that trains next to nothing; PyTorch's is the peak of its process
after some steps of training less what it took after `import torch` and a first product. Both have one thread.
`said` is what `elman cell explain` (or `elman train` before it starts) announces, as a share of what was measured.
Networks alone run forward and backward with all gradients; language models whole training steps with SGD.
"""

import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from machine import ROOT, WORK, about, build, environment

CELLS = ["lstm", "gru-reset-after", "gru"]
POINTS = [(35, 20, 200), (35, 20, 650), (100, 32, 256), (35, 64, 1024)]
WORDS, BATCH, STEPS = 10_000, 20, 35
TURNS = 4
MIB = 1 << 20


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", metavar="PATH", help="a Python that has the peers; none is installed then")
    parser.add_argument("--cells", default=",".join(CELLS), help="of networks alone; gru is a loop over the steps in PyTorch")
    parser.add_argument("--points", metavar="T,B,H;…", help="steps,batch,hidden of networks alone")
    parser.add_argument("--models", default="lstm 200,lstm 650,gru-reset-after 200,gru-reset-after 650", metavar="C H,…", help="language models of two layers; empty: none")
    parser.add_argument("--text", metavar="FILE", help="to train language models on; one is made otherwise")
    parser.add_argument("--recompute", action="store_true", help="Elman keeps states at some steps only")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--elman", metavar="PATH", help="a built program, instead of building one")
    parser.add_argument("--out", default=str(ROOT / "target" / "bench-memory.json"))
    return parser.parse_args()


# ---- Elman ------------------------------------------------------------------------------------------------------


def peak_of(words):
    """The most bytes that a program has had in memory, read while it runs, and what it printed."""
    child = subprocess.Popen([str(w) for w in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    most = 0
    while child.poll() is None:
        most = max(most, high_water(child.pid))
        time.sleep(0.002)
    printed, errors = child.communicate()
    if child.returncode:
        raise SystemExit(f"{' '.join(map(str, words))}: {errors.strip()[-300:]}")
    return most, printed + errors


def high_water(pid):
    # Between fork and exec the child is still this program.
    try:
        if Path(f"/proc/{pid}/exe").resolve() == Path(sys.executable).resolve():
            return 0
        return 1024 * int(field(pid, "VmHWM"))
    except (OSError, StopIteration):
        return 0


def field(pid, name):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(name))


class Elman:
    def __init__(self, program, recompute):
        self.program, self.extra = program, ["--recompute"] if recompute else []
        sizes = self.sizes((1, 1, 1))
        self.idle = peak_of([program, "cell", "bench", "tanh", *sizes, "--backward"])[0]

    def sizes(self, point):
        steps, batch, hidden = point
        return ["--input", hidden, "--hidden", hidden, "--batch", batch, "--steps", steps, "--threads", 1]

    def network(self, cell, point):
        used = peak_of([self.program, "cell", "bench", cell, *self.sizes(point), "--backward", *self.extra])[0] - self.idle
        printed = peak_of([self.program, "cell", "explain", cell, *self.sizes(point), *self.extra, "--json"])[1]
        return used, json.loads(printed.splitlines()[0])["training_bytes"]

    def model(self, cell, hidden, text):
        out = WORK / "memory-run"
        shutil.rmtree(out, ignore_errors=True)
        few = WORK / "memory-few.txt"
        words = [self.program, "train", "lm", "--data", text, "--valid", few, "--test", few, "--out", out]
        words += ["--cell", cell, "--layers", 2, "--hidden", hidden, "--batch", BATCH, "--steps", STEPS, "--optimiser", "sgd"]
        words += ["--rate", 1, "--clip", 5, "--init", 0.1, "--max-steps", TURNS, "--checkpoint-seconds", 1e6, "--threads", 1]
        used, printed = peak_of(words + self.extra)
        shutil.rmtree(out, ignore_errors=True)
        return used - self.idle, said_before_training(printed)


def said_before_training(printed):
    found = re.search(r"about ([0-9]+) MB of memory", printed)
    return found and 1e6 * int(found[1])


# ---- PyTorch, in a process of its own -----------------------------------------------------------------------------


def torch_used(python, *words):
    done = subprocess.run(
        [python, __file__, "child", *map(str, words)], stdout=subprocess.PIPE, check=True, text=True
    )
    return int(done.stdout.split()[-1])


def child(kind, cell, *sizes):
    """Prints the bytes that training took beyond those after the import."""
    import torch

    torch.set_num_threads(1)
    (torch.ones(8, 8) @ torch.ones(8, 8)).sum().item()
    turn = {"network": network, "model": model}[kind]
    before = 1024 * int(field("self", "VmRSS"))
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts again
    turn(torch, cell, *map(int, sizes))
    print(1024 * int(field("self", "VmHWM")) - before)


def network(torch, cell, steps, batch, hidden):
    from peers.pytorch import Torch

    call, _ = Torch(1).build(cell, "backward", steps, batch, hidden)
    for _ in range(TURNS):
        kept = call()
    return kept


def model(torch, cell, hidden):
    from peers.language_model import Model

    made = Model(cell, WORDS, hidden, False)
    learned = [p for name, p in made.named_parameters() if not (cell == "lstm" and "bias_hh" in name)]
    optimiser, state = torch.optim.SGD(learned, lr=1.0), None
    for _ in range(TURNS):
        ids = torch.randint(WORDS, (STEPS + 1, BATCH))
        loss, state = made(ids[:-1], ids[1:], state)
        state = state.detach() if torch.is_tensor(state) else tuple(s.detach() for s in state)
        made.zero_grad()
        (loss * STEPS).backward()
        torch.nn.utils.clip_grad_norm_(learned, 5.0)
        optimiser.step()


# ---- both ---------------------------------------------------------------------------------------------------------


def rows(options, elman, python):
    points = [tuple(int(n) for n in p.split(",")) for p in options.points.split(";")] if options.points else POINTS
    for cell in filter(None, options.cells.split(",")):
        for point in points:
            name = f"{cell}; {','.join(map(str, point))}"
            yield name, lambda: elman.network(cell, point), lambda: torch_used(python, "network", cell, *point)
    text = Path(options.text) if options.text else made_text()
    few = text.read_text().splitlines()[:60]
    (WORK / "memory-few.txt").write_text("\n".join(few) + "\n")
    for cell, hidden in (m.split() for m in filter(None, options.models.split(","))):
        yield f"language model, {cell} 2 x {hidden}", lambda: elman.model(cell, hidden, text), lambda: torch_used(python, "model", cell, hidden)


def made_text():
    """Each of the words, some times."""
    file = WORK / "memory.txt"
    words = [f"w{k}" for k in range(WORDS - 2)] * 4
    file.write_text("\n".join(" ".join(words[k : k + 20]) for k in range(0, len(words), 20)) + "\n")
    return file


def main():
    options = arguments()
    python, program = environment(options.python), options.elman or build()
    WORK.mkdir(parents=True, exist_ok=True)
    elman = Elman(program, options.recompute)
    print(f"MiB beyond an idle process (Elman's: {elman.idle / MIB:.1f})")
    print(f"{'':42}{'Elman':>8}{'PyTorch':>9}{'ratio':>7}{'said':>7}", flush=True)
    records = []
    for name, ours, theirs in rows(options, elman, python):
        turns = [(*ours(), theirs()) for _ in range(options.rounds)]
        used, said, torch = (statistics.median(t[i] for t in turns) if turns[0][i] is not None else None for i in range(3))
        records.append({"what": name, "elman": used, "said": said, "torch": torch})
        told = f"{said / used:7.2f}" if said else f"{'–':>7}"
        print(f"{name:42}{used / MIB:8.1f}{torch / MIB:9.1f}{used / torch:7.2f}{told}", flush=True)
    Path(options.out).write_text(json.dumps({**about(python), "idle": elman.idle, "points": records}, indent=1))
    print(f"geometric mean of the ratios: {statistics.geometric_mean(r['elman'] / r['torch'] for r in records):.2f}; {options.out}")


if __name__ == "__main__":
    child(*sys.argv[2:]) if sys.argv[1:2] == ["child"] else main()
