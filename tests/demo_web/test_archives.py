"""Bytes of archives, by hand."""

from __future__ import annotations

import dataclasses
import gzip
from datetime import UTC, datetime

import pytest

from demo_web.archives import Capture, chunked, gzipped, json_line, member, sha1, warc_record

PAGE = Capture(
    url="https://a.example/x",
    record_id="urn:uuid:1",
    fetched_at=datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC),
    page_class="good",
    body=b"abc",
)


def test_sha1_is_base32() -> None:
    assert sha1(b"") == "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ"  # the digest every archive has for an empty body


def test_chunked_by_hand() -> None:
    assert chunked(b"", 2) == b"0\r\n\r\n"
    assert chunked(b"abcde", 2) == b"2\r\nab\r\n2\r\ncd\r\n1\r\ne\r\n0\r\n\r\n"


def test_a_response_by_hand() -> None:
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 3\r\n\r\nabc"
    assert warc_record(PAGE) == (
        b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:1>\r\nWARC-Date: 2020-01-02T03:04:05Z\r\n"
        b"WARC-Target-URI: https://a.example/x\r\n"
        + f"WARC-Payload-Digest: {sha1(b'abc')}\r\nWARC-Block-Digest: {sha1(block)}\r\n".encode()
        + b"Content-Type: application/http; msgtype=response\r\nContent-Length: 81\r\n\r\n"
        + block
        + b"\r\n\r\n"
    )
    assert len(block) == 81


def test_a_chunked_body_travels_in_chunks_and_its_digest_is_of_the_payload() -> None:
    record = warc_record(dataclasses.replace(PAGE, chunked=True, headers=(("Transfer-Encoding", "chunked"),)))
    assert record.endswith(b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n\r\n\r\n")
    assert f"WARC-Payload-Digest: {sha1(b'abc')}".encode() in record


def test_requests_revisits_and_bad_dates() -> None:
    request = warc_record(dataclasses.replace(PAGE, kind="request", refers_to="urn:uuid:2"))
    assert b"WARC-Concurrent-To: <urn:uuid:2>\r\n" in request
    assert b"\r\n\r\nGET /x HTTP/1.1\r\nHost: a.example\r\n" in request
    revisit = warc_record(dataclasses.replace(PAGE, kind="revisit", body=b"", refers_to="urn:uuid:2"))
    assert b"WARC-Refers-To: <urn:uuid:2>\r\nWARC-Profile: http://netpreserve.org/" in revisit
    assert b"WARC-Payload-Digest" not in revisit
    undated = warc_record(dataclasses.replace(PAGE, fetched_at=None, bad_date="yesterday"))
    assert b"WARC-Date: yesterday\r\n" in undated


def test_members_hold_no_clock() -> None:
    data = member(b"abc")
    assert data == member(b"abc")
    assert gzip.decompress(data) == b"abc"
    assert data[4:8] == bytes(4)


@pytest.mark.parametrize("data", [b"", b"abc", bytes(range(256)) * 400, "Straße\n".encode() * 9999])
def test_gzip_is_that_of_every_python(data: bytes) -> None:
    """The header that Python 3.13 writes differs from that of 3.11: it is no part of what a digest is taken of."""
    packed = gzipped(data)
    assert packed[:10] == bytes.fromhex("1f8b0800000000000003")
    assert gzip.decompress(packed) == data
    assert packed[10:] == gzip.compress(data, 6, mtime=0)[10:]


def test_a_json_line_by_hand() -> None:
    expected = '{"id": "urn:uuid:1", "url": "https://a.example/x", "fetched_at": "2020-01-02T03:04:05Z", "text": "é"}\n'
    assert json_line(dataclasses.replace(PAGE, body="é".encode())) == expected.encode()
