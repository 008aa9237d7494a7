"""Cuts a small recorded set (API answers, database rows) out of a recording of a real Airflow.

    python -m tests.support.cut_airflow RECORDING/airflow3 3 tests/data orders_ingest ml.scoring_v2 …

Entries stay as they were recorded, one a line; `rendered_fields`, `executor_config`, `conf` and file tokens are left
out, because they may hold secrets. Without DAG names everything is taken.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

TABLES = {
    2: ("task_instance", "task_instance_history", "dag_run", "dag", "slot_pool", "import_error", "log", "job"),
    3: ("task_instance", "task_instance_history", "dag_run", "dag", "slot_pool", "import_error", "log", "job",
        "dag_version", "alembic_version"),
}  # fmt: skip
LISTS = {
    "task_instances": "taskInstances_all_*.json",
    "dag_runs": "dagRuns_all_*.json",
    "dags": "dags*.json",
    "dag_versions": "dagVersions_all.json",
    "pools": "pools.json",
    "providers": "providers.json",
    "dag_warnings": "dagWarnings.json",
    "import_errors": "importErrors.json",
}
SINGLE = {
    "version": "version.json",
    "health": ("monitor_health.json", "health.json"),
    "config": "config.json",
}
DROPPED = ("rendered_fields", "executor_config", "conf", "file_token", "next_kwargs", "context_carrier")
EVENTS_KEPT = re.compile(r"pool|clear|patch|state mismatch|heartbeat timeout|backfill")
SECTIONS_KEPT = ("core", "scheduler", "dag_processor", "triggerer", "celery", "database")


def cut(recording: Path, major: int, target: Path, dags: Iterable[str] = ()) -> None:
    """Write `api/airflow<major>` and `db/airflow<major>` below `target`."""
    chosen = frozenset(dags)
    with (recording / "db" / "dag_run.csv").open(newline="") as file:
        runs = {(row["dag_id"], row["run_id"]) for row in csv.DictReader(file)}
    _cut_api(recording / "api", target / "api" / f"airflow{major}", chosen, runs)
    _cut_db(recording / "db", target / "db" / f"airflow{major}", chosen, TABLES[major])


def _is_chosen(entry: dict[str, Any], chosen: frozenset[str]) -> bool:
    return not chosen or not entry.get("dag_id") or entry["dag_id"] in chosen


def _cut_api(recording: Path, target: Path, chosen: frozenset[str], runs: set[tuple[str, str]]) -> None:
    """The runs that the database rows hold, too."""
    target.mkdir(parents=True, exist_ok=True)
    for key, pattern in LISTS.items():
        entries: dict[str, dict[str, Any]] = {}
        for path in sorted(recording.glob(pattern)):
            for entry in json.loads(path.read_text()).get(key, []):
                is_wanted = True
                if "dag_run_id" in entry:
                    is_wanted = (entry["dag_id"], entry["dag_run_id"]) in runs
                if _is_chosen(entry, chosen) and is_wanted:
                    kept = {name: value for name, value in entry.items() if name not in DROPPED}
                    entries.setdefault(json.dumps(kept, sort_keys=True), kept)
        if entries:
            (target / f"{key}.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in entries.values()))
    for name, files in SINGLE.items():
        for file in (files,) if isinstance(files, str) else files:
            if (recording / file).is_file():
                told = json.loads((recording / file).read_text())
                if name == "config":
                    told["sections"] = [one for one in told["sections"] if one["name"] in SECTIONS_KEPT]
                    for section in told["sections"]:
                        section["options"] = [o for o in section["options"] if _is_plain(o)]
                    told["sections"][0]["options"].append(
                        {"key": "fernet_key", "value": "FAKE-secret-of-a-test"}
                    )
                (target / f"{name}.json").write_text(json.dumps(told, indent=1) + "\n")


def _is_plain(option: dict[str, str]) -> bool:
    return not re.search("key|secret|conn|password|url|user", option["key"])


def _cut_db(recording: Path, target: Path, chosen: frozenset[str], tables: Iterable[str]) -> None:
    target.mkdir(parents=True, exist_ok=True)
    schema = (recording / "schema.sql").read_text()
    parts = []
    for table in tables:
        match = re.search(rf"^CREATE TABLE public\.{table} \(.*?^\);", schema, re.MULTILINE | re.DOTALL)
        if match is None:
            raise SystemExit(f"{recording}: no table {table}")
        # types of extensions and enums of tables that are left out become text
        parts.append(
            re.sub(
                r"public\.\w+(?=[ ,\n])(?! \()", "text", match[0].replace(f"public.{table} (", f"{table} (")
            )
        )
        with (recording / f"{table}.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        kept = [
            row
            for row in rows
            if _is_chosen(row, chosen) and (table != "log" or EVENTS_KEPT.search(row["event"]))
        ]
        if table == "job":
            kept = [row for row in kept if row["job_type"] != "LocalTaskJob"]
        names = [name for name in (rows[0] if rows else {}) if name not in DROPPED]
        header = names or next(csv.reader((recording / f"{table}.csv").open(newline="")))
        with (target / f"{table}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, header, extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows(kept)
    (target / "schema.sql").write_text("\n\n".join(parts) + "\n")


if __name__ == "__main__":
    cut(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])
