"""The main job on the sample fleet: a pipeline file is written beside the report, and everything stays offline."""

from __future__ import annotations

from pathlib import Path

from windsock import config, resources
from windsock.config import Config
from windsock.errors import LakeError
from windsock.week import Week

WEEK = Week.parse("2026-W47")
"""The week in which the sample fleet's planted faults show (data/sample/fleet/README.md)."""


def prepare(out: Path) -> tuple[Config, Week]:
    """Write `demo.toml` into `out` and load it. Running it again finds the lake filled."""
    sample = resources.folder("sample") / "fleet"
    if not sample.is_dir():
        raise LakeError(f"{sample}: the sample data are missing; install windsock again, or run from a checkout")
    path = out.resolve() / "demo.toml"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_text(sample.resolve()), encoding="utf-8")
    except OSError as error:
        raise LakeError(f"{path}: cannot be written ({error.strerror}); choose another folder with --out") from None
    return config.load(path, {}), WEEK


def _text(sample: Path) -> str:
    def quoted(place: Path) -> str:
        return "'''" + str(place) + "'''"

    sources = [f"[sources.task_logs]\nurl = {quoted(sample / 'task_logs')}\n"]
    if (sample / "metrics").is_dir():
        sources.append(f"[sources.metrics]\nurl = {quoted(sample / 'metrics')}\n")
    return (
        "# Written by `windsock demo`; the sample fleet and its planted faults are described in its README.\n"
        '[deployment]\nname = "sample"\n\n' + "\n".join(sources) + "\n"
        '[lake]\nurl = "lake"\n\n[owners]\n"finance_*" = "finance-data@example.com"\n\n[report]\nout = "."\n'
    )
