"""Known rows: files named by hash range, looked up by key whatever the number of partitions; damage is one line."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import storage
from schemas.errors import RunError
from transforms.shuffle.hash_blocks import partition_of, sort_rows, split_block
from transforms.shuffle.known_rows import SEAL_BYTES, KnownRows, KnownTable, rows_with, table_facts

ROW = np.dtype([("key", "<u8"), ("value", "<u4")])
QUARTER = 2**62


def rows(*pairs):
    return np.array(list(pairs), ROW)


def leave(folder, block, n_partitions):
    """Write a run's table and return it as later runs see it."""
    own = KnownRows(str(folder), ROW)
    for partition, data in split_block(sort_rows(block), "key", n_partitions):
        own.write(partition, n_partitions, np.frombuffer(data, ROW))
    return KnownTable(str(folder), table_facts(str(folder), ROW)["digest"])


def known(*tables):
    return KnownRows("memory://unused", ROW, tables)


def keys(*values):
    return np.array(values, np.uint64)


def test_a_file_holds_a_range_of_the_hash(tmp_path):
    leave(tmp_path, rows((QUARTER * 3 + 5, 1), (5, 2), (5, 1), (QUARTER * 2 - 1, 9)), 4)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["000000-of-000004.bin", "000001-of-000004.bin", "000003-of-000004.bin"]
    data = (tmp_path / files[0]).read_bytes()
    assert data[:-SEAL_BYTES].hex() == "050000000000000001000000050000000000000002000000"
    assert len(data) == 2 * 12 + SEAL_BYTES


def test_rows_are_found_by_key_and_have_places_of_their_own(tmp_path):
    table = leave(tmp_path, rows((QUARTER * 3 + 5, 1), (5, 2), (5, 1), (7, 3), (QUARTER * 2 - 1, 9)), 4)
    found, places = known(table).locate(keys(QUARTER * 3 + 5, 5, 6, QUARTER, 5))
    assert found.tolist() == [(5, 1), (5, 2), (QUARTER * 3 + 5, 1)]
    assert places.tolist() == [0, 1, 3 << 32]
    assert known(table).find(keys(QUARTER, QUARTER * 2, 2**64 - 1)).tolist() == []
    assert known(table).find(keys()).tolist() == []


def test_three_runs_with_other_partitions_oldest_first(tmp_path):
    first = leave(tmp_path / "1", rows((5, 1), (QUARTER, 2)), 1)
    second = leave(tmp_path / "2", rows(), 7)  # a run that had nothing
    third = leave(tmp_path / "3", rows((5, 3), (QUARTER * 3, 4)), 300)
    found, places = known(first, second, third).locate(keys(5, QUARTER, QUARTER * 3))
    assert found.tolist() == [(5, 1), (QUARTER, 2), (5, 3), (QUARTER * 3, 4)]
    assert places.tolist() == [0, 1, 2 << 32, 227 << 32]  # one file, one empty table, then files 0 and 225 of the third
    assert table_facts(str(tmp_path / "2"), ROW) == {"files": 0, "rows": 0, "bytes": 0, "digest": second.digest}


def test_the_first_run_knows_nothing_and_reads_nothing():
    found, places = KnownRows("memory://absent", ROW).locate(keys(1, 2))
    assert (len(found), len(places), found.dtype) == (0, 0, ROW)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)), max_size=20), st.integers(1, 40)),
        max_size=3,
    ),
    st.lists(st.integers(0, 40), max_size=12),
)
def test_find_equals_brute_force_for_any_partitions(tmp_path_factory, runs, wanted):
    spread = 2**64 // 41
    folder = tmp_path_factory.mktemp("known")
    tables = [
        leave(folder / str(n), rows(*((key * spread, value) for key, value in pairs)), partitions)
        for n, (pairs, partitions) in enumerate(runs)
    ]
    asked = keys(*(key * spread for key in wanted))
    found, places = known(*tables).locate(asked)
    expected = [(key * spread, value) for pairs, _ in runs for key, value in sorted(pairs) if key in wanted]
    assert found.tolist() == expected
    assert len(set(places.tolist())) == len(expected)
    # What the reader's own partitions are does not matter: each asks for its keys, together they find all.
    for partitions in (1, 3, 64):
        owners = partition_of(asked, partitions)
        parts = [known(*tables).find(asked[owners == owner]).tolist() for owner in set(owners.tolist())]
        assert sorted(row for part in parts for row in part) == sorted(expected)


