"""HTML of StackExchange posts to text: ours beside BeautifulSoup over lxml, which RedPajama-1 uses. CPU ms a post.

    PYTHONPATH=.:PLACE_OF_BS4 nice .venv/bin/python -m benchmarks.texts.posts_html [POSTS.XML] [--runs 5]

Ours gives blocks with code as it is; the peer's `get_text` gives characters. BeautifulSoup is no dependency: install it
in an environment of its own and name its site-packages.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT, facts
from transforms.extraction.texts.write import text_of
from transforms.sources.stackexchange.thread import blocks_of_html

POSTS = ROOT.parent / "shared" / "data" / "stackexchange" / "coffee_Posts.xml"


def ours(body: str) -> str:
    return text_of(blocks_of_html(body))[0]


def peer() -> Callable[[str], str]:
    from bs4 import BeautifulSoup  # type: ignore[import-not-found]

    def convert(body: str) -> str:
        return str(BeautifulSoup(body.replace("<li>", "\n*"), "lxml").get_text())

    return convert


def cpu_ms(convert: Callable[[str], str], bodies: list[str]) -> float:
    started = time.process_time()
    for body in bodies:
        convert(body)
    return 1000 * (time.process_time() - started) / len(bodies)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("posts", nargs="?", type=Path, default=POSTS)
    arguments.add_argument("--runs", type=int, default=5)
    given = arguments.parse_args()
    bodies = [row.get("Body", "") for row in ET.parse(given.posts).getroot()]  # noqa: S314
    both: dict[str, Callable[[str], str]] = {"winnow": ours, "BeautifulSoup": peer()}
    taken: dict[str, Any] = {
        name: [cpu_ms(convert, bodies) for _ in range(given.runs)] for name, convert in both.items()
    }
    print("| | CPU ms a post, median | lowest | highest |\n| --- | ---: | ---: | ---: |")
    for name, values in taken.items():
        print(f"| {name} | {statistics.median(values):.3f} | {min(values):.3f} | {max(values):.3f} |")
    print(json.dumps({"benchmark": "posts_html", "posts": len(bodies), **facts(), "ms": taken}))


if __name__ == "__main__":
    main()
