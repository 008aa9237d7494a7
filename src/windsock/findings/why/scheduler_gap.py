"""The scheduler was silent when runs were due."""

from collections.abc import Iterator, Mapping

from windsock.findings import wording
from windsock.findings.rule import rows_of
from windsock.findings.rules.ws530_component_silent import ComponentSilent, is_silence
from windsock.findings.why.cause import Case, Cause, Count, Told, earliest, limits_of, of_dag
from windsock.findings.why.missed_runs import missing
from windsock.model import Answer, Row


class SchedulerGap(Cause):
    """Without a scheduler no run is made and no task is queued."""

    name, words, about = "scheduler gap", "The scheduler was silent", "not running"
    questions = ("heartbeat_gaps", "heartbeats_by_component", "missing_runs")
    counted_by = ("heartbeats_by_component",)
    codes = ("WS530",)

    @classmethod
    def tell(cls, case: Case, answers: Mapping[str, Answer]) -> Iterator[Told]:
        gaps = silences(answers)
        spans = [row for row in of_dag(answers, "missing_runs", case) if missing(row) > 0]
        for gap in gaps:
            meets = any(
                row["first_at"] <= gap["until_at"] and row["last_at"] >= gap["from_at"] for row in spans
            )
            yield cls.told(
                "likely" if meets else "possible",
                f"The scheduler was silent for {wording.span(gap['gap_s'])} from {wording.moment(gap['from_at'])}"
                + (f", when runs of {case.dag_id} are missing" if meets else ""),
                since=gap["from_at"],
                evidence={name: gap[name] for name in ("gap_s", "until_at", "is_over", "tries_started")},
                unknown="why it was silent: its log of that time would tell",
                next="windsock ask heartbeat_gaps",
            )

    @classmethod
    def count(cls, answers: Mapping[str, Answer]) -> Count:
        gaps = silences(answers)
        seen = any(row["component"] == "scheduler" for row in rows_of(answers, "heartbeats_by_component"))
        return Count(
            len(gaps),
            "silences",
            earliest(gaps, "from_at"),
            missing="" if seen or gaps else "metrics with the heartbeat",
        )


def silences(answers: Mapping[str, Answer]) -> list[Row]:
    """Of the scheduler, as WS530 judges them."""
    limits = limits_of(ComponentSilent, answers)
    return [
        row
        for row in rows_of(answers, "heartbeat_gaps")
        if row["component"] == "scheduler" and is_silence(row, limits)
    ]
