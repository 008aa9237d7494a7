"""What became of a finding that this week does not have. Not seen is never shown as healthy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from windsock.intervals import wilson
from windsock.model import Answer, Judgement, Row
from windsock.report.formats import seconds


@dataclass(frozen=True, slots=True)
class Became:
    """`recovered`, `not_seen` or `still`, and why; for `still`, this week's headline and evidence."""

    status: str
    note: str = ""
    headline: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)


DAG_CODES = ("WS101", "WS103", "WS104", "WS106", "WS108", "WS109", "WS113", "WS118")  # one DAG loses runs
_SECTION_OF = {
    "WS310": "waiting",
    "WS311": "waiting",
    "WS1": "failures",
    "WS110": "incidents",
    "WS111": "incidents",
    "WS115": "incidents",
    "WS2": "parsing",
    "WS203": "imports",
    "WS205": "imports",
    "WS206": "workers",
    "WS3": "pools",
    "WS5": "silent",
    **dict.fromkeys(("WS610", "WS611", "WS612", "WS613", "WS614", "WS615"), "settings"),
}
# where a subject must show up this week before its problem can be called gone
_SEEN_IN = {
    "dag_id": ("failure_rate_by_dag", "runs"),
    "dag_file": ("parse_time_by_file", "samples"),
    "pool": ("pool_full_share", "samples"),
    "executor": ("executor_load_by_hour", "minutes"),
    "component": ("heartbeats_by_component", "beats"),
    "grain": (
        "logs_missing_by_place",
        "tries",
    ),  # a host, an executor: without API or scheduler log nobody knows it
}


# what takes longer than before is gone when it takes less than the middle of both: (question, keys, now, before, told)
_LEVELS = {
    "WS401": ("work_times", ("dag_id", "task_id"), "median_s", "before_s", "after_s"),
    "WS402": ("run_finishes", ("dag_id",), "took_s", "before_s", "after_s"),
    "WS403": ("run_finishes", ("dag_id",), "finish_s", "finish_prev_s", "finish_s"),
}


def became(before: Mapping[str, Any], answers: Mapping[str, Answer], judgement: Judgement) -> Became:
    """Judged by whether its subject can be seen, and, for a rate or a time, by the level that it has now."""
    code, subject = str(before.get("code", "")), before.get("subject") or {}
    for missing in judgement.no_data:
        if missing.section == _SECTION_OF.get(code, _SECTION_OF.get(code[:3])):
            return Became("not_seen", f"no data: {missing.why}")
    for key, (question, count) in _SEEN_IN.items():
        if subject.get(key) in (None, "", "*") or question not in answers:  # none, or all of them
            continue
        row = next((r for r in answers[question].rows if str(r.get(key)) == str(subject[key])), None)
        if row is None or not row.get(count):
            return Became("not_seen", f"{subject[key]} was not seen this week")
        if code in DAG_CODES:
            return _rate(before, row, int(row["lost_runs"]), "failed")
        if code == "WS112":
            return _rate(before, row, int(row["first_try_failed_runs"]), "failed at first")
    if code == "WS505" and (gone := _tasks_gone(before, answers)):
        return Became("not_seen", f"{', '.join(gone)} did not run this week, either")
    if code in ("WS116", "WS117", "WS533") and not _has_ended(subject, answers):
        return Became("not_seen", f"{subject.get('dag_id')}.{subject.get('task_id')} did not run this week")
    if code == "WS117" and (row := _first_tries(subject, answers)):
        return Became(
            "not_seen", f"{row['failed_first']} of {row['executions']} first tries failed this week, too"
        )
    if code == "WS408":
        return _fast(before, answers)
    if code == "WS534":
        return _short_map(before, answers)
    if code in _LEVELS:
        return _level(before, answers, *_LEVELS[code])
    if not answers.get("inputs_seen") or not _has_logs(answers["inputs_seen"]):
        return Became("not_seen", "no task logs of this week")
    return Became("recovered")


def _rate(before: Mapping[str, Any], row: Row, failed: int, verb: str) -> Became:
    """A DAG that loses runs as before, or has them saved by a retry, has only dragged its own past up: that is no recovery.

    Recovered is a rate below the middle between what was told first and what was usual before that.
    """
    evidence = before.get("evidence") or {}
    told, usual = evidence.get("told_rate", evidence.get("rate")), float(evidence.get("baseline_rate") or 0)
    runs, unknown = int(row["runs"]), int(row["no_end_runs"])
    if not isinstance(told, int | float) or failed / runs <= (told + usual) / 2:
        if isinstance(told, int | float) and (failed + unknown) / runs > (told + usual) / 2:
            return Became(
                "not_seen", f"{failed} of {runs} runs {verb} this week, {unknown} have no known end"
            )
        return Became("recovered", f"{failed} of {runs} runs {verb} this week")
    low, high = wilson(failed, runs)
    return Became(
        "still",
        "no longer above its own recent past, which it has dragged up",
        f"{row['dag_id']}: {failed} of {runs} runs {verb}, as since {before.get('since_week')}",
        {
            "tries": runs,
            "failures": failed,
            "rate": failed / runs,
            "rate_low": low,
            "rate_high": high,
            "baseline_rate": usual,
            "excess_failures": failed - usual * runs,
            "probability": None,
            "told_rate": told,
        },
    )


