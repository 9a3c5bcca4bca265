"""Compile the extraction: the same typed source, by mypyc, a tenth faster with the same texts.

    python -m deploy.compiled

An option: without a C compiler all runs from source. What is made lies in `transforms/extraction/_compiled`, in a
folder named by the digest of the sources, and is used from then on until one of them changes.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import sysconfig
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from schemas.errors import ConfigError, WinnowError
from transforms.extraction.compiled import PACKAGE, place_of, sources

ROOT: Final = PACKAGE.parents[1]
# `hygiene` names lone surrogates, which mypyc cannot write down; mypyc's frozen classes cannot be unpickled, so what is
# given away is made of Python's own; the rest spends no time, or finds a file beside itself.
LEFT: Final = frozenset({"__init__", "compiled", "extracted", "hygiene", "model", "other_engines"})
GROUP: Final = "transforms.extraction.all"  # the shared library that holds the code
_LEVEL: Final = "1"  # of the C compiler's optimisation: 3 takes a third longer and gains nothing
_UNFINISHED: Final = "unfinished-"


def check_tools() -> None:
    """Raise ConfigError when something that compiling needs is not there."""
    compiler = (os.environ.get("CC") or str(sysconfig.get_config_var("CC") or "cc")).split()[0]
    if shutil.which(compiler) is None:
        raise ConfigError(f"no C compiler ({compiler}): the extraction runs from source, with the same texts")
    header = Path(sysconfig.get_path("include")) / "Python.h"
    if not header.is_file():
        raise ConfigError(f"no {header}: the extraction runs from source; a package such as python3-dev has it")
    for module in ("mypyc", "setuptools"):
        if find_spec(module) is None:
            raise ConfigError(f"no module {module}: pip install 'winnow[compiled]'")


def compile_extraction() -> Path:
    """Compile the sources as they are, if that is not done; return where the modules lie. Raises ConfigError."""
    place = place_of()
    if place.is_dir():
        return place
    check_tools()
    names = [str((PACKAGE / path).relative_to(ROOT)) for path in sources() if path.stem not in LEFT]
    try:
        place.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=place.parent) as made:
            _build(names, Path(made))
            for old in place.parent.iterdir():
                if not old.name.startswith(_UNFINISHED):
                    shutil.rmtree(old)
            Path(made, "lib", PACKAGE.relative_to(ROOT)).rename(place)
    except OSError as error:
        raise ConfigError(f"{place.parent}: {error.strerror}; the extraction runs from source") from None
    return place


def _build(names: list[str], made: Path) -> None:
    """Compile modules, given as paths below ROOT, into `made/lib`."""
    from mypyc.build import mypycify
    from setuptools import Distribution
    from setuptools.command.build_ext import build_ext
    from setuptools.errors import BaseError

    said = io.StringIO()
    options = [f"--cache-dir={made / 'cache'}", "--config-file=", "--ignore-missing-imports"]
    before = Path.cwd()
    os.chdir(ROOT)  # a file's place below it is its module's name
    try:
        with redirect_stdout(said), redirect_stderr(said):
            found = mypycify(
                [*options, *names], opt_level=_LEVEL, debug_level="0", group_name=GROUP, target_dir=str(made / "c")
            )
            command = build_ext(Distribution({"ext_modules": found}))
            command.build_lib, command.build_temp, command.parallel = str(made / "lib"), str(made / "temp"), True
            command.ensure_finalized()
            command.run()
    except (BaseError, SystemExit) as error:
        sys.stderr.write(said.getvalue())
        raise ConfigError(f"compiling failed ({error}): the extraction runs from source") from None
    finally:
        os.chdir(before)


def main() -> int:
    """Compile from the command line."""
    try:
        place = compile_extraction()
    except WinnowError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"extraction compiled: {place.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
