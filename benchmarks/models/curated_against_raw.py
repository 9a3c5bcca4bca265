"""Held-out loss of a small model trained on curated tokens, and on raw ones: as many, in the same order of seeds.

    .venv/bin/python -m benchmarks.models.curated_against_raw demo [--seeds 3] [--tokens 1048576] [--folder DIR]
    .venv/bin/python -m benchmarks.models.curated_against_raw real

Everything goes through `winnow run` and the trainer's own loop. An arm is one run over the same archives:

    raw       every text that can be extracted, by the same extractor: lists, copies, languages, personal data,
              heuristics, lines and quality switched off (RAW). What no setting opens stays out: errors, what is no HTML
    curated   the recipe: on the demo web `make demo`'s, mix left as found; on real pages the defaults with dirty words

`demo` trains on the demo web, and holds out the good pages of another, drawn from another seed, as they were before
they became HTML. `real` trains on the archives of the shared data and holds out the human-made main text of the WCXB
pages whose sites are in none of them: English all but a few, so that each arm has a twin which keeps English alone.

One tokenizer serves all, trained on the raw arm: what that favours is raw. Runs of one seed share initial weights and
the keys of their order. Differences are paired by seed, intervals are Student's t over seeds: they tell of the seeds,
not of other pages. `shared` is how much of the held-out text an arm has seen: windows of 16 tokens that stand in both.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pyarrow.parquet as pq
import yaml

from benchmarks.machine import ROOT, WINNOW, facts, finish, say, start
from demo_web.config import write_config
from demo_web.truth import KEPT
from demo_web.web import make_web
from schemas.shards import ShardMetadata
from storage.shard_folders import find_shards
from trainer.commands.progress import Silent
from trainer.loop.journal import read_journal
from trainer.loop.run import run
from trainer.recipe import EvalConfig, FaultConfig, LocalConfig, ModelConfig, Recipe, ScheduleConfig, StageConfig
from trainer.scaling.fits.lines import LEVEL, t_quantile

DATA = ROOT.parent / "shared" / "data"
WINDOW = 16  # tokens
VOCABULARY = 2048
ROW_TOKENS = 2048

RAW: dict[str, Any] = {
    "index": {
        "ingest": {"max_body_bytes": 2**30, "keep_truncated": True},
        "url": {"newest_per_url": False, "one_per_payload": False},
    },
    "language": {"keep": [], "min_score": 0.0},
    "clean": dict.fromkeys(("pii", "dirty_words", "repetition", "gopher", "c4", "fineweb", "junk"), False),
    "dedup": {"exact": False, "near": False},
    "lines": False,
}  # fmt: skip
AS_FOUND: dict[str, Any] = {
    "mix": {"language_shares": {}, "quality_shares": {}, "quality_bands": [], "max_epochs": 1.0},
    "shards": {"row_tokens": ROW_TOKENS, "rows_per_shard": 64},
}
ENGLISH: dict[str, Any] = {"language": {"keep": ["en"], "min_score": 0.5}}
RAW_ARM, HELD_OUT = "raw", "held-out"


@dataclass(frozen=True)
class Case:
    """What is compared: archives, the settings of each arm, texts that no arm has seen."""

    inputs: Path
    arms: Mapping[str, Sequence[dict[str, Any]]]
    held_out: Sequence[str]


# A block and 256 steps were too little (LOG.md): seeds differed by more than arms.
MODEL = ModelConfig(layers=2, dim=128, ffn_dim=352, heads=4, kv_heads=2, tied_embeddings=True)  # 0.6M weights
SEQ_LEN, BATCH_TOKENS = 128, 1024
PEAK, FLOOR, WARMUP_STEPS = 3e-3, 3e-4, 40
TOKENS = {"demo": 2**20, "real": 2**19}


@dataclass(frozen=True)
class Shards:
    """What one run of the pipeline came to."""

    folder: Path
    documents: int
    tokens: int
    shared: float  # of the held-out windows


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("case", choices=sorted(CASES))
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--tokens", type=int, help="that every run trains on; without it as TOKENS says")
    arguments.add_argument("--held-out-tokens", type=int, default=2**16, help="that losses are measured on, at most")
    arguments.add_argument("--folder", type=Path, help="keep runs here; what is done in it is not done again")
    given = arguments.parse_args()
    given.tokens = given.tokens or TOKENS[given.case]
    if given.seeds < 2:
        arguments.error("--seeds: an interval needs 2")
    with tempfile.TemporaryDirectory() as scratch:
        compare(given, given.folder or Path(scratch))


def compare(given: argparse.Namespace, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    case = CASES[given.case](folder)
    shards = curate(case, folder)
    losses: dict[str, list[float]] = {arm: [] for arm in case.arms}
    for seed in range(given.seeds):
        for arm in case.arms:
            losses[arm].append(train(shards[arm].folder, shards[HELD_OUT].folder, seed, given, folder))
            say(f"{arm}, seed {seed}: {losses[arm][-1]:.4f}")
    report(given, shards, losses)


def demo_case(folder: Path) -> Case:
    """Return the demo web, with the settings of `make demo`."""
    web = folder / "web"
    make_web(web)
    config = yaml.safe_load(write_config(web).read_text())
    pin = folder / "quality.yaml"
    options = [word for change in ("epoch=25", "lr=0.5", "dim=32") for word in ("--set", change)]
    winnow("train-classifier", "--input", web / "quality_labels.jsonl", "--output", folder / "quality.bin",
           "--pin", pin, *options)  # fmt: skip
    quality = yaml.safe_load(pin.read_text())
    quality["quality"]["min_score"] = config.pop("quality")["min_score"]
    config.pop("tokenizer")
    other = make_web(folder / "other", seed="held out")
    texts = ["\n".join(record.text) for record in other.records if record.fate == KEPT and record.text]
    return Case(web / "crawl", {RAW_ARM: [RAW], "curated": [config, quality]}, texts)


def real_case(_folder: Path) -> Case:
    """Return the real archives of the shared data, and gold texts of pages from other sites."""
    if not DATA.exists():
        sys.exit(f"curated_against_raw: {DATA} is not here")
    curated = {"clean": {"dirty_words": {"directory": str(DATA / "lists" / "ldnoobw")}}}
    arms = {RAW_ARM: [RAW], "raw, English": [RAW, ENGLISH], "curated": [curated],
            "curated, English": [curated, ENGLISH]}  # fmt: skip
    return Case(DATA / "warc", arms, gold_texts())


def gold_texts() -> list[str]:
    """Return the gold of the WCXB pages whose site gives none of the pages of `web-pages.warc.gz`."""
    from crawl_copies import read_records

    headers = (dict(record.headers) for record in read_records(DATA / "warc" / "web-pages.warc.gz"))
    sites = {site(found.get("WARC-Target-URI", "")) for found in headers}
    texts = []
    for path in sorted((DATA / "extraction" / "wcxb" / "ground-truth").glob("*.json")):
        page = json.loads(path.read_text())
        text = page["ground_truth"].get("main_content", "")
        if text and site(page["url"]) not in sites:
            texts.append(text)
    return texts


def site(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")


CASES: dict[str, Callable[[Path], Case]] = {"demo": demo_case, "real": real_case}


def curate(case: Case, folder: Path) -> dict[str, Shards]:
    """Run the pipeline for each arm and for the held-out texts, all with the raw arm's tokenizer."""
    texts = folder / "held-out.jsonl"
    lines = [json.dumps({"id": str(n), "text": text}) for n, text in enumerate(case.held_out)]
    texts.write_text("".join(f"{line}\n" for line in lines))
    tokenizer: dict[str, Any] = {"tokenizer": {"vocab_size": VOCABULARY, "train_bytes": 4_000_000}}
    folders = {}
    for arm, settings in {**case.arms, HELD_OUT: [RAW]}.items():
        say(f"{arm}: winnow run")
        folders[arm] = folder / arm.replace(", ", "-")
        curate_arm(texts if arm == HELD_OUT else case.inputs, [*settings, AS_FOUND, tokenizer], folders[arm])
        if arm == RAW_ARM:
            tokenizer = {"tokenizer": {"path": str(next(folders[arm].glob("tokenize/*/tokenizer.json")))}}
    held = windows(folders[HELD_OUT])
    return {arm: describe(where, held) for arm, where in folders.items()}


