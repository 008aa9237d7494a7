"""Health indicators as one table: what operators look at by hand, each against its own past, and why the fixed numbers
that go round mislead. What is not seen says so, and what would show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from windsock.model import Answer, Judgement, Row
from windsock.report.formats import chance, clean, number, plural, seconds, share, span
from windsock.report.health_outcomes import Line, blind, outcomes, rows_of
from windsock.report.marks import ALPHA
from windsock.report.page import Cell, Table
from windsock.week import Week

TITLE = "Each against its own past; the last column holds the fixed numbers in use, and why not to trust them"
COLUMNS = ("Indicator", "This week", "Usual", "Judged", "Common threshold")
_BEATS = {"scheduler": "scheduler", "triggerer": "triggerer", "dag_processor": "dag-processor"}
_LEAST_SILENCE_S, _LEAST_RATIO = 300.0, 3.0  # as WS530: snapshots of every ten minutes are no gaps
_HALF_MINUTE = "30 s: a restart takes longer, and metrics hold one value a minute"
_LIMITS_S = {"import_timeout_s": 30.0, "processor_timeout_s": 50.0}  # Airflow's defaults
_LEAST_PARSES = 5  # as WS202
_GROWING = "'growing': it does so on every batch day; here by slope against the same weekday and hour"
_LEAST_GROWTH = 1.05  # a day: less is no queue that runs away
_QUEUES = {
    "queued": (
        "Queue depth",
        "tasks queued",
        "no gauges of executors or pools ([sources.metrics]), and no queue times of tries (API, database, or the scheduler's log)",
    ),
    "ready": (
        "Ready without a slot",
        "tasks ready",
        "no pool gauges that tell scheduled tasks ([sources.metrics]), and no ready times of tries (Airflow 3's API, database, "
        "or scheduler's log)",
    ),
}
"""Measure → its name, what is counted, and what would tell it."""
_TOLD_BY = {
    "executor_gauge": "by the executor's gauge",
    "pool_gauges": "by the pools' gauges (slots)",
    "tries": "by the times that tries tell",
}
_SOURCES = tuple(_TOLD_BY)
"""The likest to what is asked first."""
WEEK_MINUTES = 7 * 24 * 60


def health_table(answers: Mapping[str, Answer], judgement: Judgement, week: Week) -> Table:
    """Always the same rows; each says what was seen, or that nothing was and what is missing."""
    lines = (
        *_alive(answers),
        *_parsing(answers, judgement, week),
        *_queues(answers),
        *_pools(answers),
        *outcomes(answers, week),
    )
    rows = tuple(tuple(Cell(text) for text in line) for line in lines)
    return Table(TITLE, COLUMNS, rows, 0, "heartbeat_gaps", is_folded=True)


def _alive(answers: Mapping[str, Answer]) -> Iterator[Line]:
    heard = {row["component"]: row for row in rows_of(answers, "heartbeats_by_component")}
    for component, called in _BEATS.items():
        name = f"{called.capitalize()} alive"
        mine = [row for row in rows_of(answers, "heartbeat_gaps") if row["component"] == component]
        gaps = [row for row in mine if _is_gap(row)]
        if component not in heard and not gaps:
            yield blind(name, "no heartbeat in the metrics ([sources.metrics])", _HALF_MINUTE)
            continue
        if not gaps:
            minutes = heard[component]["seen_minutes"]
            beats = f"heard in {number(minutes)} of {number(WEEK_MINUTES)} minutes; no gap"
            yield name, beats, _distance(mine), "alive where it was heard", _HALF_MINUTE
            continue
        longest = max(row["gap_s"] for row in gaps)
        restarts = sum(bool(row["starts_told"] or row["job_starts"] > row["task_starts"]) for row in gaps)
        told = f"longest gap {span(longest)}; {plural(len(gaps), 'gap')}, {plural(restarts, 'restart')}"
        yield (
            name,
            told,
            _distance(gaps),
            "silent" if longest >= _LEAST_SILENCE_S else "short gaps",
            _HALF_MINUTE,
        )


def _is_gap(row: Row) -> bool:
    """Longer than heartbeats are usually apart, and not merely a time without metrics."""
    is_seen = row["seen_minutes"] or row["frozen_looks"] or row["starts_told"]
    return bool(is_seen and row["gap_s"] >= _LEAST_RATIO * row["usual_gap_s"])


def _distance(gaps: Sequence[Row]) -> str:
    return f"heard each {span(max(row['usual_gap_s'] for row in gaps))}" if gaps else ""


def _parsing(answers: Mapping[str, Answer], judgement: Judgement, week: Week) -> Iterator[Line]:
    name, common = "Slowest file to parse", "30 s: that is the limit itself, the DAGs are gone by then"
    files = [
        row
        for row in rows_of(answers, "parse_time_by_file")
        if row["samples"] and row["source"] != "task_log"
    ]
    if not files:
        files = [row for row in rows_of(answers, "parse_time_by_file") if row["samples"]]
    if not files:
        yield blind(name, "no parse times (metrics, dag-processor's log, API, or task logs of 3.3)", common)
        return
    worst = max(files, key=lambda row: (row["p95_s"], row["dag_file"]))
    told = next(iter(rows_of(answers, "parse_settings")), {})
    name_of = "import_timeout_s"
    if (told.get("processor_timeout_s") or 50.0) < (told.get("import_timeout_s") or 30.0):
        name_of = "processor_timeout_s"  # it ends the parse first, without a word
    limit = told.get(name_of) or _LIMITS_S[name_of]
    past = [
        row["p95_s"]
        for row in rows_of(answers, "parse_time_by_week")
        if row["week"] != week.monday
        and (row["source"], row["dag_file"]) == (worst["source"], worst["dag_file"])
    ]
    usual = f"{seconds(median(past))}, {plural(len(past), 'week')}" if past else "no data"
    codes = sorted(
        {
            one.code
            for one in judgement.findings
            if one.code in ("WS201", "WS202") and one.subject.get("dag_file") == worst["dag_file"]
        }
    )
    assumed = "" if told.get(name_of) else ", assumed"
    this = f"{clean(str(worst['dag_file']), 60)}: {seconds(worst['p95_s'])} (95th percentile), {share(worst['p95_s'] / limit)} of the {number(limit)} s limit{assumed}"
    judged = ", ".join(codes)
    if not judged and worst["samples"] < _LEAST_PARSES:
        judged = f"not judged: {plural(worst['samples'], 'parse')}"
    elif not judged:
        judged = "no step, not near the limit" if past else "not near the limit; no earlier week to compare"
    yield name, this, usual, judged, common


def _queues(answers: Mapping[str, Answer]) -> Iterator[Line]:
    """By the first of the sources that can be judged; each row names its own."""
    for measure, (name, noun, missing) in _QUEUES.items():
        rows = [row for row in rows_of(answers, "queue_trends") if row["measure"] == measure]
        if not rows:
            yield blind(name, missing, _GROWING)
        best = min((row["p_value"] is None, _SOURCES.index(row["source"])) for row in rows) if rows else None
        for row in rows:
            if (row["p_value"] is None, _SOURCES.index(row["source"])) == best:
                yield _queue(row, name, noun)


def _queue(row: Row, name: str, noun: str) -> Line:
    name = f"{name}, {clean(row['executor'], 40)}" if row["executor"] else name
    this = f"{number(row['depth'])} {noun}, mean of {plural(row['hours'], 'hour')} {_TOLD_BY[row['source']]}"
    if row["p_value"] is None:
        return name, this, "no data", "not judged: no earlier week", _GROWING
    is_growing = row["p_value"] < ALPHA and row["day_ratio"] >= _LEAST_GROWTH
    slope = f"{row['day_ratio'] - 1:+.0%} a day".replace("%", " %")
    judged = f"{'growing' if is_growing else 'no trend'} ({slope}, by luck in {chance(row['p_value'])})"
    return name, this, f"{number(row['depth_usual'])} {noun}", judged, _GROWING


def _pools(answers: Mapping[str, Answer]) -> Iterator[Line]:
    name, common = "Fullest pool", "80 % in use: a mean hides the hours in which it is full"
    known = [row for row in rows_of(answers, "pools_of_week") if row["full_share"] is not None]
    if not known:
        yield blind(name, "no pool gauges, and no queue times by API, database or scheduler log", common)
        return
    worst = max(known, key=lambda row: (row["full_share"], row["wait_hours"] or 0.0, row["pool"]))
    waited = (
        "waiting not told"
        if worst["wait_hours"] is None
        else f"{number(worst['wait_hours'])} task-hours waited"
    )
    this = f"{clean(worst['pool'], 40)}: full in {share(worst['full_share'])} of its busy hours, {waited}, by {worst['source']}"
    before = [one for one in worst["hours_by_week"][:-1] if one is not None]
    usual = f"{number(median(before))} task-hours, {plural(len(before), 'week')}" if before else "no data"
    by = worst["weeks_source"]
    if before and by != worst["source"]:
        usual = f"{usual}, by {by}"
    yield name, this, usual, "WS301 judges each pool", common
