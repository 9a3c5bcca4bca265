from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import storage
from schemas.errors import ConfigError
from schemas.records import Document
from storage.network import remote
from tests.object_store import object_store
from transforms.safety.dirty_words import (
    DirtyWords,
    DirtyWordsConfig,
    DirtyWordsStats,
    FilterDirtyWords,
    decide,
    parse_list,
    read_lists,
)
from transforms.safety.disguise import plain_forms
from transforms.step import Draft, Drop
from transforms.text.view import TextView

LISTS = {
    "en": ["smut", "two  words", "words", "Big Bad Wolf", "wolf wolf", "..."],
    "de": ["schmutz"],
    "zh": ["13.", "13点", "坏", "坏人", "性", "sm"],
    "ja": ["女の子", "悪"],
}
WORDS = DirtyWords(LISTS)


def count(text: str, language: str = "en") -> int:
    return WORDS.measure(TextView(text, language)).n_dirty_words


def test_counts_by_hand() -> None:
    stats = WORDS.measure(TextView("Smut! And smut, and two words; the big-bad wolf.", "en"))
    # smut twice, "two words" and inside it "words"; "big-bad" is one word
    assert stats == DirtyWordsStats(n_dirty_words=4, n_explicit_words=4, dirty_words_per_word=4 / 9)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("x", 0),
        ("smutty besmut", 0),
        ("SMUT", 1),
        ("the big bad wolf", 1),
        ("big bad", 0),
        ("big\nbad\n\nwolf", 1),
        ("wolf wolf wolf", 2),
        ("two words two words", 4),
        ("two", 0),
        ("... 13.", 0),
    ],
)
def test_english(text: str, expected: int) -> None:
    assert count(text) == expected


def test_scripts_without_spaces_match_anywhere() -> None:
    assert count("他是坏人很坏", "zh") == 2  # 坏人 once, not 坏 again; then 坏
    assert count("他13点来", "zh") == 1
    assert count("13. 13 small sm 性", "zh") == 1  # "sm" as a word; C4 allows 性, and "13." has no letter
    assert count("女の子は悪い", "ja") == 1


def test_the_list_is_that_of_the_language() -> None:
    assert count("schmutz smut", "de") == 1
    assert count("schmutz smut", "") == 1
    assert WORDS.measure(TextView("schmutz smut", "xx")) == DirtyWordsStats()


def test_both_sides_of_both_limits() -> None:
    config = DirtyWordsConfig(max_count=2, max_rate=0.01)
    assert decide(DirtyWordsStats(n_dirty_words=2, n_explicit_words=2, dirty_words_per_word=0.5), config) is None
    assert decide(DirtyWordsStats(n_dirty_words=3, n_explicit_words=1, dirty_words_per_word=0.01), config) is None
    assert decide(DirtyWordsStats(n_dirty_words=3, n_explicit_words=1, dirty_words_per_word=0.011), config) == Drop(
        "too_many_dirty_words", 0.011, 0.01
    )


def test_parse_list() -> None:
    assert parse_list(" a b \r\n\n\tc\n") == ["a b", "c"]
    assert parse_list("") == []


def test_read_lists_takes_only_language_codes(tmp_path: Path) -> None:
    for name in ("en", "fil", "fr-CA-u-sd-caqc", "README.md", "LICENSE", ".git"):
        (tmp_path / name).write_text("wörd\n", encoding="utf-8")
    assert read_lists(str(tmp_path)) == {"en": ["wörd"], "fil": ["wörd"], "fr-CA-u-sd-caqc": ["wörd"]}


def test_a_wrong_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no list"):
        read_lists(str(tmp_path))
    with pytest.raises(ConfigError, match=r"dirty_words.directory: .*/absent' does not exist"):
        read_lists(str(tmp_path / "absent"))
    (tmp_path / "en").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_lists(str(tmp_path))


def test_lists_are_read_below_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "en").write_text("smut\n")
    step = FilterDirtyWords(DirtyWordsConfig(directory="~/lists"))
    assert list(step.resources) == [str(tmp_path / "lists" / "en")]
    step.open()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with object_store() as store:
        monkeypatch.setattr(remote, "PAUSE_S", 0.0)
        yield "s3://box"
        store.clear()


def test_lists_are_read_from_an_object_store(bucket: str) -> None:
    assert_lists_are_read(f"{bucket}/lists")


def test_lists_are_read_from_memory() -> None:
    assert_lists_are_read("memory://dirty-words/lists")
    storage.remove_tree("memory://dirty-words")


