"""WS630."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.methods.hosts import Standing, stand
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a host is told from the others."""

    fdr: float = threshold(0.05, "fraction", "expected share of wrongly named hosts among those named")
    chance: float = threshold(0.01, "probability", "that any host is named in a week in which none is bad")
    min_tries: float = threshold(
        20, "tries that other hosts can be compared with", "fewer say little of a host"
    )
    min_excess: float = threshold(
        5, "failed tries above the other hosts' rate", "fewer are not worth a look at a machine"
    )
    min_ratio: float = threshold(2.0, "times the other hosts' failures", "machines are never quite alike")


class BadWorker(Rule):
    """Tries fail more often on one host than the same tasks do on the others.

    What it means: a full disk, a missing library, a network or a credential of that machine, not the DAGs.
    How it is judged: first tries against those of the same task on the same day on other hosts (stratified test of Cochran,
    Mantel and Haenszel, widened by what fails together within an hour): that any host is bad must be shown at `chance`, then
    which by their false discovery rate; then at least
    `min_excess` failures more than, and `min_ratio` times, what the others' rate would give. A host that runs only the hard
    tasks has nobody to be compared with and is not blamed; worker pods of the KubernetesExecutor are no hosts.
    What to do: take the host out of the queue, look at the error that most of these tries share, put it back.
    """

    code, name, section = "WS630", "bad-worker", "executors"
    questions = ("host_standing", "lost_runs_by_host")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        rows = [row for row in rows_of(answers, "host_standing") if row["measure"] == "failures"]
        enough = [row for row in rows if row["tries"] >= limits.min_tries]
        reach: dict[str, list[Row]] = {}
        for row in rows_of(answers, "lost_runs_by_host"):
            reach.setdefault(row["hostname"], []).append(row)
        verdicts = Verdicts(judged=len(enough), not_enough=len(rows) - len(enough))
        for one in stand(enough, fdr=limits.fdr, chance=limits.chance, are_counts=True):
            observed, usual = one.row["observed"], one.row["usual"]
            if (
                one.is_named
                and observed - usual >= limits.min_excess
                and observed >= limits.min_ratio * usual
            ):
                verdicts.findings.append(cls._of(one, reach.get(one.row["hostname"], ())))
        return verdicts

    @classmethod
    def _of(cls, one: Standing, reach: Sequence[Row]) -> Finding:
        row = one.row
        host, failed, tries = row["hostname"], round(row["observed"]), row["tries"]
        queue = f" on queue {row['queue']}" if row["queue"] else ""
        command = f"celery -A airflow.providers.celery.executors.celery_executor.app control {{}} {row['queue'] or 'QUEUE'} -d celery@{host}"
        lost = sum(row["lost_runs"] for row in reach)
        is_celery = row["executor"].startswith("Celery")
        return cls.finding(
            subject={"hostname": host},
            severity="critical" if lost >= 10 else "warning",
            headline=f"Host {host}: {failed} of {wording.plural(tries, 'first try')}{queue} failed; the same tasks on other hosts "
            f"would have failed {row['usual']:.1f}"
            f"{'; ' + wording.plural(lost, 'run') + ' lost' if lost else ''}",
            evidence={
                "tries": tries,
                "failures": failed,
                "rate": row["observed"] / tries,
                "usual_failures": row["usual"],
                "usual_rate": row["usual"] / tries,
                "excess_failures": row["observed"] - row["usual"],
                "p_value": one.p_value,
                "dispersion": one.inflation,
                "tasks": row["tasks"],
                "dags": len(reach) or None,
                "dag_ids": [row["dag_id"] for row in reach] or None,
                "lost_runs": lost if reach else None,
                "hosts": row["hosts"],
                "queue": row["queue"],
                "first_at": row["first_at"],
                "last_at": row["last_at"],
                "error_signature": row["error_signature"],
            }
            | ({"came_at": row["came_at"]} if row.get("came_at") else {})
            | (
                {"apply": command.format("cancel_consumer"), "undo": command.format("add_consumer")}
                if is_celery
                else {}
            ),
            advice="Take the host out of its queue and look at what most of these tries say"
            + (
                "; then clear the tasks that were lost on it."
                if lost or not reach
                else "; retries saved every run."
            ),
            rank=row["observed"] - row["usual"],
        )
