"""Answers that no SQL gives alone: made of several questions, of the pipeline file, or of reviewed tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from windsock import checks, resources
from windsock.config import Config
from windsock.findings import log_bill, settings, waiting, why
from windsock.findings.log_bill import log_bill_answers
from windsock.findings.pools import week as pool_week
from windsock.findings.pools.bounds import BOUNDS, pool_bounds
from windsock.findings.pools.week import pools_of_week
from windsock.findings.queue_trend import queue_trends
from windsock.findings.settings import settings_answers
from windsock.findings.upgrades import meanings_answer
from windsock.findings.waiting import WaitingWeek, waiting_answers, waiting_trends
from windsock.model import Answer, Row
from windsock.reviewed.known_issues import load_known_issues
from windsock.reviewed.log_prices import LogPrices, load_list_prices, own_prices
from windsock.reviewed.meanings import load_meanings
from windsock.reviewed.metric_gaps import gaps_of, load_metric_gaps
from windsock.reviewed.settings import load_settings
from windsock.reviewed.tested import load_tested
from windsock.week import Week

_OF_WAITING = waiting.QUESTIONS
_OF_WHY = tuple(sorted({*why.QUESTIONS, *_OF_WAITING} - set(waiting.ANSWERS)))
_OF_SETTINGS = tuple(dict.fromkeys((*_OF_WAITING, *settings.QUESTIONS)))

ASKED: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    **{name: ("waiting", title, _OF_WAITING) for name, title in waiting.ANSWERS.items()},
    waiting.TRENDS: ("waiting", waiting.TITLE, _OF_WAITING),
    pool_week.NAME: ("pools", pool_week.TITLE, (*_OF_WAITING, *pool_week.QUESTIONS)),
    "queue_trends": (
        "waiting",
        "Does the queue grow, or the backlog before it, against the same hours of earlier weeks?",
        ("queue_depth_by_hour",),
    ),
    why.TOTALS: ("why", "Why did DAGs and tasks not run this week, cause by cause?", _OF_WHY),
    **{name: ("log_bill", title, log_bill.QUESTIONS) for name, title in log_bill.ANSWERS.items()},
    "settings_of_week": (
        "settings",
        "Which of Airflow's settings hold, who tells them, and how did the week stand against them?",
        _OF_SETTINGS,
    ),
    "settings_unread": (
        "settings",
        "Which settings stand under names that this version of Airflow does not read?",
        _OF_SETTINGS,
    ),
}
"""Those that `windsock ask` knows beside the questions: name → family, title, the questions they are made of."""


COMPARED = (waiting.TRENDS, pool_week.NAME)
"""Those that need the waiting of the weeks before."""


def made_answer(
    name: str, config: Config, asked: Mapping[str, Answer], week: Week, *, past: Sequence[WaitingWeek] = ()
) -> Answer:
    """One of `ASKED`, from the answers of its questions; `past` are the weeks before, for those that compare weeks."""
    if name == "queue_trends":
        return queue_trends(asked)
    if name in log_bill.ANSWERS:
        return log_bill_answers(asked, _log_prices(config))[name]
    waited = waiting_answers(asked, week)
    if name in COMPARED:
        told = {**asked, **waited, waiting.TRENDS: waiting_trends([*past, WaitingWeek.of(asked, waited)])}
        return told[name] if name in told else pools_of_week(told, week)
    if name in waited:
        return waited[name]
    if name == why.TOTALS:
        given = {**asked, **waited, why.THRESHOLDS: why.thresholds_answer(config.pipeline.findings)}
        return why.totals(given, exclude=config.pipeline.scope.exclude)
    return settings_answers({**asked, **waited}, load_settings(resources.folder("sql")))[name]


def made_answers(
    config: Config,
    asked: Mapping[str, Answer],
    checked: checks.CheckReport,
    week: Week,
    *,
    past: Sequence[WaitingWeek] = (),
) -> dict[str, Answer]:
    """All that rules and page read beside the questions, each from what stands before it."""
    sql = resources.folder("sql")
    answers = dict(asked)
    answers["data_checks"] = _data_checks(checked)
    answers[BOUNDS] = pool_bounds(config.pipeline.pools)
    answers["known_issues"] = _known_issues(answers)
    answers["metric_gaps"] = _metric_gaps(answers)
    answers["tested"] = _tested()
    answers |= waiting_answers(answers, week)
    answers[why.THRESHOLDS] = why.thresholds_answer(config.pipeline.findings)
    answers[waiting.TRENDS] = waiting_trends([*past, WaitingWeek.of(answers, answers)])
    answers[pool_week.NAME] = pools_of_week(answers, week)
    answers[why.TOTALS] = why.totals(answers, exclude=config.pipeline.scope.exclude)
    answers |= settings_answers(answers, load_settings(sql))
    answers["queue_trends"] = queue_trends(answers)
    answers["meanings_of_upgrade"] = meanings_answer(answers, load_meanings(sql))
    answers |= log_bill_answers(answers, _log_prices(config))
    return {name: one for name, one in answers.items() if name not in asked or one is not asked[name]}


def _log_prices(config: Config) -> LogPrices | None:
    """What the task logs' bucket costs: `[log_bill]` over the list prices of its kind; None for a folder without."""
    logs, own = config.pipeline.sources.task_logs, config.pipeline.log_bill
    schemes = [url.partition("://")[0] for url in config.urls(logs.url)] if logs else []
    known = load_list_prices(resources.folder("sql"))
    listed = next((known[one] for one in schemes if one in known), None)
    return own_prices(
        listed,
        storage_gb_month=own.storage_gb_month,
        put_1000=own.put_1000,
        get_1000=own.get_1000,
        currency=own.currency,
    )


