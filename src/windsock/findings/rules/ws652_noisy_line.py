"""WS652."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.log_bill import GIB, YEAR_WEEKS
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Row
from windsock.week import Week

MOST = 3  # lines told


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When one line is much of the logs."""

    min_share: float = threshold(
        0.1, "fraction of the bytes of all task logs", "below it silencing it changes little"
    )
    min_bytes: float = threshold(1e9, "bytes a week", "less costs nobody money or time")


class NoisyLine(Rule):
    """One line of log, told again and again, is a large part of all logs.

    What it means: it hides the other lines, and each copy is stored, fetched and paid for.
    How it is judged: messages with numbers, ids and times blanked, by their bytes, beside the bytes of all task logs of the
    week. Only records that the pull kept are known: with `lines = "errors"` these are errors, with `"all"` every record.
    What to do: raise the level of its logger, or log it once per task; an error that is told so often is told by nobody.
    """

    code, name, section = "WS652", "noisy-line", "logs"
    questions = ("log_templates", "log_bill_by_task")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        price = next(iter(rows_of(answers, "log_prices")), None)
        total = sum(row["kept_bytes"] for row in rows_of(answers, "log_bill_by_task"))
        verdicts = Verdicts()
        for row in rows_of(answers, "log_templates"):
            verdicts.judged += 1
            share = row["message_bytes"] / total if total else 0.0
            if (
                share < limits.min_share
                or row["message_bytes"] < limits.min_bytes
                or len(verdicts.findings) >= MOST
            ):
                continue
            of_whom = f"logger {row['logger']}" if row["logger"] else "one logger"
            verdicts.findings.append(
                cls.finding(
                    subject={"template": row["template"], "logger": row["logger"] or ""},
                    severity="info",
                    headline=f"One line of {of_whom} is {wording.percent(share)} of all task logs: "
                    f"{row['records']:,} times, {wording.size(row['message_bytes'])}",
                    evidence={
                        "template": row["template"],
                        "records": row["records"],
                        "message_bytes": row["message_bytes"],
                        "share": share,
                        "level": row["level"],
                        "dags": row["dags"],
                        "tries": row["tries"],
                        **_cost(row, price),
                    },
                    advice=f"Raise the level of {of_whom}, or log it once per task: {wording.percent(share)} of what is stored and "
                    "fetched goes with it. The risk: the line is missing when somebody looks for it; the way back is the old level.",
                    rank=float(row["message_bytes"]),
                )
            )
        return verdicts


def _cost(row: Row, price: Row | None) -> dict[str, Any]:
    """Of keeping its bytes for a year of such weeks, a month; nothing without a price."""
    if price is None:
        return {}
    gib_year = row["message_bytes"] * YEAR_WEEKS / GIB
    return {"month_cost": gib_year * price["storage_gb_month"], "currency": price["currency"]}
