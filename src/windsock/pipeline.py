"""The story: the stages in order, for one deployment and one week. Where one stage's output meets the next's input."""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from windsock import __version__, checks, privacy, publish, resources
from windsock.compare import Comparison, Try, compare, newest_failures, rows_for, with_differences
from windsock.config import Config
from windsock.config import load as load_config
from windsock.errors import ConfigError, QuestionError, SourceError
from windsock.findings import RULES, judge_all, validate_thresholds, waiting
from windsock.findings.pools.what_if import QUESTIONS as POOL_QUESTIONS
from windsock.findings.pools.what_if import what_if_pool as replay_pool
from windsock.findings.why import Case
from windsock.lake import Lake
from windsock.made_answers import ASKED, COMPARED, made_answer, made_answers
from windsock.model import Answer, Judgement, Row
from windsock.one_case import Explained
from windsock.one_case import explained as explained_case
from windsock.output import Output
from windsock.publish import Written, dispatch
from windsock.pull import listed_until, listing_told, open_lake, pull, reshard
from windsock.questions import Question, answer_as_arrow, ask_sql, load_questions, rows_as_arrow
from windsock.questions import ask as ask_question
from windsock.reviewed.known_issues import explained, load_known_issues
from windsock.single_logs import PARSE_COLUMNS, parse_files
from windsock.week import Week

