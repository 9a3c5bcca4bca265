"""fastText models: one text as one line, and predictions in batches.

The binding's `model.f` is used directly: `predict` of fasttext 0.9.3 fails under numpy 2. What else has to be known
of fastText (Joulin et al. 2016, arXiv:1607.01759; src/dictionary.cc) is in `one_line`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import fasttext

from schemas.errors import ConfigError

LABEL_PREFIX = "__label__"
END_OF_LINE = "</s>"

# fastText separates words at ASCII white space and NUL only. Space separators of other scripts, NEL, the line and the
# paragraph separator would otherwise glue words together.
_OTHER_SPACES = "\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000"


def one_line(text: str, max_chars: int) -> str:
    """Return the first `max_chars` characters of `text` as one line that fastText reads as nothing but words.

    * line feeds end an example: they become spaces;
    * the word `</s>` ends one too, and a word that starts with `__label__` is a label, both wherever they stand in a
      text: a space breaks them;
    * half a surrogate pair has no UTF-8: it becomes `?`.
    """
    line = text[:max_chars].replace("\n", " ")
    if not line.isascii():
        for space in _OTHER_SPACES:  # a replace each is 30 times faster than one translate
            line = line.replace(space, " ")
        try:
            line.encode()
        except UnicodeEncodeError:
            line = line.encode("utf-8", "replace").decode()
    if LABEL_PREFIX in line:
        line = line.replace(LABEL_PREFIX, "__ label__")
    return line.replace(END_OF_LINE, "< /s>") if END_OF_LINE in line else line


class FastTextModel:
    """A supervised fastText model, opened for prediction."""

    def __init__(self, path: Path) -> None:
        """Open the model at `path`; the caller has checked its SHA-256, for a damaged file can crash the library."""
        try:
            self._model = fasttext.load_model(str(path)).f
            self._names = {label: label.removeprefix(LABEL_PREFIX) for label in self._model.getLabels("strict")[0]}
        except (ValueError, RuntimeError) as error:
            raise ConfigError(f"model file {path}: not a fastText classifier: {' '.join(str(error).split())}") from None
        # Every line ends with the word </s>. What it alone predicts is what fastText says of a text it knows no word
        # of ("12345" is English with 0.12 for lid.176): no prediction at all.
        self._of_nothing = self._ask(["\n"], 1)[0]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, without fastText's prefix, most frequent first."""
        return tuple(self._names.values())

    def predict_batch(self, texts: Sequence[str], k: int, max_chars: int) -> list[list[tuple[str, float]]]:
        """Return for each text its `k` most probable labels with their probabilities, highest first.

        A text without a word that the model knows has none. The result for a text does not depend on its batch.
        """
        lines = [one_line(text, max_chars) for text in texts]
        # fastText computes exp(log(p + 1e-5)): a certain label has a little more than 1.
        return [
            [] if found[:1] == self._of_nothing and not self._knows_a_word(line) else
            [(self._names[label], min(max(chance, 0.0), 1.0)) for label, chance in found]
            for line, found in zip(lines, self._ask([line + "\n" for line in lines], k), strict=True)
        ]  # fmt: skip

    def _knows_a_word(self, line: str) -> bool:
        """Tell a text the model knows from one it does not where both get the same answer: it may be that sure."""
        return any(self._model.getWordId(word) >= 0 for word in line.split())

    def _ask(self, lines: list[str], k: int) -> list[list[tuple[str, float]]]:
        """Return fastText's labels and probabilities."""
        if not lines:  # the binding is not asked, for it answers with another type
            return []
        labels, probabilities = self._model.multilinePredict(lines, k, 0.0, "strict")
        return [
            list(zip(found, chances.tolist(), strict=True))
            for found, chances in zip(labels, probabilities, strict=True)
        ]
