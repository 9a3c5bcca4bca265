"""One value of each kind of personal data in every place of a document, and none of them behind `web/extract`."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pyarrow.parquet as pq
import pytest

from tests.pipelines.conftest import SETTINGS, sentences
from tests.transforms.sources.conftest import http, warc

PLANTED = {
    "email": ("write to {}", "jo.doe@host.com"),
    "ipv4": ("from {}", "106.31.73.20"),
    "ipv6": ("from {}", "2606:4700:4700::1111"),
    "login": ("see https://{}@git.host.com", "jo:s3cr3t!x"),
    "github_token": ("use {}", "ghp_q7Zt2KfXw9LmB4vRn8Hs1PdYc6JgT3eA5uQo"),
    "card": ("card {}", "5277 7162 0146 9117"),
    "iban": ("pay to {}", "DE54 5205 0353 0002 0650 69"),
    "us_ssn": ("SSN {}", "460-89-9847"),
}
ALL = ", ".join(sentence.format(value) for sentence, value in PLANTED.values())
NEEDLES = {
    form.encode()
    for _, value in PLANTED.values()
    for form in (value, value.lower(), quote(value), quote_plus(value), quote(quote(value)), value.replace(" ", ""))
}
EXTRACTED = ("web/index", "web/extract")  # which have the records as they were crawled


def address(host: str, number: int) -> str:
    """Return an address with each kind in its user info, its path or its query."""
    words = "&".join(f"{kind}={quote_plus(value)}" for kind, (_, value) in PLANTED.items() if kind != "login")
    nested = quote(f"https://b.org/?m={quote('jo.doe@host.com')}", safe="")
    return f"https://jo:s3cr3t!x@{host}/by/jo.doe%40host.com/{number}?to={nested}&{words}#jo.doe@host.com"


def personal(seed: int) -> str:
    """Return a text with each kind in a line that no other text has."""
    return f"{sentences(seed)}\n{sentences(seed + 100, 1).removesuffix('.')}, so please {ALL}."


def page(number: int, text: str) -> bytes:
    title, description = f"Page {number} of {ALL}", f"Page {number} is about {ALL}"
    paragraphs = "".join(f"<p>{line}</p>" for line in text.split("\n"))
    html = (
        f'<html><head><title>{title}</title><meta name="description" content="{description}"></head>'
        f"<body><article><h1>{title}</h1>{paragraphs}</article></body></html>"
    )
    uri = address(f"www.site{number}.org", number)
    return gzip.compress(warc(http(html.encode()), number=number, WARC_Target_URI=uri))


@pytest.fixture(scope="module")
def run(command: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run of the whole recipe over pages and rows that are kept, dropped as too short, and dropped as copies."""
    folder = tmp_path_factory.mktemp("personal")
    texts = [personal(n) for n in range(6)] + [f"Please {ALL}."]
    (folder / "pages.warc.gz").write_bytes(b"".join(page(n, text) for n, text in enumerate(texts)))
    rows = [
        {"text": text, "url": address(f"row{n}.org", n), "id": f"{n} jo.doe@host.com", "by": ALL,
         "site": address("x.org", n), **{kind: [value] for kind, (_, value) in PLANTED.items() if kind != "login"}}
        for n, text in enumerate([*texts[4:], personal(40)])
    ]  # fmt: skip
    rows.append({**rows[0], "url": "https://row0.org/copy?m=jo.doe@host.com", "id": "copy"})
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "small.yaml").write_text(json.dumps(SETTINGS))
    out = folder / "run"
    said = command("run", "--input", folder / "pages.warc.gz", folder / "rows.jsonl", "--output", out,
                   "--config", folder / "small.yaml")  # fmt: skip
    assert said.code == 0, said.err
    return out, said.out + said.err


def tables(folder: Path, table: str = "*") -> dict[Path, list[dict[str, Any]]]:
    files = folder.glob(f"**/{table}/*.parquet")
    return {file.relative_to(folder): pq.read_table(file).to_pylist() for file in files}


def found_in(told: bytes) -> list[bytes]:
    return [needle for needle in NEEDLES if needle in told]


def test_nothing_planted_is_in_a_file_behind_the_extraction(run: tuple[Path, str]) -> None:
    folder, printed = run
    later = {name: rows for name, rows in tables(folder).items() if not str(name).startswith(EXTRACTED)}
    assert {name.parts[-2] for name in later} >= {"documents", "rejected", "dropped", "edits", "source=common_crawl"}
    leaks = {str(name): found_in(repr(rows).encode()) for name, rows in later.items()}
    for file in folder.rglob("*"):
        name = str(file.relative_to(folder))
        if file.is_file() and not name.startswith(EXTRACTED):
            leaks[f"{name}, its bytes"] = found_in(file.read_bytes())
    leaks["the terminal"] = found_in(printed.encode())
    assert any("logs" in name for name in leaks)
    assert {name: found for name, found in leaks.items() if found} == {}


def test_they_were_there_and_are_replaced_in_every_place(run: tuple[Path, str]) -> None:
    folder, _ = run
    before = [row for rows in tables(folder / "web" / "extract", "documents").values() for row in rows]
    after = {row["id"]: row for rows in tables(folder / "dedup", "documents").values() for row in rows}
    assert len(before) == 11
    assert 6 <= len(after) < len(before)
    for row in before:
        for place in (row["url"], row["metadata"] or row["web"]["title"], row["text"]):
            assert found_in(place.encode()), place
        new = after.get(row["id"])
        if new is not None:
            assert new["url"].partition("@")[2].partition("/")[0] == row["url"].partition("@")[2].partition("/")[0]
            assert (new["archive"], new["offset"]) == (row["archive"], row["offset"])
    rows = [row for row in after.values() if row["metadata"]]
    told = rows[0]["text"].partition("write to ")[2].partition(",")[0]
    assert told.startswith("name")
    assert {json.loads(row["metadata"])["email"][0] for row in rows} == {told}


def test_nothing_planted_is_in_what_commands_print_or_export(run: tuple[Path, str], call: Any, tmp_path: Path) -> None:
    folder, _ = run
    for kind in ("parquet", "jsonl"):
        assert call("export", folder, "--to", tmp_path / kind, "--format", kind).code == 0
    files = filter(Path.is_file, tmp_path.rglob("*"))
    told = [repr(pq.read_table(f).to_pylist()).encode() if f.suffix == ".parquet" else f.read_bytes() for f in files]
    assert len(told) >= 4
    for words in (("ledger", folder), ("ledger", folder, "--json"), ("show", folder, "--limit", 0, "--json"),
                  ("show", folder, "--table", "dropped", "--stage", "web/clean", "--json")):  # fmt: skip
        said = call(*words)
        assert said.code == 0
        told.append((said.out + said.err).encode())
    assert [found_in(text) for text in told if found_in(text)] == []


def test_a_document_is_found_by_its_address_as_it_was_crawled(run: tuple[Path, str], call: Any) -> None:
    found = call("show", run[0], "--url", "www.site1.org/by/jo.doe%40host.com/1?", "--json").json
    assert [row["stage"] for row in found] == ["dedup"]
    assert found[0]["url"].startswith("https://name")
    assert call("show", run[0], "--url", "nobody.org", "--json").json == []
    (row,) = call("show", run[0], "--id", "3 jo.doe@host.com", "--json").json
    assert row["record_id"].startswith("3 name")
