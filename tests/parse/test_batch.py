"""The fast path and the exact path give the same rows, object by object, whatever the bytes."""

import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.outcomes import comparable
from windsock.model import LogKey, Outcome, Parsed
from windsock.parse import parse_key, read_task_log
from windsock.parse.batch import LogObject, read_task_logs
from windsock.parse.task_log import MAX_MESSAGE_BYTES

ROOT = Path(__file__).parents[2]
CORPORA = Path(os.environ.get("WINDSOCK_CORPORA", ROOT.parent / "shared" / "corpora"))
NOW = datetime(2026, 11, 24, tzinfo=UTC)
KEY = LogKey("d", "r", "t", -1, 1)
SAMPLES = {
    "airflow3": ROOT / "data/sample/real/airflow3",
    "airflow2": ROOT / "data/sample/real/airflow2",
}

USER_LINES = {
    "airflow3": b'{"timestamp":"2026-11-23T15:23:27.467692Z","level":"info","event":"batch 7 of 9 loaded, 120 rows","logger":"user"}',
    "airflow2": b"[2026-11-23T15:22:59.673+0000] {user.py:12} INFO - batch 7 of 9 loaded, 120 rows\nand a further line",
}


def objects_below(root: Path) -> list[LogObject]:
    found = []
    for path in sorted(root.rglob("*.log")):
        key = parse_key(str(path.relative_to(root))) or KEY
        found.append(LogObject(key, path.read_bytes(), str(path), "e", NOW))
    return found


def exact(one: LogObject, lines: Any = "errors") -> Outcome:
    return read_task_log(
        one.key, one.data, object_url=one.url, etag=one.etag, modified_at=one.modified_at, lines=lines
    )


def paths_taken(outcomes: list[Outcome]) -> Counter[str]:
    return Counter(one.rows["task_logs"][0]["read_path"] for one in outcomes if isinstance(one, Parsed))


@pytest.mark.parametrize("dialect", SAMPLES)
@pytest.mark.parametrize("lines", ["errors", "warnings", "all"])
def test_both_paths_agree_on_real_logs(dialect: str, lines: Any) -> None:
    objects = objects_below(SAMPLES[dialect])
    fast = read_task_logs(objects, lines=lines)
    assert [comparable(one) for one in fast] == [comparable(exact(one, lines)) for one in objects]
    taken = paths_taken(fast)
    assert taken["fast"] > 3 * taken["exact"]


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora are not beside this checkout")
@pytest.mark.parametrize("root", ["airflow3", "airflow2"])
@pytest.mark.parametrize("lines", ["errors", "all"])
def test_both_paths_agree_on_the_corpora(root: str, lines: Any) -> None:
    objects = objects_below(CORPORA / root)
    fast = read_task_logs(objects, lines=lines)
    assert [comparable(one) for one in fast] == [comparable(exact(one, lines)) for one in objects]
    assert paths_taken(fast)["fast"] > 300


