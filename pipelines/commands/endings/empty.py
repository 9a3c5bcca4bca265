"""A run that came to its end with nothing: an exit code of its own, and one line that says why and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

import storage
from pipelines.runs.dataset import Dataset
from pipelines.runs.folder import Manifest, RunFolder
from pipelines.runs.graph import Recipe
from pipelines.runs.tables import read_batches
from pipelines.stages.tokenizer_facts import FACTS
from schemas.errors import EmptyRunError, InputError, RunError
from schemas.settings import to_plain
from transforms.sources.tables.columns import column_names

UNREADABLE = frozenset({"not_an_archive", "not_a_dump", "empty_file"})  # causes: a whole file is none of its source's
NO_TEXT = "missing_text"  # cause: a row without the column that the settings name
COLUMN_SETTING = "text_column"  # names that column, wherever a recipe's settings have it
_KNOWN = "_in_earlier_run"  # how reasons end that only a later run of a dataset has
_SHOWN = 12  # columns


def refuse_empty(recipe: Recipe, folder: RunFolder, manifests: Sequence[Manifest]) -> None:
    """Raise EmptyRunError when a run that came to its end has kept no document; `manifests` are those of its stages."""
    of_stage = {manifest.stage: manifest for manifest in manifests}
    handed_on = {before for node in recipe.nodes for before in node.upstream}
    if any(of_stage[node.id].counts.kept for node in recipe.nodes if node.id not in handed_on):
        return
    if any(reason.endswith(_KNOWN) for manifest in manifests for reason in manifest.counts.dropped):
        return  # a later run whose documents an earlier one of the dataset has: nothing is new, and nothing wrong
    raise EmptyRunError(f"{folder.path}: {_why(recipe, folder, of_stage)}")


def refuse_untrained(dataset: Dataset) -> None:
    """Raise RunError when the first run of a dataset kept nothing: all later ones would take its tokenizer, which was
    trained on no text."""
    for manifest, _ in [stage for run in dataset.runs()[:1] for stage in run.committed()]:
        given = any(path for _, path in _settings_named("path", manifest.config))
        if FACTS in manifest.facts and not manifest.counts.read and not given:
            raise RunError(
                f"{dataset.path}: its first run kept nothing, so its tokenizer was trained on no text, and later runs"
                " must use the same; remove the folder, or give another --output"
            )


def _why(recipe: Recipe, folder: RunFolder, of_stage: Mapping[str, Manifest]) -> str:
    sources = [of_stage[node.id] for node in recipe.nodes if node.source]
    read = sum(manifest.counts.read for manifest in sources)
    failed: Counter[str] = Counter()
    for manifest in sources:
        failed.update(manifest.counts.failed)
    unreadable = sum(failed[cause] for cause in UNREADABLE)
    if read == unreadable:
        path = next(_failed_archives(folder, sources, UNREADABLE), "") or sources[0].inputs[0]["path"]
        return f"no record was read: {path} {_has_no_format(recipe, failed)}"
    if failed[NO_TEXT] and read == sum(failed.values()):
        return _no_such_column(recipe, next(_failed_archives(folder, sources, {NO_TEXT}), ""))
    fates: Counter[tuple[str, str]] = Counter()
    for stage, manifest in of_stage.items():
        for reasons in (manifest.counts.dropped, manifest.counts.failed):
            fates.update({(reason, stage): n for reason, n in reasons.items()})
    (reason, stage), n = max(fates.items(), key=lambda item: (item[1], item[0]))
    return (
        f"{read:,} records were read and none was kept; most ended in stage {stage}: {reason} {n:,};"
        f" look at them with `winnow show {folder.path} --reason {reason}`"
    )


def _has_no_format(recipe: Recipe, failed: Mapping[str, int]) -> str:
    others = ", as is every other input" if sum(failed.values()) > 1 else ""
    if not failed:
        return "holds none"
    if set(failed) == {"empty_file"}:
        return f"is empty{others}"
    formats = dict.fromkeys(getattr(source, "formats", "") for source in recipe.sources.values())
    read = "; ".join(filter(None, formats)) or "its source's"
    return f"is in none of the formats that are read{others} (they are: {read})"


def _no_such_column(recipe: Recipe, path: str) -> str:
    """Return what to say of rows without a text: the column that is asked for, the setting, the columns there are."""
    setting, column = next(_settings_named(COLUMN_SETTING, to_plain(recipe.settings)), (COLUMN_SETTING, ""))
    try:
        names = column_names(path) if path and storage.exists(path) else []
    except InputError:
        names = []
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    there = f"; its columns are {shown}" if names else ""
    return f"no row has a text in column {column!r}: {path or 'the inputs'}{there}; name it with --set {setting}=COLUMN"


def _settings_named(name: str, plain: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, Any]]:
    """Yield path and value of each setting of a name."""
    for key, value in plain.items():
        if key == name:
            yield f"{where}{key}", value
        elif isinstance(value, Mapping):
            yield from _settings_named(name, value, f"{where}{key}.")


def _failed_archives(folder: RunFolder, sources: Sequence[Manifest], causes: Set[str]) -> Iterator[str]:
    """Yield the files of records that failed by some causes."""
    for manifest in sources:
        table = folder.data(manifest.stage, manifest.key).table("failed")
        for path in storage.list_files(table):
            if path.endswith(".parquet"):
                for batch in read_batches(path, ["cause", "archive"]):
                    yield from (row["archive"] for row in batch.to_pylist() if row["cause"] in causes)
