from __future__ import annotations

import gzip
import hashlib
import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import storage
from schemas.errors import ConfigError
from storage.network import remote
from tests.object_store import object_store
from transforms.safety import blocklist_files
from transforms.safety.address_hashes import name_hash, table_of
from transforms.safety.blocklist import Blocklist
from transforms.safety.blocklist_files import BlocklistConfig, domain_hashes, url_hashes
from transforms.step import Drop

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "lists" / "ut1"


def write(path: Path, *lines: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return str(path)


@pytest.fixture
def lists(tmp_path: Path) -> Blocklist:
    domains = ("evil.com", "sub.mixed.org", "UPPER.Example.", "192.0.2.7", "bücher.example", "*.star.net", ".dot.net")
    write(tmp_path / "ut1" / "adult" / "domains", *domains, "# remark", "", "0.0.0.0 hosts.net # why", "crlf.net\r")
    pages = ("site.com/bad", "http://www.Page.com/Dir/", "shop.com/list.php?id=5", "two.com/p?b=2&a=1", "whole.com")
    write(tmp_path / "ut1" / "gambling" / "urls", *pages)
    write(tmp_path / "words.txt", "casino", "XXX", "free poker", "секс")
    write(tmp_path / "soft.txt", "teen", "hot", "cam")
    write(tmp_path / "strict.txt", "pornhub")
    return Blocklist.load(
        BlocklistConfig(
            directories=(str(tmp_path / "ut1"),),
            words_files=(str(tmp_path / "words.txt"),),
            soft_words_files=(str(tmp_path / "soft.txt"),),
            substrings_files=(str(tmp_path / "strict.txt"),),
        )
    )


@pytest.mark.parametrize(
    ("url", "detail"),
    [
        ("http://evil.com/", "adult:evil.com"),
        ("https://A.b.EVIL.com./x", "adult:evil.com"),
        ("http://evil.com:8080/x", "adult:evil.com"),
        ("http://user@evil.com", "adult:evil.com"),
        ("http://www.sub.mixed.org/", "adult:sub.mixed.org"),
        ("http://upper.example/", "adult:upper.example"),
        ("http://192.0.2.7/x", "adult:192.0.2.7"),
        ("http://BÜCHER.example/", "adult:xn--bcher-kva.example"),
        ("http://xn--bcher-kva.example/", "adult:xn--bcher-kva.example"),
        ("http://a.star.net/", "adult:star.net"),
        ("http://dot.net/", "adult:dot.net"),
        ("http://hosts.net/", "adult:hosts.net"),
        ("http://crlf.net/", "adult:crlf.net"),
    ],
)
def test_domain_blocks_itself_and_its_subdomains(lists: Blocklist, url: str, detail: str) -> None:
    assert lists.check(url) == Drop("blocked_domain", detail=detail)


@pytest.mark.parametrize(
    "url",
    [
        "http://notevil.com/",
        "http://evil.com.au/",
        "http://evil.co/",
        "http://mixed.org/",
        "http://1.192.0.2.7/",
        "http://2.7/",
        "http://example.org/evil.com",
        "dns:evil.com",
        "http://com/",
        "http://net/",
        "",
    ],
)
def test_other_domains_pass(lists: Blocklist, url: str) -> None:
    assert lists.check(url) is None


@pytest.mark.parametrize(
    ("url", "detail"),
    [
        ("http://site.com/bad", "gambling:site.com/bad"),
        ("https://www.site.com/bad/deep/er?x=1#y", "gambling:site.com/bad"),
        ("http://site.com:8080/BAD", "gambling:site.com/bad"),
        ("http://page.com/dir", "gambling:page.com/dir"),
        ("http://page.com/dir/x", "gambling:page.com/dir"),
        ("http://shop.com/list.php?id=5", "gambling:shop.com/list.php?id=5"),
        ("http://shop.com/list.php?a=1&id=5", "gambling:shop.com/list.php?id=5"),
        ("http://two.com/p?a=1&b=2", "gambling:two.com/p?a=1&b=2"),
        ("http://whole.com/anything", "gambling:whole.com"),
    ],
)
def test_url_blocks_what_is_below_it(lists: Blocklist, url: str, detail: str) -> None:
    assert lists.check(url) == Drop("blocked_url", detail=detail)


@pytest.mark.parametrize(
    "url",
    [
        "http://site.com/badly",
        "http://site.com/",
        "http://sub.site.com/bad",
        "http://site.com/good/bad",
        "http://shop.com/list.php?id=55",
        "http://shop.com/list.php",
        "http://two.com/p?a=1",
        "http://sub.whole.com/",
    ],
)
def test_other_pages_pass(lists: Blocklist, url: str) -> None:
    assert lists.check(url) is None


@pytest.mark.parametrize(
    ("url", "drop"),
    [
        ("http://x.com/best-CASINO.html", Drop("blocked_word", detail="casino")),
        ("http://xxx.x.com/", Drop("blocked_word", detail="xxx")),
        ("http://x.com/free_poker", Drop("blocked_word", detail="free poker")),
        ("http://x.com/%D0%A1%D0%B5%D0%BA%D1%81/", Drop("blocked_word", detail="секс")),
        ("http://my-porn-hub.com/", Drop("blocked_word", detail="pornhub")),
        ("http://x.com/hot/hot/teen", Drop("blocked_word", 2.0, 1.0, "hot teen")),
        ("http://x.com/hot/hot", None),
        ("http://x.com/casinos", None),
        ("http://x.com/poker/free", None),
        ("http://x.com/a?q=casino", None),
    ],
)
def test_words(lists: Blocklist, url: str, drop: Drop | None) -> None:
    assert lists.check(url) == drop


def test_soft_words_limit_is_inclusive(tmp_path: Path) -> None:
    soft = write(tmp_path / "soft.txt", "a", "b", "c")
    config = BlocklistConfig(soft_words_files=(soft,), max_soft_words=2)
    assert Blocklist.load(config).check("http://x.com/a/b") is None
    assert Blocklist.load(config).check("http://x.com/a/b/c") == Drop("blocked_word", 3.0, 2.0, "a b c")


def test_nothing_is_blocked_without_lists() -> None:
    assert Blocklist.load(BlocklistConfig()).check("http://evil.com/") is None


def test_plain_and_compressed_files_name_their_category(tmp_path: Path) -> None:
    packed = tmp_path / "malware.txt.gz"
    packed.write_bytes(gzip.compress(b"\xef\xbb\xbfbad.org\nlast.org"))
    pages = write(tmp_path / "pages", "b.com/x")
    block = Blocklist.load(BlocklistConfig(domains_files=(str(packed),), urls_files=(pages,)))
    assert block.check("http://bad.org") == Drop("blocked_domain", detail="malware:bad.org")
    assert block.check("http://last.org") == Drop("blocked_domain", detail="malware:last.org")
    assert block.check("http://b.com/x") == Drop("blocked_url", detail="pages:b.com/x")
    assert [(source.kind, source.category, source.entries) for source in block.sources] == [
        ("domains", "malware", 2),
        ("urls", "pages", 1),
    ]


def test_other_names_of_a_category_are_followed_once(tmp_path: Path) -> None:
    write(tmp_path / "adult" / "domains", "evil.com")
    (tmp_path / "porn").symlink_to("adult")
    write(tmp_path / "agressif" / "domains", "rude.com")
    (tmp_path / "violence").write_text("agressif", encoding="utf-8")
    block = Blocklist.load(BlocklistConfig(directories=(str(tmp_path),), categories=("porn", "adult", "violence")))
    assert [source.category for source in block.sources] == ["adult", "agressif"]
    assert block.check("http://rude.com") == Drop("blocked_domain", detail="agressif:rude.com")


def test_first_category_of_an_entry_counts(tmp_path: Path) -> None:
    first, second = write(tmp_path / "one", "a.com"), write(tmp_path / "two", "a.com", "b.com")
    block = Blocklist.load(BlocklistConfig(domains_files=(first, second)))
    assert block.check("http://a.com") == Drop("blocked_domain", detail="one:a.com")
    assert len(block.domains) == 2


@pytest.mark.parametrize(
    "field", ["domains_files", "urls_files", "words_files", "soft_words_files", "substrings_files"]
)
def test_missing_file_is_one_line(tmp_path: Path, field: str) -> None:
    with pytest.raises(ConfigError, match=r"list '.*gone' cannot be read") as caught:
        Blocklist.load(BlocklistConfig(**{field: (str(tmp_path / "gone"),)}))
    assert "\n" not in str(caught.value)


def test_missing_or_empty_directory_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"directories: '.*gone' does not exist"):
        Blocklist.load(BlocklistConfig(directories=(str(tmp_path / "gone"),)))
    write(tmp_path / "press" / "domains", "news.com")
    with pytest.raises(ConfigError, match=r"has no list; expected <category>/domains or <category>/urls"):
        Blocklist.load(BlocklistConfig(directories=(str(tmp_path),)))


