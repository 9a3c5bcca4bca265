"""The settings that were fitted, as YAML for `--config`: each limit with what it rests on in a comment above it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from pipelines.tuning.reference import ReferenceFile
from pipelines.tuning.tune import KEPT, Tuned
from schemas.settings import BY_LANGUAGE
from transforms.heuristics.fitted_limits import TuneConfig

_SHOWN_WORDS = 12


def to_yaml(tuned: Tuned, files: Sequence[ReferenceFile], config: TuneConfig) -> str:
    """Return the settings with their evidence. The same reference gives the same text."""
    lines = [
        f"# Limits of the language {tuned.language}, fitted to {tuned.n_texts:,} texts of {tuned.n_words:,} words.",
        *(f"#   {one.n_texts:,} of {one.path}, SHA-256 {one.sha256}" for one in files),
        f"# Each keeps {config.share:g} of such texts or more, with a confidence of {config.confidence:g}, by"
        f" {tuned.n_fitted:,} of them; none is stricter than that of English.",
        "# Where the texts are too few to tell so much, what they do tell is said, and a limit is only made looser.",
        *_tried(tuned),
    ]
    evidence = {one["setting"]: _evidence(one) for one in tuned.limits}
    evidence |= {one["setting"]: _evidence_of_words(one) for one in tuned.stop_words}
    lines += _lines(tuned.changes, (), 0, evidence)
    return "\n".join(lines) + "\n"


def _tried(tuned: Tuned) -> list[str]:
    if not tuned.held_out:
        return []
    told = []
    for name, fates in tuned.held_out.items():
        lost = ", ".join(f"{reason} {n}" for reason, n in fates.items() if reason != KEPT)
        told.append(f"{name}: kept {fates.get(KEPT, 0):,}" + (f", dropped {lost}" if lost else ""))
    n = sum(tuned.held_out["after"].values())
    return [f"# Of {n:,} texts that they were not fitted to, by all rules:", *(f"#   {line}" for line in told)]


def _lines(changes: Any, path: tuple[str, ...], depth: int, evidence: dict[str, list[str]]) -> list[str]:
    lines: list[str] = []
    pad = "  " * depth
    for name, value in changes.items():
        if isinstance(value, dict):
            lines += [f"{pad}{_plain(name)}:", *_lines(value, (*path, name), depth + 1, evidence)]
        else:
            setting = ".".join([*path[: path.index(BY_LANGUAGE)], name])
            lines += [f"{pad}# {line}" for line in evidence.get(setting, [])]
            lines.append(f"{pad}{name}: {_plain(value)}")
    return lines


def _plain(value: Any) -> str:
    dumped: str = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000)
    return dumped.removesuffix("\n").removesuffix("\n...")


def _evidence(limit: dict[str, Any]) -> list[str]:
    spread = ", ".join(f"{float(share):g}: {value:.4g}" for share, value in limit["quantiles"].items())
    told = f"{limit['measure']} of {limit['texts']:,} texts, by quantile {spread}"
    why = f"fitted {limit['fitted']:g} (keeps {limit['share']:.4g})"
    return [told, f"{why}, English {limit['english']:g}, before {limit['before']:g}"]


def _evidence_of_words(found: dict[str, Any]) -> list[str]:
    shares = ", ".join(f"{word} {share:.3%}" for word, share in list(found["candidates"].items())[:_SHOWN_WORDS])
    told = (
        f"{len(found['candidates'])} frequent words; two of the list are in {found['texts_with_some']:.4g} of the texts"
    )
    if not found["words"]:
        told += ": too few, so the language is not judged by stop words"
    return [told, *([f"share of all words: {shares}"] if shares else [])]
