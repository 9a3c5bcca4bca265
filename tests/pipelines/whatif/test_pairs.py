"""One step under two settings: what can be told of it, and why not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from pipelines.whatif.ids import Ids
from pipelines.whatif.pairs import (
    NO_MEASURES,
    NO_STEP,
    NOT_MEASURED,
    OTHER_CODE,
    SEVERAL_SCRIPTS,
    AskScript,
    Pair,
    Undecided,
    pair_steps,
)
from schemas.errors import ConfigError
from schemas.records import Document
from schemas.settings import PerLanguage
from transforms.heuristics.kl.token_kl import KlConfig, KlStats, TokenKlFit
from transforms.step import Draft, Drop, Filter
from transforms.text.scripts import script_of, scripts_in
from transforms.text.view import TextView
from transforms.tokens.tokenizer import TokenizerConfig


@dataclass(frozen=True)
class Limits:
    max_chars: int = 5
    by_bytes: bool = False

    @property
    def half(self) -> int:
        return self.max_chars // 2


@dataclass(frozen=True, slots=True)
class Length:
    n_chars: int


def measure(view: TextView, config: Limits) -> Length:
    return Length(len(view.text.encode() if config.by_bytes else view.text))


def measure_by_property(view: TextView, config: Limits) -> Length:
    return Length(config.half)


def decide(stats: Length, config: Limits) -> Drop | None:
    return Drop("too_long", stats.n_chars, config.max_chars) if stats.n_chars > config.max_chars else None


def length(settings: Any, name: str = "length", by: Any = measure) -> Filter[Any, Any]:
    return Filter(name, by, decide, settings)


class Opaque:
    """A step of somebody's own, which decides by what nobody stores."""

    name, stats, resources = "opaque", None, ()

    def __init__(self, settings: Any) -> None:
        self.settings = settings

    def open(self) -> None: ...

    def run(self, drafts: Sequence[Draft], edits: Counter[str]) -> None: ...


EN = Document(id="1", text="", language="en")
RU = Document(id="2", text="", language="ru")


def test_a_limit_is_tried_again() -> None:
    pair = Pair("length", length(Limits()), length(Limits(max_chars=9)))
    assert pair.again(Length(7), EN, None, "too_long") is None
    assert pair.again(Length(12), EN, None, "too_long") == Drop("too_long", 12, 9)
    assert pair.passes(Length(5), EN, None) is None
    assert pair.beyond(Length(12), EN, None) == Drop("too_long", 12, 9)
    assert pair.beyond(None, EN, None) == Undecided("length", NOT_MEASURED)


def test_what_the_rule_no_longer_gives_is_undecided() -> None:
    pair = Pair("length", length(Limits()), length(Limits(max_chars=9)))
    assert pair.passes(Length(7), EN, None) == Undecided("length", OTHER_CODE)
    assert pair.again(Length(7), EN, None, "too_short") == Undecided("length", OTHER_CODE)


@pytest.mark.parametrize(
    ("before", "after", "cause"),
    [
        (length(Limits()), length(Limits(by_bytes=True)), "measures by by_bytes"),
        (length(Limits(), by=measure_by_property), length(Limits(9), by=measure_by_property), "measures by max_chars"),
        (None, length(Limits()), NO_STEP),
        (Opaque(1), Opaque(2), NO_MEASURES),
        (Opaque(1), None, NO_MEASURES),
    ],
)
def test_what_cannot_be_told_says_why(before: Any, after: Any, cause: str) -> None:
    pair = Pair("some", before, after)
    assert pair.is_changed
    assert pair.passes(Length(3), EN, None) == Undecided("some", cause)


def test_a_rule_that_is_off_lets_all_through_and_an_unchanged_one_is_as_recorded() -> None:
    assert Pair("length", length(Limits()), None).again(Length(7), EN, None, "too_long") is None
    same = Pair("opaque", Opaque(1), Opaque(1))
    assert not same.is_changed
    assert same.passes(None, EN, None) is None
    assert same.again(None, EN, None, "any") == Drop("any")
    assert same.beyond(None, EN, None) == Undecided("opaque", NO_MEASURES)


