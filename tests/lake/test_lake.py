"""The lake keeps every row once, in its week, whatever is read again, moved or interrupted."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from windsock.errors import LakeError
from windsock.lake import Lake
from windsock.lake.views import lake_sql
from windsock.model import Parsed, Reject, Row, SourceObject
from windsock.schema import TABLES
from windsock.week import Week

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 11, 18, 12, tzinfo=UTC)
WEEK = Week.of(AT)
NOW = AT + timedelta(days=2)


def obj(name: str, etag: str = "1", at: datetime = AT) -> SourceObject:
    return SourceObject(f"s3://b/{name}", name, 10, at, etag)


def log(run: str, at: datetime = AT, **changes: object) -> Row:
    return {"dag_id": "d", "run_id": run, "task_id": "t", "map_index": -1, "try_number": 1, "state": "success",
            "started_at": at, "ended_at": at} | changes  # fmt: skip


def pull(lake: Lake, *parsed: tuple[SourceObject, list[Row]], now: datetime = NOW) -> int:
    with lake.writer(shard=0, holder="test", now=now) as writer:
        for one, rows in parsed:
            writer.add(one, Parsed("task_logs", {"task_logs": rows}), kind="task_logs", parser_version="1")
        return writer.checkpoint()


def glob(lake: Path, columns: str = "run_id, state") -> list[tuple[object, ...]]:
    if not list(lake.glob("task_logs/**/*.parquet")):
        return []
    sql = f"select {columns} from read_parquet('{lake}/task_logs/**/*.parquet') order by all"
    return duckdb.execute(sql).fetchall()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.open(str(tmp_path / "lake"), deployment="prod", create=True)


@pytest.fixture
def root(lake: Lake) -> Path:
    assert lake.store.local_root is not None
    return lake.store.local_root


def test_rows_lie_in_the_week_they_started_in(lake: Lake, root: Path) -> None:
    pull(lake, (obj("a"), [log("r1")]), (obj("b"), [log("r2", AT - timedelta(weeks=1))]))
    assert (root / "task_logs/week=2026-11-16/part-000-of-001.parquet").is_file()
    assert (root / "task_logs/week=2026-11-09/part-000-of-001.parquet").is_file()


def test_an_object_read_again_replaces_its_rows(lake: Lake, root: Path) -> None:
    pull(lake, (obj("a"), [log("r1", state="deferred")]), (obj("b"), [log("r2")]))
    pull(lake, (obj("a", "2"), [log("r1", state="failed")]))
    assert glob(root) == [("r1", "failed"), ("r2", "success")]


def test_a_row_that_moves_to_another_week_lies_in_one_week_only(lake: Lake, root: Path) -> None:
    pull(lake, (obj("a"), [log("r1")]), (obj("b"), [log("r2", AT - timedelta(weeks=1))]))
    pull(lake, (obj("a", "2"), [log("r1", AT - timedelta(weeks=1))]), (obj("b", "2"), [log("r2")]))
    assert glob(root, "run_id, started_at::date") == [
        ("r1", (AT - timedelta(weeks=1)).date()),
        ("r2", AT.date()),
    ]


def test_the_same_rows_again_write_no_file(lake: Lake, root: Path) -> None:
    pull(lake, (obj("a"), [log("r1")]))
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*.parquet")}
    assert pull(lake, (obj("a"), [log("r1")]), now=NOW + timedelta(days=1)) == 0
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*.parquet")} == before


def test_a_reject_is_a_ledger_row_with_its_reason(lake: Lake) -> None:
    with lake.writer(shard=0, holder="test", now=NOW) as writer:
        writer.add(obj("bad"), Reject("task_logs", "empty"), kind="task_logs", parser_version="1")
        writer.checkpoint()
    conn = lake.connect(WEEK)
    assert conn.execute("select outcome, reject_reason from objects").fetchall() == [("reject", "empty")]


def test_another_deployment_and_another_number_of_shards_are_refused(lake: Lake, root: Path) -> None:
    with pytest.raises(LakeError, match="belongs to deployment 'prod'"):
        Lake.open(str(root), deployment="test")
    with pytest.raises(LakeError, match="has 1 shards"):
        Lake.open(str(root), deployment="prod", shards=2)


def test_an_empty_place_says_how_to_fill_it(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="windsock pull"):
        Lake.open(str(tmp_path / "none"), deployment="prod")


def test_a_second_writer_is_told_who_holds_the_lake(lake: Lake) -> None:
    with lake.writer(shard=0, holder="host-a", now=NOW), pytest.raises(LakeError, match="host-a"):
        lake.writer(shard=0, holder="host-b", now=NOW).__enter__()


def test_lake_sql_is_what_the_schema_says() -> None:
    assert (ROOT / "sql/lake.sql").read_text() == lake_sql()


def test_an_empty_lake_has_ten_empty_tables(lake: Lake) -> None:
    conn = lake.connect(WEEK)
    for table in (*TABLES, "task_tries", "slot_tries", "pool_spans"):
        assert conn.execute(f"select count(*) from {table}").fetchone() == (0,)


def test_every_contract_column_parses_bare(lake: Lake) -> None:
    conn = lake.connect(WEEK)
    for table in TABLES.values():
        conn.execute(f"select {', '.join(table.columns)} from {table.name}")


def test_a_lake_that_others_wrote_is_read_with_other_widths_and_names(tmp_path: Path) -> None:
    folder = tmp_path / "task_logs/week=2026-11-16"
    folder.mkdir(parents=True)
    duckdb.execute(
        "copy (select 'd' as dag_id, 'scheduled__1' as run_id, 't' as task_id, -1::bigint as map_index, "
        "2::tinyint as try_number, 'success' as state, timestamptz '2026-11-18 10:00:00+00' as started_at) "
        f"to '{folder}/mine.parquet'"
    )
    conn = Lake.open(str(tmp_path), deployment="any").connect(WEEK)
    row = conn.execute(
        "select try_number, run_type, first_try, has_log, week::varchar from task_tries"
    ).fetchone()
    assert row == (2, "scheduled", False, True, "2026-11-16")


def test_a_failed_try_with_a_later_one_was_up_for_retry(lake: Lake) -> None:
    pull(
        lake,
        (obj("a"), [log("scheduled__1", state="failed")]),
        (obj("b"), [log("scheduled__1", state="failed", try_number=2)]),
    )
    tries = (
        lake.connect(WEEK).execute("select try_number, state, last_try from task_tries order by 1").fetchall()
    )
    assert tries == [(1, "up_for_retry", False), (2, "failed", True)]


def test_the_guard_names_the_variable_that_is_missing() -> None:
    with pytest.raises(duckdb.Error, match="set variable lake"):
        duckdb.connect().execute(lake_sql())
