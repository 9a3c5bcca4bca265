"""Features of the blocks of a page: integers, the same on every machine.

No logarithm, no exponential, no floating-point sum: the trees only compare, and counts are sums of integers. A share is
`1000 * part // whole`. Columns come in grids, one row a column, so that numpy is asked seldom and for much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from transforms.extraction.choice.lexicon import Lexicon, Names
from transforms.extraction.choice.page_kind import KINDS
from transforms.extraction.parsing.outline import Outline
from transforms.extraction.parsing.structure import LANDMARKS, Elements, elements_of

Ints = NDArray[np.int64]

LONG_WORDS = 12  # words from which on a block outside links is prose (our value)
LEVELS = 6  # the box and five wider ancestors
REACH = 3  # neighbours on either side
WINDOWS = (4, 12)  # blocks on either side
MAIN_SHARES = (500, 700, 900)  # thousandths of a page's prose that a main element holds
OFF_MAIN = f"off_main_{MAIN_SHARES[1]}"  # the feature that is 0 in what is taken for the main element
_TAGS = (
    *("p", "li", "h1", "h2", "h3", "h4", "h5", "h6", "div", "td", "th", "span", "a", "dt", "dd", "pre", "blockquote"),
    *("figcaption", "button", "label", "time", "strong", "b", "em", "i", "section", "article", "summary", "legend"),
    *("caption", "header", "footer", "nav", "small", "cite", "code"),
)
TAG_CODES = {tag: at + 1 for at, tag in enumerate(_TAGS)}
_HEADINGS = {f"h{level}": level for level in range(1, 7)}


@dataclass(slots=True)
class Grid:
    """Columns, in the order they were added."""

    names: list[str] = field(default_factory=list)
    parts: list[Ints] = field(default_factory=list)  # rows of columns

    def add(self, **columns: Ints) -> None:
        """Add columns by name."""
        self.names += columns
        self.parts += [column[None] for column in columns.values()]

    def add_rows(self, names: Sequence[str], rows: Ints) -> None:
        """Add the rows of an array."""
        self.names += names
        self.parts.append(rows)


@dataclass(frozen=True, slots=True)
class Features:
    """The blocks of a page as the forest sees them."""

    names: tuple[str, ...]
    table: Ints  # one row a feature, one column a block
    words: Ints  # of each block
    series: Ints  # the element whose repeated children a block's topmost one is among, -1: none

    def column(self, name: str) -> Ints:
        """Return one feature of every block."""
        return np.asarray(self.table[self.names.index(name)], np.int64)

    def columns(self, names: tuple[str, ...]) -> Ints:
        """Return the table with these features alone, in this order. Raises KeyError for one that there is not."""
        if names == self.names:
            return self.table
        place = {name: at for at, name in enumerate(self.names)}
        return self.table[[place[name] for name in names]]


def features_of(outline: Outline, names: Names, lexicon: Lexicon, kinds: tuple[int, ...]) -> Features:
    """Return the features of every block of a page that has one; `kinds` are the page kinds' scores."""
    elements = elements_of(outline, names, lexicon)
    owners, boxes = np.array(outline.owners, np.int64), np.array(outline.boxes, np.int64)
    text = _text_of(outline, lexicon)
    way = _way_of(outline, elements, owners, boxes)
    level = _levels(outline, owners, boxes)
    grid = Grid()
    grid.add(**text)
    grid.add(**way)
    grid.add_rows([f"in_{name}" for name in LANDMARKS], elements.landmarks[owners] >> _SHIFTS & 1)
    _add_headings(grid, level, text, way)
    sums = _Sums.of(text)
    _add_containers(grid, elements, boxes, sums)
    _add_mains(grid, elements, sums)
    outer = elements.outer_series[owners]
    for name, nearest in (("series", elements.series[owners]), ("outer", outer)):
        _add_series(grid, name, nearest, elements, sums)
    _add_signatures(grid, _block_signatures(outline), text)
    _add_page(grid, level, kinds, sums)
    _add_neighbours(grid, text, way, sums)
    series = np.where(outer < 0, -1, elements.parent[outer])
    return Features(tuple(grid.names), np.concatenate(grid.parts), text["words"], series)


def share(part: Ints, whole: Ints | int) -> Ints:
    """Return thousandths of the whole; 0 of nothing."""
    return np.asarray(1000 * part // np.maximum(whole, 1), np.int64)


def prefix_sums(values: Ints) -> Ints:
    """Return sums with a leading 0, so that the sum of start..end is sums[end] - sums[start]."""
    out = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=out[1:])
    return out


# ---- the text -------------------------------------------------------------------------------------------------------

# Of a code point: 1 space, 2 digit, 3 stop, 4 comma and the like, 5 capital, 6 other mark, 7 script without spaces.
# Part of the trained model: not the table of transforms.text.scripts, which may change without it.
_CLASSES = np.zeros(0x10000, np.int64)
_CLASSES[0x2E80:0xA000] = _CLASSES[0xF900:] = _CLASSES[0x0E00:0x0F00] = _CLASSES[0x1000:0x1100] = 7
_CLASSES[0xFB00:0xFF00] = 0  # Arabic forms and the like
for _code in range(0x250):
    _char = chr(_code)
    _CLASSES[_code] = 1 if _char.isspace() else 2 if _char.isdigit() else 5 if _char.isupper() else 0
