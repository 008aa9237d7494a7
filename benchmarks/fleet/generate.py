"""The fleet's weeks: which DAG runs when, what fails, and what the pool's gauges show."""

from __future__ import annotations

import gzip
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from benchmarks.fleet.exports import POOL, SLOTS, attempts_of_exports, used_and_waiting
from benchmarks.fleet.faults import Fault
from benchmarks.fleet.lost_worker import attempts_of_heavy
from benchmarks.fleet.records import Attempt, airflow2, airflow3
from benchmarks.fleet.scheduler import logs_of

NAMES = [
    "orders_ingest",
    "crm_export",
    "marketing_attribution",
    "inventory_sync",
    "ml_features",
    "finance_close",
    "finance_ledger",
    "payments_sync",
    "customer_churn",
    "web_sessions",
    "product_catalog",
    "returns_load",
    "shipping_costs",
    "ad_spend_facebook",
    "ad_spend_google",
    "support_tickets",
    "survey_results",
    "pricing_daily",
    "supplier_feed",
    "loyalty_points",
    "geo_enrich",
    "email_events",
    "app_events",
    "dwh_snapshot",
]
CREDENTIAL_DAGS = (
    "finance_close",
    "finance_ledger",
    "payments_sync",
    "returns_load",
    "shipping_costs",
    "dwh_snapshot",
)
TWICE_DAG = "product_catalog"
BAD_HOST, BAD_HOST_RATE = "worker-3", 0.4
BAD_HOST_DAGS = (
    "crm_export",
    "web_sessions",
    "ad_spend_facebook",
    "support_tickets",
    "pricing_daily",
    "loyalty_points",
    "email_events",
)
OLD_VERSION, STEP_VERSION = (
    "3b7d21a4e0c9f58812aa6700d4c5e9b1f2037684",
    "9c1f0e7b52d8a6431ff0c2e8d9b7a6054c3e1d2f",
)
OTHER_ERRORS = (
    ("ConnectionResetError", "[Errno 104] Connection reset by peer"),
    ("KeyError", "'amount_usd'"),
    ("ValueError", "could not convert string to float: 'n/a'"),
    ("TimeoutError", "read timed out after 30 seconds"),
)
BAD_HOST_ERRORS = (
    ("OSError", "[Errno 28] No space left on device: '/tmp/stage'"),
    ("OSError", "[Errno 5] Input/output error: '/var/cache/stage'"),
    ("SSLError", "certificate is not yet valid"),
    ("RequestTimeTooSkewed", "the difference between the request time and the current time is too large"),
)


@dataclass(frozen=True, slots=True)
class Fleet:
    """Size, time and seed of a fleet. `last_week` is a Monday."""

    weeks: int
    last_week: date
    dags: int
    seed: int
    faults: tuple[Fault, ...]

    def has(self, kind: str) -> bool:
        return any(one.kind == kind for one in self.faults)


@dataclass(frozen=True, slots=True)
class Dag:
    """One DAG: its cadence in hours, its tasks, its Airflow, its usual failure rate per try."""

    dag_id: str
    every_h: int
    tasks: tuple[str, ...]
    is_three: bool
    failure_rate: float


def dags_of(fleet: Fleet) -> list[Dag]:
    """Names first, then numbered ones. Hourly-ish DAGs are few: most of a fleet runs daily."""
    rng = random.Random(f"{fleet.seed}-dags")
    dags = []
    for place in range(fleet.dags):
        name = NAMES[place] if place < len(NAMES) else f"team_{place % 7}_job_{place:04d}"
        every = {"orders_ingest": 3, "crm_export": 3, "inventory_sync": 3, "marketing_attribution": 6}.get(
            name
        )
        every = every or rng.choice([12, 24, 24])
        tasks = ("extract",) if place > 4 else ("extract", "load")
        dags.append(
            Dag(
                name,
                every,
                ("train",) if name == "ml_features" else tasks,
                place % 2 == 0,
                rng.choice([0.0, 0.01, 0.02]),
            )
        )
    return dags


