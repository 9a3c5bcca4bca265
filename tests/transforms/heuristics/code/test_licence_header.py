"""Licence headers go, and nothing else does. The first cases are what RedPajama-1's two rules did to such files."""

from __future__ import annotations

import pytest

from transforms.heuristics.code.comments import head_text
from transforms.heuristics.code.licence_header import edit_header

MIT = """Copyright (c) 2020 Jane Roe

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software, to deal in the Software without restriction.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND."""


def commented(mark: str, text: str = MIT) -> str:
    return "".join(f"{mark} {line}".rstrip() + "\n" for line in text.split("\n"))


def block(text: str = MIT) -> str:
    return "/*\n" + commented(" *", text) + " */\n"


@pytest.mark.parametrize(
    ("language", "before", "after"),
    [
        # RedPajama-1 took away all leading lines that begin with #, // or --
        ("Shell", f"#!/bin/sh\n{commented('#')}\nset -e\n", "#!/bin/sh\nset -e\n"),
        ("Python", f"#!/usr/bin/env python\n# -*- coding: latin-1 -*-\n{commented('#')}import os\n",
         "#!/usr/bin/env python\n# -*- coding: latin-1 -*-\nimport os\n"),
        ("C", f"{commented('//')}\n#include <stdio.h>\n#define A 1\n", "#include <stdio.h>\n#define A 1\n"),
        ("C", "#include <stdio.h>\n#define COPYRIGHT 1\n", None),
        ("Markdown", "# License\n\n# Copyright and thanks\n\nAll rights reserved.\n", None),
        ("YAML", "# settings of the server\n# see the manual\nport: 80\n", None),
        ("SQL", f"{commented('--')}-- all users\nselect 1;\n", "-- all users\nselect 1;\n"),
        ("Go", f"{commented('//')}\n//go:build linux\n\npackage a\n", "//go:build linux\n\npackage a\n"),
        # and where a file has any block comment, it looked at the first one alone
        ("JavaScript", f"/* The parser. */\n{block()}\nlet a = 1; /* not a header: license */\n",
         "/* The parser. */\nlet a = 1; /* not a header: license */\n"),
        ("Java", f"// The parser.\n{block()}class A {{}}\n", "// The parser.\nclass A {}\n"),
        # of a comment that says more, the legal paragraphs go
        ("C", block(f"parser.c - reads rows\n\n{MIT}\n\nIt holds one row at a time."),
         "/*\n * parser.c - reads rows\n *\n * It holds one row at a time.\n */\n"),
        ("Python", f'"""Rows of a table.\n\n{MIT}\n"""\nimport os\n', '"""Rows of a table.\n"""\nimport os\n'),
        ("Python", '"""Reads the licences of files.\n\nA copy of each is kept.\n"""\n', None),
        ("C", "/* a.c\n * Copyright 2020 Jane Roe\n * Sorts rows.\n */\nint a;\n",
         "/* a.c\n * Sorts rows.\n */\nint a;\n"),
        ("Rust", "// SPDX-License-Identifier: MIT\n// Rows.\nfn a() {}\n", "// Rows.\nfn a() {}\n"),
        ("HTML", "<!DOCTYPE html>\n<!-- Copyright 2020 Jane Roe -->\n<html></html>\n",
         "<!DOCTYPE html>\n<html></html>\n"),
        ("PHP", f"<?php\n{block()}\necho 1;\n", "<?php\necho 1;\n"),
        # one line, marks on the lines of text, code behind a comment
        ("CSS", "/* Copyright 2020 Jane Roe. All rights reserved. */\na {}\n", "a {}\n"),
        ("C", "/* Copyright 2020 Jane Roe\n * Licensed under the MIT License. */\nint a;\n", "int a;\n"),
        ("C", "/* Copyright 2020 */ int a;\n", None),
        ("C", "int a;\n/* Copyright 2020 Jane Roe */\n", None),
        ("C", "/* Copyright 2020, and never closed\nint a;\n", None),
        ("Text", "Copyright 2020 Jane Roe\n", None),
        ("", "# Copyright\n", None),
        ("C", "", None),
    ],
)  # fmt: skip
def test_what_goes(language: str, before: str, after: str | None) -> None:
    edit = edit_header(before, language)
    assert edit.apply(before) == (before if after is None else after)
    assert bool(edit.counts) == (after is not None)
    assert not edit_header(edit.apply(before), language).replaced  # nothing is left for a second time


def test_the_counts() -> None:
    edit = edit_header(commented("#") + "a = 1\n", "Python")
    assert edit.counts == {"headers": 1, "header_lines": 4}
    assert edit.reasons == ["licence_header"]


def test_a_long_file_is_read_at_its_head_alone() -> None:
    text = "# a\n" * 1_000_000
    assert len(head_text(text, "Python")) < len(text) + 1
    assert not edit_header(text, "Python").replaced