@pytest.mark.parametrize("dialect", SAMPLES)
@pytest.mark.parametrize("lines", ["errors", "all"])
def test_an_object_larger_than_a_scan_is_read_in_pieces(dialect: str, lines: Any) -> None:
    objects = objects_below(SAMPLES[dialect])
    done = zip(objects, read_task_logs(objects), strict=True)
    base = next(one for one, outcome in done if paths_taken([outcome])["fast"] and len(one.data) > 3000)
    told = base.data.split(b"\n")
    middle = USER_LINES[dialect] + b"\n"
    data = b"\n".join(told[:3]) + b"\n" + middle * (5_000_000 // len(middle)) + b"\n".join(told[3:])
    one = LogObject(base.key, data, "x", "e", NOW)
    (fast,) = read_task_logs([one], lines=lines)
    assert comparable(fast) == comparable(exact(one, lines))
    assert paths_taken([fast]) == {"fast": 1}


LINE3 = b'{"timestamp":"2026-11-23T15:23:%02d.467692Z","level":"info","event":"%s","logger":"user"}'
LINE2 = b"[2026-11-23T15:23:%02d.673+0000] {user.py:12} INFO - %s"
TEXTS = [
    b"plain", b"", b" ", b"  two blanks ", "prüfen    🧭".encode(), b"\xed\xa0\x80 no UTF-8 \xff", b"x" * MAX_MESSAGE_BYTES,
    b"x" * (MAX_MESSAGE_BYTES + 1), "ü".encode() * MAX_MESSAGE_BYTES, b"password=hunter2FAKE", b"token_count 7", b"nul \x00 and \x1b[31mred",
    b"ends in }", b"@-@{\"labels\": 1}", b"A" * 64, b"https://u:hunter2FAKE@h/x",
]  # fmt: skip
FURTHER = {
    "airflow3": [rb"quote \" and \\ and \n", rb"\u0070assword=hunter2FAKE", b"tab\t"],
    "airflow2": [b"\n", b"x\r", b"x\n\n\r\n", b"x\ny=1\n\n}", b'say "so"', b"\n" * 30],
}


@pytest.mark.parametrize(
    ("dialect", "line"), [("airflow3", LINE3), ("airflow2", LINE2)], ids=["airflow3", "airflow2"]
)
def test_every_record_in_columns_is_the_record_that_the_exact_path_reads(dialect: str, line: bytes) -> None:
    """Texts that columns can take as they lie, and texts that they must leave, between the lines of a real log."""
    base = next(one for one in objects_below(SAMPLES[dialect]) if paths_taken(read_task_logs([one]))["fast"])
    told = [line % (no, text) for no, text in enumerate(TEXTS + FURTHER[dialect])]
    start = base.data.index(b"\n") + 1
    one = LogObject(base.key, base.data[:start] + b"\n".join(told) + b"\n" + base.data[start:], "x", "e", NOW)
    (fast,) = read_task_logs([one], lines="all")
    assert comparable(fast) == comparable(exact(one, "all"))
    assert isinstance(fast, Parsed)
    assert sum(map(len, fast.columns["log_events"])) >= len(TEXTS) // 2, "most of them in columns"


STAMPS3 = st.sampled_from(
    [b"2026-11-23T15:23:27.467692Z", b"2026-11-23T15:23:26.000001Z", b"2026-11-23T15:23:28Z", b"2026-13-23T15:23:27.467692Z",
     b"2020-11-23T15:23:27.467692Z", b"2026-W48-1T15:23:27.467692Z", b"2026-11-23 15:23:27.467692Z", b"nonsense", b"2026-11-25T15:23:27.467692Z"]
)  # fmt: skip
LEVELS3 = st.sampled_from(
    [b"info", b"info", b"info", b"debug", b"warning", b"error", b"critical", b"INFO", b"", b"infos"]
)
EVENTS3 = st.sampled_from(
    [b"hello", b"::group::Pre Execute", b"::group::Post Execute", b"::endgroup::", b"Pushing xcom", b"Task failed with exception",
     b"Task exited", b"Skipping task.", b"Pausing task as DEFERRED. ", b"Rescheduling task, marking task as UP_FOR_RESCHEDULE",
     b"Process terminated by signal", b"Bash command failed. The command returned a non-zero exit code 1.", b"\\u0000 \\ud83d\\ude00",
     b'\\"logger\\":\\"task\\"', "prüfen \u2028 \x85".encode(), b"\xff\xfe broken", b"password=hunter2FAKE", b"DAG bundles loaded: dags-folder",
     b"Done. Returned value was: 3", b"Top level error", b"DAG not found during start up", b"Process exited abnormally", b"Task finished"]
)  # fmt: skip
TAILS3 = st.sampled_from(
    [b',"logger":"task","lineno":1580}', b',"logger":"task","exit_code":3}', b',"logger":"user"}', b',"logger":"task.stderr"}', b"}", b"",
     b',"logger":"task","error_detail":[{"exc_type":"E","exc_value":"v 1","frames":[{"filename":"/d/x.py","lineno":1,"name":"f"}]}]}',
     b',"logger":"u","error_detail":[{"exc_type":"E","exc_value":"v","frames":[]}]}', b',"level":"error"}', b',"logger":"t\\u0061sk"}',
     b',"logger":"airflow.task.hooks.x.SubprocessHook"}', b',"chan":"stdout","logger":"task"}', b',"logger":"a.DagBundlesManager"}',
     b',"logger":"supervisor","final_state":"failed"}', b',"logger":"task","error_detail":[{"exc_type":"E","exc_value":"Bash command failed","frames":[]}]}',
     b',"logger":"u","error_detail":[{"exc_type":"E","exc_value":"Bash command failed","frames":[]}]}', b',"nested":{"logger":"task"}}', b',"error_detail":7}', b',"x":[}', b'} ', b"}\r",
     b',"logger":"task","bundle_name":"b","dag_file":"f.py","dag_file_parse_ms":12,"event":"Worker startup parse complete"}']
)  # fmt: skip
LINES3 = st.one_of(
    st.builds(lambda at, level, event, tail: b'{"timestamp":"%s","level":"%s","event":"%s"%s' % (at, level, event, tail),
              STAMPS3, LEVELS3, EVENTS3, TAILS3),
    st.sampled_from([b"", b"  ", b"plain text", b"{}", b"[1]", b'{"timestamp":"', b"\x00" * 90, b"}" * 100, b'{"event": "spaced", "logger": "task"}']),
)  # fmt: skip

HEADS2 = st.builds(
    lambda at, file, level, gap: b"[%s] {%s} %s -%s" % (at, file, level, gap),
    st.sampled_from([b"2026-11-23T15:22:59.673+0000", b"2026-11-23T15:22:58.001+0000", b"2026-11-23T16:22:58.001+0100", b"2026-13-23T15:22:59.673+0000",
                     b"2026-11-23 15:22:59,673", b"2020-11-23T15:22:59.673+0000", b"2026-11-23T15:22:59.673-0530", b"2026-11-23T15:22:59.673+9999",
                     b"2026-11-23, 15:22:59 CEST", b"2026-11-23T15:22:59.673Z", b"2026-11-23T15:22:59.673 +00"]),
    st.sampled_from([b"taskinstance.py:1", b"local_task_job_runner.py:266", b"standard_task_runner.py:72", b"logging_mixin.py:190", b"user.py:12",
                     b"subprocess.py:106", b"u.py:1234567", b"a:b:3", b"x}y:1", b"{user.py:1}", b"m\xc3\xbcll.py:3", b"\x1b[34muser.py:3", b"none", b"task_command.py:467",
                     b"__init__.py:4", b"a_file_with_a_name_that_is_longer_than_most.py:12", b"a_file_with_a_name_that_is_longer_than_the_window_is.py:123456", b"12345678:9"]),
    st.sampled_from([b"INFO", b"INFO", b"INFO", b"WARNING", b"ERROR", b"CRITICAL", b"DEBUG", b"Level 25", b"info", b"INFOX"]),
    st.sampled_from([b" ", b" ", b" ", b"", b"  "]),
)  # fmt: skip
TEXTS2 = st.sampled_from(
    [b"hello", b"Marking task as SUCCESS. dag_id=d, task_id=t, run_id=r", b"Marking task as FAILED. dag_id=d, task_id=t",
     b"Started process 12 to run task", b"Task exited with return code 1", b"Task exited with return code -9", b"Running <TaskInstance: d.t r [running]> on host h1",
     b"Task failed with exception\nTraceback (most recent call last):\n  File \"/d/x.py\", line 1, in f\nValueError: v 1", b"", b"x\n\ny", b"\xff",
     b"State of this instance has been externally set to skipped. Terminating instance.", b"Traceback (most recent call last):\n  KeyError: 'k'",
     b"Task is not able to be run", b"x\nTraceback (most recent call last)\n  File \"/d/x.py\", line 1, in f\nE: v", b"Failed to execute job 1 for task t (v; 7)",
     b"Bash command failed\nTraceback (most recent call last):\n  File \"/d/x.py\", line 1, in f\nE: Bash command failed",
     b"Executing <Task(PythonOperator): t> on 2026-11-23 15:16:00+00:00", b"\x1b[0m[2026-11-23T15:22:59.673+0000] {taskinstance.py:1} INFO - Marking task as FAILED.", b"\x1b[1mMarking task as FAILED. dag_id=d, task_id=t,",
     b"Mark\x1b[0ming task as FAILED. dag_id=d, task_id=t,", b"Task is", b"Running", b"Immediate failure requested. Marking task as FAILED.", b"All retries failed; marking task as FAILED.",
     b"Pausing task as DEFERRED. dag_id=d", b"Rescheduling task, marking task as UP_FOR_RESCHEDULE", b"Trigger failed:\nTraceback (most recent call last):\nE: v",
     b"labelled@-@{\"workflow\": \"x\"}"]
)  # fmt: skip
LINES2 = st.one_of(
    st.builds(lambda head, text: head + text, HEADS2, TEXTS2),
    st.sampled_from([b"", b"[SQL: select 1]", b"[2, 3]", b"  continued", b"*** Found logs", b"\x1b[1mbold", b'{"asctime": "x", "levelname": "INFO"}', b"x\r", "[2026-11-23T15:22:59.673+0000] {x.py:3} ▼ Pre".encode(),
                     b"{taskinstance.py:3} INFO - y", b"[2026-01-15 17:37:29] INFO - x source=task", b"[2026-11-23", b"[2026-11-23T15:22:59.673+0000] {"]),
)  # fmt: skip


def as_object(lines: list[bytes], ending: bytes) -> LogObject:
    return LogObject(KEY, b"\n".join(lines) + ending, "x", "e", NOW)


def check_both(objects: list[LogObject]) -> None:
    for lines in ("errors", "all"):
        fast = read_task_logs(objects, lines=lines)
        assert [comparable(one) for one in fast] == [comparable(exact(one, lines)) for one in objects]


ENDINGS = st.sampled_from([b"", b"\n", b"\n\n"])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.builds(as_object, st.lists(LINES3, min_size=1, max_size=8), ENDINGS), min_size=1, max_size=4)
)
def test_both_paths_agree_on_hostile_json_lines(objects: list[LogObject]) -> None:
    check_both(objects)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.builds(as_object, st.lists(LINES2, min_size=1, max_size=8), ENDINGS), min_size=1, max_size=4)
)
def test_both_paths_agree_on_hostile_text_records(objects: list[LogObject]) -> None:
    check_both(objects)


