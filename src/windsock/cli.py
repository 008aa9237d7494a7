"""The porch: one command per verb. It parses, calls, prints, and turns errors into exit codes.

Heavy libraries are imported inside the commands, so that `windsock --help` stays quick.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from windsock import __version__
from windsock.errors import ConfigError, SourceError, WindsockError
from windsock.output import Output, as_csv, as_json, as_table, jsonable
from windsock.week import Week

if TYPE_CHECKING:
    from windsock.config import Config

app = typer.Typer(
    help="Which way is your Apache Airflow blowing? A weekly health report from its logs and metrics.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
what_if_app = typer.Typer(help="What would have happened this week with other limits?", no_args_is_help=True)
app.add_typer(what_if_app, name="what-if")


class Format(StrEnum):
    """How rows are printed."""

    table = "table"
    json = "json"
    csv = "csv"
    parquet = "parquet"


class LogFormat(StrEnum):
    """How progress and errors are printed."""

    text = "text"
    json = "json"


class Level(StrEnum):
    """Severity of a finding."""

    info = "info"
    watch = "watch"
    warning = "warning"
    critical = "critical"
    never = "never"


PipelineArg = Annotated[Path, typer.Argument(metavar="PIPELINE.toml", help="The pipeline file.")]
PipelineOpt = Annotated[
    Path,
    typer.Option(
        "--pipeline", "-p", envvar="WINDSOCK_PIPELINE", help="The pipeline file.", show_default=True
    ),
]
WeekOpt = Annotated[
    str, typer.Option("--week", help="ISO week, `2026-W47`; default: the last complete one, UTC.")
]
FailOn = Annotated[Level, typer.Option("--fail-on", help="Exit 1 when a finding is at or above this level.")]
FormatOpt = Annotated[Format, typer.Option("--format", "-f", help="How to print the rows.")]
DEFAULT_PIPELINE = Path("windsock.toml")

_output = Output()


def now() -> datetime:
    """The one place that reads the clock."""
    return datetime.now(UTC)


def main() -> None:
    """Run a command; what a user can mend is one line and status 2, never a traceback."""
    try:
        status = app(standalone_mode=False)
    except WindsockError as error:
        _output.error(str(error))
        sys.exit(2)
    except BrokenPipeError:
        # the reader (`head`, a pager) has what it wanted; Python's flush at exit would complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except (KeyboardInterrupt, typer.Abort):
        _output.error("interrupted; nothing is half-written, run the command again")
        sys.exit(130)
    except Exception as error:  # Typer brings a Click of its own: its usage errors are known by their method
        if not hasattr(error, "format_message"):
            raise
        _usage(error)
        sys.exit(2)
    sys.exit(status if isinstance(status, int) else 0)


def _usage(error: Any) -> None:
    """A mistake on the command line, on one line; a command group named alone shows its help."""
    context = error.ctx
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return
    command = context.command_path if context else "windsock"
    _output.error(f"{' '.join(error.format_message().split())} See `{command} --help`.")


def _version(show: bool) -> None:
    if show:
        typer.echo(f"windsock {__version__}")
        raise typer.Exit


@app.callback()
def options(
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only results and errors.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="More about what happens.")] = False,
    log_format: Annotated[
        LogFormat, typer.Option(help="Progress and errors as text or JSON lines.")
    ] = LogFormat.text,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None:
    """Which way is your Apache Airflow blowing? A weekly health report from its logs and metrics."""
    global _output
    _output = Output(level=0 if quiet else 2 if verbose else 1, is_json=log_format is LogFormat.json)


def _load(path: Path) -> Config:
    from windsock import pipeline as story

    return story.load(path)


def _week(text: str) -> Week:
    return Week.parse(text) if text else Week.last_complete(now())


def _moment(text: str, flag: str) -> datetime | None:
    """An instant from a flag: a date, a time with zone, or a time taken as UTC."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{flag} {text!r}: not a time; write 2026-11-16 or 2026-11-16T08:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _shard(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    index, _, count = text.partition("/")
    if not (index.isdigit() and count.isdigit() and int(index) < int(count)):
        raise ConfigError(f"--shard {text!r}: write I/N with I from 0 to N-1, for example 0/4")
    return int(index), int(count)


@app.command()
def init(
    urls: Annotated[list[str], typer.Argument(metavar="URL…", help="Where task logs or metrics lie.")],
    name: Annotated[str, typer.Option(help="The deployment's name.")] = "prod",
    out: Annotated[Path, typer.Option(help="The file to write.")] = DEFAULT_PIPELINE,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists.")] = False,
) -> None:
    """Write a pipeline file from what is found at URL.

    Example: `windsock init s3://acme-airflow-logs/prod --name prod`
    """
    from windsock import setup

    found = setup.init(urls, name=name, out=out, now=now(), force=force)
    for line in found.lines:
        _output.say(line)
    _output.result(str(found.path))


