"""Site verdicts over a million generated documents: are they right, the same for any number of partitions; memory.

    .venv/bin/python -m benchmarks.runs.site_verdicts [--documents 1000000] [--partitions 1 3 17]

A document is an address and the measure that `pii_sites` averages; of 100,000 uneven sites the largest has 2% of the
documents. Each case is a process of its own. `documents`: the rows of each document are made in parts of 10,000, judged
on Beam's local runner in as many partitions as a run of this size has, and the verdict of every part is applied to its
documents, as a run does it; then a dictionary of all sites does the same. `rows`: as many rows of the same form are
drawn with numpy and judged in a given number of partitions; then added up with numpy. Memory is the kernel's high-water
mark of a process. The local runner keeps in memory what it shuffles, a row of 28 bytes for each site of each part.
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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from benchmarks.machine import facts, say
from schemas.identity import keyed_fraction
from schemas.records import Document
from transforms.dedup.keys_over_limit import KEYS_PER_DOCUMENT, TOTAL
from transforms.dedup.sites import site_of
from transforms.safety.pii.density import PII_DENSITY, pii_sites
from transforms.safety.site_density import SCALE, site_density
from transforms.shuffle.hash_blocks import GROUP_BYTES, Piece
from transforms.step import Draft
from transforms.survey import Ground, addressed, emitted

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


def judged(n_parts: int) -> list[bytes]:
    """Return the same by the survey."""
    ground = Ground({"en": n_parts * PART})
    with tempfile.TemporaryDirectory() as folder:
        _judge(n_parts, _rows, ground, folder)
        return [_decided(part, ground, Path(folder)) for part in range(n_parts)]


def _judge(n_parts: int, rows_of: Callable[[int], Piece], ground: Ground, folder: str) -> None:
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        rows = pipeline | beam.Create(range(n_parts)) | beam.Map(rows_of).with_output_types(tuple[int, bytes])
        _ = SURVEY.judge(rows, ground).verdicts | beam.Map(_write, folder=folder)


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


def drawn(part: int) -> Piece:
    """Return rows as `_rows` does, of documents that are drawn with numpy."""
    rng = np.random.default_rng(part)
    sites = (SITES * rng.random(PART) ** 3).astype(np.int64)
    levels = np.random.default_rng(1 << 40).random(SITES) ** 4 * 16
    rows = np.zeros(PART, addressed(SURVEY.row))
    rows["row"], rows["key"] = np.arange(PART), sites.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    rows["weight"] = np.round(levels[sites] * rng.random(PART) * SCALE)
    return part, rows.tobytes()


def placed(n_parts: int, n_partitions: int) -> list[bytes]:
    """Return the verdicts of drawn rows in so many partitions, the sorted totals of each part."""
    n_documents = n_partitions * GROUP_BYTES // (KEYS_PER_DOCUMENT * PLACED_BYTES)
    ground = Ground({"en": n_documents})
    if ground.partitions(KEYS_PER_DOCUMENT, PLACED_BYTES) != n_partitions:
        raise ValueError(f"{n_documents} documents make another number of partitions than {n_partitions}")
    with tempfile.TemporaryDirectory() as folder:
        _judge(n_parts, drawn, ground, folder)
        files = [sorted(Path(folder).glob(f"{part}-*")) for part in range(n_parts)]
        blocks = [np.frombuffer(b"".join(path.read_bytes() for path in some), TOTAL) for some in files]
    return [np.sort(block, order="key").tobytes() for block in blocks]


def added_up(n_parts: int) -> list[bytes]:
    """Return the same by numpy alone."""
    parts = [np.frombuffer(drawn(part)[1], addressed(SURVEY.row)) for part in range(n_parts)]
    keys, places = np.unique(np.concatenate([rows["key"] for rows in parts]), return_inverse=True)
    totals = np.zeros(len(keys), TOTAL)
    totals["key"], totals["count"] = keys, np.bincount(places)
    np.add.at(totals["weight"], places, np.concatenate([rows["weight"] for rows in parts]))
    limits = pii_sites()
    means = totals["weight"] / totals["count"] / SCALE
    bad = totals[(totals["count"] >= limits.min_documents) & (means > limits.max_mean)]
    say(f"{len(totals):,} sites, {len(bad):,} over the limit")
    return [bad[np.isin(bad["key"], rows["key"])].tobytes() for rows in parts]


def case(name: str, n_documents: int, n_partitions: int) -> None:
    """Print the digest of all verdicts, CPU seconds and the peak of this process."""
    started = time.process_time()
    parts = n_documents // PART
    verdicts = {
        "truth": lambda: truth(parts),
        "documents": lambda: judged(parts),
        "rows": lambda: placed(parts, n_partitions) if n_partitions else added_up(parts),
    }[name]()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(json.dumps({"verdicts": hashlib.sha256(b"".join(verdicts)).hexdigest()[:16], "peak_mib": peak,
                      "cpu_s": round(time.process_time() - started, 1)}))  # fmt: skip


def started(name: str, n_documents: int, n_partitions: int = 0) -> dict[str, Any]:
    """Run a case in a process of its own."""
    words = ["--case", name, "--documents", str(n_documents), "--partitions", str(n_partitions)]
    done = subprocess.run([sys.executable, __file__, *words], capture_output=True, text=True, check=True,
                          env={**os.environ, "MALLOC_ARENA_MAX": "1"})  # fmt: skip
    sys.stderr.write(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--documents", type=int, default=1_000_000)
    arguments.add_argument("--partitions", type=int, nargs="+", default=[1, 3, 17])
    arguments.add_argument("--case", choices=("truth", "documents", "rows"), help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.case:
        case(given.case, given.documents, given.partitions[0])
        return
    print("| case | documents | partitions | agrees | peak, MiB | CPU s |\n| --- | ---: | ---: | --- | ---: | ---: |")
    found = []
    expected = started("rows", given.documents)
    for n_partitions in given.partitions:
        result = started("rows", given.documents, n_partitions)
        found.append(_told("rows", given.documents, n_partitions, result, expected))
    for n_documents in (given.documents // 10, given.documents):
        n_partitions = Ground({"en": n_documents}).partitions(KEYS_PER_DOCUMENT, PLACED_BYTES)
        result, expected = started("documents", n_documents), started("truth", n_documents)
        found.append(_told("documents", n_documents, n_partitions, result, expected))
    print(json.dumps({"benchmark": "site_verdicts", **facts(), "cases": found}))
    sys.exit(not all(one["agrees"] for one in found))


def _told(
    name: str, n_documents: int, n_partitions: int, result: dict[str, Any], expected: dict[str, Any]
) -> dict[str, Any]:
    agrees = result["verdicts"] == expected["verdicts"]
    cells = (name, f"{n_documents:,}", n_partitions, "yes" if agrees else "NO", result["peak_mib"], result["cpu_s"])
    print(f"| {' | '.join(map(str, cells))} |", flush=True)
    return {"case": name, "documents": n_documents, "partitions": n_partitions, "agrees": agrees, **result}


if __name__ == "__main__":
    main()
