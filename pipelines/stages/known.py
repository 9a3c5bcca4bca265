"""What a stage knows of the dataset's earlier runs, and what it leaves for later ones (transforms/shuffle).

<data folder>/known/<kind>/*.bin    rows of one kind, cut by ranges of their hash
manifest, facts["known"][<kind>]    files, rows, bytes and a digest of the files of each kind
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from pipelines.runs.folder import DataFolder, Manifest
from schemas.errors import ConfigError, RunError
from schemas.settings import to_plain
from transforms.shuffle.known_rows import KnownRows, KnownTable, table_facts

FACT = "known"
EarlierRuns: TypeAlias = Sequence[tuple[Manifest, DataFolder]]  # one stage in the dataset's earlier runs, oldest first
Kinds: TypeAlias = Mapping[str, np.dtype[np.void]]  # what rows a stage leaves


def known_rows(earlier: EarlierRuns, target: DataFolder, kinds: Kinds) -> dict[str, KnownRows]:
    """Return the rows of each kind that earlier runs left, and where this run leaves its own.

    Raises RunError when an earlier run left none of a kind.
    """
    return {
        kind: KnownRows(_folder(target, kind), dtype, tuple(_table(run, kind) for run in earlier))
        for kind, dtype in kinds.items()
    }


def known_facts(target: DataFolder, kinds: Kinds) -> dict[str, Any]:
    """Return the facts by which later runs recognise the tables that a stage has written."""
    return {FACT: {kind: table_facts(_folder(target, kind), dtype) for kind, dtype in kinds.items()}}


def check_known(earlier: EarlierRuns, kinds: Kinds) -> None:
    """Raise RunError unless every earlier run has left its rows of each kind, and all their files are there."""
    for run in earlier:
        for kind in kinds:
            _table(run, kind).check()


def refuse_other_settings(earlier: EarlierRuns, settings: Any, names: Sequence[str]) -> None:
    """Raise ConfigError unless each named setting or group is what it was in every earlier run.

    Hashes made under one value cannot be compared with those of another; and of a step that one run left out there
    would be no hashes.
    """
    for manifest, data in earlier:
        for name in names:
            before, now = (_settings_below(_at(plain, name), name) for plain in (manifest.config, to_plain(settings)))
            for path in sorted(before.keys() | now.keys()):
                if before.get(path) != now.get(path):
                    where = path if path.startswith(f"{manifest.stage}.") else f"{manifest.stage}.{path}"
                    raise ConfigError(
                        f"{where}: {now.get(path)!r} is not allowed; it is {before.get(path)!r} in {_run_of(data)}, and"
                        " the runs of a dataset are compared with each other"
                    )


def _table(run: tuple[Manifest, DataFolder], kind: str) -> KnownTable:
    manifest, data = run
    facts = manifest.facts.get(FACT, {}).get(kind)
    if facts is None:
        raise RunError(
            f"{_run_of(data)}: its stage {manifest.stage} left no known {kind} for later runs; start a new dataset"
        )
    return KnownTable(_folder(data, kind), facts["digest"])


def _run_of(data: DataFolder) -> str:
    """Return the folder of the run that a stage's data folder, `<run>/<stage>/<key>`, lies in."""
    return data.root.rsplit("/", 2)[0]


def _folder(data: DataFolder, kind: str) -> str:
    return f"{data.table(FACT)}/{kind}"


def _at(plain: Any, name: str) -> Any:
    for key in name.split("."):
        plain = plain.get(key) if isinstance(plain, Mapping) else None
    return plain


def _settings_below(plain: Any, name: str) -> dict[str, Any]:
    """Return every single setting of a group by its path."""
    if not isinstance(plain, Mapping):
        return {name: plain}
    return {path: value for key in plain for path, value in _settings_below(plain[key], f"{name}.{key}").items()}
