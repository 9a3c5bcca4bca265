"""Settings of the StackExchange source. Llama 1 names the order of answers and the 28 sites; the rest is ours."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.settings import setting, validate

MAX_POST_BYTES = 1 << 28  # of XML that any setting allows


@dataclass(frozen=True, kw_only=True)
class PostsConfig:
    """Settings of cutting dumps into parts and of choosing posts."""

    part_mib: int = setting(64, "MiB of the file that a part has at most", ge=1, le=1 << 20)
    site: str = setting("", "site of all files: coffee, stackoverflow.com; '': by the name of file and folder (ours)")
    keep_deleted: bool = setting(False, "keep posts with a date of deletion (ours; public dumps have none)")
    min_answer_score: int | None = setting(None, "score that an answer must have; null: any (ours)")
    max_post_bytes: int = setting(
        4 << 20, "bytes of XML a post may have (the sites refuse bodies of over 30,000 characters)", ge=1024,
        le=MAX_POST_BYTES,
    )  # fmt: skip

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True)
class SitesConfig:
    """Which sites are read."""

    largest: int = setting(
        0, "only so many sites, those with the most questions and answers; 0: all (Llama 1: 28)", ge=0
    )
    meta_sites: bool = setting(False, "keep sites about sites, meta.* (ours)")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True)
class ThreadConfig:
    """Settings of writing a question and its answers as one text."""

    title: bool = setting(True, "begin the text with the question's title, as its first heading (ours)")
    answer_headings: bool = setting(True, "put the heading Answer, or Accepted answer, before each answer (ours)")
    accepted_first: bool = setting(False, "put the accepted answer first; Llama 1: by score, from highest to lowest")
    max_answers: int = setting(0, "answers that a text has at most, the best; 0: all (ours)", ge=0)

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True)
class ThreadRulesConfig:
    """Which questions are kept; their values are measured in any case, so that other limits can be tried."""

    min_answers: int = setting(1, "answers that a question must have (ours)", ge=0)
    min_score: int | None = setting(None, "score that a question must have; null: any (ours)")
    keep_closed: bool = setting(False, "keep questions that were closed: duplicates, off topic, opinions (ours)")

    def __post_init__(self) -> None:
        validate(self)
