"""Finished reports on disk and their lakes, ready to be sent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.report.made import WEEK, finding, page
from windsock import config as configs
from windsock.config import Config
from windsock.model import Finding
from windsock.pull import open_lake
from windsock.report import write_report


def deployment(
    folder: Path,
    deliver: str,
    *,
    name: str = "prod",
    findings: list[Finding] | None = None,
    environ: Mapping[str, str] | None = None,
    more: str = "",
    owner_of: Mapping[str, str] | None = None,
) -> Config:
    """A pipeline file, an empty lake of its own and a written report of week 47."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.toml"
    path.write_text(
        f"[deployment]\nname = '{name}'\n[lake]\nurl = 'lake-{name}'\n[report]\nout = 'out'\n{more}\n{deliver}"
    )
    config = configs.load(path, environ or {})
    open_lake(config, create=True)

    def named(fields: dict[str, Any]) -> None:
        fields |= {"deployment": name, "owner_of": owner_of or {}}

    write_report(config.out / str(WEEK), page([finding()] if findings is None else findings, change=named))
    return config


def email(port: int, *, to: str = "ops@example.com", more: str = "") -> str:
    """The [deliver.email] table for a server on this machine."""
    return f"[deliver.email]\nto = ['{to}']\nsmtp_host = '127.0.0.1'\nsmtp_port = {port}\n{more}"
