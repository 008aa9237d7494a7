"""The lake's files: names, types, row groups, order; and what is noted for healing."""

import os
import random
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.lakes import AT, NOW, event, log, obj, rows_of, write
from windsock.errors import LakeError
from windsock.lake import Lake, wide
from windsock.lake.files import arrow_schema
from windsock.lake.merge import ROW_GROUP_ROWS, Merger, connect
from windsock.lake.views import SQL_TYPES
from windsock.model import Parsed, Reject
from windsock.schema import TABLES
from windsock.week import Week

WEEK = Week.of(AT)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.open(str(tmp_path / "lake"), deployment="prod", create=True)


@pytest.fixture
def root(lake: Lake) -> Path:
    assert lake.store.local_root is not None
    return lake.store.local_root


def events(lake: Lake, *rows: dict[str, object]) -> None:
    with lake.writer(shard=0, holder="test", now=NOW) as writer:
        writer.add(
            obj("a"), Parsed("task_logs", {"log_events": list(rows)}), kind="task_logs", parser_version="1"
        )
        writer.checkpoint()


def test_log_events_have_a_file_a_day(lake: Lake, root: Path) -> None:
    events(lake, event("r1", AT), event("r2", AT - timedelta(days=2)), event("r3", AT + timedelta(days=4)))
    names = sorted(path.name for path in (root / "log_events/week=2026-11-16").iterdir())
    assert names == [f"part-000-of-001-d{day}.parquet" for day in (1, 3, 7)]


def test_every_column_has_its_declared_type_even_when_all_null(lake: Lake, root: Path) -> None:
    write(lake, (obj("a"), [log("r1")]))
    events(lake, event("r1"))
    for table in ("task_logs", "log_events", "objects"):
        for path in (root / table).rglob("*.parquet"):
            assert pq.read_schema(path).equals(arrow_schema(TABLES[table])), path


def test_row_groups_keep_to_both_limits(tmp_path: Path) -> None:
    """Rows of a few bytes are cut by number, messages of 16 KB by size."""
    conn = connect(512, tmp_path)
    merger = Merger(conn, tmp_path)
    known = {"run_id": "i::varchar as run_id", "message": "{message} as message"}
    select = "select " + ", ".join(
        known.get(name, f"cast(null as {SQL_TYPES[kind]}) as {name}")
        for name, kind in TABLES["log_events"].columns.items()
    )
    for count, message in ((250_000, "'m'"), (4_000, "repeat(md5(i::varchar), 500)")):
        told = tmp_path / "told.parquet"
        rows = f"{select.format(message=message)} from range({count}) as r(i)"
        duckdb.execute(f"copy ({rows}) to '{told}' (format parquet, row_group_size 2048)")
        out = merger.merge(TABLES["log_events"], old=[], new=[told], gone="(select '' as object_url)")
        meta = pq.read_metadata(out)
        groups = [meta.row_group(n) for n in range(meta.num_row_groups)]
        assert sum(group.num_rows for group in groups) == count
        assert len(groups) >= 3
        assert max(group.num_rows for group in groups) <= ROW_GROUP_ROWS
        assert max(group.total_byte_size for group in groups) <= 16_000_000
    conn.close()


def test_rows_are_sorted_whatever_order_they_came_in(lake: Lake, root: Path, tmp_path: Path) -> None:
    objects = [(obj(f"o{n}"), [log(f"r{n:02d}", try_number=t) for t in (2, 1)]) for n in range(20)]
    write(lake, *objects)
    other = Lake.open(str(tmp_path / "other"), deployment="prod", create=True)
    for one in reversed(objects):
        write(other, one)
    path = "task_logs/week=2026-11-16/part-000-of-001.parquet"
    assert (root / path).read_bytes() == (tmp_path / "other" / path).read_bytes()
    keys = pq.read_table(root / path, columns=["run_id", "try_number"], partitioning=None).to_pylist()
    assert keys == sorted(keys, key=lambda row: (row["run_id"], row["try_number"]))


def test_an_object_that_cannot_be_read_this_time_keeps_what_was_read_of_it(lake: Lake, root: Path) -> None:
    write(lake, (obj("a"), [log("r1")]))
    for reason, stays in (("forbidden", True), ("store_error", True), ("empty", False)):
        with lake.writer(shard=0, holder="test", now=NOW) as writer:
            writer.add(obj("a", "2"), Reject("task_logs", reason), kind="task_logs", parser_version="1")
            writer.checkpoint()
        assert bool(rows_of(root, "task_logs")) is stays, reason


