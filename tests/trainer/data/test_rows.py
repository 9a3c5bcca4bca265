"""Rows of free columns: which come when, what holds them together, and what is refused when a folder is opened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.errors import ConfigError, RunError
from schemas.shards import TokenizerFacts
from trainer.data.batches import POSITIONS, TOKENS, Batch, Column
from trainer.data.rows import RowFeed, RowFolder, row_files, write_rows

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
        ({"weights": [[1.0], [1.0]]}, "row group 0: column 'weights' is not as long as tokens in each row"),
        ({"reward": [0.0, None]}, "row group 0: column 'reward' has empty values"),
        ({"tokens": [[2] * 17, [4]], "weights": [[1.0] * 17, [1.0]]}, "rows of 1 to 17 tokens; allowed: 1 to 16"),
        ({"tokens": [[], [4]], "weights": [[], [1.0]]}, "rows of 0 to 1 tokens; allowed: 1 to 16"),
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
    with pytest.raises(ConfigError, match=r"b\.parquet: unit 1 lies in two row groups"):
        RowFolder([str(tmp_path / "b.parquet")], WANTED, 16)


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
