"""MinHash signatures of documents: which two texts are near copies, from a few hundred bytes each.

Broder 1997; settings of FineWeb (word 5-grams, 112 hashes, 14 bands of 8: two texts of Jaccard similarity 0.72 meet in
a band with probability one half). The Llama 3 report (section 3.1.1) names "global MinHash" and no settings.

Words: the text in lower case, each character then on its own: canonical decomposition, marks without width dropped
(diacritics), any digit to 0 (by config), format characters dropped, letters, numbers and spacing marks kept, all else a
space; a character of a script without spaces and syllable marks (transforms.text.scripts: Han, Thai, ...) is a word.
Shingles: `ngram` words in a row; a shorter text is one shingle of all its words; a text without words has no signature
and is never a near copy of anything.

Signatures are bit for bit those of datasketch 2's MinHash (scheme affine32, the same seed, our `shingle_hash`), which
is where the permutations come from. Deviations from datatrove's normalisation: (1) all symbols are spaces, not a fixed
list of them; (2) scripts without spaces are cut by character, there a whole sentence would be one word.
"""

from __future__ import annotations

import functools
import hashlib
import re
import unicodedata
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.errors import ConfigError
from schemas.settings import setting, validate
from transforms.text.scripts import UNMARKED

Signature = npt.NDArray[np.uint32]

_EMPTY = 0xFFFF_FFFF  # datasketch's hash value before anything was added
_MIX = 0x9E37_79B9_7F4A_7C15  # odd: 2**64 / golden ratio
_FINISH = 0xFF51_AFD7_ED55_8CCD  # of MurmurHash3's 64-bit finalizer
_HASH_CHUNK = 512  # shingles at a time: [n_hashes, 512] of u4 stays in the second-level cache
_CACHED_WORDS, _CACHED_WORD_BYTES = 1 << 17, 48  # about 25 MB


@dataclass(frozen=True, kw_only=True)
class MinHashConfig:
    """What a near copy is."""

    n_hashes: int = setting(112, "hash functions of a signature (FineWeb)", ge=1, le=4096)
    bands: int = setting(14, "bands of the signature; two documents that agree in one are compared", ge=1)
    rows: int = setting(8, "hashes of a band; bands * rows must be at most n_hashes", ge=1)
    ngram: int = setting(5, "words of a shingle", ge=1, le=64)
    keep_numbers: bool = setting(
        False, "numbers tell texts apart, as exercises and statistics by year; FineWeb takes any digit for 0"
    )
    seed: int = setting(1, "seed of the hash functions, as in datasketch", ge=0, le=2**32 - 1)
    min_similarity: float = setting(
        0.7, "share of equal hashes, the estimated Jaccard similarity, from which two are copies", gt=0, le=1
    )
    max_bucket_all_pairs: int = setting(
        32, "members up to which a bucket compares every pair; a larger one compares in order of id", ge=2, le=256
    )

    def __post_init__(self) -> None:
        validate(self)
        if self.bands * self.rows > self.n_hashes:
            raise ConfigError(f"bands: {self.bands} is not allowed; bands * rows must be at most {self.n_hashes}")


def words_of(text: str, keep_numbers: bool = False) -> list[bytes]:
    """Return the normalised words of a text, in UTF-8; with `keep_numbers` a digit is its value, not 0."""
    text = text.lower()
    if not text.isascii():
        text = _normal_non_ascii(text, keep_numbers)
    return text.encode().translate(_ascii_table(keep_numbers)).split()


def shingle_hash(shingle: bytes) -> int:
    """Return the 32-bit hash of a shingle, its words joined by one space: the definition that `signature` must equal.

    A polynomial over the blake2b hashes of the words, modulo 2**64, of which the top half is taken after one mixing.
    """
    folded = 0
    for word in shingle.split(b" "):
        folded = (folded * _MIX + int.from_bytes(_word_digest(word), "little")) % 2**64
    return ((folded ^ folded >> 33) * _FINISH) % 2**64 >> 32


def shingle_hashes(text: str, ngram: int, keep_numbers: bool = False) -> npt.NDArray[np.uint32]:
    """Return `shingle_hash` of every shingle of a text, in order; empty when the text has no words."""
    words = np.frombuffer(b"".join(map(_WORD_DIGESTS.__getitem__, words_of(text, keep_numbers))), "<u8")
    if not len(words):
        return np.zeros(0, np.uint32)
    n = min(ngram, len(words))
    count = len(words) - n + 1
    folded = words[:count].copy()
    for shift in range(1, n):
        folded *= np.uint64(_MIX)
        folded += words[shift : shift + count]
    folded ^= folded >> np.uint64(33)
    folded *= np.uint64(_FINISH)
    return (folded >> np.uint64(32)).astype(np.uint32)


