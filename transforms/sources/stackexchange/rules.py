"""Which questions are kept: answered, not closed, with a score if asked for.

Source: ours; Llama 1 names no such rule. A closed question is a duplicate, off topic or a matter of opinion; one
without an answer is no pair to learn from. In: facts of the reader. Out: a drop, in this order: too_few_answers,
question_closed, low_score.
"""

from __future__ import annotations

from dataclasses import dataclass

from transforms.sources.stackexchange.settings import ThreadRulesConfig
from transforms.sources.stackexchange.thread import StackExchangeFacts
from transforms.step import Drop, FactsFilter


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadStats:
    """What the rule looks at; the column `thread`."""

    n_answers: int
    score: int
    closed: bool


def measure(facts: StackExchangeFacts) -> ThreadStats:
    """Return what the rule looks at."""
    return ThreadStats(n_answers=facts.n_answers, score=facts.score, closed=facts.closed)


def decide(stats: ThreadStats, config: ThreadRulesConfig) -> Drop | None:
    """Return why a question goes."""
    if stats.n_answers < config.min_answers:
        return Drop("too_few_answers", stats.n_answers, config.min_answers)
    if stats.closed and not config.keep_closed:
        return Drop("question_closed")
    if config.min_score is not None and stats.score < config.min_score:
        return Drop("low_score", stats.score, config.min_score)
    return None


def filter_threads(config: ThreadRulesConfig) -> FactsFilter[ThreadStats, ThreadRulesConfig]:
    """Return the rule as a step of the stage that reads the texts."""
    return FactsFilter("thread", "stackexchange", measure, decide, config)
