"""What all peers have in common: their result is compared with the reference before they are timed.

A peer has `build(cell, kind, steps, batch, hidden)` → (call, read). `call` does the work once: `forward`, the output of a
sequence; `backward`, that and the gradients of its sum by input, initial states and parameters; `stream`, one step that
carries the states on. `read` makes of what a call returned {name: array}: `y` (of a stream its last one, [hidden]), and
gradients `d.x`, `d.h`, `d.W` … by the names of `cells.py`.
"""

import time
from pathlib import Path

import numpy

# A stream is compared after so many steps on one input.
STREAMED = 5
# Of the largest number of a tensor: f32 over a thousand steps stays far below, a wrong equation far above.
NEAR = {"f32": 1e-3, "bf16": 0.05, "int8": 0.1}
WARM_UP = 0.15
LEAST, MOST = 7, 20_000


class Contender:
    # The types of weights it can have; `dtype` is the one that is timed.
    dtypes, dtype = ["f32"], "f32"

    def check(self, cell, kind, size, folder):
        """Builds, compares; {"off"}: the worst difference."""
        if self.dtype not in self.dtypes:
            raise NotImplementedError(f"has no weights in {self.dtype}")
        self.call = None
        self.call, read = self.build(cell, kind, *size)
        for _ in range(STREAMED if kind == "stream" else 1):
            returned = self.call()
        with numpy.load(Path(folder) / "expected.npz") as expected:
            return compare(read(returned), dict(expected), NEAR[self.dtype])

    def turn(self, seconds):
        return measure(self.call, seconds)


def compare(found, expected, near=NEAR["f32"]):
    if missing := set(expected) - set(found):
        return {"error": f"no {', '.join(sorted(missing))}"}
    worst, where = 0.0, None
    for name, want in expected.items():
        got = numpy.asarray(found[name], dtype=want.dtype).reshape(want.shape)
        off = float(numpy.abs(got - want).max() / max(float(numpy.abs(want).max()), 1e-30))
        if not off <= worst:
            worst, where = off, name
    return {"off": worst} if worst <= near else {"error": f"wrong: {where} is off by {worst:.2g} of its largest number"}


def measure(call, seconds):
    """Each call by itself, after a warm-up: as `elman cell bench` does it."""
    start = time.perf_counter()
    call()
    while time.perf_counter() - start < WARM_UP:
        call()
    times = []
    start = time.perf_counter()
    while len(times) < LEAST or (time.perf_counter() - start < seconds and len(times) < MOST):
        before = time.perf_counter()
        call()
        times.append(time.perf_counter() - before)
    times.sort()
    at = lambda share: 1e6 * times[-int(-share * (len(times) - 1) // 1)]
    return {"median_us": at(0.5), "min_us": at(0), "p99_us": at(0.99)}
