"""What failed, wherever in the code: the login, connection or host that an error names."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from windsock.lake import Lake
from windsock.redaction import redact
from windsock.signature import error_signature
from windsock.week import Week

CASES = Path(__file__).parents[1] / "data" / "connection_errors.csv"


@pytest.fixture(scope="module")
def conn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    root: Path = tmp_path_factory.mktemp("lake")
    opened = Lake.open(str(root), deployment="d", create=True).connect(Week.parse("2026-W47"))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("signature", "cause"),
    [
        ("AirflowNotFoundException: The conn_id `wh_main` isn't defined @ a.py:f", "connection wh_main"),
        ("AirflowRuntimeError: CONNECTION_NOT_FOUND: {'conn_id': 'wh_main', 'message': 'not found'}", "connection wh_main"),
        ("AirflowRuntimeError: CONNECTION_NOT_FOUND: {'message': 'gone', 'conn_id': 'wh-main.2'}", "connection wh-main.2"),
        ('X: {"connection_id": "wh_main"}', "connection wh_main"),
        ("AirflowRuntimeError: GENERIC_ERROR: {'detail': {'message': 'Connection with ID wh_main not found'}}", "connection wh_main"),
        ("ValueError: conn_id=`a`", "connection a"),
        ("AirflowRuntimeError: GENERIC_ERROR: {'status_code': 403, 'message': 'x'}", "AirflowRuntimeError: GENERIC_ERROR: {'status_code': 403, 'message': 'x'}"),
        ("KeyError: 'conn_id' @ dags/a.py:f", "KeyError: 'conn_id'"),
        ("TypeError: hook() got an unexpected 'conn_id', 'other' was meant", "TypeError: hook() got an unexpected 'conn_id', 'other' was meant"),
    ],
)  # fmt: skip
def test_an_error_names_its_connection(conn: Any, signature: str, cause: str) -> None:
    assert conn.execute("select cause_of(?)", [signature]).fetchone() == (cause,)


@pytest.mark.parametrize(
    "row", list(csv.DictReader(CASES.open())), ids=lambda row: f"{row['type']}: {row['message']}"[:60]
)
def test_errors_of_common_clients_name_what_they_could_not_reach(conn: Any, row: dict[str, str]) -> None:
    """Texts of the clients themselves, from what they raise to the cause; an empty cause is the signature's own."""
    bare = error_signature(row["type"], redact(row["message"].replace("\\n", "\n")))
    (cause,) = conn.execute("select cause_of(?)", [f"{bare} @ orders.py:load"]).fetchone()
    assert cause == (row["cause"] or bare)


@pytest.mark.parametrize(
    "row", list(csv.DictReader(CASES.open())), ids=lambda row: f"{row['type']}: {row['message']}"[:60]
)
def test_an_error_of_reaching_something_is_told_from_one_of_what_was_found_there(
    conn: Any, row: dict[str, str]
) -> None:
    """Of these texts those are no errors of a connection whose last column says so."""
    bare = error_signature(row["type"], redact(row["message"].replace("\\n", "\n")))
    (is_of,) = conn.execute("select is_of_connection(?)", [f"{bare} @ orders.py:load"]).fetchone()
    assert (is_of or bool(row["cause"])) == (row["is_of_connection"] == "yes")
