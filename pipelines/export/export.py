"""One export of a dataset: plans its files, writes those that are not there yet, and shows the folder."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import storage
from pipelines.export import tokens
from pipelines.export.card import Made, text_card, token_card, tokenizer_card, unit_of
from pipelines.export.corpus import SHARDS, FinishedRun, finished_runs, parts_of, schema_of_documents
from pipelines.export.folder import ExportFolder, Record, open_hashed
from pipelines.export.text import ROWS, TEXT_FORMATS, TextFile, plan_files, plan_text, write_file
from pipelines.export.token_files import TOKEN_FORMATS, FileFacts
from pipelines.runs.dataset import Dataset
from pipelines.runs.plan import VERSION
from pipelines.stages.tokens import tokenizer_path
from schemas.errors import ConfigError, InputError, RunError
from schemas.settings import overlay
from storage.network.hub import check_repository, is_hub
from transforms.tokens.tokenizer import TokenizerConfig
from transforms.tokens.tokenizer_fit import TokenizerFit
from transforms.tokens.tokenizer_folder import FILE, tokenizer_folder

Unit: TypeAlias = Callable[[str], Record]  # writes some files below a folder, and returns what they are
FORMAT = 1  # of an export; a part of its key, so another one is written anew
TOKENIZER = "tokenizer"
FORMATS = (*TEXT_FORMATS, *TOKEN_FORMATS, TOKENIZER)
TEXT_TOKENS, TOKEN_TOKENS = 200_000_000, 1_000_000_000  # tokens of a file, where nothing else is asked for
_HOW = {
    "megatron": "Megatron-LM's indexed datasets: prefixes `SOURCE/tokens-*`, one sequence a document. `data-args.txt`"
    " has them with their sizes as weights, for `--data-args-path`, as paths below this folder.",
    "nanotron": "datatrove's `.ds` files with `.ds.index`, for nanotron's Nanoset: one folder a source.",
    "bin": "Flat little-endian tokens in `.bin`; `.ends`, a uint64 for each document, has the token after its last;"
    " `.json` says what a reader needs to know.",
}


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """What is exported, and how."""

    kind: str  # one of FORMATS
    copies: str = ROWS
    columns: tuple[str, ...] = ()  # of the documents; none: all
    file_tokens: int = 0  # 0: the default of the format
    run: int | None = None  # number of the run; None: all


@dataclass(frozen=True)
class Exported:
    """What an export wrote."""

    path: str
    files: int
    counts: Mapping[str, int]  # rows, documents, copies, tokens; those that the format has
    size_bytes: int
    is_new: bool  # False: the folder held this export already


@dataclass
class _Work:
    """The files of an export, each made by a function that can be called by itself."""

    units: dict[str, Unit] = field(default_factory=dict)
    card: Callable[[Mapping[str, Record]], str] = lambda records: ""
    check: Callable[[Mapping[str, Record]], None] = lambda records: None


def export(dataset: Dataset, to: str, options: ExportOptions, tell: Callable[[int, int], None]) -> Exported:
    """Export a dataset into the folder `to`; `tell` is called with the files that are done and all there are.

    An interrupted export of the same options goes on with the files that are missing. Raises RunError for a folder that
    holds something else, ConfigError for options that do not fit the dataset.
    """
    if is_hub(to):
        check_repository(to)
        with tempfile.TemporaryDirectory(prefix="winnow-export-") as waiting:
            return _export(dataset, to, options, tell, waiting)
    return _export(dataset, to, options, tell, "")


def _export(
    dataset: Dataset, to: str, options: ExportOptions, tell: Callable[[int, int], None], waiting: str
) -> Exported:
    runs = finished_runs(dataset, options.run)
    made = Made(runs, dataset.runs()[0].recipe(), VERSION)
    target = ExportFolder(to, _key(runs, options), waiting)
    if target.is_done():
        return _exported(to, json.loads(storage.read_bytes(f"{to}/export.json")), is_new=False)
    work = _text_work(made, options) if options.kind in TEXT_FORMATS else _token_work(made, options)
    with _told_of_full_disks(to), target.begin() as records:
        for n, (name, make) in enumerate(work.units.items()):
            tell(n, len(work.units))
            if name not in records:
                records[name] = make(target.root)
                target.record(name, records[name])
        records = {name: records[name] for name in work.units}
        work.check(records)
        facts = {
            "format": options.kind,
            "winnow": VERSION,
            "counts": _counts(records),
            "stages": [{manifest.stage: manifest.key for manifest, _ in run.chain} for run in runs],
        }
        whole = target.finish(records, work.card(records), facts)
    return _exported(to, whole, is_new=True)


@contextlib.contextmanager
def _told_of_full_disks(to: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise RunError(f"{to}: no space left; make room and run the same command again to go on") from error


def _exported(path: str, facts: Mapping[str, Any], *, is_new: bool) -> Exported:
    files = facts["files"]
    return Exported(path, len(files), facts["counts"], sum(entry["bytes"] for entry in files.values()), is_new)


def _counts(records: Mapping[str, Record]) -> dict[str, int]:
    """Return the sums over all files."""
    total: Counter[str] = Counter()
    for record in records.values():
        total.update(record.counts)
    return dict(total)


def _key(runs: Sequence[FinishedRun], options: ExportOptions) -> str:
    """Return the hash of all that the bytes of an export depend on; where run and export lie is no part of it."""
    stages = [[(manifest.stage, manifest.key) for manifest, _ in run.chain] for run in runs]
    parts = [FORMAT, VERSION, options.kind, options.copies, options.columns, options.file_tokens, stages]
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=8).hexdigest()


def _text_work(made: Made, options: ExportOptions) -> _Work:
    runs = made.runs
    plan = plan_text(options.kind, options.copies, schema_of_documents(runs), options.columns)
    files = plan_files(parts_of(runs), options.kind, options.file_tokens or TEXT_TOKENS)
    if not files:
        raise RunError(f"{runs[0].path}: the mix took no document, so there is nothing to export")

    def unit(file: TextFile) -> Unit:
        return lambda root: write_file(file, plan, runs, root)

    units = {unit_of(file): unit(file) for file in files}
    return _Work(units, lambda records: text_card(made, plan, files, records))


def _token_work(made: Made, options: ExportOptions) -> _Work:
    runs = made.runs
    if len({run.tokenizer.sha256 for run in runs}) > 1:
        raise RunError(f"{runs[0].path}: its runs have different tokenizers; export them one by one with --run")
    units: dict[str, Unit] = {TOKENIZER: lambda root: _write_tokenizer(runs[0], root, options.kind)}
    if options.kind == TOKENIZER:
        return _Work(units, lambda records: tokenizer_card(made))
    files = tokens.plan_tokens(runs, options.file_tokens or TOKEN_TOKENS)
    if not files:
        raise RunError(f"{runs[0].path}: its shards hold no token, so there is nothing to export")
    facts = FileFacts(runs[0].tokenizer, f"{TOKENIZER}/{FILE}")
    names = {file.stem.replace("/", "-"): file for file in files}

    def unit(file: tokens.TokenFile) -> Unit:
        return lambda root: tokens.write_file(file, options.kind, facts, root)

    units |= {name: unit(file) for name, file in names.items()}

    def by_source(records: Mapping[str, Record]) -> list[tuple[str, int, int, int]]:
        sums: dict[str, tuple[int, int, int]] = {}
        for name, file in names.items():
            documents, total, n = sums.get(file.source, (0, 0, 0))
            found = records[name].counts
            sums[file.source] = (documents + found["documents"], total + found["tokens"], n + 1)
        return [(source, *found) for source, found in sums.items()]

    def check(records: Mapping[str, Record]) -> None:
        wanted = sum(shard["tokens"] for run in runs for shard in run.shards[0].facts[SHARDS])
        found = sum(tokens_ for _, _, tokens_, _ in by_source(records))
        if found != wanted:
            raise RunError(f"{runs[0].path}: its shards hold {wanted} tokens, but {found} were exported")

    if options.kind == "megatron":  # after the others: it has their tokens
        units["data-args"] = lambda root: _write_data_args(root, names)
    return _Work(units, lambda records: token_card(made, options.kind, by_source(records), _HOW[options.kind]), check)


def _write_tokenizer(run: FinishedRun, root: str, kind: str) -> Record:
    """Write the tokenizer's folder; by itself it is the export's own folder."""
    manifest, data = run.tokenized
    config = overlay(TokenizerConfig(), manifest.config[TokenizerFit.name])
    path = tokenizer_path(data)
    try:
        found = storage.read_bytes(path)
    except InputError as error:
        raise RunError(f"{error}; the run's tokenizer is gone") from None
    if hashlib.sha256(found).hexdigest() != run.tokenizer.sha256:
        raise RunError(f"{path}: is not the file that the run's tokens were made with")
    below = "" if kind == TOKENIZER else f"{TOKENIZER}/"
    return _write_small(root, {f"{below}{name}": text for name, text in tokenizer_folder(found, path, config).items()})


def _write_data_args(root: str, names: Mapping[str, tokens.TokenFile]) -> Record:
    """Write the list of weights and prefixes, whose weights are the bytes of each file."""
    lines = [f"{storage.size(f'{root}/{file.stem}.bin')} {file.stem}" for file in names.values()]
    return _write_small(root, {"data-args.txt": ("\n".join(lines) + "\n").encode()})


def _write_small(root: str, files: Mapping[str, bytes]) -> Record:
    entries = {}
    for name, data in files.items():
        with open_hashed(f"{root}/{name}") as file:
            file.write(data)
            entries[name] = file.entry()
    return Record(entries, {})


def check_options(options: ExportOptions) -> None:
    """Raise ConfigError for a format that there is not, and for options that the format does not have."""
    if options.kind not in FORMATS:
        raise ConfigError(f"--format {options.kind}: no such format; expected one of {', '.join(FORMATS)}")
    of_text = options.kind in TEXT_FORMATS
    if not of_text and (options.columns or options.copies != ROWS):
        raise ConfigError(f"--format {options.kind}: --columns and --copies are for text ({', '.join(TEXT_FORMATS)})")
    if options.kind == TOKENIZER and options.file_tokens:
        raise ConfigError(f"--format {TOKENIZER}: --file-tokens is for text and tokens")
