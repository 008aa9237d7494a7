"""WS902."""

from collections.abc import Mapping
from typing import Any

from windsock.findings.rule import Rule, Verdicts, rows_of
from windsock.model import Answer
from windsock.week import Week


class CheckWarning(Rule):
    """A data check gave a warning.

    What it means: some rows of the lake look wrong, too few to stop the report.
    How it is judged: by the data checks (`windsock check`), before anything else.
    What to do: look at the example rows; `windsock pull --reread` reads their objects again.
    """

    code, name, section = "WS902", "check-warning", "trust"
    questions = ("data_checks",)

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        rows = rows_of(answers, "data_checks")
        verdicts = Verdicts(judged=len(rows))
        for row in rows:
            verdicts.findings.append(
                cls.finding(
                    subject={"check_name": row["check_name"]},
                    severity="watch",
                    headline=f"Data check: {row['sentence']}",
                    evidence={"bad_rows": row["bad_rows"], "row_count": row["row_count"]},
                    advice="Look at the example rows.",
                    rank=0.1,
                )
            )
        return verdicts
