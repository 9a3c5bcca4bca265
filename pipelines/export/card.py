"""The dataset card of an export: README.md, whose head Hugging Face's `datasets` reads, and whose rest people do."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import yaml

from pipelines.export.corpus import FinishedRun
from pipelines.export.folder import Record
from pipelines.export.text import WEIGHT, TextFile, TextPlan, folder_of
from pipelines.runs.counts import KEPT

_LANGUAGES_SHOWN = 20
_SIZES = (("n<1K", 10**3), ("1K<n<10K", 10**4), ("10K<n<100K", 10**5), ("100K<n<1M", 10**6), ("1M<n<10M", 10**7),
          ("10M<n<100M", 10**8), ("100M<n<1B", 10**9), ("1B<n<10B", 10**10), ("10B<n<100B", 10**11),
          ("100B<n<1T", 10**12))  # fmt: skip
_ISO = re.compile(r"[a-z]{2,3}")
LICENCE = (
    "The texts keep the licences of their sources, which this export does not change and of which it grants none:"
    " whoever passes the texts on must see to them. Where a source tells the licence of a text, a column has it."
)


@dataclass(frozen=True)
class Made:
    """How an export was made, as its card tells it."""

    runs: Sequence[FinishedRun]
    recipe: str
    version: str


def text_card(made: Made, plan: TextPlan, files: Sequence[TextFile], records: Mapping[str, Record]) -> str:
    """Return the card of an export of text."""
    rows = {file.path: records[unit_of(file)].counts["rows"] for file in files}
    total = sum(rows.values())
    head: dict[str, Any] = {
        "license": "other",
        "license_name": "licences-of-the-sources",
        "language": [code for code, _ in _languages(made) if _ISO.fullmatch(code)],
        "task_categories": ["text-generation"],
        "size_categories": [next((name for name, end in _SIZES if total < end), "n>1T")],
        "configs": [{**config, "description": _content(config, files, records)} for config in _configs(files)],
        "dataset_info": _infos(plan, files),
    }
    text = "with the column `weight`" if plan.copies == WEIGHT else "once for each of its copies, numbered by `copy`"
    body = [
        f"A document that the mix took several times is here {text}; `n_tokens` are the tokens of one copy under the"
        " run's tokenizer. Documents lie in the order of the corpus, not shuffled.",
        _table(("source", "documents", "copies", "tokens", "files"), _by_source(files)),
    ]
    return _head(head) + _page(made, body)


def token_card(made: Made, kind: str, counts: Sequence[tuple[str, int, int, int]], how: str) -> str:
    """Return the card of an export of tokens; `counts` are documents, tokens and files by source."""
    facts = made.runs[0].tokenizer
    body = [
        f"Tokens, `--format {kind}`. {how}",
        f"Each document is BOS ({facts.bos_id}), its text, EOS ({facts.eos_id}); {facts.vocab_size:,} tokens in the"
        f" vocabulary; tokenizer in `tokenizer/`, SHA-256 of the file that the tokens were made with: {facts.sha256}."
        " Documents are shuffled over their source, each as often as the mix took it.",
        _table(("source", "documents", "tokens", "files"), counts),
    ]
    return _head({"license": "other", "license_name": "licences-of-the-sources"}) + _page(made, body)


def tokenizer_card(made: Made) -> str:
    """Return the card of a tokenizer by itself."""
    facts = made.runs[0].tokenizer
    body = [
        f"The tokenizer of a Winnow run: {facts.vocab_size:,} tokens, BOS {facts.bos_id}, EOS {facts.eos_id}."
        f" SHA-256 of the file that the run's tokens were made with: {facts.sha256}.",
        "`transformers.AutoTokenizer.from_pretrained(FOLDER)`; it puts BOS before a text, as the run does.",
    ]
    return _page(made, body)


def unit_of(file: TextFile) -> str:
    """Return the name of a file's record."""
    return file.path.replace("/", "-")


def _head(entries: Mapping[str, Any]) -> str:
    plain = {name: value for name, value in entries.items() if value}
    return f"---\n{yaml.dump(plain, Dumper=_Whole, sort_keys=False, allow_unicode=True)}---\n"


