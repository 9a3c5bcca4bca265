"""storage.files, remote and conditional against moto's S3 server: what a call costs, and what a failure leaves."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

import storage
from schemas.errors import InputError, RunError
from storage.conditional import ABSENT, conditional
from storage.listing.inputs import expand
from storage.network import remote
from tests.object_store import ObjectStore, Request, assert_one_writer_wins, object_store

BIG = bytes(range(256)) * (48 << 10)  # 12 MiB: three blocks of a read


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectStore]:
    with object_store() as store:
        yield store


@pytest.fixture
def store(server: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    monkeypatch.setattr(remote, "PAUSE_S", 0.0)
    server.clear()
    return server


def put(store: ObjectStore, **objects: bytes) -> None:
    for name, data in objects.items():
        store.client.put_object(Bucket="box", Key=name.replace("__", "/"), Body=data)
    store.requests.clear()


def test_what_calls_cost(store: ObjectStore) -> None:
    costs = []
    for call in (
        lambda: storage.write_atomic("s3://box/a/1", b"one"),
        lambda: storage.read_bytes("s3://box/a/1"),
        lambda: storage.open_read("s3://box/a/1").read(),
        lambda: storage.exists("s3://box/a/1"),
        lambda: storage.exists("s3://box/none"),
        lambda: storage.list_names("s3://box/a"),
        lambda: storage.list_names("s3://box/none"),
        lambda: storage.list_sizes("s3://box"),
        lambda: storage.remove_tree("s3://box/none"),
        lambda: storage.remove_tree("s3://box/a"),
    ):
        store.requests.clear()
        call()
        costs.append(dict(store.counts()))
    assert costs == [
        {"PUT": 1},
        {"GET": 1},
        {"HEAD": 1, "GET": 1},
        {"HEAD": 1},
        {"HEAD": 1, "LIST": 1},
        {"LIST": 1},
        {"LIST": 1},
        {"LIST": 1},
        {"LIST": 1},
        {"LIST": 1, "DELETE": 1},
    ]
    assert store.objects("box") == {}


def test_names_sizes_and_trees_do_not_take_neighbours(store: ObjectStore) -> None:
    put(store, run=b"", run__a__1=b"12", run__a__b__2=b"3", run__ab=b"4567", run__c=b"")
    assert storage.list_names("s3://box/run") == ["a", "ab", "c"]
    assert storage.list_names("s3://box/run/a/") == ["1", "b"]
    assert storage.list_names("s3://box") == ["run"]
    assert storage.list_sizes("s3://box/run/a") == {"s3://box/run/a/1": 2, "s3://box/run/a/b/2": 1}
    assert storage.list_files("s3://box/none") == []
    assert expand(["s3://box/run/a"]) == ["s3://box/run/a/1", "s3://box/run/a/b/2"]
    storage.remove_tree("s3://box/run/a")
    assert sorted(store.objects("box")) == ["run", "run/ab", "run/c"]
    storage.remove_tree("s3://box/run/c")
    assert sorted(store.objects("box")) == ["run", "run/ab"]


def test_the_object_that_stands_for_a_folder_is_no_file(store: ObjectStore) -> None:
    store.client.put_object(Bucket="box", Key="made/by/hand/", Body=b"")
    store.client.put_object(Bucket="box", Key="made/by/hand/1", Body=b"1")
    assert storage.list_names("s3://box/made/by/hand") == ["1"]
    assert storage.list_names("s3://box/made/by") == ["hand"]
    storage.remove_tree("s3://box/made")
    assert store.objects("box") == {}


def test_listings_of_many_pages_are_whole(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, **{f"many__{n}": b"" for n in range(7)}, many__sub__8=b"")
    fs = storage.filesystem("s3://box")
    real = fs.call_s3
    monkeypatch.setattr(fs, "call_s3", lambda method, **how: real(method, **how, MaxKeys=2))
    assert storage.list_names("s3://box/many") == [*"0123456", "sub"]
    assert len(storage.list_files("s3://box/many")) == 8
    assert store.counts()["LIST"] == 8


def test_what_another_process_writes_is_seen_at_once(store: ObjectStore) -> None:
    assert storage.list_names("s3://box/d") == []
    assert not storage.exists("s3://box/d/1")
    put(store, d__1=b"one")
    assert storage.list_names("s3://box/d") == ["1"]
    assert storage.exists("s3://box/d/1")
    assert storage.read_bytes("s3://box/d/1") == b"one"
    assert storage.size("s3://box/d/1") == 3
    before = storage.fingerprint("s3://box/d/1")
    put(store, d__1=b"ONE!")
    assert storage.read_bytes("s3://box/d/1") == b"ONE!"
    assert storage.size("s3://box/d/1") == 4
    assert storage.fingerprint("s3://box/d/1") != before
    store.client.delete_object(Bucket="box", Key="d/1")
    assert storage.list_names("s3://box/d") == []
    assert not storage.exists("s3://box/d/1")


@pytest.mark.parametrize("data", [b"", b"x", BIG], ids=["nothing", "a byte", "twelve mebibytes"])
def test_files_come_back_as_they_were_written(store: ObjectStore, data: bytes) -> None:
    with storage.open_atomic("s3://box/f") as stream:
        stream.write(data)
    store.requests.clear()
    with storage.open_read("s3://box/f") as found:
        assert found.seekable()
        found.seek(-3 if len(data) > 3 else 0, io.SEEK_END)
        assert found.read() == (data[-3:] if len(data) > 3 else b"")
        found.seek(0)
        assert found.read() == data
    assert store.counts()["GET"] <= 8
    assert storage.read_bytes("s3://box/f") == data


def test_a_part_of_a_large_file_is_all_that_is_fetched(store: ObjectStore) -> None:
    put(store, f=BIG)
    with storage.open_read("s3://box/f") as found:
        found.seek(5 << 20)
        assert found.read(10) == BIG[5 << 20 : (5 << 20) + 10]
    [asked] = [request.range for request in store.requests if request.method == "GET"]
    first, last = map(int, asked.removeprefix("bytes=").split("-"))
    assert last - first < (4 << 20) + (1 << 17)


def test_a_large_upload_that_fails_leaves_what_was_there(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "UPLOAD_BYTES", 5 << 20)
    put(store, f=b"old")

    def no_second_part(request: Request) -> str:
        return "hang up" if "partNumber=2" in request.query else ""

    store.fault = no_second_part
    with (
        pytest.raises(RunError, match=r"s3://box/f: cannot be written after 4 attempts: "),
        storage.open_atomic("s3://box/f") as stream,
    ):
        stream.write(BIG)
    assert sum("partNumber=1" in request.query for request in store.requests) == 4
    store.fault = lambda _: ""
    assert store.objects("box") == {"f": b"old"}
    assert store.client.list_multipart_uploads(Bucket="box").get("Uploads", []) == []  # nothing is left to be paid for
    with storage.open_atomic("s3://box/f") as stream:
        stream.write(BIG)
    assert store.objects("box") == {"f": BIG}
    assert any("partNumber=3" in request.query for request in store.requests)


def test_a_large_upload_cannot_be_seen_before_its_end(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "UPLOAD_BYTES", 5 << 20)
    seen: list[list[str]] = []

    def look(request: Request) -> str:
        if request.method == "POST" and "uploadId=" in request.query:
            seen.append(list(store.objects("box")))
        return ""

    store.fault = look
    with storage.open_atomic("s3://box/f") as stream:
        stream.write(BIG)
    assert seen == [[]]
    assert list(store.objects("box")) == ["f"]


def test_a_block_that_raises_writes_nothing(store: ObjectStore) -> None:
    for opened in (storage.open_atomic, storage.open_scratch):
        with contextlib.suppress(KeyError), opened("s3://box/f") as stream:
            stream.write(b"half")
            raise KeyError
    assert store.counts() == {}


@pytest.mark.parametrize("fault", ["refuse", "busy", "hang up", "lose", "cut"])
def test_failures_that_pass_are_not_seen(store: ObjectStore, fault: str) -> None:
    put(store, f=b"text" * 1000, d__1=b"")
    for call in (
        lambda: storage.read_bytes("s3://box/f") == b"text" * 1000,
        lambda: storage.open_read("s3://box/f").read() == b"text" * 1000,
        lambda: storage.list_names("s3://box/d") == ["1"],
        lambda: storage.exists("s3://box/f"),
        lambda: storage.size("s3://box/f") == 4000,
        lambda: expand(["s3://box/f"]) == ["s3://box/f"],
        lambda: expand(["s3://box/d"]) == ["s3://box/d/1"],
        lambda: expand(["s3://box/*"]) == ["s3://box/f"],
        lambda: storage.write_atomic("s3://box/g", b"new") is None,
        lambda: storage.remove_tree("s3://box/d") is None,
    ):
        left = [fault] * 3
        store.fault = lambda _, left=left: left.pop() if left else ""  # type: ignore[misc]
        assert call()
        assert left == [] or fault == "cut"  # of an empty answer there is no half
    store.fault = lambda _: ""
    assert store.objects("box") == {"f": b"text" * 1000, "g": b"new"}


def test_failures_that_stay_are_one_line(store: ObjectStore) -> None:
    store.fault = lambda _: "refuse"
    for call, word, kind in (
        (lambda: storage.read_bytes("s3://box/f"), "read", InputError),
        (lambda: storage.list_names("s3://box/f"), "read", InputError),
        (lambda: storage.write_atomic("s3://box/f", b""), "written", RunError),
        (lambda: storage.remove_tree("s3://box/f"), "written", RunError),
    ):
        store.requests.clear()
        with pytest.raises(kind, match=f"^s3://box/f: cannot be {word} after 4 attempts: .*on purpose$"):
            call()
        assert len(store.requests) == 4


def test_a_store_that_fails_is_not_one_without_the_object(store: ObjectStore) -> None:
    store.fault = lambda _: "busy"
    for call in (
        lambda: storage.exists("s3://box/f"),
        lambda: storage.size("s3://box/f"),
        lambda: expand(["s3://box/f"]),
        lambda: expand(["s3://box/*"]),
    ):
        store.requests.clear()
        with pytest.raises(InputError, match=r"^s3://box/[f*]: cannot be read after 4 attempts: "):
            call()
        assert len(store.requests) == 4


def test_what_is_final_is_not_tried_again(store: ObjectStore) -> None:
    with pytest.raises(InputError, match=r"^s3://box/none: cannot be read: "):
        storage.read_bytes("s3://box/none")
    assert len(store.requests) == 1
    with pytest.raises(RunError, match=r"^s3://nobox/f: cannot be written: The specified bucket does not exist$"):
        storage.write_atomic("s3://nobox/f", b"")
    assert len(store.requests) == 2
    with pytest.raises(RunError, match=r"^s3://Not a bucket/f: cannot be written: "):
        storage.write_atomic("s3://Not a bucket/f", b"")


def test_patience_ends(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "PATIENCE_S", -1.0)
    store.fault = lambda _: "refuse"
    with pytest.raises(InputError, match="after 1 attempt: "):
        storage.read_bytes("s3://box/f")


def test_without_credentials_it_is_one_line(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setitem(remote.fsspec.config.conf, "s3", {"endpoint_url": store.url, "username": ""})  # another session
    with pytest.raises(InputError, match=r"^s3://box/f: cannot be read: .*credentials"):
        storage.read_bytes("s3://box/f")


def test_a_conditional_write_wins_once(store: ObjectStore) -> None:
    assert_one_writer_wins("s3://box/c", wrong='"0"')
    assert store.objects("box") == {}


def test_a_conditional_write_whose_answer_is_lost_is_known_for_ours(store: ObjectStore) -> None:
    once = ["lose"]
    store.fault = lambda request: once.pop() if once and request.method == "PUT" else ""
    version = conditional("s3://box/c").put(b"1", ABSENT)
    assert once == []
    assert version is not None
    assert conditional("s3://box/c").put(b"2", version) is not None
