"""Health indicators as one table: what operators look at by hand, each against its own past, and why the fixed numbers
that go round mislead. What is not seen says so, and what would show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from statistics import median

from windsock.intervals import wilson
from windsock.model import Answer, Judgement, Row
from windsock.report.formats import chance, clean, interval, number, plural, seconds, share, span
from windsock.report.marks import ALPHA, rate_moved
from windsock.report.page import Cell, Table
from windsock.week import Week

TITLE = "Each against its own past; the last column holds the fixed numbers in use, and why not to trust them"
COLUMNS = ("Indicator", "This week", "Usual", "Judged", "Common threshold")
_BEATS = {"scheduler": "scheduler", "triggerer": "triggerer", "dag_processor": "dag-processor"}
_LEAST_SILENCE_S, _LEAST_RATIO = 300.0, 3.0  # as WS530: snapshots of every ten minutes are no gaps
_HALF_MINUTE = "30 s: a restart takes longer, and metrics hold one value a minute"
_Line = tuple[str, str, str, str, str]


def health_table(answers: Mapping[str, Answer], judgement: Judgement, week: Week) -> Table:
    """Always the same rows; each says what was seen, or that nothing was and what is missing."""
    lines = (
        *_alive(answers),
        *_parsing(answers, judgement, week),
        *_queues(answers),
        *_rates(answers, week),
        *_lateness(answers),
    )
    rows = tuple(tuple(Cell(text) for text in line) for line in lines)
    return Table(TITLE, COLUMNS, rows, 0, "heartbeat_gaps")


def _rows(answers: Mapping[str, Answer], name: str) -> Sequence[Row]:
    return answers[name].rows if name in answers else ()


def _blind(name: str, why: str, common: str) -> _Line:
    return name, "no data", "", f"not judged: {why}", common


def _alive(answers: Mapping[str, Answer]) -> Iterator[_Line]:
    heard = {row["component"]: row for row in _rows(answers, "heartbeats_by_component")}
    for component, called in _BEATS.items():
        name = f"{called.capitalize()} alive"
        mine = [row for row in _rows(answers, "heartbeat_gaps") if row["component"] == component]
        gaps = [row for row in mine if _is_gap(row)]
        if component not in heard and not gaps:
            yield _blind(name, "no heartbeat in the metrics ([sources.metrics])", _HALF_MINUTE)
            continue
        if not gaps:
            beats = f"heard in {number(heard[component]['seen_minutes'])} minutes; no gap"
            yield name, beats, _distance(mine), "alive", _HALF_MINUTE
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


def _parsing(answers: Mapping[str, Answer], judgement: Judgement, week: Week) -> Iterator[_Line]:
    name, common = "Slowest file to parse", "30 s: that is the limit itself, the DAGs are gone by then"
    files = [
        row for row in _rows(answers, "parse_time_by_file") if row["samples"] and row["source"] != "task_log"
    ]
    if not files:
        files = [row for row in _rows(answers, "parse_time_by_file") if row["samples"]]
    if not files:
        yield _blind(name, "no parse times (metrics, dag-processor's log, API, or task logs of 3.3)", common)
        return
    worst = max(files, key=lambda row: (row["p95_s"], row["dag_file"]))
    told = next(iter(_rows(answers, "parse_settings")), {})
    limit = told.get("import_timeout_s") or 30.0
    past = [
        row["p95_s"]
        for row in _rows(answers, "parse_time_by_week")
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
    assumed = "" if told.get("import_timeout_s") else ", assumed"
    this = f"{clean(str(worst['dag_file']), 60)}: {seconds(worst['p95_s'])} (95th percentile), {share(worst['p95_s'] / limit)} of the {number(limit)} s limit{assumed}"
    yield name, this, usual, ", ".join(codes) if codes else "no step, not near the limit", common


def _queues(answers: Mapping[str, Answer]) -> Iterator[_Line]:
    common = "'growing': it does so on every batch day; here by slope against the same weekday and hour"
    trends = _rows(answers, "queue_trends")
    if not trends:
        yield _blind("Queue depth", "no executor gauges in the metrics ([sources.metrics])", common)
    for row in trends:
        name = f"Queue depth, {clean(row['executor'], 40)}" if row["executor"] else "Queue depth"
        if row["queued_mean"] is None:
            yield _blind(name, "the gauges name no queued tasks", common)
            continue
        this = f"{number(row['queued_mean'])} tasks queued, mean of {plural(row['hours'], 'hour')}"
        if row["p_value"] is None:
            yield name, this, "no data", "not judged: no earlier week", common
            continue
        is_growing = row["p_value"] < ALPHA and row["day_ratio"] > 1
        slope = f"{row['day_ratio'] - 1:+.0%} a day".replace("%", " %")
        judged = f"{'growing' if is_growing else 'no trend'} ({slope}, by luck in {chance(row['p_value'])})"
        yield name, this, f"{number(row['queued_usual'])} tasks", judged, common


def _rates(answers: Mapping[str, Answer], week: Week) -> Iterator[_Line]:
    weeks = {row["week"]: row for row in _rows(answers, "scoreboard")}
    days: list[date] = [week.minus(n).monday for n in range(8, -1, -1)]
    first = [_pair(weeks.get(day), "first_try_failed_runs", "runs") for day in days]
    retried = [_pair(weeks.get(day), "failures", "tries") for day in days]
    lost = [_pair(weeks.get(day), "lost_runs", "runs") for day in days]
    common = (
        "10 %: of 7 runs 1 is 14 %, and may be 0.4 to 58 %",
        "one number for all three hides what retries save",
        "5 %: an hourly DAG loses 8 of its 168 runs a week below it",
    )
    names = ("Runs with a failed first try", "Tries that failed", "Runs lost after retries")
    for name, counts, misleads in zip(names, (first, retried, lost), common, strict=True):
        now = counts[-1]
        if now is None or not now[1]:
            yield _blind(name, "no task logs and no tries from API or database", misleads)
            continue
        past = [k / n for k, n in (one for one in counts[:-1] if one) if n]
        this = f"{number(now[0])} of {number(now[1])}, {share(now[0] / now[1])} ({interval(*wilson(*now))})"
        sign, p = rate_moved(counts)
        judged = (
            "no change" if p >= ALPHA else f"{'higher' if sign > 0 else 'lower'} (by luck in {chance(p)})"
        )
        usual = f"{share(median(past))}, {plural(len(past), 'week')}" if past else "no data"
        yield name, this, usual, judged if len(past) >= 4 else "not judged: fewer than four weeks", misleads


def _pair(row: Row | None, part: str, whole: str) -> tuple[int, int] | None:
    return (int(row[part]), int(row[whole])) if row else None


def _lateness(answers: Mapping[str, Answer]) -> Iterator[_Line]:
    name, common = "Runs that finish late", "the deadline alone: it says nothing until it is missed"
    finishes = [
        row for row in _rows(answers, "run_finishes") if row["runs"] and row["p95_prev_s"] is not None
    ]
    missed = [row for row in _rows(answers, "deadlines_missed") if row["samples"]]
    if not finishes and not missed:
        yield _blind(name, "no earlier week to know when runs are due", common)
        return
    late, runs = sum(row["late_runs"] for row in finishes), sum(row["runs"] for row in finishes)
    told = [f"{number(late)} of {number(runs)} after the 95th percentile of their own past"] if runs else []
    told += [f"{number(sum(row['missed'] for row in missed))} deadlines missed"] if missed else []
    low, _high = wilson(late, runs) if runs else (0.0, 0.0)
    yield name, "; ".join(told), "5 % by definition", "more than usual" if low > 0.05 else "as usual", common