class _Whole(yaml.SafeDumper):
    """Writes what occurs twice twice: not every reader of cards knows YAML's references."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _configs(files: Sequence[TextFile]) -> list[dict[str, Any]]:
    """Return one configuration for everything, and one for each source where there are several."""
    names = _config_names(files)
    patterns = {source: f"{folder_of(source)}/train-*" for source in names}
    configs = {"default": list(patterns.values())}
    if len(names) > 1:
        configs |= {name: [patterns[source]] for source, name in names.items()}
    return [{"config_name": name, "data_files": [{"split": "train", "path": paths}]} for name, paths in configs.items()]


def _content(config: Mapping[str, Any], files: Sequence[TextFile], records: Mapping[str, Record]) -> str:
    """Return a line that changes with the bytes of a configuration's files.

    `datasets` keeps what it has loaded by a hash of the card's configurations, which name files by patterns: without
    this line it would give the old texts of a folder that was exported anew (datasets 5.2, load.py).
    """
    folders = {path.partition("/")[0] for path in config["data_files"][0]["path"]}
    digests = [
        entry["sha256"]
        for file in files if folder_of(file.source) in folders
        for _, entry in sorted(records[unit_of(file)].files.items())
    ]  # fmt: skip
    return f"SHA-256 of its files: {hashlib.sha256(''.join(digests).encode()).hexdigest()}"


def _config_names(files: Sequence[TextFile]) -> dict[str, str]:
    """Return the name of each source's configuration; `default` is everything."""
    sources = sorted({file.source for file in files})
    return {source: "source-default" if source == "default" else folder_of(source) for source in sources}


def _infos(plan: TextPlan, files: Sequence[TextFile]) -> list[dict[str, Any]]:
    """Return the columns of each configuration, so that no reader has to guess them from the first rows."""
    features = [feature(field, plan.kind) for field in plan.schema]
    return [{"config_name": config["config_name"], "features": features} for config in _configs(files)]


def feature(field: pa.Field, kind: str) -> dict[str, Any]:
    """Return a column as `datasets` writes it in a card; times are texts in JSON."""
    return {"name": field.name, **_type_of(field.type, kind)}


def _type_of(type_: pa.DataType, kind: str) -> dict[str, Any]:
    if pa.types.is_struct(type_):
        return {"struct": [feature(field, kind) for field in type_]}
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        inner = _type_of(type_.value_type, kind)
        return {"list": inner.get("struct", inner.get("dtype", inner))}
    if kind == "jsonl" and pa.types.is_timestamp(type_):
        return {"dtype": "string"}
    names = {pa.float32(): "float32", pa.float64(): "float64", pa.bool_(): "bool"}
    return {"dtype": names.get(type_, str(type_))}


def _languages(made: Made) -> list[tuple[str, int]]:
    """Return the documents of each language, the most frequent first."""
    languages: Counter[str] = Counter()
    for run in made.runs:
        for fate, n in run.mix[0].counts.items():
            if fate.fate == KEPT:
                languages[fate.language] += n
    return sorted(languages.items(), key=lambda item: (-item[1], item[0]))


def _by_source(files: Sequence[TextFile]) -> list[tuple[str, int, int, int, int]]:
    sums: dict[str, list[int]] = {}
    for file in files:
        found = sums.setdefault(file.source, [0, 0, 0, 0])
        for n, value in enumerate((file.documents, file.copies, file.tokens, 1)):
            found[n] += value
    return [(source, *found) for source, found in sorted(sums.items())]  # type: ignore[misc]


def _table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a Markdown table: a name, then numbers."""
    lines = [f"| {' | '.join(names)} |", f"|---|{'---:|' * (len(names) - 1)}"]
    for first, *numbers in rows:
        lines.append(f"| {str(first).replace('|', '&#124;') or '(none)'} | {' | '.join(f'{n:,}' for n in numbers)} |")
    return "\n".join(lines)


def _page(made: Made, body: Sequence[str]) -> str:
    keys = [f"`{manifest.stage}` {manifest.key}" for run in made.runs for manifest, _ in run.chain]
    paragraphs = [
        "# Exported by Winnow",
        *body,
        "## Languages",
        _table(("language", "documents"), _languages(made)[:_LANGUAGES_SHOWN]),
        "## Licence",
        LICENCE,
        "## How it was made",
        f"By Winnow {made.version}, recipe {made.recipe}. What each stage kept, of all runs:",
        _table(("stage", "read", "kept"), _funnel(made)),
        f"Keys of the stages, which hold their settings, code and inputs: {', '.join(keys)}.",
        "`export.json` has the SHA-256 of every file.",
    ]
    return "\n\n".join(paragraphs) + "\n"


def _funnel(made: Made) -> list[tuple[str, int, int]]:
    sums: dict[str, tuple[int, int]] = {}
    for run in made.runs:
        for manifest, _ in run.chain:
            read, kept = sums.get(manifest.stage, (0, 0))
            sums[manifest.stage] = (read + manifest.counts.read, kept + manifest.counts.kept)
    return [(stage, *found) for stage, found in sums.items()]
