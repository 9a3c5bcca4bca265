"""What is said around telephone numbers, and where a language's numbers are from."""

from __future__ import annotations

import re

# Countries of a language, those with most speakers first; of other languages there are international numbers alone.
REGIONS = {
    "ar": ("EG", "SA", "AE"), "cs": ("CZ",), "da": ("DK",), "de": ("DE", "AT", "CH"), "el": ("GR", "CY"),
    "en": ("US", "GB", "AU", "IE", "NZ", "ZA", "IN"), "es": ("ES", "MX", "AR", "CO", "CL", "PE"), "fa": ("IR",),
    "fi": ("FI",), "fr": ("FR", "BE", "CH", "CA"), "he": ("IL",), "hi": ("IN",), "hu": ("HU",), "id": ("ID",),
    "it": ("IT", "CH"), "ja": ("JP",), "ko": ("KR",), "nl": ("NL", "BE"), "no": ("NO",), "pl": ("PL",),
    "pt": ("BR", "PT"), "ro": ("RO",), "ru": ("RU", "KZ"), "sk": ("SK",), "sv": ("SE", "FI"), "th": ("TH",),
    "tr": ("TR",), "uk": ("UA",), "vi": ("VN",), "zh": ("CN", "TW", "HK"),
}  # fmt: skip

# In small letters, right before a number.
_NAMES = (
    r"\b(?:tele)?(?:phones?|fon|fono|foon|fone|fonul|fonen?|foni|fonas|fax|faks|faxe?s|fakss?i)",
    r"\bt[eé]l(?:[eé](?:fon[oe]?|fax))?|\btlfn?|\bph|\bmob(?:iles?|iel|il(?:nummer|telefon)?)?|\bm[oó]vil|\bportable",
    r"\bcell?(?:ular(?:e)?)?|\bhandy|\bpuh(?:elin)?|\bgsm|\bkomórka|\bwhats ?app|\bdesk|\bfestnetz|\brufnummer",
    r"\bhotline|\bhelpline|\bdirect line|\btoll[- ]free|тел(?:ефон)?|факс|моб|τηλ(?:έφωνο)?",
    r"電話|电话|手机|携帯|전화|휴대폰|फोन|फ़ोन|هاتف|جوال|تلفن|טלפון",
)
STRONG_BEFORE = re.compile(
    rf"(?:{'|'.join(_NAMES)})(?:[ -]?(?:no|nr|num|numbers?|nummer|line|is|n[°º]|番号|号码|번호))?"
    r"[\s.:;,#|)\]>*·•=/：-]{0,6}(?:\(?[+]?\(?)?\Z"
)
STRONG_AFTER = re.compile(
    r"[\s,-]{0,3}\(?(?:office|fax|mobile|cell|phone|tel|home|work|desk|voice|direct|mobil|handy)\b", re.IGNORECASE
)
# Verbs of calling, at most 24 characters without a digit or a sentence's end before the number.
WEAK_BEFORE = re.compile(
    r"\b(?:call(?:ing|ed|s)?|dial(?:l?ing|led)?|reach(?:ed|ing)?|text(?:ing)?|sms|ring|contact|messages?|phone|registered"
    r"|answering|answers? (?:at|on)|(?:my|your|his|her|our|new) number|appel\w*|anruf\w*|llam\w*|chiam\w*|bel(?:len)?"
    r"|ligue?|zadzwo\w*|ring\w*|звон\w*|позвон\w*)\b[^.!?\n0-9]{0,24}\Z"
)
# Numbers of something else that a person has.
OTHERS_NUMBER = re.compile(
    r"\b(?:licen[cs]e|passport|policy|account|acct|customer|member(?:ship)?|flight|card|iban|ssn|security|vin|tax|vat|id)\b"
    r"[^.!?\n0-9]{0,20}\Z"
)
SUM = re.compile(r"\s*[=*+×÷<]")  # after a number that is a term: `1800-400 = 1400`
EXTENSION = re.compile(r"(?: ?x| ?ext\.? ?| ?extension | ?durchwahl )\d{1,6}\b", re.IGNORECASE)
