"""How a setting is written where it is changed: as the deployment's version of Airflow has it, or, where nobody tells the
version, as the newest of Airflow 2 and of Airflow 3 have it. One place for all advice; the names come from the reviewed table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from windsock.findings.held_settings import held_of, shown
from windsock.findings.rule import rows_of
from windsock.model import Answer, Row
from windsock.reviewed.settings import NEWEST, SettingName, names_of, variable

ANSWER = "setting_names"
COLUMNS = ("setting", "airflow", "section", "key", "parameter", "unit")
_TIMES = "seconds"  # parameters of time are timedeltas in the code


def spellings(names: Sequence[SettingName], version: str) -> Answer:
    """The answer that advice is written from: one row per setting and way to write it. `airflow` is the generation (`2`,
    `3`) where both are told and differ, else empty. A setting that this version does not have is not in it."""
    if version:
        known = {"": _current(names, version)}
    else:
        known = {newest[0]: _current(names, newest) for newest in NEWEST}
    rows: list[Row] = []
    for setting in dict.fromkeys(one.setting for one in names):
        ways = {airflow: of[setting] for airflow, of in known.items() if setting in of}
        if len({(one.section, one.key, one.parameter) for one in ways.values()}) == 1:
            ways = {"": next(iter(ways.values()))}
        for airflow, one in ways.items():
            values = (setting, airflow, one.section, one.key, one.parameter, one.unit)
            rows.append(dict(zip(COLUMNS, values, strict=True)))
    return Answer(ANSWER, COLUMNS, tuple(rows))


def has(answers: Mapping[str, Answer], setting: str) -> bool:
    """Whether this version has the setting, or one of the two where the version is not known."""
    return any(True for _ in _ways(answers, setting))


def named(answers: Mapping[str, Answer], setting: str) -> str:
    """`[core] parallelism`; `[scheduler] parsing_processes in Airflow 2, [dag_processor] parsing_processes in Airflow 3`."""
    told = [
        (row["airflow"], f"[{row['section']}] {row['key']}")
        for row in _ways(answers, setting)
        if row["section"]
    ]
    return _either(told) or setting


def in_environment(
    answers: Mapping[str, Answer], setting: str, value: float | str, *, before: float | None = None
) -> dict[str, str]:
    """Both ways as lines to copy: `AIRFLOW__CORE__PARALLELISM=48`, and back to what holds, as Airflow or a file tells it, else
    as seen at work (`before`). What nobody is known to have set is taken away again. Empty where no name is known."""
    names = [
        (row["airflow"], variable(row["section"], row["key"]))
        for row in _ways(answers, setting)
        if row["section"]
    ]
    if not names:
        return {}
    one = held_of(answers).get(setting)
    if one is not None and one.is_told:
        before = one.value
    new = value if isinstance(value, str) else shown(value)
    return {
        "apply": _either([(airflow, f"{name}={new}") for airflow, name in names]),
        "undo": _either(
            [
                (airflow, f"unset {name}" if before is None else f"{name}={shown(before)}")
                for airflow, name in names
            ]
        ),
    }


def in_code(
    answers: Mapping[str, Answer], setting: str, value: Any, before: Any, *, dag_id: str, task_id: str = ""
) -> dict[str, str]:
    """Both ways as the code of a DAG says them: `DAG('d', ..., max_active_tasks=8)`. `before` None: the parameter is taken
    out again. Times are seconds here and timedeltas there."""
    told: dict[str, list[tuple[str, str]]] = {"apply": [], "undo": []}
    for row in _ways(answers, setting):
        _whose, _, name = row["parameter"].partition(".")
        if not name:
            continue
        for way, these in (("apply", value), ("undo", before)):
            argument = f"no {name}" if these is None else f"{name}={_written(these, row['unit'])}"
            told[way].append((row["airflow"], _place(row["parameter"], argument, dag_id, task_id)))
    return {way: _either(lines) for way, lines in told.items() if lines}


def _current(names: Sequence[SettingName], version: str) -> dict[str, SettingName]:
    return {one.setting: one for one in names_of(names, version) if one.status == "current"}


def _ways(answers: Mapping[str, Answer], setting: str) -> Iterator[Row]:
    return (row for row in rows_of(answers, ANSWER) if row["setting"] == setting)


def _either(told: Sequence[tuple[str, str]]) -> str:
    """One text for all, or each with its generation."""
    return ", ".join(f"{text} in Airflow {airflow}" if airflow else text for airflow, text in told)


def _written(value: Any, unit: str) -> str:
    if unit == _TIMES:
        return f"timedelta(seconds={value:.0f})"
    return repr(value) if isinstance(value, bool | str) else f"{value:g}"


def _place(parameter: str, argument: str, dag_id: str, task_id: str) -> str:
    if parameter.startswith("DAG."):
        return f"DAG({dag_id!r}, ..., {argument})"
    return f"task {task_id!r} of {dag_id!r}: {argument}" if task_id else f"tasks of {dag_id!r}: {argument}"
