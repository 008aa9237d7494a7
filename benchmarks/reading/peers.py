"""What people use otherwise, each doing at most what our summary needs: fewer columns, no ending, no redaction."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl

from benchmarks.reading.corpus import Corpus

HEAD = re.compile(rb"\[(\d{4}-\d\d-\d\d[T ][\d:.,]+[+\-\d]*)\] \{([^}:]+):(\d+)\} ([A-Z]+) - (.*)")


def json_loads(corpus: Corpus) -> Counter[str]:
    """`json.loads` per line, count by level, first and last time."""
    levels: Counter[str] = Counter()
    for one in corpus.objects:
        for line in one.data.split(b"\n"):
            if line:
                levels[json.loads(line)["level"]] += 1
    return levels


def regex_per_line(corpus: Corpus) -> Counter[bytes]:
    """A compiled expression per line, count by level."""
    levels: Counter[bytes] = Counter()
    match = HEAD.match
    for one in corpus.objects:
        for line in one.data.split(b"\n"):
            if found := match(line):
                levels[found[4]] += 1
    return levels


class OnDisk:
    """The corpus as one file, for engines that read files."""

    def __init__(self, corpus: Corpus) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="windsock-bench-"))
        self.path = self.folder / "all.json"
        self.path.write_bytes(b"".join(one.data for one in corpus.objects))

    def duckdb(self) -> object:
        """`read_json` with three typed columns, count by level."""
        columns = "{'timestamp': 'varchar', 'level': 'varchar', 'event': 'varchar'}"
        sql = f"select level, count(*), min(timestamp), max(timestamp) from read_json(?, format='newline_delimited', columns={columns}) group by level"
        return duckdb.execute(sql, [str(self.path)]).fetchall()

    def polars(self) -> object:
        """`scan_ndjson` with three columns, count by level."""
        frame = pl.scan_ndjson(
            self.path, schema={"timestamp": pl.String, "level": pl.String, "event": pl.String}
        )
        return (
            frame.group_by("level")
            .agg(pl.len(), pl.min("timestamp").alias("a"), pl.max("timestamp").alias("b"))
            .collect()
        )

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


_LNAV_FORMATS = {
    "airflow3": {
        "title": "Airflow 3",
        "json": True,
        "hide-extra": True,
        "line-format": [{"field": "timestamp"}, " ", {"field": "level"}, " ", {"field": "event"}],
        "timestamp-field": "timestamp",
        "level-field": "level",
        "body-field": "event",
        "value": {"event": {"kind": "string"}, "logger": {"kind": "string"}},
    },
    "airflow2": {
        "title": "Airflow 2",
        "regex": {
            "record": {
                "pattern": r"^\[(?<timestamp>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4})\] "
                r"\{(?<file>[^:}]+):(?<line>\d+)\} (?<level>[A-Z]+) - (?<body>.*)$"
            }
        },
        "timestamp-format": ["%Y-%m-%dT%H:%M:%S.%L%z"],
        "level-field": "level",
        "value": {"file": {"kind": "string"}, "line": {"kind": "integer"}},
        "sample": [
            {"line": "[2026-11-23T15:25:49.419+0000] {taskinstance.py:1} INFO - Starting attempt 1 of 1"}
        ],
    },
}


def lnav(disk: OnDisk) -> Callable[[], object] | None:
    """lnav without a screen, where it is installed: count by level, in formats written for it. Its start-up counts."""
    program = shutil.which("lnav")
    if program is None:
        return None
    formats = disk.folder / "lnav/formats/bench"
    formats.mkdir(parents=True)
    (formats / "airflow.json").write_text(json.dumps(_LNAV_FORMATS))
    sql = ";select log_level, count(*) from all_logs group by log_level"
    command = [program, "-n", "-I", str(disk.folder / "lnav"), "-c", sql, str(disk.path)]

    def run() -> str:
        done = subprocess.run(
            command, capture_output=True, check=True, text=True, env=os.environ | {"HOME": str(disk.folder)}
        )
        if "info" not in done.stdout:
            raise SystemExit(f"lnav did not know the records: {done.stdout}{done.stderr}")
        return done.stdout

    return run
