"""WS634."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.methods.counts import chance_of_more
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding, Row, Severity
from windsock.week import Week

_WORDS = {
    "out_of_memory": "killed for memory",
    "evicted": "evicted",
    "deleted": "their pod deleted",
    "not_placed": "never placed on a node",
    "image": "without an image",
    "pod_setup": "their pod could not be set up",
    "refused": "refused by Kubernetes",
    "unreachable": "not made, as Kubernetes could not be reached",
    "not_launched": "queued and never launched",
    "pod_failed": "their pod failed",
}
_ADVICE = {
    "out_of_memory": "Raise the memory request and limit of {tasks}{request}, or process the input in parts.",
    "evicted": "Raise the memory request of {tasks}{request} to what they use: pods above their request go first.",
    "deleted": "Keep the autoscaler from their nodes (safe-to-evict: false), or run {tasks} on nodes that stay.",
    "not_placed": "Lower the request of {tasks}{request}, or let the cluster grow to nodes that hold it.",
    "image": "Mend image name, tag or pull secret of {tasks}: no retry helps.",
    "pod_setup": "Mend the pod template or executor_config of {tasks}: no retry helps.",
    "refused": "Raise the namespace's quota, or lower parallelism to what it holds.",
    "unreachable": "Look at the API server's load and the way to it at these times; raise "
    "[kubernetes_executor] task_publish_max_retries where it is short.",
    "not_launched": "Look at why the scheduler ended at these times: pods that it had queued are forgotten with it.",
    "pod_failed": "Look at the nodes of {tasks} at these times.",
}


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """How many pods are a pattern."""

    min_tries: float = threshold(5, "pods of one trouble in the week", "a node may be lost any week")
    warn_lost: float = threshold(3, "of them, tasks that were lost by it", "fewer is one bad hour")
    max_chance: float = threshold(0.01, "probability", "as many a week may come by chance of its own past")


class RetriesBurnt(Rule):
    """Pods were killed, evicted, or never began, and each used a try of its task.

    What it means: the code had no part in it; retries that were meant for flaky services went on the infrastructure.
    How it is judged: the KubernetesExecutor's own lines, one pod once, by trouble: at least `min_tries` in the week and more
    than its own four weeks explain (negative binomial prediction); a warning where `warn_lost` tasks were lost by it. Pods
    that the executor launched again by itself, or never launched, cost no try and are counted apart.
    What to do: by trouble: memory request, image, quota, nodes; in provider 10.25 and newer
    `[kubernetes_executor] pod_launch_failure_max_retries` launches again what failed before its task began.
    """

    code, name, section = "WS634", "retries-burnt", "executors"
    questions = ("infrastructure_tries",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        by_trouble: dict[str, list[Row]] = {}
        for row in rows_of(answers, "infrastructure_tries"):
            if row["trouble"] in _WORDS:
                by_trouble.setdefault(row["trouble"], []).append(row)
        verdicts = Verdicts()
        for trouble, rows in sorted(by_trouble.items()):
            verdicts.judged += 1
            tries, before = (sum(row[name] for row in rows) for name in ("tries", "tries_prev"))
            if tries < limits.min_tries or chance_of_more(tries, before, 4) > limits.max_chance:
                verdicts.not_enough += tries < limits.min_tries
                continue
            lost = sum(row["lost"] for row in rows)
            verdicts.findings.append(
                cls._of(trouble, rows, "warning" if lost >= limits.warn_lost else "watch")
            )
        return verdicts

    @classmethod
    def _of(cls, trouble: str, rows: Sequence[Row], severity: Severity) -> Finding:
        tries, retried, lost, free = (
            sum(row[name] for row in rows) for name in ("tries", "retried", "lost", "free")
        )
        tasks = [f"{row['dag_id']}.{row['task_id']}" for row in rows if row["dag_id"]]
        requests = sorted({row["memory_request"] for row in rows if row["memory_request"]})
        cost = [f"{wording.plural(retried, 'retry')} burnt"] if retried else []
        cost += [f"{wording.plural(lost, 'task')} lost"] if lost else []
        cost += [f"{free} tried again without a try used"] if free else []
        most = f", most of {tasks[0]} ({rows[0]['tries']})" if tasks else ""
        request = f" (now {', '.join(requests[:3])})" if requests else ""
        return cls.finding(
            subject={"trouble": trouble},
            severity=severity,
            headline=f"{wording.plural(tries, 'pod')} {_WORDS[trouble]}{most}{': ' if cost else ''}{', '.join(cost)}",
            evidence={
                "tries": tries,
                "retried": retried,
                "lost": lost,
                "launched_again": free,
                "tries_prev": sum(row["tries_prev"] for row in rows),
                "tasks": len(tasks),
                "dag_ids": sorted({row["dag_id"] for row in rows if row["dag_id"]})[:20],
                "reasons": sorted({one for row in rows for one in row["reasons"]})[:8],
                "memory_request": requests[:5],
                "first_at": min(row["first_at"] for row in rows),
                "last_at": max(row["last_at"] for row in rows),
            },
            advice=_ADVICE[trouble].format(tasks=wording.names(tasks) or "these pods", request=request),
            rank=float(tries + 2 * lost),
        )
