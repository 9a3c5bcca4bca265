"""Carries out the steps of a Dockerfile in clean Debian roots, for machines without a container engine.

    python -m deploy.image.clean_root --debootstrap --work DIR                  # the worker's root is DIR/worker
    python -m deploy.image.clean_root --base DEBIAN_ROOT --work DIR --build-arg BAKE_MODELS=none

Every stage is a folder: a copy of the root it starts from, with its COPY and RUN steps done by chroot, in order, under
its ENV and ARG. The instructions are read from the Dockerfile itself, so there is no second list of them; one that this
file does not know is an error. It is a check of the steps, not an engine: the base is debootstrap's Debian 12 and not
the image that FROM pins, nothing is cached, and the result is a folder and a JSON file of ENV, USER and ENTRYPOINT.

Needs root, cp, chroot, unshare; debootstrap only for a new base. `--host-file` and `--host-env` let the steps see what
a machine needs to reach its package registries.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.image.dockerfile import Command, DockerfileError, Image, parse, plan

SUITE, MIRROR = "bookworm", "http://deb.debian.org/debian"
SOURCES = f"deb {MIRROR} {SUITE} main\ndeb {MIRROR} {SUITE}-updates main\ndeb {MIRROR}-security {SUITE}-security main\n"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# In a mount namespace of its own: no mount outlives the step, so that removing a root never reaches the host's /dev.
# $1 is the root, what follows are chroot's arguments.
_ENTER = 'mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc" && shift 1 && exec chroot "$@"'
_ALONE = ("--net", "--pid", "--fork", "--kill-child")  # as a container: own ports, own processes, none outlives it


@dataclass(frozen=True)
class Host:
    """What the steps see of the machine that carries them out."""

    files: tuple[Path, ...] = (Path("/etc/resolv.conf"),)
    env: Mapping[str, str] = field(default_factory=dict)


class StepError(Exception):
    """A step that failed; the text names the instruction and its line."""


def enter(
    root: Path, argv: Sequence[str], env: Mapping[str, str], user: str, cwd: str, *, alone: bool = False
) -> list[str]:
    """Return the command that runs `argv` inside `root`, `alone` without the host's network and processes."""
    words = [f"{name}={value}" for name, value in {"PATH": PATH, "HOME": "/root", **env}.items()]
    inside = ["/usr/bin/env", "-i", *words, "/bin/sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", cwd, *argv]
    options = [f"--userspec={user}"] if user else []
    script = f"ip link set lo up && {_ENTER}" if alone else _ENTER
    shell = ["/bin/sh", "-c", script, "sh", str(root), *options, str(root), *inside]
    return ["unshare", "--mount", "--propagation", "private", *(_ALONE if alone else ()), "--", *shell]


def build(image: Image, context: Path, roots: Mapping[str, Path], host: Host) -> Path:
    """Make the root of one stage from the root it starts from, and return it."""
    root = roots[image.name]
    if root.exists():
        shutil.rmtree(root)
    subprocess.run(["cp", "--archive", "--reflink=auto", roots[image.base], root], check=True)
    held = {root / path.relative_to("/"): path for path in host.files}
    before = {target: target.read_bytes() if target.is_file() else None for target in held}
    for target, path in held.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        shutil.copyfile(path, target)
    for command in image.commands:
        (root / command.cwd.lstrip("/")).mkdir(parents=True, exist_ok=True)
        if command.kind == "COPY":
            _copy(command, root, roots[command.source] if command.source else context)
        else:
            _run(command, root, host)
    for target, content in before.items():
        target.unlink()
        if content is not None:
            target.write_bytes(content)
    return root


def _run(command: Command, root: Path, host: Host) -> None:
    argv = enter(root, command.words, {**host.env, **command.env}, command.user, command.cwd)
    done = subprocess.run(argv, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise StepError(f"line {command.line}: {command.text[:80]}: exit status {done.returncode}")


def _copy(command: Command, root: Path, source: Path) -> None:
    """Do a COPY: a file to a name or into a folder, a folder's content into a folder; modes and owners as asked."""
    *names, to = command.words
    target = root / os.path.normpath(f"{command.cwd}/{to}" if not to.startswith("/") else to).lstrip("/")
    for name in names:
        path = source / name.lstrip("/")
        if not path.exists():
            raise StepError(f"line {command.line}: {command.text[:80]}: {path} does not exist")
        place = target / path.name if path.is_file() and (to.endswith("/") or len(names) > 1) else target
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(
                path, place, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy2(path, place)
        for option, tool in (("chmod", "chmod"), ("chown", "chown")):
            if option in command.options:
                subprocess.run([tool, "--recursive", command.options[option], place], check=True)


def debootstrap(root: Path) -> None:
    """Make the base: Debian 12 with the packages its own image has, and its security updates."""
    tool = shutil.which("debootstrap", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if tool is None:
        raise StepError("debootstrap is not installed (apt-get install debootstrap)")
    subprocess.run([tool, "--variant=minbase", SUITE, root, MIRROR], check=True, stdout=sys.stderr)


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out the Dockerfile; exit code 1 with one line when a step fails."""
    here = Path(__file__).resolve()
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--file", type=Path, default=here.with_name("Dockerfile"), help="the Dockerfile")
    parser.add_argument("--context", type=Path, default=here.parents[2], help="what COPY reads from")
    parser.add_argument("--target", default="worker", help="the last stage to make")
    parser.add_argument("--work", type=Path, required=True, help="folder for the roots, one a stage")
    parser.add_argument("--base", type=Path, help="a Debian root to start from; it is copied")
    parser.add_argument("--debootstrap", action="store_true", help="make the base with debootstrap, in WORK/debian")
    parser.add_argument("--build-arg", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--host-file", action="append", default=[], type=Path, help="lend this file to the steps")
    parser.add_argument(
        "--host-env", action="append", default=[], metavar="NAME", help="lend this variable to the steps"
    )
    args = parser.parse_args(argv)
    base = args.base or args.work / "debian"
    try:
        args.work.mkdir(parents=True, exist_ok=True)
        if args.debootstrap and not base.exists():
            debootstrap(base)
        (base / "etc/apt/sources.list").write_text(SOURCES, encoding="ascii")
        given = dict(word.split("=", 1) for word in args.build_arg)
        images = plan(parse(args.file.read_text(encoding="utf-8")), given, args.target)
        host = Host((*Host.files, *args.host_file), {name: os.environ[name] for name in args.host_env})
        roots = {image.name: args.work / image.name for image in images}
        for image in images:
            build(image, args.context, {image.base: base, **roots}, host)
    except (StepError, DockerfileError, subprocess.CalledProcessError, OSError) as error:
        print(f"clean_root: {error}", file=sys.stderr)  # noqa: T201
        return 1
    facts = {name: value for name, value in dataclasses.asdict(images[-1]).items() if name != "commands"}
    (args.work / f"{args.target}.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