def attempts_of(fleet: Fleet, dag: Dag) -> Iterator[Attempt]:
    """Every attempt of one DAG over all weeks, in time order. Its own generator: DAGs do not disturb each other."""
    rng = random.Random(f"{fleet.seed}-{dag.dag_id}")
    start = datetime.combine(fleet.last_week - timedelta(weeks=fleet.weeks - 1), time(), UTC)
    end = datetime.combine(fleet.last_week + timedelta(weeks=1), time(), UTC)
    last = datetime.combine(fleet.last_week, time(), UTC)
    at = start + timedelta(hours=1)
    offset = timedelta(minutes=rng.randrange(50), seconds=rng.randrange(60))
    while at < end:
        is_silent = fleet.has("silent_dag") and dag.dag_id == "inventory_sync" and at >= last
        if not is_silent:
            yield from _run(fleet, dag, at, offset, last, rng)
        at += timedelta(hours=dag.every_h)
    if dag.dag_id == "customer_churn":  # a backfill of the last week, which is nobody's regression
        for day in range(10):
            when = last + timedelta(days=3, minutes=6 * day)
            logical = last - timedelta(days=40 - day)
            error = OTHER_ERRORS[1] if day % 3 == 0 else ("", "")
            yield Attempt(dag.dag_id, f"backfill__{logical.isoformat()}", "extract", 1, 1, when, 40.0,
                          "failed" if error[0] else "success", error, OLD_VERSION, 300)  # fmt: skip


def _run(
    fleet: Fleet, dag: Dag, at: datetime, offset: timedelta, last: datetime, rng: random.Random
) -> Iterator[Attempt]:
    """One run: tasks one after the other; a failed last try ends it."""
    run_id = f"scheduled__{(at - timedelta(hours=0 if dag.is_three else dag.every_h)).isoformat()}"
    clock = at + offset + timedelta(seconds=rng.uniform(1, 8))
    version, parse_ms = _parse(fleet, dag, clock, last, rng)
    file = _file(fleet, dag, at, last)
    for task_id in dag.tasks:
        for try_number in (1, 2):
            error, is_lasting = _error(fleet, dag, task_id, clock, last, rng, try_number)
            seconds = rng.lognormvariate(3.4, 0.4)
            ending = "success"
            if error == "killed":
                ending = "killed"
            elif error:
                ending = "failed" if try_number == 2 else "retry"
            told = error if isinstance(error, tuple) else ("", "")
            one = Attempt(
                dag.dag_id,
                run_id,
                task_id,
                try_number,
                2,
                clock,
                seconds,
                ending,
                told,
                version,
                parse_ms,
                file,
            )
            if try_number == 1 and not error and _is_on_bad_host(fleet, dag, clock, last):
                tries = list(_on_bad_host(one))
                yield from tries
                clock = tries[-1].started_at
            else:
                yield one
            clock += timedelta(seconds=seconds + (300 if error else 5))
            if not error:
                break
        if error and is_lasting:
            return


def _error(
    fleet: Fleet, dag: Dag, task_id: str, at: datetime, last: datetime, rng: random.Random, try_number: int
) -> tuple[tuple[str, str] | str | None, bool]:
    """What happens to this try, and whether a retry would meet the same."""
    chance = rng.random()
    kind = rng.choice(OTHER_ERRORS)
    if try_number == 2 and dag.dag_id not in ("orders_ingest", "crm_export", "ml_features", *CREDENTIAL_DAGS):
        return None, False
    if fleet.has("bad_credential") and dag.dag_id in CREDENTIAL_DAGS and task_id == "extract":
        wednesday = last + timedelta(days=2, hours=8)
        if wednesday <= at < wednesday + timedelta(hours=40):
            user = rng.randrange(1000, 9999)
            return (
                "AuthenticationError",
                f"password authentication failed for user 'warehouse_rw' (session {user})",
            ), True
    if fleet.has("dag_got_worse") and dag.dag_id == "orders_ingest" and task_id == "load" and at >= last:
        return (
            (("SchemaDriftError", "column 'customer_uuid' vanished"), True)
            if _sticky(at, 0.35)
            else (None, False)
        )
    if fleet.has("dag_recovered") and dag.dag_id == "crm_export" and task_id == "load":
        if at < last and _sticky(at, 0.35):
            return ("ApiLimitError", f"429 too many requests, retry after {rng.randrange(10, 99)} s"), True
        return None, False
    if fleet.has("memory_kill") and dag.dag_id == "ml_features" and at >= last and at.isoweekday() <= 5:
        return "killed", try_number == 2
    return (kind, False) if chance < dag.failure_rate and try_number == 1 else (None, False)


