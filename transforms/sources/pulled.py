"""bzip2 and xz as codecs of members: decompressors that are asked for so many bytes at a time."""

from __future__ import annotations

import bz2
import lzma
from collections.abc import Callable, Iterator
from typing import Any, Final

from transforms.sources.members import Codec

# A block of bzip2 has up to 900 kB and its checksum is looked at when all of it is out: a usual block comes out in one
# piece, or not at all. Only what is mostly repetition can be longer, up to 46 MB.
BZIP2_OUT_BYTES: Final = 4 << 20
XZ_OUT_BYTES: Final = 1 << 18
XZ_MEMORY: Final = 1 << 28


class _PulledMember:
    def __init__(self, name: str, make: Callable[[], Any], out_bytes: int) -> None:
        self._name, self._member, self._out_bytes = name, make(), out_bytes

    @property
    def eof(self) -> bool:
        return bool(self._member.eof)

    @property
    def left(self) -> int:
        return len(self._member.unused_data)

    def feed(self, data: bytes) -> Iterator[bytes]:
        while True:
            try:
                out = self._member.decompress(data, self._out_bytes)
            except (OSError, ValueError, lzma.LZMAError) as error:
                raise RuntimeError(f"invalid {self._name} data") from error  # what `inflate` knows as corrupt
            if out:
                yield out
            if self._member.eof or self._member.needs_input:
                return
            data = b""


def _xz() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY)


BZIP2: Final = Codec("bzip2", b"BZh", lambda: _PulledMember("bzip2", bz2.BZ2Decompressor, BZIP2_OUT_BYTES))
XZ: Final = Codec("xz", b"\xfd7zXZ\0", lambda: _PulledMember("xz", _xz, XZ_OUT_BYTES))