for _chars, _class in ((".!?。؟।！？", 3), (",;:،、，；：", 4), ("|/\\<>{}[]()_=+*&^%$#@~©®•·→›»«–—-", 6)):
    for _char in _chars:
        _CLASSES[ord(_char)] = _class
_SHIFTS = np.arange(len(LANDMARKS))[:, None]


def _text_of(outline: Outline, lexicon: Lexicon) -> dict[str, Ints]:
    texts = outline.texts
    codes = np.frombuffer("\0".join([*texts, ""]).encode("utf-32-le", "surrogatepass"), np.uint32)
    sizes = np.array([len(text) for text in texts], np.int64)
    starts = prefix_sums(sizes + 1)[:-1]
    classes = _CLASSES[np.minimum(codes, 0xFFFF)]
    block = np.repeat(np.arange(len(texts)) * 8, sizes + 1)
    counts = np.bincount(block + classes, minlength=8 * len(texts)).reshape(-1, 8).T
    words = counts[1] + 1 + counts[7] // 2  # scripts without spaces: two characters make a word
    link = share(np.minimum(np.array(outline.link_chars, np.int64), sizes), sizes)
    seen: dict[str, int] = {}
    copy = []
    for text in texts:
        before = seen.get(text, 0)
        copy.append(before)
        seen[text] = before + 1
    text_weight = dict(zip(seen, lexicon.text_weights(seen), strict=True))
    return {
        "chars": sizes,
        "words": words,
        "link": link,
        "non_link_words": words * (1000 - link) // 1000,
        "stops": counts[3],
        "commas": counts[4],
        "digits": share(counts[2], sizes),
        "capitals": share(counts[5], words),
        "ends": classes[starts + sizes - 1],
        "copy": np.array(copy, np.int64),
        "copies": np.array([seen[text] for text in texts], np.int64),
        "text_weight": np.array([text_weight[text] for text in texts], np.int64),
    }


# ---- the way from the root, the last heading ------------------------------------------------------------------------


def _way_of(outline: Outline, elements: Elements, owners: Ints, boxes: Ints) -> dict[str, Ints]:
    tags = _of_tags(outline, TAG_CODES)
    up = np.maximum(elements.parent[boxes], 0)
    return {
        "tag": tags[owners],
        "box_tag": tags[boxes],
        "depth": elements.depth[owners],
        "marker_weight": elements.marker_weight[owners],
        "box_marker_weight": elements.marker_weight[boxes],
        "up_marker_weight": elements.marker_weight[up],
        "path": elements.path[owners],
        "low": elements.low[owners],
        "high": elements.high[owners],
        "hidden": elements.hidden[owners],
    }


def _of_tags(outline: Outline, numbers: Mapping[str, int]) -> Ints:
    """Return the number of each element's tag, 0 for a tag without."""
    return np.array([numbers.get(tag, 0) for tag, _ in outline.signatures], np.int64)[outline.signature_ids]


def _levels(outline: Outline, owners: Ints, boxes: Ints) -> Ints:
    """Return the level of each block that is a heading, 0 of others."""
    level = _of_tags(outline, _HEADINGS)
    return np.where(level[boxes] > 0, level[boxes], level[owners])


def _add_headings(grid: Grid, level: Ints, text: dict[str, Ints], way: dict[str, Ints]) -> None:
    """The last heading before a block: its weights, and how far back it is."""
    place = np.arange(len(level))
    last = np.maximum.accumulate(np.where(level > 0, place, -1))
    last = np.concatenate((np.full(1, -1), last[:-1]))
    at = np.maximum(last, 0)
    none = last < 0
    firsts = np.flatnonzero(level == 1)
    grid.add(
        level=level,
        heading_since=place - at,
        heading_text_weight=np.where(none, 0, text["text_weight"][at]),
        heading_path=np.where(none, 0, way["path"][at]),
        from_h1=place - (firsts[0] if len(firsts) else 0),
    )


# ---- containers, series, signatures ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Sums:
    """Prefix sums over the blocks."""

    words: Ints
    non_link_words: Ints
    prose: Ints
    stops: Ints
    text_weight: Ints

    @classmethod
    def of(cls, text: dict[str, Ints]) -> _Sums:
        words = text["words"]
        prose = np.where((words >= LONG_WORDS) & (text["link"] < 500), words, 0)
        return cls(*map(prefix_sums, (words, text["non_link_words"], prose, text["stops"], text["text_weight"])))


