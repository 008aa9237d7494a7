"""Real logs of real Airflows: the state read from a log alone agrees with the metadata database."""

import csv
import os
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from windsock.model import Parsed
from windsock.parse import parse_key, read_task_log

CORPORA = Path(os.environ.get("WINDSOCK_CORPORA", Path(__file__).parents[3] / "shared" / "corpora"))
NOW = datetime(2026, 11, 24, tzinfo=UTC)
pytestmark = pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora are not beside this checkout")

# Kinds that no log can decide alone, each by name. The test fails when a log outside these kinds disagrees.
UNDECIDABLE = {
    "retried": "history says `failed` for a try that was retried; the log of Airflow 2 says `up_for_retry` itself",
    "will_retry": "Airflow 3 logs cannot tell `up_for_retry` from `failed`",
    "os_exit_0": "os._exit(0) leaves no ending; only the scheduler knows",
    "deferral_race": "the executor's event won the race against the resume: state mismatch, no trace in the log",
    "removed": "the task vanished from its DAG after the log was written",
    "pending": "the database still waited for a further process of the attempt",
}


def read(path: Path, root: Path) -> dict[str, object]:
    key = parse_key(str(path.relative_to(root)))
    assert key is not None
    outcome = read_task_log(key, path.read_bytes(), object_url=str(path), etag="", modified_at=NOW)
    assert isinstance(outcome, Parsed), outcome
    return dict(outcome.rows["task_logs"][0])


def kind_of(log: dict[str, object], states: set[str]) -> str | None:
    """Why a log may disagree with the database, or None when it may not."""
    state, reason = log["state"], log["state_reason"]
    if state in states:
        return ""
    if state == "up_for_retry" and "failed" in states:
        return "retried"
    if state == "failed" and "up_for_retry" in states:
        return "will_retry"
    if state == "unknown" and reason == "truncated" and states & {"failed", "up_for_retry"}:
        return "os_exit_0"
    if state in ("deferred", "up_for_reschedule") and states & {"failed", "up_for_retry"}:
        return "deferral_race"
    if states & {"removed"}:
        return "removed"
    if states & {"running", "queued", "scheduled", "deferred", "up_for_reschedule", "restarting", ""}:
        return "pending"
    return None


def truth_of(folder: Path) -> dict[tuple[str, ...], set[str]]:
    truth: dict[tuple[str, ...], set[str]] = {}
    for name in ("task_instance.csv", "task_instance_history.csv"):
        with (folder / name).open(newline="") as handle:
            for row in csv.DictReader(handle):
                ids = (row["dag_id"], row["run_id"], row["task_id"], row["map_index"], row["try_number"])
                truth.setdefault(ids, set()).add(row["state"])
    return truth


@pytest.mark.parametrize(
    ("root", "db", "at_least"),
    [
        ("airflow2/gcs/acme-airflow-logs/logs", "airflow2/db", 250),
        ("airflow3/s3/airflow-logs/prod", "airflow3/db", 350),
        ("airflow3/extra/s3/airflow-logs/prod", "airflow3/extra/db", 8),
    ],
)
def test_state_agrees_with_the_database(root: str, db: str, at_least: int) -> None:
    folder, truth = CORPORA / root, truth_of(CORPORA / db)
    kinds: Counter[str] = Counter()
    wrong = []
    for path in sorted(folder.rglob("*.log")):
        key = parse_key(str(path.relative_to(folder)))
        if key is None or key.kind != "attempt":
            continue
        ids = (key.dag_id, key.run_id, key.task_id, str(key.map_index), str(key.try_number))
        if ids not in truth:
            kinds["no database row"] += 1
            continue
        log = read(path, folder)
        kind = kind_of(log, truth[ids])
        kinds[kind or "agrees"] += 1
        if kind is None:
            wrong.append((ids, log["state"], log["state_reason"], truth[ids]))
    assert kinds["agrees"] >= at_least
    assert wrong == []
    assert set(kinds) <= {"agrees", "no database row", *UNDECIDABLE}


def audited(folder: Path) -> dict[tuple[str, ...], list[tuple[datetime, str]]]:
    """What the audit log says of each try, in order: state changes with their moments (Airflow 3 writes all of them)."""
    told: dict[tuple[str, ...], list[tuple[datetime, str]]] = {}
    with (folder / "log.csv").open(newline="") as handle:
        for row in csv.DictReader(handle):
            if row["event"] in ("running", "deferred", "up_for_reschedule") and row["try_number"]:
                ids = (
                    row["dag_id"],
                    row["run_id"],
                    row["task_id"],
                    row["map_index"] or "-1",
                    row["try_number"],
                )
                told.setdefault(ids, []).append(
                    (datetime.fromisoformat(row["dttm"]).astimezone(UTC), row["event"])
                )
    return {ids: sorted(rows) for ids, rows in told.items()}


def test_the_time_without_a_worker_is_what_the_audit_log_says() -> None:
    """Deferred or rescheduled until the next process began: from the task's own log, and from rows that Airflow wrote."""
    folder, truth = CORPORA / "airflow3/s3/airflow-logs/prod", audited(CORPORA / "airflow3/db")
    compared = Counter[str]()
    for path in sorted(folder.rglob("*.log")):
        key = parse_key(str(path.relative_to(folder)))
        if key is None or key.kind != "attempt":
            continue
        ids = (key.dag_id, key.run_id, key.task_id, str(key.map_index), str(key.try_number))
        log, rows = read(path, folder), truth.get(ids, [])
        for kind, column in (("deferred", "deferred_s"), ("up_for_reschedule", "rescheduled_s")):
            legs = [
                (back - left).total_seconds()
                for (left, event), (back, after) in pairwise(rows)
                if event == kind and after == "running"
            ]
            spans = [one for one in log["away"] or () if one.startswith(f"{kind}/")]  # type: ignore[attr-defined]
            if not legs or len(spans) != len(legs):
                compared["not told" if legs and not spans else "other"] += bool(legs)
                continue
            compared[kind] += 1
            # the row is written when the server hears of it, the record by the task itself, on a machine under load
            assert abs(float(str(log[column])) - sum(legs)) <= 4.0 * len(legs), (ids, log[column], legs)
    assert compared["deferred"] >= 12 and compared["up_for_reschedule"] >= 3, compared
    assert compared["other"] + compared["not told"] <= 1, compared
