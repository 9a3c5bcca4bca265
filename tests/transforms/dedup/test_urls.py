from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.dedup import urls
from transforms.dedup.urls import host, normalise, url_key

MD5 = "0123456789abcdef0123456789abcdef"

CASES = [
    # plain
    ("http://example.com/a/b", "example.com/a/b"),
    ("https://example.com/a/b", "example.com/a/b"),
    ("example.com/a/b", "example.com/a/b"),
    ("https://example.com/A/b.HTML", "example.com/A/b.HTML"),
    ("https://example.com/index.html", "example.com/index.html"),
    # 1 white space
    ("  http://example.com/a \n", "example.com/a"),
    ("http://exa\tmple.com/a\r\nb", "example.com/ab"),
    ("\x00http://example.com/\x1f", "example.com"),
    # 2 scheme
    ("HTTP://EXAMPLE.com/", "example.com"),
    ("//example.com/a", "example.com/a"),
    ("wss://example.com/a", "example.com/a"),
    ("http:/example.com/a", "example.com/a"),
    ("http:example.com/a", "example.com/a"),
    ("FTP://example.com/a", "ftp://example.com/a"),
    ("dns:www.Example.com", "dns:www.Example.com"),
    ("URN:uuid:AB", "urn:uuid:AB"),
    ("mailto:a@b.c", "mailto:a@b.c"),
    ("localhost:8080/x", "localhost:8080/x"),
    ("http://http:8080/x", "http:8080/x"),
    # 3 back slashes
    ("http:\\\\example.com\\a\\b?c=\\d", "example.com/a/b?c=%5Cd"),
    # 4 fragment
    ("http://example.com/a#part", "example.com/a"),
    ("http://example.com/#", "example.com"),
    ("http://example.com/a?x=1#y?z=2", "example.com/a?x=1"),
    ("http://example.com/a#!/b c", "example.com/a#!/b%20c"),
    ("http://example.com/a#!", "example.com/a"),
    # 5 user info
    ("http://user:pa@ss@example.com/", "example.com"),
    # 6 host
    ("http://Example.COM./a", "example.com/a"),
    ("http://bücher.example/a", "xn--bcher-kva.example/a"),
    ("http://BÜCHER.example/a", "xn--bcher-kva.example/a"),
    ("http://b%C3%BCcher.example/a", "xn--bcher-kva.example/a"),
    ("http://xn--bcher-kva.example/a", "xn--bcher-kva.example/a"),
    ("http://straße.de/", "xn--strae-oqa.de"),
    ("http://例え。テスト/", "xn--r8jz45g.xn--zckzah"),
    ("http://ｅｘａｍｐｌｅ．com/", "example.com"),
    ("http://exam%70le.com/", "example.com"),
    ("http://a%2Fb.com/c", "a%2fb.com/c"),
    ("http://a b.com/c", "a%20b.com/c"),
    ("http://[2001:DB8:0:0::1]:80/a", "[2001:db8::1]/a"),
    ("http://[2001:db8::1]:8080/a", "[2001:db8::1]:8080/a"),
    ("http://[nonsense]/a", "%5bnonsense%5d/a"),
    ("http://192.0.2.1/a", "192.0.2.1/a"),
    # 7 www
    ("http://www.example.com/a", "example.com/a"),
    ("http://www2.example.com/a", "example.com/a"),
    ("http://WWW.www.example.com/a", "example.com/a"),
    ("http://www.com/a", "www.com/a"),
    ("http://wwwx.example.com/a", "wwwx.example.com/a"),
    # 8 port
    ("http://example.com:80/a", "example.com/a"),
    ("https://example.com:443/a", "example.com/a"),
    ("http://example.com:0443/a", "example.com/a"),
    ("http://example.com:/a", "example.com/a"),
    ("http://example.com:8080/a", "example.com:8080/a"),
    ("ftp://example.com:21/a", "ftp://example.com/a"),
    ("http://example.com:21/a", "example.com:21/a"),
    ("http://example.com:x1/a", "example.com%3ax1/a"),
    # 9 percent
    ("http://example.com/%7euser/%41", "example.com/~user/A"),
    ("http://example.com/%c3%a9", "example.com/%C3%A9"),
    ("http://example.com/é", "example.com/%C3%A9"),
    ("http://example.com/a b", "example.com/a%20b"),
    ("http://example.com/100%", "example.com/100%25"),
    ("http://example.com/%zz", "example.com/%25zz"),
    ("http://example.com/%2541", "example.com/%2541"),
    ("http://example.com/a%2Fb", "example.com/a%2Fb"),
    ("http://example.com/a,b;c(d)!", "example.com/a,b;c(d)!"),
    # 10 sessions in the path
    ("http://example.com/a;jsessionid=0A1B?x=1", "example.com/a?x=1"),
    ("http://example.com/a;JSESSIONID=0A1B/b", "example.com/a/b"),
    ("http://example.com/(S(abcdefghijklmnopqrstuvwx))/a.aspx", "example.com/a.aspx"),
    ("http://example.com/(S(abc))/a.aspx", "example.com/(S(abc))/a.aspx"),
    # 11 path
    ("http://example.com", "example.com"),
    ("http://example.com/", "example.com"),
    ("http://example.com/a/", "example.com/a"),
    ("http://example.com//a///b//", "example.com/a/b"),
    ("http://example.com/a/./b/../c", "example.com/a/c"),
    ("http://example.com/../../a", "example.com/a"),
    ("http://example.com/a/%2e%2E/b", "example.com/b"),
    ("http://example.com/a/..", "example.com"),
    ("http://example.com/.well-known/x", "example.com/.well-known/x"),
    ("/a/b", "/a/b"),
    # 12 query
    ("http://example.com/?", "example.com"),
    ("http://example.com/a/?x=1", "example.com/a?x=1"),
    ("http://example.com/a?b=2&a=1", "example.com/a?a=1&b=2"),
    ("http://example.com/a?a=2&b=0&a=1", "example.com/a?a=2&a=1&b=0"),
    ("http://example.com/a?&&x=1&", "example.com/a?x=1"),
    ("http://example.com/a?q=x+y", "example.com/a?q=x%20y"),
    ("http://example.com/a?q=x%2By", "example.com/a?q=x%2By"),
    ("http://example.com/a?x[]=1", "example.com/a?x%5B%5D=1"),
    ("http://example.com/a?utm_source=x&UTM_medium=y&id=3", "example.com/a?id=3"),
    ("http://example.com/a?gclid=1&fbclid=2&mc_eid=3&_ga=4", "example.com/a"),
    ("http://example.com/a?pk_campaign=x&pk=7", "example.com/a?pk=7"),
    ("http://example.com/a?ref=branch&feed=rss", "example.com/a?feed=rss&ref=branch"),
    ("http://example.com/a?utm=1&myutm_source=2", "example.com/a?myutm_source=2&utm=1"),
    ("http://example.com/a?PHPSESSID=1&ASPSESSIONIDABCDEFGH=2&x=1", "example.com/a?x=1"),
    ("http://example.com/a?CFID=1&CFTOKEN=2&x=1", "example.com/a?x=1"),
    ("http://example.com/a?sessionid=0123456789abcdef0123456789ABCDEF&x=1", "example.com/a?x=1"),
    ("http://example.com/a?SESSION_ID=123e4567-e89b-12d3-a456-426614174000", "example.com/a"),
    ("http://example.com/a?sessid=q1w2e3r4t5y6u7i8o9p0zxcv", "example.com/a"),
    # the same names as content: sessions of a conference, films of a cinema, UTM coordinates, health accounts
    ("http://example.com/a?session_id=2", "example.com/a?session_id=2"),
    ("http://example.com/a?sessionid=20240518", "example.com/a?sessionid=20240518"),
    ("http://example.com/a?sessionid=1234567890123456789012", "example.com/a?sessionid=1234567890123456789012"),
    ("http://example.com/a?sessid=opening-keynote-2024", "example.com/a?sessid=opening-keynote-2024"),
    ("http://example.com/a?session_id=theopeningkeynote", "example.com/a?session_id=theopeningkeynote"),
    ("http://example.com/a?cfid=12", "example.com/a?cfid=12"),
    ("http://example.com/a?utm_zone=33&utm_x=5&utm_campaign=z", "example.com/a?utm_x=5&utm_zone=33"),
    ("http://example.com/a?hsa_plan=7&hsa_acc=1", "example.com/a?hsa_plan=7"),
    ("http://example.com/a?mtm_level=7&piwik_page=1", "example.com/a?mtm_level=7&piwik_page=1"),
    (f"http://example.com/a?sid={MD5}&x=1", "example.com/a?x=1"),
    ("http://example.com/a?sid=42", "example.com/a?sid=42"),
    ("http://example.com/a??x", "example.com/a??x"),
    # nothing at all
    ("", ""),
    ("/", ""),
    ("?", ""),
]


