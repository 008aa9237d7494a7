"""WS207."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

from windsock.findings import wording
from windsock.findings.held_settings import held_of
from windsock.findings.how_to_set import in_environment
from windsock.findings.parsing.files import spelled_out
from windsock.findings.parsing.one_pass import Pass, place, week_pass
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """How long is too long."""

    max_age_s: float = threshold(
        600.0, "seconds", "Airflow deactivates DAGs not seen for so long (dag_stale_not_seen_duration)"
    )
    usual_times: float = threshold(
        5.0, "times the file's usual wait", "a slow cycle that is always so is no event"
    )
    min_others: float = threshold(
        0.5,
        "fraction of the others' usual rate",
        "where nothing else was parsed either, metrics or logs are missing",
    )
    min_looks: float = threshold(20, "parses or looks", "the usual wait must be known")


class StaleParsing(Rule):
    """DAG files waited too long for their next parse.

    What it means: changes arrive late, and DAGs that are not seen for long are taken for deleted.
    How it is judged: the longest time between two parses while other files went on being parsed, or the age that the
    dag-processor itself told, against `max_age_s` and the file's own usual wait. All files of the week are one finding.
    What to do: more parsing processes, fewer or lighter files; look at the files that hold the processes longest.
    """

    code, name, section = "WS207", "stale-parsing", "parsing"
    questions = ("parse_staleness_by_file", "parse_load_by_file", "parse_settings")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        stale: dict[str, Row] = {}
        files: set[str] = set()
        rows = [_longest(row, limits) for row in rows_of(answers, "parse_staleness_by_file")]
        spelt = spelled_out(row["dag_file"] for row in rows)
        for row in sorted(rows, key=lambda r: (place(r["source"]), -r["longest_s"])):
            if row["looks"] < limits.min_looks:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            if row["dag_file"] in spelt:
                continue  # a metric's stem of a file that the logs spell out
            files.add(row["dag_file"])
            if row["longest_s"] >= max(limits.max_age_s, limits.usual_times * row["usual_s"]):
                stale.setdefault(row["dag_file"], row)
        if stale:
            verdicts.findings.append(cls._of_fleet(list(stale.values()), len(files), answers))
        return verdicts

    @classmethod
    def _of_fleet(cls, stale: Sequence[Row], files: int, answers: Mapping[str, Answer]) -> Finding:
        worst = max(stale, key=lambda row: row["longest_s"])
        whole = week_pass(answers)
        heavy = sorted(
            (row for row in rows_of(answers, "parse_load_by_file") if row["source"] != "task_log"),
            key=lambda row: -row["mean_s"],
        )
        more, how = _cure(answers, whole)
        return cls.finding(
            subject={"component": "dag-processor"},
            severity="warning",
            headline=f"{len(stale)} of {wording.plural(files, 'DAG file')} waited too long for a parse; {worst['dag_file']} "
            f"{wording.hours(worst['longest_s'] / 3600)} until {wording.moment(worst['until_at'])}",
            evidence={
                "files": sorted(row["dag_file"] for row in stale),
                "longest_s": worst["longest_s"],
                "usual_s": worst["usual_s"],
                "from_at": worst["from_at"],
                "until_at": worst["until_at"],
                "pass_s": whole.cycle_s if whole else None,
                "slowest_files": [row["dag_file"] for row in heavy[:3]],
                "source": worst["source"],
                **how,
            },
            advice=f"Look at what held the dag-processor then: a hanging import, callbacks, a starved machine; {more}.",
            rank=worst["longest_s"] / 60,
        )


def _longest(row: Row, limits: Limits) -> Row:
    """The file's longest wait in which others were parsed; one of no length where there was none."""
    waits = zip(row["waits_s"], row["others_rate"], row["untils_s"], strict=True)
    length, _, end = next((one for one in waits if one[1] >= limits.min_others), (0.0, 0.0, 0.0))
    until = datetime.fromtimestamp(end, UTC)
    return {**row, "longest_s": length, "from_at": until - timedelta(seconds=length), "until_at": until}


def _cure(answers: Mapping[str, Answer], whole: Pass | None) -> tuple[str, dict[str, str]]:
    """More processes, with the number and both ways where a pass is known to take too long for those there are."""
    processes = held_of(answers).get("parsing_processes")
    if whole is None or processes is None or whole.cycle_s <= whole.settings.interval_s:
        return "more parsing_processes shorten the queue", {}
    enough = ceil(whole.parse_s / whole.settings.interval_s)
    told = (
        f"one pass takes {wording.seconds(whole.cycle_s)} with {processes.said} of {processes.named}, and {enough} would keep "
        f"min_file_process_interval, if there are as many cores"
    )
    return told, in_environment(answers, processes.setting, enough)
