"""storage.listing.inputs: what cannot be read, links, and an output folder among the inputs."""

from __future__ import annotations

import copy
import gzip
import os
from pathlib import Path

import fsspec
import pytest

import storage
from schemas.errors import InputError, RunError
from storage.listing.crawl_lists import MIRROR
from storage.listing.inputs import Unreadable, describe_inputs, expand
from storage.network import remote
from tests.storage.web_server import Page, WebServer, refused_port

TEXT = b'{"text": "one"}\n'


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "PAUSE_S", 0.0)


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(TEXT)


def names(root: Path, *inputs: Path, **how: str) -> list[str]:
    return [str(Path(path).relative_to(root)) for path in expand([str(item) for item in inputs], **how)]


# --- what cannot be read


def test_a_bad_entry_of_a_list_is_named_with_the_flag(server: WebServer) -> None:
    paths = [server.put(f"/{n}.jsonl", Page(TEXT)) for n in range(40)]
    server.pages["/17.jsonl"].refusals = [(403, {})] * 9
    with pytest.raises(InputError, match=r"/17\.jsonl: cannot be read: HTTP 403 Forbidden; --skip-unreadable goes on"):
        describe_inputs(paths, Unreadable())
    server.pages["/17.jsonl"].refusals = [(403, {})] * 9
    unreadable = Unreadable(skip=True)
    found = describe_inputs(paths, unreadable)
    assert [entry["path"] for entry in found] == [path for path in paths if "/17." not in path]
    assert {entry["size"] for entry in found} == {len(TEXT)}
    assert unreadable.entries() == [{"path": paths[17], "why": f"{paths[17]}: cannot be read: HTTP 403 Forbidden"}]


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (None, "HTTP 404 Not Found"),
        (Page(TEXT, refusals=[(503, {})] * 9), "after 4 attempts: HTTP 503 Service Unavailable"),
        (Page(TEXT, refusals=[(429, {"Retry-After": "0"})] * 9), "after 4 attempts: HTTP 429 Too Many Requests"),
        (Page(TEXT * 10, has_ranges=False, has_length=False, chunked=True, drops=[3] * 9), "broke off after"),
    ],
)
@pytest.mark.parametrize("through", ["a list", "an input"])
def test_whatever_is_wrong_with_an_entry_it_can_be_left_out(
    server: WebServer, tmp_path: Path, page: Page | None, why: str, through: str
) -> None:
    good, bad = server.put("/good", Page(TEXT)), f"{server.url}/bad"
    if page is not None:
        server.put("/bad", copy.deepcopy(page))  # it is used up
    (tmp_path / "list").write_text(f"{good}\n{bad}\n")
    given = [f"@{tmp_path / 'list'}"] if through == "a list" else [good, bad]
    unreadable = Unreadable(skip=True)
    assert [entry["path"] for entry in describe_inputs(expand(given, unreadable=unreadable), unreadable)] == [good]
    [entry] = unreadable.entries()
    assert entry["path"] == bad
    assert why in entry["why"]


