"""A language model as an ARPA file, the text format of SRILM that KenLM reads.

Words are token ids in decimal digits, so that no token can be taken for white space or for `<s>`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from transforms.heuristics.perplexity.kneser_ney import Floats, Level, NgramModel

BOS, EOS, UNKNOWN = "<s>", "</s>", "<unk>"


def arpa_lines(model: NgramModel) -> Iterator[str]:
    """Yield the lines of the file, each with its line feed. Logarithms are to base 10, with seven digits."""
    counts = [len(level.tokens) for level in model.levels]
    counts[0] += 1  # <unk>
    yield "\\data\\\n"
    yield from (f"ngram {k}={n}\n" for k, n in enumerate(counts, start=1))
    for k, level in enumerate(model.levels, start=1):
        yield f"\n\\{k}-grams:\n"
        if k == 1:
            yield f"{np.log10(model.unknown):.7g}\t{UNKNOWN}\t0\n"
        yield from _level_lines(level, model, highest=k == len(model.levels))
    yield "\n\\end\\\n"


def _level_lines(level: Level, model: NgramModel, *, highest: bool) -> Iterator[str]:
    names = {model.bos: BOS, model.eos: EOS}
    rows = zip(level.tokens.tolist(), _log10(level.probability), _log10(level.backoff), strict=True)
    for tokens, probability, backoff in rows:
        words = " ".join(names.get(token) or str(token) for token in tokens)
        yield f"{probability:.7g}\t{words}\n" if highest else f"{probability:.7g}\t{words}\t{backoff:.7g}\n"


def _log10(values: Floats) -> list[float]:
    """Return log10 of values; 0, that of <s>, gets 0 as lmplz writes it."""
    logs: list[float] = (np.log10(np.where(values > 0, values, 1.0)) + 0.0).tolist()  # no -0
    return logs
