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
import time
from contextlib import redirect_stderr, redirect_stdout, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from schemas.distribution import install_line
from schemas.errors import ConfigError, WinnowError
from transforms.extraction.compiled import PACKAGE, place_of, sources

# `hygiene` names lone surrogates, which mypyc cannot write down; mypyc's frozen classes cannot be unpickled, so what is
# returned is made of Python's own types; the rest takes no time, or opens a file in its own folder.
LEFT: Final = frozenset({"__init__", "compiled", "extract", "extracted", "hygiene", "model", "other_engines"})
GROUP: Final = "transforms.extraction.all"  # the shared library that holds the code
_LEVEL: Final = "1"  # of the C compiler's optimisation: 3 takes a third longer and gains nothing
_UNFINISHED: Final = "unfinished-"
_LEFT_S: Final = 3600.0  # after which an unfinished folder is one whose maker was killed


def check_tools() -> None:
    """Raise ConfigError when something that compiling needs is not there."""
    compiler = ((os.environ.get("CC") or str(sysconfig.get_config_var("CC"))).split() or ["cc"])[0]
    if shutil.which(compiler) is None:
        raise ConfigError(f"no C compiler ({compiler}): the extraction runs from source, with the same texts")
    header = Path(sysconfig.get_path("include")) / "Python.h"
    if not header.is_file():
        raise ConfigError(f"no {header}: the extraction runs from source; a package such as python3-dev has it")
    for module in ("mypyc", "setuptools"):
        if find_spec(module) is None:
            raise ConfigError(f"no module {module}: {install_line('compiled')}")


def compile_extraction(package: Path = PACKAGE) -> Path:
    """Compile the sources as they are, if that is not done; return where the modules lie. Raises ConfigError.

    Any number of processes may do so at once: the first to end publishes, what the others made goes.
    """
    place = place_of(package)
    if place.is_dir():
        return place
    check_tools()
    names = [path for path in sources(package) if path.stem not in LEFT]
    try:
        place.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=place.parent) as made:
            built = build(package, names, Path(made))
            if place_of(package) != place:
                raise ConfigError("the sources were changed while they were compiled: the extraction runs from source")
            with suppress(OSError):  # another process has published the same
                built.rename(place)
        if not place.is_dir():
            raise ConfigError(f"{place}: cannot be made; the extraction runs from source")
    except OSError as error:
        raise ConfigError(f"{place.parent}: {error.strerror}; the extraction runs from source") from None
    for old in place.parent.iterdir():
        with suppress(FileNotFoundError):  # its maker was faster
            if old != place and (not old.name.startswith(_UNFINISHED) or time.time() - old.stat().st_mtime > _LEFT_S):
                shutil.rmtree(old, ignore_errors=True)
    return place


def build(package: Path, names: list[Path], made: Path) -> Path:
    """Compile modules of a package, given relative to it, below the folder `made`; return where they are."""
    from mypyc.build import mypycify
    from setuptools import Distribution
    from setuptools.command.build_ext import build_ext
    from setuptools.errors import BaseError, CCompilerError, CompileError, LinkError

    root = package.parents[1]
    files = [str((package / name).relative_to(root)) for name in names]
    options = [f"--cache-dir={made / 'cache'}", "--config-file=", "--ignore-missing-imports"]
    output = io.StringIO()
    before = Path.cwd()
    os.chdir(root)  # a file's place below it is its module's name
    try:
        with redirect_stdout(output), redirect_stderr(output):
            found = mypycify(
                [*options, *files], opt_level=_LEVEL, debug_level="0", group_name=GROUP, target_dir=str(made / "c")
            )
            command = build_ext(Distribution({"ext_modules": found}))
            command.build_lib, command.build_temp, command.parallel = str(made / "lib"), str(made / "temp"), True
            command.ensure_finalized()
            command.run()
    except (BaseError, CCompilerError, CompileError, LinkError, SystemExit) as error:
        sys.stderr.write(output.getvalue())
        raise ConfigError(f"compiling failed ({error}): the extraction runs from source") from None
    finally:
        os.chdir(before)
    return made / "lib" / package.relative_to(root)


def main() -> int:
    """Compile from the command line."""
    try:
        place = compile_extraction()
    except WinnowError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"extraction compiled: {place.relative_to(PACKAGE.parents[1])}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
