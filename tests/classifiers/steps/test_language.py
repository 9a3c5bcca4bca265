from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.models.fasttext_model import FastTextModel
from classifiers.steps.language import (
    IdentifyLanguage,
    LanguageConfig,
    LanguageStats,
    decide,
    measure,
    sample,
    spoken,
    without_capitals,
)
from pipelines.recipes.common_crawl import CleanConfig, clean_steps
from schemas.blocks import CODE, PARAGRAPH, Blocks
from schemas.errors import ConfigError
from schemas.records import Document
from transforms.step import Draft, Drop, run_steps
from transforms.text.view import TextView

ENGLISH = "All human beings are born free and equal in dignity and rights."
GERMAN = "Alle Menschen sind frei und gleich an Würde und Rechten geboren."
ARABIC = "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق."
CHINESE = "人人生而自由，在尊严和权利上一律平等。"

# Files of the Universal Declaration in a language that lid.176 has a code for, by that code.
UDHR = """
af afr, als gsw, am amh, ar arb, ast ast, az azj_latn azj_cyrl, be bel, bcl bcl, bg bul, bh bho mag, bn ben, bo bod,
br bre, bs bos_latn bos_cyrl, ca cat, ceb ceb, ckb ckb, co cos, cs ces, cy cym, da dan, de deu deu_1901, dv div,
el ell_monotonic ell_polytonic, eml eml, en eng, eo epo, es spa, et est, eu eus, fa pes_1 pes_2, fi fin, fr fra, fy fri,
ga gle, gd gla, gl glg, gn gug, gu guj, he heb, hi hin, hr hrv, hsb hsb, ht hat_kreyol hat_popular, hu hun, hy hye,
ia ina, id ind, ilo ilo, io ido, is isl, it ita, ja jpn, jv jav, ka kat, kk kaz, km khm, kn kan, ko kor, ky kir,
la lat lat_1, lb ltz, lo lao, lt lit, lv lav, mai mai, mg plt, min min, mk mkd, ml mal, mn khk, mr mar,
ms mly_latn, mt mlt, my mya, nds nds, ne nep, nl nld, nn nno, no nob, oc lnc prv, os oss, pa pan, pam pam, pl pol,
pnb pnb, ps pbu, pt por_PT por_BR, qu quy quz qud qug, rm roh, ro ron ron_1993 ron_1953, ru rus, sa san, sah sah,
sc src, sco sco, sh bos_latn hrv srp_latn, sk slk, sl slv, so som, sq als, sr srp_cyrl srp_latn, su sun, sv swe, sw swh,
ta tam, tg tgk, th tha, tk tuk_latn tuk_cyrl, tl tgl, tr tur, tt tat, tyv tyv, ug uig_arab uig_latn, uk ukr, ur urd,
uz uzn_latn uzn_cyrl, vec vec, vep vep, vi vie, wa wln, war war, yi ydd, yo yor, zh cmn_hans cmn_hant
"""


def test_the_nearest_limits_of_sample() -> None:
    assert sample("", 100) == ""
    assert sample("x" * 100, 100) == "x" * 100
    # 101 characters: four pieces of (100 - 3) // 4 = 24 at 0, 25, 51, 77, with three spaces between
    text = "".join(chr(0x4E00 + n) for n in range(101))
    assert sample(text, 100) == " ".join(text[start : start + 24] for start in (0, 25, 51, 77))


@given(st.integers(0, 5000), st.integers(100, 1000))
def test_a_sample_is_short_and_has_both_ends(length: int, limit: int) -> None:
    text = "".join(chr(33 + n % 90) for n in range(length))
    found = sample(text, limit)
    assert len(found) <= limit
    assert found[:10] == text[:10]
    assert found[-10:] == text[-10:]


@pytest.mark.parametrize(
    ("stats", "keep", "drop"),
    [
        (LanguageStats("en", 0.5, "de", 0.1), (), None),
        (LanguageStats("en", 0.4999, "de", 0.1), (), Drop("language_uncertain", 0.4999, 0.5, "en")),
        (LanguageStats("en", 0.5, "de", 0.1), ("de", "en"), None),
        (LanguageStats("fr", 0.9, "", 0.0), ("de", "en"), Drop("language_not_kept", 0.9, None, "fr")),
        (LanguageStats("fr", 0.2, "", 0.0), ("de", "en"), Drop("language_uncertain", 0.2, 0.5, "fr")),
        (LanguageStats("und", 0.0, "", 0.0), (), Drop("language_uncertain", 0.0, 0.5, "und")),
    ],
)
def test_decide(stats: LanguageStats, keep: tuple[str, ...], drop: Drop | None) -> None:
    assert decide(stats, LanguageConfig(keep=keep)) == drop


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("", False),
        ("42", False),
        (CHINESE, False),
        (GERMAN, False),  # 4 of 52
        (ENGLISH.upper(), True),
        (ENGLISH.title(), True),
        (ENGLISH + " " + ENGLISH.upper(), True),
        (CHINESE + " USB", True),
    ],
)
def test_many_capitals_are_written_small(text: str, changed: bool) -> None:
    assert without_capitals(text) == (text.lower() if changed else text)