@pytest.mark.parametrize("place", ["memory://blocklists", "s3://box/blocklists"])
def test_lists_are_read_wherever_storage_reads(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "PAUSE_S", 0.0)
    with object_store():
        storage.write_atomic(f"{place}/ut1/adult/domains", b"evil.com\n")
        storage.write_atomic(f"{place}/words.txt.gz", gzip.compress(b"casino\n"))
        config = BlocklistConfig(
            directories=(f"{place}/ut1",), categories=("adult",), words_files=(f"{place}/words.txt.gz",)
        )
        block = Blocklist.load(config)
        assert block.check("http://evil.com/") is not None
        assert block.check("http://fine.com/casino") is not None
        assert block.check("http://fine.com/") is None
        (found,), (same,) = storage.files_below(f"{place}/ut1"), storage.files_below(f"{place}/words.txt.gz")
        assert found.endswith("blocklists/ut1/adult/domains")
        assert same.endswith("blocklists/words.txt.gz")
        storage.remove_tree(place)


def test_broken_gzip_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(b"not gzip")
    with pytest.raises(ConfigError, match="cannot be read: Not a gzipped file"):
        Blocklist.load(BlocklistConfig(domains_files=(str(path),)))


def test_wrong_limit_is_refused() -> None:
    with pytest.raises(ConfigError, match="max_soft_words: -1"):
        BlocklistConfig(max_soft_words=-1)


