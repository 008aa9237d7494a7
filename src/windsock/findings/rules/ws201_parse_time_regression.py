"""WS201."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np

from windsock.findings import wording
from windsock.findings.methods.change_points import Change, find_changes
from windsock.findings.parsing.files import once_a_file
from windsock.findings.parsing.one_pass import Pass, load_of, parses_a_week, week_pass
from windsock.findings.parsing.shared import passing, shared
from windsock.findings.parsing.suspects import has_versions, interval_of, suspect_of
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding, Row
from windsock.week import Week

Series = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """What a regression must reach."""

    min_ratio: float = threshold(1.2, "times the time before", "smaller steps cost nobody anything")
    min_seconds: float = threshold(0.1, "seconds", "milliseconds are noise of the machine")
    min_samples: float = threshold(20, "parses", "both sides of a step need ten")
    min_passing_ratio: float = threshold(
        2.0, "times the time before", "of a step that was taken back in the same week: a slow hour is no news"
    )


class ParseTimeRegression(Rule):
    """A DAG file takes longer to parse since a moment that can be named.

    What it means: every parse of the file costs more, in the DAG processor and in each task that starts from it.
    How it is judged: change points of the logarithm of parse time, robust against outliers, autocorrelation, daily
    profile and drift, with the interval that holds the change at 90 %. A step of an earlier week that nothing took back
    is still open, not new; one that came and went within the week is told as information. Sources are judged apart: a worker's parse is colder than the processor's. The suspect is the
    bundle version, else the DAG version, that first appeared in the interval: correlation, not proof; a local bundle has
    no versions. Half of all files and at least five that step at one moment are one finding (`*`): its cause lies outside
    of them. The cost is the step times the parses of a week, and what it adds to one pass over all files.
    What to do: look at what the suspect changed at the file's top level: imports, requests, loops that build DAGs.
    """

    code, name, section = "WS201", "parse-time-regression", "parsing"
    questions = (
        "parse_samples_of_window",
        "bundle_versions",
        "dag_versions",
        "parse_time_by_file",
        "parse_load_by_file",
        "parse_settings",
    )
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        rows = rows_of(answers, "parse_samples_of_window")
        verdicts = Verdicts(
            no_data=""
            if rows
            else "no parse times: they come with task logs of Airflow 3.3 and with metric snapshots"
        )
        whole, judged = week_pass(answers), Counter[str]()
        found: list[Finding] = []
        passed: list[Finding] = []
        for series, group in groupby(rows, lambda r: (r["source"], r["bundle_name"], r["dag_file"])):
            samples = list(group)
            if len(samples) < limits.min_samples or samples[-1]["parsed_at"] < week.from_at:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            judged[series[0]] += 1
            changes = _changes(samples)
            if step := _open(changes, samples, limits, week):
                found.append(cls._of_file(series, samples, step, answers, whole, week))
            elif pair := _passed(changes, samples, limits, week):
                passed.append(cls._of_passed(series, samples, *pair))
        verdicts.findings.extend(once_a_file(shared(found, judged)))
        verdicts.findings.extend(once_a_file(passing(passed, judged)))
        return verdicts

    @classmethod
    def _of_file(
        cls,
        series: Series,
        samples: Sequence[Row],
        step: Change,
        answers: Mapping[str, Answer],
        whole: Pass | None,
        week: Week,
    ) -> Finding:
        source, bundle, dag_file = series
        at = samples[step.index]["parsed_at"]
        began_in = Week.of(at)
        suspect = suspect_of(samples, step, answers)
        blame = f"; {_called(suspect)} first ran then" if suspect else ""
        parses = parses_a_week(load_of(rows_of(answers, "parse_load_by_file"), series), whole)
        hours = (step.after - step.before) * parses / 3600 if parses else None
        finding = cls.finding(
            subject={"dag_file": dag_file, "bundle_name": bundle},
            severity="warning",
            headline=f"{dag_file} parses {step.ratio:.1f} times as long: {wording.seconds(step.before)} → "
            f"{wording.seconds(step.after)} since {wording.moment(at)}{blame}",
            evidence={
                "changed_at": at,
                **dict(zip(("changed_from", "changed_to"), interval_of(samples, step), strict=True)),
                "before_s": step.before,
                "after_s": step.after,
                "ratio": step.ratio,
                "more_parse_hours": hours,
                "p_value": step.p_value,
                "suspect": suspect,
                "source": source,
                "samples": len(samples),
            },
            advice=_advice(dag_file, suspect, is_versioned=has_versions(answers, bundle))
            + _cost(source, hours, step, whole),
            rank=(step.after - step.before) * len(samples),
            status="new" if began_in == week else "still",
        )
        weeks = (week.monday - began_in.monday).days // 7 + 1
        return replace(finding, since_week=str(began_in), weeks=weeks)

    @classmethod
    def _of_passed(cls, series: Series, samples: Sequence[Row], up: Change, down: Change) -> Finding:
        source, bundle, dag_file = series
        at, until = samples[up.index]["parsed_at"], samples[down.index]["parsed_at"]
        return cls.finding(
            subject={"dag_file": dag_file, "bundle_name": bundle},
            severity="info",
            headline=f"{dag_file} parsed {up.ratio:.1f} times as long from {wording.moment(at)} to {wording.moment(until)}: "
            f"{wording.seconds(up.before)} → {wording.seconds(up.after)}, now {wording.seconds(down.after)}",
            evidence={
                "changed_at": at,
                **dict(zip(("changed_from", "changed_to"), interval_of(samples, up), strict=True)),
                "before_s": up.before,
                "after_s": up.after,
                "ratio": up.ratio,
                "ended_at": until,
                "p_value": max(up.p_value, down.p_value),
                "suspect": None,
                "source": source,
                "samples": len(samples),
            },
            advice="Nothing to do: it was taken back.",
            rank=(up.after - up.before) * (down.index - up.index),
        )


def _changes(samples: Sequence[Row]) -> list[Change]:
    times = np.array([row["parsed_at"].timestamp() for row in samples])
    return find_changes(np.array([row["parse_s"] for row in samples]), times_s=times)


def _open(changes: Sequence[Change], samples: Sequence[Row], limits: Limits, week: Week) -> Change | None:
    """The newest step, if it made the file slower by enough and nothing took it back."""
    if not changes or samples[changes[-1].index]["parsed_at"] >= week.to_at:
        return None
    return changes[-1] if _is_slower(changes[-1], limits) else None


def _passed(
    changes: Sequence[Change], samples: Sequence[Row], limits: Limits, week: Week
) -> tuple[Change, Change] | None:
    """The newest two steps, if the first made the file much slower this week and the second took most of it back."""
    if len(changes) < 2 or samples[changes[-2].index]["parsed_at"] < week.from_at:
        return None
    up, down = changes[-2:]
    is_much = _is_slower(up, limits) and up.ratio >= limits.min_passing_ratio
    return (up, down) if is_much and down.after < (up.before + up.after) / 2 else None


def _is_slower(step: Change, limits: Limits) -> bool:
    return step.ratio >= limits.min_ratio and step.after - step.before >= limits.min_seconds


def _called(suspect: str) -> str:
    """A DAG version says what it is; of a commit the first twelve signs are enough."""
    return suspect if " " in suspect else f"version {suspect[:12]}"


def _advice(dag_file: str, suspect: str | None, *, is_versioned: bool) -> str:
    if suspect:
        return f"Look at the top level of {dag_file} in {_called(suspect)}: it appeared when the parse time rose (correlation)."
    if is_versioned:
        return (
            "No version of its bundle first appeared in the interval, so this is time-correlated only: look at what else "
            "changed then, on the machine or in what the file reads."
        )
    return "Look at what was deployed around then; its bundle tells no versions, so this is time-correlated only."


def _cost(source: str, hours: float | None, step: Change, whole: Pass | None) -> str:
    """What the step costs a week, in the processor or in the workers."""
    if hours is None or hours < 1 / 60:
        return ""
    if source == "task_log":
        return f" It costs {wording.hours(hours)} more of the workers' time a week."
    told = f" It costs {wording.hours(hours)} more of parsing a week."
    return f"{told} {whole.sentence(less_s=step.after - step.before)}" if whole else told
