"""Signatures on labelled failures: one cause one signature, two causes two. `python -m benchmarks.signatures` prints the scores."""

import random

import pytest
from benchmarks import signatures
from hypothesis import given, settings
from hypothesis import strategies as st

from windsock.parse.airflow3 import read as read_three
from windsock.parse.task_log import MAX_MESSAGE_BYTES
from windsock.parse.traceback import last_exception
from windsock.signature import MAX_LENGTH, error_signature, error_signatures
from windsock.signature.blanks import blank, blank_all

LABELLED = signatures.labelled()


def test_groups_are_found() -> None:
    assert len(LABELLED) >= 200
    found = signatures.score(LABELLED)
    assert found.ga >= 0.99 and found.fga >= 0.99 and found.recall >= 0.99, found.wrong
    assert found.precision == 1.0, found.wrong


def test_order_does_not_matter() -> None:
    shuffled = random.Random(7).sample(LABELLED, len(LABELLED))
    assert {one.label: one.signature() for one in shuffled} == {
        one.label: one.signature() for one in LABELLED
    }


def test_the_score_would_see_a_bad_grouping() -> None:
    assert signatures.scores(["a", "a", "b"], ["x", "x", "x"]).precision < 0.5
    assert signatures.scores(["a", "a", "b"], ["x", "y", "z"]).ga == pytest.approx(1 / 3)
    assert signatures.scores(["a", "a", "b"], ["x", "y", "z"]).recall == 0
    whole = signatures.scores(["a", "a", "b"], ["x", "x", "y"])
    assert (whole.ga, whole.fga, whole.precision, whole.recall, whole.wrong) == (1, 1, 1, 1, ())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("took 12.5 s", "took 3 s"),
        ("job load_d41d8cd98f00b204e9800998ecf8427e", "job load_0a1d8cd98f00b204e9800998ecf84270"),
        ("at 2026-11-23T15:32:10.676+0000", "at 2025-01-02T01:02:03.004+0100"),
        ("on 10.0.0.7:5432", "on 10.99.0.1:5432"),
        ("pod load-x-7c9b65d8f-x9z34 gone", "pod load-x-5d8f7c9b6-abc12 gone"),
        ("id 01a20900-e7e3-7f1e-8f16-ec9320bf7f07", "id 5d0a1c1e-0001-4b7e-9f10-aabbccddeeff"),
        ("object at 0x7f1c3a2b", "object at 0x7fd199ee40"),
        ("sha 4f1c09ab77d2", "sha 99aa01bc22e1"),
        ("run scheduled__2026-11-23T00:00:00+00:00", "run scheduled__2026-11-24T00:00:00+00:00"),
        ("file orders_20261123.csv", "file orders_20261124.csv"),
        ("  two   words", "two words"),
        ("(RequestId: 7MXKQ2R8VJ4N5T1A)", "(RequestId: QX1B0PVKYN4Q6EX2)"),
        ('pods "load-abcdefgh" not found', 'pods "load-x7k2p9aa" not found'),
        ("'/tmp/tmpx7k2p9ab/a.csv'", "'/tmp/tmpqwertyui/a.csv'"),
        ("on host ip-10-0-3-7", "on host ip-10-0-12-200"),
        ("\x1b[31mERROR\x1b[0m here", "ERROR here"),
        ("in /a/lib/python3.8/site-packages/x.py", "in /b/c/lib/python3.12/site-packages/x.py"),
    ],
)
def test_values_do_not_distinguish(one: str, other: str) -> None:
    assert blank(one) == blank(other)


@pytest.mark.parametrize(
    ("message", "blanked"),
    [
        ("arn:aws:sts::111122223333:assumed-role/etl", "arn:aws:sts::<n>:assumed-role/etl"),
        ("arn:aws:iam::202611180900:role/etl", "arn:aws:iam::<n>:role/etl"),  # might be a time
        ("at 20261118_0900", "at <time>"),
        ("at 20261118 09:00:07", "at <time>"),
        ("at 2026-11-18 0900", "at <time>"),
        ("file a_202611180900.csv", "file a_<n>.csv"),
        ("12345678 1234 rows", "<n> <n> rows"),
    ],
)
def test_digits_alone_are_a_number_and_no_time(message: str, blanked: str) -> None:
    assert blank(message) == blanked


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("'name'", "'sunrise'"),
        ("conn_id `a`", "conn_id `b`"),
        ("/data/a.csv", "/data/b.csv"),
        ("No module named 'a.b'", "No module named 'a.c'"),
        ("Not Found", "Forbidden"),
        ("s3://one/x", "s3://two/x"),
        ("column v1 is gone", "column v2 is gone"),
        ("table load-orders is gone", "table load-customers is gone"),
        ("a-deadbeef-word", "a-feedback-word"),
        ("failed with status code 500", "failed with status code 403"),
        ("s3://acme-customer-orders/x", "s3://acme-customer-events/x"),
        ("No module named 'customer_orders_2024'", "No module named 'customer_events_2024'"),
        ("MAX_ALLOWED_PACKET1", "MIN_ALLOWED_PACKET1"),
    ],
)
def test_names_distinguish(one: str, other: str) -> None:
    assert blank(one) != blank(other)


