"""The hook that is told how a run ended: what it gets, and that it can do no harm."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipelines.reports.notify import MAX_MESSAGE_CHARS, as_plain, check_notify, notify
from pipelines.reports.outcome import Outcome
from schemas.errors import ConfigError

STARTED = datetime(2026, 5, 1, 4, 17, 0, 900_000, tzinfo=timezone(timedelta(hours=2)))
OUTCOME = Outcome("run", "/srv/data", STARTED, 12.34567, 0, "done in 12.3 s", 4, "/srv/data/runs/000002")


def script(folder: Path, body: str) -> str:
    """Return a command that runs `body` in this interpreter."""
    path = folder / "hook with a space.py"
    path.write_text(body, encoding="utf-8")
    return f"{sys.executable} '{path}'"


def leave(path: Path) -> str:
    return f"""
import json, os, pathlib, sys
told = {{key: value for key, value in os.environ.items() if key.startswith("WINNOW_")}}
pathlib.Path({str(path)!r}).write_text(json.dumps([json.load(sys.stdin), told, sys.argv[1:]]))
"""


# --- a command


def test_a_command_gets_json_and_its_environment(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    notify(script(tmp_path, leave(tmp_path / "told")) + " -s 'two words'", OUTCOME)
    plain, environment, words = json.loads((tmp_path / "told").read_text())
    assert plain == as_plain(OUTCOME)
    assert plain == {
        "text": "winnow run: /srv/data: done in 12.3 s (exit code 0)",
        "command": "run",
        "output": "/srv/data",
        "outcome": "done",
        "exit_code": 0,
        "message": "done in 12.3 s",
        "started_at": "2026-05-01T02:17:00Z",
        "wall_s": 12.346,
        "new_inputs": 4,
        "run": "/srv/data/runs/000002",
        "host": os.uname().nodename,
    }
    assert environment == {f"WINNOW_{name.upper()}": str(value) for name, value in plain.items()}
    assert words == ["-s", "two words"]
    assert capfd.readouterr() == ("", "")


def test_nothing_of_an_outcome_is_ever_run_by_a_shell(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    evil = f"$(touch {mark}) `touch {mark}` ; touch {mark} | touch {mark} && touch {mark}\n\0' \" \udcff"
    outcome = dataclasses.replace(OUTCOME, output=evil, message=evil, run=evil)
    notify(script(tmp_path, leave(tmp_path / "told")) + f" ; touch {mark}", outcome)
    plain, environment, words = json.loads((tmp_path / "told").read_text())
    assert not mark.exists()
    assert words == [";", "touch", str(mark)]
    assert plain["message"] == evil.replace("\0", " ")
    assert environment["WINNOW_MESSAGE"] == evil.replace("\0", " ")


@pytest.mark.parametrize(
    ("code", "message", "text"),
    [
        (0, "nothing new: 6 inputs", "winnow run: /srv/data: nothing new: 6 inputs (exit code 0)"),
        (3, "/srv/data: another run", "winnow run: /srv/data: another run (exit code 3)"),
        (1, "", "winnow run: /srv/data:  (exit code 1)"),
    ],
)
def test_the_text_for_a_chat_names_the_folder_once(code: int, message: str, text: str) -> None:
    assert as_plain(dataclasses.replace(OUTCOME, exit_code=code, message=message))["text"] == text


def test_a_very_long_message_is_cut(tmp_path: Path) -> None:
    notify(script(tmp_path, leave(tmp_path / "told")), dataclasses.replace(OUTCOME, message="é" * 1_000_000))
    assert json.loads((tmp_path / "told").read_text())[0]["message"] == "é" * MAX_MESSAGE_CHARS


def test_what_a_command_prints_goes_to_our_stderr(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    notify(script(tmp_path, "import sys; print('out', flush=True); print('err', file=sys.stderr)"), OUTCOME)
    assert capfd.readouterr() == ("", "out\nerr\n")


def test_a_command_need_not_read(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    notify("true", OUTCOME)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("command", "warning"),
    [
        ("false", "--notify false: exit code 1"),
        ("sh -c 'kill -9 $$'", "--notify sh -c 'kill -9 $$': exit code -9"),
        ("/nowhere/mail -s x", "--notify /nowhere/mail -s x: cannot be started: No such file or directory"),
        ("/etc/passwd", "--notify /etc/passwd: cannot be started: Permission denied"),
        ("mail 'x", "--notify mail 'x: no closing quotation; expected a command or https://..."),
        ("", "--notify: nothing there; expected a command or https://..."),
    ],
)
def test_what_goes_wrong_is_one_warning(command: str, warning: str, capfd: pytest.CaptureFixture[str]) -> None:
    notify(command, OUTCOME)
    assert capfd.readouterr() == ("", f"winnow: warning: {warning}; nobody was notified\n")


def test_a_slow_command_is_killed_with_all_it_started(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    body = f"echo $$ > {tmp_path}/pids; sleep 100 & echo $! >> {tmp_path}/pids; wait"
    (tmp_path / "slow.sh").write_text(body)
    started = time.monotonic()
    notify(f"sh {tmp_path}/slow.sh", OUTCOME, limit_s=0.5)
    assert time.monotonic() - started < 10
    assert capfd.readouterr().err.endswith("slow.sh: did not end within 0.5 s; nobody was notified\n")
    for pid in (tmp_path / "pids").read_text().split():
        assert is_gone(int(pid)), pid


def is_gone(pid: int) -> bool:
    """Return whether a process ends within a second; one that nobody has waited for yet counts as ended."""
    for _ in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.01)
    return False


def test_a_command_may_leave_something_in_the_background(tmp_path: Path) -> None:
    started = time.monotonic()
    notify("sh -c 'sleep 2 & exit 0'", OUTCOME)
    assert time.monotonic() - started < 1.5


# --- a web hook


@dataclasses.dataclass
class Hook:
    """A server that answers as it is told and keeps what it gets."""

    url: str
    got: list[tuple[str, dict[str, str], bytes]]
    answer: Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A web hook on this machine."""
    kept = Hook("", [], lambda handler: plain_answer(handler, 200))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.got.append((self.path, dict(self.headers), body))
            kept.answer(self)

        def do_GET(self) -> None:
            kept.got.append((self.path, {}, b"GET"))
            plain_answer(self, 200)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    kept.url = f"http://127.0.0.1:{server.server_port}"
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()


