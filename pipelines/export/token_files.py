"""The files in which trainers keep tokens, written as they come, with the documents' ends beside them.

`megatron`  NAME.bin, NAME.idx: Megatron-LM's indexed dataset, version 1. The index, little-endian: 9 bytes MMIDIDX 0 0,
            uint64 version, uint8 type of the tokens (8 uint16, 4 int32), uint64 sequences, uint64 documents + 1; then
            int32 tokens of each sequence, int64 byte at which each begins, int64 number of the first sequence of each
            document, and the number of sequences. Here each document is one sequence.
`nanotron`  NAME.ds, NAME.ds.index, NAME.ds.metadata: datatrove's tokenized files, which nanotron's Nanoset reads. The
            index is a uint64 for each document: the token after its last; the metadata, lines of text, is the tokenizer
            and the bytes of a token, then the number of tokens.
`bin`       NAME.bin, NAME.ends, NAME.json: the tokens alone, uint16 or uint32; a uint64 for each document, as above;
            and what a reader needs to know.

All are little-endian. A token has 2 bytes where the vocabulary fits; the limit is each format's own. Memory: a block
of a document's ends; what the index of Megatron needs twice lies in a temporary file of 4 bytes a document.
"""

from __future__ import annotations

import contextlib
import json
import struct
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from pipelines.export.folder import HashedFile, open_hashed
from schemas.errors import RunError
from schemas.shards import TokenizerFacts
from storage.finishing import Raised, finish_or_let_go

Tokens = npt.NDArray[np.uint32]
Places = npt.NDArray[np.int64]

_MEGATRON_SMALL = 65_500  # vocabularies below it are kept in uint16 (DType.optimal_dtype)
_MEGATRON_CODES = {"<u2": 8, "<i4": 4}
_BLOCK = 1 << 16  # documents whose index is made at a time


@dataclass(frozen=True)
class FileFacts:
    """What a token file tells of its tokenizer."""

    tokenizer: TokenizerFacts
    name: str  # of the tokenizer, as a path below the export's folder


class TokenFormat(Protocol):
    """Writes one file of tokens and its index; a context manager: the files appear when the block ends."""

    entries: dict[str, dict[str, Any]]  # bytes and SHA-256 by path, when the block has ended

    def __enter__(self) -> TokenFormat: ...

    def __exit__(self, *error: Any) -> None: ...

    def write(self, tokens: Tokens, starts: Places) -> None:
        """Append tokens; documents begin at `starts`, places among them."""


class _File:
    """Tokens in one file, and an index that each format writes in its own way."""

    tokens_suffix = ""
    index_suffix = ""

    def __init__(self, stem: str, facts: FileFacts, documents: int) -> None:
        self.entries: dict[str, dict[str, Any]] = {}
        self._stem, self._facts, self._documents = stem, facts, documents
        self._dtype = self._type(facts.tokenizer.vocab_size)
        self._tokens = 0
        self._begun = 0  # documents that have begun
        self._stack = contextlib.ExitStack()
        self._data: HashedFile
        self._index: HashedFile

    def _type(self, vocab_size: int) -> np.dtype[Any]:
        return np.dtype("<u2") if vocab_size <= 1 << 16 else np.dtype("<u4")

    def write(self, tokens: Tokens, starts: Places) -> None:
        """Append tokens; documents begin at `starts`, places among them."""
        if not self._begun and (not len(starts) or starts[0] != 0):
            raise RunError(f"{self._stem}: begins within a document")
        self._data.write(np.ascontiguousarray(tokens, self._dtype).data)
        ends = starts + self._tokens
        self._end_documents(ends if self._begun else ends[1:])
        self._begun += len(starts)
        self._tokens += len(tokens)

    def _end_documents(self, ends: Places) -> None:
        """Take the ends of the next documents: numbers of the tokens after their last ones."""
        self._index.write(ends.astype("<u8").data)

    def _close(self) -> None:
        """Write what is known when the last document has ended."""

    def __enter__(self) -> _File:
        with contextlib.ExitStack() as stack:
            self._index = stack.enter_context(open_hashed(f"{self._stem}{self.index_suffix}"))
            self._data = stack.enter_context(open_hashed(f"{self._stem}{self.tokens_suffix}"))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *raised: Raised) -> None:
        if finish_or_let_go(self._stack, self._finish, *raised):
            self.entries[f"{self._stem}{self.tokens_suffix}"] = self._data.entry()
            self.entries[f"{self._stem}{self.index_suffix}"] = self._index.entry()

    def _finish(self) -> None:
        if self._begun:
            self._end_documents(np.array([self._tokens], np.int64))
        self._close()

    def _add(self, suffix: str, data: bytes) -> None:
        """Write a small file beside the tokens."""
        with open_hashed(f"{self._stem}{suffix}") as file:
            file.write(data)
            self.entries[f"{self._stem}{suffix}"] = file.entry()


