"""Every record into Parquet (`lines = "all"`): windsock's spill and its sorted lake, beside what engines write.

The peers write four columns of the same bytes, unsorted; windsock writes fourteen, knows the attempt of each record,
and masks secrets. "into the lake" adds the sort by attempt and record, the ledger, and the publishing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.reading.corpus import AT, Corpus
from benchmarks.reading.peers import HEAD, OnDisk
from windsock.lake import Lake
from windsock.lake.placing import Placing, place
from windsock.lake.spill import Spill
from windsock.model import Outcome, Parsed, SourceObject
from windsock.parse.batch import LogObject, read_task_logs
from windsock.pull.logs import BATCH_BYTES


def works_of(data: Corpus) -> tuple[dict[str, Callable[[], object]], Callable[[], None]]:
    """What takes part, and how to tidy up."""
    disk = OnDisk(data)
    out = disk.folder / "records.parquet"
    works: dict[str, Callable[[], object]] = {
        "windsock": lambda: _spill(data),
        "windsock, into the lake": lambda: _pull(data),
    }
    if data.dialect == "airflow2":
        works["regex per line to pyarrow"] = lambda: _regex(data, out)
        return works, disk.remove
    works["duckdb read_json to Parquet, 4 columns"] = lambda: _duckdb(disk.path, out)
    works["polars scan_ndjson to Parquet, 4 columns"] = lambda: _polars(disk.path, out)
    return works, disk.remove


def _spill(data: Corpus) -> None:
    """Columns and rows into Parquet files by day, as a pull holds them until it publishes."""
    with tempfile.TemporaryDirectory(prefix="windsock-bench-") as folder:
        spill, placing = Spill(Path(folder), read_at=AT), Placing()
        for outcome in _read(data):
            assert isinstance(outcome, Parsed)
            for name, rows in outcome.rows.items():
                for row in rows:
                    spill.add(place(name, row, otherwise=AT), row)
            for name, slices in outcome.columns.items():
                for one in slices:
                    for partition, part in placing.parts(name, one):
                        spill.add_columns(partition, part)
        spill.flush()


def _pull(data: Corpus) -> None:
    with tempfile.TemporaryDirectory(prefix="windsock-bench-") as folder:
        lake = Lake.open(f"{folder}/lake", deployment="bench", create=True)
        with lake.writer(shard=0, holder="bench", now=AT) as writer:
            for one, outcome in zip(data.objects, _read(data), strict=True):
                obj = SourceObject(one.url, one.url, len(one.data), one.modified_at, one.etag)
                writer.add(obj, outcome, kind="task_logs", parser_version="bench")
            writer.checkpoint()


def _read(data: Corpus) -> Iterator[Outcome]:
    """In batches as a pull has them: many small objects, or one large."""
    held: list[LogObject] = []
    for one in data.objects:
        held.append(one)
        if sum(len(each.data) for each in held) >= BATCH_BYTES:
            yield from read_task_logs(held, lines="all")
            held = []
    yield from read_task_logs(held, lines="all")


def _duckdb(source: Path, out: Path) -> None:
    columns = "{'timestamp': 'timestamptz', 'level': 'varchar', 'event': 'varchar', 'logger': 'varchar'}"
    duckdb.execute(
        f"copy (select * from read_json('{source}', format='newline_delimited', columns={columns})) "
        f"to '{out}' (format parquet, compression zstd)"
    )


def _polars(source: Path, out: Path) -> None:
    schema = dict.fromkeys(("timestamp", "level", "event", "logger"), pl.String)
    at = pl.col("timestamp").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", time_zone="UTC")
    pl.scan_ndjson(source, schema=schema).with_columns(at).sink_parquet(
        out, compression="zstd", compression_level=1
    )


def _regex(data: Corpus, out: Path) -> None:
    """Lines without a head belong to the record before."""
    rows: list[list[str]] = []
    for one in data.objects:
        for line in one.data.decode().split("\n"):
            if found := HEAD.match(line.encode()):
                rows.append([part.decode() for part in found.groups()])
            elif rows:
                rows[-1][4] += f"\n{line}"
    names = ["at", "file", "line", "level", "message"]
    pq.write_table(pa.table(dict(zip(names, zip(*rows, strict=True), strict=True))), out, compression="zstd")
