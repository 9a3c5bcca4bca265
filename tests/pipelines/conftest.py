"""A command line called in this process, and one small run of the real recipe that the tests look at."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipelines import cli

if TYPE_CHECKING:
    from tests.pipelines.dataset_bench import Bench

ROOT = Path(__file__).resolve().parents[2]
START = "from pipelines.command import main; main()"
WORDS = """
    the of and to with that have be river stone garden letter window market harbour teacher music winter bread paper
    mountain village summer journey school question answer history evening morning station bridge forest island captain
    doctor kitchen painting theatre library science weather flower animal machine story country city people"""
SETTINGS = {"language": {"keep": ["en"]}, "tokenizer": {"vocab_size": 400}, "shards": {"row_tokens": 512}}


@dataclasses.dataclass(frozen=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Call = Callable[..., Said]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Iterator[Call]:
    """Call the command line in this process."""
    handler = signal.getsignal(signal.SIGTERM)

    def run(*args: object) -> Said:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main([str(arg) for arg in args])
        said = capsys.readouterr()
        return Said(ended.value.code or 0, said.out, said.err)  # type: ignore[arg-type]

    yield run
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture(scope="session")
def command() -> Call:
    """Call the command line in a process of its own: what runs pipelines, where Beam warns of much."""

    def run(*args: object, **how: Any) -> Said:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
        done = subprocess.run(
            [sys.executable, "-c", START, *map(str, args)], capture_output=True, text=True, env=environment,
            timeout=120, **how,
        )  # fmt: skip
        return Said(done.returncode, done.stdout, done.stderr)

    return run


def sentences(seed: int, count: int = 12) -> str:
    """Return English-looking lines that pass the heuristics, other ones for each seed."""
    dice = random.Random(seed)
    lines = []
    for _ in range(count):
        words = [dice.choice(WORDS.split()) for _ in range(dice.randrange(9, 14))]
        lines.append(f"{' '.join(words).capitalize()}.")
    return "\n".join(lines)


def rows() -> list[dict[str, Any]]:
    """Return 8 good documents, copies of a payload and of a text, 2 too short, 2 German ones, 1 with an address."""
    texts = [sentences(seed) for seed in range(8)]
    german = "Der alte Mann ging am Morgen langsam über die Brücke und kaufte auf dem Markt ein frisches Brot. " * 4
    texts += [
        texts[0],
        f"{texts[1]}\nPlease enable JavaScript to see this page.",
        "This is a short text, and it says so.",
        "There is not much to read on this page.",
        german,
        f"{german}\nNoch ein Satz ist hier zu lesen.",
    ]
    texts.append(f"{sentences(99)}\nPlease write to jane.roe@mail-of-jane.org before the end of the month, she said.")
    return [
        {"text": text, "url": f"https://site-{n}.example/page", "id": f"row-{n:02d}", "date": f"2020-01-{n + 1:02d}"}
        for n, text in enumerate(texts)
    ]


@pytest.fixture(scope="session")
def jsonl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documents of `rows` as a file."""
    path = tmp_path_factory.mktemp("input") / "rows.jsonl"
    path.write_text(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows()) + "{broken\n", encoding="utf-8"
    )
    return path


@pytest.fixture(scope="session")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings that suit so small an input."""
    path = tmp_path_factory.mktemp("config") / "small.yaml"
    path.write_text(json.dumps(SETTINGS), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def small_run(jsonl: Path, config: Path, command: Call, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run; tests must not change it."""
    folder = tmp_path_factory.mktemp("small") / "run"
    said = command("run", "--input", jsonl, "--output", folder, "--config", config)
    assert said.code == 0, said.out + said.err
    return folder


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    from tests.pipelines.dataset_bench import Bench

    bench = Bench(tmp_path)
    bench.add("a", "b")
    return bench
