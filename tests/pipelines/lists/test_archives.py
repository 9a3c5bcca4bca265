"""Every kind of archive gives the same files; one that breaks off is refused, wherever it does."""

from __future__ import annotations

import io
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from pipelines.lists.archives import members, reading
from schemas.errors import InputError

FILES = {"lists/a": b"one\n" * 3000, "lists/b/c": b"two\n", "lists/empty": b""}


def files_of(path: Path) -> dict[str, bytes]:
    with reading(path):
        return {name: stream.read() for name, stream in members(path)}


def write_tar(path: Path, mode: str, links: bool = False) -> Path:
    with tarfile.open(path, mode) as archive:
        for name, data in FILES.items():
            entry = tarfile.TarInfo(f"./{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        if links:
            entry = tarfile.TarInfo("lists/link")
            entry.type, entry.linkname = tarfile.SYMTYPE, "../lists/b/"
            archive.addfile(entry)
    return path


def write_zip(path: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.mkdir("lists")
        for name, data in FILES.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("mode", ["w:", "w:gz", "w:bz2", "w:xz"])
def test_tars_are_known_by_what_they_hold(tmp_path: Path, mode: str) -> None:
    assert files_of(write_tar(tmp_path / "no.suffix", mode)) == FILES  # type: ignore[arg-type]


def test_a_folder_and_a_zip(tmp_path: Path) -> None:
    for name, data in FILES.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(data)
    assert files_of(tmp_path / "in") == FILES
    assert files_of(write_zip(tmp_path / "a.whl")) == FILES


def test_a_tar_within_a_zip_is_opened(tmp_path: Path) -> None:
    inner = write_tar(tmp_path / "inner.tar.gz", "w:gz")
    with zipfile.ZipFile(tmp_path / "outer.whl", "w") as archive:
        archive.writestr("assets/words.txt", "x\n")
        archive.write(inner, "assets/inner.tar.gz")
    assert files_of(tmp_path / "outer.whl") == {"assets/words.txt": b"x\n", **FILES}


def test_a_link_is_a_file_with_the_name_of_its_target(tmp_path: Path) -> None:
    assert files_of(write_tar(tmp_path / "a.tar", "w:", links=True)) == {**FILES, "lists/link": b"b"}
    shutil.unpack_archive(tmp_path / "a.tar", tmp_path / "in", filter="fully_trusted")
    assert files_of(tmp_path / "in") == {**FILES, "lists/link": b"b"}


@pytest.mark.parametrize("mode", ["w:", "w:gz", "w:bz2", "w:xz", "zip"])
def test_what_breaks_off_is_refused_at_whatever_byte(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "archive"
    whole = (write_zip(path) if mode == "zip" else write_tar(path, mode)).read_bytes()
    end = len(whole)
    if mode == "w:":  # the end mark is two blocks of zeros, then padding: one of them tells
        end = next(n for n in range(0, end, 512) if not any(whole[n:])) + 512
    for size in {0, 1, 5, 300, 512, 1024, 1025, end // 2, end - 1, end - 8, end - 512, end - 700} - {end}:
        if 0 <= size < end:
            path.write_bytes(whole[:size])
            with pytest.raises(InputError, match="neither a folder nor a whole zip or tar archive") as error:
                files_of(path)
            assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "data", [b"<html>404</html>" * 100, b"evil.example\n", b"\x1f\x8b\x08" + b"x" * 50, b"PK\x05\x06"]
)
def test_what_is_no_archive_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.tar.gz").write_bytes(data)
    with pytest.raises(InputError, match="neither a folder nor a whole zip or tar archive"):
        files_of(tmp_path / "x.tar.gz")


def test_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    for path in (write_tar(tmp_path / "a.tgz", "w:gz"), write_zip(tmp_path / "a.zip", zipfile.ZIP_STORED)):
        data = bytearray(path.read_bytes())
        place = 200 if path.suffix == ".zip" else len(data) // 2
        data[place] ^= 0xFF
        path.write_bytes(data)
        with pytest.raises(InputError):
            files_of(path)


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    data = bytearray(write_zip(tmp_path / "a.zip", zipfile.ZIP_STORED).read_bytes())
    start = data.index(b"PK\x01\x02")
    while start >= 0:  # the bit in every entry of the directory
        data[start + 8] |= 1
        start = data.find(b"PK\x01\x02", start + 1)
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(InputError, match="is encrypted"):
        files_of(tmp_path / "a.zip")


def test_an_error_of_the_disk_is_not_the_archives(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space"), reading(tmp_path):
        raise OSError(28, "No space left on device")
