"""The audit of metrics in the trust box: counters beside the logs, and the known gaps of the version."""

from typing import Any

from windsock import resources
from windsock.model import Answer
from windsock.report.audit import MAX_GAPS, metric_lines
from windsock.reviewed.metric_gaps import gaps_of, load_metric_gaps


def coverage(counter: str, outcome: str, counted: float, attempts: int) -> dict[str, Any]:
    return {"counter": counter, "outcome": outcome, "counted": counted, "attempts": attempts, "attempts_total": attempts,
            "hours_seen": 168, "coverage": counted / attempts if attempts else None}  # fmt: skip


def lines(*rows: dict[str, Any], version: str = "") -> dict[str, str]:
    gaps = [
        {"airflow_version": version, "metric": one.metric, "gap": one.gap, "source": one.source}
        for one in gaps_of(load_metric_gaps(resources.folder("sql")), version)
    ]
    given = {
        "metric_coverage": Answer("metric_coverage", tuple(rows[0]) if rows else (), rows),
        "metric_gaps": Answer("metric_gaps", ("airflow_version", "metric", "gap", "source"), tuple(gaps)),
    }
    return dict(metric_lines(given))


def test_a_counter_that_misses_ordinary_failures_is_told_with_its_cause() -> None:
    """Airflow 3.1.2: ti_failures stands at 0 while the logs show 40 failures (apache/airflow#52254)."""
    told = lines(
        coverage("ti_failures", "failure", 0.0, 40),
        coverage("ti_successes", "success", 388.0, 400),
        version="3.1.2",
    )
    assert "ti_failures counted 0 of 40 failures (0 %)" in told["Metrics against logs"]
    assert "ti_successes counted 388 of 400 successes (97 %)" in told["Metrics against logs"]
    gaps = told["Known gaps of the metrics"]
    assert gaps.startswith("Airflow 3.1.2: ti_failures: counts only failures that the scheduler detects")
    assert "apache/airflow#52254" in gaps
    assert f"; {len(gaps_of(load_metric_gaps(resources.folder('sql')), '3.1.2')) - MAX_GAPS} more in" in gaps


def test_metrics_without_any_counter_of_attempts_are_not_called_wrong() -> None:
    told = lines(coverage("ti_failures", "failure", 0.0, 40), coverage("ti_successes", "success", 0.0, 400))
    assert "hold none of Airflow's counters" in told["Metrics against logs"]


def test_an_unknown_version_says_what_would_tell_it() -> None:
    told = lines(coverage("ti_failures", "failure", 3.0, 40))
    assert "[sources.airflow_api]" in told["Known gaps of the metrics"]


def test_hours_without_attempts_leave_nothing_to_compare_and_no_metrics_say_nothing() -> None:
    assert "nothing to compare" in lines(coverage("ti_failures", "failure", 3.0, 0))["Metrics against logs"]
    assert lines() == {}
