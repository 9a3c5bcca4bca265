"""The rule on documents: settings, both readings, what is counted."""

from __future__ import annotations

import dataclasses
import json
import pickle
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from schemas.blocks import CODE, PARAGRAPH, Blocks
from schemas.errors import ConfigError
from schemas.identity import content_id
from schemas.records import Document
from transforms.heuristics.kl.reference import Divergence, LanguageReference, learn
from transforms.heuristics.kl.token_kl import (
    FilterTokenKl,
    KlConfig,
    KlStats,
    TokenKlFit,
    counted_text,
    decide,
    limit_of,
    stats_of,
)
from transforms.step import Draft, Drop
from transforms.text.view import TextView
from transforms.tokens.tokenizer import TokenizerConfig, load, train_bpe

SMALL = KlConfig(judge="limit", max_excess_bits=1.0, compared_tokens=4, min_documents=6)
BYTES = TokenizerConfig(vocab_size=258)  # a token is a byte: what is counted can be counted by hand
REFERENCE: LanguageReference = dataclasses.replace(learn([], 4, size=2, smoothing=1.0), excess={99.5: 1.23456789})


def document(text: str, language: str = "en", blocks: tuple[tuple[int, int, int], ...] = ()) -> Document:
    return Document(id=content_id(text), text=text, language=language, blocks=Blocks.of(blocks))


CORPUS = [document(f"{'abcd' * 5}{'abba'[n % 4] * (n % 3)}{n % 2}") for n in range(40)]


def run(step: FilterTokenKl, *documents: Document) -> list[Draft]:
    drafts = [Draft(one) for one in documents]
    step.run(drafts, Counter())
    return drafts


@pytest.mark.parametrize(("excess", "dropped"), [(1.0, False), (1.000001, True), (-3.0, False), (None, False)])
def test_both_sides_of_the_limit(excess: float | None, dropped: bool) -> None:
    stats = KlStats(n_tokens=9, plain_kl_bits=2.0, kl_bits=2.0, excess_bits=excess)
    assert decide(stats, 1.0) == (Drop("outlier_tokens", excess, 1.0) if dropped else None)
    assert decide(stats, None) is None


def test_the_two_readings() -> None:
    assert limit_of(REFERENCE, KlConfig(judge="limit", max_excess_bits=0.7)) == 0.7
    assert limit_of(REFERENCE, KlConfig(judge="percentile", max_percentile=99.5)) == 1.234568
    assert limit_of(REFERENCE, KlConfig(judge="measure")) is None


def test_measures_are_rounded_and_null_where_nothing_is_measured() -> None:
    assert stats_of(9, Divergence(1.23456789, 2.0, -0.1)) == KlStats(
        n_tokens=9, plain_kl_bits=1.234568, kl_bits=2.0, excess_bits=-0.1
    )
    assert stats_of(3, None) == KlStats(n_tokens=3, plain_kl_bits=None, kl_bits=None, excess_bits=None)


def test_other_words_are_dropped_and_the_same_words_are_kept() -> None:
    fit = TokenKlFit.of(SMALL, BYTES)
    step = fit.step(fit.fit(CORPUS))
    same, other, short, foreign = run(
        step, document("abcdabcdabcd"), document("wxyzwxyzwxyz"), document("xyz"), document("wxyzwxyz", "de")
    )
    assert same.drop is None
    assert same.measures["kl"].n_tokens == 12
    assert other.drop is not None
    assert other.drop.reason == "outlier_tokens"
    assert other.drop.value == other.measures["kl"].excess_bits
    assert other.drop.limit == 1.0
    # too short; a language without a reference
    assert [(draft.drop, draft.measures["kl"].kl_bits) for draft in (short, foreign)] == [(None, None)] * 2


def test_the_artefact_depends_on_the_set_of_documents_alone() -> None:
    fit = TokenKlFit.of(SMALL, BYTES)
    assert fit.fit(CORPUS[::-1]) == fit.fit(CORPUS)
    assert set(json.loads(fit.fit(CORPUS))["languages"]) == {"en"}


def test_a_language_with_few_long_enough_documents_has_no_reference() -> None:
    fit = TokenKlFit.of(SMALL, BYTES)
    few = [*CORPUS[:5], document("abc"), *(document(one.text, "de") for one in CORPUS[:6])]
    assert set(json.loads(fit.fit(few))["languages"]) == {"de"}