def signature(text: str, config: MinHashConfig) -> Signature | None:
    """Return the MinHash signature of a text, [n_hashes] of u4; None when the text has no words."""
    hashes = _fmix32(shingle_hashes(text, config.ngram, config.keep_numbers))
    if not len(hashes):
        return None
    a, b = _permutations(config.n_hashes, config.seed)
    least = np.full(config.n_hashes, _EMPTY, np.uint32)
    buffer = np.empty((config.n_hashes, min(len(hashes), _HASH_CHUNK)), np.uint32)
    for start in range(0, len(hashes), _HASH_CHUNK):
        chunk = hashes[start : start + _HASH_CHUNK]
        permuted = np.multiply(a, chunk, out=buffer[:, : len(chunk)])
        permuted += b
        np.minimum(least, permuted.min(axis=1), out=least)
    return least


def band_hashes(signatures: npt.NDArray[np.uint32], config: MinHashConfig) -> npt.NDArray[np.uint64]:
    """Return a 64-bit hash of each band of signatures [n, n_hashes]: [n, bands]. Equal bands of two places differ."""
    shape = (len(signatures), config.bands, config.rows)
    values = signatures[:, : config.bands * config.rows].reshape(shape).astype(np.uint64)
    folded = np.broadcast_to(np.arange(1, config.bands + 1, dtype=np.uint64), shape[:2]).copy()
    for row in range(config.rows):
        folded *= np.uint64(_MIX)
        folded += values[:, :, row]
        folded ^= folded >> np.uint64(29)  # without it, rows that differ in high bits only would meet in the top
    folded *= np.uint64(_FINISH)
    return folded ^ (folded >> np.uint64(33))


def _fmix32(hashes: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """MurmurHash3's finalizer, which datasketch's scheme affine32 applies to every hash first."""
    hashes = hashes ^ (hashes >> np.uint32(16))
    hashes *= np.uint32(0x85EB_CA6B)
    hashes ^= hashes >> np.uint32(13)
    hashes *= np.uint32(0xC2B2_AE35)
    hashes ^= hashes >> np.uint32(16)
    return hashes


@functools.cache
def _permutations(n_hashes: int, seed: int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """Return datasketch's multipliers and offsets, each [n_hashes, 1] of u4."""
    from datasketch import MinHash  # imports scipy (0.5 s): paid only where signatures are computed

    a, b = MinHash(num_perm=n_hashes, seed=seed, scheme="affine32").permutations
    return a[:, None], b[:, None]


def _word_digest(word: bytes) -> bytes:
    return hashlib.blake2b(word, digest_size=8).digest()


class _WordDigests(dict[bytes, bytes]):
    """Digests of words seen lately. A memory of a pure function: what it holds never changes a result."""

    def __missing__(self, word: bytes) -> bytes:
        digest = _word_digest(word)
        if len(word) <= _CACHED_WORD_BYTES:
            if len(self) >= _CACHED_WORDS:
                self.clear()
            self[word] = digest
        return digest


_WORD_DIGESTS = _WordDigests()

_NON_ASCII = re.compile(r"[^\x00-\x7f]+")
_DENSE = 8  # a text with more than one non-ASCII character in so many is mapped whole, not run by run
_UNMARKED = re.compile(f"[{UNMARKED}]")  # Tibetan is missing: its syllable mark is a space by now


def normal_character(character: str, keep_numbers: bool = False) -> str:
    """Return the normal form of a lower-case character, as words have it: the definition of the normalisation."""
    normal = "".join(_normal_part(part, keep_numbers) for part in unicodedata.normalize("NFD", character))
    normal = unicodedata.normalize("NFC", normal)  # Hangul syllables whole again
    return f" {normal} " if _UNMARKED.match(normal) else normal


def _normal_part(part: str, keep_numbers: bool) -> str:
    category = unicodedata.category(part)
    if category in ("Mn", "Me", "Cf"):
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(part)) if keep_numbers else "0"
    return part if category[0] in "LN" or category == "Mc" else " "


class _NormalCharacters(dict[int, str]):
    def __init__(self, keep_numbers: bool) -> None:
        super().__init__()
        self._keep_numbers = keep_numbers

    def __missing__(self, code: int) -> str:
        self[code] = normal = normal_character(chr(code), self._keep_numbers)
        return normal


_NORMAL_CHARACTERS = (_NormalCharacters(keep_numbers=False), _NormalCharacters(keep_numbers=True))


def _normal_non_ascii(text: str, keep_numbers: bool) -> str:
    """Replace the non-ASCII characters of a lower-case text by their normal form; lone surrogates become spaces."""
    characters = _NORMAL_CHARACTERS[keep_numbers]
    sample = text[: 1 << 12]
    if len(sample.encode("utf-8", "ignore")) > len(sample) * (1 + 1 / _DENSE):
        return text.translate(characters)
    return _NON_ASCII.sub(lambda run: run[0].translate(characters), text)


@functools.cache
def _ascii_table(keep_numbers: bool) -> bytes:
    """Return the normal form of each ASCII byte; the bytes above stay, they are words by now."""
    return bytes(ord(normal_character(chr(code), keep_numbers)) if code < 128 else code for code in range(256))
