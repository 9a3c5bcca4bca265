"""Keys and logins. Keys are put together here, so that no scanner takes this file for a leak."""

from __future__ import annotations

import random
import re
import string

import pytest

from transforms.safety.pii.redact import PiiConfig, find_spans, redact
from transforms.safety.pii.secrets import entropy
from transforms.step import Edit
from transforms.text.view import TextView

HEX = "9b1f0c3d7a5e8426" * 4
LETTERS = string.ascii_lowercase + string.ascii_uppercase
MIXED = "q7Zt2KfXw9LmB4vRn8Hs1PdYc6JgT3eA5uQoWi0x"


def found(text: str, config: PiiConfig | None = None) -> list[tuple[str, str]]:
    return [(span.kind, text[span.start : span.end]) for span in find_spans(text, config)]


KEYS = [
    ("aws_access_key", "AKIA" + "Q3EGR7ZKLM2XWT5B"),
    ("github_token", "ghp_" + MIXED[:36]),
    ("gitlab_token", "glpat-" + MIXED[:20]),
    ("slack_token", "xoxb-" + "481927365019-4819273650195-" + MIXED[:24]),
    ("slack_webhook", "hooks.slack.com/services/" + "T0A1B2C3D/B0A1B2C3D/" + MIXED[:24]),
    ("stripe_key", "sk_live_" + MIXED[:24]),
    ("google_api_key", "AIza" + MIXED[:35]),
    ("openai_key", "sk-proj-" + MIXED[:24] + "T3BlbkFJ" + MIXED[:24]),
    ("sendgrid_key", "SG." + MIXED[:22] + "." + (MIXED + MIXED)[:43]),
    ("mailchimp_key", HEX[:32] + "-us12"),
    ("npm_token", "npm_" + MIXED[:36]),
    ("pypi_token", "pypi-AgE" + MIXED + MIXED),
    ("hugging_face_token", "hf_" + MIXED[:34]),
    ("telegram_bot_token", "481927365:AA" + MIXED[:33]),
    ("shopify_token", "shpat_" + HEX[:32]),
    ("digitalocean_token", "dop_v1_" + HEX),
    ("json_web_token", "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0NTY3ODkwIn0." + MIXED),
]


@pytest.mark.parametrize(("kind", "key"), KEYS)
def test_keys_of_services(kind: str, key: str) -> None:
    assert found(f'key = "{key}"\n') == [(kind, key)]
    assert found(f"x{key}") == [] or kind == "slack_webhook"
    text = f"use {key}, please"
    once = redact(TextView(text), PiiConfig()).apply(text)
    assert key not in once
    assert len(once) == len(text)
    assert redact(TextView(once), PiiConfig()) == Edit()


FREE = {  # of each kind the beginning, the length and the signs of the rest, where no sign has to be of one sort
    "github_token": ("ghp_", 36, LETTERS), "hugging_face_token": ("hf_", 34, LETTERS),
    "npm_token": ("npm_", 36, LETTERS), "stripe_key": ("sk_live_", 24, LETTERS),
    "slack_webhook": ("hooks.slack.com/services/TQWKZMNRX/BKZMNRXQW/", 24, LETTERS),
    "gitlab_token": ("glpat-", 20, LETTERS + "0-_"), "google_api_key": ("AIza", 35, LETTERS + "0-_"),
    "google_oauth": ("GOCSPX-", 28, LETTERS + "0-_"), "square_key": ("sq0atp-", 22, LETTERS + "0-_"),
    "aws_access_key": ("AKIA", 16, LETTERS[26:]),
}  # fmt: skip


@pytest.mark.parametrize("kind", FREE)
def test_keys_without_a_digit_and_with_hyphens_anywhere(kind: str) -> None:
    beginning, length, signs = FREE[kind]
    draw = random.Random(kind)
    keys = [beginning + "".join(draw.choices(signs, k=length - 1)) + draw.choice(signs[:6]) for _ in range(300)]
    keys = [key for key in keys if entropy(key) >= 3]
    missed = [key for key in keys if found(f"use {key} now") != [(kind, key)]]
    assert len(keys) > 20
    assert missed == []


