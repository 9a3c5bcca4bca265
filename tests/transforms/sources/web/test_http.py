"""Codings declared, wrongly declared and missing: transforms.sources.web.http."""

from __future__ import annotations

import contextlib
import gzip
import tracemalloc
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import BadRecord
from transforms.sources.web.http import Head, decode_body, looks_like_text, parse_head

TEXT = "<html>\u00e4 \u4e16\u754c</html>".encode() * 50
LIMIT = 1 << 20


def _deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def _chunked(data: bytes, size: int = 100, extension: str = "", end: str = "\r\n") -> bytes:
    chunks = [data[i : i + size] for i in range(0, len(data), size)]
    framed = [f"{len(chunk):x}{extension}{end}".encode() + chunk + end.encode() for chunk in chunks]
    return b"".join(framed) + f"0{end}{end}".encode()


PACKED = {
    "gzip": gzip.compress(TEXT),
    "br": brotli.compress(TEXT),
    "zstd": zstandard.ZstdCompressor().compress(TEXT),
    "deflate": zlib.compress(TEXT),
}


@pytest.mark.parametrize("coding", PACKED)
def test_declared_codings_are_removed(coding: str) -> None:
    assert decode_body(PACKED[coding], (coding,), LIMIT) == TEXT
    assert decode_body(_chunked(PACKED[coding]), (coding, "chunked"), LIMIT) == TEXT


def test_raw_deflate_and_layers() -> None:
    assert decode_body(_deflate(TEXT), ("deflate",), LIMIT) == TEXT
    assert decode_body(brotli.compress(gzip.compress(TEXT)), ("gzip", "br"), LIMIT) == TEXT
    assert decode_body(gzip.compress(gzip.compress(TEXT)), ("gzip",), LIMIT) == TEXT
    assert decode_body(gzip.compress(TEXT[:70]) + gzip.compress(TEXT[70:]), ("gzip",), LIMIT) == TEXT


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate", "chunked"])
def test_a_declared_coding_that_is_not_there(coding: str) -> None:
    assert decode_body(TEXT, (coding,), LIMIT) == TEXT
    assert decode_body(b"", (coding,), LIMIT) == b""
    assert decode_body(b"plain words", (coding,), LIMIT) == b"plain words"


def test_a_wrong_name_for_the_coding() -> None:
    assert decode_body(PACKED["gzip"], ("br",), LIMIT) == TEXT
    assert decode_body(PACKED["gzip"], ("deflate",), LIMIT) == TEXT
    assert decode_body(PACKED["zstd"], ("gzip",), LIMIT) == TEXT


def test_codings_nobody_declared() -> None:
    assert decode_body(PACKED["gzip"], (), LIMIT) == TEXT
    assert decode_body(_chunked(TEXT), (), LIMIT) == TEXT
    assert decode_body(_chunked(PACKED["gzip"]), (), LIMIT) == TEXT
    assert decode_body(_chunked(PACKED["gzip"]), ("gzip",), LIMIT) == TEXT


def test_forms_of_chunked() -> None:
    declared = ("chunked",)
    assert decode_body(_chunked(TEXT, 7, ";name=value"), declared, LIMIT) == TEXT
    assert decode_body(_chunked(TEXT, 64, end="\n"), declared, LIMIT) == TEXT
    assert decode_body(_chunked(TEXT).replace(b"64\r\n", b"64  \r\n"), declared, LIMIT) == TEXT
    assert decode_body(b"0\r\n\r\n", declared, LIMIT) == b""
    assert decode_body(b"A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n", declared, LIMIT) == b"0123456789"


