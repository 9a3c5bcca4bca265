"""The extraction compiled gives what it gives from source: every block, title, date, kind and confidence."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.compiled import check_tools, compile_extraction
from schemas.errors import ConfigError
from tests.e2e.conftest import ROOT
from tests.fuzz.pages import page_of
from transforms.extraction.compiled import SWITCH

EXTRACT = """
import pickle, sys
from pathlib import Path
from schemas.errors import BadRecord
from transforms.extraction.extract import extract_page
from transforms.extraction.parsing import walk
from transforms.extraction.choice.model import shipped_model
print(Path(walk.__file__).suffix)
page = extract_page(b"<article><h1>A</h1><p>One paragraph, no more words than these.</p></article>")
assert pickle.loads(pickle.dumps(page)) == page and page.blocks, page
model = pickle.loads(pickle.dumps(shipped_model()))
for page in sorted(Path(sys.argv[1]).iterdir(), key=lambda path: int(path.name)):
    try:
        print(ascii(extract_page(page.read_bytes(), "https://a.org/b-c", comments=page.name[-1] < "5", model=model)))
    except BadRecord as error:
        print(error)
"""
N_PAGES = 400


def printed(pages: Path, switch: str) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), SWITCH: switch}
    command = [sys.executable, "-c", EXTRACT, str(pages)]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.splitlines()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Odd pages from random choices, the tests' formulas and listings, and pages nested deeply."""
    folder = tmp_path_factory.mktemp("pages")
    dice = random.Random(20261121)
    made = [page_of(dice.randbytes(dice.randrange(20, 2000))).encode("utf-8", "surrogatepass") for _ in range(N_PAGES)]
    data = sorted((ROOT / "tests/transforms/extraction/data").rglob("*"))
    made += [path.read_bytes() for path in data if path.is_file()]
    made += [b"<p>Some words before it.</p>" + tag * 5_000 for tag in (b"<div>x", b"<math><mrow>", b"<pre><span>a\n")]
    made += [b"<p>Words</p><math>" + b"<apply><plus/><ci>x</ci>" * 5_000, b"", b"\xff\xfe\x00", b"<h1>" * 300]
    for number, page in enumerate(made):
        (folder / str(number)).write_bytes(page)
    return folder


def test_the_same_in_machine_code(pages: Path) -> None:
    try:
        check_tools()
    except ConfigError as error:
        pytest.skip(str(error))
    compile_extraction()
    from_source, compiled = printed(pages, "0"), printed(pages, "")
    assert (from_source[0], compiled[0] != ".py") == (".py", True)
    assert compiled[1:] == from_source[1:]
    assert sum(line.startswith("Extracted(text=") and "text=''" not in line for line in compiled) > N_PAGES // 2
