"""Site verdicts over a million generated documents: the same for any number of partitions, and what memory they take.

    .venv/bin/python benchmarks/site_verdicts.py [--documents 1000000] [--partitions 1 3 17]

A document is an address and the measure that `pii_sites` averages; of 100,000 uneven sites the largest
has 2% of the documents. Each case is a process of its own: the documents' rows are made in parts of
10,000, judged on Beam's local runner, and the verdict of every part is applied to its documents, as a run does it.
The truth is a dictionary of all sites. Memory is the kernel's high-water mark of a process. The local runner keeps in
memory what it shuffles, a row of 28 bytes for each site of each part; 0 partitions: as many as a run of this size has.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from machine import facts, say

from schemas.identity import keyed_fraction
from schemas.records import Document
from transforms.dedup.keys_over_limit import KEYS_PER_DOCUMENT, TOTAL
from transforms.dedup.sites import site_of
from transforms.safety.pii.density import PII_DENSITY, pii_sites
from transforms.safety.site_density import SCALE, site_density
from transforms.shuffle.hash_blocks import GROUP_BYTES, Piece
from transforms.step import Draft
from transforms.survey import Ground, emitted

PART = 10_000  # documents of a part
SITES = 100_000
PLACED_BYTES = TOTAL.itemsize + 4  # a row of the shuffle
SURVEY = site_density(pii_sites(), "pii_sites")


def drafts(part: int) -> Iterator[Draft]:
    """Yield the documents of a part: addresses of uneven sites, each site with its own mean of the measure."""
    for number in range(part * PART, (part + 1) * PART):
        name = f"{number:032x}"
        site = int(SITES * keyed_fraction("site", name) ** 3)  # the largest has 2% of the documents
        level = keyed_fraction("level", str(site)) ** 4 * 8
        made = Draft(Document(id=name, text="", url=f"https://w{number % 7}.site{site}.org/{number}"))
        made.stored = {PII_DENSITY: {"spans_per_1000_chars": level * 2 * keyed_fraction("measure", name)}}
        yield made


def truth(n_parts: int) -> list[bytes]:
    """Return the verdicts by a dictionary of all sites, a digest for each part."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for part in range(n_parts):
        for draft in drafts(part):
            found = sums[site_of(draft.document.url)]
            found[0] += round(draft.stored[PII_DENSITY]["spans_per_1000_chars"] * SCALE)
            found[1] += 1
    limits = pii_sites()
    bad = {site for site, (weight, count) in sums.items()
           if count >= limits.min_documents and weight / count / SCALE > limits.max_mean}  # fmt: skip
    say(f"{len(sums):,} sites, {len(bad):,} over the limit, the largest of {max(n for _, n in sums.values()):,}")
    return [_digest(site_of(one.document.url) if site_of(one.document.url) in bad else "" for one in drafts(part))
            for part in range(n_parts)]  # fmt: skip


def judged(n_parts: int, n_partitions: int) -> list[bytes]:
    """Return the same by the survey; 0 partitions: as many as a run of this size has."""
    n_documents = n_partitions * GROUP_BYTES // (KEYS_PER_DOCUMENT * PLACED_BYTES) if n_partitions else n_parts * PART
    ground = Ground({"en": n_documents})
    if n_partitions and ground.partitions(KEYS_PER_DOCUMENT, PLACED_BYTES) != n_partitions:
        raise ValueError(f"{n_documents} documents make another number of partitions than {n_partitions}")
    with tempfile.TemporaryDirectory() as folder:
        with beam.Pipeline(runner=FnApiRunner()) as pipeline:
            rows = pipeline | beam.Create(range(n_parts)) | beam.Map(_rows).with_output_types(tuple[int, bytes])
            _ = SURVEY.judge(rows, ground).verdicts | beam.Map(_write, folder=folder)
        return [_decided(part, ground, Path(folder)) for part in range(n_parts)]


def _rows(part: int) -> Piece:
    rows = [emitted(SURVEY.emit(draft), row, SURVEY.row) for row, draft in enumerate(drafts(part))]
    return part, np.concatenate(rows).tobytes()


def _write(piece: Piece, folder: str) -> None:
    Path(folder, f"{piece[0]}-{hashlib.blake2b(piece[1]).hexdigest()}").write_bytes(piece[1])


def _decided(part: int, ground: Ground, folder: Path) -> bytes:
    decide = SURVEY.verdict([path.read_bytes() for path in folder.glob(f"{part}-*")], ground)
    decisions = (decide(draft, row) for row, draft in enumerate(drafts(part)))
    return _digest(drop.detail if drop else "" for drop in decisions)


def _digest(sites: Iterator[str]) -> bytes:
    """Return a digest of which documents of a part go, and for what site."""
    return hashlib.blake2b("\n".join(sites).encode(), digest_size=16).digest()


def case(n_documents: int, n_partitions: int, *, by_truth: bool) -> None:
    """Print the digest of all verdicts, CPU seconds and the peak of this process."""
    started = time.process_time()
    parts = n_documents // PART
    digests = truth(parts) if by_truth else judged(parts, n_partitions)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(json.dumps({"verdicts": hashlib.sha256(b"".join(digests)).hexdigest()[:16], "peak_mib": peak,
                      "cpu_s": round(time.process_time() - started, 1)}))  # fmt: skip


def started(*words: object) -> dict[str, Any]:
    """Run a case in a process of its own."""
    done = subprocess.run([sys.executable, __file__, *map(str, words)], capture_output=True, text=True, check=True,
                          env={**os.environ, "MALLOC_ARENA_MAX": "1"})  # fmt: skip
    sys.stderr.write(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--documents", type=int, default=1_000_000)
    arguments.add_argument("--partitions", type=int, nargs="+", default=[0, 1, 3, 17])
    arguments.add_argument("--case", choices=("truth", "survey"), help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.case:
        case(given.documents, given.partitions[0], by_truth=given.case == "truth")
        return
    cases = [(given.documents // 10, 0), *((given.documents, n) for n in given.partitions)]
    print("| documents | partitions | as a dictionary says | peak, MiB | CPU s |\n| ---: | ---: | --- | ---: | ---: |")
    expected: dict[int, Any] = {}
    found = []
    for n_documents, n_partitions in cases:
        words = ("--documents", n_documents, "--partitions", n_partitions)
        if n_documents not in expected:
            expected[n_documents] = started(*words, "--case", "truth")
        result = started(*words, "--case", "survey")
        agrees = result["verdicts"] == expected[n_documents]["verdicts"]
        count = n_partitions or Ground({"en": n_documents}).partitions(KEYS_PER_DOCUMENT, PLACED_BYTES)
        print(f"| {n_documents:,} | {count} | {'yes' if agrees else 'NO'} | {result['peak_mib']} | {result['cpu_s']} |")
        found.append({"documents": n_documents, "partitions": count, "agrees": agrees, **result})
    print(json.dumps({"benchmark": "site_verdicts", **facts(), "cases": found, "truth": expected}))
    sys.exit(not all(one["agrees"] for one in found))


if __name__ == "__main__":
    main()
