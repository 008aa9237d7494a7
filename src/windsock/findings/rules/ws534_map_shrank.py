"""WS534."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import comb
from shlex import quote
from typing import Any

import numpy as np

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding, Row
from windsock.week import Week

DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a map is so much shorter that somebody should look."""

    min_runs: float = threshold(3, "runs with a short map", "one or two may be a slow day of the source")
    min_days: float = threshold(7, "days of runs before", "a map that is short each weekend is meant to be")
    min_size: float = threshold(5, "indexes of a map before", "of three there may well be one some day")
    min_times: float = threshold(3.0, "times as short", "maps follow their input, and inputs vary")
    alarm_times: float = threshold(20.0, "times as short", "above it hardly anything is left to do")
    max_past_share: float = threshold(0.05, "fraction of the runs before", "short now and then is its habit")
    max_chance: float = threshold(0.001, "probability", "that the newest runs have the shortest maps by luck")
    max_weeks: float = threshold(2, "weeks in which it began", "by then it was told, and most likely meant")


class MapShrank(Rule):
    """A mapped task has lastingly far fewer indexes than it had, and nothing fails.

    What it means: what it maps over has dried up: a listing that finds one file of sixty, a query with a wrong date, a page of
    results in place of all. Each index that is left succeeds, so nothing alerts. Or there is less to do, and all is well.
    How it is judged: the newest runs, at least `min_runs`, all have at most one `min_times`th of what all but `max_past_share` of
    the runs before had (at least `min_size` indexes, over `min_days`); that the shortest maps of all came last has, if their order
    is chance, the probability of one in n over k (n runs, the newest k of them), which must be below `max_chance`. A warning from
    `alarm_times` on. A map of no index at all has no try: that is WS505.
    What to do: compare what the task returned that it maps over, before and after; where there is less to do, accept the finding.
    """

    code, name, section = "WS534", "map-shrank", "silent"
    questions = ("map_sizes",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "map_sizes"):
            sizes = np.asarray(row["sizes"], dtype=float)
            if len(sizes) < 2 * limits.min_runs or np.median(sizes) < limits.min_size:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            first = _first_short(sizes, limits)
            if first is not None and _is_told(row, first, limits, week):
                verdicts.findings.append(cls._told(row, first, limits))
        return verdicts

    @classmethod
    def _told(cls, row: Row, first: int, limits: Limits) -> Finding:
        before, after = (float(np.median(part)) for part in (row["sizes"][:first], row["sizes"][first:]))
        runs, times = len(row["sizes"]) - first, before / after
        task = f"{row['dag_id']}.{row['task_id']}"
        last_at, since = (datetime.fromtimestamp(row["times_s"][at], UTC) for at in (first - 1, first))
        short, long = row["run_ids"][first], row["run_ids"][first - 1]
        return cls.finding(
            subject={"dag_id": row["dag_id"], "task_id": row["task_id"]},
            severity="warning" if times >= limits.alarm_times else "watch",
            headline=f"{task} maps over {after:.0f} instead of {before:.0f} since {wording.moment(since)} "
            f"({wording.plural(runs, 'run')}, all well): check that it still gets all of its input",
            evidence={
                "size_before": before,
                "size_after": after,
                "runs": runs,
                "runs_before": first,
                "changed_from": last_at,
                "changed_to": since,
                "last_run_id": long,
            },
            advice=f"Compare what the task returned that {row['task_id']} maps over, in the run before and since then "
            f"(windsock diff {quote(row['dag_id'])} {quote(row['task_id'])} {quote(short)}); where there is less to do, accept this finding.",
            rank=(before - after) * runs,
        )


def _first_short(sizes: np.ndarray[Any, np.dtype[np.float64]], limits: Limits) -> int | None:
    """The place of the first of the newest runs whose maps are all short, between two levels the geometric middle."""
    level = float(np.max(sizes[-int(limits.min_runs) :]))
    longer = np.flatnonzero(sizes > level * limits.min_times**0.5)
    if not len(longer):
        return None
    first = int(longer[-1]) + 1
    least = max(limits.min_size, limits.min_times * float(np.max(sizes[first:])))
    is_short = float(np.mean(sizes[:first] < least)) <= limits.max_past_share
    is_rare = comb(len(sizes), first) * limits.max_chance >= 1
    return first if is_short and is_rare else None


def _is_told(row: Row, first: int, limits: Limits, week: Week) -> bool:
    times = row["times_s"]
    is_young = times[first] >= week.minus(int(limits.max_weeks) - 1).from_at.timestamp()
    return bool(is_young and times[first - 1] - times[0] >= limits.min_days * DAY_S)
