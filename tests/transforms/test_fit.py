"""The sample that a fit learns from."""

from __future__ import annotations

from collections import Counter

from schemas.records import Document
from transforms.fit import CorpusSize, is_drawn

CORPUS = CorpusSize(1050, 10_000, {"en": 1000, "de": 50})
DOCUMENTS = [Document(id=f"{language}{n}", text="", language=language) for language, n_all in CORPUS.by_language.items()
             for n in range(n_all)]  # fmt: skip


def test_as_many_documents_of_each_language_are_drawn() -> None:
    drawn = Counter(document.language for document in DOCUMENTS if is_drawn(document, CORPUS, "kl.sample", 50))
    assert drawn["de"] == 50
    assert 30 <= drawn["en"] <= 70


def test_samples_for_different_ends_differ_and_grow_with_their_size() -> None:
    def sample(salt: str, n: int) -> set[str]:
        return {document.id for document in DOCUMENTS if is_drawn(document, CORPUS, salt, n)}

    assert sample("kl.sample", 20) < sample("kl.sample", 50)
    assert sample("kl.sample", 20) != sample("perplexity.sample", 20)


def test_a_language_that_nobody_counted_is_drawn_as_the_whole_is() -> None:
    strangers = [Document(id=f"x{n}", text="", language="xx") for n in range(1050)]
    assert 30 <= sum(is_drawn(document, CORPUS, "kl.sample", 50) for document in strangers) <= 70
