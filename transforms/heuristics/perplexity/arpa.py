"""A language model as an ARPA file, the text format of SRILM that KenLM reads.

Words are token ids in decimal digits, so that no token can be taken for white space or for `<s>`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from transforms.heuristics.perplexity.kneser_ney import Floats, Level, NgramModel

BOS, EOS, UNKNOWN = "<s>", "</s>", "<unk>"
_BATCH = 10_000  # n-grams that are written together


def arpa_text(model: NgramModel) -> Iterator[str]:
    """Yield the text of the file in pieces of whole lines. Logarithms are to base 10, with seven digits."""
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
    """Yield the lines of a level, several in one text."""
    k = level.tokens.shape[1]
    row = "\t".join(("%.7g", " ".join(["%s"] * k), *(() if highest else ("%.7g",)))) + "\n"
    words = np.array([*map(str, range(model.bos)), BOS, EOS], object)  # BOS and EOS follow the vocabulary
    for at in range(0, len(level.tokens), _BATCH):
        some = slice(at, at + _BATCH)
        columns = [_log10(level.probability[some]), *words[level.tokens[some].T].tolist()]
        if not highest:
            columns.append(_log10(level.backoff[some]))
        yield "".join([row % values for values in zip(*columns, strict=True)])


def _log10(values: Floats) -> list[float]:
    """Return log10 of values; 0, that of <s>, gets 0 as lmplz writes it."""
    logs: list[float] = (np.log10(np.where(values > 0, values, 1.0)) + 0.0).tolist()  # no -0
    return logs
