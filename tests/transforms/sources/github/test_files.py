"""Files of folders and tables: which are read, as what, under which licence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.transforms.sources.github.conftest import CODE, MIT, Read, tree
from transforms.sources.github.languages import language_of
from transforms.sources.github.trees import name_of, roots_of

SHARED = Path(__file__).resolve().parents[4].parent / "shared" / "data" / "code"
Reader = Callable[..., Read]


def test_every_file_has_a_fate(read: Reader, tmp_path: Path) -> None:
    paths = tree(tmp_path / "owner__name", {
        "LICENSE": MIT, "README.md": "# Title\n\nText.\n", "src/a.py": CODE, "src/_b.py": CODE, "src/c.py": b"",
        "src/d.py": CODE * 50_000, "src/e.py": b"a\0b", "logo.png": b"\x89PNG", "package-lock.json": "{}",
        "dist/a.min.js": "a", "node_modules/x/a.js": "a", "server.crt": "a", "run": "#!/usr/bin/env bash\nls\n",
        "notes": "words", "a.xyz": "words", "src/utf16.cs": "class Ä {}".encode("utf-16"), "NOTICE": "words",
    })  # fmt: skip
    found = read(paths)
    assert found.n_parts == 1
    assert {name.removeprefix("owner/name:"): fate for name, fate in found.fates.items()} == {
        "LICENSE": "legal_text", "README.md": "", "src/a.py": "", "src/_b.py": "", "src/c.py": "empty_file",
        "src/d.py": "oversized_file", "src/e.py": "binary", "logo.png": "binary", "package-lock.json": "lock_file",
        "dist/a.min.js": "generated_file", "node_modules/x/a.js": "vendored", "server.crt": "key_or_certificate",
        "run": "", "notes": "unknown_language", "a.xyz": "unknown_language", "src/utf16.cs": "", "NOTICE": "legal_text",
    }  # fmt: skip
    code = found.texts["owner/name:src/a.py"]
    assert code.text == CODE.rstrip()
    assert code.blocks.spans() == [("code", 0, len(code.text))]
    assert (code.facts.repository, code.facts.path, code.facts.language) == ("owner/name", "src/a.py", "Python")
    assert found.licence("owner/name:src/a.py") == ("MIT", "LICENSE")
    assert not len(found.texts["owner/name:README.md"].blocks)  # prose: what its lines show
    assert found.texts["owner/name:src/utf16.cs"].text == "class Ä {}"
    assert found.texts["owner/name:src/utf16.cs"].facts.encoding == "utf-16"
    assert found.texts["owner/name:run"].facts.language == "Shell"
    only = read(paths, languages=("C#",), keep_vendored=True)
    assert Counter(only.fates.values())["other_language"] == 5


def test_encodings(read: Reader, tmp_path: Path) -> None:
    text = "# -*- coding: latin-1 -*-\nname = 'Café Zürich, l’été à Besançon'\n".replace("’", "'")
    paths = tree(tmp_path / "r", {
        "README": "r", "a.py": text.encode("latin-1"), "b.py": b"\xef\xbb\xbfa = 1\n", "c.py": "名 = 1\n",
        "d.py": b"a = 1\n" + bytes(range(128, 256)) * 100,
        "e.py": "a = '\u2063é'\r\nbc\x01 = 1\r\n", "e.md": "a\u2063b",
    })  # fmt: skip
    found = read(paths)
    assert found.texts["r:a.py"].text == text.rstrip()
    assert found.texts["r:a.py"].facts.encoding == "other"
    assert found.texts["r:b.py"].text == "a = 1"
    assert found.texts["r:c.py"].text == "名 = 1"
    assert found.texts["r:e.py"].text == "a = '\u2063é'\nbc = 1"  # what no reader sees is part of a program
    assert found.texts["r:e.md"].text == "ab"  # but of no prose
    failure = found.texts["r:d.py"].failure
    assert failure is None or failure.cause == "undecodable_text"


def test_repositories_are_told_apart(read: Reader, tmp_path: Path) -> None:
    """Two of one name, one inside a folder with a licence of its own, one without any mark."""
    paths = [
        *tree(tmp_path / "x" / "lib", {"LICENSE": MIT, "a.py": CODE}),
        *tree(tmp_path / "y" / "lib", {"README.md": "words", "a.py": CODE, "sub/COPYING": MIT, "sub/b.py": CODE}),
        *tree(tmp_path / "z", {"c.py": CODE}),
    ]
    found = read(paths, name_folders=2)
    assert found.licence("x/lib:a.py") == ("MIT", "LICENSE")
    assert found.licence("y/lib:a.py") == ("", "")
    assert found.licence("y/lib:sub/b.py") == ("MIT", "sub/COPYING")
    assert found.n_parts == 2  # one repository without a mark has its own
    assert read(paths[::-1], name_folders=2).fates == found.fates


def test_roots() -> None:
    paths = ["/d/a/README", "/d/a/src/b.py", "/d/a/src/LICENSE", "/d/c/x/y.py", "/d/z.py"]
    assert roots_of(paths) == {
        "/d/a/README": "/d/a", "/d/a/src/b.py": "/d/a", "/d/a/src/LICENSE": "/d/a", "/d/c/x/y.py": "/d/c",
        "/d/z.py": "/d",
    }  # fmt: skip
    assert set(roots_of(["s3://b/r/README", "s3://b/r/a/c.py"]).values()) == {"s3://b/r"}
    assert roots_of([]) == {}
    assert (name_of("/d/owner__name", 1), name_of("/d/owner/name", 2), name_of("/d/a__b__c", 1)) == (
        "owner/name", "owner/name", "a__b__c",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "head", "language"),
    [
        ("a.h", "int a;", "C"),
        ("a.h", "namespace a {", "C++"),
        ("a.h", "@interface A", "Objective-C"),
        ("a.m", "function a", "MATLAB"),
        ("a.ts", "let a: number", "TypeScript"),
        ("a.ts", "<?xml version='1.0'?>", "XML"),
        ("a.pl", "use strict;", "Perl"),
        ("a.pl", "father(X, Y) :- parent(X, Y).", "Prolog"),
        ("Dockerfile.dev", "", "Dockerfile"),
        ("CMakeLists.txt", "", "CMake"),
        ("bin/run", "#!/usr/bin/env -S python3 -u", "Python"),
        ("bin/run", "#!/bin/sh", "Shell"),
        ("bin/run", "words", ""),
        (".gitignore", "", "Ignore List"),
        ("a.PY", "", "Python"),
    ],
)
def test_languages(path: str, head: str, language: str) -> None:
    assert language_of(path, head) == language


def test_tables_of_the_stack_and_its_like(read: Reader, tmp_path: Path) -> None:
    stack = pa.table({
        "hexsha": ["1", "2", "3"], "ext": ["py"] * 3, "content": [CODE, CODE, None],
        "max_stars_repo_name": ["o/r"] * 3, "max_stars_repo_path": ["a.py", "vendor/b.py", "c.py"],
        "max_stars_repo_licenses": [["MIT", "Apache-2.0"], ["MIT"], ["MIT"]], "max_stars_count": [7.0, None, None],
        "max_stars_repo_head_hexsha": ["abc", "abc", "abc"],
    })  # fmt: skip
    pq.write_table(stack, tmp_path / "stack.parquet")
    parrot = '{"code": "a = 1", "repo_name": "p/q", "path": "x.py", "license": "mit"}\n'
    (tmp_path / "parrot.jsonl").write_text(parrot + parrot.replace('"mit"', '"gpl-3.0"').replace("x.py", "y.py"))
    found = read([tmp_path / "stack.parquet", tmp_path / "parrot.jsonl"])
    assert found.fates == {
        "o/r:a.py": "", "o/r:vendor/b.py": "vendored", "3": "missing_text", "p/q:x.py": "", "p/q:y.py": "",
    }  # fmt: skip
    assert found.licence("o/r:a.py") == ("MIT AND Apache-2.0", "column max_stars_repo_licenses")
    assert (found.texts["o/r:a.py"].facts.stars, found.texts["o/r:a.py"].facts.revision) == (7, "abc")
    assert found.licence("p/q:x.py") == ("MIT", "column license")
    assert found.licence("p/q:y.py") == ("GPL-3.0", "column license")


@pytest.mark.skipif(not SHARED.exists(), reason="the folder shared/data is not beside the checkout")
def test_real_trees(read: Reader) -> None:
    """215 files of three repositories, two under MIT: every one has a fate; those of the third have no licence."""
    paths = sorted(path for path in SHARED.rglob("*") if path.is_file())
    found = read(paths)
    assert len(found.items) == len(paths)
    assert Counter(found.fates.values()) == {"": len(paths) - 2, "legal_text": 2}
    licences = {(text.facts.repository, text.facts.licence) for text in found.texts.values()}
    assert licences == {
        ("kepano/defuddle", "MIT"), ("microsoft/presidio-research", "MIT"), ("kevswanberg/beer_tentrr", ""),
    }  # fmt: skip
    for name, text in found.texts.items():
        original = (SHARED / name.replace("/", "__", 1).replace(":", "/", 1)).read_text(encoding="utf-8-sig")
        assert text.text == original.rstrip() or text.facts.language == "Markdown", name
