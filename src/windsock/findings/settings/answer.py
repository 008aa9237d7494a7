"""The week's settings as answers: each setting of this version with its value and its use; names that no longer count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from windsock.findings.held_settings import ASSUMED, FILE, IN_CODE, TOLD, held_of, number
from windsock.findings.how_to_set import spellings
from windsock.findings.rule import rows_of
from windsock.findings.settings.lower import lower
from windsock.findings.settings.told import NEVER
from windsock.findings.settings.use import QUESTIONS as USES
from windsock.findings.settings.use import used
from windsock.model import Answer, Row
from windsock.reviewed.settings import SettingName, names_of, plain

FROM = ("settings_told", "airflow_seen")  # what every rule of settings reads
QUESTIONS = (*FROM, *USES)
ANSWERS = ("settings_of_week", "settings_unread")
_COLUMNS = ("setting", "section", "key", "variable", "setting_value", "default_value", "origin", "unit", "scope", "bounds",
            "since_at", "told_as", "stands", "because", "lower_to", "lower_because", "airflow_version")  # fmt: skip
_UNREAD = ("section", "key", "setting_value", "status", "section_now", "key_now", "variable_now", "value_now", "default_value",
           "airflow_version")  # fmt: skip
_ASSUMED_VERSIONS = {2: "2.11", 3: "3.0"}
"""Where only logs tell: settings and defaults are the same from 2.9 to 2.11 and in 3.x."""
_LOGS_TELL = "3.3"


def settings_answers(answers: Mapping[str, Answer], names: Sequence[SettingName]) -> dict[str, Answer]:
    """`settings_of_week`, `settings_unread` and `setting_names` (how advice writes each). Without any hint of the version
    the first two are empty: no default is assumed."""
    seen = next(iter(rows_of(answers, "airflow_seen")), {})
    version = _version(seen)
    told = {row["key"]: row for row in rows_of(answers, "settings_told")}
    known = names_of(names, version)
    held: dict[str, Row] = {}
    for one in known:
        if one.status == "current" and _concerns_executor(
            one, str(seen.get("executor") or ""), is_told=one.fact in told
        ):
            held[one.setting] = _row(one, _telling(one, known, told), version)
    numbers = {name: _number(row["setting_value"]) for name, row in held.items()}
    how = spellings(names, version)
    made = Answer("settings_of_week", _COLUMNS, tuple(held.values()))
    with_settings = {**answers, "settings_of_week": made}
    as_held = held_of(with_settings)
    for name, row in held.items():
        row["stands"], row["because"] = used(name, numbers, with_settings)
        if row["stands"] == NEVER and (found := lower(as_held[name], with_settings)):
            row["lower_to"], row["lower_because"] = found
    unread = [
        _unread(one, held[one.setting], told[one.fact], version)
        for one in known
        if one.status != "current" and one.fact in told and one.setting in held
    ]
    return {
        how.question: how,
        "settings_of_week": made,
        "settings_unread": Answer("settings_unread", _UNREAD, tuple(unread)),
    }


def _number(text: object) -> float | None:
    """Also of switches: 1 is on."""
    return {"true": 1.0, "false": 0.0}.get(str(text).lower(), number(text))


def _version(seen: Mapping[str, object]) -> str:
    """As told, else the lowest that the logs allow."""
    if told := plain(str(seen.get("airflow_version") or "")):
        return told
    if seen.get("has_parse_times"):
        return _LOGS_TELL
    major = seen.get("major_version")
    return _ASSUMED_VERSIONS.get(major, "") if isinstance(major, int) else ""


def _concerns_executor(one: SettingName, executor: str, *, is_told: bool) -> bool:
    """Where nobody tells the executor, who sets something of Celery's runs it."""
    return one.section != "celery" or "celery" in executor.lower() or (is_told and not executor)


def _telling(
    one: SettingName, known: Sequence[SettingName], told: Mapping[str, Row]
) -> tuple[Row | None, str]:
    """Who tells the value, and the old name where it stands under one that is still read. Airflow takes the old name
    only where the new one is not set; an API tells both alike then."""
    if one.fact in told:
        return told[one.fact], ""
    for old in known:
        if old.setting == one.setting and old.status == "still_read" and old.fact in told:
            return told[old.fact], f"[{old.section}] {old.key}"
    return None, ""


def _row(one: SettingName, telling: tuple[Row | None, str], version: str) -> Row:
    row, told_as = telling
    origin = IN_CODE if not one.section else ASSUMED
    if row is not None:
        origin = FILE if row["told_by"] == "file" else TOLD
    values = (one.setting, one.section, one.key, one.variable if one.section else "",
              row["setting_value"] if row else one.default or None, one.default or None, origin, one.unit, one.scope,
              one.bounds, row["since_at"] if row else None, told_as, "", "", None, "", version)  # fmt: skip
    return dict(zip(_COLUMNS, values, strict=True))


def _unread(one: SettingName, held: Row, told: Row, version: str) -> Row:
    values = (one.section, one.key, told["setting_value"], one.status, held["section"], held["key"], held["variable"],
              held["setting_value"], held["default_value"], version)  # fmt: skip
    return dict(zip(_UNREAD, values, strict=True))
