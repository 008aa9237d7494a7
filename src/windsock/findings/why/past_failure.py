"""An old failure holds all later runs back: `depends_on_past`."""

from collections.abc import Iterator, Mapping
from shlex import quote

from windsock.findings import wording
from windsock.findings.rule import rows_of
from windsock.findings.rules.ws521_blocked_by_past import BlockedByPast
from windsock.findings.why.cause import Case, Cause, Count, Told, dags_of, earliest, limits_of, of_dag
from windsock.model import Answer


class PastFailure(Cause):
    """The task waits for its own run of the interval before, which failed and will not run again by itself."""

    name, words, about = "depends_on_past", "Blocked by an old failure (depends_on_past)", "not running"
    questions = ("tasks_stopped",)
    codes = ("WS521",)

    @classmethod
    def tell(cls, case: Case, answers: Mapping[str, Answer]) -> Iterator[Told]:
        limits = limits_of(BlockedByPast, answers)
        for row in of_dag(answers, "tasks_stopped", case):
            kind = BlockedByPast.kind(row, limits)
            if not kind:
                continue
            task = f"{row['dag_id']}.{row['task_id']}"
            by_open = kind == "open runs"
            held_by, waits = row["held_by"], wording.names(list(row["held_tasks"] or ()))
            unknown = (
                ""
                if held_by
                else (
                    "whether depends_on_past or wait_for_downstream is set: its tasks were not read; API or database would tell"
                    if by_open
                    else "whether the task was taken out of the DAG then, or is held: API or database would tell the open runs"
                )
            )
            held = (
                wording.plural(row["open_later"], "open run")
                if by_open
                else wording.plural(row["later_runs"], "later run")
            )
            yield cls.told(
                "certain" if by_open and held_by else "likely" if by_open or held_by else "possible",
                f"{task} failed in {row['failed_run_id']} on {wording.moment(row['failed_at'])} and has not begun since, in {held}"
                + (f": by {held_by}, {waits} of each later run waits for it" if held_by else ""),
                since=row["failed_at"],
                evidence={
                    name: row[name]
                    for name in (
                        "failed_run_id",
                        "later_runs",
                        "open_later",
                        "ran_before",
                        "runs_before",
                        "held_by",
                        "held_tasks",
                        "error_signature",
                    )
                },
                unknown=unknown,
                next=f"airflow tasks clear {quote(row['dag_id'])} -t {quote('^' + row['task_id'] + '$')}  "
                f"# only the run that failed: {row['failed_run_id']}",
            )

    @classmethod
    def count(cls, answers: Mapping[str, Answer]) -> Count:
        limits = limits_of(BlockedByPast, answers)
        rows = [row for row in rows_of(answers, "tasks_stopped") if BlockedByPast.kind(row, limits)]
        dags = dags_of(rows)
        return Count(len(dags), "DAGs", earliest(rows, "failed_at"), dags)
