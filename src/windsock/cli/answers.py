"""Answers to a person: ask, parse, diff, why, what-if, explain."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Annotated, Any

import typer

from windsock.cli.shared import (
    DEFAULT_PIPELINE,
    Format,
    FormatOpt,
    PipelineOpt,
    WeekOpt,
    load,
    output,
    show_rows,
    week_of,
    write_parquet,
)
from windsock.errors import ConfigError, SourceError
from windsock.output import as_cell, jsonable


def ask(
    question: Annotated[str, typer.Argument(help="A question of sql/, by name.")] = "",
    sql: Annotated[
        str, typer.Option(help="Ad-hoc SQL over the lake's views; `-` reads standard input.")
    ] = "",
    list_: Annotated[bool, typer.Option("--list", help="All questions with their titles.")] = False,
    print_sql: Annotated[
        bool, typer.Option(help="Print SQL that the duckdb command line runs as it stands.")
    ] = False,
    pipeline: PipelineOpt = DEFAULT_PIPELINE,
    week: WeekOpt = "",
    format_: FormatOpt = Format.table,
) -> None:
    """Ask the lake a question.

    Examples: `windsock ask failure_rate_by_dag --week 2026-W47` · `windsock ask --sql "from task_tries limit 5"`
    """
    from windsock import pipeline as story

    if list_:
        rows = story.titles()
        show_rows(("question", "family", "title"), rows, format_)
        return
    if bool(question) == bool(sql):
        raise ConfigError("name one question, or give --sql; `windsock ask --list` shows the questions")
    text = sys.stdin.read() if sql == "-" else sql
    config, target = load(pipeline), week_of(week)
    if print_sql:
        output().result(story.printable_sql(config, question=question, sql=text, week=target))
        return
    if format_ is Format.parquet:
        write_parquet(story.ask_arrow(config, question=question, sql=text, week=target))
        return
    answer = story.ask(config, question=question, sql=text, week=target)
    show_rows(answer.columns, answer.rows, format_)


def parse(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH|URL…", help="Log files, folders or object URLs.")
    ],
    format_: FormatOpt = Format.json,
) -> None:
    """What windsock understands of single log files; one JSON object a line.

    Example: `windsock parse 'logs/dag_id=etl/run_id=manual__1/task_id=load/attempt=1.log'`
    """
    from windsock import pipeline as story

    rows = []
    for row in story.parse_files(paths):
        if format_ is Format.json:
            import json

            output().result(json.dumps(jsonable(row), ensure_ascii=False))
        else:
            rows.append(row)
    if format_ is not Format.json:
        show_rows(story.PARSE_COLUMNS, rows, format_)


def diff(
    dag_id: Annotated[str, typer.Argument(metavar="DAG")],
    task_id: Annotated[str, typer.Argument(metavar="TASK")],
    run_id: Annotated[str, typer.Argument(metavar="RUN")],
    try_number: Annotated[
        int | None, typer.Option("--try", help="Which try; default: the last one that failed.")
    ] = None,
    map_index: Annotated[
        int | None, typer.Option(help="Which mapped task; default: any that failed.")
    ] = None,
    pipeline: PipelineOpt = DEFAULT_PIPELINE,
    week: WeekOpt = "",
    format_: FormatOpt = Format.table,
) -> None:
    """What a failed task's log has that its good logs have not, and what it lacks. Both are read from the source.

    Example: `windsock diff orders load scheduled__2026-11-18T00:00:00+00:00 --week 2026-W47`
    """
    from windsock import pipeline as story
    from windsock.compare import Try

    wanted = Try(dag_id, task_id, run_id, try_number, map_index)
    found = story.diff(load(pipeline), wanted=wanted, week=week_of(week))
    output().say(f"try {found.here['try_number']}, {found.here['object_url']}")
    for row in found.good:
        output().say(f"against run {row['run_id']}, try {row['try_number']}, {row['object_url']}")
    for why in found.gone:
        output().say(f"not compared: {why}")
    if not found.good:
        raise SourceError(
            "no good log of this task is left to compare with; pull more weeks, or name another --week"
        )
    columns = ("sign", "level", "text", "times", "good_logs", "record_no")
    show_rows(
        columns, [{name: getattr(one, name) for name in columns} for one in found.lines], format_, width=160
    )


def why(
    dag_id: Annotated[str, typer.Argument(metavar="DAG")],
    task_id: Annotated[str, typer.Argument(metavar="[TASK]", show_default=False)] = "",
    run_id: Annotated[str, typer.Argument(metavar="[RUN]", show_default=False)] = "",
    pipeline: PipelineOpt = DEFAULT_PIPELINE,
    week: WeekOpt = "",
    format_: FormatOpt = Format.table,
) -> None:
    """Why a DAG, a task or a run does not run, fails or has no log: what speaks for each cause, the likeliest first.

    Examples: `windsock why orders --week 2026-W47` · `windsock why orders load scheduled__2026-11-18T00:00:00+00:00`
    """
    from windsock import pipeline as story
    from windsock.findings.why import Case

    found = story.why(load(pipeline), case=Case(dag_id, task_id, run_id), week=week_of(week))
    if format_ is not Format.table:
        columns = ("likely", "about", "cause", "headline", "since", "unknown", "next", "evidence")
        show_rows(columns, [{name: getattr(one, name) for name in columns} for one in found.told], format_)
        return
    for note in found.notes:
        output().say(note)
    output().result("\n\n".join(_told(one) for one in found.told) or _nothing(found))
    if found.unseen:
        output().say(f"not seen in this week: {', '.join(found.unseen)}")


def _told(one: Any) -> str:
    """One cause as lines: what, the numbers, what it cannot know, what next."""
    told = {name: _fact(value) for name, value in one.evidence.items() if _is_known(value)}
    facts = [f"{name.replace('_', ' ')} {value}" for name, value in told.items() if value not in one.headline]
    lines = [
        f"{one.likely}, {one.about}: {as_cell(one.headline, 400)}",
        f"  {'; '.join(facts)}" if facts else "",
    ]
    lines += [f"  not known: {one.unknown}" if one.unknown else "", f"  next: {one.next}"]
    return "\n".join(line for line in lines if line)


def _is_known(value: Any) -> bool:
    return value is not None and value != "" and value != []


def _fact(value: Any) -> str:
    """One value on one line: lists by their first three, times to the minute."""
    if isinstance(value, list):
        return ", ".join(map(_fact, value[:3])) + (f" and {len(value) - 3} more" if len(value) > 3 else "")
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return as_cell(f"{value:.4g}" if isinstance(value, float) else value, 160)


def _nothing(found: Any) -> str:
    """No cause speaks: what was seen instead."""
    activity = found.activity
    if activity is None:
        return f"nothing in the lake says why {found.case.dag_id} would not run"
    return (
        f"nothing speaks against {found.case.dag_id}: {activity['runs_week']} runs in the week, the newest try began "
        f"{activity['last_at']:%Y-%m-%d %H:%M} UTC and is {activity['last_state']}"
    )


def what_if_pool(
    name: Annotated[str, typer.Argument(help="The pool.")],
    slots: Annotated[str, typer.Option(help="Sizes to try, `4,8,16`.")],
    pipeline: PipelineOpt = DEFAULT_PIPELINE,
    week: WeekOpt = "",
    format_: FormatOpt = Format.table,
) -> None:
    """Replay the week's tasks through a pool of other sizes.

    Example: `windsock what-if pool warehouse --slots 4,8,16 --week 2026-W47`
    """
    import json

    from windsock import pipeline as story

    sizes = [int(size) for size in slots.split(",") if size.strip().isdigit()]
    if not sizes or len(sizes) != len(slots.split(",")):
        raise ConfigError(f"--slots {slots!r}: write whole numbers separated by commas, for example 4,8,16")
    answer = story.what_if_pool(load(pipeline), pool=name, slots=sizes, week=week_of(week))
    if format_ is Format.json:
        output().result(json.dumps(jsonable(answer), ensure_ascii=False, indent=2))
    else:
        told = f"{'estimated ' if answer['estimate'] else ''}from {answer['source']}; durations taken as unchanged"
        output().say(f"pool {answer['pool']}, week {answer['week']}, now {answer['slots_now']} slots, {told}")
        if answer.get("above_bound"):
            protects = f": {answer['protects']}" if answer.get("protects") else ""
            above = ", ".join(str(size) for size in answer["above_bound"])
            output().say(f"{above} is above this pool's bound of {answer['max_slots']}{protects}")
        show_rows(("slots", "wait_hours", "wait_hours_saved", "peak_slots"), answer["options"], format_)


def explain(code: Annotated[str, typer.Argument(help="A finding's code, for example WS201.")] = "") -> None:
    """What a finding means, how it is judged, what to do.

    Example: `windsock explain WS201`
    """
    from windsock import pipeline as story

    output().result(story.explain(code))
