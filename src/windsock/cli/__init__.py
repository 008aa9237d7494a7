"""The porch: one command per verb. It parses, calls, prints, and turns errors into exit codes.

Heavy libraries are imported inside the commands, so that `windsock --help` stays quick.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer

from windsock import __version__
from windsock.cli import answers, upkeep, weekly
from windsock.cli.shared import LogFormat, output, speak
from windsock.errors import WindsockError
from windsock.output import Output

app = typer.Typer(
    help="Which way is your Apache Airflow blowing? A weekly health report from its logs and metrics.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
what_if_app = typer.Typer(help="What would have happened this week with other limits?", no_args_is_help=True)


def main() -> None:
    """Run a command; what a user can mend is one line and status 2, never a traceback."""
    try:
        status = app(standalone_mode=False)
    except WindsockError as error:
        output().error(str(error))
        sys.exit(2)
    except BrokenPipeError:
        # the reader (`head`, a pager) has what it wanted; Python's flush at exit would complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except (KeyboardInterrupt, typer.Abort):
        output().error("interrupted; nothing is half-written, run the command again")
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
    output().error(f"{' '.join(error.format_message().split())} See `{command} --help`.")


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
    speak(Output(level=0 if quiet else 2 if verbose else 1, is_json=log_format is LogFormat.json))


# in the order in which a user meets them
for command in (
    upkeep.init,
    weekly.run,
    weekly.pull,
    weekly.check,
    answers.ask,
    weekly.report,
    weekly.send,
    answers.parse,
    answers.diff,
    answers.why,
    upkeep.snapshot,
    answers.explain,
    upkeep.doctor,
    upkeep.demo,
):
    app.command()(command)
what_if_app.command("pool")(answers.what_if_pool)
app.add_typer(what_if_app, name="what-if")