def test_a_missing_file_a_broken_link_and_an_empty_folder_can_be_left_out(tmp_path: Path) -> None:
    touch(tmp_path, "in/a", "b")
    (tmp_path / "in" / "broken").symlink_to(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    (tmp_path / "list").write_text("b\nnone\n")
    given = [str(tmp_path / "in"), f"@{tmp_path / 'list'}", str(tmp_path / "empty"), str(tmp_path / "*.warc")]
    unreadable = Unreadable(skip=True)
    assert expand(given, unreadable=unreadable) == [str(tmp_path / "b"), str(tmp_path / "in/a")]
    assert sorted(Path(path).name for path in unreadable.found) == ["*.warc", "broken", "empty", "none"]
    for item, message in (
        (given[0], "in/broken: a link that leads nowhere: No such file or directory"),
        (given[1], "none: no such file, or nothing in it"),
        (given[2], "empty: no such file, or nothing in it"),
    ):
        with pytest.raises(InputError, match=f"{message}; --skip-unreadable goes on without it$"):
            expand([item], unreadable=Unreadable())


def test_a_list_and_a_crawl_are_never_left_out(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MIRROR, server.url)
    for item in (f"@{server.url}/list", "cc:CC-MAIN-2026-43"):
        with pytest.raises(InputError, match=r"HTTP 404 Not Found$"):
            expand([item], unreadable=Unreadable(skip=True))


def test_nothing_but_unreadable_inputs_is_an_error() -> None:
    unreadable = Unreadable(skip=True)
    unreadable.add("b", InputError("b: no such file"))
    unreadable.add("a", InputError("a: no such file"))
    unreadable.check_some_left(["c"])
    with pytest.raises(InputError, match=r"^none of 2 inputs can be read; the first: a: no such file$"):
        unreadable.check_some_left([])


def test_a_server_that_is_never_reached_is_not_tried_for_each_of_its_files(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(remote.time, "sleep", pauses.append)
    port = refused_port()
    gone = [f"http://127.0.0.1:{port}/{n}" for n in range(3_000)]
    good = server.put("/good", Page(TEXT))
    unreadable = Unreadable(skip=True)
    assert [entry["path"] for entry in describe_inputs([*gone, good], unreadable)] == [good]
    assert len(unreadable.found) == 3_000
    assert all("no connection to 127.0.0.1" in why for why in unreadable.found.values())
    asked = [why for why in unreadable.found.values() if "after 4 attempts" in why]
    assert 1 <= len(asked) <= 16  # those that were under way together
    assert sum("not asked for" in why for why in unreadable.found.values()) == 3_000 - len(asked)


def test_a_server_that_answers_is_asked_for_all_its_files(server: WebServer) -> None:
    bad = [server.put(f"/{n}", Page(TEXT, refusals=[(404, {})])) for n in range(20)]
    good = server.put("/good", Page(TEXT))
    unreadable = Unreadable(skip=True)
    assert [entry["path"] for entry in describe_inputs([*bad, good], unreadable)] == [good]
    assert all(why.endswith("cannot be read: HTTP 404 Not Found") for why in unreadable.found.values())


def test_refusals_that_pass_are_not_seen_through_a_crawl(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MIRROR, server.url)
    entries = [f"crawl-data/CC-MAIN-2026-43/segments/1/warc/{n}.warc.gz" for n in range(30)]
    server.put(
        "/collinfo.json", Page(b'[{"id": "CC-MAIN-2026-43"}]', refusals=[(503, {}), (429, {"Retry-After": "0"})])
    )
    listing = gzip.compress("\n".join(entries).encode())
    server.put(
        "/crawl-data/CC-MAIN-2026-43/warc.paths.gz",
        Page(listing, refusals=[(503, {})] * 2, drops=[10], headers={"Content-Encoding": "gzip"}),
    )
    for n, entry in enumerate(entries):
        server.put(f"/{entry}", Page(TEXT, refusals=[(503, {})] * (n % 4), has_ranges=n % 2 == 0))
    found = describe_inputs(expand(["cc:latest"]))
    assert sorted(entry["path"] for entry in found) == sorted(f"{server.url}/{entry}" for entry in entries)
    assert {entry["size"] for entry in found} == {len(TEXT)}


# --- links


def test_links_to_folders_are_followed(tmp_path: Path) -> None:
    touch(tmp_path, "in/a", "elsewhere/b", "elsewhere/deep/c", "third/d")
    (tmp_path / "in" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "on").symlink_to("../third", target_is_directory=True)
    (tmp_path / "in" / "file").symlink_to(tmp_path / "third" / "d")
    assert names(tmp_path, tmp_path / "in") == ["in/a", "in/file", "in/link/b", "in/link/deep/c", "in/link/on/d"]
    (tmp_path / "all").symlink_to(tmp_path / "in")
    assert names(tmp_path, tmp_path / "all")[0] == "all/a"


def test_loops_of_links_end_and_a_folder_is_read_once(tmp_path: Path) -> None:
    touch(tmp_path, "in/a", "in/sub/b", "other/c")
    (tmp_path / "in" / "sub" / "up").symlink_to("..", target_is_directory=True)
    (tmp_path / "in" / "again").symlink_to("sub", target_is_directory=True)  # sorted before it, and not preferred
    (tmp_path / "in" / "one").symlink_to(tmp_path / "other")
    (tmp_path / "in" / "two").symlink_to(tmp_path / "other")
    (tmp_path / "other" / "back").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "self").symlink_to("self")  # a link to itself leads nowhere
    unreadable = Unreadable(skip=True)
    found = expand([str(tmp_path / "in")], unreadable=unreadable)
    assert [str(Path(path).relative_to(tmp_path)) for path in found] == ["in/a", "in/one/c", "in/sub/b"]
    assert list(unreadable.found) == [str(tmp_path / "in/self")]


def test_hidden_names_stay_hidden_behind_links(tmp_path: Path) -> None:
    touch(tmp_path, "in/a", "in/.git/b", "in/_tmp/c", "elsewhere/.d", "elsewhere/e")
    (tmp_path / "in" / "_link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in" / "link").symlink_to(tmp_path / "elsewhere")
    assert names(tmp_path, tmp_path / "in") == ["in/a", "in/link/e"]


def test_a_folder_of_lists_with_links_is_whole(tmp_path: Path) -> None:
    touch(tmp_path, "lists/a", "elsewhere/b")
    (tmp_path / "lists" / "link").symlink_to(tmp_path / "elsewhere")
    assert storage.list_sizes(str(tmp_path / "lists")) == {
        str(tmp_path / "lists/a"): len(TEXT), str(tmp_path / "lists/link/b"): len(TEXT),
    }  # fmt: skip
    assert storage.list_files(str(tmp_path / "none")) == storage.list_files(str(tmp_path / "lists/a")) == []


# --- the output folder


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize(
    ("given", "output"),
    [
        ("in", "in/run"),
        ("in", "in/deep/er/run"),
        ("in", "in"),
        ("in/", "in/sub/../run"),
        ("link", "in/run"),
        ("in", "link/run"),
        ("holder", "in/run"),  # behind a link in the input
        ("@list", "in/run"),
        ("in/**", "in/run"),
        ("in/**/*.parquet", "in/run"),
        ("in/**/*.json", "in/run"),
    ],
)
def test_an_output_among_the_inputs_is_refused(tmp_path: Path, given: str, output: str, exists: bool) -> None:
    touch(tmp_path, "in/a.parquet", "in/sub/b.json")
    (tmp_path / "link").symlink_to(tmp_path / "in")
    (tmp_path / "holder").mkdir()
    (tmp_path / "holder" / "on").symlink_to(tmp_path / "in")
    (tmp_path / "list").write_text("in\n")
    place = tmp_path / output
    if exists:
        place.mkdir(parents=True, exist_ok=True)
    item = f"@{tmp_path / given[1:]}" if given.startswith("@") else str(tmp_path / given)
    with pytest.raises(RunError, match="the output folder is among the inputs") as caught:
        expand([item], output=str(place), unreadable=Unreadable(skip=True))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", ["out/raw/a.jsonl", "out/*/*.jsonl", "out/raw", "link/a.jsonl", "@list"])
def test_inputs_in_the_output_are_refused(tmp_path: Path, given: str) -> None:
    touch(tmp_path, "out/raw/a.jsonl")
    (tmp_path / "link").symlink_to(tmp_path / "out" / "raw")
    (tmp_path / "list").write_text("out/raw/a.jsonl\n")
    item = f"@{tmp_path / given[1:]}" if given.startswith("@") else str(tmp_path / given)
    with pytest.raises(RunError, match="the output folder is among the inputs"):
        expand([item], output=str(tmp_path / "out"))


@pytest.mark.parametrize(
    ("given", "output"),
    [
        ("in", "run"),
        ("in", "in-2/run"),
        ("in/a.jsonl", "in/run"),
        ("in/*.jsonl", "in/run"),
        ("in/**/*.jsonl", "in/run"),  # nothing that a run writes has such a name
        ("in/sub/**", "in/run"),
        ("in", "in/_run"),  # hidden: never read
        ("in", "in/.cache/run"),
    ],
)
@pytest.mark.parametrize("exists", [True, False])
def test_an_output_beside_the_inputs_is_not_refused(tmp_path: Path, given: str, output: str, exists: bool) -> None:
    touch(tmp_path, "in/a.jsonl", "in/sub/b.jsonl")
    before = expand([str(tmp_path / given)])
    if exists:
        touch(tmp_path, f"{output}/inputs.json", f"{output}/web/index/1/part-000000.parquet")
    assert expand([str(tmp_path / given)], output=str(tmp_path / output)) == before


def test_an_output_among_remote_inputs_is_refused() -> None:
    store = fsspec.filesystem("memory")
    try:
        store.pipe_file("/box/in/a.jsonl", TEXT)
        for output in ("memory://box/in/run", "memory://box/in", "memory://box/in/deep/run/"):
            with pytest.raises(RunError, match="the output folder is among the inputs"):
                expand(["memory://box/in"], output=output)
        assert expand(["memory://box/in"], output="memory://box/in-2") == ["memory:///box/in/a.jsonl"]
        assert expand(["memory://box/in"], output="memory://box/in/_run") == ["memory:///box/in/a.jsonl"]
    finally:
        store.store.clear()


def test_permission_is_asked_for_each_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "in/a", "in/b")
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "b")  # root may read all
    with pytest.raises(InputError, match="in/b: cannot be read: permission denied; --skip-unreadable"):
        expand([str(tmp_path / "in")], unreadable=Unreadable())
    unreadable = Unreadable(skip=True)
    assert expand([str(tmp_path / "in")], unreadable=unreadable) == [str(tmp_path / "in/a")]
    assert len(unreadable.found) == 1
