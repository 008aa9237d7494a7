"""`task_tries` over two real Airflows, logs and database together, against a plain reading of the database's CSVs."""

import csv
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.csv_lakes import write_csv
from windsock.lake import Lake
from windsock.model import Parsed
from windsock.parse import parse_key, read_task_log
from windsock.questions import ask, load_questions
from windsock.week import Week

CORPORA = Path(os.environ.get("WINDSOCK_CORPORA", Path(__file__).parents[3] / "shared" / "corpora"))
pytestmark = pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora are not beside this checkout")
WEEK = Week.parse("2026-W48")
LOGS = {"airflow2": "gcs/acme-airflow-logs/logs", "airflow3": "s3/airflow-logs/prod"}
KEY = ("dag_id", "run_id", "task_id", "map_index", "try_number")
LOG_COLUMNS = (*KEY, "state", "state_reason", "started_at", "ended_at", "dialect", "object_url")
INSTANCE = {name: name for name in (*KEY, "state", "max_tries", "operator", "pool", "pool_slots", "queue", "hostname",
            "priority_weight")} | {"started_at": "start_date", "ended_at": "end_date", "queued_at": "queued_dttm",
            "scheduled_at": "scheduled_dttm"}  # fmt: skip
Key = tuple[str, str, str, int, int]
FAILED = ("failed", "up_for_retry")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def key_of(row: dict[str, Any]) -> Key:
    return row["dag_id"], row["run_id"], row["task_id"], int(row["map_index"]), int(row["try_number"])