@app.command()
def run(
    pipeline: PipelineArg,
    week: WeekOpt = "",
    fail_on: FailOn = Level.never,
) -> None:
    """The main job: pull, check, ask, judge, render. `windsock send` delivers the result.

    Example: `windsock run pipelines/weekly_s3.toml --week 2026-W47`
    """
    from windsock import pipeline as story

    config, at = _load(pipeline), now()
    target = _week(week)
    _say_pull(story.pull(config, now=at, week=target, confirm=_confirm(), output=_output))
    story.check(config, week=target, output=_output)
    _finish(story.report(config, week=target, output=_output), fail_on)


@app.command()
def pull(
    pipeline: PipelineArg,
    since: Annotated[str, typer.Option(help="Only objects modified at or after this time.")] = "",
    until: Annotated[str, typer.Option(help="Only objects modified before this time.")] = "",
    shard: Annotated[str, typer.Option(help="`I/N`: only the objects whose dag_id hashes to I.")] = "",
    full: Annotated[bool, typer.Option("--full", help="List everything; read what changed.")] = False,
    reread: Annotated[
        bool, typer.Option("--reread", help="Parse again what is in the ledger already.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be read, and stop.")] = False,
    reshard: Annotated[
        bool, typer.Option("--reshard", help="First deal the lake's rows over the number of [lake] shards.")
    ] = False,
    week: WeekOpt = "",
) -> None:
    """Read what is new at the sources into the lake. Running it again is safe.

    Example: `windsock pull prod.toml --dry-run`
    """
    from windsock import pipeline as story

    if reshard:
        _output.say(f"resharded: {story.reshard(_load(pipeline))} files written")
    summary = story.pull(
        _load(pipeline),
        now=now(),
        week=_week(week),
        since=_moment(since, "--since"),
        until=_moment(until, "--until"),
        shard=_shard(shard),
        full=full,
        reread=reread,
        dry_run=dry_run,
        confirm=_confirm(),
        output=_output,
    )
    _say_pull(summary)


def _confirm() -> Callable[[str], bool] | None:
    """A way to ask a person; none under cron."""
    return typer.confirm if sys.stdin.isatty() else None


def _say_pull(summary: Any) -> None:
    _output.say(summary.sentence(), **summary.fields())
    for url, reason in summary.rejects[:5]:
        _output.say(f"  rejected {url}: {reason}")
    if summary.rejected > 5:
        _output.say(f"  and {summary.rejected - 5} more; all are in the table objects")
    for prefix, why in summary.failed[:5]:
        _output.say(f"  not listed {prefix}: {why}")
    if summary.refused:
        _output.say(
            f"  {summary.refused} names or folders could not be read at all; check permissions and encoding"
        )


@app.command()
def check(pipeline: PipelineArg, week: WeekOpt = "") -> None:
    """Check that the week's data are fit to judge. Exits 2 when they are not.

    Example: `windsock check prod.toml --week 2026-W47`
    """
    from windsock import pipeline as story

    story.check(_load(pipeline), week=_week(week), output=_output)


@app.command()
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
        rows: list[dict[str, Any]] = [
            {"question": one.name, "family": one.family, "title": one.title}
            for one in story.questions().values()
        ]
        _rows(("question", "family", "title"), rows, format_)
        return
    if bool(question) == bool(sql):
        raise ConfigError("name one question, or give --sql; `windsock ask --list` shows the questions")
    text = sys.stdin.read() if sql == "-" else sql
    config, target = _load(pipeline), _week(week)
    if print_sql:
        _output.result(story.printable_sql(config, question=question, sql=text, week=target))
        return
    if format_ is Format.parquet:
        _parquet(story.ask_arrow(config, question=question, sql=text, week=target))
        return
    answer = story.ask(config, question=question, sql=text, week=target)
    _rows(answer.columns, answer.rows, format_)


def _parquet(table: Any) -> None:
    """The answer's bytes, with the types that DuckDB gave it."""
    if sys.stdout.isatty():
        raise ConfigError("--format parquet writes bytes; send them to a file: `… > answer.parquet`")
    import pyarrow.parquet as pq

    pq.write_table(table, sys.stdout.buffer)
    sys.stdout.buffer.flush()


def _rows(columns: Any, rows: Any, format_: Format, *, width: int = 60) -> None:
    if format_ is Format.json:
        _output.result(as_json(rows))
    elif format_ is Format.csv:
        _output.result(as_csv(columns, rows))
    elif format_ is Format.parquet:
        import pyarrow as pa

        _parquet(pa.Table.from_pylist(list(rows), schema=None if rows else pa.schema([])))
    else:
        _output.result(as_table(columns, rows, width=width) if rows else "no rows")


