"""From published archives to what the rules read: which files, which lines, which settings."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pipelines.lists.layouts import DIRTY_WORDS, URL_WORDS, UT1, Layout
from pipelines.recipes.common_crawl import CommonCrawlConfig
from schemas.errors import InputError
from schemas.settings import overlay
from transforms.safety.blocklist import Blocklist
from transforms.safety.dirty_words import read_lists

NPM = {
    "package/package.json": '{"name": "naughty-words"}',
    "package/package-lock.json": "{}",
    "package/index.js": "x",
    "package/LICENSE": "CC",
    "package/en.json": json.dumps(["plim", " zorb vex ", ""]),
    "package/fr-CA-u-sd-caqc.json": json.dumps(["plimme"]),
    "package/test/xx.json": "not looked at",
}
CHECKOUT = {"LICENSE": "CC", "README.md": "x", "en": "plim\nzorb vex\n\n", "fr-CA-u-sd-caqc": "plimme"}


def unpack(layout: Layout, files: Mapping[str, str | bytes], folder: Path) -> tuple[int, dict[str, bytes]]:
    """Return the number of lines and the files that are made of `files`."""
    folder.mkdir(exist_ok=True)

    def members() -> Iterator[tuple[str, io.BytesIO]]:
        for name, data in files.items():
            yield name, io.BytesIO(data.encode() if isinstance(data, str) else data)

    lines = layout.unpack(members(), folder)
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return lines, {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def config(layout: Layout, folder: Path, made: Mapping[str, Any]) -> CommonCrawlConfig:
    return overlay(CommonCrawlConfig(), layout.settings(str(folder), made))


def test_dirty_words_of_the_npm_package_and_of_the_repository_are_the_same(tmp_path: Path) -> None:
    npm = unpack(DIRTY_WORDS, {name: NPM[name] for name in NPM if "test/" not in name}, tmp_path / "npm")
    assert npm == (3, {"en": b"plim\nzorb vex\n", "fr-CA-u-sd-caqc": b"plimme\n"})
    assert unpack(DIRTY_WORDS, CHECKOUT, tmp_path / "git") == npm
    archive = {f"Words-master/{name}": text for name, text in CHECKOUT.items()}
    assert unpack(DIRTY_WORDS, archive, tmp_path / "zip") == npm
    read = config(DIRTY_WORDS, tmp_path / "npm", npm[1]).clean.dirty_words
    assert read is not None
    assert read_lists(read.directory) == {"en": ["plim", "zorb vex"], "fr-CA-u-sd-caqc": ["plimme"]}


def test_only_the_uppermost_folder_counts(tmp_path: Path) -> None:
    files = {"test/xx.json": "[]", "en": "plim", "old/en": "other"}
    assert unpack(DIRTY_WORDS, files, tmp_path / "out") == (1, {"en": b"plim\n"})


@pytest.mark.parametrize("text", ["{}", "[1]", '"plim"', "[", "\xff"])
def test_what_is_no_list_of_words_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"^package/en\.json: not a list of words: "):
        unpack(DIRTY_WORDS, {"package/en.json": text.encode("latin-1")}, tmp_path / "out")
    with pytest.raises(InputError, match=r"^en: not a list of words: "):
        unpack(DIRTY_WORDS, {"en": b"\xff"}, tmp_path / "out")


def test_ut1_by_category(tmp_path: Path) -> None:
    files = {
        "blacklists/README": "x",
        "blacklists/adult/domains": "evil.example\nbad.example",
        "blacklists/adult/urls": "good.example/bad\n",
        "blacklists/adult/expressions": "(xxx)",
        "blacklists/adult/usage": "black",
        "blacklists/gambling/domains.gz": gzip.compress(b"bet.example\n"),
        "blacklists/porn": "adult",
        "blacklists/bets": "./gambling\n",
        "blacklists/nothing": "nowhere",
        "porn": "adult",
    }
    lines, made = unpack(UT1, files, tmp_path / "out")
    assert (lines, made) == (
        4,
        {
            "adult/domains": b"evil.example\nbad.example",
            "adult/urls": b"good.example/bad\n",
            "bets": b"gambling\n",
            "gambling/domains": b"bet.example\n",
            "porn": b"adult\n",
        },
    )
    blocklist = config(UT1, tmp_path / "out", made).index.blocklist
    assert blocklist.directories == (str(tmp_path / "out"),)
    assert blocklist.categories == type(blocklist)().categories
    lists = Blocklist.load(blocklist)
    details = [drop.detail for url in ("https://a.evil.example", "https://bet.example/x", "https://good.example/bad/x")
               if (drop := lists.check(url))]  # fmt: skip
    assert details == ["adult:evil.example", "gambling:bet.example", "adult:good.example/bad"]


def test_ut1_without_categories(tmp_path: Path) -> None:
    lines, made = unpack(UT1, {"urls": "good.example/bad\n", "domains": "evil.example\n"}, tmp_path / "out")
    assert (lines, list(made)) == (2, ["ut1.domains", "ut1.urls"])
    lists = Blocklist.load(config(UT1, tmp_path / "out", made).index.blocklist)
    found = lists.check("https://www.evil.example/")
    assert found is not None
    assert found.detail == "ut1:evil.example"
    assert lists.check("https://good.example/bad") is not None


def test_categories_that_do_not_block_by_default_block_when_they_are_all_there_is(tmp_path: Path) -> None:
    _, made = unpack(UT1, {"drogue/domains": "weed.example\n", "press/domains": "p.example\n"}, tmp_path / "out")
    blocklist = config(UT1, tmp_path / "out", made).index.blocklist
    assert blocklist.categories == ("drogue", "press")
    assert Blocklist.load(blocklist).check("https://weed.example") is not None


@pytest.mark.parametrize(
    "path", ["../domains", "a/../domains", "x/./urls", "/domains", "a/b c/domains", "a/.x/urls.gz"]
)
def test_no_archive_writes_outside_its_folder(tmp_path: Path, path: str) -> None:
    with pytest.raises(InputError, match="is no name of a category"):
        unpack(UT1, {path: "evil.example\n"}, tmp_path / "out")
    assert [file.name for file in tmp_path.iterdir()] == ["out"]


def test_one_list_in_two_forms_is_read_once(tmp_path: Path) -> None:
    files = {"adult/domains": "a.example\n", "adult/domains.gz": gzip.compress(b"a.example\n")}
    assert unpack(UT1, files, tmp_path / "out") == (1, {"adult/domains": b"a.example\n"})


def test_url_words(tmp_path: Path) -> None:
    files = {
        "pkg/assets/banned_words.txt": "zorb\n#plim\n",
        "pkg/assets/soft_banned_words.txt": "vex\nquip\n",
        "pkg/assets/banned_subwords.txt": "snor vaddle",
        "pkg/assets/words.txt": "other",
    }
    lines, made = unpack(URL_WORDS, files, tmp_path / "out")
    assert (lines, len(made)) == (5, 3)
    lists = Blocklist.load(config(URL_WORDS, tmp_path / "out", made).index.blocklist)
    blocked = {url: lists.check(f"https://x.example/{url}") is not None for url in
               ("zorb", "plim", "vex", "vex-quip", "asnor-vaddles")}  # fmt: skip
    assert blocked == {"zorb": True, "plim": False, "vex": False, "vex-quip": True, "asnor-vaddles": True}


@pytest.mark.parametrize("layout", [DIRTY_WORDS, UT1, URL_WORDS])
def test_an_archive_of_something_else_holds_nothing(tmp_path: Path, layout: Layout) -> None:
    assert unpack(layout, {"README": "x", "src/main.c": "int main;", "a/b/c.tar": "x"}, tmp_path / "out") == (0, {})
