"""What triggerers tell: triggers that ended with an error, code that blocked the loop (triggerer_job_runner.py, 2.2 to 3.3)."""

from __future__ import annotations

import re

from windsock.parse.component.facts import Facts
from windsock.parse.component.ids import from_path
from windsock.parse.component.records import Told

_ERROR = re.compile(r"Trigger (?P<name>.+?) exited with error (?P<error>[^\n]*)")
_BLOCKED = re.compile(r"Triggerer's async thread was blocked for (?P<took>[\d.]+) seconds")


def tell_triggers(told: Told, component: str, facts: Facts) -> None:
    """One record of a triggerer."""
    if match := _ERROR.match(told.text):
        kind = told.failure.type if told.failure else None
        facts.event(
            told.at, component, "trigger_failed", from_path(match["name"]), reason=kind, detail=match["error"]
        )
    elif match := _BLOCKED.match(told.text):
        facts.event(told.at, component, "triggerer_blocked", detail=match["took"])
