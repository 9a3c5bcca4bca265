"""What a file's path alone says: folders of copied libraries, binary files, lists of versions, licence texts.

Lists are ours; vendored folders after GitHub Linguist's `vendor.yml`, of which they are the common part.
"""

from __future__ import annotations

import posixpath
import re
from typing import Final

from transforms.extraction.parsing.names import names

VENDORED: Final = names(
    "node_modules bower_components vendor third_party thirdparty third-party external extern externals site-packages "
    "dist-packages .venv venv pods carthage .yarn jspm_packages __pycache__ .eggs"
)
_VCS: Final = names(".git .hg .svn .bzr")
BINARY: Final = names(
    "png jpg jpeg gif bmp ico icns webp tif tiff psd xcf mp3 mp4 ogg wav flac avi mov mkv webm pdf doc docx xls "
    "xlsx ppt pptx odt ods zip gz tgz bz2 xz 7z rar tar zst jar war ear class pyc pyo so dll dylib exe o a obj lib "
    "bin dat db sqlite sqlite3 woff woff2 ttf otf eot swf wasm npy npz pkl pickle parquet h5 hdf5 onnx pt pth "
    "safetensors gguf mo ds_store keystore jks p12 pfx der"
)
_LOCKS: Final = names(
    "package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml composer.lock gemfile.lock cargo.lock "
    "poetry.lock pipfile.lock uv.lock go.sum packages.lock.json flake.lock mix.lock pubspec.lock podfile.lock "
    "bun.lock"
)
_KEYS: Final = names("crt cer pem csr key")  # RedPajama-1 skips *.crt
_GENERATED: Final = re.compile(
    r"[.-]min\.(?:js|css|mjs)$|\.(?:bundle|chunk)\.(?:js|css)$|\.(?:js|css|ts)\.map$|_pb2(?:_grpc)?\.pyi?$"
    r"|\.pb\.(?:go|cc|h)$|\.g\.(?:cs|dart)$|\.designer\.(?:cs|vb)$|\.snap$",
    re.IGNORECASE,
)
_LICENCE_FILE: Final = re.compile(
    r"(?:(?:un)?licen[cs]e|copying|copyright)(?:[._-][\w.+-]*)?$|[\w.+-]*[._-]licen[cs]e(?:\.(?:txt|md|rst))?$|notice(?:\.\w+)?$"
    r"|patents(?:\.\w+)?$|authors(?:\.\w+)?$",
    re.IGNORECASE,
)
_TEXT_ENDING: Final = frozenset(
    ("", "txt", "md", "rst", "markdown", "text", "adoc", "apache", "mit", "bsd", "lesser", "gpl")
)


def extension(path: str) -> str:
    """Return the ending of a file's name in lower case, without the dot; '' where there is none."""
    name = posixpath.basename(path)
    return name.rpartition(".")[2].lower() if "." in name.lstrip(".") else ""


def is_vcs(relative: str) -> bool:
    """Return whether a path lies in a folder that a version control system keeps for itself."""
    return not _VCS.isdisjoint(relative.split("/"))


def vendored_folder(path: str) -> str:
    """Return the folder on a path within a repository that holds copied libraries, '' when there is none."""
    return next((folder for folder in path.lower().split("/")[:-1] if folder in VENDORED), "")


def is_licence_file(path: str) -> bool:
    """Return whether a file holds legal text alone: licence, notice, authors. RedPajama-1 skips LICENSE."""
    name = posixpath.basename(path)
    if not _LICENCE_FILE.match(name):
        return False
    ending = extension(path)
    return ending in _TEXT_ENDING or bool(re.fullmatch(r"[\d.a-z-]*\d[\w.-]*", ending))  # LICENSE-2.0, COPYING.LGPL-3


def refusal(path: str) -> str:
    """Return why a file is left out by its name, '' when it is not: the reason of its rejection."""
    name = posixpath.basename(path).lower()
    ending = extension(path)
    if ending in BINARY or name == ".ds_store":
        return "binary"
    if name in _LOCKS:
        return "lock_file"
    if ending in _KEYS:
        return "key_or_certificate"
    if _GENERATED.search(name):
        return "generated_file"
    if is_licence_file(path):
        return "legal_text"
    return ""
