"""Peak resident memory of `windsock pull`, one child process per input; prints a table: `python -m benchmarks.memory`.

The peak is the kernel's high-water mark of the child, imports included. `--quick` takes inputs a fiftieth as large.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.memory import inputs
from benchmarks.memory.bucket import bucket

ROOT = Path(__file__).parents[2]
WEEK = "2026-W47"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A pull, and what makes its input below a folder. In a bucket the lake lies in an S3 server on loopback."""

    name: str
    make: Callable[[Path], object]
    in_bucket: bool = False
    source: str = "task_logs"
    lines: str = "errors"


def scenarios(scale: int) -> list[Scenario]:
    """`scale` divides the sizes."""
    log, part = 5_000_000_000 // scale, 2_000_000_000 // scale
    small = [
        Scenario(f"{count:,} small logs", partial(_small, count))
        for count in (20_000 // scale, 200_000 // scale, 1_000_000 // scale)
    ]
    long = [
        Scenario(
            f"a log of {log / 1e9:.1f} GB, {dialect}, {end}",
            partial(_long, dialect, log, is_failed=end == "a command failed"),
        )
        for dialect in ("airflow3", "airflow2")
        for end in ("success", "a command failed")
    ]
    long += [
        Scenario(
            f"a log of {part / 1e9:.2f} GB, {dialect}, every record kept",
            partial(_long, dialect, part, is_failed=False),
            lines="all",
        )
        for dialect in ("airflow3", "airflow2")
    ]
    line = [
        Scenario(f"a line of {100_000_000 // 1_000_000} MB, {dialect}", partial(_line, dialect))
        for dialect in ("airflow3", "airflow2")
    ]
    line += [
        Scenario(
            f"a log of {0.3 / scale:.2f} GB, wrapped: {form}", partial(_wrapped, form, 300_000_000 // scale)
        )
        for form in ("docker", "runtime", "loki")
    ]
    parts = [
        Scenario(
            f"a partition of {part / 1e9:.2f} GB rewritten, {where}",
            partial(_part, part),
            where != "local disk",
        )
        for where in ("local disk", "S3")
    ]
    others = [
        Scenario(
            f"a scheduler's log of {part / 1e9:.2f} GB{form}",
            partial(_scheduler, part, is_zipped=bool(form)),
            source="component_logs",
        )
        for form in ("", ", gzip")
    ]
    others.append(
        Scenario(f"a StatsD capture of {part / 1e9:.2f} GB", partial(_statsd, part), source="metrics")
    )
    return [Scenario("one small log", partial(_small, 1)), *small, *long, *line, *parts, *others]


def _small(count: int, folder: Path) -> None:
    inputs.small_objects(folder / "logs", count)


def _long(dialect: str, size: int, folder: Path, *, is_failed: bool) -> None:
    inputs.long_log(folder / "logs", dialect, size, is_failed=is_failed)


def _line(dialect: str, folder: Path) -> None:
    inputs.single_line(folder / "logs", dialect, 100_000_000)


def _wrapped(form: str, size: int, folder: Path) -> None:
    inputs.wrapped_log(folder / "logs", form, size)


def _part(size: int, folder: Path) -> None:
    inputs.failed_log(folder / "logs")
    inputs.partition(folder / "lake", size)


def _scheduler(size: int, folder: Path, *, is_zipped: bool) -> None:
    inputs.scheduler_log(folder / "logs", size, is_zipped=is_zipped)


def _statsd(size: int, folder: Path) -> None:
    inputs.statsd_capture(folder / "logs", size)


def measure(one: Scenario, folder: Path, memory_mb: int) -> tuple[float, float]:
    """Peak MB, and CPU seconds of the pull."""
    one.make(folder)
    with bucket(folder / "lake") if one.in_bucket else _on_disk(folder / "lake") as lake:
        pipeline = folder / "windsock.toml"
        more = f"max_objects = 1000000000\nlines = '{one.lines}'" if one.source == "task_logs" else ""
        pipeline.write_text(
            f"[deployment]\nname = 'memory'\n[sources.{one.source}]\nurl = '{folder / 'logs'}'\n{more}\n"
            f"[storage.s3]\nendpoint_url = '{lake.endpoint}'\n[lake]\nurl = '{lake.url}'\nmemory_mb = {memory_mb}\n"
        )
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        told = folder / "peak"
        subprocess.run(
            [sys.executable, "-m", "benchmarks.memory.child", str(told), "-q", "pull", str(pipeline), "--week", WEEK],
            cwd=ROOT, env=os.environ | _ENVIRONMENT | {"XDG_CACHE_HOME": str(folder / "cache"), "TMPDIR": str(folder)}, check=True,
        )  # fmt: skip
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return int(told.read_text()) / 2**20, cpu


_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "FAKE",
    "AWS_SECRET_ACCESS_KEY": "FAKE",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True, slots=True)
class _Place:
    url: str
    endpoint: str = "http://127.0.0.1:1"


def _on_disk(lake: Path) -> AbstractContextManager[_Place]:
    return nullcontext(_Place(str(lake)))


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="inputs a fiftieth as large")
    parser.add_argument("--memory-mb", type=int, default=512, help="[lake] memory_mb (default 512)")
    parser.add_argument("--only", default="", help="scenarios whose name holds this text")
    parser.add_argument("--dir", type=Path, help="where the inputs are made (default: TMPDIR)")
    given = parser.parse_args()
    print("| input | peak MB | CPU seconds |\n|---|---|---|", flush=True)
    for one in scenarios(50 if given.quick else 1):
        if given.only in one.name:
            with tempfile.TemporaryDirectory(prefix="windsock-memory-", dir=given.dir) as name:
                peak, cpu = measure(one, Path(name), given.memory_mb)
            print(f"| {one.name} | {peak:.0f} | {cpu:.1f} |", flush=True)


if __name__ == "__main__":
    main()
