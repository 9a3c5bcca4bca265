"""`winnow lists` and `winnow lists fetch`: what is printed, what is refused, and a run with what was fetched."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.lists.catalogue import CATALOGUE
from storage.pinned_files import file_sha256
from tests.pipelines.conftest import rows, sentences

Call = Any


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """Dirty words as a folder, as a checkout of LDNOOBW has them."""
    folder = tmp_path / "words"
    folder.mkdir()
    (folder / "LICENSE").write_text("CC")
    (folder / "en").write_text("zorbleflux\nvexnoggin\n")
    return folder


@pytest.fixture
def domains(tmp_path: Path) -> Path:
    """An archive in UT1's layout."""
    (tmp_path / "domains").write_text("site-2.example\n")
    with tarfile.open(tmp_path / "ut1.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "domains", "blacklists/adult/domains")
    return tmp_path / "ut1.tar.gz"


def test_the_lists_there_are(call: Call, tmp_path: Path, words: Path) -> None:
    said = call("lists", "--output", tmp_path / "lists")
    assert (said.code, said.err) == (0, "")
    for entry in CATALOGUE:
        for part in (entry.name, entry.what, entry.provenance, entry.licence, entry.setting, entry.file.sha256):
            assert part in said.out
    assert said.out.count(": not fetched\n") == len(CATALOGUE)
    assert "17.4 MB to fetch, 4,578,527 lines" in said.out
    assert not (tmp_path / "lists").exists()
    call("lists", "fetch", "ldnoobw", "--output", tmp_path / "lists", "--from", words)
    assert f"lists/ldnoobw: from {words}, SHA-256 " in call("lists", "--output", tmp_path / "lists").out
    (tmp_path / "lists" / "ldnoobw" / "en").write_text("other")
    states = {row["name"]: row["state"] for row in call("lists", "-o", tmp_path / "lists", "--json").json}
    assert states == {
        "ldnoobw": "changed or incomplete: fetch it again", "ut1": "not fetched", "url_words": "not fetched"
    }  # fmt: skip


def test_fetch_tells_what_it_brought(call: Call, tmp_path: Path, domains: Path) -> None:
    given = ("lists", "fetch", "ut1", "--output", tmp_path / "lists", "--from", domains)
    digest = file_sha256(domains)
    said = call(*given)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        f"ut1: 1 line in {tmp_path / 'lists' / 'ut1'}, from {domains}, SHA-256 {digest}, not pinned",
        f"use it: winnow run --config {tmp_path / 'lists' / 'lists.yaml'}",
    ]
    assert "lists/ut1 (there already), from " in call(*given, "--sha256", digest).out
    assert call(*given, "--json").json == {
        "name": "ut1", "origin": str(domains), "sha256": digest, "pinned": False, "lines": 1, "new": False,
        "files": {"adult/domains": file_sha256(tmp_path / "domains")},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fetch", "ut2"], "ut2: no such list; expected some of ldnoobw, ut1, url_words"),
        (["fetch", "--from", "x"], "--from: of which list? name one of them"),
        (["fetch", "ut1", "ldnoobw", "--from", "x"], "--from: of which list? name one of them"),
        (["fetch", "ut1", "--sha256", "0" * 64], "--sha256: it goes with --from"),
        (["fetch", "ut1", "--from", "/nowhere/x.tgz"], "/nowhere/x.tgz: no such file or folder"),
        (["fetch", "--output", "s3://bucket/lists"], "s3://bucket/lists: lists are fetched into a local folder"),
        (["--output", "gs://bucket/lists"], "gs://bucket/lists: lists are fetched into a local folder"),
    ],
)
def test_what_cannot_work_is_one_line(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = call("lists", *arguments)
    assert (ended.code, ended.out) == (1 if "no such file" in said else 2, "")
    assert ended.err.startswith(f"winnow: {said}")
    assert ended.err.count("\n") == 1
    assert not list((tmp_path / "lists").glob("*"))


def test_an_option_before_fetch_is_wrong_usage_not_ignored(call: Call, tmp_path: Path, words: Path) -> None:
    said = call("lists", "--output", tmp_path / "lists", "fetch", "ldnoobw", "--from", words)
    assert (said.code, said.out) == (2, "")
    assert "give the options of `fetch` after it" in said.err


def test_a_run_takes_the_config_as_it_is(
    call: Call, command: Call, config: Path, words: Path, domains: Path, tmp_path: Path
) -> None:
    """Two commands: the lists, and the default recipe with them."""
    dirty = f"{sentences(500, 3)}\nzorbleflux and vexnoggin and zorbleflux went to the market in the morning."
    page = {"text": dirty, "url": "https://other.example/dirty", "id": "dirty"}
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*rows()[:8], page]))
    for name, origin in (("ldnoobw", words), ("ut1", domains)):
        assert call("lists", "fetch", name, "-o", tmp_path / "lists", "--from", origin).code == 0
    ours = tmp_path / "lists" / "lists.yaml"
    given = ("--input", tmp_path / "in.jsonl", "--output", tmp_path / "out", "--config", config, "--config", ours)
    said = command("run", *given, cwd=tmp_path)
    assert said.code == 0, said.out + said.err
    dropped = {row["url"]: (row["reason"], row["detail"])
               for reason in ("blocked_domain", "too_many_dirty_words")
               for row in call("show", tmp_path / "out", "--reason", reason, "--json").json}  # fmt: skip
    assert dropped[rows()[2]["url"]] == ("blocked_domain", "adult:site-2.example")
    assert dropped[page["url"]][0] == "too_many_dirty_words"
    assert len(dropped) == 2
    call("lists", "fetch", "ut1", "-o", tmp_path / "lists", "--from", domains)
    assert not any(stage["run"] for stage in call("plan", *given, "--json").json["stages"])
    assert yaml.safe_load(ours.read_text())["clean"]["dirty_words"]["directory"] == str(tmp_path / "lists" / "ldnoobw")
