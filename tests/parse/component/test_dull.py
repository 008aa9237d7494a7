"""What is passed over tells nothing: the rows are those of the exact path, whatever lines stand together."""

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.parse.component.test_corpora import CORPORA
from windsock.model import Row
from windsock.parse.component.component_log import Reader
from windsock.parse.component.dull import telling

NOW = datetime(2026, 11, 24, tzinfo=UTC)
CASES = [
    case
    for path in sorted(Path(__file__).parent.glob("*.yaml"))
    for case in yaml.safe_load(path.read_text(encoding="utf-8"))
]
LINES = sorted({line for case in CASES for line in case["text"].split("\n")})
DULL = [
    "[2026-11-23T15:30:44.788+0000] {scheduler_job_runner.py:692} INFO - Sending TaskInstanceKey(dag_id='a') to LocalExecutor",
    "[2026-11-23T15:30:44.788+0000] {dagbag.py:588} INFO - Filling up the DagBag from /opt/dags/a.py",
    "2026-11-23T15:24:43.617842Z [info     ] Task started   [airflow.api_fastapi.x] loc=task_instances.py:226",
    "2026-11-23 15:23:52.502244+00:00 [info     ] Marking task as FAILED. dag_id=x, task_id=y [task] loc=messy.py:55",
    "[2026-11-23 15:21:00 +0000] [123] [INFO] Booting worker",
    "2026-11-23T15:30:04.123Z [2026-11-23T15:30:44.788+0000] {manager.py:1} INFO - Processor for a.py with PID 1 killing it",
    "Traceback (most recent call last):", '  File "/opt/dags/a.py", line 1, in <module>', "KeyError: 'a'", "{'DAG Id': 'x'}", "{", "",
]  # fmt: skip
LINE = st.one_of(
    st.sampled_from(LINES),
    st.sampled_from(DULL),
    st.sampled_from(LINES).map(lambda line: f"\x1b[34m{line[:9]}\x1b[0m{line[9:]}"),
    st.sampled_from(LINES).map(
        lambda line: json.dumps({"log": f"{line}\n", "stream": "stdout", "time": "x"})
    ),
    st.sampled_from(LINES).map(lambda line: f"2026-11-23T15:30:04.1Z stdout F {line}"),
    st.tuples(st.sampled_from(LINES), st.integers(0, 200)).map(lambda pair: pair[0][: pair[1]]),
)


def rows(pieces: list[bytes], *, path: str, reads_all: bool) -> tuple[bool, dict[str, list[Row]]]:
    reader = Reader(path, ZoneInfo("UTC"), reads_all=reads_all)
    for piece in pieces:
        reader.feed(piece)
    reader.end()
    return reader.has_records, dict(reader.take(NOW).rows)


def same(pieces: list[bytes], path: str) -> None:
    assert rows(pieces, path=path, reads_all=False) == rows(pieces, path=path, reads_all=True)


@settings(deadline=None, max_examples=500)
@given(
    st.lists(st.lists(LINE, min_size=1, max_size=14), min_size=1, max_size=3),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["scheduler.log", "dag_processor_manager.log", "scheduler/2026-11-23/a.py.log"]),
)
def test_the_rows_are_those_of_the_exact_path(pieces: list[list[str]], end: str, path: str) -> None:
    same([(end.join(lines) + end).encode("utf-8", "replace") for lines in pieces], path)


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: case["name"] if "name" in case else case["text"][:40]
)
def test_every_known_text_is_told_between_dull_ones(case: dict[str, str]) -> None:
    """Each text that tells something begins with words that are known to."""
    dull = "\n".join(DULL[:2])
    data = f"{dull}\n{case['text'].rstrip()}\n{dull}\n".encode()
    same([data], case.get("path", "scheduler.log"))


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora are not beside this checkout")
def test_real_logs_tell_the_same() -> None:
    found = [
        path
        for path in CORPORA.rglob("*.log")
        if {"components", "component_logs", "local_logs"} & set(path.parts)
    ]
    assert len(found) > 20
    for path in found:
        same([path.read_bytes()], str(path))


def test_dull_lines_are_not_read() -> None:
    data = ("\n".join(DULL[:3]) + "\n").encode() * 1000
    assert sum(map(len, telling(data))) < 200  # the first head alone


def test_a_log_that_begins_with_a_task_s_line_is_still_airflow_s() -> None:
    foreign = "2026-11-23 15:24:04.739122+00:00 [info     ] hello [task] loc=messy.py:55"
    same([f"{foreign}\n{DULL[0]}\n{DULL[1]}\n".encode()], "scheduler.log")
    assert rows([f"{foreign}\n{DULL[0]}\n".encode()], path="x.log", reads_all=False)[0]


def test_a_record_that_is_passed_over_does_not_say_whose_the_next_is() -> None:
    ambiguous = (
        "2026-11-23T15:23:55.043448Z [error    ] Executor LocalExecutor(parallelism=8) reported that the task instance "
        "<TaskInstance: d.t scheduled__2026-11-23T15:16:00+00:00 [running] ti_id=01a20900-bc62-74e7-ad55-f75e72d7ab68> "
        "finished with state success, but the task instance's state attribute is running. [airflow.task] "
        "loc=taskinstance.py:1878"
    )
    for path in ("scheduler.log", "dag_processor_manager.log", "x.log"):
        same([f"{DULL[1]}\n{DULL[0]}\n{ambiguous}\n".encode()], path)
