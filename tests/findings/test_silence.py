"""WS530: silences of components, below, at and above its thresholds; what is a restart; which runs were late."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from windsock.findings.rules.ws530_component_silent import ComponentSilent, kind_of
from windsock.model import Answer, Finding
from windsock.week import Week

WEEK = Week.parse("2026-W47")
AT = datetime(2026, 11, 17, 2, tzinfo=UTC)


def gap(gap_s: float = 7800, **more: Any) -> dict[str, Any]:
    row = {"component": "scheduler", "from_at": AT, "until_at": AT + timedelta(seconds=gap_s), "gap_s": gap_s,
           "is_over": True, "seen_minutes": 130, "frozen_looks": 130, "counter_resets": 0, "job_starts": 0.0,
           "task_starts": 0.0, "starts_told": 0, "usual_gap_s": 60.0, "tries_started": 0}  # fmt: skip
    return row | more


def run(due_s: float, started_s: float, **more: Any) -> dict[str, Any]:
    return {"dag_id": "d", "run_id": f"r{due_s}", "due_at": AT + timedelta(seconds=due_s),
            "started_at": AT + timedelta(seconds=started_s), "late_s": started_s - due_s, "usual_spread_s": 1.0,
            "runs_known": 9} | more  # fmt: skip


def judged(
    gaps: Sequence[Mapping[str, Any]], runs: Sequence[Mapping[str, Any]] = (), **limits: float
) -> list[Finding]:
    given = {
        "heartbeat_gaps": Answer("heartbeat_gaps", (), tuple(map(dict, gaps))),
        "run_starts": Answer("run_starts", (), tuple(map(dict, runs))),
    }
    return ComponentSilent.judge(given, ComponentSilent.limits(limits), week=WEEK).findings


@pytest.mark.parametrize(
    ("gap_s", "severity"), [(299, None), (300, "warning"), (1799, "warning"), (1800, "critical")]
)
def test_a_silence_matters_from_five_minutes_and_is_critical_from_half_an_hour(
    gap_s: float, severity: str | None
) -> None:
    assert [one.severity for one in judged([gap(gap_s)])] == ([severity] if severity else [])


@pytest.mark.parametrize(("usual_gap_s", "is_found"), [(2601, False), (2600, True), (60, True)])
def test_heartbeats_that_are_rarely_captured_are_no_silence(usual_gap_s: float, is_found: bool) -> None:
    assert bool(judged([gap(7800, usual_gap_s=usual_gap_s)])) == is_found


def test_the_headline_says_how_long_when_and_how_many_runs_were_late() -> None:
    late = [run(60, 7801), run(7800, 11_400)]
    others = [
        run(-5, 7900),  # was due before
        run(7900, 7950),  # was due after
        run(60, 61),  # started on time: another scheduler was there
        run(60, 11_401),  # held by something else for an hour more
        run(60, 7900, runs_known=3),  # nobody knows when it is due
        run(60, 7900, usual_spread_s=9000.0),  # starts at any hour
    ]
    (finding,) = judged([gap()], [*late, *others])
    assert (
        finding.headline
        == "The scheduler was silent for 2 h 10 min (Tue 17 Nov 02:00 to 04:10 UTC); 2 runs started late"
    )
    assert (finding.id, finding.evidence["late_runs"], finding.evidence["late_dags"]) == (
        "WS530:scheduler",
        2,
        1,
    )


def test_several_silences_are_one_finding_of_the_longest() -> None:
    (finding,) = judged(
        [gap(600), gap(7800, from_at=AT + timedelta(days=1), until_at=AT + timedelta(days=1, seconds=7800))]
    )
    assert "2 times in all for 2 h 20 min" in finding.headline
    assert "not known" in finding.headline
    assert finding.evidence["late_runs"] is None


def test_a_silence_that_is_not_over_says_since_when() -> None:
    (finding,) = judged([gap(is_over=False)])
    assert "since Tue 17 Nov 02:00 UTC, not over when last seen" in finding.headline


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({}, "stall"),
        ({"starts_told": 1}, "restart"),
        ({"job_starts": 2.0, "task_starts": 1.0}, "restart"),
        ({"job_starts": 2.0, "task_starts": 2.0}, "stall"),
        ({"seen_minutes": 0, "frozen_looks": 0}, "metrics missing"),
        ({"seen_minutes": 0, "frozen_looks": 0, "starts_told": 1}, "restart"),
    ],
)
def test_a_restart_is_told_from_a_stall_and_from_missing_metrics(more: dict[str, Any], kind: str) -> None:
    assert kind_of(gap(**more)) == kind
    assert len(judged([gap(**more)])) == (kind != "metrics missing")


def test_a_triggerer_has_its_own_finding_and_no_late_runs() -> None:
    first, second = judged([gap(), gap(component="triggerer")], [run(60, 7801)])
    assert (first.severity, second.severity) == ("critical", "warning")
    assert "run" not in second.headline
    assert second.advice.startswith("Deferred tasks do not wake")
