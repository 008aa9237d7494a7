"""The story: the stages in order, for one deployment and one week. Where one stage's output meets the next's input."""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from windsock import __version__, checks, publish, resources
from windsock.compare import Comparison, Try, compare, newest_failures, rows_for, with_differences
from windsock.config import Config
from windsock.config import load as load_config
from windsock.errors import ConfigError, QuestionError, SourceError
from windsock.findings import RULES, judge_all, validate_thresholds
from windsock.findings.log_bill import log_bill_answers
from windsock.findings.pools.what_if import QUESTIONS as POOL_QUESTIONS
from windsock.findings.pools.what_if import what_if_pool as replay_pool
from windsock.findings.queue_trend import queue_trends
from windsock.findings.settings import ANSWERS as SETTINGS_ANSWERS
from windsock.findings.settings import QUESTIONS as SETTINGS_QUESTIONS
from windsock.findings.settings import settings_answers
from windsock.findings.upgrades import meanings_answer
from windsock.findings.waiting import ANSWERS as WAITING_ANSWERS
from windsock.findings.waiting import QUESTIONS as WAITING_QUESTIONS
from windsock.findings.waiting import TYPES as WAITING_TYPES
from windsock.findings.waiting import waiting_answers
from windsock.findings.why import QUESTIONS as WHY_QUESTIONS
from windsock.findings.why import TOTALS as WHY_TOTALS
from windsock.findings.why import Case
from windsock.findings.why import totals as why_totals
from windsock.lake import Lake
from windsock.model import Answer, Judgement, Row
from windsock.one_case import Explained
from windsock.one_case import explained as explained_case
from windsock.output import Output
from windsock.publish import Written, dispatch
from windsock.pull import listing_told, open_lake, pull, reshard
from windsock.questions import Question, answer_as_arrow, ask_sql, load_questions, rows_as_arrow
from windsock.questions import ask as ask_question
from windsock.reviewed.known_issues import explained, load_known_issues
from windsock.reviewed.log_prices import LogPrices, load_list_prices, own_prices
from windsock.reviewed.meanings import load_meanings
from windsock.reviewed.metric_gaps import gaps_of, load_metric_gaps
from windsock.reviewed.settings import load_settings
from windsock.reviewed.tested import load_tested
from windsock.single_logs import PARSE_COLUMNS, parse_files
from windsock.week import Week

__all__ = ["PARSE_COLUMNS", "open_lake", "parse_files", "pull", "reshard"]
T = TypeVar("T")


def load(path: Path) -> Config:
    """A pipeline file, its overrides of rules and checks held against those that exist."""
    config = load_config(path)
    try:
        validate_thresholds(config.pipeline.findings)
        checks.validate_shares(config.pipeline.checks)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    return config