@pytest.mark.parametrize(("url", "expected"), CASES)
def test_normal_form(url: str, expected: str) -> None:
    assert normalise(url) == expected
    assert normalise(expected) == expected


# fmt: off
_PIECES = st.sampled_from([
    "http://", "https://", "HTTP:", "ftp://", "//", "/", "\\", "..", ".", "%2e", "%", "%4", "%41", "%2F", "%25", "www.",
    "www2.", "example", "com", "é", "Σ", "ß", "℀", "％", "／", "…", "İ", "K", "@", ":", ":80", "8080", "[", "]", "::1",
    "?", "#", "#!", "!", "&", "=", "a=1", "utm_term=1", ";jsessionid=1", "+", "%20", "mailto:", "xn--", "-", "~", "(",
    " ", "\t", "(S(abcdefghijklmnopqrstuvwx))", "\ud800",
])
# fmt: on


@settings(deadline=None, max_examples=400)
@given(st.one_of(st.text(max_size=40), st.lists(_PIECES, max_size=9).map("".join)))
def test_total_and_idempotent(url: str) -> None:
    normal = normalise(url)
    assert normalise(normal) == normal
    assert all(0 <= half < 1 << 64 for half in url_key(url))
    assert host(url) == host(url).strip(".")


@settings(deadline=None, max_examples=300)
@given(st.from_regex(urls._PLAIN, fullmatch=True))
def test_short_cut_for_plain_addresses_changes_nothing(url: str) -> None:
    assert normalise(url) == urls._by_rules(url)


def test_key_is_the_hash_of_the_normal_form() -> None:
    digest = hashlib.blake2b(b"example.com/a", digest_size=16).digest()
    expected = (int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little"))
    assert url_key("https://www.example.com/a/?utm_source=x") == expected
    assert url_key("https://example.com/b") != expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://www.Example.com.:8080/a", "www.example.com"),
        ("https://www.example.com", "www.example.com"),
        ("https://user@example.com?x", "example.com"),
        ("example.com:80", "example.com"),
        ("ftp://[2001:db8::1]:21/", "[2001:db8::1]"),
        ("http://Bücher.example/", "xn--bcher-kva.example"),
        ("dns:example.com", ""),
        ("/path", ""),
        ("", ""),
    ],
)
def test_host(url: str, expected: str) -> None:
    assert host(url) == expected


def test_huge_input() -> None:
    assert normalise("http://example.com/" + "a/../" * 100_000) == "example.com"
    assert len(normalise("%" * 100_000)) == 300_000
