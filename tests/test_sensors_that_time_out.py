"""A wait that was ended by its own timeout is told as a failure, and not as one that nothing ended."""

from datetime import timedelta
from pathlib import Path

import pytest
from benchmarks.fleet.records import Attempt

from tests.support.weeks import put_logs, report_of
from tests.test_two_bad_nights import FIRST, WEEK, steady

pytestmark = pytest.mark.long


@pytest.mark.parametrize(
    ("kind", "message", "is_wait"),
    [
        (
            "airflow.sdk.exceptions.AirflowSensorTimeout",
            "Sensor has timed out; run duration of 3600.1 seconds exceeds the specified timeout of 3600.0.",
            True,
        ),
        ("airflow.exceptions.TaskDeferralTimeout", "Trigger timeout", True),
        ("KeyError", "'customer'", False),
    ],
)
def test_no_limit_is_proposed_to_what_has_one(tmp_path: Path, kind: str, message: str, is_wait: bool) -> None:
    tries = []
    for day in range(63):
        due = FIRST + timedelta(days=day, hours=2)
        is_bad = day >= 57
        tries.append(Attempt("waits", f"scheduled__{due.isoformat()}", "wait", 1, 1, due, 3600 if is_bad else 600 + day,
                             "failed" if is_bad else "success", (kind, message) if is_bad else ("", "")))  # fmt: skip
    put_logs(tmp_path, [*tries, *steady(1)])
    body, _ = report_of(tmp_path, WEEK)
    told = {one["code"]: one for one in body["findings"]}
    assert set(told) == {"WS106"} | (set() if is_wait else {"WS407"})
    assert "lost every run to wait since Tue 17 Nov" in told["WS106"]["headline"]
    assert kind.rpartition(".")[2] in told["WS106"]["evidence"]["error_signature"]