LITERAL = {
    "aws_access_key": "AKIA",
    "github_token": "ghp_",
    "gitlab_token": "glpat-",
    "slack_token": "xoxb-",
    "slack_webhook": "hooks.slack.com/services/",
    "stripe_key": "sk_live_",
    "google_api_key": "AIza",
    "openai_key": "sk-proj-",
    "sendgrid_key": "SG.",
    "npm_token": "npm_",
    "pypi_token": "pypi-AgE",
    "hugging_face_token": "hf_",
    "shopify_token": "shpat_",
    "digitalocean_token": "dop_v1_",
    "json_web_token": "eyJ",
}


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        *KEYS,
        ("google_api_key", "AIza" + "SyA1b_2c3D" + MIXED[:25]),  # the mark ends no prefix
        ("sendgrid_key", "SG." + "Zt2_" + MIXED[:18] + "." + "a-b_" + MIXED[:39]),
        ("assigned_secret", "Tr0ub4dor_" + MIXED[:12]),
        ("assigned_secret", "QWER" + MIXED[:12]),
    ],
)
def test_nothing_of_a_key_stays_but_what_all_of_its_kind_begin_with(kind: str, key: str) -> None:
    text = f'secret = "{key}"\n'
    edit = redact(TextView(text), PiiConfig(min_confidence=0.6))
    assert edit.reasons == [kind]
    prefix = LITERAL.get(kind, "")
    assert re.fullmatch(
        f'secret = "{re.escape(prefix)}X{{{len(key) - len(prefix) - 4}}}[0-9]{{4}}"\n', edit.apply(text)
    )
    assert redact(TextView(edit.apply(text)), PiiConfig(min_confidence=0)) == Edit()


def test_private_keys() -> None:
    body = "\n" + (MIXED + "\n") * 4
    for name in ("RSA ", "EC ", "OPENSSH ", "ENCRYPTED ", ""):
        text = f"x -----BEGIN {name}PRIVATE KEY-----{body}-----END {name}PRIVATE KEY----- y"
        edit = redact(TextView(text), PiiConfig())
        once = edit.apply(text)
        assert edit.reasons == ["private_key"]
        assert MIXED not in once
        assert redact(TextView(once), PiiConfig()) == Edit()
    assert found(f"-----BEGIN PUBLIC KEY-----{body}-----END PUBLIC KEY-----") == []
    line = (MIXED * 2)[:64] + "\n"
    for end in ("", "-----END", MIXED[:9], "\n\nThe page goes on."):
        cut = f"-----BEGIN RSA PRIVATE KEY-----\n{line * 3}{end}"
        assert line.strip() not in redact(TextView(cut), PiiConfig()).apply(cut)
        assert redact(TextView(cut), PiiConfig()).apply(cut).endswith(end.lstrip(MIXED))
    assert found("-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----") == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (f'api_key = "{MIXED}"', MIXED),
        (f"client-secret: {MIXED}", MIXED),
        (f"'apiToken' => '{MIXED}'", MIXED),
        (f"sha256 secret = {MIXED}", None),  # a digest
        ("api_key = 550e8400-e29b-41d4-a716-446655440000", None),  # a UUID
        ("api_key = your_api_key_goes_here_123", None),
        ("api_key = aaaaaaaaaaaaaaaaaaaa1111", None),
        (f"key {MIXED}", None),
    ],
)
def test_values_that_a_word_calls_secret_are_possible_alone(text: str, value: str | None) -> None:
    assert found(text) == []
    assert found(text, PiiConfig(min_confidence=0.6)) == ([("assigned_secret", value)] if value else [])


@pytest.mark.parametrize(
    ("text", "login"),
    [
        ("https://jo:s3cr3t!x@git.host.com/a.git", "jo:s3cr3t!x"),
        ("postgres://app:Tr0ub4dor@db.host.com:5432/x", "app:Tr0ub4dor"),
        ("ftp://jo%40host.com:abc123@ftp.host.org", "jo%40host.com:abc123"),
    ],
)
def test_logins(text: str, login: str) -> None:
    assert found(f"see {text} there") == [("login", login)]
    once = redact(TextView(text), PiiConfig()).apply(text)
    assert login not in once
    assert once.endswith(text[text.rindex("@") :])
    assert redact(TextView(once), PiiConfig()) == Edit()


def test_entropy() -> None:
    assert [entropy(text) for text in ("", "aaaa", "ab", "abcd")] == [0, 0, 1, 2]
