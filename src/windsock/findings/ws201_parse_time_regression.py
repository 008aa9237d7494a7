"""WS201."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from windsock.findings import wording
from windsock.findings.methods.change_points import find_changes
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """What a regression must reach."""

    min_ratio: float = threshold(1.2, "times the time before", "smaller steps cost nobody anything")
    min_seconds: float = threshold(0.1, "seconds", "milliseconds are noise of the machine")
    min_samples: float = threshold(20, "parses", "both sides of a step need ten")


class ParseTimeRegression(Rule):
    """A DAG file takes longer to parse since a moment that can be named.

    What it means: every parse of the file costs more, in the DAG processor and in each task that starts from it.
    How it is judged: change points of the logarithm of parse time, robust against outliers, autocorrelation and drift;
    the step must begin in this week or be still there from the weeks before. Sources are judged apart: a worker's
    parse is colder than the processor's.
    What to do: look at what the suspect changed at the file's top level: imports, requests, loops that build DAGs.
    """

    code, name, section = "WS201", "parse-time-regression", "parsing"
    questions = ("parse_samples_of_window", "parse_time_by_file")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        rows = rows_of(answers, "parse_samples_of_window")
        verdicts = Verdicts(
            no_data=""
            if rows
            else "no parse times: they come with task logs of Airflow 3.3 and with metric snapshots"
        )
        found: dict[tuple[str, str], Finding] = {}
        for (source, bundle, dag_file), group in groupby(
            rows, lambda r: (r["source"], r["bundle_name"], r["dag_file"])
        ):
            samples = list(group)
            if len(samples) < limits.min_samples:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            finding = cls._of_file(source, bundle, dag_file, samples, limits, week)
            if finding:
                found.setdefault((bundle, dag_file), finding)
        verdicts.findings.extend(found.values())
        return verdicts

    @classmethod
    def _of_file(
        cls, source: str, bundle: str, dag_file: str, samples: Sequence[Row], limits: Limits, week: Week
    ) -> Finding | None:
        changes = find_changes(np.array([row["parse_s"] for row in samples]))
        slower = [
            one
            for one in changes
            if one.ratio >= limits.min_ratio and one.after - one.before >= limits.min_seconds
        ]
        # only the newest step counts, and only if nothing took it back
        if not slower or slower[-1] is not changes[-1]:
            return None
        change = slower[-1]
        at = samples[change.index]["parsed_at"]
        if at >= week.to_at:
            return None
        left, right = (
            samples[max(change.first - 1, 0)]["parsed_at"],
            samples[min(change.last, len(samples) - 1)]["parsed_at"],
        )
        suspect = _suspect(samples, change.first, min(change.last, len(samples) - 1))
        blame = f"; version {suspect[:12]} first ran then" if suspect else ""
        return cls.finding(
            subject={"dag_file": dag_file, "bundle_name": bundle},
            severity="warning",
            headline=f"{dag_file} parses {change.ratio:.1f} times as long: {wording.seconds(change.before)} → "
            f"{wording.seconds(change.after)} since {wording.moment(at)}{blame}",
            evidence={
                "changed_at": at,
                "changed_from": left,
                "changed_to": right,
                "before_s": change.before,
                "after_s": change.after,
                "ratio": change.ratio,
                "p_value": change.p_value,
                "suspect": suspect,
                "source": source,
                "samples": len(samples),
            },
            advice=(
                f"Look at the top level of {dag_file} in {suspect}: it appeared when the parse time rose (correlation)."
                if suspect
                else f"Look at what was deployed around then; {dag_file} carries no version, so this is time only."
            ),
            rank=(change.after - change.before) * len(samples),
        )


def _suspect(samples: Sequence[Row], first: int, last: int) -> str | None:
    """The bundle version whose first appearance lies in the interval of the change."""
    before = {row["bundle_version"] for row in samples[:first]}
    for row in samples[first : last + 1]:
        version = row["bundle_version"]
        if version and version not in before:
            return str(version)
    return None
