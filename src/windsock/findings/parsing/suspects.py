"""Which change came with a step of parse time: the version that first appeared in its interval. Correlation, not proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from windsock.findings.methods.change_points import Change
from windsock.findings.rule import rows_of
from windsock.model import Answer, Row

LATE = timedelta(hours=6)
"""A version shows in a task log only when a task of its bundle next runs, hours after the processor parsed it."""
STORED = timedelta(minutes=2)
"""A DAG version is stored at the end of the parse that found it."""


def interval_of(samples: Sequence[Row], step: Change) -> tuple[datetime, datetime]:
    """From the last parse surely before the change to the first one surely after it."""
    last = min(step.last, len(samples) - 1)
    return samples[max(step.first - 1, 0)]["parsed_at"], samples[last]["parsed_at"]


def suspect_of(samples: Sequence[Row], step: Change, answers: Mapping[str, Answer]) -> str | None:
    """The bundle version whose first appearance lies in the interval: in the file's own parses, else in its bundle's,
    else the first one that appeared soon after. Without any, the DAG version of the file.
    """
    before = {row["bundle_version"] for row in samples[: step.first]}
    for row in samples[step.first : min(step.last, len(samples) - 1) + 1]:
        if row["bundle_version"] and row["bundle_version"] not in before:
            return str(row["bundle_version"])
    start, end = interval_of(samples, step)
    near = sorted(
        (not start <= row["first_at"] <= end, row["first_at"], row["bundle_version"])
        for row in _versions(answers, samples[0]["bundle_name"])
        if start <= row["first_at"] <= end + LATE and row["bundle_version"] not in before
    )
    return str(near[0][2]) if near else _dag_version(samples[0], (start, end + STORED), answers)


def has_versions(answers: Mapping[str, Answer], bundle: str) -> bool:
    """Whether the bundle names its versions at all; a local one does not."""
    return bool(_versions(answers, bundle))


def _versions(answers: Mapping[str, Answer], bundle: str) -> list[Row]:
    return [
        row for row in rows_of(answers, "bundle_versions") if not bundle or row["bundle_name"] in ("", bundle)
    ]


def _dag_version(file: Row, interval: tuple[datetime, datetime], answers: Mapping[str, Answer]) -> str | None:
    """A DAG's new structure: of the DAGs that the file is known to hold, else of the one that is named like it."""
    stem = PurePosixPath(file["dag_file"]).stem
    for row in rows_of(answers, "dag_versions"):
        is_his = (
            PurePosixPath(row["dag_file"]).stem == stem if row["dag_file"] else row["dag_id"] == stem
        ) and (not file["bundle_name"] or row["bundle_name"] in ("", file["bundle_name"]))
        if is_his and row["version_number"] > 1 and interval[0] <= row["first_at"] <= interval[1]:
            return f"{row['dag_id']} version {row['version_number']}"
    return None
