"""WS201."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from windsock.findings import wording
from windsock.findings.methods.change_points import Change, find_changes
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """What a regression must reach."""

    min_ratio: float = threshold(1.2, "times the time before", "smaller steps cost nobody anything")
    min_seconds: float = threshold(0.1, "seconds", "milliseconds are noise of the machine")
    min_samples: float = threshold(20, "parses", "both sides of a step need ten")


# of two sources that tell of one file, the one nearer to the DAG processor's own clock speaks
_SOURCES = ("processor_log", "stats_table", "metric", "api", "task_log")
LATE = timedelta(hours=6)
"""A version shows in a task log only when a task of its bundle next runs, hours after the processor parsed it."""


class ParseTimeRegression(Rule):
    """A DAG file takes longer to parse since a moment that can be named.

    What it means: every parse of the file costs more, in the DAG processor and in each task that starts from it.
    How it is judged: change points of the logarithm of parse time, robust against outliers, autocorrelation, daily
    profile and drift, with the interval that holds the change at 90 %. A step of an earlier week that nothing took back
    is still open, not new. Sources are judged apart: a worker's parse is colder than the processor's. The suspect is the
    bundle version that first appeared in the interval: correlation, not proof; a local bundle has none.
    What to do: look at what the suspect changed at the file's top level: imports, requests, loops that build DAGs.
    """

    code, name, section = "WS201", "parse-time-regression", "parsing"
    questions = ("parse_samples_of_window", "bundle_versions", "parse_time_by_file")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        rows = rows_of(answers, "parse_samples_of_window")
        verdicts = Verdicts(
            no_data=""
            if rows
            else "no parse times: they come with task logs of Airflow 3.3 and with metric snapshots"
        )
        versions = rows_of(answers, "bundle_versions")
        found: list[Finding] = []
        for (source, bundle, dag_file), group in groupby(
            rows, lambda r: (r["source"], r["bundle_name"], r["dag_file"])
        ):
            samples = list(group)
            if len(samples) < limits.min_samples or samples[-1]["parsed_at"] < week.from_at:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            step = _step(samples, limits, week)
            if step:
                suspect = _suspect(samples, step, versions, bundle)
                found.append(cls._of_file((source, bundle, dag_file), samples, step, suspect, week))
        verdicts.findings.extend(_once_a_file(found))
        return verdicts

    @classmethod
    def _of_file(
        cls,
        series: tuple[str, str, str],
        samples: Sequence[Row],
        step: Change,
        suspect: str | None,
        week: Week,
    ) -> Finding:
        source, bundle, dag_file = series
        at = samples[step.index]["parsed_at"]
        began_in = Week.of(at)
        blame = f"; version {suspect[:12]} first ran then" if suspect else ""
        finding = cls.finding(
            subject={"dag_file": dag_file, "bundle_name": bundle},
            severity="warning",
            headline=f"{dag_file} parses {step.ratio:.1f} times as long: {wording.seconds(step.before)} → "
            f"{wording.seconds(step.after)} since {wording.moment(at)}{blame}",
            evidence={
                "changed_at": at,
                **dict(zip(("changed_from", "changed_to"), _interval(samples, step), strict=True)),
                "before_s": step.before,
                "after_s": step.after,
                "ratio": step.ratio,
                "p_value": step.p_value,
                "suspect": suspect,
                "source": source,
                "samples": len(samples),
            },
            advice=(
                f"Look at the top level of {dag_file} in {suspect}: it appeared when the parse time rose (correlation)."
                if suspect
                else "Look at what was deployed around then; no version of its bundle first appeared in the interval, "
                "so this is time-correlated only."
            ),
            rank=(step.after - step.before) * len(samples),
            status="new" if began_in == week else "still",
        )
        weeks = (week.monday - began_in.monday).days // 7 + 1
        return replace(finding, since_week=str(began_in), weeks=weeks)


def _step(samples: Sequence[Row], limits: Limits, week: Week) -> Change | None:
    """The newest step, if it made the file slower by enough and nothing took it back."""
    times = np.array([row["parsed_at"].timestamp() for row in samples])
    changes = find_changes(np.array([row["parse_s"] for row in samples]), times_s=times)
    if not changes or samples[changes[-1].index]["parsed_at"] >= week.to_at:
        return None
    last = changes[-1]
    is_slower = last.ratio >= limits.min_ratio and last.after - last.before >= limits.min_seconds
    return last if is_slower else None


def _interval(samples: Sequence[Row], step: Change) -> tuple[datetime, datetime]:
    """From the last parse surely before the change to the first one surely after it."""
    last = min(step.last, len(samples) - 1)
    return samples[max(step.first - 1, 0)]["parsed_at"], samples[last]["parsed_at"]


def _suspect(samples: Sequence[Row], step: Change, versions: Sequence[Row], bundle: str) -> str | None:
    """The version whose first appearance lies in the interval: in the file's own parses, else in its bundle's, else
    the first one that appeared soon after.
    """
    before = {row["bundle_version"] for row in samples[: step.first]}
    for row in samples[step.first : min(step.last, len(samples) - 1) + 1]:
        if row["bundle_version"] and row["bundle_version"] not in before:
            return str(row["bundle_version"])
    start, end = _interval(samples, step)
    mine = [row for row in versions if not bundle or row["bundle_name"] in ("", bundle)]
    near = sorted(
        (not start <= row["first_at"] <= end, row["first_at"], row["bundle_version"])
        for row in mine
        if start <= row["first_at"] <= end + LATE and row["bundle_version"] not in before
    )
    return str(near[0][2]) if near else None


def _once_a_file(found: Sequence[Finding]) -> list[Finding]:
    """One finding per file. Metrics know a file by its stem only: a stem that another source spells out is the same."""
    ordered = sorted(
        found,
        key=lambda one: _SOURCES.index(one.evidence["source"]) if one.evidence["source"] in _SOURCES else 9,
    )
    kept: dict[tuple[str, str], Finding] = {}
    for one in ordered:
        kept.setdefault((one.subject["dag_file"], one.subject["bundle_name"]), one)
    spelt = [PurePosixPath(path).stem for path, _ in kept if path.endswith(".py")]
    return [one for (path, _), one in kept.items() if path.endswith(".py") or path not in spelt]
