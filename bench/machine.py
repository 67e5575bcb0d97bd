"""What both benchmarks need of the machine: the peers' Python, the program to time, processes kept to their cores."""

import json
import os
import platform
import subprocess
import sys
import venv
from pathlib import Path

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
WORK = ROOT / "target" / "bench"


def environment(python):
    """The Python that runs the peers: `python`, or one of our own, made here."""
    if python:
        return python
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
    """Keeps a process to as many cores as it has threads, and ahead of other work, where the system lets us."""
    def pin():
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
        # Linux shares cores by session: without this, another's work takes half of them however nice it is.
        os.setsid()
        try:
            Path("/proc/self/autogroup").write_text("-20")
        except OSError:
            pass  # not Linux, or not allowed: then all have the same share
    return pin


def call(words, threads):
    """What a program prints, or {"error"} with its last words."""
    done = subprocess.run(
        [str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=pinned(threads)
    )
    if done.returncode:
        return {"error": (done.stderr.strip() or f"ended with code {done.returncode}")[-300:]}
    return {"printed": done.stdout}


class Child:
    """A process of `peer.py` that answers a request a line."""

    def __init__(self, python, name, threads, dtype="f32"):
        self.process = subprocess.Popen(
            [python, str(BENCH / "peer.py"), name, str(threads), dtype], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, preexec_fn=pinned(threads),
        )

    def ask(self, **request):
        try:
            print(json.dumps(request), file=self.process.stdin, flush=True)
            return json.loads(self.process.stdout.readline())
        except (BrokenPipeError, json.JSONDecodeError):
            return {"error": f"ended with code {self.process.wait()}"}

    def end(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # it has ended already, and a request to it was answered with that
        self.process.wait()


def about(python):
    """What the figures belong to. `python` is the one that has the peers."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout.strip()
    cpu = platform.processor()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), cpu)
    packages = [line.split(">=")[0] for line in (BENCH / "requirements.txt").read_text().split()]
    ask = "import importlib.metadata as m, json, sys; print(json.dumps({p: m.version(p) for p in sys.argv[1:]}))"
    versions = json.loads(subprocess.run([python, "-c", ask, *packages], check=True, stdout=subprocess.PIPE).stdout)
    return {"commit": commit, "cpu": cpu, "cores": os.cpu_count(), "command": sys.argv, "versions": versions}
