"""The Helm chart's values.yaml → Airflow's settings, as the chart would hand them to Airflow.

`config` becomes airflow.cfg, `env` (of all, then of the scheduler) stands over it, `executor` is the chart's own name for
`[core] executor`, and the version is that of the image. Only plain values are taken: a template of Helm tells nothing until
it is rendered, and what comes from a secret (`valueFrom`, `extraSecrets`) is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from io import StringIO
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

_LOOKS = re.compile(r"^(?:config|env|executor|airflowVersion|defaultAirflowTag|images):", re.MULTILINE)
_VARIABLE = re.compile(r"AIRFLOW__([A-Z0-9_]+?)__([A-Z0-9_]+)\Z")
_VERSION = re.compile(r"v?(\d+\.\d+(?:\.\d+)?)(?:\Z|[-+_.])")
"""Tags may go on with what is special about the image: `2.10.5-python3.11`."""


class Chart(NamedTuple):
    """Values by (section, key), and the version (may be empty)."""

    values: dict[tuple[str, str], str]
    version: str


def looks_like_chart(text: str) -> bool:
    """Whether a text has one of the chart's own words where YAML has its top level."""
    return _LOOKS.search(text) is not None


def chart_settings(text: str) -> Chart | None:
    """None where it is no YAML mapping."""
    try:
        told = YAML(typ="safe", pure=True).load(StringIO(text))
    except (YAMLError, ValueError, RecursionError, TypeError):
        return None
    if not isinstance(told, Mapping):
        return None
    values: dict[tuple[str, str], str] = {}
    if executor := _plain(told.get("executor")):
        values["core", "executor"] = executor
    for section, options in _of(told, "config").items():
        for key, value in options.items() if isinstance(options, Mapping) else ():
            if text := _plain(value):
                values[str(section).lower(), str(key).lower()] = text
    for name, value in (*_environment(told), *_environment(_of(told, "scheduler"))):
        if match := _VARIABLE.match(name):
            values[match[1].lower(), match[2].lower()] = value
    tags = (
        _of(_of(told, "images"), "airflow").get("tag"),
        told.get("airflowVersion"),
        told.get("defaultAirflowTag"),
    )
    versions = (match[1] for tag in tags if (match := _VERSION.match(_plain(tag))))
    return Chart(values, next(versions, ""))


def _of(told: Mapping[Any, Any], key: str) -> Mapping[Any, Any]:
    found = told.get(key)
    return found if isinstance(found, Mapping) else {}


def _environment(told: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    """Names and plain values of an `env` list."""
    entries = told.get("env")
    for one in entries if isinstance(entries, list) else ():
        if isinstance(one, Mapping) and (value := _plain(one.get("value"))):
            yield str(one.get("name")), value


def _plain(value: object) -> str:
    """A scalar as Airflow reads it; a template, a list, nothing: empty."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, str | int | float):
        return "" if "{{" in str(value) else str(value)
    return ""
