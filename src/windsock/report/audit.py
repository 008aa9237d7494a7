"""Are Airflow's own metrics to be believed? Its counters beside the attempts in the logs, and what its version is known to miss."""

from __future__ import annotations

from collections.abc import Mapping

from windsock.model import Answer
from windsock.report.formats import clean, number, share

MAX_GAPS = 4
_OUTCOMES = {"failure": "failures", "success": "successes"}
Line = tuple[str, str]


def metric_lines(answers: Mapping[str, Answer]) -> list[Line]:
    """Lines of the trust box; none where no metrics were read."""
    coverage = answers["metric_coverage"].rows if "metric_coverage" in answers else ()
    if not coverage:
        return []
    return [_coverage(answers), _gaps(answers)]


def _coverage(answers: Mapping[str, Answer]) -> Line:
    """Only hours with metrics count, so that a counter is not blamed for hours in which nobody listened."""
    rows = answers["metric_coverage"].rows
    label = "Metrics against logs"
    if not any(row["attempts"] for row in rows):
        return label, "no attempt ended in the hours with metrics: nothing to compare"
    if not any(row["counted"] for row in rows):
        return (
            label,
            "the metrics hold none of Airflow's counters of attempts (ti_failures, ti_successes, ti.finish)",
        )
    told = [
        f"{row['counter']} counted {number(round(row['counted']))} of {row['attempts']:,} {_OUTCOMES[row['outcome']]}"
        f" ({share(row['coverage'])})"
        for row in rows
        if row["attempts"]
    ]
    return (
        label,
        f"{'; '.join(told)}; in {rows[0]['hours_seen']} hours with metrics. Rates here are from the logs",
    )


def _gaps(answers: Mapping[str, Answer]) -> Line:
    label = "Known gaps of the metrics"
    gaps = answers["metric_gaps"].rows if "metric_gaps" in answers else ()
    if not gaps:
        return (
            label,
            "which Airflow this is was not told; [sources.airflow_api] or [sources.airflow_db] tell it",
        )
    shown = "; ".join(f"{row['metric']}: {row['gap']} ({row['source']})" for row in gaps[:MAX_GAPS])
    more = f"; {len(gaps) - MAX_GAPS} more in sql/trust/metric_gaps.csv" if len(gaps) > MAX_GAPS else ""
    return label, clean(f"Airflow {gaps[0]['airflow_version']}: {shown}{more}", 1200)