def assert_lists_are_read(place: str) -> None:
    for name in ("en", "de", "README.md"):
        storage.write_atomic(f"{place}/{name}", b"smut\n")
    assert read_lists(place) == {"en": ["smut"], "de": ["smut"]}
    config = DirtyWordsConfig(directory=place, max_count=0, max_rate=0.0)
    step = FilterDirtyWords(config)
    assert [path.rsplit("/", 1)[1] for path in step.resources] == ["README.md", "de", "en"]
    assert [draft.alive for draft in run(step, "some smut", "fine")] == [False, True]
    with pytest.raises(ConfigError, match=r"/absent' does not exist"):
        read_lists(f"{place}/absent")


def run(step: FilterDirtyWords, *texts: str) -> list[Draft]:
    step = pickle.loads(pickle.dumps(step))
    step.open()
    drafts = [Draft(Document(id=str(n), text=text, language="en")) for n, text in enumerate(texts)]
    step.run(drafts, Counter())
    return drafts


def test_the_step_reads_its_lists_when_opened(tmp_path: Path) -> None:
    (tmp_path / "en").write_text("smut\n", encoding="utf-8")
    step = FilterDirtyWords(DirtyWordsConfig(directory=str(tmp_path)))
    clean, dirty = run(step, "fine", "smut smut smut")
    assert step.stats is DirtyWordsStats
    assert clean.measures == {"dirty_words": DirtyWordsStats()}
    assert clean.drop is None
    assert dirty.measures == {
        "dirty_words": DirtyWordsStats(n_dirty_words=3, n_explicit_words=3, dirty_words_per_word=1.0)
    }
    assert dirty.drop == Drop("too_many_dirty_words", 1.0, 0.005)


def test_without_a_directory_the_step_measures_zeros() -> None:
    (draft,) = run(FilterDirtyWords(DirtyWordsConfig()), "smut smut smut")
    assert draft.measures == {"dirty_words": DirtyWordsStats()}
    assert draft.drop is None


def test_real_lists_load() -> None:
    directory = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "lists" / "ldnoobw"
    if not directory.is_dir():
        pytest.skip("the LDNOOBW lists are not beside this checkout")
    lists = read_lists(str(directory))
    assert len(lists) == 28
    assert len(lists["en"]) > 400
    words = DirtyWords(lists)
    for language, entries in lists.items():
        if language not in {"zh", "ja"}:  # they have an allow list
            assert words.measure(TextView("\n".join(entries), language)).n_dirty_words >= len(set(entries)) * 0.9


def test_words_of_news_and_medicine_do_not_drop_a_document_alone() -> None:
    words = DirtyWords({"en": ["sexual", "rape", "smut"]})
    news = words.measure(TextView("sexual sexual rape", "en"))
    assert (news.n_dirty_words, news.n_explicit_words) == (3, 0)
    assert decide(news, DirtyWordsConfig()) is None
    assert decide(news, DirtyWordsConfig(keep_plain=False)) == Drop("too_many_dirty_words", 1.0, 0.005)
    both = words.measure(TextView("sexual sexual smut", "en"))
    assert (both.n_dirty_words, both.n_explicit_words) == (3, 1)
    assert decide(both, DirtyWordsConfig()) == Drop("too_many_dirty_words", 1.0, 0.005)
    german = DirtyWords({"de": ["rape"]}).measure(TextView("rape rape rape", "de"))
    assert german.n_explicit_words == 3


def test_words_in_disguise_are_counted_apart() -> None:
    stats = WORDS.measure(TextView("5mut s.mut sm\u0443t smut smu7 5mutty w0rds two", "en"))
    assert (stats.n_dirty_words, stats.n_disguised_words, stats.disguised_words_per_word) == (1, 1, 1 / 8)
    disguised = WORDS.measure(TextView("w0rds w0rds w0lf", "en"))
    assert (disguised.n_dirty_words, disguised.n_disguised_words) == (0, 2)
    three = WORDS.measure(TextView("w0rds w0rds w0rds", "en"))
    assert decide(three, DirtyWordsConfig()) == Drop("too_many_dirty_words", 1.0, 0.005)
    assert decide(three, DirtyWordsConfig(disguised=False)) is None


@pytest.mark.parametrize(
    ("word", "forms"),
    [
        ("sh1t", ["shit", "shlt"]),
        ("p0rn", ["porn"]),
        ("pu55y", ["pussy"]),
        ("pu$$y", ["pussy"]),
        ("рorn", ["porn"]),  # a Cyrillic р
        ("ｐｏｒｎ", ["porn"]),
        ("𝓹𝓸𝓻𝓷", ["porn"]),
        *(
            (plain, [])
            for plain in ("a55", "mp3", "galaxy55", "4chan", "s3x", "porn", "хорошо", "café", "", "1234", "ａ")
        ),
    ],
)
def test_what_a_disguised_word_reads_as(word: str, forms: list[str]) -> None:
    assert list(plain_forms(word)) == forms
