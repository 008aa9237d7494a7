"""The lake's contract as data: tables, columns, types, sort keys. Views, writer, checks and docs all read this."""

from __future__ import annotations

from dataclasses import dataclass

TEXT, TIME, LONG, INT, DOUBLE, LABELS, TEXTS = (
    "string",
    "timestamp[us, UTC]",
    "int64",
    "int32",
    "double",
    "map<string, string>",
    "list<string>",
)

ATTEMPT_KEY = ("dag_id", "run_id", "task_id", "map_index", "try_number")


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the lake. `anchor` is the column whose UTC week the row belongs to (DESIGN 3: the diamond)."""

    name: str
    one_row_is: str
    columns: dict[str, str]
    anchor: str
    sort_key: tuple[str, ...]
    is_daily: bool = False  # one file per day inside the week


def _columns(spec: str) -> dict[str, str]:
    """Read `name name:type name` (a bare name is text); every table ends with the handle for replacement."""
    columns: dict[str, str] = {}
    types = {"t": TIME, "l": LONG, "i": INT, "d": DOUBLE, "map": LABELS, "texts": TEXTS}
    for word in spec.split():
        name, _, short = word.partition(":")
        columns[name] = types[short] if short else TEXT
    columns.setdefault("object_url", TEXT)
    columns.setdefault("read_at", TIME)
    return columns


_FIVE = "dag_id run_id task_id map_index:i try_number:i "

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            "task_logs",
            "one task-attempt log object",
            _columns(
                _FIVE
                + "state state_reason started_at:t ended_at:t exception_type exception_message error_signature "
                "record_count:l warning_count:l error_count:l process_starts:l log_bytes:l bundle_name bundle_version "
                "dag_file dag_file_parse_s:d bundle_prepare_s:d hostname dialect object_url object_etag "
                "object_modified_at:t logical_date:t operator read_path blame owner deferred_s:d rescheduled_s:d away:texts "
                "connections:texts"
            ),
            "started_at",
            (*ATTEMPT_KEY, "object_url"),
        ),
        Table(
            "task_instances",
            "one try as API, database or component log tells it",
            _columns(
                _FIVE
                + "state max_tries:i operator pool pool_slots:i queue executor priority_weight:l hostname "
                "scheduled_at:t queued_at:t started_at:t ended_at:t anchor_at:t source is_history:i told_at:t"
            ),
            "anchor_at",
            ATTEMPT_KEY,
        ),
        Table(
            "dag_runs",
            "one DAG run",
            _columns(
                "dag_id run_id run_type state logical_date:t run_after:t queued_at:t started_at:t ended_at:t "
                "bundle_version anchor_at:t source told_at:t"
            ),
            "anchor_at",
            ("dag_id", "run_id"),
        ),
        Table(
            "log_events",
            "one log record at or above `lines` (default: error), or with an exception; redacted",
            _columns(
                _FIVE
                + "logged_at:t record_no:l level logger message exception_type error_signature object_url"
            ),
            "logged_at",
            (*ATTEMPT_KEY, "record_no"),
            is_daily=True,
        ),
        Table(
            "parse_samples",
            "one measured parse of a DAG file",
            _columns(
                "parsed_at:t dag_file bundle_name bundle_version parse_s:d dag_count:l error_count:l source"
            ),
            "parsed_at",
            ("source", "bundle_name", "dag_file", "parsed_at"),
        ),
        Table(
            "pool_samples",
            "one pool at one moment",
            _columns(
                "sampled_at:t pool total_slots:i open_slots:i running_slots:i queued_slots:i deferred_slots:i "
                "scheduled_slots:i source"
            ),
            "sampled_at",
            ("source", "pool", "sampled_at"),
        ),
        Table(
            "metric_samples",
            "one series over one minute",
            _columns(
                "sampled_at:t name labels:map kind value:d sample_count:l min_value:d max_value:d raw_name "
                "from_at:t until_at:t reset_count:l"
            ),
            "sampled_at",
            ("name", "labels", "sampled_at"),
            is_daily=True,
        ),
        Table(
            "import_errors",
            "an import error as seen",
            _columns("seen_at:t dag_file bundle_name message error_signature source"),
            "seen_at",
            ("bundle_name", "dag_file", "seen_at"),
        ),
        Table(
            "component_events",
            "one event that a component told; holds are kept once per minute (`windsock.parse.component.facts.EVENTS`)",
            _columns(
                "event_at:t component event dag_id run_id task_id map_index:i try_number:i pool dag_file reason "
                "exit_code:i limit_value:l value:l detail started_at:t hostname queue object_url read_at:t"
            ),
            "event_at",
            # an event has no key of its own: it is the same one when all that was told is the same
            (
                *(
                    "event",
                    "dag_id",
                    "event_at",
                    "run_id",
                    "task_id",
                    "map_index",
                    "try_number",
                    "pool",
                    "dag_file",
                ),
                *(
                    "component",
                    "reason",
                    "exit_code",
                    "limit_value",
                    "value",
                    "detail",
                    "started_at",
                    "hostname",
                    "queue",
                ),
            ),
        ),
        Table(
            "dag_tasks",
            "one task of a DAG as it was when the DAG was read; a reading holds all its tasks",
            _columns(
                "seen_at:t dag_id task_id operator start_date:t end_date:t trigger_rule depends_on_past:i "
                "wait_for_downstream:i is_mapped:i retries:i retry_delay_s:d execution_timeout_s:d pool pool_slots:i queue "
                "priority_weight:l max_active_tis_per_dag:i max_active_tis_per_dagrun:i downstream_task_ids:texts source"
            ),
            "seen_at",
            ("dag_id", "task_id", "source", "seen_at"),
        ),
        Table(
            "deployments",
            "a fact about the deployment as seen",
            _columns("seen_at:t key value"),
            "seen_at",
            ("key", "seen_at"),
        ),
        Table(
            "objects",
            "the ledger: one object read",
            _columns(
                "object_url etag size:l modified_at:t kind outcome rows:l reject_reason weeks:texts parser_version "
                "read_at:t"
            ),
            "modified_at",
            ("object_url",),
        ),
    )
}

STATES = (
    "success",
    "failed",
    "up_for_retry",
    "skipped",
    "deferred",
    "up_for_reschedule",
    "upstream_failed",
    "removed",
    "restarting",
    "scheduled",
    "queued",
    "running",
    "unknown",
)
"""Of a try, spelled as Airflow spells them; `unknown` is ours."""
