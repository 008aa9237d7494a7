"""`python -m benchmarks.pulling`: list, fetch, parse, redact, write; beside boto3 with 16 threads and json.loads.

Each reader is a process of its own: its CPU (user and system, all threads) and its peak memory are what the kernel says.
"Net" is without its start-up, which is its CPU on a bucket of one object. The server's CPU is not counted.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import duckdb

from benchmarks.pulling.bucket import served
from benchmarks.reading import corpus

ENV = {
    "AWS_ACCESS_KEY_ID": "FAKE",
    "AWS_SECRET_ACCESS_KEY": "FAKE",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_COLOR": "1",
}


@dataclass(frozen=True, slots=True)
class Run:
    """One process: CPU seconds and peak resident memory."""

    cpu_s: float
    peak_mb: float


def timed(command: list[str], folder: Path) -> Run:
    """Run it to its end; what it says is shown where it fails."""
    with (folder / "said.txt").open("w+b") as said:
        process = subprocess.Popen(
            [sys.executable, *command],
            stdout=said,
            stderr=said,
            env=os.environ | ENV | {"XDG_CACHE_HOME": str(folder)},
        )
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise SystemExit(f"{' '.join(command)}: {said.read().decode()}")
    return Run(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def pull(url: str, folder: Path, *, module: str = "windsock") -> Run:
    """`windsock pull` into a new lake on disk."""
    (folder / "pipeline.toml").write_text(
        f"[deployment]\nname='bench'\n[sources.task_logs]\nurl='s3://logs'\nmax_objects=10000000\n"
        f"[lake]\nurl='{folder / 'lake'}'\n[storage.s3]\nendpoint_url='{url}'\n"
    )
    return timed(["-m", module, "pull", str(folder / "pipeline.toml"), "--full"], folder)


def script(url: str, folder: Path) -> Run:
    """boto3 and json.loads."""
    return timed(["-m", "benchmarks.pulling.script", url, "logs", str(folder / "attempts.parquet")], folder)


READERS: Mapping[str, tuple[Callable[[str, Path], Run], str]] = {
    "windsock pull": (pull, "lake/tables/task_logs/**/*.parquet"),
    "windsock pull, redaction left out": (
        partial(pull, module="benchmarks.pulling.unredacted"),
        "lake/tables/task_logs/**/*.parquet",
    ),
    "boto3, 16 threads + json.loads": (script, "attempts.parquet"),
}


def once(reader: str, url: str, *, count: int) -> Run:
    """One run in a folder of its own; every object must have become a row."""
    run, rows = READERS[reader]
    with tempfile.TemporaryDirectory(prefix="windsock-bench-") as name:
        folder = Path(name)
        done = run(url, folder)
        found = next((folder / "lake").rglob("task_logs"), None) if "lake" in rows else None
        glob = str(found / "**/*.parquet") if found else str(folder / rows)
        told = duckdb.execute("select count(*) from read_parquet(?)", [glob]).fetchall()[0][0]
    if told != count:
        raise SystemExit(f"{reader}: {told} rows of {count} objects")
    return done


def objects_of(count: int) -> dict[str, bytes]:
    """Real small objects of Airflow 3, varied, below keys of a fleet."""
    made = corpus.varied(corpus.real("airflow3"), count=count + 100).objects[:count]
    return {
        f"dag_id=dag_{number % 97:03d}/run_id=scheduled__2026-11-{16 + number % 7:02d}T{number % 24:02d}:00:00+00:00/"
        f"task_id=task_{number}/attempt=1.log": one.data
        for number, one in enumerate(made)
    }


def main() -> None:
    """Parse the arguments and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pulling", description=__doc__)
    parser.add_argument("--objects", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    objects = objects_of(given.objects)
    one = dict(list(objects.items())[:1])
    runs: dict[str, list[tuple[Run, Run]]] = {name: [] for name in READERS}
    with served(objects) as url, served(one) as small:
        for _ in range(given.rounds):
            for name, told in runs.items():
                told.append((once(name, url, count=len(objects)), once(name, small, count=1)))
    size = sum(map(len, objects.values()))
    print(f"\n{len(objects)} objects of Airflow 3, {size / 1e6:.1f} MB, over HTTP on loopback")
    print(
        "| reader | CPU s | of it start-up | net, CPU s per 10,000 objects | times windsock's | peak memory, MB |"
    )
    print("|---|---|---|---|---|---|")
    net = {
        name: median(many.cpu_s - few.cpu_s for many, few in told) * 10_000 / len(objects)
        for name, told in runs.items()
    }
    for name, told in runs.items():
        print(
            f"| {name} | {median(many.cpu_s for many, _ in told):.2f} | {median(few.cpu_s for _, few in told):.2f} | {net[name]:.2f} "
            f"| {net[name] / net['windsock pull']:.1f} | {max(many.peak_mb for many, _ in told):.0f} |"
        )


if __name__ == "__main__":
    main()