__all__ = ["PARSE_COLUMNS", "open_lake", "parse_files", "pull", "reshard"]
T = TypeVar("T")
_Measured = tuple[
    checks.CheckReport, dict[str, Answer], dict[str, privacy.Kind], list[waiting.WaitingWeek], datetime | None
]


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
    lake = open_lake(config)
    until = listed_until(lake)

    def with_listing(conn: duckdb.DuckDBPyConnection) -> T:
        conn.execute("set variable listed_until = ?::timestamptz", [until])
        return work(conn)

    return lake.read(
        week,
        with_listing,
        exclude=config.pipeline.scope.exclude,
        quiet=config.quiet,
        renamed=config.renamed,
        tasks=config.renamed_tasks,
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
    """What can be asked: question, family, title."""
    told = [{"question": one.name, "family": one.family, "title": one.title} for one in questions().values()]
    made = [
        {"question": name, "family": family, "title": title} for name, (family, title, _of) in ASKED.items()
    ]
    return sorted(told + made, key=lambda one: (one["family"], one["question"]))


def _question(name: str) -> Question:
    known = questions()
    if name in ASKED:
        raise QuestionError(
            f"{name} is made of {', '.join(ASKED[name][2])}; each of them is one statement of SQL"
        )
    if name not in known:
        near = difflib.get_close_matches(name, [*known, *ASKED], n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise QuestionError(f"no question {name!r}; {hint}`windsock ask --list` shows all")
    return known[name]


def ask(config: Config, *, question: str, sql: str, week: Week) -> Answer:
    """One question of sql/, an answer made of several (why tasks waited, settings), or ad-hoc SQL over the lake's views."""
    if question in ASKED:
        names, is_compared = ASKED[question][2], question in COMPARED
        asked, past = _on_lake(
            config,
            week,
            lambda conn: (_all_of(conn, names), _earlier_waits(conn, week) if is_compared else ()),
        )
        return made_answer(question, config, asked, week, past=past)
    chosen = _question(question) if question else None
    return _on_lake(config, week, lambda conn: ask_question(conn, chosen) if chosen else ask_sql(conn, sql))


def ask_arrow(config: Config, *, question: str, sql: str, week: Week) -> Any:
    """The same answer as an Arrow table, with the types that DuckDB gave it."""
    if question in ASKED:
        types = waiting.TYPES if question in waiting.ANSWERS else None
        return rows_as_arrow(ask(config, question=question, sql="", week=week), types)
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
        ("tasks_from", list(config.renamed_tasks)),
        ("tasks_to", list(config.renamed_tasks.values())),
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

    def measure(conn: Any) -> _Measured:
        checked = checks.check(conn, week=week, shares=config.pipeline.checks)
        checked.raise_for_failures(config.url(config.pipeline.lake.url))
        Lake.keep_tries(conn)
        names = _names(config, conn) if config.pipeline.report.hash_ids else {}
        answers = {name: ask_question(conn, one) for name, one in questions().items()}
        (seen,) = ask_sql(conn, _SEEN_UNTIL).rows
        return checked, answers, names, _earlier_waits(conn, week), seen["seen_until"]

    checked, answers, names, past, seen_until = _on_lake(config, week, measure)
    answers |= made_answers(config, answers, checked, week, past=past)
    shown = publish.material(config, answers, store=lake.store, names=names)
    judgement = judge_all(
        shown.answers, week=week, thresholds=config.pipeline.findings, exclude=shown.exclude
    )
    trust = {
        "checks": checked.checked,
        "check_warnings": len(checked.warnings),
        "version": __version__,
        "listing": listing_told(lake),
        # a week that goes on is told as one; of a week that is over the page stays the same, whenever it was pulled
        "seen_until": seen_until if seen_until and seen_until < week.to_at else None,
        "scope": _scope(config),
    }
    return judgement, shown, trust


def _earlier_waits(conn: duckdb.DuckDBPyConnection, week: Week) -> list[waiting.WaitingWeek]:
    """What was waited for in each of the weeks before, oldest first. The connection stands at the last one afterwards."""
    known, found = questions(), []
    for one in (week.minus(n) for n in range(waiting.WEEKS, 0, -1)):
        Lake.turn_to(conn, one)
        asked = {name: ask_question(conn, known[name]) for name in waiting.BASIS}
        if untold := waiting.WaitingWeek.untold(asked):
            found.append(untold)
            continue
        asked |= {name: ask_question(conn, known[name]) for name in waiting.QUESTIONS if name not in asked}
        found.append(waiting.WaitingWeek.of(asked, waiting.waiting_answers(asked, one, has_rooms=False)))
    return found


_NAMES = """
select kind, name
from (
    select distinct unnest(
        [{'kind': 'dag', 'name': dag_id}, {'kind': 'task', 'name': task_id}, {'kind': 'host', 'name': hostname}],
        recursive := true
    )
    from task_tries where week = report_week()
    union
    select 'conn', unnest(connections) from task_tries where week = report_week()
    union
    select 'conn', substr(cause, len('connection ') + 1) from error_causes where starts_with(cause, 'connection ')
) as named
where name is not null
order by name, kind
"""


def _names(config: Config, conn: duckdb.DuckDBPyConnection) -> dict[str, privacy.Kind]:
    """Names that may stand in log text, where they must not leave: those of the week, and what had other names before."""
    told: dict[str, privacy.Kind] = {row["name"]: row["kind"] for row in ask_sql(conn, _NAMES).rows}
    told |= dict.fromkeys((one.partition("/")[2] for one in config.renamed_tasks), "task")
    return told | dict.fromkeys(config.renamed, "dag")


_SEEN_UNTIL = """select greatest(
    cast(getvariable('listed_until') as timestamptz), (select max(read_at) from objects)
) as seen_until"""
"""Up to when anything was looked for; null in a lake that no pull wrote."""


def _scope(config: Config) -> dict[str, Any]:
    """What was read and stored but not judged, with the reasons given."""
    quiet = [
        {"from": window.from_at, "until": window.until_at, "reason": window.reason}
        for window in config.pipeline.scope.quiet
    ]
    patterns = list(config.pipeline.scope.exclude)
    if config.pipeline.report.hash_ids:  # patterns are names, too
        patterns = ["hidden"] * len(patterns)
    renamed = [f"{new} was {old}" for old, new in config.renamed.items()]
    for old, new in config.renamed_tasks.items():
        dag_id, _, task_id = old.partition("/")
        renamed.append(f"task {new} of {dag_id} was {task_id}")
    if config.pipeline.report.hash_ids:
        renamed = []
    return {"exclude": patterns, "quiet": quiet, "renamed": renamed}


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
    return _on_lake(
        config,
        week,
        lambda conn: explained_case(conn, case, week=week, questions=questions(), config=config),
    )


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
    return _on_lake(config, week, lambda conn: _all_of(conn, names))


def _all_of(conn: duckdb.DuckDBPyConnection, names: Sequence[str]) -> dict[str, Answer]:
    """Many questions of one week: what most of them read is worked out once."""
    Lake.keep_tries(conn)
    known = questions()
    return {name: ask_question(conn, known[name]) for name in names}


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