def test_chunked_cut_off_or_broken_in_the_midst() -> None:
    body = _chunked(TEXT)
    assert decode_body(body[: len(body) // 2], ("chunked",), LIMIT) == TEXT[: len(TEXT)][: _payload(len(body) // 2)]
    assert decode_body(b"3\r\nabc\r\n3\r\ndefXX", ("chunked",), LIMIT) == b"abcdef"


def _payload(n: int) -> int:
    """Bytes of payload in the first n bytes of 100-byte chunks: each takes 4 + 100 + 2."""
    whole, rest = divmod(n, 106)
    return whole * 100 + min(max(rest - 4, 0), 100)


def test_text_that_only_looks_chunked_stays() -> None:
    for body in (b"abc\r\nis a hexadecimal number", b"12\n", b"0 is nothing", b"10\r\nshort"):
        assert decode_body(body, (), LIMIT) == body


@pytest.mark.parametrize("coding", PACKED)
def test_cut_off_bodies_give_what_there_is(coding: str) -> None:
    packed = PACKED[coding]
    found = decode_body(packed[: len(packed) - 5], (coding,), LIMIT)
    assert TEXT.startswith(found) if coding != "zstd" else found == b""


def test_a_corrupt_gzip_body_gives_what_comes_before() -> None:
    noise = bytes(range(32, 127)) * 300
    packed = bytearray(gzip.compress(noise, 0))
    packed[20_000] ^= 255
    assert decode_body(bytes(packed), ("gzip",), LIMIT)[:100] == noise[:100]


@pytest.mark.parametrize("coding", ["br", "deflate"])
def test_neither_text_nor_the_coding(coding: str) -> None:
    with pytest.raises(BadRecord) as raised:
        decode_body(b"\x00\xff\x07\x80" * 20, (coding,), LIMIT)
    assert raised.value.cause == "undecodable_body"


@pytest.mark.parametrize("coding", PACKED)
def test_limit_of_the_decoded_body(coding: str) -> None:
    assert decode_body(PACKED[coding], (coding,), len(TEXT)) == TEXT
    with pytest.raises(BadRecord) as raised:
        decode_body(PACKED[coding], (coding,), len(TEXT) - 1)
    assert raised.value.cause == "oversized_decoded_body"


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate"])
def test_bombs_are_bounded(coding: str) -> None:
    pack = {"gzip": gzip.compress, "br": brotli.compress, "deflate": zlib.compress}.get(coding)
    bomb = (pack or zstandard.ZstdCompressor().compress)(bytes(16 << 20))
    tracemalloc.start()
    with pytest.raises(BadRecord, match="oversized"):
        decode_body(bomb, (coding,), LIMIT)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


def test_head_of_a_response() -> None:
    block = (
        b"HTTP/1.1 200 OK\r\nX-Content-Type: no\r\nCONTENT-TYPE :  Text/HTML ; charset = 'ISO-8859-1'\r\n"
        b"Content-Encoding: x-gzip,\r\n br\r\nTransfer-Encoding: chunked\r\nX-Crawl-Content-Encoding: zstd\r\n\r\nbody"
    )
    head = parse_head(block)
    assert head == Head(200, "text/html", "iso-8859-1", ("gzip", "br", "chunked"), len(block) - 4)


def test_heads_without_an_end_or_without_anything() -> None:
    assert parse_head(b"HTTP/1.1 200 OK\r\nContent-Type: text/html") == Head(200, "text/html", "", (), 40)
    assert parse_head(b"") == Head(0, "", "", (), 0)
    assert parse_head(b"x", "text/html; charset=x") == Head(0, "text/html", "x", (), 0)
    assert parse_head(b"HTTP/1.1 200 OK\nContent-Type: a/b\n\nHi").body_start == 35


def test_text_or_not() -> None:
    assert looks_like_text(b"")
    assert looks_like_text("\u4e16\u754c\n".encode())
    assert looks_like_text("a".encode("utf-16"))
    assert not looks_like_text(b"a\x00")


@settings(deadline=None, max_examples=150)
@given(
    body=st.binary(max_size=200),
    packed=st.sampled_from(["", *PACKED]),
    codings=st.lists(st.sampled_from(["gzip", "br", "zstd", "deflate", "chunked"]), max_size=3),
    flip=st.integers(0, 5000),
)
def test_any_bytes_decode_within_the_limit_or_are_bad_records(
    body: bytes, packed: str, codings: list[str], flip: int
) -> None:
    data = bytearray(PACKED.get(packed, b"") + body)
    if data:
        data[flip % len(data)] ^= 1 + flip % 255
    with contextlib.suppress(BadRecord):
        assert len(decode_body(bytes(data), tuple(codings), 4096)) <= 4096


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=300))
def test_any_bytes_have_a_head(block: bytes) -> None:
    for data in (block, b"HTTP/1.1 200 OK\r\n" + block):
        assert 0 <= parse_head(data).body_start <= len(data)
