"""Writes what of the pages comes from the code and from a run: docs/settings.md, and the README's figures.

    python docs/generate.py                      # docs/settings.md
    python docs/generate.py --demo demo/run      # and the block of the README between the marks `demo`

`make docs` does both after `make demo`. Tests compare: a page that is older than the code fails.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from classifiers.evaluation.evaluate import EvaluateConfig  # noqa: E402
from classifiers.training.train_fasttext import TrainConfig  # noqa: E402
from classifiers.training.train_transformer import TransformerTrainConfig  # noqa: E402
from pipelines.labelling.settings import LabelConfig  # noqa: E402
from pipelines.recipes.find import OURS, find_recipe  # noqa: E402
from pipelines.reports.ledger import ledger  # noqa: E402
from pipelines.runs.folder import RunFolder  # noqa: E402
from schemas.settings import BY_LANGUAGE, PerLanguage, is_section, limits_text, to_plain  # noqa: E402
from trainer.recipe import Recipe, StageConfig  # noqa: E402
from transforms.heuristics.perplexity.train import PerplexityTrainConfig  # noqa: E402

SETTINGS = ROOT / "docs" / "settings.md"
README = ROOT / "README.md"
MARKS = "<!-- demo: written by docs/generate.py from the run of `make demo` -->", "<!-- /demo -->"
SHOWN_REASONS = 3  # of a stage in the README; the ledger has them all

_HEAD = """\
# Settings

Written by `make docs` (`python docs/generate.py`) from the code; edit the settings there, not this page. `winnow config
[--recipe R]` prints the same as YAML, for recipes of your own too. A setting is given by `--set NAME=VALUE`, or in a
YAML file for `--config`, nested where the name has dots; what is not given has the default. A list is `[en, de]`,
nothing is `null`. Limits are inclusive unless they are `>`.
"""
_RECIPE = """
## `winnow run`, `winnow plan`: recipe `{name}`

{doc}
"""
_CLASSIFIER = """
## `winnow train-classifier`

Given by `--set NAME=VALUE`.
"""
_TRANSFORMER = """
## `winnow train-classifier --kind transformer`

Given by `--set NAME=VALUE`.
"""
_EVALUATE = """
## `winnow evaluate-classifier`

Given by `--set NAME=VALUE`.
"""
_PERPLEXITY = """
## `winnow train-perplexity`

Given by `--set NAME=VALUE`.
"""
_LABEL = """
## `winnow label`

Given by `--set NAME=VALUE` ([distil.md](distil.md)).
"""
_TRAINER = """
## `winnow-train`: a training recipe