@app.command()
def report(
    pipeline: PipelineArg,
    week: WeekOpt = "",
    out: Annotated[Path | None, typer.Option(help="Folder of the report; default: [report] out.")] = None,
    fail_on: FailOn = Level.never,
) -> None:
    """Judge the week and write report.html, email.html, email.txt and report.json.

    Example: `windsock report prod.toml --week 2026-W47 --out /tmp/report`
    """
    from windsock import pipeline as story

    _finish(story.report(_load(pipeline), week=_week(week), out=out, output=_output), fail_on)


def _finish(written: Any, fail_on: Level) -> None:
    _output.say(written.verdict_sentence, verdict=written.verdict)
    _output.result(str(written.path))
    order = list(Level)
    if any(order.index(Level(one)) >= order.index(fail_on) for one in written.severities):
        raise typer.Exit(1)


@app.command()
def send(
    pipelines: Annotated[list[Path], typer.Argument(metavar="PIPELINE.toml…")],
    week: WeekOpt = "",
    again: Annotated[bool, typer.Option("--again", help="Send even if this week was sent before.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go where.")] = False,
) -> None:
    """Deliver the finished report by mail, Slack and files, as [deliver] says.

    Example: `windsock send prod.toml --dry-run`
    """
    from windsock import pipeline as story

    lines = story.send(
        [_load(path) for path in pipelines], week=_week(week), now=now(), again=again, dry_run=dry_run
    )
    for line in lines:
        _output.result(line) if dry_run else _output.say(line)


@app.command()
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

            _output.result(json.dumps(jsonable(row), ensure_ascii=False))
        else:
            rows.append(row)
    if format_ is not Format.json:
        _rows(story.PARSE_COLUMNS, rows, format_)


@app.command()
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
    found = story.diff(_load(pipeline), wanted=wanted, week=_week(week))
    _output.say(f"try {found.here['try_number']}, {found.here['object_url']}")
    for row in found.good:
        _output.say(f"against run {row['run_id']}, try {row['try_number']}, {row['object_url']}")
    for why in found.gone:
        _output.say(f"not compared: {why}")
    if not found.good:
        raise SourceError(
            "no good log of this task is left to compare with; pull more weeks, or name another --week"
        )
    columns = ("sign", "level", "text", "times", "good_logs", "record_no")
    _rows(
        columns, [{name: getattr(one, name) for name in columns} for one in found.lines], format_, width=160
    )


@what_if_app.command("pool")
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
    answer = story.what_if_pool(_load(pipeline), pool=name, slots=sizes, week=_week(week))
    if format_ is Format.json:
        _output.result(json.dumps(jsonable(answer), ensure_ascii=False, indent=2))
    else:
        told = f"{'estimated ' if answer['estimate'] else ''}from {answer['source']}; durations taken as unchanged"
        _output.say(f"pool {answer['pool']}, week {answer['week']}, now {answer['slots_now']} slots, {told}")
        _rows(("slots", "wait_hours", "wait_hours_saved", "peak_slots"), answer["options"], format_)


@app.command()
def snapshot(pipeline: PipelineArg) -> None:
    """Take one snapshot of metrics and Airflow's API now and store it where `pull` reads. For cron, every minute or five.

    Example: `windsock -q snapshot prod.toml`
    """
    from windsock import snapshot as take

    for address in take.snapshot(_load(pipeline), now=now()):
        _output.say(f"stored {address}")


@app.command()
def explain(code: Annotated[str, typer.Argument(help="A finding's code, for example WS201.")] = "") -> None:
    """What a finding means, how it is judged, what to do.

    Example: `windsock explain WS201`
    """
    from windsock import pipeline as story

    _output.result(story.explain(code))


@app.command()
def doctor(pipeline: PipelineArg, format_: FormatOpt = Format.table) -> None:
    """Check configuration, reachability, layout and lake; say what to mend and what each section will show.

    Example: `windsock doctor prod.toml`
    """
    from windsock import doctor as check_up

    rows = check_up.doctor(_load(pipeline), now=now())
    if format_ is Format.table:
        is_terminal = sys.stdout.isatty()
        width = min(120, shutil.get_terminal_size((100, 24)).columns) if is_terminal else 100
        _output.result(check_up.shown(rows, width=width, colour=is_terminal and "NO_COLOR" not in os.environ))
    else:
        _rows(check_up.COLUMNS, rows, format_)
    if any(row["state"] == "broken" for row in rows):
        raise typer.Exit(2)


@app.command()
def demo(
    out: Annotated[Path | None, typer.Option(help="Folder of the report.")] = None,
) -> None:
    """The main job on the sample fleet, offline. Ends with the path of a finished report.

    Example: `windsock demo --out /tmp/windsock-demo`
    """
    from windsock import demo as sample

    config, week = sample.prepare(out or Path("reports/out"))
    from windsock import pipeline as story

    _say_pull(story.pull(config, now=week.to_at, week=week, full=True, output=_output))
    story.check(config, week=week, output=_output)
    _finish(story.report(config, week=week, output=_output), Level.never)
