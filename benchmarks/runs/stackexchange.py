"""A generated dump of StackExchange through index, join and read: peak memory and rows a second as it grows.

    nice .venv/bin/python -m benchmarks.runs.stackexchange [--posts 100000 1000000]

A third of the posts are questions, the others answers to any earlier question, half of them to one of the last 500: so
answers lie in all parts behind their question. Bodies have 30 to 300 words, every fourth a block of code. Memory is
that of benchmarks/runs/memory.py: PSS of the process tree, five times a second.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.machine import WINNOW, facts, finish, say, start
from benchmarks.runs.memory import POLL_S, descendants, pss_mib
from pipelines.recipes.stackexchange import StackExchangeConfig
from pipelines.recipes.stackexchange import recipe as whole
from pipelines.runs.graph import Recipe

STAGES = ("index", "join", "read")
WORDS = ("water", "grind", "beans", "brew", "filter", "press", "steam", "pressure", "taste", "acid", "roast", "boil")
CODE = "<pre><code>for (int i = 0; i &lt; n; i++) {\n    if (a[i] &gt; b) {\n        b = a[i];\n    }\n}\n</code></pre>"


def recipe(config: StackExchangeConfig) -> Recipe:
    """The recipe `stackexchange` up to the texts."""
    nodes = [node for node in whole(config).nodes if node.id.rpartition("/")[2] in STAGES]
    made = whole(config)
    return Recipe("stackexchange_texts", tuple(nodes), made.sources, config)


@dataclass
class Peaks:
    """Figures of one run; memory in MiB."""

    posts: int = 0
    mib: float = 0.0
    wall_s: float = 0.0
    peaks: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    cpu_s: dict[str, float] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)


def write_dump(path: Path, posts: int) -> None:
    """Write a dump of so many posts, the same every time."""
    dice = random.Random(posts)  # noqa: S311
    bodies = [body(dice) for _ in range(997)]
    questions: list[int] = []
    with path.open("w", encoding="utf-8") as file:
        file.write('\ufeff<?xml version="1.0" encoding="utf-8"?>\n<posts>\n')
        for number in range(1, posts + 1):
            text = escaped(f"{bodies[number % 997]}<p>Post {number}.</p>")
            common = (
                f'Id="{number}" CreationDate="2015-01-27T20:09:32.720" Score="{dice.randrange(-3, 120)}" Body="{text}"'
            )
            if number % 3 == 1:
                questions.append(number)
                file.write(f'  <row {common} PostTypeId="1" Title="Question {number}" Tags="&lt;a&gt;&lt;b&gt;" />\n')
                continue
            near = questions[-500:] if dice.random() < 0.5 else questions
            file.write(f'  <row {common} PostTypeId="2" ParentId="{near[int(dice.random() * len(near))]}" />\n')
        file.write("</posts>")


def body(dice: random.Random) -> str:
    text = "".join(f"<p>{' '.join(dice.choices(WORDS, k=dice.randrange(10, 100)))}.</p>\n" for _ in range(3))
    return text + CODE if dice.random() < 0.25 else text


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", "&#xA;")


def watch(dump: Path, posts: int) -> Peaks:
    """Run the stages over a dump and return their peaks."""
    peaks = Peaks(posts=posts, mib=dump.stat().st_size / 2**20)
    with tempfile.TemporaryDirectory() as scratch:
        run = Path(scratch, "run")
        words = ["run", "--recipe", "stackexchange:recipe", "--input", str(dump), "--output", str(run)]
        process = start([str(WINNOW), *words, "--", "--direct_num_workers=1"])
        started = time.monotonic()
        while process.poll() is None:
            memory = pss_mib(process.pid) + sum(map(pss_mib, descendants(process.pid)))
            begun = [stage for stage in STAGES if (run / "stackexchange" / stage).exists()]
            if begun:
                peaks.peaks[begun[-1]] = max(peaks.peaks[begun[-1]], memory)
            time.sleep(POLL_S)
        peaks.wall_s = time.monotonic() - started
        finish(process)
        for stage in STAGES:
            manifest = json.loads((run / "stackexchange" / stage / "manifest.json").read_text())
            peaks.cpu_s[stage] = sum(manifest["cpu_s"].values())
            peaks.kept[stage] = sum(
                n for (_, _, fate, _), n in zip(manifest["counts"]["fates"], manifest["counts"]["numbers"], strict=True)
                if fate == "kept"
            )  # fmt: skip
    return peaks


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--posts", nargs="+", type=int, default=[100_000, 1_000_000])
    found = []
    for posts in arguments.parse_args().posts:
        with tempfile.TemporaryDirectory() as scratch:
            dump = Path(scratch, "bench_Posts.xml")
            write_dump(dump, posts)
            say(f"{posts:,} posts, {dump.stat().st_size >> 20:,} MiB")
            found.append(watch(dump, posts))
    print(f"| | {' | '.join(f'{peaks.posts:,} posts' for peaks in found)} |")
    print(f"| --- |{' ---: |' * len(found)}")
    print(f"| MiB of XML | {' | '.join(f'{peaks.mib:,.0f}' for peaks in found)} |")
    print(f"| wall seconds | {' | '.join(f'{peaks.wall_s:,.0f}' for peaks in found)} |")
    for stage in STAGES:
        print(f"| peak PSS in {stage}, MiB | {' | '.join(f'{peaks.peaks[stage]:,.0f}' for peaks in found)} |")
    for stage in STAGES:
        print(f"| CPU seconds of {stage} | {' | '.join(f'{peaks.cpu_s[stage]:,.1f}' for peaks in found)} |")
    for stage in STAGES:
        print(f"| kept by {stage} | {' | '.join(f'{peaks.kept[stage]:,}' for peaks in found)} |")
    print(json.dumps({"benchmark": "stackexchange", **facts(), "runs": [asdict(peaks) for peaks in found]}))


if __name__ == "__main__":
    main()
