"""Submissions in tarballs, single files and folders; withdrawn ones, those without TeX, hostile ones: one fate each."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from schemas.records import Header
from transforms.sources.arxiv.identity import identity_of
from transforms.sources.arxiv.main_file import is_withdrawn, main_file
from transforms.sources.arxiv.reader import PaperReader
from transforms.sources.arxiv.settings import ArxivReadConfig, ArxivScanConfig
from transforms.sources.arxiv.source import Arxiv
from transforms.sources.items import Broken, Part, Skipped
from transforms.sources.source import Text

SMALL = ArxivScanConfig(max_paper_bytes=1 << 20, max_text_bytes=1 << 19, max_files=50)


def paper(words: str = "Words.") -> bytes:
    return f"\\documentclass{{article}}\\begin{{document}}\\section{{S}}\n{words}\n\\end{{document}}".encode()


def tarball(files: dict[str, bytes], mtime: int = 1_577_000_000) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(data), mtime
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


def packed(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def source(config: ArxivScanConfig = SMALL) -> Arxiv:
    return Arxiv("arxiv", config, PaperReader(ArxivReadConfig(), config))


def parts_of(folder: Path, config: ArxivScanConfig = SMALL) -> list[Part]:
    files = [(str(path), path.stat().st_size) for path in sorted(folder.rglob("*")) if path.is_file()]
    return source(config).parts(files)


def fates(folder: Path, config: ArxivScanConfig = SMALL) -> dict[str, str]:
    """Return what became of each record of a folder, by its id: its text, its reason or its cause."""
    found: dict[str, str] = {}
    arxiv = source(config)
    for part in parts_of(folder, config):
        items = list(arxiv.scan(part))
        assert [item.row for item in items] == list(range(len(items)))
        headers = {item.row: item for item in items if isinstance(item, Header)}
        texts: dict[int, Text] = {text.row: text for text in arxiv.reader.read(part, headers)}
        assert texts.keys() == headers.keys()
        for item in items:
            name = item.record_id.removeprefix(f"{folder.name}/")
            assert name not in found
            if isinstance(item, Skipped):
                found[name] = item.reason
            elif isinstance(item, Broken):
                found[name] = item.cause
            else:
                found[name] = texts[item.row].text.removeprefix("S\n\n")
    return found


def test_a_tarball_of_submissions(tmp_path: Path) -> None:
    many = {"ms.tex": paper("\\input{a}"), "a.tex": b"From a.", "fig.eps": b"%!PS" + bytes(1000)}
    bulk = {
        "2001/2001.00001.gz": packed(paper("One.")),
        "2001/2001.00002.gz": packed(tarball(many)),
        "2001/2001.00003.pdf": b"%PDF-1.4",
        "2001/2001.00004.gz": packed(b"%auto-ignore\nThis paper has been withdrawn by the author."),
        "2001/2001.00005.gz": packed(tarball({"paper.pdf": b"%PDF"})),
        "2001/2001.00006.gz": packed(b"%!PS-Adobe"),
        "2001/2001.00007.gz": packed(paper("Cut."))[:-9],
        "2001/2001.00008.gz": packed(b"\x00\x01"),
        "2001/2001.00009.gz": packed(b"no document at all"),
        "2001/hep-th9901001.gz": packed(paper("Old.")),
    }
    (tmp_path / "arXiv_src_2001_001.tar").write_bytes(tarball(bulk))
    assert fates(tmp_path) == {
        "2001.00001": "One.",
        "2001.00002": "From a.",
        "2001.00003": "pdf_only",
        "2001.00004": "withdrawn",
        "2001.00005": "pdf_only",
        "2001.00006": "postscript_only",
        "2001.00007": "truncated_member",
        "2001.00008": "not_tex",
        "2001.00009": "no_main_file",
        "hep-th/9901001": "Old.",
    }
    (part,) = parts_of(tmp_path)
    first = next(source().scan(part))
    assert isinstance(first, Header)
    assert (first.url, str(first.fetched_at)[:10]) == ("https://arxiv.org/abs/2001.00001", "2019-12-22")
    assert first.digest.startswith("sha1:")


def test_single_submissions(tmp_path: Path) -> None:
    (tmp_path / "2001.00001v2.gz").write_bytes(packed(paper("A.")))
    (tmp_path / "2001.00002.tar.gz").write_bytes(packed(tarball({"x/main.tex": paper("B.")})))
    (tmp_path / "2001.00003.tar").write_bytes(tarball({"main.tex": paper("C.")}))
    (tmp_path / "2001.00004").write_bytes(packed(paper("D.")))
    (tmp_path / "2001.00005.tgz").write_bytes(packed(tarball({"m": paper("E.")})))
    (tmp_path / "2001.00006.pdf").write_bytes(b"%PDF")
    assert fates(tmp_path) == {
        "2001.00001v2": "A.", "2001.00002": "B.", "2001.00003": "C.", "2001.00004": "D.", "2001.00005": "E.",
        "2001.00006": "pdf_only",
    }  # fmt: skip


def test_folders(tmp_path: Path) -> None:
    files = {
        "one/main.tex": paper("\\input{sec/a}"),
        "one/sec/a.tex": b"From a.",
        "one/fig/data.txt.gz": packed(b"1 2 3"),
        "many/x.tex": paper("X."),
        "many/y.tex": paper("Y."),
        "many/deep/z.tex": paper("Z."),
        "2001.00007/paper.tex": paper("Named."),
        "loose.md": b"# notes",
        "2001.00008.gz": packed(paper("Between.")),
        "scan.pdf": b"%PDF",
    }
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    assert fates(tmp_path) == {
        "one": "From a.", "many/x.tex": "X.", "many/y.tex": "Y.", "deep/z.tex": "Z.", "2001.00007": "Named.",
        "loose.md": "not_tex", "2001.00008": "Between.", "scan.pdf": "pdf_only",
    }  # fmt: skip


def test_the_files_of_a_folder_are_never_in_two_parts(tmp_path: Path) -> None:
    files = [(f"/in/p{n}/{name}", 400_000) for n in range(20) for name in ("a.tex", "b.tex", "c/d.tex")]
    parts = source().parts(files)
    assert len(parts) > 5
    for part in parts:
        folders = {path.split("/")[2] for path in part.paths}
        assert len(part.paths) == 3 * len(folders)
    assert sorted(path for part in parts for path in part.paths) == sorted(path for path, _ in files)
    assert source().parts(files[::-1]) == parts


def test_hostile_tarballs(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, kind, target in (
            ("link.tex", tarfile.SYMTYPE, "/etc/passwd"), ("hard.tex", tarfile.LNKTYPE, "main.tex"),
            ("dev", tarfile.CHRTYPE, ""),
        ):  # fmt: skip
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            tar.addfile(member)
        for name, data in (
            ("../../evil.tex", b"Evil."),
            ("/abs.tex", b"Abs."),
            ("main.tex", paper("\\input{evil}\\input{link}M.")),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    (tmp_path / "2001.00001.tar").write_bytes(out.getvalue())
    (tmp_path / "2001.00002.gz").write_bytes(packed(bytes(50 << 20)))  # a bomb
    (tmp_path / "2001.00003.gz").write_bytes(packed(tarball({f"f{n}.tex": b"x" for n in range(60)})))
    (tmp_path / "2001.00004.gz").write_bytes(packed(tarball({"main.tex": paper(), "huge.tex": b"x" * 600_000})))
    (tmp_path / "2001.00005.tar").write_bytes(tarball({"main.tex": paper(), "b.tex": b"x" * 5000})[:3000])
    (tmp_path / "2001.00006.gz").write_bytes(b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + b"\xff" * 100)
    (tmp_path / "2001.00007.gz").write_bytes(b"")
    sparse = bytearray(tarball({"main.tex": paper()}))
    sparse[124:136] = b"77777777777\0"  # a size of 8 GiB, with a checksum that fits
    sparse[148:156] = b" " * 8
    sparse[148:156] = f"{sum(sparse[:512]):06o}\0 ".encode()
    (tmp_path / "2001.00008.gz").write_bytes(packed(bytes(sparse)))
    before = sorted(tmp_path.rglob("*"))
    found = fates(tmp_path)
    assert found.pop("2001.00005") in ("truncated_tar", "corrupt_tar")
    assert found.pop("2001.00008") in ("truncated_tar", "corrupt_tar", "oversized_paper")
    assert found == {
        "2001.00001": "Evil. M.", "2001.00002": "oversized_paper", "2001.00003": "too_many_files",
        "2001.00004": "oversized_paper", "2001.00006": "corrupt_member", "2001.00007": "empty_file",
    }  # fmt: skip
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("2001.00001v2.tar.gz", ("2001.00001", 2, "", 2020)),
        ("0704.0001.gz", ("0704.0001", 0, "", 2007)),
        ("9901/hep-th9901001.gz", ("hep-th/9901001", 0, "hep-th", 1999)),
        ("math.GT0309136v1", ("math/0309136", 1, "math", 2003)),
        ("math0309136.gz", ("math/0309136", 0, "math", 2003)),
        ("astro-ph_9204001/", ("astro-ph/9204001", 0, "astro-ph", 1992)),
        ("2013.00001.gz", ("", 0, "", 0)),
        ("astropy-v2", ("", 0, "", 0)),
        ("main.tex", ("", 0, "", 0)),
    ],
)
def test_names(name: str, said: tuple[str, int, str, int]) -> None:
    found = identity_of(name)
    assert (found.id, found.version, found.category, found.year) == said


@pytest.mark.parametrize(
    ("files", "main"),
    [
        ({"a.tex": b"\\input{b}", "b.tex": paper()}, "b.tex"),
        ({"supp.tex": paper("x" * 900), "main.tex": paper()}, "main.tex"),
        ({"one.tex": paper(), "two.tex": paper("longer text")}, "two.tex"),
        ({"sub.tex": paper("longer"), "z.tex": paper("\\subfile{sub}")}, "z.tex"),
        ({"old/ms.tex": paper("longer text"), "new.tex": paper()}, "new.tex"),
        ({"a.tex": b"%\\documentclass{x}", "b.tex": b"\\magnification=1200 Text \\bye"}, "b.tex"),
        ({"00README.XXX": b"b.tex toplevelfile\n", "a.tex": paper("longer text"), "b.tex": paper()}, "b.tex"),
        ({"a.tex": b"plain words"}, ""),
        ({"style.sty": paper(), "x.tex": b"\\documentstyle{article}\n\\begin{document}"}, "x.tex"),
    ],
)
def test_the_main_file(files: dict[str, bytes], main: str) -> None:
    assert main_file(files) == main
    assert main_file(dict(reversed(files.items()))) == main


@pytest.mark.parametrize(
    ("text", "withdrawn"),
    [
        (b"%auto-ignore\nwhatever", True),
        (b"\\documentclass{article}\\begin{document}This article has been withdrawn.\\end{document}", True),
        (b"This submission has been withdrawn by arXiv administrators", True),
        (b"Troops were withdrawn. " + b"x" * 5000, False),
        (b"The troops were withdrawn from the river.", False),
    ],
)
def test_withdrawn(text: bytes, withdrawn: bool) -> None:
    assert is_withdrawn({"m.tex": text}) is withdrawn
