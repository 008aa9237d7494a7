"""WS612."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.how_to_set import in_environment
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.findings.settings import FROM, held_of, missing
from windsock.model import Answer
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """How far apart the two timeouts should be."""

    min_room_s: float = threshold(
        1.0, "seconds between the two timeouts", "the import must be able to end, and to be told, first"
    )
    room_s: float = threshold(20.0, "seconds", "the distance of Airflow's own defaults, 30 and 50")


class TimeoutsInWrongOrder(Rule):
    """The process that parses a file is killed before the import of the file may time out.

    What it means: a file that takes too long is killed without a word: no import error names it, its DAGs grow stale and
    vanish. `dagbag_import_timeout` has no effect in the dag-processor.
    How it is judged: `dag_file_processor_timeout` against `dagbag_import_timeout`, at least one of them told by API, database or
    a file. What was killed in the week is counted beside.
    What to do: raise the processor's timeout above the import's, or lower the import's.
    """

    code, name, section = "WS612", "timeouts-in-wrong-order", "settings"
    questions = ("settings_told", *FROM[1:], "parse_kills_by_file")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts(no_data=missing(answers))
        held = held_of(answers)
        outer, inner = held.get("dag_file_processor_timeout"), held.get("dagbag_import_timeout")
        if (
            outer is None
            or inner is None
            or not (outer.is_told or inner.is_told)
            or not (outer.value and inner.value)
        ):
            return verdicts
        verdicts.judged += 1
        if outer.value - inner.value >= limits.min_room_s:
            return verdicts
        killed = [
            row
            for row in rows_of(answers, "parse_kills_by_file")
            if row["kind"] == "processor_timeout" and row["kills"]
        ]
        kills = sum(row["kills"] for row in killed)
        told = f"; {wording.plural(kills, 'parse')} killed this week" if kills else ""
        verdicts.findings.append(
            cls.finding(
                subject={"setting": outer.setting},
                severity="warning" if kills else "watch",
                headline=f"{outer.named} ({outer.said_s}) kills a parse before {inner.named} ({inner.said_s}) can end it{told}",
                evidence={
                    "processor_timeout_s": outer.value,
                    "import_timeout_s": inner.value,
                    "kills": kills,
                    "files": [row["dag_file"] for row in killed if row["dag_file"]][:5],
                    **in_environment(answers, outer.setting, inner.value + limits.room_s),
                },
                advice=f"Set {outer.named} to {inner.value + limits.room_s:g}, {limits.room_s:g} s above the import's as in Airflow's "
                "defaults: a file that is too slow then shows as an import error. The risk: such a file holds a parsing process "
                "for that much longer.",
                rank=1.0 + kills,
            )
        )
        return verdicts