def curate_arm(inputs: Path, settings: Sequence[dict[str, Any]], output: Path) -> None:
    configs = []
    for number, layer in enumerate(settings):
        path = output.with_name(f"{output.name}.{number}.yaml")
        path.write_text(yaml.safe_dump(layer))
        configs += ["--config", path]
    winnow("run", "--input", inputs, "--output", output, *configs, "--", "--direct_num_workers=1")


def winnow(*words: str | Path) -> None:
    finish(start([str(WINNOW), *map(str, words)]))


def describe(folder: Path, held: np.ndarray) -> Shards:
    documents: set[str] = set()
    tokens = 0
    for path in paths_of(folder):
        file = pq.ParquetFile(path)
        tokens += ShardMetadata.from_footer(file.metadata.metadata, path).real_tokens
        for row in file.read(columns=["doc_ids"]).column("doc_ids").to_pylist():
            documents.update(found for found in row if found)
    return Shards(folder, len(documents), tokens, float(np.isin(held, windows(folder)).mean()))


def windows(folder: Path) -> np.ndarray:
    """Return hashes of all windows of tokens in the shards of a run."""
    factors = np.random.default_rng(0).integers(1, 2**63, WINDOW, np.uint64) | np.uint64(1)
    found = []
    for path in paths_of(folder):
        column = pq.ParquetFile(path).read(columns=["tokens"]).column("tokens").combine_chunks()
        tokens = column.flatten().to_numpy(zero_copy_only=False).astype(np.uint64)
        found.append((np.lib.stride_tricks.sliding_window_view(tokens, WINDOW) * factors).sum(axis=1, dtype=np.uint64))
    return np.unique(np.concatenate(found))


