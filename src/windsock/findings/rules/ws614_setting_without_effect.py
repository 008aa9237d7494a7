"""WS614."""

from collections.abc import Mapping
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Verdicts, rows_of
from windsock.findings.settings import FROM, missing
from windsock.model import Answer, Row
from windsock.week import Week


class SettingWithoutEffect(Rule):
    """Settings stand under names that this version of Airflow passes over without a word.

    What it means: somebody chose a value, an upgrade moved the setting, and Airflow's default holds since. `[scheduler]
    parsing_processes = 8` parses with 2 processes in Airflow 3.
    How it is judged: names that a file tells, or the API, against the reviewed table `sql/settings/settings.csv` for the
    version; only those whose value differs from the one that holds. A name that Airflow still reads, with a warning, is
    counted beside and is no finding. The environment of a container is seen only where the file is its `env`.
    What to do: move each to its new name, after a look at what the chosen value was for: the deployment has run without it.
    """

    code, name, section = "WS614", "setting-without-effect", "settings"
    questions = ("settings_told", *FROM[1:])

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts(no_data=missing(answers))
        rows = rows_of(answers, "settings_unread")
        verdicts.judged += len(rows)
        dead = [row for row in rows if row["status"] == "ignored" and _differs(row)]
        if not dead:
            return verdicts
        first = dead[0]
        told = [
            f"[{row['section']}] {row['key']} = {row['setting_value']}: {row['value_now'] or 'none'} holds, by [{row['section_now']}] "
            f"{row['key_now']}"
            for row in dead
        ]
        verdicts.findings.append(
            cls.finding(
                subject={"setting": "ignored"},
                severity="watch",
                headline=f"{wording.plural(len(dead), 'setting')} without effect in Airflow {first['airflow_version']}: "
                f"{wording.names([row['key'] for row in dead])}",
                evidence={
                    "settings": told,
                    "still_read": [
                        f"[{row['section']}] {row['key']}" for row in rows if row["status"] == "still_read"
                    ],
                    "apply": "; ".join(f"{row['variable_now']}={row['setting_value']}" for row in dead),
                    "undo": "; ".join(f"unset {row['variable_now']}" for row in dead),
                },
                advice="Move each to its new name, or take it out: "
                + "; ".join(told[:3])
                + ". The deployment has run without these values: change one at a time.",
                rank=float(len(dead)),
            )
        )
        return verdicts


def _differs(row: Row) -> bool:
    """Whether the value that was meant is another one than holds; `30` and `30.0` are one."""
    try:
        return float(row["setting_value"]) != float(row["value_now"])
    except (TypeError, ValueError):
        return str(row["setting_value"]) != str(row["value_now"] or "")
