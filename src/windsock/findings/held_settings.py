"""One setting as it holds: its value, whether somebody told it or the version's default is assumed, and how to change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings.rule import rows_of
from windsock.model import Answer, Row

NOBODY = (
    "nobody tells Airflow's settings: [sources.airflow_config] url = an airflow.cfg or the output of `airflow config list "
    "--show-values`, or an API that may show them"
)
_ASSUMED = " (default assumed)"
TOLD, FILE, ASSUMED, IN_CODE = "told by Airflow", "told by a file", "default assumed", "set in the DAG's code"


@dataclass(frozen=True, slots=True)
class Held:
    """A setting of this deployment. `value` is None where it has none (no timeout, no limit) or is no number."""

    setting: str
    section: str
    key: str
    value: float | None
    default: float | None
    origin: str
    variable: str

    @property
    def is_told(self) -> bool:
        """Whether somebody said so; else the version's default is assumed."""
        return self.origin in (TOLD, FILE)

    @property
    def named(self) -> str:
        """`[core] parallelism`."""
        return f"[{self.section}] {self.key}"

    @property
    def said(self) -> str:
        """`32`, or `32 (default assumed)`."""
        return f"{shown(self.value)}{'' if self.is_told else _ASSUMED}"

    @property
    def said_s(self) -> str:
        """`30 s`, or `30 s (default assumed)`."""
        return f"{shown(self.value)} s{'' if self.is_told else _ASSUMED}"


def held_of(answers: Mapping[str, Answer]) -> dict[str, Held]:
    """Every setting of the deployment's version by its name; empty where the version is not known."""
    return {row["setting"]: _held(row) for row in rows_of(answers, "settings_of_week")}


def missing(answers: Mapping[str, Answer]) -> str:
    """Why settings cannot be judged; empty where some are told."""
    return "" if any(one.is_told for one in held_of(answers).values()) else NOBODY


def _held(row: Row) -> Held:
    return Held(
        row["setting"],
        row["section"],
        row["key"],
        number(row["setting_value"]),
        number(row["default_value"]),
        row["origin"],
        row["variable"],
    )


def number(text: Any) -> float | None:
    """A value as a number; None where it is none."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def shown(value: float | None) -> str:
    """`32`, `0.5`, `none`."""
    return "none" if value is None else f"{value:g}"
