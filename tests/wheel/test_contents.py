"""What a wheel and a source archive hold, and what the wheel says of itself."""

from __future__ import annotations

import re
import tomllib
from email import message_from_string
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PACKAGES = ("schemas", "storage", "transforms", "classifiers", "pipelines", "trainer", "deploy", "demo_web")
# These need the checkout around them: Dockerfiles, manifests, the template of Dataflow.
CHECKOUT_ONLY = ("deploy/image/", "deploy/dataflow/", "deploy/cron/", "deploy/kubernetes/")
DATA = {
    "transforms/extraction/choice/model.npz", "pipelines/recipes/presets/c4.yaml",
    "pipelines/recipes/presets/chat_tokens.yaml",
    "pipelines/recipes/presets/fineweb.yaml", "pipelines/recipes/presets/gopher.yaml", "deploy/flink/flink-conf.yaml",
    "deploy/flink/jars.sha256", "deploy/flink/pom.xml", "trainer/titan/requirements.txt",
    *(f"classifiers/teacher/prompts/{path.name}" for path in (ROOT / "classifiers/teacher/prompts").glob("*.yaml")),
    *(f"{package}/py.typed" for package in PACKAGES),
}  # fmt: skip


def sources() -> set[str]:
    """The modules that a wheel has to hold."""
    found = {str(path.relative_to(ROOT)) for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    return {path for path in found if not path.startswith(CHECKOUT_ONLY) and "_compiled" not in path}


def test_a_wheel_holds_the_modules_and_their_data_and_nothing_else(built: Any) -> None:
    inside = {name for name in built.in_wheel if ".dist-info/" not in name}
    assert inside - sources() == DATA
    assert sources() - inside == set()
    assert {name.partition("/")[0] for name in inside} == set(PACKAGES)


def test_every_folder_with_modules_is_a_package(built: Any) -> None:
    folders = {str(Path(name).parent) for name in built.in_wheel if name.endswith(".py")}
    assert [folder for folder in folders if f"{folder}/__init__.py" not in built.in_wheel] == []


def test_a_source_archive_is_the_checkout(built: Any) -> None:
    inside = built.in_sdist
    wanted = {"Makefile", "MANIFEST.in", "constraints.txt", "README.md", "LICENSE", "CHANGELOG.md", "docs/settings.md",
              "docs/generate.py", "benchmarks/README.md", "deploy/image/Dockerfile", "tests/e2e/test_demo.py",
              "tests/wheel/conftest.py", "deploy/kubernetes/run.yaml"}  # fmt: skip
    assert wanted - inside == set()
    assert sources() - inside == set()
    assert [name for name in inside if re.search(r"\.(so|pyc)$|_compiled/|__pycache__", name)] == []


def test_what_the_wheel_says_of_itself(built: Any) -> None:
    facts = message_from_string(built.text("METADATA"))
    assert (facts["Name"], facts["Version"]) == ("winnow-corpus", PROJECT["version"])
    assert facts["License-Expression"] == "Apache-2.0"
    assert facts.get_all("License-File") == ["LICENSE"]
    assert set(facts["Requires-Python"].split(",")) == {">=3.11", "<3.14"}
    assert facts["Description-Content-Type"] == "text/markdown"
    assert facts.get_payload() == (ROOT / "README.md").read_text(encoding="utf-8")
    versions = [line.rsplit(" ", 1)[1] for line in facts.get_all("Classifier") or [] if ":: 3." in line]
    assert versions == ["3.11", "3.12", "3.13"]
    assert "Typing :: Typed" in (facts.get_all("Classifier") or [])
    assert set(facts.get_all("Provides-Extra") or []) == set(PROJECT["optional-dependencies"])
    assert built.wheel.name == f"winnow_corpus-{PROJECT['version']}-py3-none-any.whl"


@pytest.mark.parametrize("line", ["winnow = pipelines.command:main", "winnow-train = trainer.command:main"])
def test_the_commands_keep_their_names(built: Any, line: str) -> None:
    assert line in built.text("entry_points.txt").splitlines()
