"""What works, what is missing, and the cheapest way to mend it: one row for each thing looked at.

Nothing is changed but one small object below `<lake>/_windsock/`, written and removed to learn whether it may be.
"""

from __future__ import annotations

from datetime import datetime

from windsock.config import Config
from windsock.doctor.airflow import airflow_rows, config_rows
from windsock.doctor.delivery import delivery_rows
from windsock.doctor.lake import lake_rows
from windsock.doctor.logs import source_rows
from windsock.doctor.prometheus import prometheus_rows
from windsock.doctor.row import COLUMNS, row
from windsock.doctor.scrape import scrape_rows
from windsock.doctor.sections import section_rows
from windsock.doctor.show import shown
from windsock.doctor.values import value_rows
from windsock.model import Row

__all__ = ["COLUMNS", "doctor", "shown"]


def doctor(config: Config, *, now: datetime) -> list[Row]:
    """Every row, in the order of the story: values, sources, lake, clock, delivery, sections of the report."""
    # Airflow first: what it says of itself tells why logs or metrics are not there
    asked, told = airflow_rows(config, now=now)
    rows = [*value_rows(config), row("pipeline file", "ok", str(config.path))]
    for name in ("task_logs", "component_logs", "metrics"):
        rows += source_rows(config, name, now=now, told=told)
    rows += prometheus_rows(config, now=now, told=told)
    rows += scrape_rows(config, now=now, told=told)
    rows += asked
    rows += config_rows(config, now=now)
    rows += lake_rows(config, now=now)
    rows += delivery_rows(config, now=now)
    rows += section_rows(config)
    return rows
