"""Which Airflow versions and executors windsock's tests have seen: the reviewed table `sql/trust/tested.csv`."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Tested:
    """One version series (`3.3`) or executor. `how`: it was `run`, its `logs` are in golden cases, or its `texts` only."""

    kind: str
    name: str
    how: str
    where: str


def load_tested(sql_folder: Path) -> tuple[Tested, ...]:
    """All of them, in the file's order."""
    with (sql_folder / "trust" / "tested.csv").open(encoding="utf-8", newline="") as file:
        return tuple(Tested(**row) for row in csv.DictReader(file))
