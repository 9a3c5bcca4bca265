"""What the head of a dump says about its wiki: name, language, base address, namespaces."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from lxml import etree

from transforms.sources.wikipedia.names import NAMESPACES, language_of

SITE_END: Final = b"</siteinfo>"

_SITE: Final = re.compile(rb"<siteinfo>.*?</siteinfo>", re.DOTALL)
_LANGUAGE: Final = re.compile(rb"<mediawiki\s[^<>]*?xml:lang=[\"']([A-Za-z-]{2,20})[\"']")
_FILE_NAME: Final = re.compile(r"([a-z][a-z_]*?)wiki-")
_UNESCAPED: Final = ";@$!*(),/~:"  # MediaWiki's wfUrlencode; letters, digits, `_`, `-`, `.` besides


@dataclass(frozen=True)
class Site:
    """One wiki."""

    dbname: str = ""
    language: str = ""  # ISO 639
    base: str = ""  # address of all pages, up to their titles
    namespaces: Mapping[str, int] = field(default_factory=lambda: NAMESPACES)  # by name in lower case

    def url(self, title: str) -> str:
        """Return the address of the page `title`, as MediaWiki writes it; '' when the dump does not say where it is."""
        return self.base + quote(title.replace(" ", "_"), safe=_UNESCAPED) if self.base else ""

    def namespace(self, title: str) -> int:
        """Return the number of the namespace that a title names, 0 when it names none."""
        prefix, colon, _ = title.partition(":")
        return self.namespaces.get(" ".join(prefix.replace("_", " ").split()).lower(), 0) if colon else 0


NO_SITE: Final = Site()


def parse_site(head: bytes, file_name: str) -> Site:
    """Return the wiki of a dump that begins with `head`; what is not in there, if possible by the file's name."""
    named = _FILE_NAME.match(file_name)
    dbname = f"{named.group(1)}wiki" if named else ""
    base = ""
    namespaces = dict(NAMESPACES)
    found = _SITE.search(head)
    if found:
        try:
            info = etree.fromstring(found.group(), parser())
        except etree.XMLSyntaxError:
            info = None  # then what the file's name tells must do
        if info is not None:
            dbname = (info.findtext("dbname") or dbname).strip()
            base = _base(info.findtext("base") or "")
            for space in info.iterfind("namespaces/namespace"):
                key = space.get("key", "")
                if space.text and re.fullmatch(r"-?\d{1,6}", key):
                    namespaces[space.text.strip().lower()] = int(key)
    declared = _LANGUAGE.search(head)
    code = declared.group(1).decode() if declared else dbname.partition("wiki")[0]
    return Site(dbname, language_of(code), base, namespaces)


def _base(main_page: str) -> str:
    before, wiki, _ = main_page.strip().partition("/wiki/")
    return before + wiki if wiki else main_page.strip().rpartition("/")[0] + "/" if "/" in main_page else ""


def parser() -> etree.XMLParser:
    """Return a parser of pieces cut out of a dump: there is no DTD in them, and none would be followed."""
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
