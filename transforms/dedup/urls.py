"""The normal form of a URL: two addresses with the same normal form are one page for deduplication.

The rules, in the order they are applied (each has its rows in tests/transforms/test_urls.py):

 1. white space   tab, CR and LF are deleted anywhere, C0 controls and spaces at both ends (WHATWG URL 4.4)
 2. scheme        http, https, ws, wss and `//` dropped; `ftp://` and others kept in lower case; an address without a
                  hierarchy (`dns:`, `urn:`, `mailto:`) is returned unchanged, except for the case of its scheme
 3. back slashes  `\\` is `/` before the query (WHATWG)
 4. fragment      dropped; `#!...` kept, because such pages have no other address (Google's AJAX scheme of 2009)
 5. user info     dropped
 6. host          percent-decoded, NFKC, lower case, each non-ASCII label to punycode with eszett and final sigma kept
                  (UTS 46 non-transitional); dots at both ends dropped; IPv6 compressed
 7. www           leading `www.`, `www2.`, ... dropped while a dotted name remains (`www.com` stays), as SURT does
 8. port          80 and 443 dropped with any scheme, 21 under ftp; others kept without leading zeros
 9. percent       escapes of unreserved characters decoded, others in upper-case hex; a `%` that starts no escape,
                  controls, blanks, non-ASCII (as UTF-8) and other characters that RFC 3986 excludes are escaped
10. sessions      `;jsessionid=...` and ASP.NET `(S(...))` segments of the path dropped
11. path          `.` and `..` resolved (RFC 3986 5.2.4), repeated `/` are one, trailing `/` dropped; case kept
12. query         `+` is `%20`; empty parameters, tracking parameters, and session parameters whose value nobody types
                  (`session_id=2` is content) dropped; the rest sorted by name, those of one name in their own order
                  (SURT sorts too; PHP arrays need the order); `?` alone dropped

Deviations. C4 cuts a URL at `?utm_`, `?ref` and `?feed` (SPEC 1.3) and so loses everything after them: we remove only
the parameters that track, and keep `ref`, which chooses content on many sites (`?ref=branch`). SURT lower-cases path
and query; we do not, MediaWiki and others tell cases apart. `index.html`, `m.` and `a` against `a=` are left alone: a
wrong merge loses a page, a missed one is caught by text deduplication. Total, idempotent, independent of locale.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import unicodedata
from urllib.parse import unquote_to_bytes

_SEGMENT = r"[A-Za-z0-9\-_~!$&'*+,=:@][A-Za-z0-9\-._~!$&'*+,=:@]*"
# An address that rules 2, 5, 7 and a trailing slash alone can touch: 87% of 10,544 links.
_PLAIN = re.compile(
    rf"https?://(?:www[0-9]*\.)?((?!www[0-9]*\.)[a-z0-9\-_]+(?:\.[a-z0-9\-_]+)+(?:/{_SEGMENT})*)/?", re.ASCII
)
_PLAIN_AUTHORITY = re.compile(r"https?://([a-z0-9\-_]+(?:\.[a-z0-9\-_]+)*)(?:[/?#]|\Z)", re.ASCII)
_WEB = re.compile(r"(?:https?|wss?):(?:[/\\]+|(?=[^0-9/\\?#]))|[/\\]{2,}", re.IGNORECASE | re.ASCII)
_OTHER = re.compile(r"([a-z][a-z0-9+.\-]*)://", re.IGNORECASE | re.ASCII)
_OPAQUE = re.compile(r"([a-z][a-z0-9+.\-]*):(?![0-9]*(?:[/?#\\]|\Z))", re.IGNORECASE | re.ASCII)
_AUTHORITY_END = re.compile(r"[/\\?#]")
_EDGES = "".join(map(chr, range(0x21)))
_DELETED = str.maketrans("", "", "\t\n\r")

_TO_ESCAPE = re.compile(r"%(?:[0-9A-Fa-f]{2})?|[^A-Za-z0-9\-._~!$&'()*+,;=:@/%]")  # in a path
_TO_ESCAPE_QUERY = re.compile(r"%(?:[0-9A-Fa-f]{2})?|[^A-Za-z0-9\-._~!$&'()*,;=:@/?%]")  # `+` is among them
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

_WWW = re.compile(r"(?:www[0-9]*\.)+(?=[^.]+\.[^.])")
_PLAIN_HOST = re.compile(r"[a-z0-9\-_]+(?:\.[a-z0-9\-_]+)*")
_TO_ESCAPE_HOST = re.compile(r"%(?:[0-9A-Fa-f]{2})?|[^A-Za-z0-9\-._~!$&'()*+,;=%]")
_IGNORED_IN_HOST = re.compile("[\u00ad\u034f\u180e\u200b-\u200d\u2060\ufeff\ufe00-\ufe0f]")  # UTS 46 "ignored"
_DOTS = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": "."})

_JSESSIONID = re.compile(r";jsessionid=[^/;]*", re.IGNORECASE | re.ASCII)
_ASP_SESSION = re.compile(r"(?<=/)\((?:[A-Za-z]\([0-9A-Za-z]{24}\))+\)(?=/)")
# fmt: off
_TRACKING_NAMES = frozenset((
    "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "_ga", "_gl", "_gac",  # Google
    "fbclid", "fb_action_ids", "fb_action_types", "fb_source", "fb_ref", "igshid", "msclkid", "yclid", "ysclid",
    "_openstat", "twclid", "ttclid", "li_fat_id", "mc_cid", "mc_eid", "mkt_tok", "epik", "_hsenc", "_hsmi", "__hstc",
    "__hssc", "__hsfp", "hsctatracking", "vero_id", "vero_conv", "oly_enc_id", "oly_anon_id", "wickedid",
    "phpsessid", "jsessionid", "cftoken", "zenid", "oscsid",  # sessions, and nothing else
))
# fmt: on
# Of the families of names those that the makers document: utm_zone is a place on a map, hsa_plan a health account.
_TRACKING = re.compile(
    r"utm_(?:source|medium|campaign|term|content|id|name|cid|source_platform|creative|creative_format|marketing_tactic"
    r"|campaign_?id|ad|adgroup|adset|ad_?id|keyword|matchtype|network|device|placement|position|reader|referrer|pubreferrer"
    r"|swu|viz_id|brand|social|social-type|expid|nooverride|klaviyo_id|umguk)"
    r"|mtm_(?:campaign|kwd|keyword|source|medium|content|cid|group|placement|clid)"
    r"|hsa_(?:acc|cam|grp|ad|src|tgt|kw|mt|net|ver|la|ol)"
    r"|(?:pk|piwik)_(?:campaign|kwd|keyword|source|medium|content|cid)|aspsessionid[a-z]{8}"
)
# Names that are sessions on some sites and content on others: sessions only with a value that nobody types.
_SESSION = re.compile(
    r"(?:s|sid)=[0-9a-f]{32}"  # vBulletin, phpBB: a whole MD5
    r"|sess(?:ion)?_?id=(?:(?=[0-9]*[a-f])[0-9a-f]{16,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|(?=[a-z]*[0-9])(?=[0-9]*[a-z])[0-9a-z]{20,})",
    re.IGNORECASE | re.ASCII,
)


def normalise(url: str) -> str:
    """Return the normal form of `url`; '' for ''. Never raises, for any string; idempotent."""
    plain = _PLAIN.fullmatch(url)
    return plain[1] if plain is not None else _by_rules(url)


def host(url: str) -> str:
    """Return the host of `url` by rule 6, `www.` kept, without port; '' when it has none. Never raises."""
    plain = _PLAIN_AUTHORITY.match(url)
    if plain is not None:
        return plain[1]
    url = _clean(url)
    if _OPAQUE.match(url) is not None and _WEB.match(url) is None and _OTHER.match(url) is None:
        return ""
    name = _split(url)[1].rpartition("@")[2]
    return _host(_split_port(name)[0])


def authority_of(url: str) -> tuple[int, int]:
    """Return where the authority of `url` (user info, host, port) begins and ends; (0, 0) when it has none.

    Characters of `url` itself, of which white space at its beginning is none of the authority. Never raises.
    """
    start = len(url) - len(url.lstrip(_EDGES))
    if any(pattern.match(url, start) for pattern in (_WEB, _OTHER)) or not _OPAQUE.match(url, start):
        scheme = _WEB.match(url, start) or _OTHER.match(url, start)
        start = scheme.end() if scheme is not None else start
        end = _AUTHORITY_END.search(url, start)
        return start, len(url) if end is None else end.start()
    return 0, 0


def url_key(url: str) -> tuple[int, int]:
    """Return the 128-bit BLAKE2b (RFC 7693) of the normal form as two unsigned 64-bit numbers."""
    digest = hashlib.blake2b(normalise(url).encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")


def escape(text: str) -> str:
    """Return `text` by rule 9, as it is written in a path."""
    return _TO_ESCAPE.sub(_escaped, text)


def _by_rules(url: str) -> str:
    """Return the normal form of any address; the pattern of plain ones is a short cut to the same."""
    url = _clean(url)
    opaque = _OPAQUE.match(url)
    if opaque is not None and _WEB.match(url) is None and _OTHER.match(url) is None:
        return opaque[1].lower() + url[opaque.end(1) :]
    scheme, authority, rest = _split(url)
    rest, _, fragment = rest.partition("#")
    path, _, query = rest.partition("?")
    kept_fragment = f"#!{escape(fragment[1:])}" if fragment[:1] == "!" and fragment != "!" else ""
    query = _query(query) if query else ""
    return f"{scheme}{_authority(authority, scheme)}{_path(path)}{'?' if query else ''}{query}{kept_fragment}"


def _clean(url: str) -> str:
    return url.translate(_DELETED).strip(_EDGES) if not url.isprintable() or " " in url else url


def _split(url: str) -> tuple[str, str, str]:
    """Return ('' or 'ftp://', authority, path with query and fragment) of a hierarchical address."""
    scheme, start = "", 0
    web = _WEB.match(url)
    if web is not None:
        start = web.end()
    else:
        other = _OTHER.match(url)
        if other is not None:
            scheme, start = other[0].lower(), other.end()
    end = _AUTHORITY_END.search(url, start)
    stop = len(url) if end is None else end.start()
    return scheme, url[start:stop], url[stop:]


def _authority(authority: str, scheme: str) -> str:
    name, port = _split_port(authority.rpartition("@")[2])
    name = _host(name)
    www = _WWW.match(name)
    if www is not None:
        name = name[www.end() :]
    if not name or not port or port in ("80", "443") or (port == "21" and scheme == "ftp://"):
        return name
    return f"{name}:{port}"


def _split_port(name: str) -> tuple[str, str]:
    """Return the host and the port without leading zeros; a port that is no number belongs to the host."""
    head, colon, port = name.rpartition(":")
    if not colon or not (port == "" or (port.isascii() and port.isdigit())):
        return name, ""
    return head, port.lstrip("0")


def _host(name: str) -> str:
    if _PLAIN_HOST.fullmatch(name):
        return name
    if name[:1] == "[" and name[-1:] == "]" and (literal := _ipv6(name)) is not None:
        return literal
    if "%" in name:
        name = _decoded(name)
    if not name.isascii():
        name = unicodedata.normalize("NFKC", _IGNORED_IN_HOST.sub("", name).translate(_DOTS)).translate(_DOTS)
        name = ".".join(_label(label) for label in name.split("."))
    return _TO_ESCAPE_HOST.sub(_escaped, name).lower().strip(".")


def _label(label: str) -> str:
    """Return a host label in lower case, as punycode (RFC 3492) when it is not ASCII."""
    # character by character: lower() of a whole word turns a last capital sigma into the final form
    label = unicodedata.normalize("NFKC", "".join([character.lower() for character in label]))
    return label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")


def _ipv6(name: str) -> str | None:
    """Return a literal IPv6 address in its shortest form, or None when it is none or names a network interface."""
    try:
        address = ipaddress.IPv6Address(name[1:-1])
    except ValueError:
        return None
    return None if address.scope_id else f"[{address.compressed}]"


def _decoded(name: str) -> str:
    """Return a host with its escapes decoded, or as it is when they hide what a host cannot hold."""
    try:
        decoded = unquote_to_bytes(name.encode("utf-8", "surrogatepass")).decode("utf-8")
    except UnicodeDecodeError:
        return name
    return name if any(c.isascii() and _TO_ESCAPE_HOST.match(c) for c in decoded) else decoded


def _path(path: str) -> str:
    if "\\" in path:
        path = path.replace("\\", "/")
    path = _TO_ESCAPE.sub(_escaped, path)
    if ";" in path or "/(" in path:
        path = _ASP_SESSION.sub("", _JSESSIONID.sub("", path))
    if "//" not in path and "/." not in path:
        return path.removesuffix("/")
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    return "".join(["/" + segment for segment in kept])


def _query(query: str) -> str:
    kept: list[tuple[str, str]] = []
    parameters = _TO_ESCAPE_QUERY.sub(_escaped, query).split("&")
    is_coldfusion = any(parameter[:8].lower() == "cftoken=" for parameter in parameters)
    for parameter in parameters:
        name = parameter.partition("=")[0]
        lower = name.lower()
        if (
            not parameter
            or lower in _TRACKING_NAMES
            or _TRACKING.fullmatch(lower)
            or _SESSION.fullmatch(parameter)
            or (is_coldfusion and lower == "cfid")
        ):
            continue
        kept.append((name, parameter))
    kept.sort(key=_name)
    return "&".join([parameter for _, parameter in kept])


def _name(pair: tuple[str, str]) -> str:
    return pair[0]


def _escaped(match: re.Match[str]) -> str:
    """Return an escape in its normal form, or any other character escaped."""
    found = match[0]
    if len(found) == 3:
        character = chr(int(found[1:], 16))
        return character if character in _UNRESERVED else found.upper()
    if found == "+":
        return "%20"
    return "".join([f"%{byte:02X}" for byte in found.encode("utf-8", "surrogatepass")])
