"""The settings of a made week: what a file tells of them, in one version of Airflow."""

from collections.abc import Mapping, Sequence

from windsock import resources
from windsock.findings.settings import settings_answers
from windsock.model import Answer, Row
from windsock.reviewed.settings import load_settings

NAMES = load_settings(resources.folder("sql"))


def week_of_settings(
    version: str = "3.3.2", told: Mapping[str, object] | None = None, **rows: Sequence[Row]
) -> dict[str, Answer]:
    """The answers of a week with its settings, `told` by a file as `section.key`; no version: nobody and nothing tells it."""
    facts = [
        {
            "key": f"config.{key}",
            "setting_value": str(value),
            "told_by": "file",
            "seen_at": None,
            "since_at": None,
        }
        for key, value in (told or {}).items()
    ]
    seen = {
        "airflow_version": version,
        "major_version": None,
        "has_parse_times": False,
        "executor": None,
        "hosts": 1,
    }
    given = {"settings_told": facts, "airflow_seen": [seen], **rows}
    answers = {
        name: Answer(name, tuple(these[0]) if these else (), tuple(these)) for name, these in given.items()
    }
    return answers | settings_answers(answers, NAMES)