def _on_lake(config: Config, week: Week, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
    """`work` on the lake's views with the pipeline's scope set, while the lake stands still."""
    return open_lake(config).read(
        week,
        work,
        exclude=config.pipeline.scope.exclude,
        quiet=config.quiet,
        renamed=config.renamed,
        owners=config.pipeline.owners,
    )


def check(config: Config, *, week: Week, output: Output) -> checks.CheckReport:
    """Stop with status 2 when the week's data are not fit to judge."""
    found = _on_lake(config, week, lambda conn: checks.check(conn, week=week, shares=config.pipeline.checks))
    for broken in found.warnings:
        output.say(f"warning: {broken.sentence()}")
    found.raise_for_failures(config.url(config.pipeline.lake.url))
    output.say(f"{found.checked} checks passed for week {week}, {len(found.warnings)} warnings")
    return found


def questions() -> dict[str, Question]:
    """All questions of sql/, by name."""
    return load_questions(resources.folder("sql"))


def titles() -> list[Row]:
    """What can be asked: question, family, title. Answers made of several stand in the family of what they are made of."""
    told = [{"question": one.name, "family": one.family, "title": one.title} for one in questions().values()]
    made = [
        {"question": name, "family": "waiting", "title": title} for name, title in WAITING_ANSWERS.items()
    ]
    return sorted(told + made, key=lambda one: (one["family"], one["question"]))


def _question(name: str) -> Question:
    known = questions()
    if name in WAITING_ANSWERS:
        raise QuestionError(
            f"{name} is made of {', '.join(WAITING_QUESTIONS)}; each of them is one statement of SQL"
        )
    if name not in known:
        near = difflib.get_close_matches(name, [*known, *WAITING_ANSWERS], n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise QuestionError(f"no question {name!r}; {hint}`windsock ask --list` shows all")
    return known[name]


def ask(config: Config, *, question: str, sql: str, week: Week) -> Answer:
    """One question of sql/, an answer made of several (why tasks waited, settings), or ad-hoc SQL over the lake's views."""
    if question in WAITING_ANSWERS:
        return waiting_answers(_asked(config, WAITING_QUESTIONS, week), week)[question]
    if question == WHY_TOTALS:
        names = {*WHY_QUESTIONS, *WAITING_QUESTIONS} - set(WAITING_ANSWERS)
        asked = _asked(config, sorted(names), week)
        return why_totals(asked | waiting_answers(asked, week), exclude=config.pipeline.scope.exclude)
    if question in SETTINGS_ANSWERS:
        asked = _asked(config, tuple(dict.fromkeys((*WAITING_QUESTIONS, *SETTINGS_QUESTIONS))), week)
        return _settings(asked | waiting_answers(asked, week))[question]
    chosen = _question(question) if question else None
    return _on_lake(config, week, lambda conn: ask_question(conn, chosen) if chosen else ask_sql(conn, sql))


def ask_arrow(config: Config, *, question: str, sql: str, week: Week) -> Any:
    """The same answer as an Arrow table, with the types that DuckDB gave it."""
    if question in WAITING_ANSWERS:
        return rows_as_arrow(ask(config, question=question, sql="", week=week), WAITING_TYPES)
    chosen = _question(question) if question else None
    return _on_lake(
        config,
        week,
        lambda conn: answer_as_arrow(conn, chosen.sql if chosen else sql, name=question or "sql"),
    )


def printable_sql(config: Config, *, question: str, sql: str, week: Week) -> str:
    """Variables, views and question as one text that the duckdb command line runs."""
    text = _question(question).sql if question else sql
    views = (resources.folder("sql") / "lake.sql").read_text(encoding="utf-8")
    url = config.url(config.pipeline.lake.url)
    quoted = url.removeprefix("file://").replace("'", "''")
    head = f"set variable lake = '{quoted}';\nset variable week_start = date '{week.monday}';\n"
    head += _scope_variables(config)
    return f"{head}{views}\n{text.rstrip().removesuffix(';')};"


def _scope_variables(config: Config) -> str:
    """`[scope]` and `[owners]` as `lake.sql` reads it; nothing when it is empty."""
    quoted = ["'" + one.replace("'", "''") + "'" for one in config.pipeline.scope.exclude]
    head = f"set variable exclude = [{', '.join(quoted)}];\n" if quoted else ""
    owners = config.pipeline.owners
    for name, names in (
        ("renamed_from", list(config.renamed)),
        ("renamed_to", list(config.renamed.values())),
        ("owner_patterns", list(owners)),
        ("owner_names", list(owners.values())),
    ):
        if names:
            told = ", ".join("'" + one.replace("'", "''") + "'" for one in names)
            head += f"set variable {name} = [{told}];\n"
    if config.quiet:
        for name, place in (("quiet_from", 0), ("quiet_until", 1)):
            ends = ", ".join(f"timestamptz '{window[place].isoformat()}'" for window in config.quiet)
            head += f"set variable {name} = [{ends}];\n"
    return head


def judge_week(
    config: Config, *, week: Week, output: Output
) -> tuple[Judgement, publish.Material, dict[str, Any]]:
    """Check, ask every question, judge: the material of the report."""
    lake = open_lake(config)

    def measure(conn: Any) -> tuple[checks.CheckReport, dict[str, Answer], Sequence[Row]]:
        checked = checks.check(conn, week=week, shares=config.pipeline.checks)
        checked.raise_for_failures(config.url(config.pipeline.lake.url))
        Lake.keep_tries(conn)
        names = ask_sql(conn, _NAMES).rows if config.pipeline.report.hash_ids else ()
        return checked, {name: ask_question(conn, one) for name, one in questions().items()}, names

    checked, answers, names = _on_lake(config, week, measure)
    answers["data_checks"] = _check_answer(checked)
    answers["pool_bounds"] = _pool_bounds(config)
    answers["known_issues"] = _known_issues(answers)
    answers["metric_gaps"] = _metric_gaps(answers)
    answers["tested"] = _tested()
    answers |= waiting_answers(answers, week)
    answers[WHY_TOTALS] = why_totals(answers, exclude=config.pipeline.scope.exclude)
    answers |= _settings(answers)
    answers["queue_trends"] = queue_trends(answers)
    answers["meanings_of_upgrade"] = meanings_answer(answers, load_meanings(resources.folder("sql")))
    answers |= log_bill_answers(answers, _log_prices(config))
    shown = publish.material(
        config, answers, store=lake.store, names=[value for row in names for value in row.values() if value]
    )
    judgement = judge_all(
        shown.answers, week=week, thresholds=config.pipeline.findings, exclude=shown.exclude
    )
    trust = {
        "checks": checked.checked,
        "check_warnings": len(checked.warnings),
        "version": __version__,
        "listing": listing_told(lake),
        "scope": _scope(config),
    }
    return judgement, shown, trust


_NAMES = """select distinct unnest([dag_id, task_id, hostname]) as name
from task_tries where week = report_week()"""
"""Names that may stand in log text, where they must not leave."""


def _scope(config: Config) -> dict[str, Any]:
    """What was read and stored but not judged, with the reasons given."""
    quiet = [
        {"from": window.from_at, "until": window.until_at, "reason": window.reason}
        for window in config.pipeline.scope.quiet
    ]
    patterns = list(config.pipeline.scope.exclude)
    if config.pipeline.report.hash_ids:  # patterns are names, too
        patterns = ["hidden"] * len(patterns)
    renamed = (
        [] if config.pipeline.report.hash_ids else [f"{new} was {old}" for old, new in config.renamed.items()]
    )
    return {"exclude": patterns, "quiet": quiet, "renamed": renamed}


def _pool_bounds(config: Config) -> Answer:
    """`[pools.NAME]` in the shape that rules read."""
    rows: list[Row] = [
        {"pool": name, "max_slots": pool.max_slots, "protects": pool.protects}
        for name, pool in config.pipeline.pools.items()
    ]
    return Answer("pool_bounds", ("pool", "max_slots", "protects"), tuple(rows))


def _settings(answers: Mapping[str, Answer]) -> dict[str, Answer]:
    """Airflow's settings with their use, by the reviewed table."""
    return settings_answers(answers, load_settings(resources.folder("sql")))


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


def _check_answer(report: checks.CheckReport) -> Answer:
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


def report(config: Config, *, week: Week, output: Output, out: Path | None = None) -> Written:
    """Judge the week and write the four files, all or none."""
    judgement, shown, trust = judge_week(config, week=week, output=output)
    if config.pipeline.report.samples and not config.pipeline.report.hash_ids:
        rows = _on_lake(config, week, lambda conn: newest_failures(conn, judgement.findings))
        judgement = replace(judgement, findings=with_differences(config, judgement.findings, rows))
    store = open_lake(config).store
    return publish.write(config, judgement, shown, trust, week=week, store=store, output=output, out=out)


def diff(config: Config, *, wanted: Try, week: Week) -> Comparison:
    """A failed try's log against the good logs of its task."""
    rows = _on_lake(config, week, lambda conn: rows_for(conn, wanted))
    if not rows:
        raise SourceError(
            f"no log of {wanted.dag_id}.{wanted.task_id} in run {wanted.run_id} among the weeks up to {week}; "
            "check the names with `windsock ask error_samples`, or name another --week"
        )
    return compare(config, rows)


def why(config: Config, *, case: Case, week: Week) -> Explained:
    """Why a DAG, a task or a run does not run, as far as the lake can tell."""
    return _on_lake(config, week, lambda conn: explained_case(conn, case, week=week, questions=questions()))


def what_if_pool(config: Config, *, pool: str, slots: Sequence[int], week: Week) -> dict[str, Any]:
    """Replay the week's tasks through a pool at other sizes."""
    bound = config.pipeline.pools.get(pool)
    return replay_pool(
        _asked(config, POOL_QUESTIONS, week),
        pool=pool,
        slots=slots,
        week=week,
        max_slots=bound.max_slots if bound else None,
        protects=bound.protects if bound else "",
    )


def _asked(config: Config, names: Sequence[str], week: Week) -> dict[str, Answer]:
    return _on_lake(config, week, lambda conn: {name: ask_question(conn, _question(name)) for name in names})


def explain(code: str) -> str:
    """A rule's own words: what it means, how it is judged, what to do."""
    issues = load_known_issues(resources.folder("sql"))
    for rule in RULES:
        if rule.code == code.upper():
            names = ", ".join(one.name for one in issues) if rule.code == "WS115" else ""
            return f"{rule.code} {rule.name}\n\n{rule.explanation()}" + (
                names and f"\n\nKnown issues: {names}"
            )
    for issue in issues:
        if issue.name == code.lower():
            return explained(issue)
    known = ", ".join(rule.code for rule in RULES)
    raise ConfigError(f"{code or 'no code given'}: neither a finding nor a known issue; findings are {known}")


def send(
    configs: Sequence[Config], *, week: Week, now: datetime, again: bool = False, dry_run: bool = False
) -> list[str]:
    """Deliver finished reports; several deployments of one target go as one message."""
    return dispatch.send(
        configs,
        week=week,
        now=now,
        sleep=time.sleep,
        lake_of=lambda config: open_lake(config).store,
        again=again,
        dry_run=dry_run,
    )
