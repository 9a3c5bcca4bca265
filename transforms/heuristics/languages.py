"""What the rules made for English become in other languages: limits and stop words by language and script.

The rules of Gopher, C4 and FineWeb were set on English alone. FineWeb-2 (Penedo et al. 2025, arXiv:2506.20920; in its
repository `configs/<language>_<Script>.yml` at 05e6729 and baedee4, `fineweb-2-pipeline.py` at 7ee60b3) set them again
for each language, by what its Wikipedia and its web look like. Limits are taken from there, none stricter than English:

 1. Mean word length, line ends per word, words with letters, repeated n-grams, lines with terminal punctuation: of
    FineWeb-2's limit and the English one the looser. Where FineWeb-2 splits Korean, Chinese, Japanese, Thai... by a
    model, its limits on words are not ours: what a word is here says transforms.text.view.
 2. Outside English there is no limit on short lines and none on the words of a line: FineWeb-2 has neither, nor any
    other C4 rule. The share of short lines is measured all the same, by what 30 characters of English are in the
    script (`SHORT_LINE_CHARS`), so that a user can set a limit.
 3. `other` is every text that is not English: 2 to 16 characters a word (Fon and Greenlandic; Turkish and Italian, with
    21, stand apart), .045 terminal lines (Maori, Slovene), 0.7 words with letters (Kazakh .694, Russian .713), the most
    frequent n-grams of Korean and the repeated ones of Lithuanian, the highest of the larger languages but Japanese.
    Its 0.5 line ends per word are the English 0.3 by 0.6: for a word of English, Greenlandic has .61 in the Universal
    Declaration, Zulu .62, Korean .68.
 4. A row below has the longest words of a language that was looked up, and what else is looser than `other`. A language
    without a row has that of its script, then `other`: the ledger names those languages.
 5. FineWeb-2 asks for 50 words a document everywhere. Where a language needs 0.8 words or fewer for one of English, it
    is that share, to the nearest 5: in the Universal Declaration Malayalam has .47, Inuktitut .50, Sanskrit .57, Korean
    .68, Kannada .70 (Telugu is taken to have as many), Hebrew and Tamil .73, Arabic .77, Tigrinya and Turkish .78,
    Nepali .79, Finnish and Estonian .80. The 0.65 line ends for a word of Malayalam follow from the same figure.
 6. Three sentences a page (C4) are not asked for in Thai and Lao, where no mark ends a sentence, nor in Tibetan,
    Burmese and Khmer, where a space does it as often.

Stop words: frequent function words of writing and of talk, chosen by us, each in the list of stopwords-iso (MIT,
6e8e9a2). Languages that express them by endings (Korean, Tamil, Turkish, Finnish) or write without spaces have
none, nor have those for which stopwords-iso lacks the frequent ones (Ukrainian). The rule is Gopher's: two different
ones in a document.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from schemas.settings import OTHER
from transforms.heuristics.repetition import RepetitionConfig

Changes = dict[str, dict[str, Any]]  # by key (language, script, `other`): settings that differ

# Characters that say as much as 30 of English, rounded: by the lengths of the Universal Declaration (Chinese .27, Yi
# .30, Japanese .39, Korean .44, Amharic .51 and Tigrinya .63, Hebrew .68, Arabic .72). Others differ by a fifth at
# most, or are longer.
SHORT_LINE_CHARS: Final[Mapping[str, int]] = {
    "Arab": 22, "Ethi": 17, "Hang": 13, "Hani": 8, "Hebr": 20, "Jpan": 12, "Latn": 30, "Yiii": 9,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Limits of a language; None: as in `other`."""

    words: int | None = None  # of a document
    min_chars: float | None = None  # mean characters of a word
    max_chars: float | None = None
    terminal: float | None = None  # share of lines with terminal punctuation
    ends: float | None = None  # line ends per word
    letters: float | None = None  # share of words with a letter
    sentences: int | None = None  # of a page
    top: tuple[float, ...] = ()  # share of the most frequent 2-, 3- and 4-gram
    duplicate: tuple[float, ...] = ()  # share of duplicate 5- to 10-grams


