"""What Airflow's metrics are known to miss, by version: the reviewed table `sql/trust/metric_gaps.csv`."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class MetricGap:
    """One known gap. It holds from `since_version` on, and no longer from `before_version` on (empty: still)."""

    metric: str
    since_version: str
    before_version: str
    gap: str
    source: str

    def concerns(self, version: str) -> bool:
        """Whether a deployment of this Airflow version has it. Pre-releases count as their release."""
        at = version_numbers(version)
        until = version_numbers(self.before_version) if self.before_version else (10**9,)
        return version_numbers(self.since_version) <= at < until


def load_metric_gaps(sql_folder: Path) -> tuple[MetricGap, ...]:
    """All gaps, in the file's order."""
    with (sql_folder / "trust" / "metric_gaps.csv").open(encoding="utf-8", newline="") as file:
        return tuple(MetricGap(**row) for row in csv.DictReader(file))


def gaps_of(gaps: tuple[MetricGap, ...], version: str) -> tuple[MetricGap, ...]:
    """Those of one Airflow version; none when the version is not known."""
    return tuple(one for one in gaps if version and one.concerns(version))


def version_numbers(version: str) -> tuple[int, ...]:
    """`2.11.2` as numbers that compare; (-1,) where there is none."""
    found = re.match(r"\D*(\d+)\.(\d+)(?:\.(\d+))?", version)
    return tuple(int(part or 0) for part in found.groups()) if found else (-1,)
