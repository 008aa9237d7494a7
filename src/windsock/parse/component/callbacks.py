"""What the dag-processor tells of callbacks that it runs for others: DAG-level ones, and those of killed tasks.

Texts: processor.py and dag.py of 2.0 to 2.11 (`Executed callback for <TaskInstance …>`, also written when the DAG has
none: it says that the failure was handled), processor.py of 3.0 to 3.3 (`Executing on_failure dag callback`).
"""

from __future__ import annotations

import re

from windsock.parse.component.facts import Facts
from windsock.parse.component.ids import Who, from_repr
from windsock.parse.component.records import Told

_DAG = re.compile(r"\bdag_id=(?P<dag_id>\S+)")
_RUN = re.compile(r"Executing on_(?:failure|success) dag callback")
_FAILED = ("Callback failed", "failed to invoke dag state update callback", "Error executing task callback")


def tell_callbacks(told: Told, component: str, facts: Facts) -> None:
    """One record of a dag-processor: a callback that ran, or that failed."""
    text = told.text
    if text.startswith("Executed callback for "):
        if who := from_repr(text):
            facts.event(told.at, component, "callback_ran", who)
    elif _RUN.match(text):
        if match := _DAG.search(text):
            facts.event(told.at, component, "callback_ran", Who(match["dag_id"]))
    elif told.level == "error" and text.startswith(_FAILED):
        match = _DAG.search(text)
        facts.event(
            told.at,
            component,
            "callback_failed",
            Who(match["dag_id"] if match else None),
            reason=told.failure.type if told.failure else None,
            detail=told.failure.message if told.failure else text.split("\n", 1)[0],
        )
