"""Keys of services, private keys and the passwords of logins.

secrets  keys by the prefixes and lengths that services publish (GitHub, AWS, Slack, ...), PEM blocks of private keys,
         JSON web tokens (`PROVEN`); and, by a word before an equals sign or colon (`api_key = "..."`), any value of
         high entropy (`POSSIBLE`: digests and identifiers look the same).
logins   `user:password` in `scheme://user:password@host`.
Not found: what documentation writes in their place: EXAMPLE, x's, stars, `<key>`, `${KEY}`, user:password, hosts
without a dot; test keys (`sk_test_`); UUIDs, and values that a word before them calls a digest.

Sources: the plug-ins of detect-secrets 1.5 and the services' own pages. Deviations: detect-secrets reports every quoted
string of high entropy and every word `password` with an equals sign; BigCode filters those by a gibberish model.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from transforms.safety.pii.spans import LOGINS, POSSIBLE, PROVEN, SECRETS, Span

LOGIN = "login"
MAX_LOGIN = 200  # characters of `://user:password`
MIN_ENTROPY = 3.6  # bits a character, over the value (ours); hexadecimal has 4 at most, prose 4.1 over many characters
MIN_KEY_ENTROPY = 3.0  # the same of a key of known form: one of x's, or `abcabc...`, is none
_REACH_BACK = 60  # characters before a run of 16 letters and digits that may belong to its key, or name it

# Of each kind the literal beginning, which is the service's and not the key's, and the rest: one or more such forms.
_KEYS = {
    "aws_access_key": [(r"AKIA|ASIA|ABIA|ACCA", r"[A-Z2-7]{16}(?![A-Za-z0-9])")],
    "github_token": [
        (r"gh[pousr]_", r"[A-Za-z0-9]{36,255}"),
        (r"github_pat_", r"[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    ],
    "gitlab_token": [(r"gl(?:pat|dt|rt|ptt|ft|soat|agent)-", r"[A-Za-z0-9_\-]{20,64}")],
    "slack_token": [(r"xox[abeoprs]-", r"(?:[0-9]{1,2}-)?[0-9]{8,14}-(?:[0-9]{8,14}-){0,2}[A-Za-z0-9]{20,64}")],
    "slack_webhook": [(r"hooks\.slack\.com/services/", r"T[A-Z0-9]{8,12}/B[A-Z0-9]{8,12}/[A-Za-z0-9]{24}")],
    "stripe_key": [(r"[rs]k_live_", r"[A-Za-z0-9]{24,120}")],
    "google_api_key": [(r"AIza", r"[A-Za-z0-9_\-]{35}(?![A-Za-z0-9_\-])")],
    "google_oauth": [(r"GOCSPX-", r"[A-Za-z0-9_\-]{28}"), (r"ya29\.", r"[A-Za-z0-9_\-]{60,400}")],
    "openai_key": [(r"sk-(?:proj-|svcacct-|admin-)?", r"[A-Za-z0-9_\-]{20,200}T3BlbkFJ[A-Za-z0-9_\-]{20,200}")],
    "anthropic_key": [(r"sk-ant-", r"[a-z0-9]{3,8}-[A-Za-z0-9_\-]{80,120}")],
    "sendgrid_key": [(r"SG\.", r"[A-Za-z0-9_\-]{22}\.[A-Za-z0-9_\-]{43}")],
    "mailchimp_key": [("", r"[0-9a-f]{32}-us[0-9]{1,2}(?![0-9])")],
    "npm_token": [(r"npm_", r"[A-Za-z0-9]{36}(?![A-Za-z0-9])")],
    "pypi_token": [(r"pypi-AgE", r"[A-Za-z0-9_\-]{50,400}")],
    "hugging_face_token": [(r"hf_", r"[A-Za-z0-9]{34}(?![A-Za-z0-9])")],
    "telegram_bot_token": [("", r"[0-9]{8,10}:AA[A-Za-z0-9_\-]{33}(?![A-Za-z0-9_\-])")],
    "discord_bot_token": [("", r"[MNO][A-Za-z0-9_\-]{23,25}\.[A-Za-z0-9_\-]{6}\.[A-Za-z0-9_\-]{27,38}")],
    "square_key": [(r"sq0(?:atp|csp|idp)-", r"[A-Za-z0-9_\-]{22,43}")],
    "shopify_token": [(r"shp(?:at|ca|pa|ss)_", r"[a-fA-F0-9]{32}")],
    "digitalocean_token": [(r"do[opr]_v1_", r"[a-f0-9]{64}")],
    "azure_storage_key": [(r"AccountKey=", r"[A-Za-z0-9+/]{86}==")],
    "json_web_token": [(r"eyJ", r"[A-Za-z0-9_\-]{10,2000}\.eyJ[A-Za-z0-9_\-]{10,4000}\.[A-Za-z0-9_\-]{20,1000}")],
}
_FORMS = {kind: "|".join(f"(?:{prefix}){rest}" for prefix, rest in forms) for kind, forms in _KEYS.items()}
_PREFIX = {kind: re.compile("|".join(prefix for prefix, _ in forms)) for kind, forms in _KEYS.items()}
_KEY = re.compile(r"(?<![A-Za-z0-9_])(?:" + "|".join(f"(?P<{name}>{form})" for name, form in _FORMS.items()) + ")")
# How a key begins, to look at the whole forms in a few places only; one without such a beginning starts at its run.
_BEGINNING = re.compile(
    r"(?:A[KS]IA|A[BC][IC]A|gh[pousr]_|github_pat_|gl[a-z]{2,5}-|xox[abeoprs]-|hooks\.slack|[rs]k_live_|AIza|GOCSPX-|ya29|"
    r"sk-|SG\.|npm_|pypi-AgE|hf_|[0-9]{8,10}:AA|sq0|shp|do[opr]_v1_|AccountKey=|eyJ)"
)
_PEM = re.compile(
    r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----\s{0,4}"
    r"(?:[A-Z][A-Za-z\-]{1,20}: [^\n]{0,200}\n){0,5}"
    r"(?P<body>[A-Za-z0-9+/=\s\\]{64,20000})-----END (?:[A-Z0-9]{1,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----"
)
# One whose end is cut off: whole lines of 60 to 80 characters, and the last.
_PEM_LINES = re.compile(
    r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----\s{0,4}"
    r"(?P<body>(?:[A-Za-z0-9+/=]{60,80}[ \t]*\r?\n){1,300}(?:[A-Za-z0-9+/=]{1,80}(?![^\s]))?)"
)
_NAMED = re.compile(
    r"(?:api|access|auth|secret|private|client|account|bearer|encryption|signing)[_\- ]?(?:key|token|secret)|"
    r"(?:password|passwd|pwd|secret|token)"
)
_ASSIGNED = re.compile(r"[\w\-]{0,20}[\"'`]?\s{0,2}(?:=>|:=|[:=])\s{0,2}[\"'`]?([A-Za-z0-9+/=_\-]{16,200})")
_DIGEST = re.compile(r"sha-?\d*|md5|hash|digest|checksum|integrity|commit|revision|uuid|guid|public", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PLACEHOLDER = re.compile(
    r"example|sample|placeholder|dummy|changeme|your|(?P<sign>[xX0*.])(?P=sign){5}|12345678|abcdefgh|redacted",
    re.IGNORECASE,
)
_LOGIN = re.compile(r"://(?P<login>[^\s/@:\"'<>]{1,64}:(?P<password>[^\s/@\"'<>]{1,128}))")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9\-]+)+")
_NO_PASSWORD = frozenset((
    "password", "passwort", "passwd", "pass", "passw0rd", "pwd", "pw", "secret", "token", "pat", "apikey", "api_key",
    "key", "xxx", "user", "username", "name", "test", "guest", "anonymous", "none",
))  # fmt: skip
_RESERVED_HOST = re.compile(
    r"(?:.*\.)?(?:example\.(?:com|net|org)|example|test|invalid|localhost|local)|127\..*|0\.0\.0\.0"
)


def find_secrets(text: str, tokens: Iterable[tuple[int, int]]) -> Iterator[Span]:
    """Yield the keys that have one of the runs `tokens` in them, and private keys, in order."""
    spans = list(_private_keys(text)) if "PRIVATE KEY" in text else []
    end = 0
    for start, _ in tokens:
        if start < end:
            continue
        low = max(end, start - _REACH_BACK)
        found = next(_known(text, low, start), None) or _assigned(text, low, start)
        if found is not None:
            end = found.end
            spans.append(found)
    yield from sorted(spans)


def _private_keys(text: str) -> Iterator[Span]:
    at = text.find("-----BEGIN ")
    while at >= 0:
        key = _PEM.match(text, at) or _PEM_LINES.match(text, at)
        if key is not None and not _PLACEHOLDER.search(key["body"]):
            yield Span(key.start("body"), key.end("body"), "private_key", SECRETS, PROVEN)
        at = text.find("-----BEGIN ", at + 1)


def _known(text: str, low: int, start: int) -> Iterator[Span]:
    for at in (*(begin.start() for begin in _BEGINNING.finditer(text, low, start + 12)), start):
        key = _KEY.match(text, at)
        if (
            key is not None
            and key.end() > start
            and not _PLACEHOLDER.search(key[0])
            and entropy(key[0]) >= MIN_KEY_ENTROPY
        ):
            yield Span(at, key.end(), key.lastgroup or "key", SECRETS, PROVEN)


def _assigned(text: str, low: int, start: int) -> Span | None:
    """Return the value that a word like `api_key` is given."""
    window = text[low:start].lower()
    for word in _NAMED.finditer(window):
        value = _ASSIGNED.match(text, low + word.end())
        if value is None or not value.start(1) <= start < value.end(1):
            continue
        plain = value[1].rstrip("=")
        mixed = any(map(str.isdigit, plain)) and any(map(str.isalpha, plain)) and entropy(plain) >= MIN_ENTROPY
        if mixed and not (_UUID.fullmatch(plain) or _PLACEHOLDER.search(plain) or _DIGEST.search(window)):
            return Span(value.start(1), value.end(1), "assigned_secret", SECRETS, POSSIBLE)
    return None


def prefix_length(match: str, kind: str) -> int:
    """Return how many characters of a find of `kind` are the literal beginning of such keys; 0 where there is none."""
    found = _PREFIX[kind].match(match) if kind in _PREFIX else None
    return found.end() if found is not None else 0


def entropy(value: str) -> float:
    """Return Shannon's entropy of the characters of `value`, in bits a character; 0 for an empty text."""
    counts = Counter(value).values()
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts)


def find_logins(text: str) -> Iterator[Span]:
    """Yield `user:password` of addresses with both."""
    at = text.find("@")
    while at >= 0:
        begin = text.rfind("://", max(0, at - MAX_LOGIN), at)
        login = _login(text, begin, at) if begin >= 0 else None
        if login is not None:
            yield login
        at = text.find("@", at + 1)


def _login(text: str, begin: int, at: int) -> Span | None:
    match, host = _LOGIN.fullmatch(text, begin, at), _HOST.match(text, at + 1)
    if match is None or host is None or _RESERVED_HOST.fullmatch(host[0].lower()):
        return None
    password = match["password"].lower()
    if password in _NO_PASSWORD or _PLACEHOLDER.search(password) or not set("${}<>[]").isdisjoint(match["login"]):
        return None
    return Span(match.start("login"), match.end("login"), LOGIN, LOGINS, PROVEN)
