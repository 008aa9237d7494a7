"""What means something else from an Airflow version on: the reviewed table `sql/upgrades/meanings.csv`."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from windsock.reviewed.metric_gaps import version_numbers
from windsock.reviewed.settings import plain


@dataclass(frozen=True, slots=True)
class Meaning:
    """One meaning: what it was before `since_version`, what it is from there on, and what to look at."""

    since_version: str
    what: str
    before: str
    after: str
    look_at: str
    source: str


def load_meanings(sql_folder: Path) -> tuple[Meaning, ...]:
    """All of them, the oldest first."""
    with (sql_folder / "upgrades" / "meanings.csv").open(encoding="utf-8", newline="") as file:
        return tuple(Meaning(**row) for row in csv.DictReader(file))


def crossed(meanings: Sequence[Meaning], before: str, after: str) -> tuple[Meaning, ...]:
    """Those that an upgrade from one version to another changed; none where either is not known, or on the way down."""
    low, high = plain(before), plain(after)
    if not (low and high):
        return ()
    return tuple(
        one
        for one in meanings
        if version_numbers(low) < version_numbers(one.since_version) <= version_numbers(high)
    )