def _metric_gaps(answers: Mapping[str, Answer]) -> Answer:
    """What the metrics of this deployment's Airflow are known to miss; no rows where its version is not told."""
    version = next((str(row["airflow_version"] or "") for row in answers["parse_settings"].rows), "")
    if not version and answers["worker_parse_tax_by_file"].rows:
        version = "3.3 or newer"  # older ones do not say in their task logs how long the file took to parse
    rows: list[Row] = [
        {"airflow_version": version, "metric": one.metric, "gap": one.gap, "source": one.source}
        for one in gaps_of(load_metric_gaps(resources.folder("sql")), version)
    ]
    return Answer("metric_gaps", ("airflow_version", "metric", "gap", "source"), tuple(rows))


def _tested() -> Answer:
    """Versions and executors that the tests have seen, as the trust box reads them."""
    rows = tuple(asdict(one) for one in load_tested(resources.folder("sql")))
    return Answer("tested", ("kind", "name", "how", "where"), rows)


def _known_issues(answers: Mapping[str, Answer]) -> Answer:
    """Which known issues the week's messages and events carry the signs of, of those that this version can have."""
    version = next((str(row["airflow_version"] or "") for row in answers["parse_settings"].rows), "")
    columns = (
        "issue_name",
        "title",
        "issue",
        "fixed",
        "advice",
        "times",
        "dags",
        "dag_ids",
        "first_at",
        "last_at",
        "sample",
    )
    rows: list[Row] = []
    for one in load_known_issues(resources.folder("sql")):
        seen = [row for row in answers["known_issue_signs"].rows if one.is_in(str(row["said"]))]
        if not seen or not one.concerns(version):
            continue
        dag_ids = sorted({dag_id for row in seen for dag_id in row["dag_ids"]})
        told: tuple[Any, ...] = (one.name, one.title, one.issue, one.fixed, one.advice)
        times = sum(row["times"] for row in seen)
        first, last = min(row["first_at"] for row in seen), max(row["last_at"] for row in seen)
        sample = next((str(row["said"]) for row in seen if not str(row["said"]).startswith("reason:")), None)
        values = (*told, times, len(dag_ids), dag_ids, first, last, sample)
        rows.append(dict(zip(columns, values, strict=True)))
    return Answer("known_issues", columns, tuple(rows))


def _data_checks(report: checks.CheckReport) -> Answer:
    """Warnings of the checks in the shape that rules read."""
    columns = ("check_name", "table_name", "bad_rows", "row_count", "sentence")
    rows: list[Row] = [
        {
            "check_name": one.expectation.name,
            "table_name": one.expectation.table,
            "bad_rows": one.bad_rows,
            "row_count": one.rows,
            "sentence": one.sentence(),
        }
        for one in report.warnings
    ]
    return Answer("data_checks", columns, tuple(rows))