def _tasks_gone(before: Mapping[str, Any], answers: Mapping[str, Answer]) -> list[str]:
    """Of a finding's tasks those that have still not run: the rule tells them for some weeks only."""
    subject, tasks = before.get("subject") or {}, (before.get("evidence") or {}).get("tasks") or ()
    rows = answers["tasks_gone"].rows if "tasks_gone" in answers else ()
    gone = {str(row["task_id"]) for row in rows if str(row["dag_id"]) == str(subject.get("dag_id"))}
    return [task for task in tasks if task in gone]


def _has_ended(subject: Mapping[str, Any], answers: Mapping[str, Answer]) -> bool:
    """Whether the task came to a known end this week: a branch that was not taken mends nothing."""
    rows = answers["task_standing"].rows if "task_standing" in answers else ()
    keys = ("dag_id", "task_id")
    return any(row["ended"] and all(row[key] == subject.get(key) for key in keys) for row in rows)


def _first_tries(subject: Mapping[str, Any], answers: Mapping[str, Answer]) -> Row | None:
    """The week of a task of which half of the first tries failed: too few or too cheap to be told, but not mended."""
    rows = answers["first_tries_by_week"].rows if "first_tries_by_week" in answers else ()
    mine = [row for row in rows if all(row[key] == subject.get(key) for key in ("dag_id", "task_id"))]
    newest = max(
        mine, key=lambda row: row["week"], default=None
    )  # a task has a row of the report week, or none at all
    return newest if newest and 2 * newest["failed_first"] >= newest["executions"] else None


def _fast(before: Mapping[str, Any], answers: Mapping[str, Answer]) -> Became:
    """A task that stays as fast was looked at, or was not: it is never called recovered, and is forgotten after some weeks."""
    subject, evidence = before.get("subject") or {}, before.get("evidence") or {}
    rows = answers["work_times"].rows if "work_times" in answers else ()
    row = next(
        (r for r in rows if all(str(r[key]) == str(subject.get(key)) for key in ("dag_id", "task_id"))), None
    )
    if row is None or not row["median_s"]:
        return Became("not_seen", f"{'.'.join(map(str, subject.values()))} was not seen this week")
    usual, fast = evidence.get("before_s"), evidence.get("after_s")
    if (
        isinstance(usual, int | float)
        and isinstance(fast, int | float)
        and row["median_s"] < (usual + fast) / 2
    ):
        return Became(
            "not_seen", f"no new step: it has been as fast since ({seconds(row['median_s'])} this week)"
        )
    return Became("recovered", f"{seconds(row['median_s'])} this week")


def _short_map(before: Mapping[str, Any], answers: Mapping[str, Answer]) -> Became:
    """As `_fast`: a map that stays as short was looked at, or was not."""
    subject, evidence = before.get("subject") or {}, before.get("evidence") or {}
    rows = answers["map_sizes"].rows if "map_sizes" in answers else ()
    row = next((r for r in rows if all(r[key] == subject.get(key) for key in ("dag_id", "task_id"))), None)
    usual, short = evidence.get("size_before"), evidence.get("size_after")
    if row is None or not isinstance(usual, int | float) or not isinstance(short, int | float):
        return Became("not_seen", f"{'.'.join(map(str, subject.values()))} was not seen this week")
    size = row["sizes"][-1]
    if size < (usual * short) ** 0.5:
        return Became("not_seen", f"no new step: its newest run maps over {size} as well")
    return Became("recovered", f"its newest run maps over {size}")


def _level(
    before: Mapping[str, Any],
    answers: Mapping[str, Answer],
    question: str,
    keys: Sequence[str],
    now: str,
    was: str,
    told: str,
) -> Became:
    """A step of weeks ago is no news to its rule, which is silent though nothing is as quick as it was."""
    subject, evidence = before.get("subject") or {}, before.get("evidence") or {}
    rows = answers[question].rows if question in answers else ()
    row = next((r for r in rows if all(str(r.get(key)) == str(subject.get(key)) for key in keys)), None)
    usual, slow = evidence.get(was), evidence.get("told_s", evidence.get(told))
    if row is None or not row.get(now):
        return Became("not_seen", f"{'.'.join(map(str, subject.values()))} was not seen this week")
    if not isinstance(usual, int | float) or not isinstance(slow, int | float):
        return Became("recovered")
    if row[now] <= (usual + slow) / 2:
        return Became("recovered", f"{seconds(row[now])} this week, {seconds(usual)} before it")
    return Became(
        "still",
        "no new step: it has taken as long since",
        str(before.get("headline") or ""),
        {was: usual, told: row[now], "told_s": slow},
    )


def _has_logs(answer: Answer) -> bool:
    return any(row["row_count"] for row in answer.rows if row.get("input") in ("task_logs", "task_instances"))
