"""The pipeline file: TOML, values only. Every command validates the whole of it before it does anything.

Secrets never stand in the file: a key that ends in `_env` names the environment variable that holds one.
Precedence: flag, environment (`WINDSOCK_LAKE_URL` is `[lake] url`), file, default.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from windsock.config import settings
from windsock.errors import ConfigError
from windsock.matchers import parse_match
from windsock.store import Storage

Struct = msgspec.Struct
OneOrMany = str | list[str]


class Deployment(Struct, frozen=True, forbid_unknown_fields=True):
    """Which Airflow this is: its name stands in subjects, in report.json and in the lake."""

    name: str
    base_url: str = ""


class TaskLogs(Struct, frozen=True, forbid_unknown_fields=True):
    """Task logs as remote logging wrote them."""

    url: OneOrMany
    lines: Literal["errors", "warnings", "all"] = "errors"
    filename_template: str = ""
    timezone: str = "UTC"
    max_objects: int = 2_000_000


class ComponentLogs(Struct, frozen=True, forbid_unknown_fields=True):
    """Output of scheduler, dag-processor, triggerer and workers."""

    url: OneOrMany


class Metrics(Struct, frozen=True, forbid_unknown_fields=True):
    """Metric snapshots in a bucket or folder, a Prometheus server, a live endpoint for `windsock snapshot`."""

    url: OneOrMany = ""
    snapshot_url: str = ""
    prometheus: str = ""
    match: str = ""
    headers_env: str = ""
    token_command: str = ""
    scrape: str = ""


class AirflowApi(Struct, frozen=True, forbid_unknown_fields=True):
    """The Airflow REST API, v1 or v2."""

    url: str
    token_env: str = ""
    token_command: str = ""
    username_env: str = ""
    password_env: str = ""


class AirflowConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Airflow's configuration as files: airflow.cfg, `airflow config list --show-values`, or its environment. Only sizes
    and limits are kept of them, by an allow-list."""

    url: OneOrMany


class AirflowDb(Struct, frozen=True, forbid_unknown_fields=True):
    """The Airflow metadata database, read-only."""

    url_env: str


class Sources(Struct, frozen=True, forbid_unknown_fields=True):
    """Where windsock reads. Each input is optional, each alone is useful."""

    task_logs: TaskLogs | None = None
    component_logs: ComponentLogs | None = None
    metrics: Metrics | None = None
    airflow_api: AirflowApi | None = None
    airflow_config: AirflowConfig | None = None
    airflow_db: AirflowDb | None = None


class S3(Struct, frozen=True, forbid_unknown_fields=True):
    """How to reach S3; unset values come from the usual AWS chain."""

    endpoint_url: str = ""
    region: str = ""
    profile: str = ""


class Gcs(Struct, frozen=True, forbid_unknown_fields=True):
    """How to reach Google Cloud Storage; application default credentials otherwise."""

    base_url: str = ""
    anonymous: bool = False


class StorageTables(Struct, frozen=True, forbid_unknown_fields=True):
    s3: S3 = S3()
    gcs: Gcs = Gcs()


class LakeConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the Parquet goes."""

    url: str = "./lake"
    shards: int = 1
    memory_mb: int = 512


class Quiet(Struct, frozen=True, forbid_unknown_fields=True, rename={"from_at": "from", "until_at": "until"}):
    """A window that is never judged, with the reason shown in the report."""

    from_at: str
    until_at: str
    reason: str = ""


class Scope(Struct, frozen=True, forbid_unknown_fields=True):
    """What is read and stored but not judged."""

    exclude: list[str] = []
    quiet: list[Quiet] = []
    renamed: dict[str, str] = {}  # new dag_id -> the one it had before


class Pool(Struct, frozen=True, forbid_unknown_fields=True):
    """A bound on advice about one pool."""

    max_slots: int | None = None
    protects: str = ""


class LogBill(Struct, frozen=True, forbid_unknown_fields=True):
    """What the bucket of the task logs costs; unset prices are list prices of its kind (`sql/log_bill/list_prices.csv`)."""

    storage_gb_month: float | None = None
    put_1000: float | None = None
    get_1000: float | None = None
    currency: str = ""


class Report(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the report goes and what may leave."""

    out: str = "./reports/out"
    samples: bool = True
    hash_ids: bool = False
    accepted: str = ""
    url: str = ""  # where readers find the delivered files; mail and Slack then link to the page