Given in a TOML file ([trainer.md](trainer.md)); a preset's values differ from these defaults. `stages` is a list of
tables `[[stages]]`, whose settings are under `stages[]`.
"""
_LANGUAGES = """
Other values by language (`ko`), script (`Hang`) and, `other`, wherever the text is not English; the narrower key wins:
"""


def settings_page() -> str:
    """Return docs/settings.md."""
    parts = [_HEAD]
    first: dict[str, Any] = {}
    for name in OURS:
        maker = find_recipe(name)
        config = maker.settings()
        parts += [_RECIPE.format(name=name, doc=f"{maker.doc.rstrip('.')}."), *_tables(config, as_before=first)]
        first = first or {path: group for path, _, group in _groups(config, "")}
    parts += [_CLASSIFIER, *_tables(TrainConfig()), _TRANSFORMER, *_tables(TransformerTrainConfig())]
    parts += [_EVALUATE, *_tables(EvaluateConfig()), _PERPLEXITY, *_tables(PerplexityTrainConfig())]
    parts += [_LABEL, *_tables(LabelConfig())]
    parts += [_TRAINER, *_tables(Recipe(), {"stages": StageConfig()})]
    return "".join(parts)


def _tables(
    config: Any, lists: Mapping[str, Any] | None = None, as_before: Mapping[str, Any] = MappingProxyType({})
) -> Iterator[str]:
    """Yield a table of what is no group, then a heading and a table for each group; `lists` has an entry by name.

    Groups whose names and values are those of `as_before` have been printed there: only their names are.
    """
    yield _table(config, "")
    groups = list(_groups(config, ""))
    same = [path for path, _, group in groups if path in as_before and as_before[path] == group]
    if same:
        outer = [path for path in same if path.rpartition(".")[0] not in same]
        yield f"\nAs in the recipe `{next(iter(OURS))}`: {', '.join(f'`{path}`' for path in outer)}.\n"
    for path, doc, group in groups:
        if path in same:
            continue
        yield f"\n### `{path}`\n\n{doc}\n"
        if group is not None:
            yield _table(group, f"{path}.")
            if isinstance(group, PerLanguage) and group.by_language:
                yield _LANGUAGES + _by_language(group)
    for name, entry in (lists or {}).items():
        yield f"\n### `{name}[]`\n" + _table(entry, f"{name}[].")
        for path, doc, group in _groups(entry, f"{name}[]."):
            yield f"\n### `{path}`\n\n{doc}\n" + _table(group, f"{path}.")


def _groups(config: Any, where: str) -> Iterator[tuple[str, str, Any]]:
    """Yield name, meaning and settings of each group inside `config`, outer ones first; None for one that is off."""
    own = config.default if isinstance(config, PerLanguage) else config
    for field in dataclasses.fields(own):
        value = getattr(own, field.name)
        if not is_section(field, value):
            continue
        path = f"{where}{field.name}"
        doc = field.metadata.get("doc", "") or field.name
        optional = f" *Optional: `{path}=off` switches it off.*" if field.metadata.get("optional") else ""
        off = f" Off by default; `{path}=on` switches it on." if value is None else ""
        yield path, f"{doc[0].upper()}{doc[1:]}.{optional}{off}", value
        if value is not None:
            yield from _groups(value, f"{path}.")


def _table(config: Any, where: str) -> str:
    own = config.default if isinstance(config, PerLanguage) else config
    rows = [
        f"| `{where}{field.name}` | {_cell(_value(getattr(own, field.name)))} | {_cell(_meaning(field))} |\n"
        for field in dataclasses.fields(own)
        if not is_section(field, getattr(own, field.name))
    ]
    return "\n| setting | default | meaning |\n|---|---|---|\n" + "".join(rows) if rows else ""


def _meaning(field: dataclasses.Field[Any]) -> str:
    limits = limits_text(field.metadata)
    return f"{field.metadata.get('doc', '')}{f' [{limits}]' if limits else ''}"


def _value(value: Any) -> str:
    plain = to_plain(value)
    if plain == "":
        return "`''`"
    text = plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
    return f"`{text}`"


def _cell(text: str) -> str:
    return text.replace(">=", "≥").replace("<=", "≤").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def _by_language(group: PerLanguage[Any]) -> str:
    rows = [
        f"| `{key}` | {', '.join(f'`{name}` {_cell(_value(value))}' for name, value in changes.items())} |\n"
        for key, changes in to_plain(group)[BY_LANGUAGE].items()
    ]
    return "\n| language | settings |\n|---|---|\n" + "".join(rows)


def demo_block(run: Path) -> str:
    """Return the README's table of what became of the demo's records, from the folder of its run."""
    book = ledger(RunFolder(str(run)))
    stages = book["stages"]
    names = max(len(stage["name"]) for stage in stages)
    lines = [f"{'stage':<{names}}  {'read':>5}  {'kept':>5}  why not kept"]
    for stage in stages:
        line = f"{stage['name']:<{names}}  {stage['read']:>5,}  {stage['kept']:>5,}  {_reasons(stage)}"
        lines.append(line.rstrip())
    tokens, shards = sum(shard["tokens"] for shard in book["shards"]), len(book["shards"])
    lines[-1] += f"  {shards} shards, {tokens:,} tokens"
    intro = (
        f"The demo web, {stages[0]['read']:,} archived records with known truth (the tests check it figure by figure):"
    )
    return f"{MARKS[0]}\n{intro}\n\n```\n" + "\n".join(lines) + f"\n```\n{MARKS[1]}"


def _reasons(stage: Mapping[str, Any]) -> str:
    found = sorted(stage["dropped"].items(), key=lambda pair: (-pair[1], pair[0]))
    words = [", ".join(f"{reason} {count:,}" for reason, count in found[:SHOWN_REASONS])]
    if left := found[SHOWN_REASONS:]:
        words[0] += f", {sum(count for _, count in left):,} for {len(left)} more reasons"
    if stage["failed"]:
        words.append(f"failed {sum(stage['failed'].values()):,}")
    return "; ".join(filter(None, words))


def with_block(text: str, block: str) -> str:
    """Return the README with its figures replaced. Raises ValueError where the marks are not there once."""
    changed, n = re.subn(f"{re.escape(MARKS[0])}.*?{re.escape(MARKS[1])}", lambda _: block, text, flags=re.DOTALL)
    if n != 1:
        raise ValueError(f"the marks {MARKS[0]} and {MARKS[1]} are there {n} times, not once")
    return changed


def main() -> None:
    """Write the pages."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--demo", type=Path, help="folder of the run of `make demo`; writes the README's figures")
    chosen = parser.parse_args()
    SETTINGS.write_text(settings_page(), encoding="utf-8")
    if chosen.demo is not None:
        README.write_text(with_block(README.read_text(encoding="utf-8"), demo_block(chosen.demo)), encoding="utf-8")


if __name__ == "__main__":
    main()
