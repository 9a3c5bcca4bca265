"""A page's bytes as characters.

The encodings are the Web's (WHATWG Encoding Standard), which hold more than Python's of the same names: `shift_jis` is
windows-31j, `euc-kr` windows-949, `gbk` is read as GB18030 with 0x80 as the euro sign, `big5` has Hong Kong's and
`euc-jp` NEC's and IBM's characters, `iso-8859-11` is windows-874, and no byte below 0xA0 of a windows code page is
without a character. Where Python's codec knows less, an error handler knows the rest.

Deviations from the standard: UTF-8 comes before declarations, bytes are guessed where no declaration fits, what GB18030
had in the private use area is what Unicode has since, and invalid bytes of CP949 and CP932 are as in Python.
"""

from __future__ import annotations

import codecs
from typing import Final

from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

from transforms.extraction.parsing.names import names, pairs

_BOMS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# Encodings whose bytes can be valid UTF-8 all the same: only a declaration, or a mark, tells them.
_LOOKS_LIKE_UTF8: Final = names("utf-16-le utf-16-be iso2022_jp")
_REFUSED: Final = names("utf-8 utf-16-le utf-16-be")  # a declaration in readable bytes that are not UTF-8 is wrong
# resiliparse's names -> Python's names of what browsers mean by them.
_CODECS: Final = pairs(
    "shift_jis cp932 euc_kr cp949 big5 big5hkscs gbk gb18030 gb2312 gb18030 iso8859-11 cp874 iso8859-1 cp1252"
    " ascii cp1252 iso8859-9 cp1254"
)
_DEFAULT: Final = "cp1252"  # of servers that nobody told
_MULTIBYTE: Final = names("cp932 cp949 gb18030 big5hkscs euc_jp")
_BROKEN: Final = "winnow.web"  # the error handler
_DOUBT: Final = 50  # characters that are not ASCII, for each of which a guess is charged with a broken one (our value)
_REPLACED: Final = "\ufffd"
_HEAD: Final = 1024  # bytes in which UTF-16 without a mark shows by the zeros of its markup
# Big5 of the Web that neither HKSCS nor CP950 of Python has right.
_BIG5: Final = {
    b"\xc6\xcf": "廴",
    b"\xc6\xd3": "无",
    b"\xc6\xd5": "癶",
    b"\xc6\xd7": "辵",
    b"\xc6\xde": "〃",
    b"\xc6\xdf": "仝",
}
_OF_BIG5: Final = str.maketrans("•､‾∼♁☉", "‧﹑¯～⊕⊙")
_OF_GB18030: Final = str.maketrans(
    "\ue7c7\ue78d\ue78e\ue78f\ue790\ue791\ue792\ue793\ue794\ue795\ue796"
    "\ue816\ue817\ue818\ue81e\ue826\ue82b\ue82c\ue831\ue832\ue83b\ue843\ue854\ue855\ue864",
    "\u1e3f\ufe10\ufe12\ufe11\ufe13\ufe14\ufe15\ufe16\ufe17\ufe18\ufe19"
    "\U00020087\U00020089\U000200cc\u9fb4\u9fb5\u9fb6\u9fb7\U000215d7\u9fb8\U0002298f\u9fb9\u9fba\U000241fe\u9fbb",
)


def decode_html(html: bytes, charset: str = "") -> str:
    """Return the characters of a page; total.

    In this order: a byte order mark; UTF-16 that shows by its zeros; UTF-8 when it is valid UTF-8, or nearly,
    regardless of what is declared (UTF-8 declared as latin-1 is common, and text in another encoding is almost never
    valid UTF-8); the charset the server declared, what the page's own `meta` says, what the bytes suggest
    (resiliparse): the first that every byte fits, or the one that fits best. latin-1, which servers declare by default,
    comes after a `meta` that the bytes agree with. Bytes that still do not fit become U+FFFD.
    """
    return decoded_with_utf8(html, charset)[0]


def decoded_with_utf8(html: bytes, charset: str) -> tuple[str, bytes | None]:
    """Return the characters of a page, and its bytes when they are those characters in UTF-8."""
    for mark, name in _BOMS:
        if html.startswith(mark):
            return html[len(mark) :].decode(name, "replace"), None
    declared = _web_name(map_encoding_to_html5(charset.strip(" \"'").lower(), fallback_utf8=False)) if charset else ""
    if declared in _LOOKS_LIKE_UTF8 and (text := _decoded(html, declared, "strict")) is not None:
        return text, None
    if b"\0" in html[:_HEAD] and (utf16 := _unmarked_utf16(html)):
        return html.decode(utf16, "replace"), None
    try:
        return html.decode(), html
    except UnicodeError:
        return _legacy_text(html, declared), None


