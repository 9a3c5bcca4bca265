"""Licences: texts, expressions, and which evidence counts."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from transforms.sources.github.licences.evidence import Licence, RepositoryLicences, is_evidence, licence_of_file
from transforms.sources.github.licences.match import licence_of
from transforms.sources.github.licences.spdx import is_permitted, normal_expression
from transforms.sources.github.licences.texts import TEXTS
from transforms.sources.github.settings import PERMISSIVE

HEAD = "The Some License\n\nCopyright (c) 2020-2024 Jane Roe <jane@roe.example>\nAll rights reserved.\n\n"
MIT = HEAD + TEXTS["MIT"]
ROOT = Path(__file__).resolve().parents[4]


@pytest.mark.parametrize("name", list(TEXTS))
def test_each_short_licence(name: str) -> None:
    """Whatever its case, marks and line ends, with a title and a copyright line, and never as another one."""
    text = TEXTS[name]
    assert licence_of(HEAD + text) == name
    words = text.upper().split()
    starred = "\n".join(f" * {' '.join(words[n : n + 7])}," for n in range(0, len(words), 7))
    assert licence_of(f"/*\n{starred}\n */") == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ((ROOT / "LICENSE").read_text(encoding="utf-8"), "Apache-2.0"),
        (MIT + TEXTS["BSD-3-Clause"], "BSD-3-Clause AND MIT"),
        (MIT + "\nThe Software shall be used for Good, not Evil.", ""),
        (MIT + "\nIt may not be used for commercial purposes.", ""),
        (MIT + " other words" * 40, ""),
        (re.sub(r"use copy.*?sublicense", "", " ".join(TEXTS["MIT"].split())).replace("without restriction", ""), ""),
        ("Mozilla Public License Version 2.0\n" + "word " * 500, "MPL"),
        ("GNU GENERAL PUBLIC LICENSE\nVersion 3\n" + "word " * 500, "GPL"),
        ("GNU LESSER GENERAL PUBLIC LICENSE\n" + "word " * 500, "LGPL"),
        ("All rights are ours.", ""),
        ("", ""),
    ],
)
def test_texts(text: str, name: str) -> None:
    assert licence_of(text) == name


@pytest.mark.parametrize(
    ("expression", "permitted"),
    [
        ("MIT", True),
        ("GPL-3.0", False),
        ("MIT OR GPL-3.0", True),
        ("MIT AND GPL-3.0", False),
        ("GPL-2.0 OR (MIT AND Apache-2.0)", True),
        ("(GPL-2.0 OR MIT) AND MPL-2.0", False),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("GPL-2.0 WITH Classpath-exception-2.0", False),
        ("", False),
        ("(MIT", False),
        ("MIT MIT", False),
        ("AND", False),
        ("(" * 10_000 + "MIT" + ")" * 10_000, False),
    ],
)
def test_expressions(expression: str, permitted: bool) -> None:
    assert is_permitted(expression, PERMISSIVE) == permitted


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("mit", "MIT"),
        ("Apache License 2.0", "Apache-2.0"),
        ("MIT/Apache-2.0", "(MIT OR Apache-2.0)"),
        ("apache-2.0 or mit", "Apache-2.0 OR MIT"),
        ("GPL-2.0-only", "GPL-2.0-only"),
        ("MIT */", "MIT"),
        ("", ""),
    ],
)
def test_what_package_managers_write(written: str, meant: str) -> None:
    assert normal_expression(written) == meant


def test_the_nearest_folder_counts() -> None:
    found = RepositoryLicences()
    found.add("LICENSE", MIT.encode())
    found.add("lib/COPYING", (HEAD + TEXTS["ISC"]).encode())
    found.add("lib/gpl/LICENSE.txt", ("GNU GENERAL PUBLIC LICENSE\n" + "word " * 500).encode())
    assert found.of_folder("") == Licence("MIT", "LICENSE")
    assert found.of_folder("src/deep/down") == Licence("MIT", "LICENSE")
    assert found.of_folder("lib/a") == Licence("ISC", "lib/COPYING")
    assert found.of_folder("lib/gpl") == Licence("GPL", "lib/gpl/LICENSE.txt")
    assert RepositoryLicences().of_folder("a/b") == Licence()


@pytest.mark.parametrize(
    ("name", "text", "expression"),
    [
        ("package.json", json.dumps({"license": "(MIT OR Apache-2.0)"}), "(MIT OR Apache-2.0)"),
        ("package.json", json.dumps({"licenses": [{"type": "MIT"}, {"type": "GPL-2.0"}]}), "(MIT OR GPL-2.0)"),
        ("package.json", json.dumps({"license": "SEE LICENSE IN x"}), ""),
        ("package.json", "{broken", ""),
        ("package.json", "[1]", ""),
        ("package.json", '{"a":' * 100_000, ""),
        ("pyproject.toml", '[project]\nlicense = {text = "BSD License"}', "BSD-3-Clause"),
        ("pyproject.toml", '[project]\nclassifiers = ["License :: OSI Approved :: MIT License"]', "MIT"),
        ("pyproject.toml", '[tool.poetry]\nlicense = "ISC"', "ISC"),
        ("Cargo.toml", '[package]\nlicense = "MIT OR Apache-2.0"', "MIT OR Apache-2.0"),
        ("setup.cfg", "[metadata]\nlicense = Apache 2.0\n", "Apache-2.0"),
        ("setup.py", "setup(name='a', license='MIT')", "MIT"),
    ],
)
def test_manifests(name: str, text: str, expression: str) -> None:
    found = RepositoryLicences()
    assert is_evidence(name)
    found.add(name, text.encode())
    assert found.of_folder("").expression == expression


def test_what_one_folder_says_binds_together() -> None:
    """npm writes "license": "ISC" by default; a text that is not known outweighs a manifest; two texts may be given."""
    found = RepositoryLicences()
    found.add("package.json", b'{"license": "ISC"}')
    found.add("LICENSE", ("GNU GENERAL PUBLIC LICENSE\n" + "word " * 500).encode())
    assert not is_permitted(found.of_folder("").expression, PERMISSIVE)
    found = RepositoryLicences()
    found.add("package.json", b'{"license": "MIT"}')
    found.add("LICENSE", b"Ask us first.")
    assert found.of_folder("a") == Licence("", "LICENSE: not recognised")
    found = RepositoryLicences()
    found.add("LICENSE-MIT", MIT.encode())
    found.add("LICENSE-APACHE", TEXTS["Apache-2.0"].encode())
    found.add("Cargo.toml", b'[package]\nlicense = "MIT OR Apache-2.0"')
    licence = found.of_folder("src")
    assert licence.evidence == "LICENSE-APACHE, LICENSE-MIT, Cargo.toml"
    assert is_permitted(licence.expression, PERMISSIVE)


@pytest.mark.parametrize(
    ("head", "expression", "evidence"),
    [
        ("SPDX-License-Identifier: GPL-2.0-only", "GPL-2.0-only", "SPDX tag"),
        ("SPDX-License-Identifier: (MIT OR Apache-2.0) */", "(MIT OR Apache-2.0)", "SPDX tag"),
        ("Licensed under the Apache License, Version 2.0", "Apache-2.0", "notice in the file"),
        (TEXTS["BSD-2-Clause"], "BSD-2-Clause", "notice in the file"),
        ("This is free software; GNU General Public License", "GPL", "notice in the file"),
        ("Use of this source code is governed by a BSD-style license", "BSD-3-Clause", "notice in the file"),
        (
            "Proprietary and confidential. Unauthorized copying is prohibited.",
            "LicenseRef-Proprietary",
            "notice in the file",
        ),
        ("Reads the licence of a file.", "MIT", "LICENSE"),
        ("", "MIT", "LICENSE"),
    ],
)
def test_a_file_speaks_for_itself(head: str, expression: str, evidence: str) -> None:
    assert licence_of_file(head, Licence("MIT", "LICENSE")) == Licence(expression, evidence)
