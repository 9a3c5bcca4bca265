"""Archives: every entry has a fate, whatever the archive was made for."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import lz4.frame
import pytest
import zstandard

from tests.transforms.sources.github.conftest import CODE, MIT, Read, tar, tree, zipped

Reader = Callable[..., Read]
FILES = {"name-abc/src/a.py": CODE, "name-abc/LICENSE": MIT, "name-abc/src/b.js": "let a = 1;\n"}
PACKED: dict[str, Callable[[bytes], bytes]] = {
    ".tar": bytes,
    ".tar.gz": lambda data: gzip.compress(data, mtime=0),
    ".tgz": lambda data: gzip.compress(data[:700], mtime=0) + gzip.compress(data[700:], mtime=0),
    ".tar.bz2": bz2.compress,
    ".tar.xz": lzma.compress,
    ".tar.zst": zstandard.ZstdCompressor().compress,
    ".tar.lz4": lz4.frame.compress,
}


@pytest.mark.parametrize("ending", [*PACKED, ".zip"])
def test_every_kind(read: Reader, tmp_path: Path, ending: str) -> None:
    """The licence comes behind the files that it is for; GitHub's archives name their commit."""
    data = zipped(FILES) if ending == ".zip" else PACKED[ending](tar(FILES, comment="c0ffee"))
    path = tmp_path / f"owner__name{ending}"
    path.write_bytes(data)
    found = read([path])
    assert found.fates == {
        "owner/name:name-abc/src/a.py": "", "owner/name:name-abc/LICENSE": "legal_text",
        "owner/name:name-abc/src/b.js": "",
    }  # fmt: skip
    text = found.texts["owner/name:name-abc/src/a.py"]
    assert text.text == CODE.rstrip()
    assert found.licence("owner/name:name-abc/src/a.py") == ("MIT", "name-abc/LICENSE")
    assert text.facts.revision == ("" if ending == ".zip" else "c0ffee")
    assert found.items[0].fetched_at is not None


def test_an_archive_in_a_repository_is_a_file_of_it(read: Reader, tmp_path: Path) -> None:
    found = read(tree(tmp_path / "r", {"README": "words", "tests/a.zip": zipped(FILES), "b.parquet": b"PAR1"}))
    assert found.fates == {"r:README": "", "r:tests/a.zip": "binary", "r:b.parquet": "binary"}