def _add_containers(grid: Grid, elements: Elements, boxes: Ints, sums: _Sums) -> None:
    chain = [boxes]
    for _ in range(LEVELS - 1):
        chain.append(elements.wider[chain[-1]])
    at = np.stack(chain)
    start, end = elements.start[at], elements.end[at]
    size = np.maximum(end - start, 1)
    words = sums.words[end] - sums.words[start]
    columns = {
        "words": words,
        "share": share(words, sums.words[-1]),
        "non_link_words": share(sums.non_link_words[end] - sums.non_link_words[start], words),
        "prose_share": share(sums.prose[end] - sums.prose[start], sums.prose[-1]),
        "stops": share(sums.stops[end] - sums.stops[start], words),
        "text_weight": (sums.text_weight[end] - sums.text_weight[start]) // size,
        "marker_weight": elements.marker_weight[at],
        "place": share(np.arange(len(boxes)) - start, size),
    }
    for name, rows in columns.items():
        grid.add_rows([f"{name}^{level}" for level in range(LEVELS)], rows)


def _add_mains(grid: Grid, elements: Elements, sums: _Sums) -> None:
    """How many blocks before (negative) or after the page's main elements a block is, 0 inside: what follows an
    article's own element is seldom the article's. A main element is the innermost one with a share of the prose."""
    place = np.arange(len(sums.words) - 1)
    prose = sums.prose[elements.end] - sums.prose[elements.start]
    total = int(sums.prose[-1])
    for part in MAIN_SHARES:
        main = int(np.flatnonzero(1000 * prose >= part * total)[-1]) if total else 0
        start, end = elements.start[main], elements.end[main]
        grid.add(**{f"off_main_{part}": np.minimum(place - start, 0) + np.maximum(place - end + 1, 0)})


def _add_series(grid: Grid, name: str, series: Ints, elements: Elements, sums: _Sums) -> None:
    none = series < 0
    at = np.maximum(series, 0)
    group = np.maximum(elements.parent[at], 0)
    start, end = elements.start[group], elements.end[group]
    whole = sums.words[end] - sums.words[start]
    repeats = elements.repeats[at]
    columns = {
        "repeats": repeats,
        "place": elements.place[at],
        "mean": whole // np.maximum(repeats, 1),
        "share": share(whole, sums.words[-1]),
        "non_link_words": share(sums.non_link_words[end] - sums.non_link_words[start], whole),
        "marker_weight": elements.marker_weight[at],
        "group_marker_weight": elements.marker_weight[group],
    }
    grid.add_rows([f"{name}_{key}" for key in columns], np.where(none, -1, np.stack(list(columns.values()))))


def _block_signatures(outline: Outline) -> Ints:
    """Return the number of each block's signature: those of its owner, its box and the box's parent."""
    numbers: dict[tuple[int, int, int], int] = {}
    ids, parents = outline.signature_ids, outline.parents
    found = [
        numbers.setdefault((ids[owner], ids[box], ids[parents[box]]), len(numbers))
        for owner, box in zip(outline.owners, outline.boxes, strict=True)
    ]
    return np.array(found, np.int64)


def _add_signatures(grid: Grid, signatures: Ints, text: dict[str, Ints]) -> None:
    counts = np.bincount(signatures)
    order = np.argsort(signatures, kind="stable")
    bounds = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)[:-1]))
    values = np.stack((text["words"], text["link"], text["text_weight"]))[:, order]
    means = np.add.reduceat(values, bounds, axis=1) // counts
    grid.add(signature_count=counts[signatures])
    grid.add_rows(("signature_words", "signature_link", "signature_text_weight"), means[:, signatures])


# ---- the page and the neighbours ------------------------------------------------------------------------------------


def _add_page(grid: Grid, level: Ints, kinds: tuple[int, ...], sums: _Sums) -> None:
    size = len(level)
    total, prose = int(sums.words[-1]), int(sums.prose[-1])
    grid.add(
        place=1000 * np.arange(size) // size,
        before=share(sums.words[:-1], total),
        words_before=sums.words[:-1],
        prose_before=share(sums.prose[:-1], prose),
    )
    page = {
        "page_blocks": size,
        "page_words": total,
        "page_prose": 1000 * prose // max(1, total),
        "page_non_link_words": 1000 * int(sums.non_link_words[-1]) // max(1, total),
        "page_headings": int(np.count_nonzero(level)),
        **{f"kind_{kind}": score for kind, score in zip(KINDS, kinds, strict=True)},
    }
    grid.add_rows(list(page), np.repeat(np.array(list(page.values()), np.int64)[:, None], size, axis=1))


def _add_neighbours(grid: Grid, text: dict[str, Ints], way: dict[str, Ints], sums: _Sums) -> None:
    size = len(text["words"])
    near = {"path": way["path"], "text_weight": text["text_weight"]}
    padded = np.full((len(near), size + 2 * REACH), -1, np.int64)
    padded[:, REACH : REACH + size] = np.stack(list(near.values()))
    for by in (by for by in range(-REACH, REACH + 1) if by):
        rows = padded[: 1 if abs(by) > 2 else 2, REACH + by : REACH + by + size]
        grid.add_rows([f"{name}{by:+d}" for name in list(near)[: len(rows)]], rows)
    place = np.arange(size)
    for reach in WINDOWS:
        low, high = np.maximum(place - reach, 0), np.minimum(place + reach + 1, size)
        for name, total in (("non_link_words", sums.non_link_words), ("text_weight", sums.text_weight)):
            grid.add_rows((f"{name}~{reach}",), ((total[high] - total[low]) // (high - low))[None])
