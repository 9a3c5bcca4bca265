"""Tells somebody how a run ended: a command that gets it on stdin and in its environment, or a web hook.

The hook can never change what the run did: any failure of it is one warning line on stderr. A command is
split as a shell would split it, but no shell is started, so nothing in a message or a path is ever executed; whoever
wants a pipe names the shell (`sh -c '...'`). A web hook gets a POST of the same JSON, whose `text` is what Slack,
Mattermost and their like show; its address holds a secret and is never printed, only its host.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from pipelines.reports.outcome import Outcome
from schemas.errors import ConfigError

COMMAND_S = 30.0  # a hook that takes longer is killed (ours); cron's next run must not wait for a mail server
POST_S = 10.0  # for the whole exchange (ours)
MAX_MESSAGE_CHARS = 2000  # an environment variable has a limit of 128 KiB, a chat of less (ours)
_WEB = ("http://", "https://")


class _HookError(Exception):
    """Why the hook did not do its work, in a few words."""


def check_notify(command: str) -> None:
    """Raise ConfigError unless `command` is a command or a web address that `notify` can use."""
    if command.startswith(_WEB):
        try:
            address = urlsplit(command)
            usable = bool(address.hostname) and address.port != 0  # a port that is no number raises
        except ValueError:
            usable = False
        if not usable:
            raise ConfigError("--notify: not a web address; expected https://HOST/... or a command")
        return
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ConfigError(f"--notify {command}: {str(error).lower()}; expected a command or https://...") from None
    if not words or not words[0]:
        raise ConfigError("--notify: nothing there; expected a command or https://...")


def notify(command: str, outcome: Outcome, limit_s: float | None = None) -> None:
    """Run `command`, or POST to it when it is a web address; a failure is one line on stderr, never an error.

    `limit_s` is the time limit in seconds; without it COMMAND_S or POST_S.
    """
    try:
        check_notify(command)
    except ConfigError as error:
        _warn(str(error))
        return
    is_web = command.startswith(_WEB)
    try:
        if is_web:
            _post(command, outcome, POST_S if limit_s is None else limit_s)
        else:
            _run(shlex.split(command), outcome, COMMAND_S if limit_s is None else limit_s)
    except _HookError as error:
        _warn(f"--notify {urlsplit(command).hostname if is_web else command}: {error}")


def _warn(what: str) -> None:
    print(f"winnow: warning: {what}; nobody was notified", file=sys.stderr, flush=True)  # noqa: T201


def as_plain(outcome: Outcome) -> dict[str, Any]:
    """Return what the hook receives, as data for JSON."""
    message = outcome.message.replace("\0", " ")[:MAX_MESSAGE_CHARS]
    where = "" if message.startswith(outcome.output) else f"{outcome.output}: "
    return {
        "text": f"winnow {outcome.command}: {where}{message} (exit code {outcome.exit_code})",
        "command": outcome.command,
        "output": outcome.output,
        "outcome": outcome.kind,
        "exit_code": outcome.exit_code,
        "message": message,
        "started_at": outcome.started_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "wall_s": round(outcome.wall_s, 3),
        "new_inputs": outcome.new_inputs,
        "run": outcome.run,
        "host": socket.gethostname(),
    }


def _run(words: list[str], outcome: Outcome, limit_s: float) -> None:
    plain = as_plain(outcome)
    variables = {f"WINNOW_{name.upper()}": str(value).replace("\0", " ") for name, value in plain.items()}
    try:
        process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=2, env={**os.environ, **variables}, start_new_session=True
        )
    except OSError as error:
        raise _HookError(f"cannot be started: {error.strerror or error}") from None
    except ValueError as error:  # a NUL in a word
        raise _HookError(f"cannot be started: {error}") from None
    try:
        process.communicate(json.dumps(plain).encode(), timeout=limit_s)
    except subprocess.TimeoutExpired:
        raise _HookError(f"did not end within {limit_s:g} s") from None
    finally:
        if process.poll() is None:  # too slow, or we are stopped ourselves
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.returncode:
        raise _HookError(f"exit code {process.returncode}")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would arrive as a GET without its body: refused instead."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _post(url: str, outcome: Outcome, limit_s: float) -> None:
    request = urllib.request.Request(  # noqa: S310  only http and https come here
        url,
        data=json.dumps(as_plain(outcome)).encode(),
        headers={"Content-Type": "application/json", "User-Agent": "winnow"},
        method="POST",
    )

    def exchange() -> None:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=limit_s):
            pass

    _within(limit_s, exchange)


def _within(limit_s: float, exchange: Callable[[], None]) -> None:
    """Call `exchange`, for `limit_s` at most: the limits of sockets are for each packet, and some servers drip."""
    failed: list[str] = []

    def work() -> None:
        try:
            exchange()
        except urllib.error.HTTPError as error:
            error.close()
            failed.append(f"answered {error.code}")
        except urllib.error.URLError as error:
            failed.append(f"cannot be reached: {_words(error.reason)}")
        except (OSError, HTTPException, ValueError) as error:
            failed.append(f"cannot be reached: {_words(error)}")

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(limit_s)
    if thread.is_alive():
        raise _HookError(f"did not answer within {limit_s:g} s")
    if failed:
        raise _HookError(failed[0])


def _words(error: object) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return error if isinstance(error, str) else type(error).__name__
