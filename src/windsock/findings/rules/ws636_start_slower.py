"""WS636."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import slower, wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.findings.waiting.answer import LAUNCH
from windsock.findings.waiting.workers import WORKERS
from windsock.model import Answer, Finding, Row
from windsock.week import Week

_LEAST_S = 1.0
"""A start below it is as good as none: logarithms of milliseconds would make steps of nothing."""
_CURES = {
    "KubernetesExecutor": "Look at what pods wait for (kubectl describe pod): a larger image or imagePullPolicy Always, nodes that "
    "must be added first, requests that fit few nodes, sidecars. Keep the image small and pulled beforehand, spare "
    "nodes warm; bursts need [kubernetes_executor] worker_pods_creation_batch_size above its default of 1",
    "CeleryExecutor": "Look at how workers start: scaled from zero, restarted by a deploy, too few of them in busy hours, a slow "
    "broker, imports that every task repeats (top of DAG files, plugins). Keep some workers warm",
    "LocalExecutor": "Look at the load of the scheduler's machine, and at imports that every task repeats (top of DAG files, plugins)",
}
_UNKNOWN = (
    "Look at what tasks wait for: with pods the image, new nodes and requests; with Celery workers that scale from zero, a slow "
    "broker; with all, imports that every task repeats"
)


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a later start is worth a line."""

    min_points: float = threshold(28, "six-hour medians", "a week of a busy queue, four of a nightly one")
    min_ratio: float = threshold(
        1.5, "times as long", "nodes and images make starts differ by a third anyhow"
    )
    min_extra_s: float = threshold(5.0, "seconds later, each", "below it nobody waits")
    min_extra_hours: float = threshold(
        1.0, "hours more in the week", "a step of a queue that is seldom used costs nobody anything"
    )
    warn_hours: float = threshold(10.0, "hours more in the week", "an hour and a half each day")
    alpha: float = threshold(0.001, "probability", "as for the times that tasks work")


class StartSlower(Rule):
    """Workers or pods of a queue lastingly take longer to start tasks.

    What it means: the executor has queued the task, and its first line comes later than it used to: the image is larger, nodes
    are cold, workers are fewer or busy, every task imports more. Short tasks suffer most.
    How it is judged: medians of six hours from queued to started, by executor and queue, as API, database or scheduler log
    tell them; a step that lasts, as WS401, of at least `min_ratio` and `min_extra_s`, costing `min_extra_hours` in the week from the step on.
    Where most of the week's waiting after the queue was for full workers, that is said, and WS310 tells it alone if it does. A
    single host is compared with the others of its queue instead (WS631).
    What to do: look at what changed in the interval named: images, nodes, workers, imports.
    """

    code, name, section = "WS636", "start-slower", "executors"
    questions = ("start_times", "waiting_by_limit", "infrastructure_tries")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "start_times"):
            if len(row["times_s"]) < limits.min_points or row["start_hours"] < limits.min_extra_hours:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            starts = [max(one, _LEAST_S) for one in row["starts_s"]]
            step = slower.newest_change(
                row["times_s"], starts, min_ratio=limits.min_ratio, alpha=limits.alpha, week=week
            )
            if step is None or step.change.ratio < limits.min_ratio:
                continue
            later_s = step.change.after - step.change.before
            extra = row["starts"] * _share_since(step, week) * later_s / 3600
            if later_s >= limits.min_extra_s and extra >= limits.min_extra_hours:
                verdicts.findings.append(cls._of(answers, row, step, extra, limits))
        return verdicts

    @classmethod
    def _of(
        cls, answers: Mapping[str, Answer], row: Row, step: slower.Step, extra: float, limits: Limits
    ) -> Finding:
        before, after = wording.short(step.change.before), wording.short(step.change.after)
        full, troubles = _share_of_full_workers(answers), _troubles(answers)
        return cls.finding(
            subject={"executor": row["executor"], "queue": row["queue"]},
            severity="warning" if extra >= limits.warn_hours else "watch",
            headline=f"{_whose(row)} start {step.change.ratio:.1f} times as late after they were queued since "
            f"{wording.moment(step.at)}: {before} → {after}, {wording.hours(extra)} more this week",
            evidence={
                **slower.step_evidence(step),
                "extra_hours": extra,
                "starts": row["starts"],
                "start_p95_s": row["p95_s"],
                "hosts": row["hosts"] or None,
                "full_workers_share": full,
                **({"pods_in_trouble": troubles} if row["executor"] != "CeleryExecutor" else {}),
            },
            advice=_advice(row, step, full),
            rank=extra,
        )


def _share_since(step: slower.Step, week: Week) -> float:
    """Of the week, from the step on: what was started before it was no later."""
    return min(1.0, (week.to_at - step.at) / (week.to_at - week.from_at))


def _whose(row: Row) -> str:
    """`Tasks of queue default (CeleryExecutor)`."""
    of = f"Tasks of queue {row['queue']}" if row["queue"] else "Tasks"
    return f"{of} ({row['executor']})" if row["executor"] else of


def _advice(row: Row, step: slower.Step, full: float | None) -> str:
    between = f" between {wording.moment(step.earliest)} and {wording.moment(step.latest)}"
    if full is not None and full > 0.5:
        return (
            f"{wording.percent(full)} of this week's time between queued and started passed while all workers were busy: more room "
            f"at the workers first. Else look at what changed{between}."
        )
    return f"{_CURES.get(row['executor'], _UNKNOWN)}; see what changed{between}."


def _share_of_full_workers(answers: Mapping[str, Answer]) -> float | None:
    """Of the whole deployment's hours between queued and started; None where nothing was waited there."""
    waits = {
        row["waits_for"]: row["hours"]
        for row in rows_of(answers, "waiting_by_limit")
        if row["scope"] == "all" and row["waits_for"] in (WORKERS, LAUNCH)
    }
    total = sum(waits.values())
    return waits.get(WORKERS, 0.0) / total if total else None


def _troubles(answers: Mapping[str, Answer]) -> list[str] | None:
    """What Kubernetes itself said of pods that could not start."""
    counts: dict[str, int] = {}
    for row in rows_of(answers, "infrastructure_tries"):
        if row["trouble"] in ("not_placed", "image", "pod_setup"):
            counts[row["trouble"]] = counts.get(row["trouble"], 0) + row["tries"]
    return [f"{count} {name.replace('_', ' ')}" for name, count in sorted(counts.items())] or None
