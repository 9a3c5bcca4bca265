"""A model file: a tokenizer and one n-gram model a language; how texts are cut for it and scored by KenLM.

The file is a zip of `tokenizer.json` and `LANGUAGE.arpa`, whose dates are fixed, so that equal models are equal bytes.

The score is CCNet's (Wenzek et al. 2020, arXiv:1911.00359, section 3.3; cc_net/perplexity.py): each line is a sentence,

    perplexity = 10 ^ (-(sum over lines of log10 p(line)) / (sum over lines of tokens + 1))      lower: more usual

Deviations:
 1. Tokens are those of a byte-level BPE, the kind that a run trains for itself, not of a SentencePiece unigram model:
    no other library, and no character without a spelling. Values cannot be compared with those of CCNet's own models.
 2. Lines are taken in small letters with 0 for every digit, as in CCNet; accents and punctuation stay, since without
    combining marks words of Indic scripts are others.
 3. Code, formulas and table rows are left out: a model of prose does not know them (`TextView.in_words`).
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import re
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import storage
from schemas.errors import ConfigError, InputError
from transforms.heuristics.perplexity.arpa import arpa_text
from transforms.heuristics.perplexity.kneser_ney import NgramModel
from transforms.text.view import TextView
from transforms.tokens.tokenizer import Tokenizer, TokenizerConfig, load

EXTRA = "perplexity: needs the extra `perplexity`: pip install 'winnow-corpus[perplexity]'"
_TOKENIZER = "tokenizer.json"
_DATE = (1980, 1, 1, 0, 0, 0)
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True)
class Score:
    """What a model says of a text."""

    log10: float  # of the probability of its lines
    n_tokens: int  # one more for each line, its end

    @property
    def perplexity(self) -> float | None:
        """CCNet's perplexity; None for a text without words."""
        return float(10.0 ** (-self.log10 / self.n_tokens)) if self.n_tokens else None


def lines_of(view: TextView) -> list[str]:
    """Return the lines of the prose of a text that are not blank, in small letters, with 0 for every digit."""
    text = _DIGIT.sub("0", view.in_words.text.lower())
    return [line for line in map(str.strip, text.split("\n")) if line]


def pack(tokenizer: bytes, models: Mapping[str, NgramModel]) -> bytes:
    """Return the bytes of a model file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        archive.writestr(_entry(_TOKENIZER), tokenizer)
        for language, model in sorted(models.items()):
            with archive.open(_entry(f"{language}.arpa"), "w", force_zip64=True) as member:
                for text in arpa_text(model):
                    member.write(text.encode())
    return file.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def check_kenlm() -> None:
    """Raise ConfigError where KenLM is not installed."""
    if importlib.util.find_spec("kenlm") is None:
        raise ConfigError(EXTRA)


def read_pinned(path: str, sha256: str) -> bytes:
    """Return a model file, local or remote. Raises ConfigError when it is not there or has another SHA-256."""
    try:
        data = storage.read_bytes(path)
    except (InputError, OSError) as error:
        raise ConfigError(f"perplexity model {error}") from None
    found = hashlib.sha256(data).hexdigest()
    if found != sha256.strip().lower():
        raise ConfigError(f"perplexity model {path}: its SHA-256 is {found}, not {sha256} as configured")
    return data


@dataclass(frozen=True)
class PerplexityModel:
    """An open model file. It cannot be pickled; each process that scores holds all its languages in memory."""

    tokenizer: Tokenizer
    models: Mapping[str, Any]  # kenlm.Model by language
    words: Sequence[str]  # of each token id, as in ARPA files

    @staticmethod
    def open(data: bytes, name: str) -> PerplexityModel:
        """Return the model in the bytes of the file `name`. Raises ConfigError when it is none, or without KenLM."""
        check_kenlm()
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                tokenizer = load(archive.read(_TOKENIZER), name, TokenizerConfig())
                arpas = [member for member in archive.namelist() if member.endswith(".arpa")]
                models = {member.removesuffix(".arpa"): _kenlm(archive, member) for member in sorted(arpas)}
        except (zipfile.BadZipFile, KeyError, OSError) as error:
            what = " ".join(str(error).split())
            raise ConfigError(f"perplexity model {name}: not a file of train-perplexity ({what})") from None
        return PerplexityModel(tokenizer, models, [str(token) for token in range(tokenizer.vocab_size)])

    def score(self, views: Sequence[TextView], languages: Sequence[str]) -> list[Score | None]:
        """Return the score of each text; None where there is no model of its language."""
        known = [language in self.models for language in languages]
        lines = [lines_of(view) if one else [] for view, one in zip(views, known, strict=True)]
        encoded = iter(self.tokenizer.encode_batch([line for some in lines for line in some]))
        scores: list[Score | None] = []
        for some, language, one in zip(lines, languages, known, strict=True):
            ids = [next(encoded)[1:-1].tolist() for _ in some]
            scores.append(self._score_lines(self.models[language], ids) if one else None)
        return scores

    def _score_lines(self, model: Any, lines: Iterable[Sequence[int]]) -> Score:
        total, n_tokens, words = 0.0, 0, self.words
        for ids in lines:
            total += model.score(" ".join([words[token] for token in ids]), bos=True, eos=True)
            n_tokens += len(ids) + 1
        return Score(total, n_tokens)


def _kenlm(archive: zipfile.ZipFile, member: str) -> Any:
    import kenlm

    settings = kenlm.Config()
    settings.show_progress = False
    settings.arpa_complain = kenlm.ARPALoadComplain.NONE  # that a binary file would load faster
    with tempfile.TemporaryDirectory() as folder:
        path = Path(archive.extract(member, folder))
        return kenlm.Model(str(path), settings)  # read into memory: an ARPA file is not mapped
