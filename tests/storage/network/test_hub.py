"""`hf://` by the protocol of the Hub, spoken by a server of our own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import storage
from schemas.errors import InputError, RunError
from storage.listing.inputs import describe_inputs, expand
from storage.network import remote
from storage.network.hub import check_repository, is_hub, publish
from tests.hub import Hub, hub

constants = pytest.importorskip("huggingface_hub.constants")

ROOT = Path(__file__).resolve().parents[3]
FILES = {
    ".gitattributes": b"*.parquet filter=lfs\n",
    "README.md": b"---\n---\n",
    "data/a.jsonl": b'{"text": "one"}\n',
    "data/b.jsonl": b'{"text": "two"}\n',
    "data/deep/c.jsonl": b'{"text": "three"}\n',
    "data/large.bin": bytes(range(256)) * 40_000,  # read in several requests
}
SENT_AS_DATA = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # huggingface_hub's own
AT = "hf://datasets/me/web"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with hub(me__web=FILES, me__empty={".gitattributes": b""}) as served:
        monkeypatch.setattr(constants, "ENDPOINT", served.url)
        template = served.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)  # made from it on import
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(remote, "PAUSE_S", 0.0)
        yield served


def test_files_are_read(served: Hub) -> None:
    for name, data in FILES.items():
        assert storage.read_bytes(f"{AT}/{name}") == data
        assert storage.size(f"{AT}/{name}") == len(data)
    with storage.open_read(f"{AT}/data/large.bin") as stream:
        stream.seek(5_000_000)
        assert stream.read(1000) == FILES["data/large.bin"][5_000_000:5_001_000]
        stream.seek(10)
        assert stream.read(5) == FILES["data/large.bin"][10:15]


def test_folders_globs_and_files_are_inputs(served: Hub) -> None:
    assert expand([f"{AT}/data/a.jsonl"]) == [f"{AT}/data/a.jsonl"]
    assert expand([f"{AT}/data/*.jsonl"]) == [f"{AT}/data/a.jsonl", f"{AT}/data/b.jsonl"]
    assert expand([f"{AT}/data"]) == [f"{AT}/data/{n}" for n in ("a.jsonl", "b.jsonl", "deep/c.jsonl", "large.bin")]
    assert expand([f"{AT}@main/data/a.jsonl"])[0].endswith("/data/a.jsonl")
    assert storage.list_names(AT) == [".gitattributes", "README.md", "data"]
    assert storage.list_names("hf://datasets/me/nothing") == []


def test_a_file_that_changes_is_another_input(served: Hub) -> None:
    (before,) = describe_inputs([f"{AT}/data/a.jsonl"])
    assert describe_inputs([f"{AT}/data/a.jsonl"]) == [before]
    served.repositories["me/web"]["data/a.jsonl"] = b'{"text": "own"}\n'  # as long as before
    storage.filesystem(AT).clear_instance_cache()  # as another process begins: each keeps what it has listed
    (after,) = describe_inputs([f"{AT}/data/a.jsonl"])
    assert after["size"] == before["size"]
    assert after["checksum"] != before["checksum"]


@pytest.mark.parametrize(
    "path", [f"{AT}/nothing.jsonl", "hf://datasets/me/nothing/x.jsonl", "hf://datasets/me/web/data/none/*.jsonl"]
)
def test_what_is_not_there_is_one_line(served: Hub, path: str) -> None:
    with pytest.raises(InputError) as told:
        expand([path])
    assert path in str(told.value)
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 300


@pytest.mark.parametrize("path", ["hf://", "hf://web", "hf://datasets", "hf://datasets/web"])
def test_an_address_that_names_no_repository_is_one_line(served: Hub, path: str) -> None:
    for call in (lambda: expand([path]), lambda: check_repository(path)):
        with pytest.raises((InputError, RunError)) as told:
            call()
        assert str(told.value).startswith(path)
        assert "\n" not in str(told.value)


def test_a_server_that_falters_is_asked_again(served: Hub) -> None:
    left = [503, 500]
    served.fault = lambda method, path: left.pop() if "/resolve/" in path and left else 0
    assert storage.read_bytes(f"{AT}/data/a.jsonl") == FILES["data/a.jsonl"]
    assert not left


def test_a_refusal_is_final_and_told(served: Hub) -> None:
    served.fault = lambda method, path: 403 if "/resolve/" in path else 0
    with pytest.raises(InputError, match="403") as told:
        storage.read_bytes(f"{AT}/data/a.jsonl")
    assert "\n" not in str(told.value)
    assert len([path for _, path in served.requests if "/resolve/" in path]) == 1


@SENT_AS_DATA
def test_a_folder_is_published_in_one_commit(served: Hub, tmp_path: Path) -> None:
    wanted = {"README.md": b"card", "web/a.parquet": b"x" * 1000, "web/b.json": b"{}"}
    for name, data in wanted.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    publish(str(tmp_path), "hf://datasets/me/empty", [])
    assert served.repositories["me/empty"] == {".gitattributes": b"", **wanted}
    assert len(served.commits) == 1
    publish(str(tmp_path), "hf://datasets/me/empty/below", [])
    assert served.repositories["me/empty"]["below/web/a.parquet"] == b"x" * 1000
    (tmp_path / "web" / "b.json").unlink()
    publish(str(tmp_path), "hf://datasets/me/empty", ["web/b.json", "README.md"])
    assert "web/b.json" not in served.repositories["me/empty"]
    assert "README.md" in served.repositories["me/empty"]


@SENT_AS_DATA
@pytest.mark.parametrize("refused", ["/preupload/", "/large/", "/commit/"])
def test_what_is_refused_shows_nothing(served: Hub, tmp_path: Path, refused: str) -> None:
    (tmp_path / "a.parquet").write_bytes(b"x" * 1000)
    served.fault = lambda method, path: 403 if refused in path else 0
    with pytest.raises(RunError) as told:
        publish(str(tmp_path), "hf://datasets/me/empty", [])
    assert str(told.value).startswith("hf://datasets/me/empty: cannot be written")
    assert "\n" not in str(told.value)
    assert served.repositories["me/empty"] == {".gitattributes": b""}


def test_a_repository_is_never_made(served: Hub) -> None:
    check_repository("hf://datasets/me/empty")
    with pytest.raises(RunError, match="no such repository on the Hub, or no access to it; create it first"):
        check_repository("hf://datasets/me/new")


def test_a_bucket_is_no_place_for_a_commit(served: Hub) -> None:
    with pytest.raises(RunError, match="hf://buckets/me/web: is a bucket, which has no commits"):
        check_repository("hf://buckets/me/web")


def test_what_is_on_the_hub() -> None:
    assert [is_hub(path) for path in ("hf://datasets/a/b", "s3://a/b", "/hf/a", "hf")] == [True, False, False, False]


def test_without_the_extra_the_line_names_it() -> None:
    code = (
        "import sys\nsys.modules['huggingface_hub'] = None\n"
        "import storage\nfrom schemas.errors import InputError\n"
        "try:\n    storage.exists('hf://datasets/me/web/a')\n"
        "except InputError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.stdout == (
        "hf://datasets/me/web/a: hf:// needs a package that is not installed: pip install 'winnow-corpus[hf]'\n"
    ), done.stderr
