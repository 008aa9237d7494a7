"""The weekly job and its stages, one by one: run, pull, check, report, send."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from windsock.cli.shared import (
    FailOn,
    Level,
    PipelineArg,
    WeekOpt,
    confirm,
    finish,
    load,
    load_to_pull,
    moment_of,
    now,
    output,
    say_pull,
    shard_of,
    week_of,
)


def run(
    pipeline: PipelineArg,
    week: WeekOpt = "",
    fail_on: FailOn = Level.never,
) -> None:
    """The main job: pull, check, ask, judge, render. `windsock send` delivers the result.

    Example: `windsock run pipelines/weekly_s3.toml --week 2026-W47`
    """
    from windsock import pipeline as story

    config, at = load(pipeline), now()
    target = week_of(week)
    say_pull(story.pull(config, now=at, week=target, confirm=confirm(), output=output()))
    story.check(config, week=target, output=output())
    finish(story.report(config, week=target, output=output()), fail_on)


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
    from windsock import pull as story
    from windsock.pull.lean import without_pandas

    without_pandas()
    config = load_to_pull(pipeline)
    if reshard:
        output().say(f"resharded: {story.reshard(config)} files written")
    summary = story.pull(
        config,
        now=now(),
        week=week_of(week),
        since=moment_of(since, "--since"),
        until=moment_of(until, "--until"),
        shard=shard_of(shard),
        full=full,
        reread=reread,
        dry_run=dry_run,
        confirm=confirm(),
        output=output(),
    )
    say_pull(summary)


def check(pipeline: PipelineArg, week: WeekOpt = "") -> None:
    """Check that the week's data are fit to judge. Exits 2 when they are not.

    Example: `windsock check prod.toml --week 2026-W47`
    """
    from windsock import pipeline as story

    story.check(load(pipeline), week=week_of(week), output=output())


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

    finish(story.report(load(pipeline), week=week_of(week), out=out, output=output()), fail_on)


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
        [load(path) for path in pipelines], week=week_of(week), now=now(), again=again, dry_run=dry_run
    )
    for line in lines:
        output().result(line) if dry_run else output().say(line)