def _file(fleet: Fleet, dag: Dag, at: datetime, last: datetime) -> str:
    """Two files define one DAG in the last week: whichever was parsed last is it."""
    is_twice = fleet.has("duplicate_dag_id") and dag.dag_id == TWICE_DAG and at >= last
    return f"legacy/{dag.dag_id}.py" if is_twice and _sticky(at, 0.5) else ""


def _is_on_bad_host(fleet: Fleet, dag: Dag, at: datetime, last: datetime) -> bool:
    """A fourth worker came on Monday and takes every other task."""
    is_its = fleet.has("bad_worker") and dag.dag_id in BAD_HOST_DAGS and at >= last
    return is_its and random.Random(f"{dag.dag_id}-{at:%Y-%m-%dT%H}").random() < 0.5


def _on_bad_host(one: Attempt) -> Iterator[Attempt]:
    """Its clock, its disk, its network: a try in two ends with another error, and the retry runs elsewhere."""
    rng = random.Random(f"{one.dag_id}-{one.started_at.isoformat()}")
    if rng.random() >= BAD_HOST_RATE:
        yield replace(one, host=BAD_HOST)
        return
    yield replace(one, host=BAD_HOST, ending="retry", error=_symptom(one.dag_id))
    later = one.started_at + timedelta(seconds=one.seconds + 300)
    yield replace(one, try_number=2, started_at=later)


def _symptom(dag_id: str) -> tuple[str, str]:
    """A sick machine shows in each DAG by another error, so that none of them is an incident of its own."""
    return BAD_HOST_ERRORS[BAD_HOST_DAGS.index(dag_id) % len(BAD_HOST_ERRORS)]


def _sticky(at: datetime, rate: float) -> bool:
    """The same answer for every try of one run: what a broken schema or a spent quota does."""
    return random.Random(f"{at:%Y-%m-%dT%H}").random() < rate


def _parse(fleet: Fleet, dag: Dag, at: datetime, last: datetime, rng: random.Random) -> tuple[str, int]:
    base = 0.4 if dag.dag_id == "marketing_attribution" else 0.3
    version = OLD_VERSION
    if at >= last + timedelta(days=1, hours=10):
        version = STEP_VERSION if fleet.has("parse_step") else OLD_VERSION
        if fleet.has("parse_step") and dag.dag_id == "marketing_attribution":
            base = 1.9
    return version, round(1000 * base * rng.lognormvariate(0, 0.12))


