"""Tables and means of what was measured. A ratio is Elman's time over the fastest peer's: below 1, Elman is faster."""

import statistics
from pathlib import Path

MARKS = "<!-- speed, by bench/run.py -->\n", "<!-- /speed -->\n"
# Title and package of each peer.
TITLES = {
    "torch": ("PyTorch", "torch"), "torch-compile": ("torch.compile", "torch"), "onnxruntime": ("ONNX Runtime", "onnxruntime"),
    "openvino": ("OpenVINO", "openvino"), "jax": ("JAX", "jax"),
}


def ratio(record, peers=None, key="median_us"):
    """Elman's time over that of the fastest of `peers`, all unless given; None where either is missing."""
    results = record["results"]
    others = [r[key] for name, r in results.items() if name != "elman" and (peers is None or name in peers)]
    return results["elman"][key] / min(others) if "elman" in results and others else None


def least(record):
    """The ratio that the lower bound itself would have."""
    fastest = best(record)
    return record["bound_us"] / record["results"][fastest]["median_us"] if fastest and record["bound_us"] else None


def best(record):
    others = {name: r["median_us"] for name, r in record["results"].items() if name != "elman"}
    return min(others, key=others.get) if others else None


def label(record):
    kind = {"forward": "", "backward": " +grad", "stream": " stream"}[record["pass"]]
    size = record["size"][2:] if record["pass"] == "stream" else record["size"]
    return f"{record['cell']}{kind}", ",".join(map(str, size))


def heading(peers):
    shown = [f"{'cell':22}", f"{'T,B,H':>12}", "th", f"{'elman µs':>16}", f"{'bound':>5}", "ratio"]
    return "  ".join(shown + [f"{name:>13}" for name in peers])


def row(record, peers):
    cell, size = label(record)
    results, own = record["results"], record["results"].get("elman")
    shown = [f"{cell:22}", f"{size:>12}", f"{record['threads']:>2}"]
    shown.append(f"{own['median_us']:>10,.1f} ±{50 * own['spread']:3.0f}%" if own else f"{'–':>16}")
    shown.append(f"{100 * record['bound_us'] / own['median_us']:4.0f}%" if own and record["bound_us"] else f"{'–':>5}")
    shown.append(number(ratio(record), 5))
    return "  ".join(shown + [f"{results[n]['median_us']:>13,.1f}" if n in results else f"{'–':>13}" for n in peers])


def number(value, width=0):
    return f"{value:{width}.2f}" if value is not None else f"{'–':>{width}}"


def mean(values):
    values = [v for v in values if v is not None]
    return statistics.geometric_mean(values) if values else None


def best_of_threads(records):
    """Streams, each contender at the number of threads that suits it."""
    together = {}
    for record in records:
        results = together.setdefault((record["cell"], *record["size"]), {**record, "results": {}, "threads": "best"})["results"]
        for name, result in record["results"].items():
            if name not in results or result["median_us"] < results[name]["median_us"]:
                results[name] = result
    return list(together.values())


def means(records):
    """Geometric means by pass, pooled and for each cell."""
    lines = ["", "geometric means of the ratios, and the worst", f"{'':24}{'points':>7}{'best peer':>11}{'torch':>8}{'compile, jax':>14}{'worst':>7}{'p99':>7}{'at the bound':>14}"]
    for kind in ["forward", "backward", "stream"]:
        of_kind = [r for r in records if r["pass"] == kind]
        if kind == "stream":
            of_kind = best_of_threads(of_kind)
        cells = list(dict.fromkeys(r["cell"] for r in of_kind))
        groups = {kind: of_kind} | {f"  {cell}": [r for r in of_kind if r["cell"] == cell] for cell in cells}
        lines += [mean_row(name, group) for name, group in groups.items() if group]
    return lines


def mean_row(name, group):
    all_ = [ratio(r) for r in group]
    found = [r for r in all_ if r is not None]
    written = mean(ratio(r, ["torch-compile", "jax"]) for r in group)
    tail = mean(ratio(r, key="p99_us") for r in group) if group[0]["pass"] == "stream" else None
    return (
        f"{name:24}{len(found):>7}{number(mean(all_), 11)}{number(mean(ratio(r, ['torch']) for r in group), 8)}"
        f"{number(written, 14)}{number(max(found, default=None), 7)}{number(tail, 7)}{number(mean(least(r) for r in group), 14)}"
    )


def behind(records):
    """Points where a peer is faster, worst first."""
    streams = best_of_threads([r for r in records if r["pass"] == "stream"])
    points = [r for r in records if r["pass"] != "stream"] + streams
    slower = sorted((r for r in points if (ratio(r) or 0) > 1), key=ratio, reverse=True)
    lines = ["", f"slower than the best peer: {len(slower)} of {len(points)} points"]
    for r in slower:
        cell, size = label(r)
        theirs = r["results"][best(r)]["median_us"]
        lines.append(f"{ratio(r):6.2f}  {cell:22}{size:>12}  th {r['threads']}  {r['results']['elman']['median_us']:,.1f} µs; {best(r)} {theirs:,.1f}")
    return lines


def worse_with_two(records):
    """Points where two threads take longer than one."""
    times = {(*label(r), r["threads"]): r["results"]["elman"]["median_us"] for r in records if "elman" in r["results"]}
    pairs = [(times[cell, size, 2] / one, cell, size) for (cell, size, n), one in times.items() if n == 1 and (cell, size, 2) in times]
    slower = sorted((p for p in pairs if p[0] > 1), reverse=True)
    lines = ["", f"two threads slower than one: {len(slower)} of {len(pairs)} points"]
    return lines + [f"{share:6.2f}  {cell:22}{size:>12}" for share, cell, size in slower]


def put_table(file, records, peers, about):
    """The table in Markdown, in place of what stands between the marks in `file`."""
    file = Path(file)
    text = file.read_text()
    before, found, rest = text.partition(MARKS[0])
    _, ended, after = rest.partition(MARKS[1])
    if not (found and ended):
        raise SystemExit(f"{file}: no lines {MARKS[0].strip()} and {MARKS[1].strip()} to put the table between")
    file.write_text(before + found + "\n".join(markdown(records, peers, about)) + "\n" + ended + after)


def markdown(records, peers, about):
    titles = [f"{title} {about['versions'][package].split('+')[0]}" for title, package in map(TITLES.get, peers)]
    columns = ["cell; steps, batch, hidden", "threads", "Elman µs (spread)", "bound", "best peer", *titles]
    lines = [f"{about['cores']} cores of an {about['cpu']}, commit {about['commit'][:7]}:", ""]
    lines += ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    for r in records:
        cell, size = label(r)
        own = r["results"].get("elman")
        if not own:
            continue
        bound = f"{100 * r['bound_us'] / own['median_us']:.0f}%" if r["bound_us"] else "–"
        digits = 1 if own["median_us"] < 100 else 0
        each = [number(ratio(r, [name])) for name in peers]
        shown = [f"{cell.replace(' +grad', ' with gradients')}; {size.replace(',', ', ')}", str(r["threads"])]
        shown += [f"{own['median_us']:,.{digits}f} (±{50 * own['spread']:.0f}%)", bound, number(ratio(r)), *each]
        lines.append("| " + " | ".join(shown) + " |")
    return lines
