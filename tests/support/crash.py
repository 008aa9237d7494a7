"""Kill a pull at a chosen file operation or after a chosen time, look at the lake, pull again, compare.

Run as a script it forks one child per seed from a process that has only imported windsock, so that a thousand kills take
minutes: `python -m tests.support.crash FOLDER FIRST_SEED COUNT`. It prints one JSON object: what went wrong, and how many
operations an undisturbed pull makes.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import windsock.pipeline as pipeline
from tests.support.lakes import rows_of
from windsock import config as configs
from windsock.output import Output
from windsock.schema import TABLES
from windsock.week import Week

NOW = datetime(2026, 11, 30, 6, tzinfo=UTC)
WEEK = Week.parse("2026-W48")
_WATCHED = ("open", "os.rename", "os.link", "os.remove", "os.mkdir")


def write_log(root: Path, name: str, day: datetime, *, is_failed: bool, written_at: datetime) -> None:
    """A small Airflow 2 log that starts on `day`."""
    path = (
        root
        / f"dag_id=d{name[0]}/run_id=scheduled__{day:%Y-%m-%dT00:00:00}+00:00/task_id=t{name}/attempt=1.log"
    )
    path = next(root.rglob(f"task_id=t{name}/attempt=1.log"), path)
    path.parent.mkdir(parents=True, exist_ok=True)
    head = f"[{day:%Y-%m-%d}T10:00:00.000+0000] {{"
    text = f"{head}standard_task_runner.py:72}} INFO - Started process 1 to run task\n"
    if is_failed:
        text += f"{head}taskinstance.py:1}} ERROR - Task failed with exception\nTraceback (most recent call last):\n"
        text += '  File "/opt/dags/d.py", line 1, in f\nRuntimeError: no\n'
    text += f"{head}taskinstance.py:1}} INFO - Marking task as {'FAILED' if is_failed else 'SUCCESS'}. dag_id=d, task_id=t\n"
    path.write_text(text)
    os.utime(path, (written_at.timestamp(), written_at.timestamp()))


def write_sources(root: Path, state: int) -> None:
    """State 0: 24 logs over three weeks. State 1: some grew, some moved to other weeks, some are new, some are gone."""
    for number in range(24 + 6 * state):
        name = f"{number % 3}-{number:02d}"
        day = NOW - timedelta(days=3 + 7 * (number % 3))
        written_at = day + timedelta(hours=2)
        is_failed = number % 4 == 0
        if state and number % 5 == 0:  # read again a week earlier or later: its rows and its ledger row move
            day += timedelta(days=7 if number % 2 else -7)
            written_at += timedelta(days=8 if number % 2 == 0 else -5)
        elif state and number % 7 == 0:
            is_failed, written_at = not is_failed, written_at + timedelta(hours=1)
        write_log(root, name, day, is_failed=is_failed, written_at=written_at)
    if state:
        for name in ("1-13", "2-17"):
            shutil.rmtree(next(root.rglob(f"task_id=t{name}")))


def make(folder: Path) -> None:
    """Before, after, and what an undisturbed pull makes of it. All pulls read from one address, `logs`."""
    for state in (0, 1):
        write_sources(folder / f"logs{state}", 0)
    write_sources(folder / "logs1", 1)
    (folder / "logs").symlink_to(folder / "logs0")
    pull(folder, folder / "before")
    (folder / "logs").unlink()
    (folder / "logs").symlink_to(folder / "logs1")
    shutil.copytree(folder / "before", folder / "expected")
    pull(folder, folder / "expected")
    pull(folder, folder / "fresh")


def pull(folder: Path, lake: Path) -> None:
    home = lake.parent / f"{lake.name}.toml"
    home.write_text(
        f"[deployment]\nname='prod'\n[sources.task_logs]\nurl='file://{folder}/logs'\n[lake]\nurl='{lake}'\n"
    )
    pipeline.pull(configs.load(home, {}), now=NOW, week=WEEK, output=Output(level=0), full=True)


def contents(lake: Path) -> dict[str, str]:
    """Every table file with the hash of its bytes."""
    return {
        str(path.relative_to(lake)): hashlib.sha256(path.read_bytes()).hexdigest()
        for table in TABLES
        for path in sorted(lake.glob(f"{table}/**/*.parquet"))
    }


def broken(lake: Path) -> str:
    """What a reader that starts now would see wrong; empty when all is well."""
    for table, key in (("task_logs", 5), ("log_events", 5), ("objects", 1)):
        rows = rows_of(lake, table)
        keys = Counter(row[:key] if table != "log_events" else (*row[:5], row[6]) for row in rows)
        if twice := [one for one, count in keys.items() if count > 1]:
            return f"{table} holds {twice[0]} twice"
    return ""


def kill_at(count: int, lake: Path) -> Callable[[str, tuple[Any, ...]], None]:
    """An audit hook that ends the process before its `count`-th operation on the lake."""
    left, root = count, str(lake)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if _is_watched(event, arguments, root):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return hook


def _is_watched(event: str, arguments: tuple[Any, ...], root: str) -> bool:
    return event in _WATCHED and str(arguments[0]).startswith(root)


def forked(work: Callable[[], None], *, after_s: float | None = None) -> int:
    """Run in a child; its exit status, or minus the signal."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            os._exit(1)
        os._exit(0)
    if after_s is not None:
        time.sleep(after_s)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long an undisturbed pull takes, and how many operations on the lake it makes: where kills can fall."""

    seconds: float
    operations: int


def measure(folder: Path) -> Bounds:
    """One pull to count, in a child."""
    lake, told = folder / "measured", folder / "operations"
    shutil.copytree(folder / "before", lake)

    def counted() -> None:
        seen = [0]

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            seen[0] += _is_watched(event, arguments, str(lake))

        sys.addaudithook(hook)
        pull(folder, lake)
        told.write_text(str(seen[0]))

    started = time.monotonic()
    assert forked(counted) == 0
    return Bounds(time.monotonic() - started, int(told.read_text()))


def run_seed(folder: Path, seed: int, bounds: Bounds) -> str:
    """One to three kills, then an undisturbed pull. Empty when the lake stood all of it."""
    rng = random.Random(seed)
    lake = folder / "lakes" / f"seed{seed}"
    lake.parent.mkdir(exist_ok=True)
    has_before = rng.random() < 0.85
    if has_before:
        shutil.copytree(folder / "before", lake)

    def until(count: int) -> None:
        sys.addaudithook(kill_at(count, lake))
        pull(folder, lake)

    for _ in range(rng.choice((1, 1, 2, 3))):
        if rng.random() < 0.7:
            count = rng.randint(1, bounds.operations)
            forked(partial(until, count))
        else:
            forked(partial(pull, folder, lake), after_s=rng.uniform(0, bounds.seconds))
        if forked(partial(assert_sound, lake)) != 0:
            return "a glob after the kill was wrong"
    if forked(partial(pull, folder, lake)) != 0:
        return "the next pull failed"
    if contents(lake) != contents(folder / ("expected" if has_before else "fresh")):
        return "the healed lake differs from an undisturbed one"
    left = [str(path) for path in (*lake.rglob("*.tmp-*"), *lake.glob("_windsock/intent-*"))]
    shutil.rmtree(lake)
    return f"left behind: {left}" if left else ""


def assert_sound(lake: Path) -> None:
    assert broken(lake) == ""


def run(folder: Path, first: int, count: int) -> tuple[list[str], Bounds]:
    """All seeds; what went wrong, one line each."""
    assert forked(partial(make, folder)) == 0
    bounds = measure(folder)
    told = {seed: run_seed(folder, seed, bounds) for seed in range(first, first + count)}
    return [f"seed {seed}: {why}" for seed, why in told.items() if why], bounds


if __name__ == "__main__":
    wrong, found = run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    print(json.dumps({"wrong": wrong, "operations": found.operations, "seconds": round(found.seconds, 2)}))
    sys.exit(bool(wrong))