def paths_of(folder: Path) -> list[str]:
    return [path for paths in find_shards([str(folder)]).values() for path in paths]


def train(data: Path, held_out: Path, seed: int, given: argparse.Namespace, folder: Path) -> float:
    """Train a model, unless that is done, and return its held-out loss in nats a token."""
    tokens = given.tokens
    steps = -(-tokens // BATCH_TOKENS)
    curve = ScheduleConfig(peak=PEAK, floor=FLOOR, warmup_steps=min(WARMUP_STEPS, steps // 5), decay_steps=steps)
    stage = StageConfig(name="only", tokens=tokens, seq_len=SEQ_LEN, batch_tokens=BATCH_TOKENS, schedule=curve)
    recipe = Recipe(
        name=f"{data.name}-{seed}", seed=seed, data=(str(data),), model=MODEL, stages=(stage,), mix_block=16,
        faults=FaultConfig(checkpoint_s=3600.0), local=LocalConfig(threads=1),
        evaluation=EvalConfig(held_out=(str(held_out),), tokens=given.held_out_tokens, needle_depths=1),
    )  # fmt: skip
    output = folder / "training" / f"{recipe.name}-{tokens}"
    run(recipe, output, Silent())
    measured = [event["loss"] for event in read_journal(output) if event["event"] == "eval"][-1]
    return fmean(measured.values())


def report(given: argparse.Namespace, shards: Mapping[str, Shards], losses: Mapping[str, Sequence[float]]) -> None:
    print(f"| {given.case}, {given.tokens:,} tokens, {given.seeds} seeds | documents | tokens | epochs | shared, % |"
          " loss | against raw | 95% interval |")  # fmt: skip
    print("| --- |" + " ---: |" * 7)
    differences = {}
    for arm, found in losses.items():
        differences[arm] = paired(found, losses[RAW_ARM])
        mean, half = differences[arm]
        against = f"{mean:+.4f} | {mean - half:+.4f} to {mean + half:+.4f}" if arm != RAW_ARM else " | "
        epochs, shared = given.tokens / shards[arm].tokens, 100 * shards[arm].shared
        print(f"| {arm} | {of(shards[arm])} | {epochs:.1f} | {shared:.1f} | {fmean(found):.4f} | {against} |")
    print(f"| {HELD_OUT} | {of(shards[HELD_OUT])} | | | | | |")
    told: dict[str, Any] = {
        "benchmark": "curated_against_raw", "case": given.case, "tokens": given.tokens, **facts(), "losses": losses,
        "level": LEVEL, "differences": differences,
        "arms": {arm: {**vars(found), "folder": found.folder.name} for arm, found in shards.items()},
    }  # fmt: skip
    print(json.dumps(told))


def of(shards: Shards) -> str:
    return f"{shards.documents:,} | {shards.tokens:,}"


def paired(losses: Sequence[float], others: Sequence[float]) -> tuple[float, float]:
    """Return the mean difference over seeds, and half of its interval by Student's t."""
    each = [loss - other for loss, other in zip(losses, others, strict=True)]
    return fmean(each), t_quantile(LEVEL, len(each) - 1) * stdev(each) / math.sqrt(len(each))


if __name__ == "__main__":
    main()
