"""One connection that fails in the words of many clients: its errors name neither host nor login, its logs do name it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from benchmarks.fleet.records import Attempt

from tests.support.fleets import WEEK, calm, every, runs, since
from tests.support.weeks import put_logs, report_of
from windsock import cli

pytestmark = pytest.mark.long

LOST = ("OperationalError", "server closed the connection unexpectedly")
IN_OTHER_WORDS = (
    LOST,
    ("OperationalError", '(2013, "Lost connection to MySQL server during query")'),
    ("ConnectionResetError", "[Errno 104] Connection reset by peer"),
)
ABOUT_DATA = tuple(("ValueError", f"column {name} has NaN") for name in ("amount", "price", "stock"))


def taking(
    errors: tuple[tuple[str, str], ...], first_bad_day: float, connections: tuple[str, ...]
) -> Iterator[Attempt]:
    """Three daily DAGs that each lose every run from a day on, with an error of their own."""
    for place, (error, connection) in enumerate(zip(errors, connections, strict=True)):
        dues = [due + timedelta(hours=place) for due in every(1, since(6))]
        for one in runs(
            f"of_{place}",
            dues,
            lambda due: "failed" if due >= since(first_bad_day) else "success",
            error=error,
            tasks=("load", "publish"),
        ):
            yield replace(one, connection=connection if one.task_id == "load" else "")


def of_week(root: Path, tries: Iterator[Attempt]) -> list[dict[str, Any]]:
    put_logs(root, [*calm(), *tries])
    report, _ = report_of(root, WEEK)
    return [one for one in report["findings"] if one["code"] in ("WS110", "WS524")]


def test_errors_in_other_words_that_took_one_connection_are_one_incident(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (told,) = of_week(tmp_path, taking(IN_OTHER_WORDS, 3, ("warehouse",) * 3))
    assert told["id"] == "WS110:connection warehouse"
    assert told["headline"].startswith("One error in 3 DAGs: connection warehouse, ")
    assert told["evidence"]["lost_runs"] == 12
    assert told["evidence"]["known_by"] == "the connection that these tries took last"
    assert told["advice"].startswith("Define or mend the connection warehouse.")
    capsys.readouterr()
    cli.app(
        ["-q", "why", "of_1", "-p", str(tmp_path / "prod.toml"), "--week", str(WEEK)], standalone_mode=False
    )
    assert (
        "Connection warehouse failed 4 tries of of_1, and 2 other DAGs met it this week (of_0, of_2)"
        in capsys.readouterr().out
    )


def test_the_same_words_over_different_connections_are_no_connection_s_fault(tmp_path: Path) -> None:
    (told,) = of_week(tmp_path, taking((LOST,) * 3, 3, ("warehouse", "billing", "crm")))
    assert told["id"].startswith("WS110:OperationalError: server closed the connection unexpectedly")


def test_an_error_of_data_is_not_laid_at_the_door_of_the_connection(tmp_path: Path) -> None:
    assert of_week(tmp_path, taking(ABOUT_DATA, 3, ("warehouse",) * 3)) == []


def test_an_error_that_names_its_host_keeps_it_and_tells_the_connection_that_is_shared(
    tmp_path: Path,
) -> None:
    error = ("OperationalError", 'could not translate host name "db.acme.example" to address: not known')
    (told,) = of_week(tmp_path, taking((error,) * 3, 3, ("warehouse",) * 3))
    assert told["id"] == "WS110:host db.acme.example"
    assert "connection warehouse" in told["evidence"]["shared"]
    assert "known_by" not in told["evidence"]


def test_a_connection_that_fails_for_weeks_is_watched_by_its_name(tmp_path: Path) -> None:
    (told,) = of_week(tmp_path, taking(IN_OTHER_WORDS, -40, ("warehouse",) * 3))
    assert told["id"] == "WS524:connection warehouse"
    assert told["headline"].startswith(
        "Connection warehouse fails 3 DAGs: 21 tries this week (before: 21 a week)"
    )
