"""WS511."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from windsock.findings import wording
from windsock.findings.methods.counts import chance_of_more
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Row, Severity
from windsock.week import Week

OUT_OF_MEMORY, NOT_SEEN, _NOT_STARTED = "out of memory", "cause not seen", "pod never started"
_OOM_EXIT = 137  # 128 + SIGKILL: what a container's runtime reports of a process over its memory limit
_CAUSES = {
    "pod_failed": "pod failed",
    "pod_not_started": "pod never started",
    "pod_deleted": "pod deleted",
    "heartbeat_timeout": "heartbeat lost",
    "queue_timeout": "queued too long",
    "state_mismatch": "ended before it began",
    "orphan_reset": "scheduler lost",
    "state_marked": "set from outside",
}
_WORDS = {
    OUT_OF_MEMORY: "ran out of memory and left no log",
    NOT_SEEN: "left no log, cause not seen",
    "pod failed": "left no log: their pod failed",
    "pod never started": "left no log: their pod never started",
    "pod deleted": "left no log: their pod was deleted before they ended",
    "heartbeat lost": "left no log: their worker was not heard of any more",
    "queued too long": "left no log: they failed in the executor's queue",
    "ended before it began": "left no log: the executor ended them before they began",
    "scheduler lost": "left no log: their scheduler was gone",
    "set from outside": "left no log: their state was set from outside",
}
_ADVICE = {
    OUT_OF_MEMORY: "Raise the memory request and limit of {dags}, or process the input in parts.",
    NOT_SEEN: "Give windsock the scheduler's log ([sources.component_logs]): it alone says why a pod or worker was lost. "
    "Look at {dags} at these times.",
    "pod never started": "Look at image, quota and node capacity of {dags}.",
    "ended before it began": "See whether the files of {dags} import on the workers; deferred tasks meet this under load.",
}
_NO_IMAGE = "Mend image name, tag or pull secret of {dags}: no retry helps."
_IMAGE = frozenset(
    {
        "ImagePullBackOff",
        "ErrImagePull",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
    }
)
_NOT_TOLD = (
    "The scheduler's log was read and says nothing of them: see whether {dags} could upload their logs at these times "
    "(workers, credentials of the bucket), and whether something removes objects."
)
_ELSE = "Look at the nodes and workers of {dags} at these times."


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """How many tries without a log are a pattern."""

    min_tries: float = threshold(5, "tries without a log in the week", "one node may be lost any week")
    min_short: float = threshold(
        10, "runs short of a task that always ran", "a branch that is new skips in a few"
    )
    min_other_runs: float = threshold(
        20, "other runs in which the task ran", "a task of fewer may only run on some days"
    )
    max_chance: float = threshold(0.01, "probability", "as many in a week may come by chance of its own past")
    critical_runs: float = threshold(10, "lost runs", "so many lost at once are an outage")


@dataclass(frozen=True, slots=True)
class _Told:
    """All that one finding tells: the tries of one cause, and the week around them."""

    cause: str
    rows: Sequence[Row]
    short: Sequence[Row]  # runs without a task that always ran; only where the cause is not seen
    now: Row
    before: Sequence[int]  # tries without a log in each of the weeks before
    lost: tuple[int, float] | None
    was_asked: bool  # the scheduler's log of this week was read


class NoLog(Rule):
    """Tries failed and left no log.

    What it means: a pod, worker or node was lost with all that the task had written: no error, no callback, nothing to
    read in the UI.
    How it is judged: a try that API, database or a component knows as failed, or that a later try of the same task
    proves, without an object. The cause is what a component told of it (container reason, exit code 137, lost heartbeat);
    without such a word it is said to be not seen. It is a warning at `min_tries` in the week and more than its own past
    explains (negative binomial prediction). Objects that could not be read are WS901's, not counted here. Where only logs
    tell, a run without a task that every other run has is counted apart: lost with its pod, or skipped for the first time.
    What to do: out of memory: raise the limit; otherwise look at the nodes; without component logs, add them.
    """

    code, name, section = "WS511", "no-log", "silent"
    questions = (
        "lost_tries",
        "tries_without_log_by_week",
        "runs_short_of_a_task",
        "scoreboard",
        "silent_coverage",
    )
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        weeks = rows_of(answers, "tries_without_log_by_week")
        now = next((row for row in weeks if row["week"] == week.monday), None)
        if now is None:
            return Verdicts()  # the trust box says that no task logs were read
        before = [row["without_log"] for row in weeks if row["week"] != week.monday]
        by_cause: dict[str, list[Row]] = {}
        for row in rows_of(answers, "lost_tries"):
            by_cause.setdefault(cause_of(row), []).append(row)
        rows = rows_of(answers, "runs_short_of_a_task")
        short = [row for row in rows if row["runs"] >= limits.min_other_runs]
        if len(short) >= limits.min_short:
            by_cause.setdefault(NOT_SEEN, [])
        total = sum(len(rows) for rows in by_cause.values())
        is_new = not before or chance_of_more(total, sum(before), len(before)) <= limits.max_chance
        lost = _lost_runs(rows_of(answers, "scoreboard"), week)
        was_asked = any(
            row["kind"] == "why tries left no log" and row["missing"] is None
            for row in rows_of(answers, "silent_coverage")
        )
        verdicts = Verdicts(judged=now["tries"])
        for cause, rows in sorted(by_cause.items()):
            told = _Told(cause, rows, short if cause == NOT_SEEN else (), now, before, lost, was_asked)
            if len(rows) < limits.min_tries and len(told.short) < limits.min_short:
                verdicts.not_enough += 1
                continue
            is_grave = is_new or len(told.short) >= limits.min_short
            verdicts.findings.append(cls._of(told, _severity(is_grave, lost, limits)))
        return verdicts

    @classmethod
    def _of(cls, told: _Told, severity: Severity) -> Any:
        rows, lost = told.rows, told.lost
        dags = sorted({row["dag_id"] for row in (*rows, *told.short)})
        times = [at for row in rows if (at := row["told_at"] or row["ended_at"] or row["started_at"])]
        times += [row["ended_at"] for row in told.short]
        return cls.finding(
            subject={"cause": told.cause},
            severity=severity,
            headline=_headline(told, len(dags)),
            evidence={
                "tries": len(rows),
                "all_tries": told.now["tries"],
                "runs": len({(row["dag_id"], row["run_id"]) for row in rows}),
                "runs_short_of_a_task": len({(row["dag_id"], row["run_id"]) for row in told.short}),
                "dags": len(dags),
                "dag_ids": dags[:20],
                "last_tries": sum(bool(row["last_try"]) for row in rows),
                "known_by_next_try": sum(row["known_by"] == "next_try" for row in rows),
                "not_judged": sum(not row["is_judged"] for row in rows),
                "reasons": sorted({str(row["reason"]) for row in rows if row["reason"]}),
                "exit_codes": sorted({row["exit_code"] for row in rows if row["exit_code"] is not None}),
                "hosts": len({row["hostname"] for row in rows if row["hostname"]}),
                "without_log_prev": sum(told.before) if told.before else None,
                "first_at": min(times, default=None),
                "last_at": max(times, default=None),
                "lost_runs": lost[0] if lost else None,
                "lost_runs_median": lost[1] if lost else None,
                "end_not_known": told.now["unknown_end"],
            },
            advice=_advice(told).format(dags=wording.names(dags)),
            rank=float(len(rows) + len(told.short) + (lost[0] if lost else 0)),
        )


def _advice(told: _Told) -> str:
    is_unheard = told.cause == NOT_SEEN and told.was_asked
    if told.cause == _NOT_STARTED and {row["reason"] for row in told.rows} <= _IMAGE:
        return _NO_IMAGE
    return _NOT_TOLD if is_unheard else _ADVICE.get(told.cause, _ELSE)


def _severity(is_grave: bool, lost: tuple[int, float] | None, limits: Limits) -> Severity:
    if not is_grave:
        return "watch"
    return "critical" if lost and lost[0] - lost[1] >= limits.critical_runs else "warning"


def _headline(told: _Told, dags: int) -> str:
    """The tries, then the runs that may be more of them, then the runs lost in all."""
    text = f"{wording.plural(len(told.rows), 'try')} in {wording.plural(dags, 'DAG')} {_WORDS[told.cause]}"
    reasons = sorted({str(row["reason"]) for row in told.rows if row["reason"]})
    if told.cause == _NOT_STARTED and reasons:
        text += f" ({wording.names(reasons)})"
    if told.short:
        runs = len({(row["dag_id"], row["run_id"]) for row in told.short})
        text += f"; in {wording.plural(runs, 'run')} a task that always ran left nothing"
    if told.lost:
        lost = wording.plural(told.lost[0], "run")
        text += f"; the fleet lost {lost} this week, {told.lost[1]:g} in the median of the weeks before"
    return text


def cause_of(row: Row) -> str:
    """What a component told became of the try, in a few words."""
    if row["reason"] == "OOMKilled" or row["exit_code"] == _OOM_EXIT:
        return OUT_OF_MEMORY
    return _CAUSES.get(row["event"] or "", NOT_SEEN)


def _lost_runs(rows: Sequence[Row], week: Week) -> tuple[int, float] | None:
    """Runs lost this week and in the median week before; None without a judged run this week."""
    now = next((row for row in rows if row["week"] == week.monday), None)
    past = [row["lost_runs"] for row in rows if row["week"] != week.monday]
    return (now["lost_runs"], float(median(past))) if now and past else None
