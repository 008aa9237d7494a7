"""How the week stood against the limits of parsing and of silence."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from windsock.findings import wording
from windsock.findings.held_settings import shown
from windsock.findings.parsing.one_pass import week_pass
from windsock.findings.rule import rows_of
from windsock.findings.settings.told import (
    AT_LIMIT,
    ENDED,
    HARMFUL,
    IN_USE,
    NO_EFFECT,
    OFF,
    UNKNOWN,
    Answers,
    Numbers,
    Use,
    against,
    hits,
    peaks,
)

QUESTIONS = ("parse_load_by_file", "parse_settings", "parse_kills_by_file", "parse_time_by_file", "heartbeats_by_component",
             "heartbeat_gaps", "killed_tries", "versions_to_first_run")  # fmt: skip


def killed_by(kind: str) -> Callable[[Numbers, Answers], Use]:
    """Of timeouts of parsing: files that it ended, else the slowest file."""
    name = {"import_timeout": "dagbag_import_timeout", "processor_timeout": "dag_file_processor_timeout"}[
        kind
    ]

    def use(held: Numbers, answers: Answers) -> Use:
        limit, other = held[name], held.get("dagbag_import_timeout")
        if kind == "processor_timeout" and limit is not None and other is not None and limit <= other:
            return HARMFUL, f"not above dagbag_import_timeout ({shown(other)} s)"
        killed = [
            row for row in rows_of(answers, "parse_kills_by_file") if row["kind"] == kind and row["kills"]
        ]
        if killed:
            return AT_LIMIT, f"ended {wording.plural(sum(row['kills'] for row in killed), 'parse')}"
        slowest = max((row["p95_s"] for row in rows_of(answers, "parse_time_by_file")), default=None)
        if slowest is None:
            return UNKNOWN, ""
        told = f"the slowest file takes {wording.seconds(slowest)} (95th percentile)"
        if limit is not None and limit <= 0:
            return OFF, f"files may take any time, {told}"
        return against(slowest, limit, told)

    return use


def interval(held: Numbers, answers: Answers) -> Use:
    whole, interval_s = week_pass(answers), held["min_file_process_interval"]
    if whole is None or interval_s is None:
        return UNKNOWN, ""
    told = f"one pass over {wording.plural(whole.files, 'file')} takes {wording.seconds(whole.cycle_s)}"
    return (NO_EFFECT if whole.cycle_s > interval_s else IN_USE), told


def processes(held: Numbers, answers: Answers) -> Use:
    whole, interval_s = week_pass(answers), held["min_file_process_interval"]
    if whole is None or interval_s is None:
        return UNKNOWN, ""
    busy = whole.parse_s / max(interval_s, whole.cycle_s)
    told = f"{busy:.1f} processes busy in the mean"
    return (AT_LIMIT, told) if whole.cycle_s > interval_s else against(busy, held["parsing_processes"], told)


SILENT_RATIO = 3.0  # as WS530 and the health table take a silence


def health(held: Numbers, answers: Answers) -> Use:
    limit, beat = held["scheduler_health_check_threshold"], held.get("scheduler_heartbeat_sec")
    if limit is not None and beat is not None and limit <= beat:
        return HARMFUL, f"not above scheduler_heartbeat_sec ({shown(beat)} s)"
    if not any(row["component"] == "scheduler" for row in rows_of(answers, "heartbeats_by_component")):
        return UNKNOWN, ""
    gaps = [
        row["gap_s"]
        for row in rows_of(answers, "heartbeat_gaps")
        if row["component"] == "scheduler"
        and row["seen_minutes"]
        # snapshots minutes apart cannot show a shorter silence than they are apart
        and row["gap_s"] > max(limit or 0, SILENT_RATIO * row["usual_gap_s"])
    ]
    if gaps:
        return AT_LIMIT, f"{wording.plural(len(gaps), 'silence')}, the longest {wording.span(max(gaps))}"
    return IN_USE, "no silence of more than a minute"


def task_heartbeat(held: Numbers, answers: Answers) -> Use:
    killed = hits(answers, "heartbeat_timeout")
    logged = sum(
        row["tries"] for row in rows_of(answers, "killed_tries") if row["state_reason"] == "heartbeat"
    )
    if killed or logged:
        return (
            ENDED,
            f"{wording.plural(max(killed, logged), 'try')} failed by it: no heartbeat came for that long",
        )
    return (IN_USE, "no try failed by it") if peaks(answers, "deployment") else (UNKNOWN, "")


def beat(held: Numbers, answers: Answers) -> Use:
    """Not the pace of the scheduler's loop, which scheduler_idle_sleep_time sets."""
    row = next(
        (row for row in rows_of(answers, "heartbeats_by_component") if row["component"] == "scheduler"), None
    )
    if row is None or not row["beats"]:
        return UNKNOWN, ""
    return (
        IN_USE,
        f"heard {wording.plural(round(row['beats']), 'time')} in {wording.plural(row['seen_minutes'], 'minute')}",
    )


def refresh(held: Numbers, answers: Answers) -> Use:
    waits = [row["wait_s"] for row in rows_of(answers, "versions_to_first_run") if row["wait_s"] is not None]
    if not waits:
        return UNKNOWN, ""
    return IN_USE, (
        f"{wording.plural(len(waits), 'new version')} ran {wording.span(median(waits))} after first sight in the median, which holds "
        "refresh, parse and the time until a run was due"
    )
