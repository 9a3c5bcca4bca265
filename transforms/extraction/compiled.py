"""The modules of this package in machine code, where they were compiled from the very sources that stand here.

`make compiled` puts them under `_compiled/DIGEST`. The digest is that of the sources, so an edited source runs itself
and never what was made of it before. Nothing has to be compiled: the texts are the same (tests/e2e/test_compiled.py).
The environment variable WINNOW_COMPILED=0 leaves them aside.
"""

from __future__ import annotations

import hashlib
import os
import sysconfig
from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).parent
FOLDER: Final = "_compiled"
SWITCH: Final = "WINNOW_COMPILED"


def sources(package: Path = PACKAGE) -> list[Path]:
    """Return the package's modules and those of the packages in it, relative to it."""
    found = (path.relative_to(package) for path in package.rglob("*.py"))
    return sorted(path for path in found if path.parts[0] != FOLDER and not path.name.startswith("."))  # editors' locks


def place_of(package: Path = PACKAGE) -> Path:
    """Return where the compiled modules of the sources as they are belong, for this Python on this kind of machine."""
    digest = hashlib.blake2b(str(sysconfig.get_config_var("EXT_SUFFIX")).encode(), digest_size=8)
    for path in sources(package):
        digest.update(b"\0" + path.as_posix().encode() + b"\0" + (package / path).read_bytes())
    return package / FOLDER / digest.hexdigest()


def use_compiled(search: list[str], package: Path = PACKAGE) -> None:
    """Let `package`, or one in it, given by its `__path__`, look for modules among the compiled ones first."""
    if os.environ.get(SWITCH) != "0" and (package / FOLDER).is_dir() and (place := place_of(package)).is_dir():
        search.insert(0, str(place / Path(search[0]).relative_to(package)))
