"""What task logs cost: bytes and requests of the week as money a month, and what keeping fewer days would save.

A month's cost is that of a steady state: logs of a year are kept, each week like this one, so that 52 weeks of bytes are
paid for each month, with the requests of one. Nothing that this adds up is on an invoice: it compares tasks, and ways of
keeping their logs. Reading (by people, by windsock) and traffic are not in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from windsock.findings.rule import rows_of
from windsock.model import Answer, Row
from windsock.reviewed.log_prices import LogPrices

GIB = 2**30
YEAR_WEEKS, MONTHS = 52.0, 12.0
KEEP_DAYS = (30, 90)
"""Retentions that people set; each is told with what of it the ledger can see."""
PRICE_COLUMNS = ("storage_gb_month", "put_1000", "get_1000", "currency", "source", "as_of", "is_list_price")
BILL = "log_bill"
BILL_COLUMNS = ("dag_id", "task_id", "operator", "objects", "kept_bytes", "share", "written_bytes", "puts", "gets",
                "month_cost", "currency", "priced_by", "priced_as_of")  # fmt: skip
QUESTIONS = ("log_bill_by_task", "log_bytes_by_day")
ANSWERS = {
    BILL: "What do the logs of each task cost a month, and at which prices?",
    "log_bill_by_dag": "What do the logs of each DAG cost a month, and which of its tasks most of it?",
    "log_retention": "What would keeping task logs for 30 or 90 days cost, beside a year?",
}
"""Name → title of those that no SQL gives alone."""
BY_DAG_COLUMNS = ("dag_id", "tasks", "objects", "kept_bytes", "kept_bytes_prev", "share", "puts", "month_cost", "currency",
                  "dearest_task")  # fmt: skip
RETENTION_COLUMNS = ("keep_days", "older_bytes", "known_days", "week_bytes", "month_cost", "month_cost_year")


def log_bill_answers(answers: Mapping[str, Answer], prices: LogPrices | None) -> dict[str, Answer]:
    """`log_bill_by_task` with `month_cost` (null without a price), `log_bill` (the same with its prices, the dearest first),
    `log_bill_by_dag` (its sums), `log_prices` (one row, or none), `log_retention`."""
    rows: tuple[Row, ...] = ()
    if prices is not None:
        rows = ({name: getattr(prices, name) for name in PRICE_COLUMNS},)
    made = {
        "log_prices": Answer("log_prices", PRICE_COLUMNS, rows),
        "log_retention": Answer("log_retention", RETENTION_COLUMNS, tuple(_retention(answers, prices))),
    }
    if "log_bill_by_task" in answers:
        bill = answers["log_bill_by_task"]
        told = tuple({**row, "month_cost": month_cost(row, prices) if prices else None} for row in bill.rows)
        made[BILL] = _bill(told, prices)
        made["log_bill_by_dag"] = _by_dag(told, prices)
        made["log_bill_by_task"] = replace(bill, columns=(*bill.columns, "month_cost"), rows=told)
    return made


def _bill(rows: Sequence[Row], prices: LogPrices | None) -> Answer:
    """As a person asks for it. Without a price (logs in a folder, none in `[log_bill]`) the cost is null, never zero."""
    priced = {
        "currency": prices.currency if prices else None,
        "priced_by": prices.source if prices else None,
        "priced_as_of": (prices.as_of or None) if prices else None,
    }
    dearest = sorted(rows, key=lambda row: (-(row["month_cost"] or 0.0), -row["kept_bytes"]))
    told = tuple({name: {**row, **priced}[name] for name in BILL_COLUMNS} for row in dearest)
    return Answer(BILL, BILL_COLUMNS, told)


def _by_dag(rows: Sequence[Row], prices: LogPrices | None) -> Answer:
    """The sums over each DAG's tasks, the dearest DAG first; objects that name no DAG stand under an empty one."""
    dags: dict[str, list[Row]] = {}
    for row in rows:
        dags.setdefault(row["dag_id"], []).append(row)
    told = [
        {
            "dag_id": dag_id,
            "tasks": len(mine),
            **{
                name: sum(row[name] for row in mine)
                for name in ("objects", "kept_bytes", "kept_bytes_prev", "puts")
            },
            "share": sum(row["share"] or 0.0 for row in mine),
            "month_cost": sum(row["month_cost"] for row in mine) if prices else None,
            "currency": prices.currency if prices else None,
            "dearest_task": max(mine, key=lambda row: (row["month_cost"] or 0.0, row["kept_bytes"]))[
                "task_id"
            ],
        }
        for dag_id, mine in dags.items()
    ]
    told.sort(key=lambda row: (-(row["month_cost"] or 0.0), -row["kept_bytes"], row["dag_id"]))
    return Answer(
        "log_bill_by_dag", BY_DAG_COLUMNS, tuple({name: row[name] for name in BY_DAG_COLUMNS} for row in told)
    )


def month_cost(row: Row, prices: LogPrices) -> float:
    """Of one task: a year of such weeks kept, and the requests of a month."""
    requests = (row["puts"] * prices.put_1000 + row["gets"] * prices.get_1000) / 1000
    return storage_cost(row["kept_bytes"], prices) + float(requests) * YEAR_WEEKS / MONTHS


def storage_cost(week_bytes: float, prices: LogPrices, *, days: float = YEAR_WEEKS * 7) -> float:
    """A month of keeping `days` of logs, at so many bytes a week."""
    return week_bytes * days / 7 / GIB * prices.storage_gb_month


def _retention(answers: Mapping[str, Answer], prices: LogPrices | None) -> list[Row]:
    """One row per retention: what is older by the ledger, and what keeping so much would cost beside keeping a year."""
    days = rows_of(answers, "log_bytes_by_day")
    if not days:
        return []
    last, first = max(row["day"] for row in days), min(row["day"] for row in days)
    known = (last - first).days + 1
    week_bytes = sum(row["kept_bytes"] for row in days) / max(known, 7) * 7
    return [
        {
            "keep_days": keep,
            "older_bytes": sum(row["kept_bytes"] for row in days if (last - row["day"]).days >= keep)
            if known > keep
            else None,
            "known_days": known,
            "week_bytes": week_bytes,
            "month_cost": storage_cost(week_bytes, prices, days=keep) if prices else None,
            "month_cost_year": storage_cost(week_bytes, prices) if prices else None,
        }
        for keep in KEEP_DAYS
    ]
