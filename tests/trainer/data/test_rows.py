"""Rows of free columns: which come when, what holds them together, and what is refused when a folder is opened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.errors import ConfigError, InputError, RunError
from schemas.shards import TokenizerFacts
from trainer.data import rows as rows_module
from trainer.data.batches import IGNORE, LENGTHS, POSITIONS, PRE_TRAINING, TOKENS, Batch, Column
from trainer.data.rows import RowFeed, RowFolder, row_files, tokenizer_of, write_rows

FACTS = TokenizerFacts(sha256="1" * 64, vocab_size=64, bos_id=0, eos_id=1)
WANTED = {
    "tokens": TOKENS,
    "positions": POSITIONS,
    "weights": Column("float32", "weight", idle=0),
    "reward": Column("float64", "points", by_token=False),
}


def table(units: int = 12, rows_of_unit: int = 2) -> pa.Table:
    """Rows of growing length whose first token and reward tell their unit."""
    names = [unit for unit in range(units) for _ in range(rows_of_unit)]
    lengths = [1 + n % 5 for n in range(len(names))]
    return pa.table({
        "tokens": [[unit] * n for unit, n in zip(names, lengths, strict=True)],
        "weights": [[0.5] * n for n in lengths],
        "reward": [unit / 2 for unit in names],
        "unit": names,
        "note": ["not read"] * len(names),
    })  # fmt: skip


def folder(path: Path, *tables: pa.Table, group: int = 6) -> RowFolder:
    for n, one in enumerate(tables):
        write_rows(path / f"part-{n}.parquet", one, FACTS, group)
    return folder_again(path)


def folder_again(path: Path) -> RowFolder:
    return RowFolder(row_files([str(path)]), WANTED, 16)


def units_of(batch: Batch) -> list[int]:
    return batch.tokens[:, 0].tolist()


def test_a_batch_has_the_columns_padded_and_what_follows_from_them(tmp_path: Path) -> None:
    batch = RowFeed(folder(tmp_path, table()), 4, "k").batch(0)
    assert (batch.units, batch.rows) == ([2, 2, 2, 2], 8)
    width = int(batch["lengths"].max())
    assert batch.tokens.shape == batch["weights"].shape == batch.positions.shape == (8, width)
    assert batch["weights"].dtype == np.float32
    for row, n in enumerate(batch["lengths"]):
        assert set(batch.tokens[row, :n]) == {units_of(batch)[row]}
        assert not batch.tokens[row, n:].any()
        assert batch["weights"][row].tolist() == [0.5] * n + [0.0] * (width - n)
        assert batch["reward"][row] == units_of(batch)[row] / 2
    assert batch.positions[0].tolist() == list(range(width))
    assert "note" not in batch.columns


def test_each_epoch_has_every_unit_once_in_another_order(tmp_path: Path) -> None:
    feed = RowFeed(folder(tmp_path, table(), table(7)), 19, "k")
    first, second = (units_of(feed.batch(n))[::2] for n in range(2))
    assert sorted(first) == sorted(second) == sorted([*range(12), *range(7)])
    assert first != second
    assert units_of(RowFeed(folder(tmp_path), 19, "other").batch(0))[::2] != first


@pytest.mark.parametrize("world", [2, 3, 5])
def test_ranks_in_order_make_up_the_batch(tmp_path: Path, world: int) -> None:
    feed = RowFeed(folder(tmp_path, table()), 5, "k")
    for number in (0, 3, 11):
        whole = feed.batch(number)
        shares = [feed.batch(number, rank, world) for rank in range(world)]
        assert [unit for share in shares for unit in units_of(share)] == units_of(whole)
        assert [n for share in shares for n in share.units] == whole.units


def test_a_batch_is_found_by_its_number_alone(tmp_path: Path) -> None:
    rows = folder(tmp_path, table(), table(7))
    in_order = [units_of(RowFeed(rows, 5, "k").batch(n)) for n in range(9)]
    for n in (7, 2, 8, 0):
        assert units_of(RowFeed(folder(tmp_path), 5, "k").batch(n)) == in_order[n]


def test_without_a_column_unit_each_row_is_one(tmp_path: Path) -> None:
    rows = folder(tmp_path, table().drop_columns(["unit"]))
    assert (rows.units, rows.unit_rows) == (24, 1)
    assert RowFeed(rows, 3, "k").batch(0).units == [1, 1, 1]


def _columns(**changes: Any) -> pa.Table:
    plain: Mapping[str, Any] = {
        "tokens": [[2, 3], [4]], "weights": [[1.0, 0.0], [1.0]], "reward": [0.0, 1.0], "unit": [1, 2]
    }  # fmt: skip
    return pa.table({name: values for name, values in {**plain, **changes}.items() if values is not None})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"weights": None}, "column 'weights', which the objective reads, is missing"),
        ({"weights": [1.0, 0.0]}, "column 'weights' is double; expected a list of numbers, one for each token"),
        ({"reward": [[0.0], [1.0]]}, "expected a number for each row"),
        ({"reward": ["a", "b"]}, "column 'reward' is string; expected a number for each row"),
        ({"weights": [[1.0, 0.0], [1.0] * 2]}, "row 1: column 'weights' is not as long as tokens"),
        ({"reward": [0.0, None]}, "row 1: column 'reward' is empty"),
        ({"tokens": [None, [4]]}, "row 0: column 'tokens' is empty"),
        ({"tokens": [[2] * 17, [4]], "weights": [[1.0] * 17, [1.0]]}, "row 0: 17 tokens; allowed: 1 to 16"),
        ({"tokens": [[2, 3], []], "weights": [[1.0, 0.0], []]}, "row 1: 0 tokens; allowed: 1 to 16"),
        ({"tokens": [[2, 3], [64]]}, "row 1: column 'tokens' holds 64; allowed: 0 to 63, the tokenizer's"),
        ({"tokens": [[2, -1], [4]]}, "row 0: column 'tokens' holds -1; allowed: 0 to 63, the tokenizer's"),
        ({"tokens": [[2, None], [4]]}, "row 0: column 'tokens' holds None; allowed: numbers"),
        ({"tokens": [[2.5, 3.0], [4.0]]}, "column 'tokens' is list<element: double>; expected a list of whole numbers"),
        ({"weights": [[1.0, 0.0], [None]]}, "row 1: column 'weights' holds None; allowed: numbers"),
        ({"weights": [[1.0, float("nan")], [1.0]]}, "row 0: column 'weights' holds nan; allowed: finite numbers"),
        ({"weights": [[1.0, 0.0], [1e300]]}, "row 1: column 'weights' holds 1e+300; allowed: finite numbers (float32)"),
        ({"reward": [0.0, float("inf")]}, "row 1: column 'reward' holds inf; allowed: finite numbers"),
        ({"unit": [1, None]}, "row 1: column 'unit' is empty"),
        ({"unit": [[1], [2]]}, "column 'unit' is list<element: int64>; expected a whole number or a text"),
    ],
)
def test_what_does_not_fit_is_refused_when_it_is_opened(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=r"rows: .*part-0\.parquet") as caught:
        folder(tmp_path, _columns(**changed))
    assert message in str(caught.value)


def test_a_unit_lies_in_one_row_group(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unit 1 lies in two row groups of 3 rows"):
        write_rows(tmp_path / "a.parquet", table(), FACTS, 3)
    plain = table().replace_schema_metadata(FACTS.to_footer())
    pq.write_table(plain, tmp_path / "b.parquet", row_group_size=3)
    with pytest.raises(ConfigError, match=r"b\.parquet: row 3: unit 1 comes again; the rows of a unit follow"):
        RowFolder([str(tmp_path / "b.parquet")], WANTED, 16)


@pytest.mark.parametrize("group", [2, 6], ids=["in another row group", "in one row group"])
def test_a_unit_does_not_come_again(tmp_path: Path, group: int) -> None:
    """Four rows a, b, a, b are two units that are torn, not four."""
    rows = table(3).append_column("name", pa.array(["a", "a", "b", "c", "a", "d"]))
    torn = rows.drop_columns(["unit"]).rename_columns({"name": "unit"})
    with pytest.raises(ConfigError, match=r"part-0\.parquet: row 4: unit 'a' comes again"):
        folder(tmp_path, torn, group=group)


def test_the_rows_that_are_told_are_those_of_the_file(tmp_path: Path) -> None:
    rows = table().to_pydict()
    rows["tokens"][15] = [99] * len(rows["tokens"][15])
    with pytest.raises(ConfigError, match=r"part-0\.parquet: row 15: column 'tokens' holds 99"):
        folder(tmp_path, pa.table(rows))


def test_labels_are_entries_of_the_vocabulary_or_none(tmp_path: Path) -> None:
    def rows(last: int) -> RowFolder:
        made = pa.table({"tokens": [[2, 3]], "labels": [[3, last]]})
        write_rows(tmp_path / "part-0.parquet", made, FACTS)
        return RowFolder(row_files([str(tmp_path)]), PRE_TRAINING, 16)

    assert RowFeed(rows(IGNORE), 1, "k").batch(0).labels.tolist() == [[3, IGNORE]]
    with pytest.raises(ConfigError, match="column 'labels' holds 64; allowed: 0 to 63, the tokenizer's, or -100"):
        rows(64)


def test_lengths_are_counted_and_never_read(tmp_path: Path) -> None:
    wrong = table().append_column("lengths", pa.array([1] * 24))
    write_rows(tmp_path / "part-0.parquet", wrong, FACTS, 6)
    batch = RowFeed(RowFolder(row_files([str(tmp_path)]), {**WANTED, "lengths": LENGTHS}, 16), 12, "k").batch(0)
    assert batch["lengths"].tolist() == (batch["weights"] == 0.5).sum(1).tolist()
    assert int(batch["lengths"].max()) == 5


def test_positions_are_in_all_files_or_in_none(tmp_path: Path) -> None:
    positions = table().append_column("positions", pa.array([list(range(1 + n % 5)) for n in range(24)]))
    with pytest.raises(ConfigError, match=r"part-1\.parquet: column 'positions', which the files before it do not"):
        folder(tmp_path / "a", table(), positions)
    with pytest.raises(ConfigError, match=r"part-1\.parquet: column 'positions', which the objective reads, is miss"):
        folder(tmp_path / "b", positions, table())


@pytest.mark.parametrize("part", ["footer", "page"])
def test_a_damaged_file_is_one_line(tmp_path: Path, part: str) -> None:
    """Wherever the damage is: the footer is read by all, the pages when the rows are."""
    folder(tmp_path, table())
    path = tmp_path / "part-0.parquet"
    data = bytearray(path.read_bytes())
    data[-8:] = b"PAR1PAR1" if part == "footer" else data[-8:]
    data[4:60] = bytes(56) if part == "page" else data[4:60]
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"part-0\.parquet: not a Parquet file, or a damaged one: ") as caught:
        folder_again(tmp_path)
    assert "\n" not in str(caught.value)
    if part == "footer":
        with pytest.raises(InputError, match=r"part-0\.parquet: not a Parquet file, or a damaged one: "):
            tokenizer_of(str(path))


def test_the_order_of_an_epoch_is_found_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, made = folder(tmp_path, table(30)), []
    monkeypatch.setattr(rows_module.np, "cumsum", lambda values: made.append(1) or np.add.accumulate(values))
    feed = RowFeed(rows, 5, "k")
    for number in range(9):  # one epoch and a half
        feed.batch(number)
    assert len(made) == 2


def test_all_files_have_one_tokenizer_and_tell_it(tmp_path: Path) -> None:
    folder(tmp_path, table())
    other = TokenizerFacts(sha256="2" * 64, vocab_size=64, bos_id=0, eos_id=1)
    write_rows(tmp_path / "part-1.parquet", table(), other, 6)
    with pytest.raises(ConfigError, match=r"part-1\.parquet: another tokenizer than"):
        folder(tmp_path)
    pq.write_table(table(), tmp_path / "part-1.parquet")
    with pytest.raises(RunError, match=r"part-1\.parquet: its footer does not tell the tokenizer"):
        folder(tmp_path)
    with pytest.raises(ConfigError, match=r"no Parquet files \(\*\.parquet\) here"):
        row_files([str(tmp_path / "empty")])


def test_rows_of_which_none_counts_are_refused(tmp_path: Path) -> None:
    rows = table()
    still = rows.set_column(1, "weights", pa.array([[0.0] * len(one) for one in rows["tokens"].to_pylist()]))
    with pytest.raises(ConfigError, match="column 'weights' is 0 everywhere: nothing to train on"):
        folder(tmp_path / "still", still, still)
    assert folder(tmp_path / "one", still, rows).units == 24