def test_rows_with():
    column = keys(1, 1, 3, 5, 5, 5, 2**64 - 1)
    assert rows_with(column, keys(0, 1, 2, 5, 2**64 - 1)).tolist() == [0, 1, 3, 4, 5, 6]
    assert rows_with(column, keys()).tolist() == []
    assert rows_with(column[:0], keys(1)).tolist() == []


def test_a_retry_writes_the_same_bytes_and_leaves_no_others(tmp_path):
    leave(tmp_path, rows((5, 1)), 1)
    before = (tmp_path / "000000-of-000001.bin").read_bytes()
    leave(tmp_path, rows((5, 1)), 1)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [before]


def test_what_a_killed_writer_left_is_no_file_of_the_table(tmp_path):
    table = leave(tmp_path, rows((5, 1)), 1)
    (tmp_path / ".000000-of-000001.bin.0011.tmp").write_bytes(b"half")
    assert table_facts(str(tmp_path), ROW)["digest"] == table.digest
    assert known(table).find(keys(5)).tolist() == [(5, 1)]


def test_rows_travel_to_the_workers(tmp_path):
    table = leave(tmp_path, rows((5, 1)), 1)
    assert pickle.loads(pickle.dumps(known(table))).find(keys(5)).tolist() == [(5, 1)]


def test_tables_lie_in_any_storage():
    table = leave("memory://known-test/rows", rows((5, 1), (QUARTER, 2)), 2)
    assert known(table).find(keys(QUARTER)).tolist() == [(QUARTER, 2)]
    storage.remove_tree("memory://known-test")


def test_a_missing_file_is_said_in_one_line(tmp_path):
    table = leave(tmp_path, rows((5, 1), (QUARTER * 3, 2)), 2)
    (tmp_path / "000001-of-000002.bin").unlink()
    for use in (table.check, lambda: known(table).find(keys(5))):
        with pytest.raises(RunError) as error:
            use()
        assert str(error.value) == (
            f"{tmp_path}: known hashes of an earlier run are missing or cut: found 1 files that are not those of its"
            " manifest"
        )


def test_a_table_that_is_gone_is_no_empty_table(tmp_path):
    table = leave(tmp_path / "table", rows((5, 1)), 2)
    storage.remove_tree(str(tmp_path / "table"))
    with pytest.raises(RunError, match="found 0 files"):
        known(table).find(keys(5))


def test_a_cut_file_is_said_in_one_line(tmp_path):
    table = leave(tmp_path, rows((5, 1), (6, 1)), 1)
    path = tmp_path / "000000-of-000001.bin"
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(RunError, match="missing or cut"):
        table.check()


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "gone"])
def test_damage_after_the_listing_is_said_in_one_line(tmp_path, damage):
    """The list of a folder is read once in a process; what happens later shows when the file is read."""
    table = leave(tmp_path, rows((5, 1), (6, 1)), 1)
    table.check()
    path = tmp_path / "000000-of-000001.bin"
    data = path.read_bytes()
    path.write_bytes({"flipped": data[:9] + b"\x07" + data[10:], "cut": data[:-1], "empty": b"", "gone": data}[damage])
    if damage == "gone":
        path.unlink()
    with pytest.raises(RunError) as error:
        known(table).find(keys(5))
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_rows_of_another_layout_are_refused(tmp_path):
    table = leave(tmp_path, rows((5, 1)), 1)
    other = KnownRows("", np.dtype([("key", "<u8"), ("other", "<u4")]), (table,))
    with pytest.raises(RunError, match="is damaged: these are not the known hashes"):
        other.find(keys(5))


def test_the_list_of_a_folder_is_read_once(tmp_path, monkeypatch):
    table = leave(tmp_path, rows((5, 1)), 1)
    listed = []
    list_sizes = storage.list_sizes
    monkeypatch.setattr(storage, "list_sizes", lambda folder: listed.append(folder) or list_sizes(folder))
    for key in range(5):
        known(table).find(keys(key))
    assert listed == [str(tmp_path)]
