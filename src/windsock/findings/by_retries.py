"""Where a failed first try, and the retry after it, is what makes runs late or long. Read by WS402 and WS403."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote

from windsock.findings import wording
from windsock.findings.rule import rows_of
from windsock.model import Answer

OF_RUNS, RISE = 0.5, 3.0
"""Runs whose first try failed: of those that are late or long, and against the DAG's own share before."""


def by_retries(answers: Mapping[str, Answer], dag_id: str, runs: int) -> str:
    """What to do where at least half of `runs` have it, by the answer to `failure_rate_by_dag`; else nothing."""
    rates = next((row for row in rows_of(answers, "failure_rate_by_dag") if row["dag_id"] == dag_id), None)
    if rates is None:
        return ""
    now, before = rates["first_try_failed_runs"], rates["first_try_failed_prev"]
    habit = before / rates["runs_prev"] if rates["runs_prev"] else 0.0
    if now < OF_RUNS * runs or now < RISE * habit * rates["runs"]:
        return ""
    return (
        f"A first try failed in {now} of {wording.plural(rates['runs'], 'run')} ({before} of {rates['runs_prev']} before), and a "
        f"retry comes after its delay: mend what fails (windsock why {quote(dag_id)})."
    )
