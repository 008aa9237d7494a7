"""The pipeline file: TOML, values only. Every command validates the whole of it before it does anything.

Secrets never stand in the file: a key that ends in `_env` names the environment variable that holds one.
Precedence: flag, environment (`WINDSOCK_LAKE_URL` is `[lake] url`), file, default.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from windsock.config import settings
from windsock.config.renames import names_of_today, tasks_of_today
from windsock.config.tables import Email, OneOrMany, Pipeline
from windsock.config.validate import bounds, refuse_unknown, validate
from windsock.errors import ConfigError
from windsock.store import Storage

__all__ = ["Config", "Email", "Pipeline", "load"]

_HAS_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://")


class Config(msgspec.Struct, frozen=True):
    """A validated pipeline: the file's values with paths made absolute, and the secrets it names."""

    path: Path
    pipeline: Pipeline
    secrets: dict[str, str]
    origins: dict[str, str] = {}  # dotted key → "file", or the environment variable that gave the value

    def values(self) -> list[tuple[str, Any, str]]:
        """(dotted key, value, origin) of every setting, defaults included."""
        told = msgspec.to_builtins(self.pipeline)
        return [(key, value, self.origins.get(key, "default")) for key, value in settings.flat(told)]

    def url(self, value: str) -> str:
        """An address of the file as an absolute one: relative paths are relative to the file."""
        if not value or _HAS_SCHEME.match(value):
            return value
        return str((self.path.parent / value).resolve())

    def urls(self, value: OneOrMany) -> list[str]:
        """The same for keys that take one address or a list."""
        values = [value] if isinstance(value, str) else value
        return [self.url(one) for one in values if one]

    @property
    def quiet(self) -> list[tuple[datetime, datetime]]:
        """The windows that are never judged: from (inside) until (outside)."""
        return [bounds(window, self.path) for window in self.pipeline.scope.quiet]

    @property
    def renamed(self) -> dict[str, str]:
        """The name of today of each DAG that was renamed, by each name it had before."""
        return names_of_today(self.pipeline.scope.renamed, self.path)

    @property
    def renamed_tasks(self) -> dict[str, str]:
        """The same of tasks: their task_id of today by `dag_id/task_id`, with the DAG's name of today and the task's old one."""
        return tasks_of_today(self.pipeline.scope.renamed, self.path)

    @property
    def storage(self) -> Storage:
        tables = self.pipeline.storage
        return Storage(
            s3_endpoint_url=tables.s3.endpoint_url or None,
            s3_region=tables.s3.region or None,
            s3_profile=tables.s3.profile or None,
            gcs_base_url=tables.gcs.base_url or None,
            gcs_anonymous=tables.gcs.anonymous,
        )

    @property
    def out(self) -> Path:
        """The folder of this deployment's reports. The name becomes one path segment, whatever it holds."""
        name = re.sub(r"[^A-Za-z0-9_.-]", "_", self.pipeline.deployment.name).lstrip(".") or "_"
        return Path(self.url(self.pipeline.report.out)) / name


def load(path: Path, environ: Mapping[str, str] | None = None) -> Config:
    """Read and validate a pipeline file. Errors name the file and the key, and suggest the nearest one."""
    environ = os.environ if environ is None else environ
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot read the pipeline file ({error.strerror}); `windsock init URL` writes one"
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8 text; save the pipeline file as UTF-8") from None
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    origins = {key: "file" for key, _ in settings.flat(raw)}
    origins |= settings.override(raw, Pipeline, environ)
    refuse_unknown(raw, Pipeline, path, "")
    try:
        pipeline = msgspec.convert(raw, Pipeline, strict=True)
    except msgspec.ValidationError as error:
        message = str(error).replace(" - at `$", " - at `").replace("`.", "`")
        raise ConfigError(f"{path}: {message}") from None
    validate(pipeline, path)
    return Config(
        path=path.resolve(), pipeline=pipeline, secrets=_secrets(raw, path, environ), origins=origins
    )


def _secrets(raw: Mapping[str, Any], path: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment variables that the file names, by variable name; a missing one is an error now, not later."""
    found: dict[str, str] = {}
    for key, value in raw.items():
        if isinstance(value, dict):
            found |= _secrets(value, path, environ)
        elif key.endswith("_env") and isinstance(value, str) and value:
            if value not in environ:
                raise ConfigError(
                    f"{path}: {key} names ${value}, which is not set; export {value}=… and try again"
                )
            found[value] = environ[value]
    return found