CAPITALS = {
    "en": "THE HARBOUR OFFICE IS CLOSED ON MONDAYS. PLEASE BRING YOUR OWN BAG AND PAY AT THE SECOND WINDOW.",
    "de": "DAS BÜRO IM HAFEN IST MONTAGS GESCHLOSSEN. BITTE BRINGEN SIE EINE TASCHE MIT UND ZAHLEN SIE AM SCHALTER.",
    "fr": "LE BUREAU DU PORT EST FERMÉ LE LUNDI. MERCI D'APPORTER VOTRE SAC ET DE PAYER AU DEUXIÈME GUICHET.",
    "es": "LA OFICINA DEL PUERTO CIERRA LOS LUNES. TRAIGA SU PROPIA BOLSA Y PAGUE EN LA SEGUNDA VENTANILLA.",
    "ru": "КОНТОРА В ПОРТУ ПО ПОНЕДЕЛЬНИКАМ ЗАКРЫТА. ПРИНОСИТЕ СВОЮ СУМКУ И ПЛАТИТЕ ВО ВТОРОМ ОКНЕ.",
    "el": "ΤΟ ΓΡΑΦΕΙΟ ΤΟΥ ΛΙΜΑΝΙΟΥ ΕΙΝΑΙ ΚΛΕΙΣΤΟ ΤΗ ΔΕΥΤΕΡΑ. ΦΕΡΤΕ ΤΗ ΔΙΚΗ ΣΑΣ ΤΣΑΝΤΑ.",
    "tr": "LİMANDAKİ BÜRO PAZARTESİ GÜNLERİ KAPALIDIR. LÜTFEN KENDİ ÇANTANIZI GETİRİN VE İKİNCİ GİŞEDE ÖDEYİN.",
    "vi": "VĂN PHÒNG Ở CẢNG ĐÓNG CỬA VÀO THỨ HAI. XIN MANG THEO TÚI CỦA MÌNH VÀ TRẢ TIỀN Ở QUẦY SỐ HAI.",
}


@pytest.mark.parametrize("language", CAPITALS)
def test_text_in_capitals_is_read_as_in_small_letters(language: str, lid_path: Path) -> None:
    capitals = CAPITALS[language]
    half = capitals.lower() + " " + capitals
    found = measure(FastTextModel(lid_path), [capitals, capitals.lower(), half], 2000)
    assert [stats.language for stats in found] == [language] * 3
    assert found[0] == found[1]
    assert found[0].score > 0.5


def test_measure_gives_two_languages_or_none(lid_path: Path) -> None:
    english, nothing, one = measure(FastTextModel(lid_path), [ENGLISH, "", "12345"], 2000)
    assert english.language == "en"
    assert english.score > 0.9
    assert english.second not in ("", "en", "und")
    assert 0.0 < english.second_score < 0.1
    assert nothing == one == LanguageStats("und", 0.0, "", 0.0)


def test_the_step_sets_language_measures_and_drops(lid_path: Path, make_drafts: Callable[..., list[Draft]]) -> None:
    drafts = make_drafts(ENGLISH, GERMAN, ARABIC, CHINESE, "")
    step = IdentifyLanguage(LanguageConfig(model_path=str(lid_path), keep=("en", "ar", "zh")))
    step.open()
    edits: Counter[str] = Counter()
    step.run(drafts, edits)
    assert [draft.document.language for draft in drafts] == ["en", "de", "ar", "zh", "und"]
    assert [draft.view.language for draft in drafts] == ["en", "de", "ar", "zh", "und"]
    assert [draft.drop.reason if draft.drop else None for draft in drafts] == [
        None,
        "language_not_kept",
        None,
        None,
        "language_uncertain",
    ]
    assert all(draft.measures["language_id"].score == draft.document.language_score for draft in drafts)
    assert not edits


def test_the_word_of_a_source_for_a_language_is_kept(lid_path: Path, make_drafts: Callable[..., list[Draft]]) -> None:
    drafts = make_drafts(ENGLISH, GERMAN, ENGLISH)
    drafts[1].replace_language("nds", 0.0)
    drafts[2].replace_language("fr", 0.0)
    step = IdentifyLanguage(LanguageConfig(model_path=str(lid_path), keep=("en", "nds")))
    step.run(drafts, Counter())
    assert [draft.document.language for draft in drafts] == ["en", "nds", "fr"]
    assert [draft.document.language_score for draft in drafts[1:]] == [1.0, 1.0]
    assert drafts[1].measures["language_id"] == LanguageStats("nds", 1.0, "", 0.0)
    assert [draft.drop.reason if draft.drop else None for draft in drafts] == [None, None, "language_not_kept"]
    for draft in drafts:
        assert step.redecide(draft.measures["language_id"], draft.document, "Latn") == draft.drop