def test_survives_pickling(lists: Blocklist) -> None:
    copy = pickle.loads(pickle.dumps(lists))
    assert copy.check("http://evil.com/") == Drop("blocked_domain", detail="adult:evil.com")


_NAME = st.from_regex(r"[a-z0-9\-_]{1,9}(\.[a-z0-9\-_]{1,9}){0,3}", fullmatch=True)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.one_of(_NAME, st.text(max_size=12)), max_size=8))
def test_bulk_hash_equals_the_hash_of_each_line(lines: list[str]) -> None:
    data = "\n".join(lines).encode("utf-8", "replace")
    found = [blocklist_files._domains(line) for line in data.decode("utf-8").split("\n")]
    hashes, odd = domain_hashes(data)
    assert sorted(hashes.tolist()) == sorted(name_hash(name) for names in found for name in names or ())
    assert len(odd) == found.count(None)


def test_bulk_hash_does_not_depend_on_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"{hashlib.md5(str(n).encode(), usedforsecurity=False).hexdigest()[: n % 20 + 1]}.com" for n in range(500)]
    data = "\n".join(names).encode()
    whole = domain_hashes(data)[0]
    monkeypatch.setattr(blocklist_files, "CHUNK_BYTES", 7)
    assert domain_hashes(data)[0].tolist() == whole.tolist() == [name_hash(name) for name in names]


