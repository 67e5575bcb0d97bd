#!/usr/bin/env python3
"""One peer, timed on request.

    peer.py PEER THREADS DTYPE

PEER is a name in `PEERS`, DTYPE the type of the weights: f32, bf16 or int8. Reads a JSON object a line from standard input, {"do": …, …}, and answers each with one: what
the peer's method of that name returns, or {"error"}.
"""

import importlib
import json
import os
import sys

# Module and class of each.
PEERS = {
    "reference": ("reference", "Reference"),
    "torch": ("pytorch", "Torch"),
    "torch-compile": ("pytorch", "TorchCompiled"),
    "onnxruntime": ("onnx_runtime", "OnnxRuntime"),
    "openvino": ("open_vino", "OpenVino"),
    "jax": ("jax_scan", "Jax"),
    "lm-torch": ("language_model", "Torch"),
    "lm-torch-compile": ("language_model", "TorchCompiled"),
}


def fix_threads(threads):
    """Before any library is loaded, so that none starts more."""
    for name in ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"]:
        os.environ[name] = str(threads)
    os.environ["JAX_PLATFORMS"] = "cpu"


def main():
    name, threads, dtype = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    fix_threads(threads)
    module, kind = PEERS[name]
    peer = getattr(importlib.import_module(f"peers.{module}"), kind)(threads)
    peer.dtype = dtype
    answers = sys.stdout
    sys.stdout = sys.stderr  # what a library prints is no answer
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(peer, request.pop("do"))(**request)
        except Exception as error:  # whatever a library raises is its answer
            answer = {"error": f"{type(error).__name__}: {error}"[:300]}
        print(json.dumps(answer), file=answers, flush=True)


main()
