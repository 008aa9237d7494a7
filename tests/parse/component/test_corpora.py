"""Real components of real Airflows: what is read equals a naive reading of the raw lines, and agrees with the database."""

import csv
import os
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from windsock.model import Parsed
from windsock.parse.component import read_component_log

CORPORA = Path(os.environ.get("WINDSOCK_CORPORA", Path(__file__).parents[4] / "shared" / "corpora"))
NOW = datetime(2026, 11, 24, tzinfo=UTC)
pytestmark = pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora are not beside this checkout")

SCHEDULERS = {
    "airflow2": sorted((CORPORA / "airflow2/component_logs").glob("scheduler.*")),
    "airflow3": sorted((CORPORA / "airflow3/local/components").glob("scheduler.*")),
}
PROCESSORS = sorted((CORPORA / "airflow2/local_logs/scheduler").rglob("*.log"))
TABLES = {
    "airflow2": CORPORA / "airflow2/local_logs/dag_processor_manager/dag_processor_manager.log",
    "airflow3": CORPORA / "airflow3/local/components/dag-processor.log",
}

# Tries that the lines alone cannot settle, each kind by its reason
UNDECIDABLE = {
    (
        "running",
        "success",
    ): "the supervisor was killed, its child went on and succeeded: no component says so",
    ("running", "failed"): "the copy of the log ends, or was filtered, before the line that fails the try",
    ("running", "running"): "the run was stopped with the task at work",
    ("deferred", "failed"): "the scheduler was stopped before the try ended",
}


def read(path: Path) -> dict[str, list[dict[str, Any]]]:
    outcome = read_component_log(path.read_bytes(), path=str(path.relative_to(CORPORA)), modified_at=NOW)
    assert isinstance(outcome, Parsed), outcome
    return {name: list(rows) for name, rows in outcome.rows.items()}


def raw_lines(path: Path, needle: str) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
        if needle in line:
            yield line


def word(line: str, name: str) -> str:
    found = re.search(rf"[ ,]{name}=([^,]*)", line)
    assert found, line
    return found[1]