def test_a_step_travels_closed_and_opens_by_itself() -> None:
    fit = TokenKlFit.of(SMALL, BYTES)
    step = fit.step(fit.fit(CORPUS))
    step.open()
    (here,) = run(step, document("abcdxyz"))
    (there,) = run(pickle.loads(pickle.dumps(step)), document("abcdxyz"))
    assert there.measures == here.measures


@pytest.mark.parametrize(
    ("text", "blocks", "counted"),
    [
        ("One two.\n\nx = 1", ((PARAGRAPH, 0, 8), (CODE, 10, 15)), "One two."),
        ("ALL IN CAPITALS but two words", (), "all in capitals but two words"),  # 13 of 24
        ("HALF half", (), "HALF half"),
        ("", (), ""),
    ],
)
def test_what_is_counted(text: str, blocks: tuple[tuple[int, int, int], ...], counted: str) -> None:
    assert counted_text(TextView(text, "en", Blocks.of(blocks))).strip() == counted


def test_the_tokens_are_those_of_the_file_that_is_named(tmp_path: Path) -> None:
    run_tokenizer = dataclasses.replace(BYTES, path="run.json")
    assert TokenKlFit.of(KlConfig(), run_tokenizer).settings["tokenizer"]["path"] == "run.json"
    own = TokenKlFit.of(KlConfig(tokenizer_path=str(tmp_path / "own.json")), run_tokenizer)
    assert own.settings["tokenizer"]["path"] == str(tmp_path / "own.json")
    (tmp_path / "own.json").write_bytes(b"{}")
    assert own.resources == [str(tmp_path / "own.json")]
    with pytest.raises(ConfigError, match=r"own\.json: .*not a tokenizer\.json"):
        own.prepare()


OTHER_ENDS = TokenizerConfig(vocab_size=300, bos="<s>", eos="</s>")


def with_no_specials(data: bytes) -> bytes:
    return json.dumps({**json.loads(data), "added_tokens": []}).encode()


@pytest.mark.parametrize(
    "data",
    [
        train_bpe([one.text for one in CORPUS], TokenizerConfig(vocab_size=300)),
        train_bpe([one.text for one in CORPUS], OTHER_ENDS),
        with_no_specials(train_bpe([one.text for one in CORPUS], OTHER_ENDS)),
    ],
    ids=["lacks the tokens of dialogues", "other BOS and EOS", "no special token"],
)
def test_special_tokens_of_the_run_are_not_looked_for(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "own.json").write_bytes(data)
    run_tokenizer = TokenizerConfig(path="run.json", specials=("<|user|>",), reserved=3)
    fit = TokenKlFit.of(dataclasses.replace(SMALL, tokenizer_path=str(tmp_path / "own.json")), run_tokenizer)
    fit.prepare()
    (draft,) = run(fit.step(fit.fit(CORPUS)), CORPUS[0])
    (ids,) = load(train_bpe([one.text for one in CORPUS], OTHER_ENDS), "t", OTHER_ENDS).encode_batch([CORPUS[0].text])
    assert draft.measures["kl"].n_tokens == len(ids) - 2 < len(CORPUS[0].text)


def test_only_settings_that_change_its_tokens_are_its_own() -> None:
    def of(**changes: Any) -> Any:
        return TokenKlFit.of(SMALL, TokenizerConfig(**changes)).settings

    assert of(bos="<s>", eos="</s>", specials=("<|user|>",), reserved=9, train_bytes=5) == of()
    assert of(path="a.json", bos="<s>", vocab_size=999) == of(path="a.json")
    assert of(vocab_size=999) != of() != of(path="a.json") != of(path="b.json")
    assert of(pattern="[a-z]+|.") != of()


def test_any_percentile_can_be_the_limit() -> None:
    config = dataclasses.replace(SMALL, judge="percentile", max_percentile=99.12345678)
    fit = TokenKlFit.of(config, BYTES)
    same, other = run(fit.step(fit.fit(CORPUS)), document("abcdabcdabcd"), document("wxyzwxyzwxyz"))
    assert same.drop is None
    assert other.drop is not None


def test_settings_that_cannot_be() -> None:
    with pytest.raises(ConfigError, match="max_percentile: 101"):
        KlConfig(max_percentile=101)
    with pytest.raises(ConfigError, match="judge: 'off' is not allowed"):
        KlConfig(judge="off")
