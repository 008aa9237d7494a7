"""A fleet that stands still from Wednesday on fails nothing: from objects to the report's first line."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from benchmarks.fleet.records import Attempt

from tests.support.weeks import LOGS, put_logs, report_of
from windsock import config as configs
from windsock import pipeline
from windsock.output import Output
from windsock.week import Week

pytestmark = pytest.mark.long

WEEK = Week.parse("2026-W47")


def fleet(until: datetime, *, kind: str = "scheduled") -> Iterator[Attempt]:
    for n in range(63 * 12):
        due = WEEK.minus(8).from_at + timedelta(hours=2 * n)
        for dag in range(4 if due < until else 0):
            yield Attempt(
                f"dag_{dag}",
                f"{kind}__{due.isoformat()}",
                "load",
                1,
                0,
                due + timedelta(minutes=5),
                300,
                "success",
            )


def test_a_fleet_that_stands_still_is_worse_and_says_since_when(tmp_path: Path) -> None:
    put_logs(tmp_path, fleet(WEEK.from_at + timedelta(days=2, hours=10)))
    body, _ = report_of(tmp_path, WEEK)
    assert body["verdict"] == "worse"
    assert body["verdict_sentence"].startswith(
        "Worse: Nothing started after Wed 18 Nov 08:05 UTC, for 4 d 15 h; the four weeks before started at least 220 tries in"
    )
    (finding,) = (one for one in body["findings"] if one["code"] == "WS531")
    assert (finding["severity"], finding["evidence"]["usual_tries"]) == ("critical", 220)


@pytest.mark.parametrize(
    ("until", "is_told"), [(None, True), (WEEK.from_at + timedelta(days=2, hours=12), False)]
)
def test_a_pull_that_finds_nothing_new_tells_that_nothing_came(
    tmp_path: Path, until: datetime | None, is_told: bool
) -> None:
    """It writes no row; when it looked is kept all the same, and how far, where it was told to look no further."""
    stopped = WEEK.from_at + timedelta(days=2, hours=10)
    put_logs(tmp_path, fleet(stopped))
    path = tmp_path / "prod.toml"
    path.write_text("[deployment]\nname = 'prod'\n[sources.task_logs]\nurl = 'logs'\n[lake]\nurl = 'lake'\n")
    config, quiet = configs.load(path, {}), Output(level=0)
    pipeline.pull(config, now=stopped + timedelta(hours=3), week=WEEK, output=quiet, full=True)
    (early,) = pipeline.ask(config, question="starts_stopped", sql="", week=WEEK).rows
    assert early["silent_s"] < 6 * 3600
    done = pipeline.pull(config, now=WEEK.to_at + timedelta(hours=3), week=WEEK, output=quiet, until=until)
    assert done.read == 0
    judgement, _, _ = pipeline.judge_week(config, week=WEEK, output=quiet)
    assert ("WS531" in {one.code for one in judgement.findings}) == is_told


@pytest.mark.parametrize(
    ("until", "silent"),
    [("2026-11-24T00:00Z", None), ("2026-11-20T10:00Z", "for 2 d 15 h"), ("2026-11-22T19:00Z", "for 6 h 55 min"),
     ("2026-11-22T20:00Z", None)],
)  # fmt: skip
def test_hours_of_a_quiet_window_are_no_silence(tmp_path: Path, until: str, silent: str | None) -> None:
    put_logs(tmp_path, fleet(WEEK.from_at + timedelta(days=2, hours=10)))
    quiet = f"[[scope.quiet]]\nfrom = '2026-11-18T10:00Z'\nuntil = '{until}'\nreason = 'a move'\n"
    body, _ = report_of(tmp_path, WEEK, f"{LOGS}{quiet}")
    told = [one["headline"] for one in body["findings"] if one["code"] == "WS531"]
    assert [silent in one for one in told] == ([] if silent is None else [True])


def test_runs_made_by_hand_alone_are_no_healthy_week(tmp_path: Path) -> None:
    put_logs(tmp_path, fleet(WEEK.to_at, kind="manual"))
    body, mail = report_of(tmp_path, WEEK)
    assert body["verdict"] == "cannot_tell"
    assert body["verdict_sentence"].startswith(
        "Cannot tell: no run of a schedule or an asset began this week."
    )
    assert "manual: 336 runs in 4 DAGs" in mail