def write(path: Path, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module", params=["airflow2", "airflow3"])
def corpus(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """(logs by key, database rows by key, run types, connection)."""
    root, lake = CORPORA / request.param, tmp_path_factory.mktemp(request.param)
    logs: dict[Key, dict[str, Any]] = {}
    folder = root / LOGS[request.param]
    for path in sorted(folder.rglob("attempt=*.log")):
        key = parse_key(str(path.relative_to(folder)))
        assert key is not None
        outcome = read_task_log(key, path.read_bytes(), object_url=str(path), etag="", modified_at=WEEK.to_at)
        if key.kind == "attempt" and isinstance(outcome, Parsed):
            row = dict(outcome.rows["task_logs"][0])
            logs[key_of(row)] = row
    told: list[dict[str, Any]] = []
    for is_history, name in enumerate(("task_instance", "task_instance_history")):
        for row in rows_of(root / "db" / f"{name}.csv"):
            told.append({ours: row.get(theirs, "") for ours, theirs in INSTANCE.items()}
                        | {"is_history": is_history, "object_url": "db:meta", "anchor_at": str(WEEK.from_at)})  # fmt: skip
    runs = rows_of(root / "db" / "dag_run.csv")
    write(lake / "l.csv", LOG_COLUMNS, list(logs.values()))
    write(lake / "i.csv", (*INSTANCE, "is_history", "object_url", "anchor_at"), told)
    write(
        lake / "r.csv",
        ("dag_id", "run_id", "run_type", "anchor_at"),
        [row | {"anchor_at": str(WEEK.from_at)} for row in runs],
    )
    maker = duckdb.connect()
    maker.execute("set TimeZone = 'UTC'")
    for table, name in (("task_logs", "l"), ("task_instances", "i"), ("dag_runs", "r")):
        write_csv(maker, lake, table, lake / f"{name}.csv", foreign=False)
    conn = Lake.open(str(lake), deployment="x", create=True).connect(WEEK)
    current: dict[Key, dict[str, Any]] = {}
    for row in told:
        current.setdefault(key_of(row), row)
    return logs, current, {(row["dag_id"], row["run_id"]): row["run_type"] for row in runs}, conn


def executions(current: dict[Key, dict[str, Any]]) -> dict[Key, tuple[bool, bool]]:
    """(cleared, followed by a retry) per try, from what the database says alone."""
    groups: dict[tuple[Any, ...], list[Key]] = defaultdict(list)
    for key in sorted(current):
        groups[key[:4]].append(key)
    said = {}
    for keys in groups.values():
        cleared, begins = False, []
        for n, key in enumerate(keys):
            before = current[keys[n - 1]] if n else None
            is_new = bool(before) and key[4] > 1 and (
                before["state"] in ("success", "skipped") or int(before["try_number"]) > int(before["max_tries"])
            )  # fmt: skip
            begins.append(is_new)
            cleared = cleared or is_new
            said[key] = (cleared, False)
        for n, key in enumerate(keys[:-1]):
            said[key] = (said[key][0], not begins[n + 1])
    return said


def test_every_try_of_both_inputs_is_one_row(corpus: Any) -> None:
    logs, current, _, conn = corpus
    rows = {tuple(row) for row in conn.execute(f"select {', '.join(KEY)} from task_tries").fetchall()}
    assert rows == set(logs) | set(current)
    assert conn.execute("select count(*) from task_tries").fetchall() == [(len(rows),)]


def test_states_are_the_databases_but_where_the_log_saw_more(corpus: Any) -> None:
    logs, current, _, conn = corpus
    said = executions(current)
    seen = {
        tuple(row[:5]): row[5]
        for row in conn.execute(f"select {', '.join(KEY)}, state from task_tries").fetchall()
    }
    odd = []
    for key, row in current.items():
        wanted = "up_for_retry" if row["state"] in FAILED and said[key][1] else row["state"] or "unknown"
        log = logs.get(key, {}).get("state")
        # a definite ending in the log wins: cleared or marked while it ran
        is_seen = log in ("success", "skipped", *FAILED) and (log in FAILED) != (row["state"] in FAILED)
        if seen[key] != wanted and not is_seen:
            odd.append((key, seen[key], wanted, log))
    assert len(odd) <= 0.01 * len(current), odd
    assert len(current) > 400


def test_first_and_last_tries_are_counted(corpus: Any) -> None:
    logs, current, _, conn = corpus
    keys = set(logs) | set(current)
    last: dict[tuple[Any, ...], int] = {}
    for key in keys:
        last[key[:4]] = max(last.get(key[:4], 0), key[4])
    counted = conn.execute(
        "select count(*) filter (where first_try), count(*) filter (where last_try) from task_tries"
    ).fetchall()
    assert counted == [(sum(key[4] == 1 for key in keys), len(last))]


def test_rates_are_those_of_a_plain_count(corpus: Any) -> None:
    """First executions of scheduled and asset-triggered runs, upstream_failed nowhere, from the database's rows."""
    _, current, types, conn = corpus
    said = executions(current)
    states = {
        tuple(r[:5]): r[5] for r in conn.execute(f"select {', '.join(KEY)}, state from task_tries").fetchall()
    }
    tries: dict[str, int] = defaultdict(int)
    failures: dict[str, int] = defaultdict(int)
    lost: dict[str, set[str]] = defaultdict(set)
    runs: dict[str, set[str]] = defaultdict(set)
    for key, row in current.items():
        judged = types[key[:2]] in ("scheduled", "asset_triggered", "dataset_triggered") and not said[key][0]
        if not judged or key[4] == 0 or row["state"] in ("upstream_failed", "removed"):
            continue
        tries[key[0]] += 1
        runs[key[0]].add(key[1])
        failures[key[0]] += states[key] in FAILED
        if states[key] in FAILED and not said[key][1]:
            lost[key[0]].add(key[1])
    question = load_questions(Path(__file__).parents[2] / "sql")["failure_rate_by_dag"]
    counted = {row["dag_id"]: row for row in ask(conn, question).rows}
    assert set(counted) == set(tries)
    for dag_id, row in counted.items():
        plain = (tries[dag_id], failures[dag_id], len(runs[dag_id]), len(lost[dag_id]))
        assert (row["tries"], row["failures"], row["runs"], row["lost_runs"]) == plain, dag_id