def plain_answer(handler: BaseHTTPRequestHandler, code: int, **headers: str) -> None:
    handler.send_response(code)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def test_a_web_hook_gets_the_same_json(hook: Hook, capfd: pytest.CaptureFixture[str]) -> None:
    notify(f"{hook.url}/services/T0/B0?x=1", OUTCOME)
    ((path, headers, body),) = hook.got
    assert path == "/services/T0/B0?x=1"
    assert headers["Content-Type"] == "application/json"
    assert json.loads(body) == as_plain(OUTCOME)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("code", [301, 302, 307, 403, 500])
def test_a_refusal_is_a_warning_without_the_secret_of_the_address(
    hook: Hook, code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    hook.answer = lambda handler: plain_answer(handler, code, Location=f"{hook.url}/elsewhere")
    notify(f"{hook.url}/services/SECRET", OUTCOME)
    assert capfd.readouterr() == ("", f"winnow: warning: --notify 127.0.0.1: answered {code}; nobody was notified\n")
    assert [path for path, _, _ in hook.got] == ["/services/SECRET"]


def test_a_server_that_is_not_there_is_a_warning(capfd: pytest.CaptureFixture[str]) -> None:
    notify("http://127.0.0.1:9/SECRET", OUTCOME)
    assert capfd.readouterr() == (
        "",
        "winnow: warning: --notify 127.0.0.1: cannot be reached: Connection refused; nobody was notified\n",
    )


def test_a_server_that_is_no_web_server_is_a_warning(hook: Hook, capfd: pytest.CaptureFixture[str]) -> None:
    hook.answer = lambda handler: handler.wfile.write(b"\xff\xfe nonsense\r\n" * 3) and None
    notify(f"{hook.url}/SECRET", OUTCOME)
    said = capfd.readouterr().err
    assert said == "winnow: warning: --notify 127.0.0.1: cannot be reached: BadStatusLine; nobody was notified\n"


def test_a_server_that_drips_is_left_alone(hook: Hook, capfd: pytest.CaptureFixture[str]) -> None:
    ended = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        for byte in b"HTTP/1.1 200 OK":
            handler.wfile.write(bytes([byte]))
            if ended.wait(0.2):
                return

    hook.answer = drip
    started = time.monotonic()
    notify(f"{hook.url}/SECRET", OUTCOME, limit_s=0.5)
    assert time.monotonic() - started < 2
    ended.set()
    said = capfd.readouterr().err
    assert said == "winnow: warning: --notify 127.0.0.1: did not answer within 0.5 s; nobody was notified\n"


# --- checked before the run


@pytest.mark.parametrize("command", ["mail -s x ops@example.org", "https://hooks.example.org/x", "http://[::1]:8080/x"])
def test_a_hook_that_can_be_used(command: str) -> None:
    check_notify(command)


@pytest.mark.parametrize("command", ["", "  ", "''", "a 'b", "https://", "https:///x", "http://h:port/x", "http://["])
def test_a_hook_that_cannot_be_used(command: str) -> None:
    with pytest.raises(ConfigError, match=r"^--notify"):
        check_notify(command)