def _unmarked_utf16(html: bytes) -> str:
    """Return the kind of UTF-16 whose zeros, those of the first two characters among them, fill many a second byte and
    hardly any other; '' when none do."""
    first, second = html[:_HEAD:2], html[1:_HEAD:2]
    if (first[:2] == b"\0\0") == (second[:2] == b"\0\0"):
        return ""
    zeros, others = sorted((first.count(0), second.count(0)), reverse=True)
    if 8 * zeros < len(second) or 16 * others > len(second):
        return ""
    return "utf-16-be" if first[0] == 0 else "utf-16-le"


def _legacy_text(html: bytes, declared: str) -> str:
    """Return the characters of a page that is not valid UTF-8."""
    best = html.decode("utf-8", "replace")
    fewest = best.count(_REPLACED)
    n_foreign = len(best) - len(best.encode("ascii", "ignore"))
    if n_foreign > 2 * fewest:  # other encodings: a tenth as many by chance
        return best
    meta = _web_name(detect_encoding(html, html5_compatible=False, from_html_meta=True))
    guess = _web_name(detect_encoding(html, html5_compatible=False))
    order = [meta, declared] if declared == _DEFAULT and meta == guess else [declared, meta]
    for encoding in dict.fromkeys([*order, guess]):
        if not encoding or encoding in _REFUSED or (text := _decoded(html, encoding)) is None:
            continue
        n_broken = text.count(_REPLACED)
        if encoding not in order and encoding not in _MULTIBYTE:  # a guess that any bytes fit
            n_broken += n_foreign // _DOUBT
        if n_broken < fewest:
            best, fewest = text, n_broken
        if n_broken == 0:
            break
    return best


def _web_name(name: str | None) -> str:
    """Return Python's name of what browsers mean by an encoding, '' of none."""
    return _CODECS.get(name, name) if name else ""


def _decoded(html: bytes, encoding: str, errors: str = _BROKEN) -> str | None:
    """Return the characters of bytes in an encoding, None where they do not fit or Python does not know it."""
    try:
        text = html.decode(encoding, errors)
    except (UnicodeError, LookupError):
        return None
    if encoding == "gb18030":
        return text.translate(_OF_GB18030)
    return text.translate(_OF_BIG5) if encoding == "big5hkscs" else text


def _read_by_browsers(error: UnicodeError) -> tuple[str, int]:
    """Return what browsers read where Python's codec has nothing, U+FFFD where they have nothing either, and where to
    go on. A byte of ASCII is never a part of what is broken."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    at, encoding = error.start, error.encoding
    pair = error.object[at : at + 2]
    text = ""
    if encoding == "charmap" and pair[0] < 0xA0:
        return chr(pair[0]), at + 1
    if encoding == "gb18030" and pair[0] == 0x80:
        return "€", at + 1
    if encoding == "big5hkscs":
        text = _of_big5(pair)
    elif encoding == "euc_jp":
        text = _of_euc_jp(pair)
    is_pair = encoding in _MULTIBYTE and len(pair) == 2 and 0x80 < pair[0] < 0xFF and pair[1] >= 0x80
    return text or _REPLACED, at + (2 if text or is_pair else 1)


def _of_big5(pair: bytes) -> str:
    return _BIG5.get(pair) or pair.decode("cp950", "ignore")


def _of_euc_jp(pair: bytes) -> str:
    """Return NEC's or IBM's character of EUC-JP, which windows-31j has in the same row and cell; '' of none."""
    if len(pair) < 2:
        return ""
    row, cell = pair[0] - 0xA0, pair[1] - 0xA0
    if not (1 <= row <= 94 and 1 <= cell <= 94):
        return ""
    lead = (row + 1) // 2 + (0x80 if row <= 62 else 0xC0)
    trail = cell + 0x9E if row % 2 == 0 else cell + 0x3F + (cell >= 64)
    return bytes((lead, trail)).decode("cp932", "ignore")


codecs.register_error(_BROKEN, _read_by_browsers)
