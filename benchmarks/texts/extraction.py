"""Word F1 and CPU time of extraction, by kind of page, on sites that the model has not seen; other engines beside it.

    .venv/bin/python -m benchmarks.texts.extraction [DATA] [--parts 4] [--only 0] [--models FOLDER]

The sites fall into parts by a hash of their names. For each part, lexicon and forest are trained on the pages of the
others (the shipped model has seen all pages, so it is not used) and the engines get the part's pages by turns of ten.
`--models` keeps the models; `--only` measures these parts alone. Needs the extra `train-extractor`, unless all models
are there.

F1 is that of the multisets of words (`\\w+`, lower case) of text and gold, the mean of the pages', as the benchmark of
the pages (WCXB) counts it. CPU time is the process's own.

    winnow             extract_page with the model of the part, compiled
    from source        the same, not compiled, in a process of its own (no such column when nothing is compiled)
    trafilatura        trafilatura.extract(html, url=url): its defaults
    fast               the same with fast=True
    resiliparse        extract_plain_text(html, main_content=True)
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection
from pathlib import Path

import trafilatura
from resiliparse.extract.html2text import extract_plain_text

from benchmarks.machine import ROOT, facts, say
from classifiers.training.train_extractor import TrainExtractorConfig, train
from classifiers.training.train_extractor_data import LabelledPage, read_pages
from transforms.extraction.choice.model import load_model, save_model
from transforms.extraction.choice.page_kind import KINDS
from transforms.extraction.compiled import SWITCH
from transforms.extraction.extract import extract_page
from transforms.extraction.parsing import walk
from transforms.extraction.texts.decoding import decode_html

DATA = ROOT.parent / "shared" / "data" / "extraction" / "wcxb"
IS_COMPILED = not str(walk.__file__).endswith(".py")
TURN = 10  # pages that an engine gets before the next one has its turn
WORD = re.compile(r"\w+")
Engine = Callable[[bytes, str], tuple[str, float]]  # a page and its URL -> its text, CPU seconds


@dataclass(frozen=True)
class Score:
    """What an engine made of a page."""

    kind: str
    precision: float
    recall: float
    f1: float
    cpu_s: float


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("data", nargs="?", type=Path, default=DATA)
    arguments.add_argument("--parts", type=int, default=4, help="into how many the sites are parted")
    arguments.add_argument("--only", type=int, nargs="+", help="the parts that are measured; default: all")
    arguments.add_argument("--models", type=Path, help="folder of the parts' models, made where they are missing")
    given = arguments.parse_args()
    pages = read_pages(given.data)
    scores: dict[str, list[Score]] = defaultdict(list)
    measured = given.only if given.only is not None else list(range(given.parts))
    with tempfile.TemporaryDirectory() as temporary:
        for part in measured:
            model = model_without(pages, part, given.parts, given.models or Path(temporary))
            inside = [page for page in pages if page.fold(given.parts) == part]
            say(f"part {part} of {given.parts}: {len(inside)} pages of {len({page.site for page in inside})} sites")
            with engines(model) as by:
                for engine, found in scored(inside, given.data, by).items():
                    scores[engine] += found
    report(scores, [given.parts, measured])


def model_without(pages: list[LabelledPage], part: int, n_parts: int, folder: Path) -> Path:
    """Return the file of the model of all pages but those of a part."""
    file = folder / f"without-{part}-of-{n_parts}.npz"
    if not file.exists():
        known = [page for page in pages if page.fold(n_parts) != part]
        model, _ = train(known, TrainExtractorConfig(), validate_folds=False)
        file.parent.mkdir(parents=True, exist_ok=True)
        save_model(model, file)
    return file


@contextmanager
def engines(model: Path) -> Iterator[dict[str, Engine]]:
    found = {
        "winnow": ours(model),
        "trafilatura": timed(lambda html, url: trafilatura.extract(html, url=url) or ""),
        "fast": timed(lambda html, url: trafilatura.extract(html, url=url, fast=True) or ""),
        "resiliparse": timed(lambda html, _url: str(extract_plain_text(decode_html(html), main_content=True))),
    }
    if not IS_COMPILED:
        yield found
        return
    here, there = Pipe()
    os.environ[SWITCH] = "0"  # for the child alone: this process has its modules
    child = get_context("spawn").Process(target=serve_from_source, args=(there, model), daemon=True)
    child.start()
    there.close()  # so that the end of the child ends our waiting for it
    del os.environ[SWITCH]

    def from_source(html: bytes, url: str) -> tuple[str, float]:
        here.send((html, url))
        text, cpu_s = here.recv()
        return str(text), float(cpu_s)

    try:
        yield {"winnow": found.pop("winnow"), "from source": from_source, **found}
    finally:
        here.close()
        child.join()


def ours(model: Path) -> Engine:
    loaded = load_model(model)
    return timed(lambda html, url: extract_page(html, url, model=loaded).text)


def timed(extract: Callable[[bytes, str], str]) -> Engine:
    def engine(html: bytes, url: str) -> tuple[str, float]:
        started = time.process_time()
        text = extract(html, url)
        return text, time.process_time() - started

    return engine


def serve_from_source(pages: Connection, model: Path) -> None:
    """Extract the pages that come, until no more can."""
    if IS_COMPILED:
        raise RuntimeError(f"{walk.__file__}: compiled in spite of {SWITCH}=0")
    engine = ours(model)
    with suppress(EOFError):
        while True:
            pages.send(engine(*pages.recv()))


def scored(pages: list[LabelledPage], data: Path, by: dict[str, Engine]) -> dict[str, list[Score]]:
    """Run the engines over the pages, by turns of TURN pages, so that a slow minute of the machine is everybody's; each
    gets the first page once before, for imports and caches."""
    found: dict[str, list[Score]] = {engine: [] for engine in by}
    for engine in by.values():
        for page in pages[:1]:
            engine(html_of(page, data), page.url)
    for turn in range(0, len(pages), TURN):
        for name, engine in by.items():
            for page in pages[turn : turn + TURN]:
                found[name].append(score(page, *engine(html_of(page, data), page.url)))
    return found


def html_of(page: LabelledPage, data: Path) -> bytes:
    return gzip.decompress((data / "html" / f"{page.name}.html.gz").read_bytes())


def score(page: LabelledPage, text: str, cpu_s: float) -> Score:
    chosen, gold = (Counter(WORD.findall(words.lower())) for words in (text, page.gold))
    shared = (chosen & gold).total()
    precision, recall = shared / max(1, chosen.total()), shared / max(1, gold.total())
    return Score(KINDS[page.kind], precision, recall, 2 * shared / max(1, chosen.total() + gold.total()), cpu_s)


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def report(scores: dict[str, list[Score]], parts: list[object]) -> None:
    """Print one table, and the figures as one line of JSON."""
    everything = next(iter(scores.values()))
    if not everything:
        sys.exit("extraction: no pages in these parts")
    counts = Counter(each.kind for each in everything)
    print(f"| word F1 | pages | {' | '.join(scores)} |")
    print(f"| --- | ---: |{' ---: |' * len(scores)}")
    for kind in (kind for kind in KINDS if counts[kind]):
        cells = [f"{mean([each.f1 for each in found if each.kind == kind]):.3f}" for found in scores.values()]
        print(f"| {kind} | {counts[kind]} | {' | '.join(cells)} |")
    rows: dict[str, Callable[[list[Score]], str]] = {
        "all": lambda found: f"{mean([each.f1 for each in found]):.3f}",
        "precision": lambda found: f"{mean([each.precision for each in found]):.3f}",
        "recall": lambda found: f"{mean([each.recall for each in found]):.3f}",
        "CPU ms a page": lambda found: f"{1000 * mean([each.cpu_s for each in found]):.1f}",
        "pages a CPU second": lambda found: f"{1 / mean([each.cpu_s for each in found]):.1f}",
        "times as fast as trafilatura": lambda found: (
            f"{mean([each.cpu_s for each in scores['trafilatura']]) / mean([each.cpu_s for each in found]):.1f}"
        ),
    }
    for name, cell in rows.items():
        print(f"| {name} | {len(everything)} | {' | '.join(map(cell, scores.values()))} |")
    figures = {engine: {name: cell(found) for name, cell in rows.items()} for engine, found in scores.items()}
    setup = {"parts": parts, "pages": len(everything), "compiled": IS_COMPILED}
    print(json.dumps({"figures": figures, **setup, **facts()}))


if __name__ == "__main__":
    main()
