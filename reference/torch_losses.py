#!/usr/bin/env python3
"""Writes what PyTorch computes for the structured losses, in f64, as JSON.

    python reference/torch_losses.py reference/data/losses.json

CRF: the forward algorithm by torch.logsumexp and its gradients by autograd, the best path by the same recursion with
maxima. CTC: torch.nn.functional.ctc_loss, whose gradient is taken by the logits.
"""

import json
import sys
from pathlib import Path

import torch

SCALE = 0.75
CRF_SIZES = [(17, 23), (5, 40), (3, 1)]
# steps, symbols with the blank, target
CTC_CASES = [
    (30, 11, [3, 1, 4, 1, 5, 9, 2, 6]),
    (12, 5, [2, 2, 2, 4, 4]),
    (8, 5, [1, 1, 3, 3, 3]),
    (9, 4, []),
    (1, 3, [2]),
]


def listed(tensor):
    return tensor.detach().flatten().tolist()


def crf_case(tags, steps, generator):
    def draw(*shape):
        return (3 * torch.randn(*shape, dtype=torch.float64, generator=generator)).requires_grad_()

    z, pairs, start, end = draw(steps, tags), draw(tags, tags), draw(tags), draw(tags)
    target = torch.randint(tags, (steps,), generator=generator)
    alpha = start + z[0]
    for row in z[1:]:
        alpha = torch.logsumexp(alpha[:, None] + pairs, 0) + row
    gold = start[target[0]] + z[torch.arange(steps), target].sum() + pairs[target[:-1], target[1:]].sum() + end[target[-1]]
    loss = torch.logsumexp(alpha + end, 0) - gold
    gradients = torch.autograd.grad(SCALE * loss, [z, pairs, start, end])

    score, came = start + z[0], []
    for row in z[1:]:
        most, before = (score[:, None] + pairs).max(0)
        came.append(before.tolist())
        score = most + row
    path = [int((score + end).argmax())]
    for before in reversed(came):
        path.append(before[path[-1]])
    return {
        "tags": tags, "emissions": listed(z), "transitions": listed(pairs), "start": listed(start), "end": listed(end),
        "target": target.tolist(), "loss": loss.item(), "best": path[::-1], "score": (score + end).max().item(),
        "d_emissions": listed(gradients[0]), "d_transitions": listed(gradients[1]),
        "d_start": listed(gradients[2]), "d_end": listed(gradients[3]),
    }  # fmt: skip


def ctc_case(steps, symbols, target, generator):
    z = (3 * torch.randn(steps, symbols, dtype=torch.float64, generator=generator)).requires_grad_()
    loss = torch.nn.functional.ctc_loss(
        torch.log_softmax(z, 1)[:, None],
        torch.tensor([target], dtype=torch.long),
        torch.tensor([steps]),
        torch.tensor([len(target)]),
        reduction="sum",
    )
    (gradient,) = torch.autograd.grad(SCALE * loss, [z])
    return {
        "symbols": symbols, "logits": listed(z), "target": target, "loss": loss.item(), "d_logits": listed(gradient),
    }  # fmt: skip


def main():
    generator = torch.Generator().manual_seed(5)
    cases = {
        "scale": SCALE,
        "crf": [crf_case(tags, steps, generator) for tags, steps in CRF_SIZES],
        "ctc": [ctc_case(*case, generator) for case in CTC_CASES],
    }
    Path(sys.argv[1]).write_text(json.dumps(cases) + "\n")


if __name__ == "__main__":
    main()
