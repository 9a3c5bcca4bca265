"""What is left of repositories becomes one document each; every file has a fate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.recipes.github import GitHubConfig, recipe
from pipelines.runs.upstream import Upstream
from pipelines.stages.index import IndexStage, UrlConfig
from pipelines.stages.read import ReadStage
from pipelines.stages.repositories import RepositoryStage
from schemas.settings import overlay
from transforms.sources.github.reader import GitHubFacts
from transforms.sources.github.repository import RepositoryConfig
from transforms.sources.github.settings import FilesConfig
from transforms.sources.github.source import GitHub


def test_each_repository_is_a_document(dataset: Callable[..., Any], tmp_path: Path) -> None:
    texts = {"o__a/README": "Words.", "o__a/a.py": "import b", "o__a/b.py": "b = 1", "p__c/README": "More."}
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    source = GitHub("github", FilesConfig())
    index = dataset().archives(
        IndexStage(source, UrlConfig(one_per_payload=False)), [tmp_path / name for name in texts]
    )
    read = dataset().run(ReadStage(source), [], Upstream(((index.manifest, index.data),)))
    before = Upstream(((read.manifest, read.data),), measures={"github": GitHubFacts})
    done = dataset().run(RepositoryStage(RepositoryConfig()), [], before)
    found = {row["record_id"]: row for row in done.rows("documents")}
    assert {name: row["text"] for name, row in found.items()} == {
        "o/a:README": "README\n\nWords.\n\nb.py\n\nb = 1\n\na.py\n\nimport b", "p/c:README": "README\n\nMore.",
    }  # fmt: skip
    assert found["o/a:README"]["repository"] == {"n_files": 3, "paths": "README\nb.py\na.py"}
    assert found["o/a:README"]["github"]["repository"] == "o/a"
    why = [(reason, detail) for reason, _, detail in done.dropped]
    assert why == [("joined_into_repository", found["o/a:README"]["id"])] * 2


def test_the_stage_is_off_by_default() -> None:
    ids = [node.id for node in recipe(GitHubConfig()).nodes]
    assert ids[:4] == ["github/index", "github/read", "github/clean", "dedup"]
    assert "repositories" not in ids
    on = [node.id for node in recipe(overlay(GitHubConfig(), {"repositories": "on"})).nodes]
    assert on.index("repositories") == on.index("dedup") + 1
