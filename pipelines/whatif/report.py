"""The answer of `winnow whatif` as plain data: the sums of a dataset's runs, with samples, and tokens of what comes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pipelines.reports.ledger import BY, parted
from pipelines.reports.records import texts_before, texts_of
from pipelines.runs.counts import DROPPED, Counts, Fate, sum_of
from pipelines.stages.tokenizer_facts import FACTS
from pipelines.stages.tokens import tokenizer_of
from pipelines.whatif.tally import COMES, GOES, MOVES, UNDECIDED, Rule, Tally
from pipelines.whatif.whatif import StageResult, WhatIf

_ORDER: Final = (COMES, GOES, MOVES, UNDECIDED)


def report(runs: Sequence[WhatIf], settings: Sequence[str], samples: int) -> dict[str, Any]:
    """Return what would come, go and move in the runs of a dataset, and `samples` documents for each rule.

    `estimated_tokens` of what comes are those of `sampled` texts, as they were before the stage, by the documents.
    """
    sums: dict[Rule, Tally] = {}
    estimates: Counter[Rule] = Counter()
    sampled: Counter[Rule] = Counter()
    shown: dict[Rule, list[dict[str, Any]]] = {}
    for run in runs:
        drawn = {rule: tally.sample() for rule, tally in run.tallies.items()}
        texts = _texts(run, drawn, samples)
        for rule, tally in run.tallies.items():
            _add(sums.setdefault(rule, Tally()), tally)
            rows = [{**rule._asdict(), **row, "text": texts.get(row["id"])} for row in drawn[rule][:samples]]
            shown.setdefault(rule, []).extend(rows)
        for rule, (tokens, n_texts) in _estimated(run, drawn, texts).items():
            estimates[rule] += tokens
            sampled[rule] += n_texts
    ordered = sorted(sums, key=lambda rule: (_ORDER.index(rule.change), -sums[rule].documents.total(), rule))
    return {
        "settings": list(settings),
        "runs": len(runs),
        "stages": _stages(runs),
        "changes": [
            {**sums[rule].plain(rule), "estimated_tokens": estimates.get(rule), "sampled": sampled.get(rule, 0)}
            for rule in ordered
        ],
        "not_told": list(dict.fromkeys(f"{stage}: {cause}" for run in runs for stage, cause in run.lost.items())),
        "later": list(dict.fromkeys(line for run in runs for line in run.later)),
        "samples": [row for rule in ordered for row in shown[rule][:samples]],
    }


def _add(total: Tally, tally: Tally) -> None:
    total.documents.update(tally.documents)
    total.at_end.update(tally.at_end)
    total.tokens.update(tally.tokens)


def _texts(run: WhatIf, drawn: Mapping[Rule, Sequence[dict[str, Any]]], samples: int) -> dict[str, str]:
    """Return the texts of samples by id: of what comes all that was drawn, as they were before the stage."""
    texts: dict[str, str] = {}
    for manifest, data in run.chain:
        rules = {rule: rows for rule, rows in drawn.items() if rule.stage == manifest.stage}
        kept = {row["id"] for rule, rows in rules.items() if not rule.step for row in rows[:samples]}
        lost = {
            row["id"] for rule, rows in rules.items() if rule.step and rule.change != COMES for row in rows[:samples]
        }
        lost |= {row["id"] for rule, rows in rules.items() if rule.change == COMES for row in rows}
        texts |= texts_of(data, kept)
        texts |= texts_before(run.chain, manifest.stage, lost) if lost else {}
    return texts


def _estimated(
    run: WhatIf, drawn: Mapping[Rule, Sequence[dict[str, Any]]], texts: Mapping[str, str]
) -> dict[Rule, tuple[int, int]]:
    """Return the tokens that would come by each rule, by the mean of some texts, and the number of these texts."""
    place = next(((manifest, data) for manifest, data in run.chain if FACTS in manifest.facts), None)
    coming = {rule: [texts[row["id"]] for row in rows if row["id"] in texts]
              for rule, rows in drawn.items() if rule.change == COMES}  # fmt: skip
    if place is None or not any(coming.values()):
        return {}
    tokenizer = tokenizer_of(*place)
    found = {}
    for rule, some in coming.items():
        n_tokens = sum(map(len, tokenizer.encode_batch(some)))
        if some:
            found[rule] = round(n_tokens / len(some) * run.tallies[rule].documents.total()), len(some)
    return found


def _stages(runs: Sequence[WhatIf]) -> list[dict[str, Any]]:
    """Return the stages that read or wrote documents, each the sum of those of the runs."""
    names = dict.fromkeys(name for run in runs for name in run.results)
    return [_stage(name, [run.results[name] for run in runs if name in run.results]) for name in names]


def _stage(name: str, results: Sequence[StageResult]) -> dict[str, Any]:
    before = sum_of(result.before for result in results)
    fates: Counter[Fate] = Counter()
    for result in results:
        fates.update(result.fates)
    after = Counts.of({}, fates)
    reasons = sorted(before.dropped.keys() | after.dropped.keys())
    return {
        "name": name,
        "read": before.read,
        "kept": {"before": before.kept, "after": after.kept},
        DROPPED: {one: {"before": before.dropped.get(one, 0), "after": after.dropped.get(one, 0)} for one in reasons},
        "failed": after.failed,
        "arrive": sum(result.arrives for result in results),
        "may_arrive": sum(result.may_arrive for result in results),
        "undecided": sum(result.undecided for result in results),
        "conditional": any(result.conditional for result in results),
        "by": parted(after, BY),
    }
