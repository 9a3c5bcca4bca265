"""Files of a repository as one long document: for training on long contexts (DeepSeek-Coder, section 2.2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schemas.blocks import CODE, HEADING, KINDS, Blocks
from schemas.identity import content_id
from schemas.records import Document
from schemas.settings import setting, validate
from transforms.sources.github.licences.evidence import all_of
from transforms.sources.github.order import dependency_order
from transforms.sources.github.reader import GitHubFacts

_GAP = "\n\n"


@dataclass(frozen=True, kw_only=True)
class RepositoryConfig:
    """How files are joined."""

    max_chars: int = setting(2_000_000, "characters a document may have; a larger repository becomes several", ge=1000)
    paths: bool = setting(True, "put each file's path before it, as a heading (DeepSeek-Coder puts it in a comment)")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryStats:
    """What a document of a repository is made of; the column `repository`."""

    n_files: int
    paths: str  # in the order of the text, separated by line feeds


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file with what the source stored of it."""

    document: Document
    facts: GitHubFacts


@dataclass(frozen=True, slots=True)
class Joined:
    """One document of a repository, and the files in it; the first of them lends it its place."""

    document: Document
    facts: GitHubFacts
    stats: RepositoryStats
    files: Sequence[SourceFile]


def joined_files(files: Sequence[SourceFile], config: RepositoryConfig) -> Iterator[Joined]:
    """Yield the documents of some files of one repository, in the order of their dependencies."""
    order = dependency_order([(file.facts.path, file.facts.language, file.document.text) for file in files])
    held: list[SourceFile] = []
    size = 0
    for n in order:
        wanted = len(files[n].document.text) + len(files[n].facts.path) + 2 * len(_GAP)
        if held and size + wanted > config.max_chars:
            yield _join(held, config)
            held, size = [], 0
        held.append(files[n])
        size += wanted
    if held:
        yield _join(held, config)


def _join(files: Sequence[SourceFile], config: RepositoryConfig) -> Joined:
    pieces: list[str] = []
    spans: list[tuple[int, int, int]] = []
    at = 0
    for file in files:
        if config.paths:
            spans.append((HEADING, at, at + len(file.facts.path)))
            pieces += [file.facts.path, _GAP]
            at += len(file.facts.path) + len(_GAP)
        text = file.document.text
        own = [(KINDS.index(kind), at + start, at + end) for kind, start, end in file.document.blocks.spans()]
        spans += own or [(CODE, at, at + len(text))]
        pieces += [text, _GAP]
        at += len(text) + len(_GAP)
    first = files[0].document
    facts = _facts([file.facts for file in files])
    document = Document(
        id=content_id("repository", *(file.document.id for file in files)),
        text="".join(pieces[:-1]),
        source=first.source,
        fetched_at=first.fetched_at,
        record_id=f"{facts.repository}:{facts.path}",
        archive=first.archive,
        offset=first.offset,
        length=facts.size,
        blocks=Blocks.of(spans),
    )
    stats = RepositoryStats(n_files=len(files), paths="\n".join(file.facts.path for file in files))
    return Joined(document, facts, stats, files)


def _facts(files: Sequence[GitHubFacts]) -> GitHubFacts:
    sizes: Counter[str] = Counter()
    for file in files:
        sizes[file.language] += file.size
    first = files[0]
    return GitHubFacts(
        repository=first.repository,
        path=first.path,
        language=min(sizes, key=lambda language: (-sizes[language], language)),
        licence=all_of(list(dict.fromkeys(file.licence for file in files if file.licence))),
        licence_evidence=", ".join(dict.fromkeys(file.licence_evidence for file in files if file.licence_evidence))[
            :1000
        ],
        revision=first.revision,
        encoding="utf-8",
        size=sum(file.size for file in files),
        stars=first.stars,
    )
