"""What the commands share: their arguments, the voice they speak with, and how words become weeks and moments."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from windsock.errors import ConfigError
from windsock.output import Output, as_csv, as_json, as_table
from windsock.week import Week

if TYPE_CHECKING:
    from windsock.config import Config


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

_voice = Output()


def speak(voice: Output) -> None:
    """How this process talks from now on."""
    global _voice
    _voice = voice


def output() -> Output:
    """The voice of this process."""
    return _voice


def now() -> datetime:
    """The one place that reads the clock."""
    return datetime.now(UTC)


def load(path: Path) -> Config:
    from windsock import pipeline as story

    return story.load(path)


def load_to_pull(path: Path) -> Config:
    """As `load`. The judges, whose modules take longer to import than a small pull to read, are asked only of a file that
    overrides one."""
    from windsock.config import load as load_config

    config = load_config(path)
    return load(path) if config.pipeline.findings or config.pipeline.checks else config


def week_of(text: str) -> Week:
    return Week.parse(text) if text else Week.last_complete(now())


def moment_of(text: str, flag: str) -> datetime | None:
    """An instant from a flag: a date, a time with zone, or a time taken as UTC."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{flag} {text!r}: not a time; write 2026-11-16 or 2026-11-16T08:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def shard_of(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    index, _, count = text.partition("/")
    if not (index.isdigit() and count.isdigit() and int(index) < int(count)):
        raise ConfigError(f"--shard {text!r}: write I/N with I from 0 to N-1, for example 0/4")
    return int(index), int(count)


def confirm() -> Callable[[str], bool] | None:
    """A way to ask a person; none under cron."""
    return typer.confirm if sys.stdin.isatty() else None


def say_pull(summary: Any) -> None:
    output().say(summary.sentence(), **summary.fields())
    for url, reason in summary.rejects[:5]:
        output().say(f"  rejected {url}: {reason}")
    if summary.rejected > 5:
        output().say(f"  and {summary.rejected - 5} more; all are in the table objects")
    for prefix, why in summary.failed[:5]:
        output().say(f"  not listed {prefix}: {why}")
    if summary.refused:
        output().say(
            f"  {summary.refused} names or folders could not be read at all; check permissions and encoding"
        )


def finish(written: Any, fail_on: Level) -> None:
    output().say(written.verdict_sentence, verdict=written.verdict)
    output().result(str(written.path))
    order = list(Level)
    if any(order.index(Level(one)) >= order.index(fail_on) for one in written.severities):
        raise typer.Exit(1)


def show_rows(columns: Any, rows: Any, format_: Format, *, width: int = 60) -> None:
    if format_ is Format.json:
        output().result(as_json(rows))
    elif format_ is Format.csv:
        output().result(as_csv(columns, rows))
    elif format_ is Format.parquet:
        import pyarrow as pa

        write_parquet(pa.Table.from_pylist(list(rows), schema=None if rows else pa.schema([])))
    else:
        output().result(as_table(columns, rows, width=width) if rows else "no rows")


def write_parquet(table: Any) -> None:
    """The answer's bytes, with the types that DuckDB gave it."""
    if sys.stdout.isatty():
        raise ConfigError("--format parquet writes bytes; send them to a file: `… > answer.parquet`")
    import pyarrow.parquet as pq

    pq.write_table(table, sys.stdout.buffer)
    sys.stdout.buffer.flush()
