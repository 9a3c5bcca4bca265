"""What of pages' main text reaches the corpus, by kind of page: our recipe, its preset `fineweb`, datatrove's FineWeb.

    .venv/bin/python -m benchmarks.texts.corpus [DATA]

The pages with gold text (WCXB) become one archive, which `winnow run` and datatrove's sequence of FineWeb curate
(peers/datatrove_side.py). For each kind: how many pages are kept and what share of all kept they are, the share
of the gold's words that reach the corpus, and the word F1 of the kept pages' final texts, as extraction.py
counts it. Our extractor has seen these pages in training; the preset differs from datatrove in it and in what the
rules' own files tell, so the step from the preset to our recipe is that of the rules alone.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from benchmarks.machine import facts, finish, run_command, say, start
from benchmarks.peers.environments import python_of
from benchmarks.runs.datatrove_fineweb import run_datatrove
from benchmarks.texts.extraction import DATA, WORD, mean
from classifiers.models.model_files import LID_176, resolve

FETCHED = "2024-01-01T00:00:00Z"


@dataclass(frozen=True)
class Gold:
    """A page's kind and the words of its main text."""

    kind: str
    words: Counter[str]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("data", nargs="?", type=Path, default=DATA, help="folder of html/ and ground-truth/")
    data = arguments.parse_args().data
    if not (data / "ground-truth").is_dir():
        sys.exit(f"{data}: no pages with gold text; give their folder as argument")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        archive = folder / "pages.warc.gz"
        golds = write_archive(data, archive)
        sides: dict[str, dict[str, str]] = {}
        for name, changes in (("winnow", ()), ("preset fineweb", ("preset:fineweb",))):
            say(name)
            sides[name] = run_winnow(archive, folder / name.replace(" ", "-"), changes)
        say("datatrove")
        texts = folder / "texts.jsonl"
        run_datatrove(
            python_of("datatrove", "800 MB, some minutes"), archive, resolve("", LID_176.sha256, LID_176), texts
        )
        rows = map(json.loads, texts.read_text(encoding="utf-8").splitlines())
        sides["datatrove"] = {row["url"]: row["text"] for row in rows}
    report(golds, sides)


def write_archive(data: Path, archive: Path) -> dict[str, Gold]:
    """Write the pages as one archive; return the gold of each that has one, by address."""
    golds: dict[str, Gold] = {}
    with archive.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        for path in sorted((data / "ground-truth").glob("*.json")):
            truth = json.loads(path.read_text(encoding="utf-8"))
            url = truth.get("url") or f"https://example.org/{path.stem}"
            with gzip.open(data / "html" / f"{path.stem}.html.gz") as html:
                head = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
                record = writer.create_warc_record(
                    url, "response", payload=html, http_headers=head, warc_headers_dict={"WARC-Date": FETCHED}
                )
                writer.write_record(record)
            words = words_of((truth.get("ground_truth") or {}).get("main_content") or "")
            if words:
                golds[url] = Gold(truth["_internal"]["page_type"]["primary"], words)
    return golds


def run_winnow(archive: Path, output: Path, presets: tuple[str, ...]) -> dict[str, str]:
    """Run the recipe; return the final texts by address."""
    command = run_command(archive, output)
    at = command.index("--output")
    finish(start([*command[:at], *(word for preset in presets for word in ("--config", preset)), *command[at:]]))
    texts: dict[str, str] = {}
    for path in output.glob("dedup/*/documents/*.parquet"):
        table: Any = pq.ParquetFile(path).read(["url", "text"])
        texts.update(zip(table["url"].to_pylist(), table["text"].to_pylist(), strict=True))
    return texts


def words_of(text: str) -> Counter[str]:
    return Counter(WORD.findall(text.lower()))


def f1(text: Counter[str], gold: Counter[str]) -> float:
    return 2 * (text & gold).total() / max(1, text.total() + gold.total())


def report(golds: dict[str, Gold], sides: dict[str, dict[str, str]]) -> None:
    """Print one table, and the figures as one line of JSON."""
    kinds = sorted({gold.kind for gold in golds.values()})
    print("| kind | pages |" + "".join(f" {name}: kept | gold words | F1 |" for name in sides))
    print("| --- | ---: |" + " ---: | ---: | ---: |" * len(sides))
    figures: dict[str, Any] = {"facts": facts()}
    for kind in (*kinds, "all"):
        of_kind = {url: gold for url, gold in golds.items() if kind in (gold.kind, "all")}
        cells: list[str] = []
        for name, texts in sides.items():
            kept = {url: words_of(texts[url]) for url in of_kind if url in texts}
            reached = sum((words & of_kind[url].words).total() for url, words in kept.items())
            share = reached / sum(gold.words.total() for gold in of_kind.values())
            quality = mean([f1(words, of_kind[url].words) for url, words in kept.items()] or [0.0])
            among = len(kept) / max(1, sum(url in texts for url in golds))
            cells += [f"{len(kept)} ({among:.1%})", f"{share:.3f}", f"{quality:.3f}"]
            figures[f"{name}/{kind}"] = {"pages": len(of_kind), "kept": len(kept), "gold": share, "f1": quality}
        print(f"| {kind} | {len(of_kind)} | {' | '.join(cells)} |")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
