"""Rows that come in columns lie in the lake as the same rows one by one do."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.lakes import obj, rows_of
from tests.support.outcomes import rows_of as told_by
from windsock.lake import Lake
from windsock.model import LogKey, Outcome, Parsed, SourceObject
from windsock.parse.batch import LogObject, read_task_logs

MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)  # from Sunday to Monday: another day, another week
NOW = MIDNIGHT + timedelta(days=1)


def a_log(name: str, *, start: datetime, step: timedelta, count: int) -> LogObject:
    """A process that begins with its group and prints; some lines go back in time, as threads make them do."""

    def line(no: int, event: str, logger: str) -> str:
        at = start + step * no - (timedelta(seconds=3) if no % 7 == 6 else timedelta())
        level = "warning" if no % 11 == 5 else "info"
        return f'{{"timestamp":"{at:%Y-%m-%dT%H:%M:%S.%f}Z","level":"{level}","event":"{event}","logger":"{logger}","lineno":{no % 5}}}\n'

    text = line(0, "::group::Pre Execute", "task") + "".join(
        line(no, f"row {no} é", "user") for no in range(1, count)
    )
    return LogObject(LogKey("d", name, "t", -1, 1), text.encode(), f"s3://b/{name}", "1", NOW)


LOGS = [
    a_log("over-midnight", start=MIDNIGHT - timedelta(seconds=40), step=timedelta(seconds=1), count=90),
    a_log("one-day", start=MIDNIGHT + timedelta(hours=3), step=timedelta(milliseconds=1), count=500),
    a_log("short", start=MIDNIGHT + timedelta(hours=3), step=timedelta(milliseconds=1), count=2),
    a_log("many", start=MIDNIGHT - timedelta(days=2), step=timedelta(milliseconds=1), count=30_000),
]


def by_row(outcome: Outcome) -> Outcome:
    assert isinstance(outcome, Parsed)
    return Parsed(outcome.kind, told_by(outcome), outcome.partial)


def write(folder: Path, outcomes: list[tuple[SourceObject, Outcome]]) -> Path:
    lake = Lake.open(str(folder), deployment="prod", create=True)
    with lake.writer(shard=0, holder="test", now=NOW) as writer:
        for one, outcome in outcomes:
            writer.add(one, outcome, kind="task_logs", parser_version="1")
        writer.checkpoint()
    return folder


@pytest.fixture
def told() -> list[tuple[SourceObject, Outcome]]:
    outcomes = [
        (obj(one.key.run_id, at=NOW), done)
        for one, done in zip(LOGS, read_task_logs(LOGS, lines="all"), strict=True)
    ]
    assert all(isinstance(one, Parsed) and one.columns["log_events"] for _, one in outcomes)
    return outcomes


def test_a_lake_written_in_columns_is_the_lake_written_by_rows(
    tmp_path: Path, told: list[tuple[SourceObject, Outcome]]
) -> None:
    in_columns = write(tmp_path / "columns", told)
    by_rows = write(tmp_path / "rows", [(one, by_row(outcome)) for one, outcome in told])
    for table in ("task_logs", "log_events", "objects"):
        assert rows_of(in_columns, table) == rows_of(by_rows, table)
    files = {path.relative_to(in_columns) for path in in_columns.glob("log_events/**/*.parquet")}
    assert files == {path.relative_to(by_rows) for path in by_rows.glob("log_events/**/*.parquet")}
    assert [path.read_bytes() for path in map(in_columns.joinpath, files)] == [
        path.read_bytes() for path in map(by_rows.joinpath, files)
    ]


def test_a_log_over_midnight_lies_on_both_days(
    tmp_path: Path, told: list[tuple[SourceObject, Outcome]]
) -> None:
    root = write(tmp_path / "lake", told[:1])
    days = {path.stem[-2:] for path in root.glob("log_events/**/*.parquet")}
    assert days == {"d7", "d1"}
    assert len(rows_of(root, "log_events")) == 90


def test_reading_the_same_again_writes_nothing(
    tmp_path: Path, told: list[tuple[SourceObject, Outcome]]
) -> None:
    root = write(tmp_path / "lake", told)
    before = {path: path.stat().st_mtime_ns for path in root.glob("*_*/**/*.parquet")}
    write(root, told)
    after = {path: path.stat().st_mtime_ns for path in root.glob("*_*/**/*.parquet")}
    assert {path: at for path, at in after.items() if "log_events" in path.parts} == {
        path: at for path, at in before.items() if "log_events" in path.parts
    }
