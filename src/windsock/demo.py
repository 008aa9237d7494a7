"""The main job on the sample fleet: a pipeline file is written beside the report, and everything stays offline."""

from __future__ import annotations

import os
import shutil
from datetime import datetime
from pathlib import Path

from windsock import config, resources
from windsock.config import Config
from windsock.errors import LakeError
from windsock.week import Week

WEEK = Week.parse("2026-W47")
"""The week in which the sample fleet's planted faults show (data/sample/fleet/README.md)."""


def prepare(out: Path) -> tuple[Config, Week]:
    """Lay the sample bucket out below `out`, write `demo.toml` beside it, and load that. Safe to run again."""
    sample = resources.folder("sample") / "fleet"
    if not (sample / "objects.tsv").is_file():
        raise LakeError(
            f"{sample}: the sample data are missing; install windsock again, or run from a checkout"
        )
    path = out.resolve() / "demo.toml"
    try:
        _lay_out(sample, path.parent / "sample-bucket")
        path.write_text(TEXT, encoding="utf-8")
    except OSError as error:
        raise LakeError(
            f"{path}: cannot be written ({error.strerror}); choose another folder with --out"
        ) from None
    return config.load(path, {}), WEEK


def _lay_out(sample: Path, bucket: Path) -> None:
    """Copy with the times of upload: neither git nor a wheel keeps them, and they decide what a pull reads."""
    for line in (sample / "objects.tsv").read_text(encoding="utf-8").splitlines():
        path, _, stamp = line.partition("\t")
        target, at = bucket / path, datetime.fromisoformat(stamp).timestamp()
        if not target.exists() or target.stat().st_mtime != at:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(sample / path, target)
            os.utime(target, (at, at))


TEXT = """# Written by `windsock demo`; the sample fleet and its planted faults are described in its README.
[deployment]
name = "sample"

[sources.task_logs]
url = "sample-bucket/task_logs"

[sources.component_logs]
url = "sample-bucket/component_logs"

[sources.metrics]
url = "sample-bucket/metrics"

[sources.airflow_config]
url = "sample-bucket/airflow.cfg"

[lake]
url = "lake"

[owners]
"finance_*" = "finance-data@example.com"

[report]
out = "."
"""