def test_names_that_lead_out_links_and_second_entries(read: Reader, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in ("../../etc/a.py", "/etc/b.py", "ok/./c.py", "ok/c.py", "a\\..\\..\\d.py", "C:/e.py"):
            info = tarfile.TarInfo(name)
            info.size = len(CODE)
            archive.addfile(info, io.BytesIO(CODE.encode()))
        for name, kind in (("link.py", tarfile.SYMTYPE), ("hard.py", tarfile.LNKTYPE), ("pipe.py", tarfile.FIFOTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "../../../etc/passwd"
            archive.addfile(info)
    (tmp_path / "x.tar").write_bytes(buffer.getvalue())
    assert [(item.record_id, getattr(item, "reason", "")) for item in read([tmp_path / "x.tar"]).items] == [
        ("x:../../etc/a.py", "unsafe_name"), ("x:etc/b.py", "unsafe_name"), ("x:ok/c.py", ""),
        ("x:ok/c.py", "duplicate_name"), ("x:a/../../d.py", "unsafe_name"), ("x:C:/e.py", "unsafe_name"),
        ("x:link.py", "link"), ("x:hard.py", "link"), ("x:pipe.py", "special_file"),
    ]  # fmt: skip
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, mode in (("link.py", 0o120777), ("a.py", 0o100644)):
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, CODE)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.py", "other")
    (tmp_path / "y.zip").write_bytes(buffer.getvalue())
    found = read([tmp_path / "y.zip"])
    assert [getattr(item, "reason", "") for item in found.items] == ["link", "", "duplicate_name"]
    assert found.texts["y:a.py"].text == CODE.rstrip()


def causes(found: Read) -> list[str]:
    return [item.cause for item in found.items if hasattr(item, "cause")]


def test_bombs(read: Reader, tmp_path: Path) -> None:
    """What comes out of an archive is bounded together, by file and by header."""
    zeros = b"\0" * (3 << 20)
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(tar({"a.py": CODE, "big.py": zeros, "c.py": CODE})))
    found = read([tmp_path / "a.tar.gz"], max_archive_mib=2)
    assert [getattr(item, "reason", getattr(item, "cause", "")) for item in found.items] == [
        "", "oversized_file", "archive_too_large",
    ]  # fmt: skip
    assert causes(read([tmp_path / "a.tar.gz"], max_archive_mib=4)) == []
    assert causes(read([tmp_path / "a.tar.gz"], max_archive_files=2)) == ["too_many_entries"]

    info = tarfile.TarInfo("header")
    info.type, info.size = tarfile.XHDTYPE, 1 << 30
    (tmp_path / "b.tar").write_bytes(info.tobuf(tarfile.USTAR_FORMAT) + zeros[:4096])
    assert causes(read([tmp_path / "b.tar"])) == ["oversized_header"]

    nested = b"".join(_pax_block() for _ in range(5000))
    (tmp_path / "c.tar").write_bytes(nested)
    assert len(causes(read([tmp_path / "c.tar"]))) <= 1  # headers for headers, each within the one before

    data = bytearray(zipped({"a.py": CODE, "big.py": b"a" * (1 << 20), "c.py": CODE}))
    at = data.rindex(b"PK\x01\x02", 0, data.rindex(b"PK\x01\x02"))
    assert struct.unpack_from("<I", data, at + 24) == (1 << 20,)
    struct.pack_into("<I", data, at + 24, 100)  # it says that it has 100 bytes
    (tmp_path / "d.zip").write_bytes(data)
    found = read([tmp_path / "d.zip"])
    assert found.texts["d:c.py"].text == CODE.rstrip()
    failed = [name for name, text in found.texts.items() if text.failure]
    assert failed == ["d:big.py"] or found.fates["d:big.py"] or len(found.texts["d:big.py"].text) <= 100


def _pax_block() -> bytes:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 512
    return info.tobuf(tarfile.USTAR_FORMAT) + b"11 a=bcdef\n".ljust(512, b"\0")


@pytest.mark.parametrize("ending", [*PACKED, ".zip"])
def test_damaged_archives_raise_nothing(read: Reader, tmp_path: Path, ending: str) -> None:
    """Cut anywhere, or with bytes changed: what comes before the damage is kept, the damage has one item."""
    files = {f"r/{n}.py": f"a{n} = {n}\n" * 40 for n in range(6)}
    whole = zipped(files) if ending == ".zip" else PACKED[ending](tar(files))
    dice = random.Random(zlib.crc32(ending.encode()))
    for n in range(25):
        data = bytearray(whole)
        if n % 2:
            del data[dice.randrange(1, len(data)) :]
        else:
            for _ in range(3):
                data[dice.randrange(len(data))] = dice.randrange(256)
        path = tmp_path / f"x{ending}"
        path.write_bytes(data)
        found = read([path])
        assert len(causes(found)) <= len(files)
        good = [
            name
            for name, text in found.texts.items()
            if text.text in (f"a{k} = {k}\n".join([""] * 41).rstrip() for k in range(6))
        ]
        assert len(good) <= 6


@pytest.mark.parametrize("name", ["empty.tar.gz", "words.zip", "words.tar"])
def test_files_that_are_no_archive(read: Reader, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"" if "empty" in name else b"words and no archive" * 100)
    found = read([tmp_path / name])
    assert causes(found) == (["empty_file"] if "empty" in name else ["corrupt_archive"])
    assert "\n" not in found.items[0].detail
