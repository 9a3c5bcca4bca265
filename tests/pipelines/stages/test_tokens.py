"""One tokenizer for a dataset: what a later run's settings may be."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from pipelines.runs.counts import Counts
from pipelines.runs.folder import DataFolder, Manifest
from pipelines.runs.stage import Incremental
from pipelines.stages.tokens import TokenizeStage, tokenizer_path
from schemas.errors import ConfigError
from schemas.settings import to_plain
from transforms.tokens.tokenizer import TokenizerConfig, train_bpe

SMALL = TokenizerConfig(vocab_size=300)
DATA = train_bpe(["to be or not to be"], SMALL)
SHA256 = hashlib.sha256(DATA).hexdigest()


def stage(**changes: Any) -> TokenizeStage:
    return TokenizeStage(dataclasses.replace(SMALL, **changes))


def earlier(folder: Path, config: TokenizerConfig = SMALL) -> list[tuple[Manifest, DataFolder]]:
    """Return a run that left its tokenizer."""
    data = DataFolder(str(folder / "tokenize" / "key"))
    Path(data.root).mkdir(parents=True)
    Path(tokenizer_path(data)).write_bytes(DATA)
    manifest = Manifest(
        stage="tokenize", key="key", version="1", upstream={}, inputs=[], parts=1, counts=Counts(),
        config={"tokenizer": to_plain(config)},
        facts={"tokenizer": {"sha256": SHA256, "vocab_size": 300, "bos_id": 0, "eos_id": 1}},
    )  # fmt: skip
    return [(manifest, data)]


def test_the_runner_asks_the_stage() -> None:
    assert isinstance(stage(), Incremental)


def test_without_earlier_runs_everything_is_allowed() -> None:
    stage().check_earlier([])
    stage(path="nowhere").check_earlier([])


def test_the_same_settings_go_on(tmp_path: Path) -> None:
    stage().check_earlier(earlier(tmp_path))


def test_a_copy_of_the_trained_file_is_the_same_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "copy.json").write_bytes(DATA)
    stage(path=str(tmp_path / "copy.json"), vocab_size=9999).check_earlier(earlier(tmp_path))


def test_a_file_that_moved_is_the_same_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "copy.json").write_bytes(DATA)
    before = earlier(tmp_path, dataclasses.replace(SMALL, path="/where/it/was.json"))
    stage(path=str(tmp_path / "copy.json")).check_earlier(before)


def test_another_file_is_refused_with_both_digests(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_bytes(b"{}")
    other = hashlib.sha256(b"{}").hexdigest()
    with pytest.raises(ConfigError, match=f"tokenizer.path: .*SHA-256 {other}, is not allowed; .*SHA-256 {SHA256}"):
        stage(path=str(tmp_path / "other.json")).check_earlier(earlier(tmp_path))


def test_training_after_a_file_is_refused(tmp_path: Path) -> None:
    before = earlier(tmp_path, dataclasses.replace(SMALL, path="x.json"))
    with pytest.raises(ConfigError, match=f"tokenizer.path: '' is not allowed, as it would train one; .*{SHA256}"):
        stage().check_earlier(before)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vocab_size": 301}, "tokenizer.vocab_size: 301 is not allowed; it is 300 in this dataset's tokenizer"),
        ({"train_bytes": 1}, "tokenizer.train_bytes: 1 is not allowed; it is 200000000 in"),
        ({"eos": "<|end|>"}, "tokenizer.eos: '<|end|>' is not allowed; it is '<|end_of_text|>' in"),
        ({"pattern": r"\S+|\s+"}, "tokenizer.pattern: "),
    ],
)
def test_settings_that_would_make_another_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)) as caught:
        stage(**changes).check_earlier(earlier(tmp_path))
    assert SHA256 in str(caught.value)
    assert "\n" not in str(caught.value)
