"""A record is the same record, whatever a collector wrapped around it."""

import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from windsock.model import Parsed, Reject
from windsock.parse.component import read_component_log
from windsock.parse.cut_lines import NO_END_TOLD

NOW = datetime(2026, 11, 24, tzinfo=UTC)
CASES = yaml.safe_load((Path(__file__).parent / "wrappers.yaml").read_text(encoding="utf-8"))


def read(data: bytes) -> Any:
    return read_component_log(data, path="any/name", modified_at=NOW)


@pytest.mark.parametrize("is_zipped", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_one_record_in_any_wrapper(case: dict[str, str], is_zipped: bool) -> None:
    data = case["text"].encode()
    outcome = read(gzip.compress(data) if is_zipped else data)
    assert isinstance(outcome, Parsed)
    (event,) = outcome.rows["component_events"]
    assert (event["event"], event["dag_id"], event["run_id"]) == ("run_timeout", "d", "r")
    assert event["event_at"] == datetime(2026, 11, 23, 15, 30, tzinfo=UTC)


def test_a_line_whose_end_never_came_is_read_and_told() -> None:
    head = "[2026-11-23T15:30:00.000+0000] {scheduler_job_runner.py:1681} INFO - Run r of d has timed-out"
    outcome = read(f"2026-11-23T15:30:04.1Z stdout P {head}\n2026-11-23T15:30:04.2Z stdout P  and\n".encode())
    assert isinstance(outcome, Parsed)
    assert [row["event"] for row in outcome.rows["component_events"]] == ["run_timeout"]
    assert outcome.partial == NO_END_TOLD


def test_pods_that_a_collector_interleaves_keep_their_own_tables() -> None:
    """Two dag-processors print a table at the same time into one file."""

    def table(file: str, took: str) -> list[str]:
        return [
            "[2026-11-23T15:22:59.673+0000] {manager.py:997} INFO - ",
            "=" * 80,
            "DAG File Processing Stats",
            "",
            "File Path      PID  Runtime      # DAGs    # Errors  Last Runtime    Last Run",
            "-----------  -----  ---------  --------  ----------  --------------  -------------------",
            f"{file:<11}  {'':5}  {'':9}  {1:>8}  {0:>10}  {took:<14}  2026-11-23T15:22:43",
            "=" * 80,
        ]

    lines = [
        f'{{"log": "{line}", "stream": "stdout", "kubernetes": {{"pod_name": "{pod}"}}}}'
        for pair in zip(table("/dags/a.py", "0.35s"), table("/dags/b.py", "9.10s"), strict=True)
        for pod, line in zip(("p1", "p2"), pair, strict=True)
    ]
    rows = read("\n".join(lines).encode()).rows["parse_samples"]
    assert [(row["dag_file"], row["parse_s"]) for row in rows] == [("/dags/a.py", 0.35), ("/dags/b.py", 9.1)]


def test_gzip_members_one_after_another_are_one_log() -> None:
    line = "[2026-11-23T15:3{}:00.000+0000] {{scheduler_job_runner.py:1}} INFO - Run r{} of d has timed-out\n"
    data = b"".join(gzip.compress(line.format(no, no).encode()) for no in range(3))
    assert len(read(data).rows["component_events"]) == 3


def test_a_cut_gzip_keeps_what_could_be_unpacked() -> None:
    lines = "".join(
        f"[2026-11-23T15:30:{no % 60:02}.{no:03}+0000] {{scheduler_job_runner.py:1}} INFO - Run r{no * 7919} of d has timed-out\n"
        for no in range(900)
    )
    data = gzip.compress(lines.encode())
    assert 0 < len(read(data[: len(data) // 2]).rows["component_events"]) < 900


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"\x1f\x8bjunk", "bad_gzip"),
        (b"PAR1\x00\x01\x02", "not_component_log"),
        (b"<html><body>Sign in</body></html>", "not_component_log"),
        (b'{"some": "other", "json": 1}\n', "not_component_log"),
    ],
)
def test_what_is_no_component_log_is_a_reject_with_its_reason(data: bytes, reason: str) -> None:
    outcome = read(data)
    assert isinstance(outcome, Reject)
    assert (outcome.kind, outcome.reason) == ("component_logs", reason)


def test_a_log_that_tells_nothing_is_understood_and_has_no_rows() -> None:
    outcome = read(b"[2026-11-23T15:30:00.000+0000] {override.py:1932} INFO - Created Permission View: x\n")
    assert isinstance(outcome, Parsed)
    assert outcome.rows == {}
