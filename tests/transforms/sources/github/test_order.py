"""Files behind what they import, and joined."""

from __future__ import annotations

import random

import pytest

from schemas.blocks import CODE, Blocks
from schemas.records import Document
from transforms.sources.github.order import dependency_order
from transforms.sources.github.reader import GitHubFacts
from transforms.sources.github.repository import RepositoryConfig, SourceFile, joined_files


def order(language: str, **files: str) -> list[str]:
    """Return the names of files in order; `__` in names is `/`, `_dot_` a dot; whatever order they are given in."""
    named = [(name.replace("__", "/").replace("_dot_", "."), language, text) for name, text in files.items()]
    found = [named[n][0] for n in dependency_order(named)]
    random.Random(len(named)).shuffle(named)
    assert [named[n][0] for n in dependency_order(named)] == found
    return found


def test_python() -> None:
    assert order(
        "Python", main_dot_py="from pkg import a\nimport os, pkg.c as c\n",
        pkg__a_dot_py="from . import b\nfrom ..x import y\n", pkg__b_dot_py="from .c import thing\n",
        pkg__c_dot_py="import sys\n", pkg__init_dot_py="",
    ) == ["pkg/c.py", "pkg/b.py", "pkg/a.py", "main.py", "pkg/init.py"]  # fmt: skip


@pytest.mark.parametrize(
    ("language", "files", "expected"),
    [
        ("TypeScript", {"a_dot_ts": "import { b } from './lib/b';", "lib__b_dot_ts": "export * from '../z.js'",
                        "z_dot_ts": ""}, ["z.ts", "lib/b.ts", "a.ts"]),
        ("JavaScript", {"a_dot_js": "const b = require('./b')", "b__index_dot_js": "import 'react'"},
         ["b/index.js", "a.js"]),
        ("C++", {"a_dot_cpp": '#include "b.h"\n#include <c.h>', "inc__b_dot_h": '#include "c.h"', "inc__c_dot_h": ""},
         ["inc/c.h", "inc/b.h", "a.cpp"]),
        ("Java", {"src__p__A_dot_java": "import p.q.B;", "src__p__q__B_dot_java": ""},
         ["src/p/q/B.java", "src/p/A.java"]),
        ("Ruby", {"a_dot_rb": "require_relative 'lib/b'", "lib__b_dot_rb": ""}, ["lib/b.rb", "a.rb"]),
        ("Rust", {"src__lib_dot_rs": "pub mod b;\nmod c;", "src__b_dot_rs": "", "src__c__mod_dot_rs": ""},
         ["src/b.rs", "src/c/mod.rs", "src/lib.rs"]),
        ("Text", {"b": "import a", "a": ""}, ["a", "b"]),
    ],
)  # fmt: skip
def test_other_languages(language: str, files: dict[str, str], expected: list[str]) -> None:
    assert order(language, **files) == expected


def test_a_circle_is_cut_where_least_is_open() -> None:
    """a and b import each other, c imports both: the circle comes first, each file once."""
    assert order("Python", a_dot_py="import b\nimport a", b_dot_py="import a", c_dot_py="import a\nimport b") == [
        "a.py", "b.py", "c.py",
    ]  # fmt: skip
    assert dependency_order([]) == []


def source_file(path: str, text: str, licence: str = "MIT", language: str = "Python") -> SourceFile:
    facts = GitHubFacts(
        repository="o/r", path=path, language=language, licence=licence, licence_evidence="LICENSE", revision="c",
        encoding="utf-8", size=len(text), stars=None,
    )  # fmt: skip
    return SourceFile(Document(id=path, text=text, source="github", blocks=Blocks.of([(CODE, 0, len(text))])), facts)


def test_files_become_documents() -> None:
    files = [
        source_file("a.py", "import b\n"),
        source_file("b.py", "b = 1", "MIT OR GPL-2.0"),
        source_file("c.py", "c"),
    ]
    (whole,) = joined_files(files, RepositoryConfig())
    assert whole.document.text == "b.py\n\nb = 1\n\na.py\n\nimport b\n\n\nc.py\n\nc"
    assert [(kind, whole.document.text[start:end]) for kind, start, end in whole.document.blocks.spans()] == [
        ("heading", "b.py"), ("code", "b = 1"), ("heading", "a.py"), ("code", "import b\n"), ("heading", "c.py"),
        ("code", "c"),
    ]  # fmt: skip
    assert (whole.stats.n_files, whole.stats.paths) == (3, "b.py\na.py\nc.py")
    assert whole.facts.licence == "(MIT OR GPL-2.0) AND MIT"
    large = [source_file(f"{n}.py", "x" * 700) for n in range(3)]
    cut = list(joined_files(large, RepositoryConfig(max_chars=1500, paths=False)))
    assert [len(each.document.text) for each in cut] == [1402, 700]
    assert len({each.document.id for each in cut}) == 2
