"""datatrove's side of benchmarks/runs/datatrove_fineweb.py; runs with the Python of datatrove's own environment.

    python datatrove_side.py ARCHIVE LID_MODEL RESULT.json [TEXTS.jsonl]

The steps are those of datatrove's examples/fineweb.py with its settings, chained as its executor chains them, and the
personal-data formatter after them as FineWeb had it. Each step is a generator that pulls from the one before it, so CPU
time is charged to whichever step is running: the clock changes hands at every `next`. (Steps run apart on stored
lists would be wronged: words are cached from the repetition filter to the Gopher filter, five texts deep.)

Left out, all of it in datatrove's favour: the writers of removed and of kept documents, and what `load` does, which is
told apart. Changed: the extraction timeout, 1 s there, so that a busy machine drops no page.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from datatrove.data import Document
from datatrove.pipeline.base import PipelineStep
from datatrove.pipeline.dedup import MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.extractors import Trafilatura
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
    LanguageFilter,
    URLFilter,
)
from datatrove.pipeline.formatters.pii import PIIFormatter
from datatrove.pipeline.readers import WarcReader
from datatrove.utils.hashing import HashConfig
from datatrove.utils.lid import FT176LID
from datatrove.utils.word_tokenizers import load_word_tokenizer
from fsspec.core import strip_protocol
from huggingface_hub import cached_assets_path

EXTRACT_TIMEOUT_S = 60.0
SHOWN_PACKAGES = ("datatrove", "trafilatura", "lxml", "spacy", "fasttext-numpy2-wheel", "numpy", "warcio")


class Meter:
    """Charges this process's CPU time to one step at a time, and counts what each step read and yielded."""

    def __init__(self) -> None:
        self.cpu_s: dict[str, float] = {}
        self.read: dict[str, int] = {}
        self.kept: dict[str, int] = {}
        self._step = "outside the steps"
        self._since = time.process_time()

    def _hand_to(self, step: str) -> str:
        now = time.process_time()
        self.cpu_s[self._step] = self.cpu_s.get(self._step, 0.0) + now - self._since
        before, self._step, self._since = self._step, step, now
        return before

    @contextmanager
    def charge(self, step: str) -> Iterator[None]:
        """Charge what runs inside to `step`."""
        before = self._hand_to(step)
        try:
            yield
        finally:
            self._hand_to(before)

    def run(self, name: str, step: PipelineStep, documents: Iterable[Document] | None) -> Iterator[Document]:
        """Yield what `step` makes of `documents`."""
        pulled = iter(step.run(None if documents is None else self._count_read(name, documents)))
        self.kept[name] = 0
        while True:
            with self.charge(name):
                document = next(pulled, None)
            if document is None:
                return
            self.kept[name] += 1
            yield document

    def _count_read(self, name: str, documents: Iterable[Document]) -> Iterator[Document]:
        self.read[name] = 0
        for document in documents:
            self.read[name] += 1
            yield document


def fineweb_steps() -> dict[str, PipelineStep]:
    """Return the steps between reading and signatures, in FineWeb's order."""
    return {
        "url": URLFilter(),
        "extraction": Trafilatura(favour_precision=True, timeout=EXTRACT_TIMEOUT_S),
        "language": LanguageFilter(),
        "repetition": GopherRepetitionFilter(),
        "gopher": GopherQualityFilter(),
        "c4": C4QualityFilter(filter_no_terminal_punct=False),
        "fineweb": FineWebQualityFilter(),
    }


def place_model(model: str) -> None:
    """Put the language model where datatrove keeps the file it would download, and mark it as downloaded."""
    folder = cached_assets_path(library_name="datatrove", namespace="lid", subfolder=FT176LID.MODEL_SUBFOLDER)
    place = Path(folder) / strip_protocol(FT176LID.MODEL_URL).replace("/", "_")  # as datatrove.io names it
    shutil.copyfile(model, place)
    Path(f"{place}.completed").touch()


def load(steps: dict[str, PipelineStep]) -> None:
    """Do once what the steps would do at their first document: imports, lists, models."""
    import cchardet  # noqa: F401
    import magic  # noqa: F401
    import trafilatura  # noqa: F401  # here, so that the sandbox process has it from its start
    import warcio.archiveiterator  # noqa: F401

    document = Document(text="A few words, and a full stop.", id="0", metadata={"url": "https://example.org/"})
    steps["url"].filter(document)
    steps["language"].filter(document)
    words = load_word_tokenizer("eng")
    words.word_tokenize(document.text)
    words.sent_tokenize(document.text)


def keep_in(kept: list[Document], documents: Iterable[Document]) -> Iterator[Document]:
    """Pass documents on, and keep them."""
    for document in documents:
        kept.append(document)
        yield document


def curate(archive: Path, steps: dict[str, PipelineStep], signatures: str) -> tuple[Meter, list[Document]]:
    """Run the whole chain over one archive; returns what each step cost, and the documents that are left."""
    meter = Meter()
    documents = meter.run("read", WarcReader(str(archive.parent), glob_pattern=archive.name), None)
    for name, step in steps.items():
        documents = meter.run(name, step, documents)
    kept: list[Document] = []
    config = MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8, hash_config=HashConfig(precision=64))
    signer = MinhashDedupSignature(output_folder=signatures, config=config)
    with meter.charge("signatures"):
        signer.run(keep_in(kept, documents))  # no generator: it pulls the chain dry
    meter.read["signatures"] = meter.kept["signatures"] = len(kept)
    final = list(meter.run("pii", PIIFormatter(), kept))
    meter.read["read"] = meter.kept["read"]
    return meter, final


def children_cpu_s() -> float:
    """Return the CPU seconds of the processes that this one started and that have ended."""
    multiprocessing.active_children()  # waits for those that ended
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main(archive: str, model: str, result: str, texts: str = "") -> None:
    place_model(model)
    steps = fineweb_steps()
    load(steps)
    start_s, children_before_s = time.process_time(), children_cpu_s()
    with tempfile.TemporaryDirectory() as signatures:
        meter, final = curate(Path(archive).resolve(), steps, signatures)
    sandbox_s = children_cpu_s() - children_before_s  # the extractor's sandbox is the only child
    meter.cpu_s["extraction"] += sandbox_s
    assets = Path(sys.modules["datatrove"].__file__ or "").parent / "assets"
    blocklists = cached_assets_path(library_name="datatrove", namespace="filters", subfolder="url_filter")
    report = {
        "steps": {
            name: {"read": meter.read[name], "kept": meter.kept[name], "cpu_s": meter.cpu_s[name]}
            for name in meter.kept
        },
        "start_cpu_s": start_s,  # interpreter, imports, lists and models
        "whole_cpu_s": time.process_time() + sandbox_s,
        "versions": {name: version(name) for name in SHOWN_PACKAGES},
        "blocklists": str(blocklists),
        "word_lists": str(assets),
    }
    Path(result).write_text(json.dumps(report), encoding="utf-8")
    if texts:
        with Path(texts).open("w", encoding="utf-8") as file:
            file.writelines(json.dumps({"url": each.metadata["url"], "text": each.text}) + "\n" for each in final)


if __name__ == "__main__":
    main(*sys.argv[1:])