def newest(airflow: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The last telling of every try, over all files of one deployment."""
    tries: dict[tuple[Any, ...], dict[str, Any]] = {}
    for path in SCHEDULERS[airflow]:
        for row in read(path)["task_instances"]:
            key = tuple(row[name] for name in ("dag_id", "run_id", "task_id", "map_index", "try_number"))
            if key not in tries or row["told_at"] >= tries[key]["told_at"]:
                tries[key] = row
    return tries


def database(airflow: str) -> dict[tuple[Any, ...], list[dict[str, str]]]:
    csv.field_size_limit(10**8)
    found: dict[tuple[Any, ...], list[dict[str, str]]] = {}
    for name in ("task_instance", "task_instance_history"):
        with (CORPORA / airflow / f"db/{name}.csv").open(newline="", encoding="utf-8") as handle:
            for row in csv.DictReader(handle):
                key = (
                    row["dag_id"],
                    row["run_id"],
                    row["task_id"],
                    int(row["map_index"]),
                    int(row["try_number"]),
                )
                found.setdefault(key, []).append(row | {"is_history": str(name.endswith("history"))})
    return found


@pytest.mark.parametrize("airflow", ["airflow2", "airflow3"])
def test_every_finished_try_of_the_raw_lines_is_read_once(airflow: str) -> None:
    naive: dict[tuple[Any, ...], str] = {}
    for path in SCHEDULERS[airflow]:
        for line in raw_lines(path, "TaskInstance Finished"):
            ids = [word(line, name) for name in ("dag_id", "run_id", "task_id", "map_index", "try_number")]
            naive[ids[0], ids[1], ids[2], int(ids[3]), int(ids[4])] = word(line, "pool")
    tries = newest(airflow)
    assert {key: row["pool"] for key, row in tries.items()} == naive
    assert len(naive) == {"airflow2": 609, "airflow3": 812}[airflow]


@pytest.mark.parametrize("airflow", ["airflow2", "airflow3"])
def test_states_tries_and_times_agree_with_the_database(airflow: str) -> None:
    known, checked, odd = database(airflow), 0, Counter[tuple[str, str]]()
    for key, row in newest(airflow).items():
        if not (there := known.get(key)):
            continue  # half of the runs were left out of the corpus
        checked += 1
        state = "failed" if row["state"] == "up_for_retry" else row["state"]
        states = {one["state"] for one in there}
        if state not in states:
            (told,) = states
            assert (state, told) in UNDECIDABLE, (key, row, there)
            odd[state, told] += 1
            continue
        assert {one["pool"] for one in there} == {row["pool"]}
        if row["state"] == "up_for_retry":
            assert all(one["is_history"] == "True" for one in there), key
        began = {one["start_date"][:19] for one in there if one["start_date"]}
        if row["started_at"]:
            assert row["started_at"].isoformat(" ")[:19] in began, key
    assert checked > 370
    assert sum(odd.values()) <= 9, odd


def test_every_parse_of_the_raw_lines_is_a_sample_in_seconds() -> None:
    took = re.compile(
        r"^\[(\S+)\] \{processor\.py:\d+\} INFO - Processing (\S+) took ([\d.]+) seconds", re.MULTILINE
    )
    naive = {
        (datetime.fromisoformat(at), file, float(seconds))
        for path in PROCESSORS
        for at, file, seconds in took.findall(path.read_text(encoding="utf-8"))
    }
    rows = [row for path in PROCESSORS for row in read(path)["parse_samples"]]
    assert {(row["parsed_at"], row["dag_file"], row["parse_s"]) for row in rows} == naive
    assert len(rows) == len(naive) == 775
    assert {row["source"] for row in rows} == {"processor_log"}


@pytest.mark.parametrize(("airflow", "count"), [("airflow2", 611), ("airflow3", 820)])
def test_every_parse_of_the_tables_is_told_once(airflow: str, count: int) -> None:
    """The naive reading splits on white space and takes the numbers before and after the one that ends in s."""
    naive: set[tuple[str, str, str]] = set()
    for line in TABLES[airflow].read_text(encoding="utf-8").split("\n"):
        words = line.split()
        seconds = [no for no, one in enumerate(words) if re.fullmatch(r"[\d.]+s", one)]
        if seconds and len(words) > seconds[-1] + 1 and words[seconds[-1] + 1].startswith("2026-11-23T"):
            file = words[0] if airflow == "airflow2" else words[1]
            naive.add((file, words[seconds[-1] + 1], words[seconds[-1]][:-1]))
    rows = read(TABLES[airflow])["parse_samples"]
    assert {(r["dag_file"], r["parsed_at"].isoformat()[:19], f"{r['parse_s']:.2f}") for r in rows} == naive
    assert len(rows) == count
    assert {row["bundle_name"] for row in rows} == (
        {None} if airflow == "airflow2" else {"dags-folder", "git-marketing"}
    )


@pytest.mark.parametrize(
    ("airflow", "file", "at", "factor"),
    [
        ("airflow2", "slow_parse_a.py", "2026-11-23T15:31:30+00:00", 2.0),
        ("airflow2", "slow_parse_b.py", "2026-11-23T15:36:30+00:00", 4.0),
        ("airflow3", "finance_close.py", "2026-11-23T15:29:45+00:00", 2.5),
        ("airflow3", "marketing_attribution.py", "2026-11-23T15:32:15+00:00", 1.4),
    ],
)
def test_the_planted_jumps_are_in_the_samples(airflow: str, file: str, at: str, factor: float) -> None:
    """ground_truth.json of each corpus names file and moment; slow_parse_a was mended at 15:42."""
    changed, mended = datetime.fromisoformat(at), datetime(2026, 11, 23, 15, 42, tzinfo=UTC)
    rows = [row for row in read(TABLES[airflow])["parse_samples"] if row["dag_file"].endswith(file)]
    before = [row["parse_s"] for row in rows if row["parsed_at"] < changed]
    after = [row["parse_s"] for row in rows if changed < row["parsed_at"] < mended]
    assert min(len(before), len(after)) >= 7
    assert median(after) > factor * median(before)
    if airflow == "airflow3":
        steady = [
            row for row in read(TABLES[airflow])["parse_samples"] if row["dag_file"] == "legacy_reports.py"
        ]
        halves = [
            [r["parse_s"] for r in steady if (r["parsed_at"] < changed) == is_early]
            for is_early in (True, False)
        ]
        assert 0.7 < median(halves[0]) / median(halves[1]) < 1.4


def test_the_planted_import_errors_are_seen_with_their_signature() -> None:
    (path,) = (one for one in PROCESSORS if one.name == "broken_dag.py.log")
    two = read(path)["import_errors"]
    assert len(two) == len(list(raw_lines(path, "Failed to import")))
    assert {row["error_signature"] for row in two} == {
        "ModuleNotFoundError: No module named 'acme_internal_sdk' @ broken_dag.py:<module>"
    }
    path = CORPORA / "airflow3/local/dag_processor_child_logs/2026-11-23/dags-folder/crm_export.py.log"
    three = read(path)["import_errors"]
    assert len(three) == len(list(raw_lines(path, "Failed to import"))) == 21
    assert {(row["bundle_name"], row["dag_file"], row["error_signature"]) for row in three} == {
        (
            "dags-folder",
            "crm_export.py",
            "ModuleNotFoundError: No module named 'salesforce_bulk_client_missing' @ crm_export.py:<module>",
        )
    }


def test_the_holds_of_the_raw_lines_are_there_minute_by_minute() -> None:
    for airflow, needle, event in (
        ("airflow2", "Requested pool slots (", "pool_too_small"),
        ("airflow2", "Executor parallelism limit reached", "executor_full"),
        ("airflow3", "Not scheduling since there are 0 open slots in pool", "pool_full"),
        ("airflow3", "since the task concurrency for this task has been reached", "max_active_tis_per_dag"),
    ):
        naive, found = set(), set()
        for path in SCHEDULERS[airflow]:
            naive |= {line.lstrip("[")[:16] for line in raw_lines(path, needle)}
            for row in read(path).get("component_events", ()):
                if row["event"] == event:
                    found.add(row["event_at"].isoformat()[:16])
        assert found == naive, (airflow, event)
        assert found


def test_task_lines_that_a_local_executor_repeats_are_no_records_of_the_scheduler() -> None:
    (path,) = (one for one in SCHEDULERS["airflow3"] if "head6000" in one.name)
    rows = read(path)
    told = len(list(raw_lines(path, "TaskInstance Finished")))
    assert told >= len(rows["task_instances"]) > 0.9 * told
    assert {row["component"] for row in rows["component_events"]} == {"scheduler"}
    assert not [row for row in rows["component_events"] if row.get("dag_id") == "fake"]
