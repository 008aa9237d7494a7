"""No bytes make the reader raise; what it returns fits the lake; no secret leaves it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from windsock.lake.files import arrow_schema
from windsock.model import Parsed, Reject
from windsock.parse.component import read_component_log
from windsock.schema import TABLES

pa = pytest.importorskip("pyarrow")
NOW = datetime(2026, 11, 24, tzinfo=UTC)
TEXTS = [
    case["text"]
    for path in sorted(Path(__file__).parent.glob("*.yaml"))
    for case in yaml.safe_load(path.read_text(encoding="utf-8"))
]
LINES = sorted({line for text in TEXTS for line in text.split("\n")})
LINE = st.one_of(
    st.sampled_from(LINES),
    st.tuples(st.sampled_from(LINES), st.integers(0, 400)).map(lambda pair: pair[0][: pair[1]]),
    st.tuples(st.sampled_from(LINES), st.sampled_from(LINES), st.integers(0, 200)).map(
        lambda three: three[0][: three[2]] + three[1][three[2] :]
    ),
    st.sampled_from(LINES).map(lambda line: json.dumps({"log": line, "stream": "stdout"})),
    st.sampled_from(LINES).map(lambda line: f"2026-11-23T15:30:04.1Z stdout P {line}"),
    st.text(max_size=60),
    st.sampled_from(
        [
            '{"event": "x", "level": 1, "filename": [], "timestamp": {}}',
            '{"log": {"log": {"log": "{"}}}',
            "{" * 5000,
        ]
    ),
)
NUMBER = st.sampled_from(["99999999999999999999", "-1", "0", "1e9", "١٢"])


def check(data: bytes) -> None:
    outcome = read_component_log(data, path="a/b", modified_at=NOW)
    if isinstance(outcome, Reject):
        assert outcome.reason in ("empty", "bad_gzip", "not_component_log")
        return
    assert isinstance(outcome, Parsed)
    for table, rows in outcome.rows.items():
        schema = arrow_schema(TABLES[table])
        columns = {field.name: [row.get(field.name) for row in rows] for field in schema}
        assert len(pa.table(columns, schema=schema)) == len(rows)  # every value has its column's type
        assert {name for row in rows for name in row} <= set(schema.names)


@settings(deadline=None, max_examples=400)
@given(st.lists(LINE, max_size=12), st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_no_lines_make_it_raise(lines: list[str], end: str) -> None:
    check(end.join(lines).encode("utf-8", "surrogatepass"))


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=300))
def test_no_bytes_make_it_raise(data: bytes) -> None:
    check(data)
    check(b"\x1f\x8b" + data)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(LINES), NUMBER, st.data())
def test_no_number_makes_it_raise(line: str, number: str, data: st.DataObject) -> None:
    places = [no for no, char in enumerate(line) if char.isdigit()]
    if places:
        place = data.draw(st.sampled_from(places))
        check((line[:place] + number + line[place + 1 :]).encode())


@pytest.mark.parametrize("number", ["99999999999999999999", "-1", "None", "[]"])
def test_a_pod_whose_notes_hold_no_number_of_a_try_is_known_by_its_short_name(number: str) -> None:
    noted = "{'dag_id': 'd', 'task_id': 't', 'run_id': 'r', 'try_number': '1'}"
    (line,) = [line for line in LINES if "annotations: {" in line][:1]
    start, stop = (
        line.index("{", line.index("annotations: ")),
        line.index("}", line.index("annotations: ")) + 1,
    )
    check((line[:start] + noted.replace("'1'", repr(number)) + line[stop:]).encode())


def test_no_secret_of_any_text_leaves_the_reader() -> None:
    """Every free text that is kept is tried with secrets in it."""
    secret, tried = "hunter2FAKEhunter2", 0
    for text in TEXTS:
        for place in (
            "message: None",
            "No module named",
            "exited with error",
            "changed-externally",
            "cannot reach",
        ):
            if place in text:
                extra = f" Extra info: password={secret} postgresql://u:{secret}@h/d"
                data = text.replace(place, place.replace("None", "") + extra).encode()
                outcome = read_component_log(data, path="x", modified_at=NOW)
                assert isinstance(outcome, Parsed)
                assert secret not in repr(outcome.rows), text
                tried += "***" in repr(outcome.rows)
    assert tried >= 5


def test_a_time_that_cannot_be_true_is_none() -> None:
    text = "[1999-11-23T15:30:00.000+0000] {scheduler_job_runner.py:1} INFO - Run r of d has timed-out\n"
    outcome = read_component_log(text.encode(), path="x", modified_at=NOW)
    assert isinstance(outcome, Parsed)
    assert outcome.rows["component_events"][0]["event_at"] is None
