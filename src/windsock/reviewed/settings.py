"""Airflow's settings by version: the reviewed table `sql/settings/settings.csv`, and what a deployment's version makes of it.

One row is a name of a setting in a range of versions: `current` is the name that counts there; `still_read` an old one
that Airflow reads with a warning; `ignored` an old one that it passes over in silence.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from windsock.reviewed.metric_gaps import version_numbers

Status = Literal["current", "still_read", "ignored"]


@dataclass(frozen=True, slots=True)
class SettingName:
    """One name. It holds from `since_version` on, and no longer from `before_version` on (empty: still). `default` and
    `scope` are those of the `current` name; a setting without a section is set in the DAG's code. `parameter` is what says
    it there (`DAG.max_active_tasks`, `task.retries`); empty: nothing does."""

    setting: str
    section: str
    key: str
    parameter: str
    since_version: str
    before_version: str
    status: Status
    default: str
    unit: str
    scope: str
    bounds: str
    source: str

    def concerns(self, version: str) -> bool:
        """Whether Airflow of this version has it so."""
        until = version_numbers(self.before_version) if self.before_version else (10**9,)
        return version_numbers(self.since_version) <= version_numbers(plain(version)) < until

    @property
    def fact(self) -> str:
        """Its key among the facts of `deployments`."""
        return f"config.{self.section}.{self.key}"

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return variable(self.section, self.key)


def load_settings(sql_folder: Path) -> tuple[SettingName, ...]:
    """All names, in the file's order."""
    with (sql_folder / "settings" / "settings.csv").open(encoding="utf-8", newline="") as file:
        return tuple(SettingName(**row) for row in csv.DictReader(file))  # type: ignore[arg-type]


NEWEST = ("2.11", "3.3")
"""Of each generation: where nobody tells the version, a setting is named as these two name it."""


def names_of(names: Sequence[SettingName], version: str) -> tuple[SettingName, ...]:
    """Those of one Airflow version; none when the version is not known."""
    return tuple(one for one in names if plain(version) and one.concerns(version))


def variable(section: str, key: str) -> str:
    """`AIRFLOW__CORE__PARALLELISM`: stands over airflow.cfg in every version."""
    return f"AIRFLOW__{section.upper()}__{key.upper()}"


def plain(version: str) -> str:
    """The number inside `v3.0.6+astro.1` or `2 (schema of 2.11)`; empty where there is none."""
    found = re.search(r"\d+\.\d+(?:\.\d+)?", version)
    return found[0] if found else ""
