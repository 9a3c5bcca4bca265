"""Which site a dump is of, and where its posts are.

A site is named by its host without `.stackexchange.com`: coffee, meta.coffee, stackoverflow.com. It comes from the
settings, else from what comes before `_Posts`, `-Posts` or `.Posts` in the name of the file or of its folder, else from
the folder's name.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import Final

_NAMED: Final = re.compile(r"(.+?)[_.-]posts(?:\.xml)?$", re.IGNORECASE)
_OWN_HOSTS: Final = {
    "stackoverflow": "stackoverflow.com",
    "serverfault": "serverfault.com",
    "superuser": "superuser.com",
    "askubuntu": "askubuntu.com",
    "mathoverflow": "mathoverflow.net",
    "stackapps": "stackapps.com",
}
_MAIN: Final = ".stackexchange.com"


@dataclass(frozen=True)
class Site:
    """One site; '' when nothing tells which."""

    name: str

    @property
    def host(self) -> str:
        last = self.name.rpartition(".")[2]
        if last in ("com", "net") or not self.name:
            return self.name
        return f"{self.name}{_MAIN}"

    @property
    def is_meta(self) -> bool:
        """Whether it is about a site, or about all of them (meta.stackexchange.com)."""
        return "meta" in self.name.split(".")

    def url(self, post: int, *, answer: bool) -> str:
        """Return the address of a post; '' when its site is not known."""
        return f"https://{self.host}/{'a' if answer else 'questions'}/{post}" if self.name else ""

    def user_url(self, user: int) -> str:
        """Return the address of a user, to whom a post is attributed."""
        return f"https://{self.host}/users/{user}" if self.name else f"users/{user}"


def site_of(path: str, given: str = "") -> Site:
    """Return the site of the dump at `path`."""
    if given:
        return Site(_normal(given))
    folder, file = posixpath.split(path)
    names = file, posixpath.basename(folder)
    named = next((found.group(1) for name in names if (found := _NAMED.match(name))), names[1])
    return Site(_normal(named))


def _normal(name: str) -> str:
    name = name.strip().lower().removesuffix(_MAIN)
    meta, _, last = name.rpartition(".")
    if last in _OWN_HOSTS:
        return f"{meta}.{_OWN_HOSTS[last]}" if meta else _OWN_HOSTS[last]
    return name
