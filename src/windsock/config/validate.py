"""What a pipeline file may not say: unknown keys, values that cannot be meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from windsock.config.renames import tasks_of_today
from windsock.config.tables import Email, Pipeline, Quiet, Struct
from windsock.errors import ConfigError
from windsock.matchers import parse_match

_CODE = re.compile(r"WS[1-9]\d\d")


def refuse_unknown(raw: Mapping[str, Any], struct: Any, path: Path, heading: str) -> None:
    """Name the unknown key and the nearest known one; msgspec alone would name only the key."""
    types = get_type_hints(struct)
    known = {field.encode_name: types[field.name] for field in msgspec.structs.fields(struct)}
    for key, value in raw.items():
        where = f"[{heading}] " if heading else ""
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            hint = f"; did you mean '{near[0]}'?" if near else f"; known keys: {', '.join(known)}"
            raise ConfigError(f"{path}: {where}has no key '{key}'{hint}")
        inner = _struct_in(known[key])
        if inner is None:
            continue
        below = f"{heading}.{key}" if heading else key
        if get_origin(known[key]) is dict:
            for name, table in value.items() if isinstance(value, dict) else ():
                if isinstance(table, dict):
                    refuse_unknown(table, inner, path, f"{below}.{name}")
        else:
            for table in value if isinstance(value, list) else [value]:
                if isinstance(table, dict):
                    refuse_unknown(table, inner, path, below)


def _struct_in(kind: Any) -> Any:
    """The Struct inside an annotation (`X | None`, `dict[str, X]`), if there is one."""
    for one in (kind, *get_args(kind)):
        if isinstance(one, type) and issubclass(one, Struct):
            return one
    return None


def validate(pipeline: Pipeline, path: Path) -> None:
    """Refuse values that cannot be meant, each with its key and how to mend it."""
    if not pipeline.deployment.name.strip():
        raise ConfigError(f'{path}: [deployment] name is empty; name this Airflow, for example "prod"')
    if pipeline.lake.shards < 1:
        raise ConfigError(f"{path}: [lake] shards is {pipeline.lake.shards}; it must be 1 or more")
    if pipeline.lake.memory_mb < 256:
        raise ConfigError(f"{path}: [lake] memory_mb is {pipeline.lake.memory_mb}; below 256 nothing can run")
    api = pipeline.sources.airflow_api
    if api is not None and api.dags_in_detail < 0:
        raise ConfigError(
            f"{path}: [sources.airflow_api] dags_in_detail is {api.dags_in_detail}; it must be 0 (of no DAG) or more"
        )
    _validate_email(pipeline.deliver.email, path)
    if pipeline.report.url and not pipeline.report.url.startswith(("https://", "http://")):
        raise ConfigError(f"{path}: [report] url is no http(s) address; readers are to open it in a browser")
    for window in pipeline.scope.quiet:
        bounds(window, path)
    tasks_of_today(pipeline.scope.renamed, path)
    for name, pool in pipeline.pools.items():
        if pool.max_slots is not None and pool.max_slots < 1:
            raise ConfigError(f"{path}: [pools.{name}] max_slots is {pool.max_slots}; it must be 1 or more")
    if pipeline.sources.metrics:
        try:
            parse_match(pipeline.sources.metrics.match)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from None
    for code in pipeline.findings:
        if not _CODE.fullmatch(code):
            raise ConfigError(f"{path}: [findings.{code}]: not a finding code such as WS101")


def _validate_email(email: Email | None, path: Path) -> None:
    if email is None:
        return
    if email.starttls and email.tls:
        raise ConfigError(f"{path}: [deliver.email] starttls and tls exclude each other; port 465 wants tls")
    if bool(email.username_env) != bool(email.password_env):
        raise ConfigError(f"{path}: [deliver.email] username_env and password_env go together")
    is_here = email.smtp_host in ("localhost", "127.0.0.1", "::1")
    if email.username_env and not (email.starttls or email.tls or is_here):
        raise ConfigError(
            f"{path}: [deliver.email] would send the password in the clear to {email.smtp_host}; set starttls or tls"
        )


def bounds(window: Quiet, path: Path) -> tuple[datetime, datetime]:
    """The window's ends as instants. A time without a zone could mean two, so it is an error."""
    ends = []
    for key, value in (("from", window.from_at), ("until", window.until_at)):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise ConfigError(
                f"{path}: [scope] quiet {key} = {value!r} is no time with a zone; write it as 2026-11-20T22:00Z"
            )
        ends.append(moment.astimezone(UTC))
    if ends[1] <= ends[0]:
        raise ConfigError(
            f"{path}: [scope] quiet ends ({window.until_at}) before it begins ({window.from_at})"
        )
    return ends[0], ends[1]
