#!/usr/bin/env python3
"""Writes what sacreBLEU and rouge_score say of made-up texts.

    python reference/text_metrics.py reference/data/text_metrics.json

The texts are sentences of this file and words drawn from a small list, with a fixed seed: several languages, scripts,
punctuation next to digits, odd spaces, empty texts.
"""

import json
import random
import sys
from importlib.metadata import version

from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU, CHRF

WORDS = """the cat a dog runs, sat on mat. 3.5 1,000 $5 e.g. U.S. it's "quoted" (aside) state-of-the-art 7-8 - – — ! ? ...
кошка сидит на ковре, собака бежит. «Да», сказал он; 12,5 3-й что-то № 5€ der Hund läuft schnell über Straße; où l'été
naïve? 猫は 寝る。 ২০২৩। 50% x=y+2 <tag> &amp; &quot;a&quot; &lt;b&gt; <skipped> a/b C# @user http://a.b/c?d=e 👍 ½ ² Ⅳ""".split()

BY_HAND = {
    "good": (
        ["The cat sat on the mat.", "It costs 1,000.50 dollars, e.g. in the U.S.", "A man in a blue shirt is standing."],
        ["The cat sat on a mat.", "It costs 1,000.50 dollars, for example in the US.", "A man in a blue shirt stands."],
    ),
    "russian": (
        ["Кошка сидит на ковре, а собака бежит.", "«Да», — сказал он. Было 12,5 градуса.", "Он пришёл в 2020."],
        ["Кошка сидела на ковре, а собака бежала.", "«Нет», — сказал он: было 12,5 градусов.", "Он пришёл в 2020."],
    ),
    "short": (["a b", "c"], ["a b", "d e f"]),
    "no match": (["one two three four five"], ["six seven eight nine ten"]),
    "no 4-gram": (["a b c x d e f"], ["a b c y d e f"]),
    "empty given": (["", "so it is said here"], ["not empty", "so it is said there"]),
    "all empty": (["", ""], ["", "a"]),
    "spaces": ([" two  spaces\tand a\u00a0tab \u001fand more ", "-- 5..6 ,, 7"], ["two spaces and a tab and more", "-5.6, 7"]),
}


def drawn(rng, texts):
    """Texts, and the same with words lost, changed and moved."""
    wanted = [[rng.choice(WORDS) for _ in range(rng.randint(1, 25))] for _ in range(texts)]
    given = []
    for words in wanted:
        words = [rng.choice(WORDS) if rng.random() < 0.15 else w for w in words if rng.random() > 0.08]
        if len(words) > 3 and rng.random() < 0.3:
            words[1], words[2] = words[2], words[1]
        given.append(" ".join(words))
    return given, [" ".join(words) for words in wanted]


def bleu(tokens, given, references):
    """BLEU, its parts and its signature; `references` are those of each text."""
    metric = BLEU(tokenize=tokens)
    score = metric.corpus_score(given, list(zip(*references)))
    parts = {"counts": score.counts, "totals": score.totals, "precisions": score.precisions, "bp": score.bp}
    lengths = {"given_tokens": score.sys_len, "wanted_tokens": score.ref_len}
    return {"score": score.score, "signature": str(metric.get_signature())} | parts | lengths


def chrf(given, references):
    """chrF and its signature."""
    metric = CHRF()
    score = metric.corpus_score(given, list(zip(*references)))
    return {"score": score.score, "signature": str(metric.get_signature())}


def rouge(given, wanted):
    """Precision, recall and F1 of three kinds, means over texts."""
    kinds = ["rouge1", "rouge2", "rougeL"]
    scorer = RougeScorer(kinds, use_stemmer=False)
    scores = [scorer.score(w, g) for g, w in zip(given, wanted)]
    mean = lambda kind, part: sum(getattr(s[kind], part) for s in scores) / len(scores)
    return {kind: [mean(kind, part) for part in ["precision", "recall", "fmeasure"]] for kind in kinds}


def case(name, given, references):
    """All figures of a case; ROUGE against the first reference."""
    tokens = {t: bleu(t, given, references) for t in ["13a", "none", "intl"]}
    first = [r[0] for r in references]
    return {"name": name, "given": given, "references": references, "bleu": tokens, "chrf": chrf(given, references),
            "rouge": rouge(given, first)}


def main(path):
    rng = random.Random(5)
    cases = [case(name, given, [[w] for w in wanted]) for name, (given, wanted) in BY_HAND.items()]
    for k in range(6):
        given, wanted = drawn(rng, 30)
        cases.append(case(f"drawn {k}", given, [[w] for w in wanted]))
    given, wanted = drawn(rng, 40)
    others = [drawn(rng, 1)[0][0] if k % 3 == 0 else " ".join(w.split()[::-1]) for k, w in enumerate(given)]
    cases.append(case("two references", given, [[w, o] for w, o in zip(wanted, others)]))
    versions = {name: version(name) for name in ["sacrebleu", "rouge_score"]}
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"versions": versions, "cases": cases}, file, ensure_ascii=False, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main(sys.argv[1])
