"""Setting up and keeping going: init, snapshot, doctor, demo."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from windsock.cli.shared import (
    DEFAULT_PIPELINE,
    Format,
    FormatOpt,
    Level,
    PipelineArg,
    finish,
    load,
    now,
    output,
    say_pull,
    show_rows,
)


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
        output().say(line)
    output().result(str(found.path))


def snapshot(pipeline: PipelineArg) -> None:
    """Take one snapshot of metrics and Airflow's API now and store it where `pull` reads. For cron, every minute or five.

    Example: `windsock -q snapshot prod.toml`
    """
    from windsock import snapshot as take

    for address in take.snapshot(load(pipeline), now=now()):
        output().say(f"stored {address}")


def doctor(pipeline: PipelineArg, format_: FormatOpt = Format.table) -> None:
    """Check configuration, reachability, layout and lake; say what to mend and what each section will show.

    Example: `windsock doctor prod.toml`
    """
    from windsock import doctor as check_up

    rows = check_up.doctor(load(pipeline), now=now())
    if format_ is Format.table:
        is_terminal = sys.stdout.isatty()
        width = min(120, shutil.get_terminal_size((100, 24)).columns) if is_terminal else 100
        output().result(
            check_up.shown(rows, width=width, colour=is_terminal and "NO_COLOR" not in os.environ)
        )
    else:
        show_rows(check_up.COLUMNS, rows, format_)
    if any(row["state"] == "broken" for row in rows):
        raise typer.Exit(2)


def demo(
    out: Annotated[Path | None, typer.Option(help="Folder of the report.")] = None,
) -> None:
    """The main job on the sample fleet, offline. Ends with the path of a finished report.

    Example: `windsock demo --out /tmp/windsock-demo`
    """
    from windsock import demo as sample

    config, week = sample.prepare(out or Path("reports/out"))
    from windsock import pipeline as story

    say_pull(story.pull(config, now=week.to_at, week=week, full=True, output=output()))
    story.check(config, week=week, output=output())
    finish(story.report(config, week=week, output=output()), Level.never)
