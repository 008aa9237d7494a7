"""The tables of the pipeline file, one class each; headings stand in story order."""

from __future__ import annotations

from typing import Literal

import msgspec

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
    dags_in_detail: int = 500  # of how many DAGs a pull reads the tasks: two requests each; 0: of none


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
    # new dag_id -> the one it had before; dag_id/new task_id -> its task_id before
    renamed: dict[str, str] = {}


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
