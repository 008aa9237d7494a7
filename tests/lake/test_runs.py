"""Sorted files of records merge into one, as if all their rows had been sorted."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.lakes import event, rows_of
from windsock.lake import Lake, merge, row_groups, runs
from windsock.lake.files import arrow_schema
from windsock.lake.runs import KEY, Run, Unfit, merged
from windsock.model import Parsed, SourceObject
from windsock.schema import TABLES

SCHEMA = arrow_schema(TABLES["log_events"])
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
Record = tuple[str, str, str, int, int, int, str]


def record(dag: str, no: int, url: str, *, run: str = "r", attempt: int = 1) -> Record:
    return dag, run, "t", -1, attempt, no, url


def a_file(path: Path, records: list[Record], *, group: int = 3) -> Path:
    """A file of records as they are given, in small row groups."""
    columns = dict(zip(KEY, zip(*records, strict=True), strict=True))
    columns["message"] = tuple(map(str, records))
    table = pa.table(
        {n: pa.array(columns.get(n, [None] * len(records)), SCHEMA.field(n).type) for n in SCHEMA.names}
    )
    pq.write_table(table, path, row_group_size=group)
    return path


def keys_of(tables: list[pa.Table]) -> list[Record]:
    return [tuple(row[name] for name in KEY) for table in tables for row in table.to_pylist()]


RECORDS = st.builds(
    record, st.sampled_from("abé"), st.integers(0, 6), st.sampled_from(["u1", "u2", "ü"]),
    run=st.sampled_from(["r", "r2"]), attempt=st.integers(1, 2),
)  # fmt: skip


@settings(deadline=None)
@given(
    files=st.lists(st.lists(RECORDS, min_size=1, max_size=12), max_size=4),
    gone=st.sets(st.sampled_from(["u1", "ü"])),
)
def test_all_rows_come_in_order_but_for_those_that_are_gone(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[Record]], gone: set[str]
) -> None:
    folder = tmp_path_factory.mktemp("runs")
    every = [
        Run(a_file(folder / str(no), sorted(told)), pa.array(sorted(gone), pa.string()))
        for no, told in enumerate(files)
    ]
    expected = sorted(one for told in files for one in told if one[-1] not in gone)
    tables = list(merged(every))
    assert keys_of(tables) == expected
    assert [row["message"] for table in tables for row in table.to_pylist()] == [*map(str, expected)]


def test_files_that_follow_each_other_are_open_one_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One long log spills hundreds of files; no two of them have rows at one place."""
    parts = [[record("a", 10 * no + i, "u") for i in range(10)] for no in range(30)]
    every = [Run(a_file(tmp_path / str(no), told)) for no, told in enumerate(parts)]
    one = Run(tmp_path / "0")
    assert one.next()
    monkeypatch.setattr(runs, "MAX_BYTES", 2 * one.piece.nbytes)
    assert keys_of(list(merged(every))) == [one for told in parts for one in told]


def test_too_many_files_at_one_place_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    every = [Run(a_file(tmp_path / str(no), [record("a", no, "u"), record("z", no, "u")])) for no in range(3)]
    one = Run(tmp_path / "0")
    assert one.next()
    monkeypatch.setattr(runs, "MAX_BYTES", 2 * one.piece.nbytes)
    with pytest.raises(Unfit):
        list(merged(every))


@pytest.mark.parametrize(
    "records",
    [
        [record("b", 1, "u"), record("a", 1, "u")],
        [record("a", 2, "u"), record("a", 1, "u")],
        [record("a", 1, "u"), record("a", 1, "u", attempt=2), record("a", 2, "u")],
        [record("a", 1, "u")] * 3 + [record("a", 0, "u")],
    ],
)
def test_rows_in_no_order_are_refused(tmp_path: Path, records: list[Record]) -> None:
    with pytest.raises(Unfit):
        list(merged([Run(a_file(tmp_path / "x", records))]))


def test_a_key_that_is_not_told_is_refused(tmp_path: Path) -> None:
    nobody: Any = (None, *record("a", 1, "u")[1:])
    with pytest.raises(Unfit):
        Run(a_file(tmp_path / "x", [nobody]))


def test_a_file_of_an_older_lake_is_refused(tmp_path: Path) -> None:
    table = pq.read_table(a_file(tmp_path / "x", [record("a", 1, "u")]))
    pq.write_table(table.drop_columns(["error_signature"]), tmp_path / "older")
    with pytest.raises(Unfit):
        Run(tmp_path / "older")


def pulls(folder: Path) -> dict[str, bytes]:
    """Two pulls: the second replaces some objects, adds others, and tells of one attempt by a second object."""
    lake = Lake.open(str(folder), deployment="prod", create=True)
    for turn, runs_of_turn in enumerate((range(40), range(30, 60))):
        with lake.writer(shard=0, holder="test", now=NOW + timedelta(days=turn)) as writer:
            for no in runs_of_turn:
                rows: list[dict[str, Any]] = [
                    event(
                        f"r{no // 2 if no % 10 == 1 else no}", record_no=i, message=f"{turn} {'x' * 400} {i}"
                    )
                    for i in range(0, 200 + no, 1 + turn)
                ]
                obj = SourceObject(f"s3://b/{no}", str(no), 10, NOW, str(turn))
                writer.add(
                    obj, Parsed("task_logs", {"log_events": rows}), kind="task_logs", parser_version="1"
                )
            writer.checkpoint()
    assert len(rows_of(folder, "log_events")) > 9_000
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.glob("log_events/**/*.parquet"))
    }


def test_a_lake_has_the_same_bytes_whichever_way_it_was_merged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_groups, "ROW_GROUP_BYTES", 300_000)  # several row groups
    by_runs = pulls(tmp_path / "runs")

    def refuse(*_: object) -> None:
        raise Unfit

    monkeypatch.setattr(merge, "Run", refuse)
    assert pulls(tmp_path / "sorted") == by_runs


def test_more_objects_gone_than_are_held_are_left_to_the_sort(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = pulls(tmp_path / "runs")
    monkeypatch.setattr(merge, "MAX_GONE", 3)
    assert pulls(tmp_path / "few") == expected