@pytest.mark.parametrize(
    ("line", "hosts"),
    [
        ("evil.com", ["evil.com"]),
        ("*.evil.com  # why", ["evil.com"]),
        (".evil.com#why", ["evil.com"]),
        ("https://evil.com/path", ["evil.com"]),
        ("evil.com:8080", ["evil.com"]),
        ("a_b.tumblr.com", ["a_b.tumblr.com"]),
        ("bücher.example", ["xn--bcher-kva.example"]),
        ("0.0.0.0 a.com", ["a.com"]),
        ("127.0.0.1\ta.com b.com  c.com #[Tracking]", ["a.com", "b.com", "c.com"]),
        (":: a.com b.com", ["a.com", "b.com"]),
        ("fe80::1%lo0 localhost", ["localhost"]),
        ("255.255.255.255 broadcasthost", ["broadcasthost"]),
        ("192.0.2.7", ["192.0.2.7"]),
        ("[2001:db8::7]", ["[2001:db8::7]"]),
        ("", []),
        ("   # remark", []),
        ("## remark ##", []),
        ("||ads.com^", None),
        ("@@||good.com^$document", None),
        ("news.com##.banner", None),
        ("news.com#@#.banner", None),
        ("news.com#?#div:has(> .ad)", None),
        ("! Title: ads", None),
        ("[Adblock Plus 2.0]", None),
        ("address=/ads.com/0.0.0.0", None),
        ("server=/ads.com/", None),
        ('local-zone: "ads.com" static', None),
        ("ads.com,2024-01-01", None),
        ("1,google.com", None),
        ("1;google.com", None),
        ("ads.com CNAME .", None),
        ("<!DOCTYPE html>", None),
        ("<p>", None),
        ('"ads.com",', None),
    ],
)
def test_lines_of_domains(line: str, hosts: list[str] | None) -> None:
    assert blocklist_files._domains(line) == hosts


@pytest.mark.parametrize(
    "text",
    [
        "[Adblock Plus 2.0]\n! Title: x\n||ad1.example^\n||ad2.example^$third-party\nad3.example##.banner\n",
        "address=/dm1.example/0.0.0.0\nserver=/dm2.example/\n",
        "rank,domain\n1,csv1.example\n2,csv2.example\n",
        "<html>\n<head><title>404</title></head>\n<body>Not found</body>\n</html>\n",
        '["json.example", "other.example"]\n',
    ],
)
def test_a_list_of_another_format_is_refused_not_read_as_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "list.txt").write_text(text, encoding="latin-1")
    for kind in ("domains", "urls"):
        with pytest.raises(ConfigError, match=rf"^{kind} list '.*list\.txt': \d of \d lines are no entries") as error:
            Blocklist.load(BlocklistConfig(**{f"{kind}_files": (str(tmp_path / "list.txt"),)}))
        assert "\n" not in str(error.value)


def test_a_stray_line_does_not_refuse_a_list(tmp_path: Path) -> None:
    path = write(tmp_path / "list.txt", "Title: mine", "evil.com", "bad.com", "0.0.0.0 one.com two.com")
    lists = Blocklist.load(BlocklistConfig(domains_files=(path,)))
    assert [lists.check(f"http://{name}/") is not None for name in ("evil.com", "one.com", "two.com")] == [True] * 3
    assert lists.check("http://mine/") is None


@settings(deadline=None, max_examples=150)
@given(st.text(max_size=60))
def test_check_is_total(url: str) -> None:
    block = Blocklist(
        categories=("c",),
        domains=table_of([(domain_hashes(b"evil.com")[0], 0)]),
        urls=table_of([(url_hashes(b"a.com/x")[0], 0)]),
        url_hosts=table_of([(url_hashes(b"a.com/x")[1], 0)]),
        words=frozenset({"bad"}),
        soft_words=frozenset(),
        phrases=(),
        substrings=(),
        max_soft_words=1,
        sources=(),
    )
    block.check(url)
    assert block.check("http://a." + "a." * 500 + "evil.com/" + url) == Drop("blocked_domain", detail="c:evil.com")


@pytest.mark.skipif(not SHARED.is_dir(), reason="real UT1 lists are not beside this checkout")
def test_real_lists_block_every_entry_they_hold() -> None:
    block = Blocklist.load(BlocklistConfig(directories=(str(SHARED),)))
    counts = {(source.category, source.kind): source.entries for source in block.sources}
    assert counts[("gambling", "domains")] == 32_247
    assert counts[("agressif", "urls")] == 36
    for name in (SHARED / "gambling" / "domains").read_text(encoding="utf-8").split()[::50]:
        drop = block.check(f"https://www.{name}/play")
        assert drop is not None
        assert drop.reason == "blocked_domain"
    for page in (SHARED / "adult" / "urls").read_text(encoding="utf-8").split()[::20]:
        assert block.check(f"http://{page}") is not None
    assert block.check("https://en.wikipedia.org/wiki/Gambling") is None
