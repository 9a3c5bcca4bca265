"""Pages written after public bug reports of extractors, each with what its text must hold and must not.

data/cases/NAME.expected.txt: `+ ` must be in the text, `- ` must not, white space compared as one blank; `+= ` and
`-= ` are compared as they are (`\\n` is a line end).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from transforms.extraction.extract import main_text

_CASES = Path(__file__).parent / "data" / "cases"
_NAMES = sorted(path.stem for path in _CASES.glob("*.html"))


@pytest.mark.parametrize("name", _NAMES)
def test_case(name: str) -> None:
    text = main_text((_CASES / f"{name}.html").read_bytes(), "https://example.org/a")
    flat = " ".join(text.split())
    for line in (_CASES / f"{name}.expected.txt").read_text(encoding="utf-8").splitlines():
        if not line.strip():
            continue
        assert line[0] in "+-", line
        is_exact = line[1] == "="
        wanted = line[3:].replace("\\n", "\n") if is_exact else " ".join(line[2:].split())
        assert (wanted in (text if is_exact else flat)) == (line[0] == "+"), line


def test_the_cases_are_there() -> None:
    assert len(_NAMES) > 40


@pytest.mark.parametrize("tag", ["style", "script", "template", "noembed", "option", "textarea"])
def test_what_nobody_sees_is_not_raised(tag: str) -> None:
    page = f"<p>The keeper wrote 10<sup>6<{tag}>unseen</{tag}></sup> words of the sea in that one winter.</p>"
    assert "unseen" not in main_text(page.encode())