def test_scripts_are_asked_for_only_where_they_matter() -> None:
    limits = {"other": {"max_chars": 6}, "Cyrl": {"max_chars": 8}, "Geor": {"max_chars": 7}}
    pair = Pair("length", length(PerLanguage(Limits(), limits)), length(PerLanguage(Limits(), {
        **limits, "Cyrl": {"max_chars": 4},
    })))  # fmt: skip
    assert pair.passes(Length(3), RU, None) is None  # under every limit
    assert pair.passes(Length(5), EN, None) is None
    assert pair.passes(Length(5), RU, None) == AskScript()
    assert pair.passes(Length(5), RU, frozenset({"Cyrl"})) == Drop("too_long", 5, 4)
    assert pair.passes(Length(5), RU, frozenset({"Latn", "Geor"})) is None
    assert pair.passes(Length(5), RU, frozenset({"Latn", "Cyrl"})) == Undecided("length", SEVERAL_SCRIPTS)
    # 7 characters were kept under the limit of Cyrillic or Georgian alone, whatever else the text may be in.
    assert pair.passes(Length(8), RU, None) == Drop("too_long", 8, 4)


@pytest.mark.parametrize(
    "text", ["", "123", "abc", "Привет abc", "日本語のテキスト", "漢字かな" * 9 + "漢字" * 90, "สวัสดี 漢字"]
)
def test_the_scripts_of_a_text_are_those_of_all_its_pieces(text: str) -> None:
    found = scripts_in(text)
    for start in range(0, len(text), 3):
        for end in range(start, len(text) + 1, 5):
            assert script_of(text[:start] + text[end:]) in found


def test_steps_keep_their_order_and_new_ones_find_their_place() -> None:
    a, b, c, d = (length(Limits(), name) for name in "abcd")
    assert [pair.name for pair in pair_steps("clean", (a, b, c), (d, a, c))] == ["d", "a", "b", "c"]
    assert [pair.name for pair in pair_steps("clean", (a, c), (a, b, c, d))] == ["a", "b", "c", "d"]
    with pytest.raises(ConfigError, match="stage clean: these settings change the order of its steps"):
        pair_steps("clean", (a, b), (b, a))


def test_the_limit_of_token_kl_is_tried_again_and_its_percentile_is_not() -> None:
    def fit(**changes: Any) -> TokenKlFit:
        return TokenKlFit.of(KlConfig(**changes), TokenizerConfig())

    stats = KlStats(n_tokens=200, plain_kl_bits=3.0, kl_bits=4.0, excess_bits=1.5)
    measured = Pair("kl", fit(judge="measure"), fit(judge="limit", max_excess_bits=1.0))
    assert measured.passes(stats, EN, None) == Drop("outlier_tokens", 1.5, 1.0)
    assert measured.is_across
    percentile = Pair("kl", fit(judge="measure"), fit(judge="percentile"))
    assert percentile.passes(stats, EN, None) == Undecided("kl", "measures by judge")
    other = Pair("kl", fit(judge="limit"), fit(judge="limit", smoothing=0.1))
    assert other.passes(stats, EN, None) == Undecided("kl", "measures by smoothing")


def test_ids_are_found_with_the_group_of_each() -> None:
    ids = Ids()
    names = [f"{n:032x}" for n in range(0, 20_000, 2)]
    for n, name in enumerate(names):
        ids.add(name, n % 7)
    assert len(ids) == 10_000
    assert ids.groups_of([names[9_999], f"{1:032x}", names[3], "", "short"]).tolist() == [9_999 % 7, -1, 3, -1, -1]
    ids.add("f" * 32, 5)
    assert ids.groups_of(["f" * 32, names[0]]).tolist() == [5, 0]
    assert Ids().groups_of(names[:2]).tolist() == [-1, -1]
