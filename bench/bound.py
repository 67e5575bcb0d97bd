"""The lower bound of a point, from what `elman cell explain` measures and counts.

forward   `explain`'s: input products at the peak of multiply-adds + steps × the larger of the recurrent products at peak
          and reading their weights once from the cache that they fit. Two threads tell each other each step, or one of
          them does it all: whichever is faster.
backward  three times that.
stream    the larger of all products at peak and reading all weights once from the cache that they fit.
"""

# Two cores that share a cache tell each other something and hear back in 0.12 µs (a Zen 4), others in 0.4.
BARRIER_US = 0.12


def bound_us(elman, point):
    """Microseconds, and what `explain` said; None where it failed."""
    explained = {threads: elman.explain(point, threads) for threads in {1, point["threads"]}}
    if any("error" in e for e in explained.values()):
        return None, explained
    steps = point["size"][0]
    one = stream_us if point["pass"] == "stream" else lambda e: e["bound_us"]
    least = min(one(e) + steps * BARRIER_US * (threads > 1) for threads, e in explained.items())
    return least * (3 if point["pass"] == "backward" else 1), explained


def stream_us(explained):
    threads = explained["threads"]
    share = 4 * explained["parameters"] / threads
    fits = [rate for size, rate in explained["read_gbs"] if share <= 1.5 * size]
    reading = share / (fits or [explained["read_gbs"][-1][1]])[0] / 1e3
    return max(reading, (explained["bulk_flops"] + explained["loop_flops"]) / (threads * explained["peak_gflops"]) / 1e3)