class Email(Struct, frozen=True, forbid_unknown_fields=True, rename={"sender": "from"}):
    """Mail by SMTP, or by Amazon SES with `ses = true`."""

    to: list[str]
    sender: str = "windsock@localhost"
    smtp_host: str = "localhost"
    smtp_port: int = 25
    starttls: bool = False
    tls: bool = False
    username_env: str = ""
    password_env: str = ""
    ses: bool = False
    region: str = ""  # of SES
    ca_file: str = ""  # certificates to trust besides the system's, for a server of your own
    owners: bool = True  # owners that are mail addresses get their own slice


class Slack(Struct, frozen=True, forbid_unknown_fields=True):
    """A Slack incoming webhook."""

    webhook_env: str


class Files(Struct, frozen=True, forbid_unknown_fields=True):
    """A folder or bucket that keeps every week's report."""

    url: str


class Deliver(Struct, frozen=True, forbid_unknown_fields=True):
    """Who gets the report."""

    email: Email | None = None
    slack: Slack | None = None
    files: Files | None = None


class Pipeline(Struct, frozen=True, forbid_unknown_fields=True):
    """One deployment's pipeline file, as written. Headings stand in story order."""

    deployment: Deployment
    sources: Sources = Sources()
    storage: StorageTables = StorageTables()
    lake: LakeConfig = LakeConfig()
    scope: Scope = Scope()
    checks: dict[str, float] = {}
    findings: dict[str, dict[str, float]] = {}
    owners: dict[str, str] = {}
    pools: dict[str, Pool] = {}
    log_bill: LogBill = LogBill()
    report: Report = Report()
    deliver: Deliver = Deliver()


_CODE = re.compile(r"WS[1-9]\d\d")
_HAS_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://")


class Config(Struct, frozen=True):
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
        return [_bounds(window, self.path) for window in self.pipeline.scope.quiet]

    @property
    def renamed(self) -> dict[str, str]:
        """The name of today of each DAG that was renamed, by each name it had before."""
        return _names_of_today(self.pipeline.scope.renamed, self.path)

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
    _refuse_unknown(raw, Pipeline, path, "")
    try:
        pipeline = msgspec.convert(raw, Pipeline, strict=True)
    except msgspec.ValidationError as error:
        message = str(error).replace(" - at `$", " - at `").replace("`.", "`")
        raise ConfigError(f"{path}: {message}") from None
    _validate(pipeline, path)
    return Config(
        path=path.resolve(), pipeline=pipeline, secrets=_secrets(raw, path, environ), origins=origins
    )


def _refuse_unknown(raw: Mapping[str, Any], struct: Any, path: Path, heading: str) -> None:
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
                    _refuse_unknown(table, inner, path, f"{below}.{name}")
        else:
            for table in value if isinstance(value, list) else [value]:
                if isinstance(table, dict):
                    _refuse_unknown(table, inner, path, below)


def _struct_in(kind: Any) -> Any:
    """The Struct inside an annotation (`X | None`, `dict[str, X]`), if there is one."""
    for one in (kind, *get_args(kind)):
        if isinstance(one, type) and issubclass(one, Struct):
            return one
    return None


def _validate(pipeline: Pipeline, path: Path) -> None:
    if not pipeline.deployment.name.strip():
        raise ConfigError(f'{path}: [deployment] name is empty; name this Airflow, for example "prod"')
    if pipeline.lake.shards < 1:
        raise ConfigError(f"{path}: [lake] shards is {pipeline.lake.shards}; it must be 1 or more")
    if pipeline.lake.memory_mb < 256:
        raise ConfigError(f"{path}: [lake] memory_mb is {pipeline.lake.memory_mb}; below 256 nothing can run")
    _validate_email(pipeline.deliver.email, path)
    if pipeline.report.url and not pipeline.report.url.startswith(("https://", "http://")):
        raise ConfigError(f"{path}: [report] url is no http(s) address; readers are to open it in a browser")
    for window in pipeline.scope.quiet:
        _bounds(window, path)
    _names_of_today(pipeline.scope.renamed, path)
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


def _names_of_today(renamed: Mapping[str, str], path: Path) -> dict[str, str]:
    """Old name → today's, through any number of renames. One old name cannot have become two, nor a name itself."""
    newer: dict[str, str] = {}
    for new, old in renamed.items():
        if old in newer:
            raise ConfigError(
                f"{path}: [scope] renamed says that {old!r} became {newer[old]!r} and {new!r}; name one"
            )
        newer[old] = new
    found = {}
    for old in newer:
        today, steps = newer[old], 0
        while today in newer and steps <= len(newer):
            today, steps = newer[today], steps + 1
        if today in newer:
            raise ConfigError(
                f"{path}: [scope] renamed goes in a circle at {old!r}; leave out the name that is gone"
            )
        found[old] = today
    return found


def _bounds(window: Quiet, path: Path) -> tuple[datetime, datetime]:
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
