"""Small lakes for tests: objects, rows, and what a plain glob sees."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb

from windsock.lake import Lake
from windsock.model import Parsed, Row, SourceObject
from windsock.schema import TABLES

AT = datetime(2026, 11, 18, 12, tzinfo=UTC)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def obj(name: str, etag: str = "1", at: datetime = AT) -> SourceObject:
    return SourceObject(f"s3://b/{name}", name, 10, at, etag)


def log(run: str, at: datetime = AT, **changes: object) -> Row:
    return {"dag_id": "d", "run_id": run, "task_id": "t", "map_index": -1, "try_number": 1, "state": "success",
            "started_at": at, "ended_at": at} | changes  # fmt: skip


def event(run: str, at: datetime = AT, **changes: object) -> Row:
    return {"dag_id": "d", "run_id": run, "task_id": "t", "map_index": -1, "try_number": 1, "logged_at": at,
            "record_no": 0, "level": "error", "message": f"no {run}"} | changes  # fmt: skip


def write(lake: Lake, *objects: tuple[SourceObject, list[Row]], now: datetime = NOW, shard: int = 0) -> int:
    with lake.writer(shard=shard, holder="test", now=now) as writer:
        for one, rows in objects:
            writer.add(one, Parsed("task_logs", {"task_logs": rows}), kind="task_logs", parser_version="1")
        return writer.checkpoint()


def rows_of(root: Path, table: str, *, but: tuple[str, ...] = ("read_at",)) -> list[tuple[object, ...]]:
    """What a plain glob sees of a table, in one order."""
    if not list(root.glob(f"{table}/**/*.parquet")):
        return []
    columns = ", ".join(name for name in TABLES[table].columns if name not in but)
    sql = f"select {columns} from read_parquet('{root}/{table}/**/*.parquet', hive_partitioning = false) order by all"
    return duckdb.execute(sql).fetchall()


def dump(root: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every table as a plain glob sees it, but for when it was read."""
    return {table: rows_of(root, table) for table in TABLES}
