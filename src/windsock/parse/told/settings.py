"""Airflow's configuration as a file → rows of `deployments`, by the same allow-list as the API's.

Four forms are read. The Helm chart's values.yaml (`helm.py`); the API's own answer to `GET /config`; and, mixed as they come, INI as in airflow.cfg or as `airflow config list --show-values` prints it; lines
of an environment (`AIRFLOW__CORE__PARALLELISM=8`, which stand over INI, as in Airflow itself). `AIRFLOW_VERSION`, which Airflow's image sets, tells the version.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from windsock.model import Row
from windsock.parse.told.facts import SETTINGS, fact, setting_facts
from windsock.parse.told.helm import chart_settings, looks_like_chart
from windsock.parse.told.rows import Teller

_SECTION = re.compile(r"\[([A-Za-z_][\w.-]*)\]\s*\Z")
_OPTION = re.compile(r"([a-z][a-z0-9_]*)\s*[=:]\s*(.*?)\s*\Z")
_VARIABLE = re.compile(r"(?:export\s+)?AIRFLOW__([A-Z0-9_]+?)__([A-Z0-9_]+)=(.*?)\s*\Z")
_VERSION = re.compile(r"(?:export\s+)?AIRFLOW_VERSION=['\"]?(\d+\.\d+[\w.+-]{0,20})['\"]?\s*\Z")
_SAFE = re.compile(r"[A-Za-z0-9_.,:+%-]{1,80}\Z")
"""A size, a switch, a class: nothing that could hold a password, an address with one, or a text."""


def config_facts(text: str, teller: Teller) -> list[Row]:
    """The allow-listed settings that the text tells, and the version where it does; empty where it tells none."""
    if text.lstrip().startswith("{"):
        try:
            told = json.loads(text)
        except ValueError:
            return []
        return setting_facts(told, teller) if isinstance(told, dict) else []
    if looks_like_chart(text) and (chart := chart_settings(text)):
        return _rows(chart.values, chart.version, teller)
    found, set_outside, version = {}, {}, ""
    section = ""
    for line in text.split("\n"):
        if match := _SECTION.match(line):
            section = match[1]
        elif match := _VARIABLE.match(line):
            set_outside[match[1].lower(), match[2].lower()] = match[3]
        elif match := _VERSION.match(line):
            version = match[1]
        elif match := _OPTION.match(line):
            found[section, match[1]] = match[2]
    return _rows({**found, **set_outside}, version, teller)


def _rows(values: Mapping[tuple[str, str], str], version: str, teller: Teller) -> list[Row]:
    """What the allow-list lets through."""
    rows = [fact("airflow.version", version, teller)] if version else []
    for (name, key), value in sorted(values.items()):
        value = value.strip().strip("'\"")
        if key in SETTINGS.get(name, ()) and _SAFE.match(value):
            rows.append(fact(f"config.{name}.{key}", value, teller))
    return rows