_ETHIOPIC = Row(
    words=40, max_chars=24, terminal=0, ends=0.667, top=(0.535, 0.444, 0.495),
    duplicate=(0.326, 0.313, 0.297, 0.28, 0.273, 0.255),
)  # fmt: skip
_TIBETAN = Row(terminal=0, sentences=1, top=(0.332, 0.327, 0.286), duplicate=(0.223, 0.203, 0.189, 0.177, 0.164, 0.15))
_UNMARKED = Row(terminal=0, sentences=1)

# Keys: the languages (codes of lid.176), then the scripts of which the row is the fallback, too.
ROWS: Final[Mapping[str, Row]] = {
    OTHER: Row(
        min_chars=2, max_chars=16, terminal=0.045, ends=0.5, letters=0.7, top=(0.282, 0.228, 0.185),
        duplicate=(0.213, 0.19, 0.173, 0.159, 0.147, 0.136),
    ),
    "am Ethi": _ETHIOPIC,
    "ar": Row(words=40, max_chars=10),
    "as": Row(max_chars=19),
    "bg fa sat Olck": Row(max_chars=10),
    "bn Beng": Row(max_chars=24),
    "bo Tibt": _TIBETAN,
    "ca cs el fr hr hy id kk lt no pl ru uk vi": Row(max_chars=11),
    "da": Row(max_chars=11, top=(0.367, 0.297, 0.232)),
    "de": Row(max_chars=15, terminal=0),
    "dv Thaa": Row(max_chars=70),
    "es ro": Row(max_chars=14),
    "et": Row(words=40, max_chars=13, top=(0.345, 0.268, 0.215)),
    "fi": Row(words=40, max_chars=16),  # FineWeb-2: 13; the identifier reads Greenlandic as Finnish
    "gu Gujr": Row(max_chars=21),
    "he Hebr": Row(words=35, max_chars=10),
    "hi": Row(max_chars=21),
    "hu": Row(max_chars=15),
    "it": Row(max_chars=21, terminal=0.025),
    "ja Jpan": Row(letters=0.7, duplicate=(0.307, 0.283, 0.264, 0.248, 0.234, 0.223)),
    "ka lv pt": Row(max_chars=13),
    "km Khmr": Row(ends=0.667, sentences=1, top=(0.282, 0.228, 0.242)),
    "kn Knda": Row(words=35, max_chars=67),
    "ko Hang": Row(words=35, min_chars=1, max_chars=10),
    "lo Laoo": _UNMARKED,
    "ml Mlym": Row(words=25, max_chars=37, ends=0.65),
    "mr": Row(max_chars=35),
    "my Mymr": _UNMARKED,
    "ne Deva": Row(words=40, max_chars=37),
    "nl": Row(max_chars=16),
    "or Orya": Row(max_chars=29, ends=0.889),
    "pa Guru": Row(max_chars=19),
    "ps": Row(max_chars=21),
    "sa": Row(words=30, max_chars=52, terminal=0.034, ends=1.0),
    "si Sinh": Row(max_chars=58, terminal=0),
    "sk": Row(max_chars=11, terminal=0, top=(0.316, 0.228, 0.185)),
    "sl sv": Row(max_chars=12),
    "sw": Row(max_chars=10, top=(0.396, 0.282, 0.231)),
    "ta Taml": Row(words=35, max_chars=37),
    "te Telu": Row(words=35, max_chars=68),
    "th Thai": _UNMARKED,
    "tr": Row(words=40, max_chars=21),
    "ug": Row(max_chars=14, ends=0.533),
    "ur Arab": Row(max_chars=31),
    "yo": Row(max_chars=12, top=(0.282, 0.319, 0.346), duplicate=(0.355, 0.336, 0.272, 0.3, 0.182, 0.234)),
    "yue": Row(top=(0.714, 0.727, 0.636), duplicate=(0.348, 0.306, 0.303, 0.301, 0.292, 0.279)),
    "zh wuu Hani": Row(letters=0.7),
    # Scripts whose languages the identifier does not know.
    "Cans": Row(words=25, max_chars=19, terminal=0, ends=0.964, duplicate=(0.222, 0.19, 0.173, 0.159, 0.147, 0.136)),
    "Cher": Row(max_chars=109, terminal=0, top=(0.489, 0.461, 0.39)),
    "Vaii": Row(min_chars=1),  # a sign is a syllable; not in FineWeb-2
    "Lana Talu Tale Tavt": _UNMARKED,  # as Thai and Lao
}  # fmt: skip

