"""A task before it failed or was skipped, so it never came to its turn."""

from collections.abc import Iterator, Mapping

from windsock.findings import wording
from windsock.findings.rule import rows_of
from windsock.findings.why.cause import Case, Cause, Count, Told
from windsock.model import Answer

_STATES = ("upstream_failed", "skipped")


class Upstream(Cause):
    """No process, no log: the trigger rule decided."""

    name, words, about = "upstream", "Tasks whose upstream failed (upstream_failed)", "task not running"
    questions = ("case_tries", "incidents_by_error")

    @classmethod
    def tell(cls, case: Case, answers: Mapping[str, Answer]) -> Iterator[Told]:
        tries = rows_of(answers, "case_tries")
        for state in _STATES:
            rows = [row for row in tries if row["state"] == state and not row["has_log"]]
            if not rows or (state == "skipped" and not case.task_id):
                continue  # branches skip in every healthy DAG
            newest, runs = rows[0], len({row["run_id"] for row in rows})
            tasks = sorted({row["task_id"] for row in rows})
            blockers = [one for one in newest["failed_in_run"] or () if one != newest["task_id"]]
            by = f": {wording.names(blockers)} failed in the newest of them" if blockers else ""
            yield cls.told(
                "certain",
                f"{wording.names(tasks)} of {case.dag_id} {'is' if len(tasks) == 1 else 'are'} {state} in "
                f"{wording.plural(runs, 'run')}{by}",
                evidence={"newest_run": newest["run_id"], "tasks": len(tasks), "failed_in_it": blockers[:20]},
                unknown="which of them it waits for: the DAG's graph says"
                if blockers
                else "which task or rule decided it: the DAG's graph and its trigger rules say",
                next=f"windsock why {case.dag_id!r} {blockers[0]!r}"
                if blockers
                else "airflow dags show " + repr(case.dag_id),
            )

    @classmethod
    def count(cls, answers: Mapping[str, Answer]) -> Count:
        rows = [row for row in rows_of(answers, "incidents_by_error") if row["blocked"]]
        return Count(sum(row["blocked"] for row in rows), "tasks")