def test_what_a_broken_pull_left_stays_noted_until_its_object_is_read_again(lake: Lake, root: Path) -> None:
    """Three pulls: the first is cut off before the ledger, the second reads another object, the third heals."""
    write(lake, (obj("a"), [log("r1")]))
    moved = AT - timedelta(weeks=1)
    with pytest.raises(LakeError), lake.writer(shard=0, holder="test", now=NOW) as writer:
        writer.add(
            obj("a", "2"),
            Parsed("task_logs", {"task_logs": [log("r1", moved)]}),
            kind="task_logs",
            parser_version="1",
        )
        merge = writer._merge

        def no_ledger(partition, new, *, gone):  # type: ignore[no-untyped-def]
            if partition.table == "objects":
                raise LakeError("cut off")
            return merge(partition, new, gone=gone)

        writer._merge = no_ledger  # type: ignore[method-assign]
        writer.checkpoint()
    assert len(rows_of(root, "task_logs")) == 1
    write(lake, (obj("b"), [log("r2")]))
    assert list(root.glob("_windsock/intent-*")), "the lost object is still open"
    write(lake, (obj("a", "3"), [log("r1", AT)]))
    assert [row[1] for row in rows_of(root, "task_logs")] == ["r1", "r2"]
    assert not list(root.glob("_windsock/intent-*"))


def test_a_killed_pull_s_work_files_are_removed_by_the_next(lake: Lake, tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import os, signal, sys, pathlib\nfrom windsock.scratch import scratch_folder\n"
        "with scratch_folder(pathlib.Path(sys.argv[1])):\n os.kill(os.getpid(), signal.SIGKILL)"
    )
    work = tmp_path / "work"
    work.mkdir()
    source = str(Path(__file__).parents[2] / "src")
    subprocess.run(
        [sys.executable, "-c", code, str(work)], env=os.environ | {"PYTHONPATH": source}, check=False
    )
    assert len(list(work.iterdir())) == 1
    with lake.writer(shard=0, holder="test", now=NOW, scratch_dir=work) as writer:
        assert list(work.iterdir()) == [writer.scratch]
    assert list(work.iterdir()) == []


def test_a_reader_of_a_folder_asks_again_when_a_pull_published_meanwhile(lake: Lake) -> None:
    write(lake, (obj("a"), [log("r1", AT - timedelta(weeks=1))]))
    turns: list[int] = []

    def work(conn):  # type: ignore[no-untyped-def]
        turns.append(1)
        if len(turns) == 1:
            write(lake, (obj("a", "2"), [log("r1")]))
        return conn.execute("select count(*) from task_logs").fetchall()

    assert lake.read(WEEK, work) == [(1,)]
    assert len(turns) == 2

    def restless(conn):  # type: ignore[no-untyped-def]
        turns.append(1)
        write(lake, (obj("a", str(len(turns))), [log("r1", state=f"s{len(turns)}")]))

    with pytest.raises(LakeError, match="is being written all the time"):
        lake.read(WEEK, restless)


def test_a_file_that_others_put_beside_stays(lake: Lake, root: Path) -> None:
    write(lake, (obj("a"), [log("r1")]))
    other = root / "task_logs/week=2026-11-16/mine.parquet"
    pq.write_table(pa.table({"run_id": ["x"]}), other)
    write(lake, (obj("a", "2"), [log("r2")]))
    assert other.exists()


def test_long_texts_of_many_files_come_back_beside_their_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under a limit that the texts exceed many times over, from files in any order, some of them without the column."""
    monkeypatch.setattr(wide, "HELD_BYTES", 100_000)
    conn = connect(256, tmp_path)
    rng = random.Random(3)
    expected, files = [], []
    for number in range(4):
        rows = []
        for _ in range(700):
            key, text = rng.randrange(10**6), rng.randbytes(2000).hex()
            row = {
                "dag_id": f"d{key:06d}",
                "run_id": "r",
                "task_id": f"t{number}",
                "map_index": -1,
                "try_number": 1,
            }
            rows.append(
                row
                | {"record_no": len(rows), "object_url": f"o{number}"}
                | ({"message": text} if number else {})
            )
            expected.append((row["dag_id"], f"t{number}", len(rows) - 1, text if number else None))
        files.append(tmp_path / f"{number}.parquet")
        pq.write_table(pa.Table.from_pylist(rows), files[-1], row_group_size=50)
    merger = Merger(conn, tmp_path)
    out = merger.merge(TABLES["log_events"], old=files[:2], new=files[2:], gone="(select 'o1' as object_url)")
    found = pq.read_table(out, columns=["dag_id", "task_id", "record_no", "message"]).to_pylist()
    assert [tuple(row.values()) for row in found] == sorted(row for row in expected if row[1] != "t1")
