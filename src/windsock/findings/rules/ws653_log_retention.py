"""WS653."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When keeping logs costs enough to decide how long."""

    min_month_cost: float = threshold(
        20.0, "currency a month, saved by 90 days beside a year", "less does not pay for the talk about it"
    )
    min_known_days: float = threshold(14, "days of logs seen", "fewer do not tell a rate")


class LogRetention(Rule):
    """Task logs are written at a rate at which it pays to decide how long they are kept.

    What it means: nothing in Airflow deletes remote logs; without a rule of the bucket they are paid for each month, for ever.
    How it is judged: bytes per week over the days that the ledger knows, times the price of a gigabyte and month (`[log_bill]`,
    else a list price): what logs of a year cost a month, beside 90 and 30 days. Whether a rule of the bucket deletes them
    already cannot be seen: the ledger keeps what was read, and looks back nine weeks.
    What to do: see the bucket's lifecycle rules; expire the logs' prefix after as many days as anybody reads back. The lake
    keeps its own rows, whatever is deleted.
    """

    code, name, section = "WS653", "log-retention", "logs"
    questions = ("log_bytes_by_day",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        rows = {row["keep_days"]: row for row in rows_of(answers, "log_retention")}
        prices = rows_of(answers, "log_prices")
        if not rows or not prices:
            return verdicts
        month, quarter, price = rows[30], rows[90], prices[0]
        if month["known_days"] < limits.min_known_days:
            verdicts.not_enough += 1
            return verdicts
        verdicts.judged += 1
        saved = quarter["month_cost_year"] - quarter["month_cost"]
        if saved < limits.min_month_cost:
            return verdicts
        currency = price["currency"]
        of = "list price, estimate" if price["is_list_price"] else "estimate"
        year, ninety, thirty = (
            wording.money(one, currency)
            for one in (quarter["month_cost_year"], quarter["month_cost"], month["month_cost"])
        )
        verdicts.findings.append(
            cls.finding(
                subject={"input": "task_logs"},
                severity="info",
                headline=f"A year of task logs would cost about {year} a month to keep; 90 days {ninety}, 30 days {thirty} ({of})",
                evidence={
                    "week_bytes": quarter["week_bytes"],
                    "known_days": quarter["known_days"],
                    "older_than_30_days_bytes": month["older_bytes"],
                    "older_than_90_days_bytes": quarter["older_bytes"],
                    "storage_gb_month": price["storage_gb_month"],
                    "currency": currency,
                    "price_source": price["source"],
                    "price_as_of": price["as_of"] or None,
                    "estimate": True,
                },
                advice="See whether the bucket expires them already; else add a lifecycle rule to the logs' prefix. "
                "What nobody reads back after 30 days need not be kept; the lake keeps its own rows.",
                rank=float(saved),
            )
        )
        return verdicts