STOP_WORDS: Final[Mapping[str, str]] = {
    "ar": (
        "في من على إلى أن هذا هذه التي الذي عن مع ما لا كان أو هو هي كل بعد ذلك بين لم قد أنا أنت نحن قال ثم "
        "حتى إذا قبل عند منذ غير بعض لكن به له لها فيه"
    ),
    "bg": (
        "и на да в се за от не с е са това по като ще или че аз ти той тя ние вие те ми ме го му ли има как "
        "какво кога къде само още тук"
    ),
    "ca": (
        "de la i el que a en les els un una per del amb no és jo què com quan on hi ha més però si també molt "
        "meu"
    ),
    "cs": (
        "a se v na je že s z do to i o k ve pro za by si jako já ty on ona my vy jsem jsi jsou co kde kdy ale "
        "tak už jen ne mi mě"
    ),
    "da": (
        "og i at det er en til på som for de med der den af ikke jeg du han hun vi mig dig hvad hvor når men "
        "har var vil kan så om nu ja nej"
    ),
    "de": (
        "der die und das in zu den mit von ist nicht ein eine auf für es sich auch ich du er sie wir ihr mir "
        "dich was wo wenn aber noch so nur hier ja nein war hat wie"
    ),
    "el": "και το να του η της με που την από για τα στο οι δεν τι αν μου σου θα κι τον σε μας",
    "es": (
        "de la que el en y a los se del las un por con una no para yo tú él ella qué cómo dónde cuando pero "
        "si más me te mi su lo es muy ya"
    ),
    "fa": "و در به از که این را با است برای آن تا هم یا هر من تو او ما شما چه کجا اگر ولی اما هست بود نه",
    "fr": (
        "de la le et les des en un une du est que pour qui dans par pas sur je tu il elle nous vous me te se "
        "ce mon ma si mais où quand comment plus ne sa on"
    ),
    "he": "של את על לא זה הוא כי אם או גם מה היא עם אני יש אבל כל אתה איך איפה מתי למה רק כן לי שלי",
    "hi": "के में की है और से का को यह कि पर नहीं हैं ने भी एक इस तो आप वह लेकिन था थी हो रहा ही कर",
    "hr": (
        "i je u se na da su za od s ne što to kao o koji ili ja ti on ona mi vi sam si smo kada ali ako još "
        "samo me"
    ),
    "id": (
        "yang dan di ini itu dengan untuk dari tidak dalam pada akan ada atau ke aku kamu saya dia kami kita "
        "mau apa mana kapan tapi kalau juga sudah belum lagi sini jangan bisa saja oleh sebagai"
    ),
    "it": (
        "di e che la il un a per in una non è del con si le io tu lui lei noi voi mi ti ci vi cosa dove "
        "quando ma se come ho ha sono sei mio più ne"
    ),
    "lt": "ir kad su tai o bet ne apie ar tu jis ji mes mano kas kur kada jei dar tik kaip",
    "lv": "un ir no ar par uz ne vai bet tad jau tikai bija",
    "nl": (
        "de en van het een in is dat op te zijn met voor niet die aan ik je jij hij ze wij we mij me wat waar "
        "wanneer maar als nog hier ja nee was heeft om er"
    ),
    "no": (
        "og i er det at en på som for til med av har de ikke den jeg du han hun vi meg deg hva hvor når men "
        "var vil kan så om nå ja nei der"
    ),
    "pl": (
        "i w z na się do nie to że jest o a jak po co ale ja ty on ona my wy mi mnie gdzie kiedy czy tak już "
        "tylko tu jestem"
    ),
    "pt": (
        "de a o que e do da em um para com não uma os no se eu tu ele ela nós me te meu minha como onde "
        "quando mas mais já muito está na"
    ),
    "ro": (
        "de în a la cu pe nu o că din un este care mai eu tu el ea noi voi ce unde când dar am ai mi te sunt "
        "si şi"
    ),
    "ru": (
        "и в не на что с по как это а к из но у за от для я ты он она мы вы мне меня тебя где когда ли уже "
        "ещё еще так только вот да нет бы"
    ),
    "sk": (
        "a sa v na je že s z do to aj o ako pre by ja ty on ona my vy som si sú čo kde ale tak už len nie mi "
        "ma"
    ),
    "sl": "in je v na se za da so ne ki pa z kot bi jaz ti on mi vi sem si smo kaj kje kdaj ali tako samo me bo",
    "sv": (
        "och i att det är en som på för med av den inte till de har jag du han hon vi mig dig vad var när men "
        "kan så om nu ja nej hade ett"
    ),
    "vi": (
        "và của là có không cho các được trong một với những này người để đã tôi anh em nó ai gì nào thì mà "
        "rồi nhưng vì nếu cũng đi vậy ở"
    ),
}  # fmt: skip