COMMAND_FAILED = next(
    one for one in objects_below(SAMPLES["airflow2"]) if b"Bash command failed" in one.data and b"exit_1" in one.url.encode()
)  # fmt: skip
SAID = b"[2026-11-23T15:40:00.000+0000] {subprocess.py:106} INFO - %s\n"


@pytest.mark.parametrize(("count", "path"), [(0, "fast"), (70, "fast"), (190, "fast"), (300, "exact")])
@pytest.mark.parametrize("lines", ["errors", "all"])
def test_the_last_words_of_a_failed_command_name_its_error_on_both_paths(
    count: int, path: str, lines: Any
) -> None:
    start = COMMAND_FAILED.data.rindex(b"\n", 0, COMMAND_FAILED.data.index(b"Command exited")) + 1
    words = b"".join(SAID % b"line %d: fatal: disk %d is gone\nand more" % (no, no) for no in range(count))
    data = COMMAND_FAILED.data[:start] + words + COMMAND_FAILED.data[start:]
    one = LogObject(COMMAND_FAILED.key, data, "x", "e", NOW)
    (fast,) = read_task_logs([one], lines=lines)
    assert comparable(fast) == comparable(exact(one, lines))
    assert paths_taken([fast]) == {path: 1}
    assert isinstance(fast, Parsed)
    told = fast.rows["task_logs"][0]["error_signature"]
    assert ("is gone" in told) == (count > 0)


def test_segments_that_an_upload_repeats_are_told_once_on_the_fast_path() -> None:
    twice = LogObject(COMMAND_FAILED.key, COMMAND_FAILED.data + b"\n" + COMMAND_FAILED.data, "x", "e", NOW)
    (once,), (fast,) = read_task_logs([COMMAND_FAILED]), read_task_logs([twice])
    assert comparable(fast) == comparable(exact(twice))
    assert paths_taken([fast]) == {"fast": 1}
    assert isinstance(fast, Parsed)
    assert isinstance(once, Parsed)
    assert len(fast.rows["log_events"]) == len(once.rows["log_events"])
    assert comparable(read_task_logs([twice], lines="all")[0]) == comparable(exact(twice, "all"))