def test_the_same_error_is_the_same_in_both_generations() -> None:
    text = (
        "Task failed with exception\nTraceback (most recent call last):\n"
        '  File "/opt/lib/python3.11/site-packages/airflow/models/taskinstance.py", line 768, in _execute_task\n'
        "    result = execute()\n"
        '  File "/opt/airflow/dags/orders.py", line 37, in validate\n    check(table)\n'
        '  File "/opt/lib/python3.11/site-packages/pandas/core/frame.py", line 3893, in __getitem__\n    return x\n'
        "unusual_prefix_7e0ff3611b990a8eb2bebe337e592d194e478f21_orders.SchemaDriftError: column a vanished (total=1)"
    )
    line = (
        b'{"timestamp":"2026-11-23T15:23:28Z","level":"error","event":"Task failed with exception","logger":"task",'
        b'"error_detail":[{"exc_type":"SchemaDriftError","exc_value":"column a vanished (total=248)","frames":['
        b'{"filename":"/usr/lib/python3.12/site-packages/airflow/sdk/execution_time/task_runner.py","lineno":1,"name":"run"},'
        b'{"filename":"/srv/dags/orders.py","lineno":99,"name":"validate"},'
        b'{"filename":"/usr/lib/python3.12/site-packages/pandas/core/frame.py","lineno":4,"name":"__getitem__"}]}]}'
    )
    two, three = last_exception(text), read_three(line).failure
    assert two and three
    found = {error_signature(f.type, f.message, f.frame) for f in (two, three)}
    assert found == {"SchemaDriftError: column a vanished (total=<n>) @ orders.py:validate"}


@settings(max_examples=200, deadline=None)
@given(st.none() | st.text(max_size=60), st.none() | st.text(), st.lists(st.text(), max_size=4))
def test_no_text_makes_it_raise_and_none_makes_it_long(
    kind: str | None, message: str | None, output: list[str]
) -> None:
    found = error_signature(kind, message, ("a.py", "f"), output)
    assert found is None or 0 < len(found) <= MAX_LENGTH
    assert found == error_signature(kind, message, ("/x/a.py", "f"), output)


def test_hostile_lengths_take_no_time_to_speak_of() -> None:
    for text in (
        "a-" * 200_000,
        "0" * 400_000,
        "/x" * 200_000,
        "deadbeef" * 50_000,
        "(" * 400_000,
        "1:" * 200_000,
    ):
        assert error_signature("E", text, None, [text]) is not None
        assert (
            error_signature("E", f"Bash command failed {text[:MAX_MESSAGE_BYTES]}", None, [text]) is not None
        )


# what the expressions look for, at the ends of lines and over them
PIECES = [
    "pod load-7f9c4-x2k9q", "pods 'a-b12c3'", "?key=value", "/tmpabc1234", "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b", "1234-567890-abcdefgh",
    "manual__2026-11-23T10:00:00+00:00", "manual__nightly", "RequestId: ABCDEFGHIJ", "HostId=AbCdEfGhIj", "-7f9c4a2b1c-x2k9q", "0xdeadBEEF",
    "deadbeef12", "AbCdEf123GhIjK4567", "2026-11-23 10:00:00,123 UTC", "2026-11-23", "10:00:00 +01:00", "10.0.0.1:8080", "ip-10-0-0-1",
    "/usr/lib/python3.12/site-packages/x", "status: 503", "exit status 503", "-12", "+3.5e7", "x12", "calling o123", "\0", "\r", "\x1b[31m", " ", "\u2028",
]  # fmt: skip
LINES = st.lists(
    st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=5).map("".join), min_size=1, max_size=8
)


@settings(max_examples=300)
@given(LINES)
def test_many_lines_are_blanked_together_as_each_is(lines: list[str]) -> None:
    assert blank_all(lines) == [blank(one) for one in lines]


def test_many_exceptions_are_signed_together_as_each_is() -> None:
    raised = [(one.kind, one.message, one.frame) for one in LABELLED]
    assert error_signatures(raised) == [error_signature(*one) for one in raised]


@pytest.mark.parametrize(
    "shouted", ["REQUEST ID: ABCDEFGHIJ", "STATUS CODE: 403", "EXIT STATUS 404", "REQUESTID=ABCDEFGHIJ"]
)
def test_what_is_written_in_capitals_does_not_hang_on_its_neighbours(shouted: str) -> None:
    """An expression's hint is looked for in all lines at once: what it matches must hold the hint itself."""
    beside = [shouted, "Request id: abcdefghij", "status 404", "exit status 404"]
    assert blank_all(beside)[0] == blank(shouted)
