"""Rates from shares, copies from rates, and the report that stands beside them."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import ConfigError, RunError
from schemas.identity import content_id, keyed_fraction
from transforms.mixing.mix import (
    AXES,
    SALT,
    GroupPlan,
    MixConfig,
    MixRow,
    copies,
    drop_of,
    group_of,
    plan_mix,
    quality_band,
    report_mix,
    source_of,
)
from transforms.step import Drop

TWO = {"web/en/q0": 600, "web/de/q0": 200, "wiki/en/q0": 150, "wiki/de/q0": 50}


def rates(tokens: dict[str, int], **config: object) -> dict[str, float]:
    return dict(plan_mix(tokens, MixConfig(**config)).rates)


def test_without_budget_and_shares_everything_is_taken_once() -> None:
    tokens = {f"s{n}/en/q0": n * n * 7 + 1 for n in range(50)}
    assert set(rates(tokens).values()) == {1.0}


def test_a_budget_alone_scales_all_groups_alike() -> None:
    assert rates(TWO, token_budget=500) == dict.fromkeys(TWO, 0.5)
    assert rates(TWO, token_budget=2500) == dict.fromkeys(TWO, 2.5)


def test_source_shares() -> None:
    # 1,000 tokens: web 800, wiki 200. Half each: 500 / 800 = 0.625 and 500 / 200 = 2.5; languages keep their ratio.
    assert rates(TWO, source_shares={"web": 0.5, "wiki": 0.5}) == {
        "web/de/q0": 0.625,
        "web/en/q0": 0.625,
        "wiki/de/q0": 2.5,
        "wiki/en/q0": 2.5,
    }


def test_shares_on_two_axes_multiply_when_the_groups_are_independent() -> None:
    # Both sources are 3:1 English, so fitting en 0.5 multiplies: en 0.5 / 0.75 = 2/3, de 0.5 / 0.25 = 2.
    got = rates(TWO, source_shares={"web": 0.5, "wiki": 0.5}, language_shares={"en": 0.5, "de": 0.5})
    expected = {
        "web/en/q0": 0.625 * 2 / 3,
        "web/de/q0": 0.625 * 2,
        "wiki/en/q0": 2.5 * 2 / 3,
        "wiki/de/q0": 2.5 * 2,
    }
    expected["wiki/de/q0"] = 4.0  # capped
    assert got == pytest.approx(expected, rel=1e-9)


def test_dependent_axes_are_fitted_until_both_hold() -> None:
    tokens = {"a/en/q0": 90, "a/de/q0": 10, "b/en/q0": 20, "b/de/q0": 80}
    config = MixConfig(source_shares={"a": 0.7, "b": 0.3}, language_shares={"en": 0.4, "de": 0.6}, max_epochs=100)
    plan = plan_mix(tokens, config)
    share = {group.group: group.wanted_share for group in plan.groups}
    assert share["a/en/q0"] + share["a/de/q0"] == pytest.approx(0.7, abs=1e-9)
    assert share["a/en/q0"] + share["b/en/q0"] == pytest.approx(0.4, abs=1e-9)
    # Fitting keeps the odds ratio of what was found: (90 * 80) / (10 * 20) = 36.
    odds = share["a/en/q0"] * share["b/de/q0"] / (share["a/de/q0"] * share["b/en/q0"])
    assert odds == pytest.approx(36, rel=1e-6)


def test_names_left_out_divide_the_rest_as_found() -> None:
    # web 0.6; the other 0.4 goes to wiki (150 + 50) and books (200) half and half: 0.2 of 1,200 = 240 each.
    got = rates({**TWO, "books/en/q0": 200}, source_shares={"web": 0.6})
    assert got["web/en/q0"] == pytest.approx(720 / 800)
    assert got["wiki/de/q0"] == pytest.approx(240 / 200)
    assert got["books/en/q0"] == pytest.approx(240 / 200)


def test_names_left_out_get_nothing_when_the_named_take_all() -> None:
    got = rates(TWO, source_shares={"web": 0.7, "x": 0.2, "y": 0.1})  # adds up to 0.9999999999999999
    assert got["wiki/en/q0"] == 0.0
    assert got["web/en/q0"] == 1.25  # 1,000 / 800: the shares of what is absent go to what is there


def test_absent_names_are_reported_with_their_share() -> None:
    plan = plan_mix(TWO, MixConfig(source_shares={"web": 0.7, "code": 0.3, "none": 0.0}, language_shares={"fr": 0.1}))
    assert plan.absent == ("source_shares.code", "language_shares.fr")
    rows = {(row.axis, row.name): row for row in report_mix(plan, {}).rows}
    assert rows["source", "code"] == MixRow("source", "code", 0, 0.3, 0.0, 0, 0.0, 0.0, 0)


def test_when_only_absent_names_have_shares_the_config_is_refused() -> None:
    with pytest.raises(ConfigError, match="source_shares: nothing of the input has a share above 0; it has web, wiki"):
        plan_mix(TWO, MixConfig(source_shares={"code": 1.0}))


def test_rates_are_capped_and_the_shortfall_reported() -> None:
    plan = plan_mix({"a/en/q0": 100, "b/en/q0": 900}, MixConfig(source_shares={"a": 0.5, "b": 0.5}))
    assert plan.groups[0] == GroupPlan("a/en/q0", 100, 0.5, 500.0, 4.0)
    assert plan.rates["b/en/q0"] == pytest.approx(500 / 900)
    report = report_mix(plan, {"a/en/q0": 400, "b/en/q0": 500})
    assert report.shortfall_tokens == 100
    at_cap = plan_mix({"a/en/q0": 125, "b/en/q0": 875}, MixConfig(source_shares={"a": 0.5, "b": 0.5}))
    assert at_cap.rates["a/en/q0"] == 4.0
    assert report_mix(at_cap, {}).shortfall_tokens == 0


def test_contradicting_axes_meet_the_sources_share() -> None:
    tokens = {"a/en/q0": 500, "b/de/q0": 500}
    plan = plan_mix(tokens, MixConfig(source_shares={"a": 0.5, "b": 0.5}, language_shares={"en": 0.9, "de": 0.1}))
    assert dict(plan.rates) == pytest.approx({"a/en/q0": 1.0, "b/de/q0": 1.0})
    rows = {(row.axis, row.name): row for row in report_mix(plan, tokens).rows}
    assert rows["language", "en"].wanted_share == 0.9
    assert rows["language", "en"].reached_share == 0.5


def test_empty_input_and_empty_groups() -> None:
    plan = plan_mix({}, MixConfig(source_shares={"web": 1.0}, token_budget=5))
    assert plan.groups == ()
    assert plan.absent == ("source_shares.web",)
    assert report_mix(plan, {}).reached_tokens == 0
    assert rates({"a/en/q0": 0}) == {"a/en/q0": 0.0}
    assert rates({"a/en/q0": 0, "b/en/q0": 10}, source_shares={"b": 1.0}) == {"a/en/q0": 0.0, "b/en/q0": 1.0}


def test_groups_and_bands() -> None:
    assert group_of("common/crawl", "", "q1") == "common/crawl/und/q1"
    assert source_of("common/crawl/und/q1") == "common/crawl"
    edges = (0.2, 0.8)
    assert [quality_band(s, edges) for s in (-1, 0.19, 0.2, 0.79, 0.8, 2)] == ["q0", "q0", "q1", "q1", "q2", "q2"]
    assert quality_band(0.5, ()) == "q0"
    assert quality_band(None, edges) == quality_band(math.nan, edges) == "unscored"


def test_copies_at_whole_rates_are_exact() -> None:
    ids = [content_id(str(n)) for n in range(200)]
    for rate in (0, 1, 2, 4):
        assert {copies(doc_id, rate) for doc_id in ids} == {rate}


def test_copies_on_both_sides_of_a_documents_fraction() -> None:
    fraction = keyed_fraction(SALT, "x")
    assert copies("x", fraction) == 0
    assert copies("x", math.nextafter(fraction, 1)) == 1
    assert drop_of("x", fraction) == Drop("over_mix_share", fraction, fraction)
    assert drop_of("x", math.nextafter(fraction, 1)) is None


@given(st.text(max_size=8), st.floats(0, 10), st.floats(0, 10))
@settings(deadline=None)
def test_a_higher_rate_never_takes_a_copy_away(doc_id: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert copies(doc_id, low) <= copies(doc_id, high)
    assert math.floor(low) <= copies(doc_id, low) <= math.floor(low) + 1


def test_reached_shares_are_the_wanted_within_sampling_error() -> None:
    documents = {f"{source}/{language}/q0": 4000 for source in ("a", "b") for language in ("de", "en")}
    tokens = {group: 10 * n for group, n in documents.items()}
    config = MixConfig(source_shares={"a": 0.8}, language_shares={"en": 0.7}, token_budget=60_000)
    plan = plan_mix(tokens, config)
    reached = {
        group: 10 * sum(copies(content_id(group, str(n)), plan.rate(group)) for n in range(count))
        for group, count in documents.items()
    }
    rows = {(row.axis, row.name): row for row in report_mix(plan, reached).rows}
    assert rows["source", "a"].reached_share == pytest.approx(0.8, abs=0.01)
    assert rows["language", "en"].reached_share == pytest.approx(0.7, abs=0.01)
    # Sigma of the sum is below sqrt(16,000 * 0.25) * 10 = 632 tokens.
    assert abs(report_mix(plan, reached).reached_tokens - 60_000) < 4 * 632


@given(
    st.dictionaries(
        st.builds(group_of, st.sampled_from("abc"), st.sampled_from(["en", "de", ""]), st.sampled_from(["q0", "q1"])),
        st.integers(0, 10**12),
        max_size=12,
    ),
    st.one_of(st.none(), st.integers(1, 10**13)),
)
@settings(deadline=None)
def test_plans_are_whole(tokens: dict[str, int], budget: int | None) -> None:
    config = MixConfig(token_budget=budget, source_shares={"a": 0.3, "b": 0.3}, quality_shares={"q0": 0.5},
                       quality_bands=(0.5,))  # fmt: skip
    plan = plan_mix(tokens, config)
    assert plan == plan_mix(dict(reversed(tokens.items())), config)
    assert sorted(plan.rates) == sorted(tokens)
    assert all(0 <= rate <= 4 for rate in plan.rates.values())
    report = report_mix(plan, tokens)
    for axis in (*AXES, "group"):
        rows = [row for row in report.rows if row.axis == axis]
        assert sum(row.available_tokens for row in rows) == sum(tokens.values())
        assert sum(row.reached_tokens for row in rows) == report.reached_tokens
    json.dumps(report.to_json())


def test_a_report_puts_wanted_and_reached_side_by_side() -> None:
    plan = plan_mix({"a/en/q0": 100, "b/en/q0": 300}, MixConfig(source_shares={"a": 0.5}))
    rows = [row for row in report_mix(plan, {"a/en/q0": 220, "b/en/q0": 180}).rows if row.axis == "group"]
    assert rows == [
        MixRow("group", "a/en/q0", 100, 0.5, 0.55, 220, 2.0, 2.2, 0),
        MixRow("group", "b/en/q0", 300, 0.5, 0.45, 180, pytest.approx(2 / 3), 0.6, 0),
    ]


def test_groups_that_were_not_counted_are_an_error() -> None:
    plan = plan_mix(TWO, MixConfig())
    with pytest.raises(RunError, match="'new/en/q0' was not counted"):
        plan.rate("new/en/q0")
    with pytest.raises(RunError, match="'new/en/q0' was not counted"):
        report_mix(plan, {"new/en/q0": 1})


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"source_shares: they add up to 1.1; must be <= 1"):
        MixConfig(source_shares={"a": 0.6, "b": 0.5})
    with pytest.raises(ConfigError, match="quality_bands"):
        MixConfig(quality_bands=(0.5, 0.5))
    with pytest.raises(ConfigError, match=r"quality_shares\.q2: no such band; allowed: q0, q1, unscored"):
        MixConfig(quality_bands=(0.5,), quality_shares={"q2": 1.0})
    with pytest.raises(ConfigError, match="max_epochs"):
        MixConfig(max_epochs=0.0)
    with pytest.raises(ConfigError, match="token_budget"):
        MixConfig(token_budget=0)