def gopher_limits() -> Changes:
    """Return what GopherConfig changes by language."""
    changes = {
        key: _given(
            min_words=row.words,
            min_mean_word_chars=row.min_chars,
            max_mean_word_chars=row.max_chars,
            min_alphabetic_word_fraction=row.letters,
        )
        for key, row in _rows()
    }
    changes[OTHER]["stop_words"] = []
    for language, words in STOP_WORDS.items():
        changes[language]["stop_words"] = words.split()
    return changes


def c4_limits() -> Changes:
    """Return what C4Config changes by language."""
    changes = {key: _given(min_sentences=row.sentences) for key, row in _rows()}
    changes[OTHER]["min_line_words"] = 0
    return changes


def fineweb_limits() -> Changes:
    """Return what FineWebConfig changes by language."""
    changes = {
        key: _given(min_terminal_line_fraction=row.terminal, max_line_ends_per_word=row.ends) for key, row in _rows()
    }
    changes[OTHER]["max_short_line_fraction"] = 1.0
    return changes


def junk_limits() -> Changes:
    """Return what JunkConfig changes by language.

    In the Universal Declaration one word of four letters has 0.114 of all in Zapotec, 0.094 in Tok Pisin; Tsafiki has
    0.26 commas a word.
    """
    return {OTHER: {"max_word_fraction": 0.12, "max_commas_per_word": 0.3}}


def repetition_limits() -> Changes:
    """Return what RepetitionConfig changes by language: the limits that are looser than those of English."""
    english = RepetitionConfig()
    changes: Changes = {}
    for key, row in _rows():
        limits = {f"max_top_{n}_gram_fraction": limit for n, limit in enumerate(row.top, 2)}
        limits.update({f"max_duplicate_{n}_gram_fraction": limit for n, limit in enumerate(row.duplicate, 5)})
        changes[key] = {name: limit for name, limit in limits.items() if limit > getattr(english, name)}
    return changes


def _rows() -> list[tuple[str, Row]]:
    return [(key, row) for keys, row in ROWS.items() for key in keys.split()]


def _given(**limits: float | None) -> dict[str, Any]:
    return {name: limit for name, limit in limits.items() if limit is not None}
