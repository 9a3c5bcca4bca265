"""Imports read from text: all forms, and the same as Python's own parser finds."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.modules.imports import PACKAGES, imported_names

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("import a, b.c as d; import e", {"a", "b.c", "e"}),
        ("from a.b import c as d, e", {"a.b", "a.b.c", "a.b.e"}),
        ("from a import (  # why\n    b,  # c\n    d,\n)", {"a", "a.b", "a.d"}),
        ("from a import b, \\\n    c", {"a", "a.b", "a.c"}),
        ("from a import *", {"a"}),
        ("def f():\n    try:\n        import a\n    except ImportError: import b", {"a", "b"}),
        ("from . import a\nfrom .b import c", {"us.them", "us.them.a", "us.them.b", "us.them.b.c"}),
        ("from .. import a\nfrom ..b import c", {"us", "us.a", "us.b", "us.b.c"}),
        ("from ...... import a", set()),
        ("'''import a'''\n# import b\nx = 'import c'; y = \"it's import d\"\nz = r'\\'; import e", {"e"}),
        ("raise ValueError from error\nimportant = 1\nreimport = 2\nyield from imports", set()),
        ("import_module('a.b')\nimportlib.import_module( \"c\" )", {"a.b", "c"}),
        ("x = 'rules.page:measure', 'rules.page', 'see rules:measure'", {"rules.page"}),
        ("x = 'transforms.a.b:c', 'storage.d', 'storage'", {"transforms.a.b", "storage.d"}),
    ],
)
def test_every_form(text: str, names: set[str]) -> None:
    assert imported_names(text, "us.them") == names


def test_only_winnows_own_are_named_in_strings_of_winnows_own() -> None:
    assert imported_names("x = 'html:text', 'transforms.a:b'", "pipelines.stages") == {"transforms.a"}


def test_a_file_without_a_package_has_no_relative_imports() -> None:
    assert imported_names("from . import a\nfrom .b import c\nimport d", "") == {"d"}


@pytest.mark.parametrize("test", ["TYPE_CHECKING", "typing.TYPE_CHECKING", "t.TYPE_CHECKING"])
def test_imports_for_type_checkers_are_left_out(test: str) -> None:
    block = f"if {test}:\n    import a\n\n    from b import (\n        c,\n    )\nelse:\n    import d\nimport e\n"
    assert imported_names(block, "") == {"d", "e"}
    inner = f"def f():\n    if {test}: import a\n    import b\n    if {test}:\n        import c\n    import d\nimport e"
    assert imported_names(inner, "") == {"b", "d", "e"}


def by_ast(node: ast.AST, package: str) -> Iterator[str]:
    """Yield what `imported_names` should find, strings aside."""
    if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
        for child in node.orelse:
            yield from by_ast(child, package)
        return
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        around = package.split(".")
        above = around[: len(around) - node.level + 1] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        yield base
        yield from (f"{base}.{alias.name}" for alias in node.names)
    for child in ast.iter_child_nodes(node):
        yield from by_ast(child, package)


def test_the_parser_finds_the_same_in_every_module_of_ours() -> None:
    count = 0
    for top in PACKAGES:
        for path in (ROOT / top).rglob("*.py"):
            package = ".".join(path.relative_to(ROOT).parts[:-1])
            text = path.read_text()
            wanted = set(by_ast(ast.parse(text), package))
            found = imported_names(text, package)
            assert wanted <= found, path
            assert all(f'"{name}' in text for name in found - wanted), path
            count += 1
    assert count > 150


@pytest.mark.parametrize(
    "line",
    [
        'x = f"{a["key"]}"',
        'x = f"{a["#"]} {b}"',
        "x = f'{a['k']} {f'{b['#import no']}'}'",
        'x = f"{\n    a["key"]  # why\n}"',
        'x = f"""{a["""key"""]} {b}"""',
        'x = f"{", ".join(names)}" + "import no"',
    ],
)
def test_quotes_inside_an_f_string_of_python_3_12_hide_no_import(line: str) -> None:
    assert imported_names(f"import first\n{line}\nimport last\nfrom a import b\n", "") >= {"first", "last", "a", "a.b"}
