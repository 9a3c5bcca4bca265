"""Personal data beside Presidio, datatrove and Dolma: recall and precision by kind on labelled sentences, and CPU time.

    .venv/bin/python -m benchmarks.texts.personal_data [DATA] [--python PYTHON] [--dolma WHEEL]

DATA is `../shared/data`: `pii/presidio_synth_dataset_v2.json` (1,500 sentences) and `web_text/*.jsonl`, cut to
pages of 10,000 characters. The peers run in a virtual environment of their own, made here under .cache from
requirements-pii.txt, or by `--python`; Dolma's rules are read out of its wheel, which is fetched without its
requirements, or by `--dolma`.

A labelled span counts as found when some span of its kind overlaps it, a found one as right when it overlaps a labelled
one of its kind; `exact` is how many of the labels are found to the character. Winnow's own runs with telephone numbers
switched on, by its defaults otherwise.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks import machine
from benchmarks.peers.environments import HERE, fetched, python_of

sys.path.insert(0, str(machine.ROOT))

from transforms.safety.pii.redact import PiiConfig, find_spans

DOLMA = "dolma==1.2.1"
PAGE_CHARS = 10_000
ROUNDS = 5
LABELS = {
    "EMAIL_ADDRESS": "emails",
    "IP_ADDRESS": "ip_addresses",
    "CREDIT_CARD": "cards",
    "IBAN_CODE": "ibans",
    "US_SSN": "national_ids",
    "PHONE_NUMBER": "phones",
}
Spans = list[tuple[int, int, str]]


def pages_of(data: Path) -> list[str]:
    """Return the web texts one after another, in pieces of 10,000 characters."""
    lines = (line for file in sorted((data / "web_text").glob("*.jsonl")) for line in file.open(encoding="utf-8"))
    text = "\n".join(json.loads(line)["text"] for line in lines)
    return [text[at : at + PAGE_CHARS] for at in range(0, len(text) - PAGE_CHARS, PAGE_CHARS)]


def run_peers(python: Path, wheel: Path, sentences: list[str], pages: list[str]) -> dict[str, dict[str, object]]:
    with tempfile.TemporaryDirectory() as folder:
        texts, result = Path(folder) / "texts.json", Path(folder) / "result.json"
        texts.write_text(json.dumps({"sentences": sentences, "pages": pages}), encoding="utf-8")
        command = [str(python), str(HERE / "pii_peers.py"), str(texts), str(wheel), str(result)]
        subprocess.run(command, check=True, capture_output=True)
        found: dict[str, dict[str, object]] = json.loads(result.read_text(encoding="utf-8"))
    return found


def run_ours(sentences: list[str], pages: list[str]) -> Iterator[tuple[str, dict[str, object]]]:
    names = {group: label for label, group in LABELS.items()}
    configs = {"Winnow, defaults": PiiConfig(), "Winnow": PiiConfig(phones="replace")}
    for name, config in configs.items():

        def find(text: str, config: PiiConfig = config) -> Spans:
            return [
                (span.start, span.end, names.get(span.group, span.group)) for span in find_spans(text, config, "en")
            ]

        spans = [find(text) for text in sentences]
        on_pages = Counter(label for page in pages for _, _, label in find(page))
        yield name, {"spans": spans, "page_ms": [_median_ms(find, page) for page in pages], "on_pages": on_pages}


def _median_ms(find: object, page: str) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.thread_time_ns()
        find(page)  # type: ignore[operator]
        times.append(time.thread_time_ns() - began)
    return statistics.median(times) / 1e6


def scores(gold: list[Spans], found: list[Spans], label: str) -> dict[str, int]:
    """Return counts of labelled spans, those found, those found exactly, of finds and of right finds."""
    counts = Counter(gold=0, hit=0, exact=0, found=0, right=0)
    for wanted, got in zip(gold, found, strict=True):
        ours = [(start, end) for start, end, what in got if what == label]
        theirs = [(start, end) for start, end, what in wanted if what == label]
        counts["gold"] += len(theirs)
        counts["found"] += len(ours)
        counts["exact"] += len(set(ours) & set(theirs))
        counts["hit"] += sum(any(a < end and start < b for a, b in ours) for start, end in theirs)
        counts["right"] += sum(any(a < end and start < b for a, b in theirs) for start, end in ours)
    return dict(counts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=machine.ROOT.parent / "shared" / "data")
    parser.add_argument("--python", type=Path, help="of an environment with what requirements-pii.txt names")
    parser.add_argument("--dolma", type=Path, help="Dolma's wheel")
    given = parser.parse_args()
    labelled = json.loads((given.data / "pii" / "presidio_synth_dataset_v2.json").read_text(encoding="utf-8"))
    sentences, pages = [one["full_text"] for one in labelled], pages_of(given.data)
    gold: list[Spans] = [
        [(span["start_position"], span["end_position"], span["entity_type"]) for span in one["spans"]]
        for one in labelled
    ]
    systems = dict(run_ours(sentences, pages))
    systems |= run_peers(given.python or python_of("pii"), given.dolma or fetched(DOLMA, ".whl"), sentences, pages)
    del systems["Winnow, defaults"]["spans"]
    result: dict[str, object] = {"n_sentences": len(sentences), "n_pages": len(pages)}
    print("| kind | labelled | system | recall | exact | precision |\n| --- | ---: | --- | ---: | ---: | ---: |")
    for label in LABELS:
        for name, system in systems.items():
            if "spans" not in system:
                continue
            counts = scores(gold, system["spans"], label)  # type: ignore[arg-type]
            result[f"{label} {name}"] = counts
            if counts["found"]:
                shares = (
                    counts["hit"] / counts["gold"],
                    counts["exact"] / counts["gold"],
                    counts["right"] / counts["found"],
                )
                print(
                    f"| {label} | {counts['gold']} | {name} | " + " | ".join(f"{share:.3f}" for share in shares) + " |"
                )
    print("\n| CPU ms a page of 10,000 characters | median | mean | spans found |\n| --- | ---: | ---: | ---: |")
    for name, system in systems.items():
        times: list[float] = system["page_ms"]  # type: ignore[assignment]
        result[f"page_ms {name}"] = statistics.median(times)
        n_found = sum(system["on_pages"].values())  # type: ignore[attr-defined]
        print(f"| {name} | {statistics.median(times):.3f} | {statistics.mean(times):.3f} | {n_found} |")
    print(json.dumps(machine.facts() | result))


if __name__ == "__main__":
    main()
