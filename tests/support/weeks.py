"""A week as a user has it: logs of tries in a folder, pulled, judged and reported."""

import json
import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.fleet.records import Attempt, airflow3

from windsock import config as configs
from windsock import pipeline
from windsock.output import Output
from windsock.week import Week

LOGS = "[sources.task_logs]\nurl = 'logs'\n"


def put(path: Path, data: bytes, at: datetime) -> None:
    """An object as last changed at `at`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (at.timestamp(), at.timestamp()))


def put_logs(root: Path, tries: Iterable[Attempt]) -> None:
    """The log of each try below `root`/logs, as Airflow 3 writes it."""
    for one in tries:
        put(root / "logs" / one.key, airflow3(one), one.ended_at)


def report_of(
    root: Path, week: Week, sources: str = LOGS, *, now: datetime | None = None
) -> tuple[dict[str, Any], str]:
    """Pull what `sources` names below `root`, judge and render the week: report.json and the mail's text. `now` is three
    hours after the week's end, where it is not told."""
    path = root / "prod.toml"
    path.write_text(f"[deployment]\nname = 'prod'\n{sources}\n[lake]\nurl = 'lake'\n[report]\nout = 'out'\n")
    config, quiet = configs.load(path, {}), Output(level=0)
    pipeline.pull(config, now=now or week.to_at + timedelta(hours=3), week=week, output=quiet, full=True)
    pipeline.report(config, week=week, output=quiet)
    (body,), (mail,) = (root / "out").rglob("report.json"), (root / "out").rglob("email.txt")
    return json.loads(body.read_text()), mail.read_text()