def write(fleet: Fleet, out: Path) -> tuple[int, int]:
    """Write every object with its time of upload; returns objects and bytes."""
    objects = size = 0
    times: list[tuple[str, datetime]] = []
    start = datetime.combine(fleet.last_week - timedelta(weeks=fleet.weeks - 1), time(), UTC)
    end = datetime.combine(fleet.last_week + timedelta(weeks=1), time(), UTC)
    told = [(one, dag.is_three) for dag in dags_of(fleet) for one in attempts_of(fleet, dag)]
    if fleet.has("starts_collide"):
        told += [(one, False) for one in attempts_of_exports(fleet.seed, start, end, OLD_VERSION)]
    if fleet.has("lost_worker"):
        told += [(one, False) for one in attempts_of_heavy(fleet.seed, start, end, OLD_VERSION)]
    for one, is_three in told:
        if one.ending == "lost":
            continue
        body = airflow3(one) if is_three else airflow2(one)
        _put(out / "task_logs" / one.key, body, one.ended_at)
        times.append((f"task_logs/{one.key}", one.ended_at))
        objects, size = objects + 1, size + len(body)
    # times of queueing, and tries that were lost, stand in the scheduler's log only
    if fleet.has("starts_collide") or fleet.has("lost_worker"):
        recent = [
            one for one, is_three in told if not is_three and one.started_at >= end - timedelta(weeks=1)
        ]
        for path, body, at in logs_of(recent):
            _put(out / "component_logs" / path, body, at)
            times.append((f"component_logs/{path}", at))
            objects, size = objects + 1, size + len(body)
    exports = [one for one, _ in told if one.pool == POOL]
    for path, body, at in captures_of(fleet, exports):
        _put(out / "metrics" / path, body, at)
        times.append((f"metrics/{path}", at))
        objects, size = objects + 1, size + len(body)
    if fleet.has("setting_without_effect"):
        at = datetime.combine(fleet.last_week - timedelta(weeks=fleet.weeks - 1), time(), UTC)
        _put(out / "airflow.cfg", CFG, at)
        times.append(("airflow.cfg", at))
        objects, size = objects + 1, size + len(CFG)
    # git keeps no times: whoever lays the tree out again sets them from this list
    listed = "".join(f"{path}\t{at.isoformat()}\n" for path, at in sorted(times))
    (out / "objects.tsv").write_text(listed, encoding="utf-8")
    return objects, size


CFG = b"""[core]
executor = CeleryExecutor
parallelism = 32

[database]
sql_alchemy_conn = postgresql://airflow:FAKE-not-a-password@db/airflow

[scheduler]
parsing_processes = 4

[dag_processor]
min_file_process_interval = 60
"""
"""As somebody wrote it for Airflow 2 and half moved to 3. Its secret is fake, and must not reach the lake."""


def captures_of(fleet: Fleet, exports: Sequence[Attempt]) -> Iterator[tuple[str, bytes, datetime]]:
    """One StatsD capture a day: the gauges of the pools, every ten minutes."""
    first = fleet.last_week - timedelta(weeks=fleet.weeks - 1)
    for day in (first + timedelta(days=n) for n in range(fleet.weeks * 7)):
        rng = random.Random(f"{fleet.seed}-{day}")
        lines: list[str] = []
        backlog = 0
        for minute in range(0, 24 * 60, 10):
            at = datetime.combine(day, time(minute // 60, minute % 60), UTC)
            hour = at.hour
            wanted = rng.randrange(8, 13) if 2 <= hour < 6 else rng.randrange(0, 3)
            slots = 4 if fleet.has("pool_too_small") else 16
            running = min(slots, wanted)
            backlog = max(0, wanted - slots)
            busy = rng.randrange(2, 20)
            pools = [("warehouse", slots, running, backlog), ("default_pool", 128, busy, 0)]
            if exports:
                pools.append((POOL, SLOTS, *used_and_waiting(exports, at)))
            for pool, total, used, waiting in pools:
                gauges = {"open_slots": total - used, "queued_slots": 0, "running_slots": used,
                          "deferred_slots": 0, "scheduled_slots": waiting}  # fmt: skip
                lines += [
                    f"{at.timestamp():.0f} airflow.pool.{name}.{pool}:{value}|g"
                    for name, value in gauges.items()
                ]
            lines.append(f"{at.timestamp():.0f} airflow.scheduler_heartbeat:1|c")
        end = datetime.combine(day + timedelta(days=1), time(), UTC)
        yield f"{day}.statsd.gz", gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0), end


def _put(path: Path, body: bytes, at: datetime) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    os.utime(path, (at.timestamp(), at.timestamp()))
