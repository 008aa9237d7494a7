"""Airflow's own templates of log keys, and which of them a key comes nearest to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

TEMPLATES = {
    "2.3 and newer": "dag_id={{ ti.dag_id }}/run_id={{ ti.run_id }}/task_id={{ ti.task_id }}/attempt={{ try_number }}.log",
    "1.10 to 2.2": "{{ ti.dag_id }}/{{ ti.task_id }}/{{ ts }}/{{ try_number }}.log",
}
"""Airflow's own `[logging] log_filename_template`, by version."""
_SHAPES = {
    "2.3 and newer": ("dag_id=", "run_id=", "task_id=", "attempt=.log"),
    "1.10 to 2.2": ("name", "name", "time", "0.log"),
}


def nearest(paths: Sequence[str]) -> tuple[str, str, str]:
    """(key, version, template): the key that comes nearest to a template of Airflow's, part by part from its end."""

    def likeness(path: str, version: str) -> float:
        parts = [_shape(one) for one in path.split("/")[-4:]]
        return SequenceMatcher(a=parts, b=_SHAPES[version], autojunk=False).ratio()

    score, path, version = max(
        ((likeness(path, version), path, version) for path in paths for version in TEMPLATES),
        key=lambda one: (one[0], one[2], one[1]),
    )
    return path, version, TEMPLATES[version] if score > 0 else ""


def _shape(part: str) -> str:
    """What a part of a key is like: its label, a time, a number, or a name."""
    label, equals, _ = part.partition("=")
    if equals:
        return f"{label}={'.log' if part.endswith('.log') else ''}"
    if re.match(r"\d{4}-?\d\d-?\d\d", part):
        return "time"
    return re.sub(r"\d+", "0", part) if part.endswith(".log") else "name"
