"""Snapshots of made-up deployments, as a scrape of a Prometheus server's `/federate` shows them, a minute apart."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

POOL_GAUGES = ("open_slots", "running_slots", "queued_slots", "scheduled_slots")


def exposition(
    counters: Mapping[str, float],
    pools: Mapping[str, tuple[int, int, int, int]],
    labels: Mapping[str, str] | None = None,
) -> str:
    """Text of one deployment: totals by name, and open, running, queued and scheduled slots by pool."""
    own = dict(labels or {})
    lines = []
    for name, value in counters.items():
        lines += [f"# TYPE airflow_{name} counter", f"airflow_{name}{_braces(own)} {value:g}"]
    for place, gauge in enumerate(POOL_GAUGES):
        lines.append(f"# TYPE airflow_pool_{gauge} gauge")
        lines += [
            f"airflow_pool_{gauge}{_braces(own | {'pool': pool})} {told[place]}"
            for pool, told in pools.items()
        ]
    return "\n".join(lines) + "\n"


def _braces(labels: Mapping[str, str]) -> str:
    inner = ",".join(f'{name}="{value}"' for name, value in sorted(labels.items()))
    return f"{{{inner}}}" if inner else ""


def store(folder: Path, at: datetime, text: str) -> Path:
    """Write one snapshot where `windsock snapshot` would."""
    path = folder / f"{at:%Y-%m-%d}" / f"{at:%H%M%S}.prom"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def minutes(since: datetime, until: datetime) -> list[datetime]:
    """Every full minute from `since`, `until` included."""
    return [since + timedelta(minutes=n) for n in range(int((until - since).total_seconds() // 60) + 1)]