def test_an_opened_step_still_travels_and_opens_itself(lid_path: Path, make_drafts: Callable[..., list[Draft]]) -> None:
    step = IdentifyLanguage(LanguageConfig(model_path=str(lid_path)))
    step.open()
    [draft] = make_drafts(GERMAN)
    copy.copy(step).run([draft], Counter())  # by __reduce__, as pickle does
    assert draft.document.language == "de"
    step.run([], Counter())


def test_an_unknown_code_is_refused_before_work(lid_path: Path) -> None:
    step = IdentifyLanguage(LanguageConfig(model_path=str(lid_path), keep=("en", "eng")))
    with pytest.raises(ConfigError, match=r"keep: 'eng' is not a language of the model; must be one of af als am "):
        step.open()


@pytest.mark.parametrize("wrong", [{"min_score": 1.01}, {"min_score": -0.01}, {"max_chars": 99}, {"keep": (1,)}])
def test_settings_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        LanguageConfig(**wrong)  # type: ignore[arg-type]


def _udhr(folder: Path) -> tuple[dict[str, set[str]], dict[str, str]]:
    """Return the right codes of each file that has one, and the text of every file."""
    right: dict[str, set[str]] = {}
    for entry in UDHR.split(","):
        code, *names = entry.split()
        for name in names:
            right.setdefault(name, set()).add(code)
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.txt"))}
    return {name: codes for name, codes in right.items() if name in texts}, texts


def test_the_universal_declaration_in_many_languages(shared_data: Path, lid_path: Path) -> None:
    """Of 388 files 143 are in a language the model has: 110 are read right, 99 of them with a score of 0.5 or more.

    The misread ones are small neighbours of large languages (Scots as English, Magahi as Hindi) or in another script
    than the model knows them in. Of the 245 files in other languages the limit of 0.5 keeps 24, wrongly named.
    """
    right, texts = _udhr(shared_data / "langid" / "udhr2")
    measured = dict(zip(texts, measure(FastTextModel(lid_path), list(texts.values()), 2000), strict=True))
    correct = {name for name, codes in right.items() if measured[name].language in codes}
    sure = {name for name, stats in measured.items() if stats.score >= 0.5}
    assert (len(texts), len(right)) == (388, 143)
    assert len(correct) >= 110
    assert len(correct & sure) >= 99
    assert len(sure - right.keys()) <= 24
    capitals = measure(FastTextModel(lid_path), [text.upper() for text in texts.values()], 2000)
    assert sum(stats.language in right.get(name, ()) for name, stats in zip(texts, capitals, strict=True)) >= 110


# Declarations that the clean stage drops, and why none of these rules is one made for English.
UDHR_DROPPED = {
    "khk_mong": "too_few_words",  # these six files hold one article or nothing
    "nku": "too_few_words",
    "tgl_tglg": "too_few_words",
    "tzm_tfng": "too_few_words",
    "chr": "too_few_words",
    "pbu": "too_few_words",
    "huu": "too_few_stop_words",  # Murui, read as Spanish (.91)
    "mly_arab": "too_few_stop_words",  # Malay in Arabic letters, read as Arabic (.87)
    "oss": "too_few_stop_words",  # Ossetian, read as Russian (.67)
}


def test_no_declaration_is_dropped_by_a_rule_made_for_english(shared_data: Path, lid_path: Path) -> None:
    """As the language that the model is sure of, and where it is not, by the limits of the script (`und`)."""
    texts = _udhr(shared_data / "langid" / "udhr2")[1]
    measured = dict(zip(texts, measure(FastTextModel(lid_path), list(texts.values()), 2000), strict=True))
    steps = clean_steps(CleanConfig(pii=None, dirty_words=None))
    for known in (True, False):
        drafts = [
            Draft(Document(id=name, text=text, language=stats.language if known and stats.score >= 0.5 else "und"))
            for (name, text), stats in zip(texts.items(), measured.values(), strict=True)
        ]
        run_steps(steps, drafts, Counter(), Counter())
        dropped = {draft.document.id: draft.drop.reason for draft in drafts if draft.drop}
        assert dropped.items() <= UDHR_DROPPED.items()
        assert all(known or reason != "too_few_stop_words" for reason in dropped.values())


def test_code_and_tables_do_not_speak() -> None:
    prose = "Der Leuchtturm steht seit zweihundert Jahren auf der Insel und wird von einem alten Mann gewartet. " * 3
    code = "for item in the_list_of_items:\n    print(item.name, item.value)\n" * 30
    text = f"{prose}\n\n{code}"
    blocks = Blocks.of([(PARAGRAPH, 0, len(prose)), (CODE, len(prose) + 2, len(text))])
    assert spoken(TextView(text, "", blocks)).strip() == prose.strip()
    assert spoken(TextView(code, "", Blocks.of([(CODE, 0, len(code))]))) == code  # nothing else to go by
    assert spoken(TextView(text)) == text  # blocks are not guessed for it
