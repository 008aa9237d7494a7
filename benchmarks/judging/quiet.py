"""Whole quiet weeks through every question and every rule: `python -m benchmarks.judging.quiet [--seeds 20] [--seed 0]`.

Nine weeks of a fleet in which nothing changes: runs that fail now and then in heaps, retries, four workers, two pools, releases
every other day, manual runs and a clear, parses, heartbeats, gauges. Whatever a rule says of the last week as a warning is a
false alarm; the promise is one week in twenty.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from windsock import resources
from windsock.findings import judge_all
from windsock.lake import Lake
from windsock.model import Finding, Judgement
from windsock.questions import ask, load_questions
from windsock.schema import TABLES
from windsock.week import Week

WEEK = Week.parse("2026-W47")
START = WEEK.minus(8).from_at
DAYS, MINUTE, HOUR = 63, timedelta(minutes=1), timedelta(hours=1)
ERRORS = ("KeyError: <>", "TimeoutError: read timed out after <n> s", "ConnectionError: <>", "ValueError: <>")
POOLS = {"default_pool": 128, "warehouse": 12}
GAUGED_WEEKS = 3  # of samples by the minute
Rows = list[dict[str, Any]]


@dataclass(slots=True)
class _Fleet:
    """Rows by table, as they are made."""

    rng: np.random.Generator
    tables: dict[str, Rows]

    def add(self, table: str, **row: Any) -> None:
        self.tables.setdefault(table, []).append(row)


def quiet_fleet(seed: int, *, dags: int = 30) -> dict[str, Rows]:
    """Rows of nine weeks by table of the lake."""
    fleet = _Fleet(np.random.default_rng(seed), {})
    versions = _releases(fleet.rng)
    for n in range(dags):
        _dag(fleet, n, versions)
    _parses(fleet)
    _gauges(fleet)
    for day in range(DAYS):
        fleet.add("deployments", seen_at=START + timedelta(days=day), key="airflow.version", value="3.1.6")
    return fleet.tables


def _releases(rng: np.random.Generator) -> list[tuple[datetime, str]]:
    at, made = START - timedelta(days=1), []
    while at < WEEK.to_at:
        made.append((at, f"{rng.integers(16**10):010x}"))
        at += timedelta(hours=float(rng.uniform(24, 72)))
    return made


def _dag(fleet: _Fleet, n: int, versions: Sequence[tuple[datetime, str]]) -> None:
    """A chain of tasks at its own rhythm, with its own error, failure rate and durations."""
    rng = fleet.rng
    dag_id, every = f"dag_{n:02}", int(rng.choice([1, 3, 6, 24, 24, 168]))
    tasks = [(f"t{k}", float(np.exp(rng.uniform(3.5, 6.5)))) for k in range(int(rng.integers(1, 5)))]
    rate, saved = float(rng.beta(0.6, 14)), float(rng.uniform(0.2, 0.9))
    error, pool = str(rng.choice(ERRORS)), "warehouse" if n % 4 == 0 else "default_pool"
    for day in range(DAYS):
        today = min(0.9, rate * float(rng.lognormal(-0.08, 0.4)))
        for hour in range(0, 24, min(every, 24)):
            if every == 168 and day % 7 != n % 7:
                continue
            at = START + timedelta(days=day, hours=hour, minutes=n % 50)
            _run(fleet, dag_id, "scheduled", at, tasks, today, saved, error, pool, versions)
        if rng.random() < 0.02:
            at = START + timedelta(days=day, hours=float(rng.uniform(8, 18)))
            _run(fleet, dag_id, "manual", at, tasks, today, saved, error, pool, versions)


def _run(fleet: _Fleet, dag_id: str, kind: str, due: datetime, tasks: Sequence[tuple[str, float]], rate: float, saved: float,
         error: str, pool: str, versions: Sequence[tuple[datetime, str]]) -> None:  # fmt: skip
    rng, run_id = fleet.rng, f"{kind}__{due.isoformat()}"
    version = [sha for at, sha in versions if at <= due][-1]
    breaks = int(rng.integers(len(tasks))) if rng.random() < rate else -1
    at, is_lost = due + timedelta(seconds=float(rng.uniform(1, 6))), False
    began = at
    for place, (task_id, usual_s) in enumerate(tasks):
        if is_lost:
            fleet.add(
                "task_instances", **_told(dag_id, run_id, task_id, 0, "upstream_failed", pool), anchor_at=due
            )
            continue
        tries = 1 if place != breaks else 2 if rng.random() < saved else 3
        is_lost = tries == 3
        for try_number in range(1, min(tries, 2) + 1):
            fails = place == breaks and (try_number == 1 or is_lost)
            at = _try(
                fleet, dag_id, run_id, task_id, try_number, at, usual_s, fails, error, pool, version, due
            )
            at += (
                timedelta(minutes=5)
                if fails and try_number == 1
                else timedelta(seconds=float(rng.uniform(1, 4)))
            )
    fleet.add("dag_runs", dag_id=dag_id, run_id=run_id, run_type=kind, state="failed" if is_lost else "success",
              logical_date=due, run_after=due, queued_at=due, started_at=began, ended_at=at, bundle_version=version,
              anchor_at=due, source="api", told_at=at)  # fmt: skip


def _told(dag_id: str, run_id: str, task_id: str, try_number: int, state: str, pool: str) -> dict[str, Any]:
    return {"dag_id": dag_id, "run_id": run_id, "task_id": task_id, "map_index": -1, "try_number": try_number, "state": state,
            "max_tries": 1, "operator": "PythonOperator", "pool": pool, "pool_slots": 1, "queue": "default",
            "executor": "CeleryExecutor", "priority_weight": 1, "source": "api"}  # fmt: skip


def _try(fleet: _Fleet, dag_id: str, run_id: str, task_id: str, try_number: int, ready: datetime, usual_s: float, fails: bool,
         error: str, pool: str, version: str, due: datetime) -> datetime:  # fmt: skip
    """One try as log, ledger and API tell it; returns its end."""
    rng = fleet.rng
    queued = ready + timedelta(seconds=float(rng.uniform(0.2, 3)))
    started = queued + timedelta(seconds=float(rng.lognormal(0.7, 0.4)))
    busy = 1.08 if 8 <= started.hour < 18 else 1.0
    took = usual_s * busy * float(rng.lognormal(0, 0.25)) * (float(rng.uniform(0.2, 1)) if fails else 1.0)
    ended, state = started + timedelta(seconds=took), "failed" if fails else "success"
    host, url = f"worker-{rng.integers(4)}", f"s3://b/{dag_id}/{run_id}/{task_id}/{try_number}"
    size = int(rng.lognormal(9, 0.3))
    signature = f"{error} @ {dag_id}.py:{task_id}" if fails else None
    fleet.add("task_logs", dag_id=dag_id, run_id=run_id, task_id=task_id, map_index=-1, try_number=try_number, state=state,
              state_reason="exception" if fails else None, started_at=started, ended_at=ended, error_signature=signature,
              exception_type=error.split(":")[0] if fails else None, exception_message="no" if fails else None,
              record_count=40, warning_count=0, error_count=int(fails), process_starts=1, log_bytes=size, bundle_name="git",
              bundle_version=version, dag_file=f"{dag_id}.py", hostname=host, dialect="airflow3_json",
              operator="PythonOperator", object_url=url, object_modified_at=ended)  # fmt: skip
    fleet.add("objects", object_url=url, etag="1", size=size, modified_at=ended, kind="task_logs", outcome="parsed", rows=1,
              parser_version="1", read_at=WEEK.to_at)  # fmt: skip
    if fails:
        fleet.add("log_events", dag_id=dag_id, run_id=run_id, task_id=task_id, map_index=-1, try_number=try_number,
                  logged_at=ended, record_no=39, level="error", logger="task", message="Task failed with exception",
                  error_signature=signature, object_url=url)  # fmt: skip
    told = _told(dag_id, run_id, task_id, try_number, state, pool)
    fleet.add("task_instances", **told, hostname=host, scheduled_at=ready, queued_at=queued, started_at=started, ended_at=ended,
              anchor_at=due, told_at=ended)  # fmt: skip
    return ended


def _parses(fleet: _Fleet) -> None:
    """A parse of each file every half hour: noise, busy hours, an outlier now and then."""
    for name in sorted({row["dag_file"] for row in fleet.tables["task_logs"]}):
        level = float(fleet.rng.uniform(0.2, 4))
        for step in range(DAYS * 48):
            at = START + step * timedelta(minutes=30) + timedelta(seconds=float(fleet.rng.uniform(0, 20)))
            odd = float(fleet.rng.uniform(2, 5)) if fleet.rng.random() < 0.005 else 1.0
            took = level * odd * float(fleet.rng.lognormal(0, 0.06)) * (1.1 if 8 <= at.hour < 18 else 1.0)
            fleet.add("parse_samples", parsed_at=at, dag_file=name, bundle_name="git", parse_s=took, dag_count=1, error_count=0,
                      source="stats_table")  # fmt: skip


def _gauges(fleet: _Fleet) -> None:
    """Pools and executor as the tries held them, and heartbeats, each minute."""
    from_at = WEEK.minus(GAUGED_WEEKS - 1).from_at
    minutes = np.arange(GAUGED_WEEKS * 7 * 24 * 60)
    held: dict[str, Any] = {name: np.zeros(len(minutes) + 1) for name in POOLS}
    for row in fleet.tables["task_instances"]:
        if row.get("queued_at") and row["ended_at"] > from_at:
            begin, end = ((row[name] - from_at) / MINUTE for name in ("queued_at", "ended_at"))
            held[row["pool"]][max(0, int(np.ceil(begin)))] += 1
            held[row["pool"]][min(len(minutes), int(np.ceil(end)))] -= 1
    used = {name: np.cumsum(steps)[:-1].astype(int) for name, steps in held.items()}
    for minute in minutes:
        at = from_at + int(minute) * MINUTE
        for name, total in POOLS.items():
            running = int(used[name][minute])
            fleet.add("pool_samples", sampled_at=at, pool=name, total_slots=total, open_slots=total - running, source="metric",
                      running_slots=running, queued_slots=0, deferred_slots=0, scheduled_slots=0)  # fmt: skip
        running = sum(int(one[minute]) for one in used.values())
        values = {"executor.open_slots": 64 - running, "executor.running_tasks": running, "executor.queued_tasks": 0,
                  "scheduler_heartbeat": 12, "triggerer_heartbeat": 60, "dag_processor_heartbeat": 12}  # fmt: skip
        for name, value in values.items():
            kind = "counter" if name.endswith("heartbeat") else "gauge"
            fleet.add("metric_samples", sampled_at=at, name=name, kind=kind, value=float(value), sample_count=1,
                      min_value=float(value), max_value=float(value), raw_name=f"airflow_{name}", from_at=at,
                      until_at=at + MINUTE)  # fmt: skip


def judge_week(folder: Path, tables: dict[str, Rows]) -> Judgement:
    """Write the rows as a lake below `folder`, ask every question of its last week, and judge by every rule."""
    for name, rows in tables.items():
        anchor = TABLES[name].anchor
        frame = pl.DataFrame(rows, infer_schema_length=None)
        frame = frame.with_columns(pl.col(anchor).dt.truncate("1w").dt.date().alias("week"))
        for (week,), part in frame.group_by("week"):
            target = folder / name / f"week={week}"
            target.mkdir(parents=True, exist_ok=True)
            part.drop("week").write_parquet(target / "x.parquet")
    conn = Lake.open(str(folder), deployment="prod").connect(WEEK)
    try:
        Lake.keep_tries(conn)
        answers = {name: ask(conn, one) for name, one in load_questions(resources.folder("sql")).items()}
    finally:
        conn.close()
    return judge_all(answers, week=WEEK, thresholds={})


def loud(findings: Sequence[Finding]) -> list[str]:
    """What a reader would be warned of."""
    return [f"{one.code} {one.headline}" for one in findings if one.severity in ("warning", "critical")]


def main() -> int:
    """Print what was said of each week; exit status 1 when more than one in twenty had a warning."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.judging.quiet", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="first seed")
    given = parser.parse_args()
    warned, judged = 0, set[str]()
    for seed in range(given.seed, given.seed + given.seeds):
        with tempfile.TemporaryDirectory() as folder:
            judgement = judge_week(Path(folder), quiet_fleet(seed))
        said, quiet = (
            loud(judgement.findings),
            sorted({one.code for one in judgement.findings if one.severity not in ("warning", "critical")}),
        )
        judged |= {code for code, count in judgement.judged.items() if count}
        warned += bool(said)
        below = f" (below a warning: {', '.join(quiet)})" if quiet else ""
        print(f"seed {seed}: {'; '.join(said) or 'no warning'}{below}", flush=True)
    print(
        f"{warned} of {given.seeds} quiet weeks with a warning; {len(judged)} rules had something to judge: {', '.join(sorted(judged))}"
    )
    return int(warned * 20 > given.seeds)


if __name__ == "__main__":
    sys.exit(main())