class NanotronFile(_File):
    """datatrove's `.ds`."""

    tokens_suffix, index_suffix = ".ds", ".ds.index"

    def _close(self) -> None:
        lines = (f"{self._facts.name}|{self._dtype.itemsize}", f"{self._tokens}", f"{self._tokens:,} tokens")
        self._add(".ds.metadata", "\n".join(lines).encode())


class FlatFile(_File):
    """Tokens and nothing else, with a JSON file that says how to read them."""

    tokens_suffix, index_suffix = ".bin", ".ends"

    def _close(self) -> None:
        name = self._stem.rpartition("/")[2]
        facts = self._facts.tokenizer
        plain = {
            "dtype": {2: "uint16", 4: "uint32"}[self._dtype.itemsize],
            "byte_order": "little",
            "tokens": self._tokens,
            "documents": self._begun,
            "tokens_file": f"{name}.bin",
            "ends_file": f"{name}.ends",  # uint64, exclusive
            "vocab_size": facts.vocab_size,
            "bos_id": facts.bos_id,
            "eos_id": facts.eos_id,
            "tokenizer": self._facts.name,
            "tokenizer_sha256": facts.sha256,
        }
        self._add(".json", (json.dumps(plain, indent=1) + "\n").encode())


class MegatronFile(_File):
    """Megatron-LM's indexed dataset, a sequence for each document."""

    tokens_suffix, index_suffix = ".bin", ".idx"

    def __init__(self, stem: str, facts: FileFacts, documents: int) -> None:
        super().__init__(stem, facts, documents)
        self._lengths: Any = None  # temporary file, int32 a document
        self._last_end = 0

    def _type(self, vocab_size: int) -> np.dtype[Any]:
        return np.dtype("<u2") if vocab_size < _MEGATRON_SMALL else np.dtype("<i4")

    def __enter__(self) -> MegatronFile:
        super().__enter__()
        self._lengths = self._stack.enter_context(tempfile.TemporaryFile())
        code = _MEGATRON_CODES[self._dtype.str]
        self._index.write(b"MMIDIDX\0\0" + struct.pack("<QBQQ", 1, code, self._documents, self._documents + 1))
        return self

    def _end_documents(self, ends: Places) -> None:
        lengths = np.diff(ends, prepend=self._last_end).astype("<i4")
        self._last_end = int(ends[-1]) if len(ends) else self._last_end
        self._index.write(lengths.data)
        self._lengths.write(lengths.data)

    def _close(self) -> None:
        """Write where each document begins, in bytes, and then the number of each document."""
        self._lengths.seek(0)
        at = 0
        while block := self._lengths.read(4 * _BLOCK):
            n_bytes = np.frombuffer(block, "<i4").astype(np.int64) * self._dtype.itemsize
            ends = at + np.cumsum(n_bytes)
            self._index.write((ends - n_bytes).astype("<i8").data)
            at = int(ends[-1])
        for first in range(0, self._documents + 1, _BLOCK):
            numbers = np.arange(first, min(first + _BLOCK, self._documents + 1), dtype="<i8")
            self._index.write(numbers.data)


TOKEN_FORMATS: dict[str, Callable[[str, FileFacts, int], Any]] = {
    "megatron": MegatronFile,
    "nanotron": NanotronFile,
    "bin": FlatFile,
}
