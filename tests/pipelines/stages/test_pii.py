"""Personal data in a run: gone from the texts and from every file of a stage; a document of too much of it goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.commands.arguments.options import settings_of
from pipelines.recipes.common_crawl import CleanConfig, CommonCrawlConfig, clean_steps, recipe, surveys_of
from pipelines.recipes.find import find_recipe
from pipelines.stages.local import LocalStage
from schemas.errors import ConfigError
from schemas.identity import content_id
from schemas.records import Document
from transforms.safety.pii.redact import PiiConfig
from transforms.safety.pii.spans import GROUPS

PLANTED = {
    "email": ("write to {}", "jo.doe@host.com"),
    "ipv4": ("from {}", "106.31.73.20"),
    "ipv6": ("from {}", "2606:4700:4700::1111"),
    "login": ("see https://{}@git.host.com", "jo:s3cr3t!x"),
    "github_token": ("use {}", "ghp_" + "q7Zt2KfXw9LmB4vRn8Hs1PdYc6JgT3eA5uQo"),
    "card": ("card {}", "5277 7162 0146 9117"),
    "iban": ("pay to {}", "DE54 5205 0353 0002 0650 69"),
    "us_ssn": ("SSN {}", "460-89-9847"),
}
TEXT = "\n".join(sentence.format(value) for sentence, value in PLANTED.values())
ONE_EACH = {
    "emails": 1,
    "ip_addresses": 2,
    "logins": 1,
    "secrets": 1,
    "cards": 1,
    "ibans": 1,
    "national_ids": 1,
    "phones": 0,
    "n_spans": 8,
    "spans_per_1000_chars": 8000 / len(TEXT),
}


def cleaned(dataset: Callable[..., Any], config: PiiConfig, text: str = TEXT) -> Any:
    clean = CleanConfig(pii=config, dirty_words=None, repetition=None, gopher=None, c4=None, fineweb=None, junk=None)
    return dataset().documents(
        LocalStage("clean", tuple(clean_steps(clean))),
        [Document(id=content_id("a"), text=text, source="a", language="en")],
    )


def everything(done: Any) -> str:
    """All rows of all tables, and all files as they are."""
    root = Path(done.data.root)
    files = [file.read_bytes().decode("latin-1") for file in sorted(root.parent.rglob("*")) if file.is_file()]
    return "\n".join([*(repr(done.rows(table.name)) for table in root.iterdir()), *files])


def test_all_kinds_are_replaced_counted_and_in_no_file(dataset: Callable[..., Any]) -> None:
    done = cleaned(dataset, PiiConfig())
    (row,) = done.rows("documents")
    assert row["pii_density"] == ONE_EACH
    assert [edit["reason"] for edit in done.rows("edits")] == list(PLANTED)
    assert {edit["removed"] for edit in done.rows("edits")} == {None}
    assert done.manifest.counts.edits == {
        f"pii:{group}": n for group, n in ONE_EACH.items() if n and "span" not in group
    }
    told = everything(done)
    assert [value for _, value in PLANTED.values() if value in told] == []
    assert "2001:db8::" in told


def test_tags_and_counts_alone(dataset: Callable[..., Any]) -> None:
    done = cleaned(
        dataset, PiiConfig(emails="tag", cards="tag", tag="|||{kind}|||", ip_addresses="count", secrets="leave")
    )
    (row,) = done.rows("documents")
    lines = row["text"].split("\n")
    assert (lines[0], lines[5]) == ("write to |||EMAIL|||", "card |||CARD|||")
    assert lines[1:3] + lines[4:5] == TEXT.split("\n")[1:3] + TEXT.split("\n")[4:5]
    assert row["pii_density"]["ip_addresses"] == 2
    assert row["pii_density"]["secrets"] == 0


@pytest.mark.parametrize(
    ("limits", "gone"),
    [
        ({"all": 8}, None),
        ({"all": 7}, (8, 7, "all")),
        ({"cards": 0, "all": 7}, (8, 7, "all")),
        ({"cards": 0}, (1, 0, "cards")),
    ],
)
def test_a_document_over_a_count_goes_and_its_text_is_nowhere(
    dataset: Callable[..., Any], limits: dict[str, int], gone: tuple[int, int, str] | None
) -> None:
    done = cleaned(dataset, PiiConfig(max_spans=limits))
    rejected = [(row["reason"], row["value"], row["limit"], row["detail"]) for row in done.rows("rejected")]
    assert rejected == ([("too_much_personal_data", *gone)] if gone else [])
    assert [value for _, value in PLANTED.values() if value in everything(done)] == []


def test_settings_that_cannot_be() -> None:
    with pytest.raises(ConfigError, match=r"max_spans\.mails: unknown; expected one of emails, .*, all"):
        PiiConfig(max_spans={"mails": 1})
    with pytest.raises(
        ConfigError, match=r"max_spans\.phones: phones is `leave`, so none is counted; expected `count`"
    ):
        PiiConfig(max_spans={"cards": 0, "phones": 0})
    left: dict[str, Any] = dict.fromkeys(set(GROUPS) - {"cards"}, "leave")
    with pytest.raises(ConfigError, match=r"max_spans\.emails: emails is `leave`"):
        PiiConfig(**left, max_spans={"emails": 0})
    assert PiiConfig(**left, cards="count", max_spans={"all": 0, "cards": 0}).max_spans == {"all": 0, "cards": 0}
    with pytest.raises(ConfigError, match=r"max_spans\.all: every group is `leave`, so none is counted"):
        PiiConfig(**left, cards="leave", max_spans={"all": 5})
    with pytest.raises(ConfigError, match="emails: 'drop' is not allowed"):
        PiiConfig(emails="drop")


def test_sites_of_much_personal_data_by_one_setting() -> None:
    maker = find_recipe("common_crawl")
    assert CommonCrawlConfig().pii_sites is None
    on: CommonCrawlConfig = settings_of(maker, [], ["pii_sites=on"])
    assert on.pii_sites is not None
    assert surveys_of(on)[0].name == "pii_sites"
    assert (on.pii_sites.step, on.pii_sites.measure) == ("pii_density", "spans_per_1000_chars")
    limited: CommonCrawlConfig = settings_of(maker, [], ["pii_sites.max_mean=0.5", "clean.pii=off"])
    with pytest.raises(ConfigError, match="pii_sites"):
        recipe(limited)
