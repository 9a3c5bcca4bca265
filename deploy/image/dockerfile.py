"""Reads a Dockerfile: which stages it has, and what is done in each, variables put in.

Source: the Dockerfile reference of Docker, the part of it that our files use. Anything else in a file is an
error that names its line, never passed over: heredocs, RUN and ADD options, SHELL, ONBUILD, `${NAME:-default}`.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+)|(.))")
_OPTION = re.compile(r"--([a-z-]+)=(\S+)\s+")
_COPY_OPTIONS = {"from", "chown", "chmod"}
_NOTED = ("LABEL", "HEALTHCHECK", "ENTRYPOINT", "CMD", "EXPOSE", "STOPSIGNAL", "VOLUME")


class DockerfileError(Exception):
    """What a line says is wrong or not known here; the text begins with its number."""


@dataclass(frozen=True)
class Instruction:
    """One instruction, its continued lines joined."""

    line: int
    name: str
    text: str


@dataclass(frozen=True)
class Command:
    """One RUN or COPY, ready to be carried out."""

    line: int
    kind: str  # RUN or COPY
    text: str  # as written
    words: tuple[str, ...]  # argv of a RUN; sources and target of a COPY
    cwd: str
    user: str
    env: Mapping[str, str]
    source: str = ""  # the stage a COPY reads from; '' for the context
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Image:
    """One stage: what it starts from, what is done in it, and what a container of it gets."""

    name: str
    base: str  # a stage's name, or an image outside
    commands: list[Command] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    user: str = ""
    cwd: str = "/"
    noted: dict[str, str] = field(default_factory=dict)  # the instructions that only describe the container

    @property
    def entrypoint(self) -> tuple[str, ...]:
        return _exec_form(self.noted.get("ENTRYPOINT", "[]"))


def parse(text: str) -> list[Instruction]:
    """Return the instructions of a Dockerfile; comments and empty lines are left out, also between continued lines."""
    found: list[Instruction] = []
    held, first = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        first = first or number
        held += line.rstrip()
        if held.endswith("\\"):
            held = held[:-1]
            continue
        name, _, rest = held.strip().partition(" ")
        if "<<" in rest and name.upper() in {"RUN", "COPY"}:
            raise DockerfileError(f"line {first}: here-documents are not known here")
        found.append(Instruction(first, name.upper(), " ".join(rest.split("\n")).strip()))
        held, first = "", 0
    if held:
        raise DockerfileError(f"line {first}: the file ends within an instruction")
    return found


def plan(instructions: Sequence[Instruction], build_args: Mapping[str, str], target: str) -> list[Image]:
    """Return the stages that `target` needs, in the order of the file, `target` last. Raises DockerfileError."""
    shared: dict[str, str] = {}  # ARGs before the first FROM: seen by FROM only
    images: dict[str, Image] = {}
    reader: _Stage | None = None
    declared: set[str] = set()
    for instruction in instructions:
        if instruction.name == "FROM":
            image = _from(instruction, shared, images)
            images[image.name] = image
            reader = _Stage(image, build_args, images)
        elif reader is None:
            declared.add(_argument(instruction, shared, build_args))
        else:
            reader.read(instruction)
            declared |= reader.declared
    unknown = sorted(build_args.keys() - declared)
    if unknown:
        raise DockerfileError(f"build argument {unknown[0]}: the Dockerfile has no such ARG")
    if target not in images:
        raise DockerfileError(f"target {target}: not one of {', '.join(images)}")
    wanted = _needed(images, target)
    return [image for name, image in images.items() if name in wanted]


def _needed(images: Mapping[str, Image], target: str) -> set[str]:
    wanted, look = set[str](), [target]
    while look:
        name = look.pop()
        if name in images and name not in wanted:
            wanted.add(name)
            look += [images[name].base, *(command.source for command in images[name].commands)]
    return wanted


def _from(instruction: Instruction, shared: Mapping[str, str], images: Mapping[str, Image]) -> Image:
    words = substitute(instruction.text, shared, instruction.line).split()
    if len(words) == 3 and words[1].upper() == "AS":
        base, name = words[0], words[2]
    elif len(words) == 1:
        base, name = words[0], str(len(images))
    else:
        raise DockerfileError(f"line {instruction.line}: FROM {instruction.text}: expected IMAGE [AS NAME]")
    inherited = images.get(base)
    if inherited is None:
        return Image(name, base)
    return Image(name, base, [], dict(inherited.env), inherited.user, inherited.cwd, dict(inherited.noted))


def _argument(instruction: Instruction, values: dict[str, str], build_args: Mapping[str, str]) -> str:
    """Declare an ARG and return its name."""
    if instruction.name != "ARG":
        raise DockerfileError(f"line {instruction.line}: {instruction.name} comes before the first FROM")
    name, equals, default = instruction.text.partition("=")
    given = build_args.get(name)
    if given is not None or equals:
        values[name] = given if given is not None else substitute(default, values, instruction.line)
    return name


class _Stage:
    """Reads the instructions of one stage into its image."""

    def __init__(self, image: Image, build_args: Mapping[str, str], images: Mapping[str, Image]) -> None:
        self._image, self._build_args, self._images = image, build_args, images
        self._args: dict[str, str] = {}
        self.declared: set[str] = set()

    def read(self, instruction: Instruction) -> None:
        image, line = self._image, instruction.line
        known = {**self._args, **image.env}
        match instruction.name:
            case "ARG":
                self.declared.add(_argument(instruction, self._args, self._build_args))
            case "ENV":
                image.env.update(_pairs(substitute(instruction.text, known, line), line))
            case "WORKDIR":
                image.cwd = str(PurePosixPath(image.cwd) / substitute(instruction.text, known, line))
            case "USER":
                image.user = substitute(instruction.text, known, line)
            case "RUN":
                image.commands.append(self._run(instruction, known))
            case "COPY":
                image.commands.append(self._copy(instruction, known))
            case name if name in _NOTED:
                image.noted[name] = substitute(instruction.text, known, line)
            case name:
                raise DockerfileError(f"line {line}: {name}: not known here")

    def _run(self, instruction: Instruction, known: Mapping[str, str]) -> Command:
        text = instruction.text
        if text.startswith("--"):
            raise DockerfileError(f"line {instruction.line}: RUN {text.split()[0]}: not known here")
        words = _exec_form(text) if text.startswith("[") else ("/bin/sh", "-c", text)
        image = self._image
        return Command(instruction.line, "RUN", text, words, image.cwd, image.user, dict(known))

    def _copy(self, instruction: Instruction, known: Mapping[str, str]) -> Command:
        text, line = substitute(instruction.text, known, instruction.line), instruction.line
        options: dict[str, str] = {}
        while found := _OPTION.match(text):
            options[found[1]], text = found[2], text[found.end() :]
        words = tuple(text.split())
        unknown = sorted(options.keys() - _COPY_OPTIONS)
        if unknown or text.startswith(("-", "[")) or len(words) < 2 or "*" in text:
            raise DockerfileError(f"line {line}: COPY {instruction.text}: not known here")
        source = options.pop("from", "")
        if source and source not in self._images:
            raise DockerfileError(f"line {line}: COPY --from={source}: not a stage of this file")
        image = self._image
        return Command(line, "COPY", text, words, image.cwd, image.user, dict(known), source, options)


def substitute(text: str, values: Mapping[str, str], line: int) -> str:
    """Return `text` with $NAME and ${NAME} replaced; a name without a value, or any other form, is an error."""

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if name not in values:
            raise DockerfileError(f"line {line}: {found[0]}: has no value here")
        return values[name]

    return _VARIABLE.sub(value, text)


def _pairs(text: str, line: int) -> dict[str, str]:
    pairs = [word.partition("=") for word in shlex.split(text)]
    if not all(equals for _, equals, _ in pairs):
        raise DockerfileError(f"line {line}: ENV {text}: expected NAME=VALUE")
    return {name: value for name, _, value in pairs}


def _exec_form(text: str) -> tuple[str, ...]:
    return tuple(str(word) for word in json.loads(text))
