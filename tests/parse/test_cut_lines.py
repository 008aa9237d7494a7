"""Wherever a container runtime cuts the lines of a log, and in whatever way that is told: the rows are those of the lines."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.parse.test_batch import KEY, NOW, SAMPLES, USER_LINES, exact, objects_below
from tests.support.outcomes import comparable
from windsock.model import Parsed
from windsock.parse.batch import LogObject
from windsock.parse.cut_lines import END_CHARS, MOST_HELD, NO_END_TOLD, CutLines
from windsock.parse.pieces import CUT_TOLD, MARK

Line = tuple[str, list[str]]
"""A stream, and the parts of one of its lines."""
AT = "2026-11-23T15:23:27.467692Z"


def cri(stream: str, part: str, *, is_last: bool) -> str:
    return f"{AT} {stream} {'F' if is_last else 'P'} {part}"


def docker(stream: str, part: str, *, is_last: bool) -> str:
    return json.dumps({"log": part + "\n" * is_last, "stream": stream, "time": AT})


def fluentd(stream: str, part: str, *, is_last: bool) -> str:
    return json.dumps(
        {"stream": stream, "logtag": "F" if is_last else "P", "message": part, "time": AT, "kubernetes": {"pod_name": "p"}}
    )  # fmt: skip


def fluent_bit(stream: str, part: str, *, is_last: bool) -> str:
    return json.dumps({"date": 1.5, "log": cri(stream, part, is_last=is_last), "file": "/var/log/x.log"})


def journald(stream: str, part: str, *, is_last: bool) -> str:
    told = {} if is_last else {"CONTAINER_PARTIAL_MESSAGE": "true"}
    return json.dumps({"MESSAGE": part, "_HOSTNAME": "h", "PRIORITY": "6", "stream": stream} | told)


def docker_in_loki(stream: str, part: str, *, is_last: bool) -> str:
    return json.dumps({"line": docker(stream, part, is_last=is_last), "ts": AT})


FORMS: list[Callable[..., str]] = [cri, docker, fluentd, fluent_bit, journald, docker_in_loki]


def cut(line: str, places: list[int]) -> list[str]:
    at = sorted({place % len(line) for place in places} - {0}) if line else []
    return [line[a:b] for a, b in zip([0, *at], [*at, len(line)], strict=True)]


def written(lines: list[Line], form: Callable[..., str], *, together: bool) -> bytes:
    """The parts as a collector writes them. `together`: those of neighbours of two streams by turns."""
    told: list[tuple[str, str, bool]] = []
    for no, (stream, parts) in enumerate(lines):
        own = [(stream, part, place == len(parts) - 1) for place, part in enumerate(parts)]
        if together and no and lines[no - 1][0] != stream:
            last = told.pop()  # the end of the line before comes when this one has begun
            told += [*own[:-1], last, own[-1]]
        else:
            told += own
    return "".join(form(stream, part, is_last=is_last) + "\n" for stream, part, is_last in told).encode()


def rows(data: bytes, key: Any = KEY) -> Any:
    """All but what speaks of the object's bytes."""
    kind, partial, tables = comparable(exact(LogObject(key, data, "x", "e", NOW), "all"))
    for row in tables["task_logs"]:
        del row["log_bytes"]
    return kind, partial, tables


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@pytest.mark.parametrize("dialect", SAMPLES)
def test_a_log_that_is_cut_anywhere_gives_the_rows_of_its_lines(
    dialect: str, form: Callable[..., str]
) -> None:
    samples = [one for one in objects_below(SAMPLES[dialect]) if 1500 < len(one.data) < 9000]

    @settings(max_examples=60, deadline=None)
    @given(
        st.sampled_from(samples),
        st.lists(st.lists(st.integers(1, 1500), max_size=3), max_size=40),
        st.booleans(),
    )
    def check(one: LogObject, places: list[list[int]], together: bool) -> None:
        lines = [line.rstrip("\r") for line in one.data.decode().removesuffix("\n").split("\n")]
        where = [[], *places, *[[]] * len(lines)]  # what begins with a part is known by its length alone
        as_it_is = [("stdout", [line]) for line in lines]
        parts = [("stdout", cut(line, at)) for line, at in zip(lines, where, strict=False)]
        if together:
            warning = USER_LINES[dialect].decode().split("\n")[0].replace("info", "warning")
            parts[3:3] = [("stderr", cut(warning, [9, 70]))]
            as_it_is[3:3] = [("stderr", [warning])]
            # the line of the other stream ends behind the one of this that began before
            parts[2] = ("stdout", cut(lines[2], [len(lines[2]) // 2]))
        assert rows(written(parts, form, together=together), one.key) == rows(
            written(as_it_is, form, together=False), one.key
        )

    check()


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@pytest.mark.parametrize("dialect", SAMPLES)
def test_the_rows_are_those_that_the_log_has_without_a_collector(
    dialect: str, form: Callable[..., str]
) -> None:
    """But for the number of records: a line of a collector counts as one."""
    compared = 0
    for one in objects_below(SAMPLES[dialect]):
        text = one.data.decode().removesuffix("\n")
        if "\r" in text or "\n\n" in text:
            continue  # blank lines and carriage returns stand at the ends of texts; collectors take them off
        lines: list[Line] = [
            ("stdout", cut(line, [no * 7] if no else [])) for no, line in enumerate(text.split("\n"))
        ]
        kind, partial, tables = rows(written(lines, form, together=False), one.key)
        bare_kind, bare_partial, bare = rows(one.data, one.key)
        for table in (tables, bare):
            for row in table["task_logs"]:
                del row["record_count"]
        assert (kind, partial, tables) == (bare_kind, bare_partial, bare)
        compared += 1
    assert compared > 20


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@pytest.mark.parametrize("count", [1, 3])
def test_a_line_whose_end_never_comes_is_kept_and_told(form: Callable[..., str], count: int) -> None:
    head = USER_LINES["airflow2"].decode().split("\n")[0]
    parts = [form("stdout", head, is_last=True), form("stdout", head, is_last=True)]
    parts += [form("stdout", head.replace("INFO", "ERROR") + " and ", is_last=False)] + [
        form("stdout", "on ", is_last=False)
    ] * (count - 1)
    outcome = exact(LogObject(KEY, "\n".join(parts).encode(), "x", "e", NOW))
    assert isinstance(outcome, Parsed)
    (row,), (event,) = outcome.rows["task_logs"], outcome.rows["log_events"]
    assert (row["record_count"], outcome.partial) == (3, NO_END_TOLD)
    assert event["message"].rstrip() == f"batch 7 of 9 loaded, 120 rows and {'on ' * (count - 1)}".rstrip()


def test_a_first_part_is_known_by_its_length_where_no_line_has_ended_yet() -> None:
    """Docker hands on 16 KB at a time; its lines end with a newline, but a collector may have taken all of them away."""
    line = USER_LINES["airflow2"].split(b"\n")[0].decode() + "x" * 20_000
    for newline in ("\n", ""):
        parts = [
            line[:16384],
            line[16384:] + newline,
            USER_LINES["airflow2"].decode().split("\n")[0] + newline,
        ]
        data = "\n".join(json.dumps({"log": part, "stream": "stdout", "time": AT}) for part in parts)
        kind, partial, tables = rows(data.encode())
        assert (kind, partial, len(tables["log_events"])) == ("task_logs", None, 2)


def test_of_a_line_without_an_end_the_two_ends_are_held() -> None:
    cuts = CutLines()
    part = "x" * 16_384
    for _ in range(1000):
        assert cuts.put("stdout", part, is_part=True) is None
    line = cuts.put("stdout", "the end", is_part=False)
    assert line is not None
    assert 2 * END_CHARS < len(line) < 7 * END_CHARS
    assert line.endswith("xthe end")
    assert MARK.decode() in line


@pytest.mark.parametrize("level", ["info", "error"])
def test_a_line_of_20_mb_in_parts_is_the_record_that_it_is_uncut(level: str) -> None:
    text = f"begin {'x' * 20_000_000} end"
    long = json.dumps({"timestamp": AT, "level": level, "event": text, "logger": "task.stdout"})
    short = USER_LINES["airflow3"].decode()
    parts = [
        cri("stdout", long[at : at + 16384], is_last=at + 16384 >= len(long))
        for at in range(0, len(long), 16384)
    ]
    data = "\n".join(
        [cri("stdout", short, is_last=True), *parts, cri("stdout", short, is_last=True)]
    ).encode()
    bare = f"{short}\n{long}\n{short}".encode()
    assert rows(data) == rows(bare)
    assert rows(data)[1] == CUT_TOLD


def test_parts_of_lines_that_never_end_are_given_up_one_by_one() -> None:
    """Hostile: a thousand lines begin, each under an id of its own. None is lost, and few are held."""
    head = USER_LINES["airflow2"].decode().split("\n")[0]
    lines = [
        json.dumps({"log": f"{head} {no}", "partial_message": "true", "partial_id": str(no)})
        for no in range(1000)
    ]
    outcome = exact(LogObject(KEY, "\n".join(lines).encode(), "x", "e", NOW), "all")
    assert isinstance(outcome, Parsed)
    assert sorted(int(row["message"].split()[-1]) for row in outcome.rows["log_events"]) == list(range(1000))
    assert outcome.rows["task_logs"][0]["record_count"] == 1000
    cuts = CutLines()
    for no in range(1000):
        cuts.put("stdout", "x", is_part=True, key=str(no))
    assert len(list(cuts.unfinished(at_end=False))) == 1000 - MOST_HELD


@pytest.mark.parametrize("count", [10, 30_000])
def test_a_document_on_one_line_is_looked_into_whatever_its_size(count: int) -> None:
    """An API's answer as it came, of less and of more bytes than are looked at to tell what a log is."""
    line = USER_LINES["airflow2"].decode().split("\n")[0]
    for answer in (
        {"content": "\n".join([line] * count), "continuation_token": "x"},
        {"line": "\n".join([line] * count)},
        {"events": [{"message": line, "timestamp": 1}] * count},
        [{"message": line}] * count,
    ):
        _kind, partial, tables = rows(json.dumps(answer).encode())
        assert (partial, tables["task_logs"][0]["record_count"], len(tables["log_events"])) == (
            None,
            count,
            count,
        )
