"""The endpoints that are read, in both versions of the API, and the right that each one asks for.

Rights: Airflow's FAB auth manager, "Access control" of 2.11 and of the FAB provider; Viewer has all of them but the
audit log, the configuration and the list of providers, which Op has.
"""

from __future__ import annotations

from dataclasses import dataclass

PAGE = 100
"""`maximum_page_limit` of the API: a larger limit is cut to it in silence."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One list of the API: where it is, under which key its entries stand, what right it takes."""

    kind: str
    paths: dict[int, str]
    key: str
    right: str
    order_by: dict[int, str]

    def path(self, api: int) -> str | None:
        """The path below `/api/v1` or `/api/v2`; None where that version has no such list."""
        return self.paths.get(api)


def _both(path: str) -> dict[int, str]:
    return {1: path, 2: path}


ENDPOINTS: dict[str, Endpoint] = {
    one.kind: one
    for one in (
        Endpoint(
            "tries",
            _both("/dags/~/dagRuns/~/taskInstances"),
            "task_instances",
            "can read on Task Instances, DAG Runs and DAGs (role Viewer)",
            {2: "id"},
        ),
        Endpoint(
            "runs",
            _both("/dags/~/dagRuns"),
            "dag_runs",
            "can read on DAG Runs and DAGs (role Viewer)",
            {1: "id", 2: "id"},
        ),
        Endpoint("pools", _both("/pools"), "pools", "can read on Pools (role Viewer)", {1: "id", 2: "id"}),
        Endpoint(
            "import_errors",
            _both("/importErrors"),
            "import_errors",
            "can read on ImportError (role Viewer)",
            {1: "import_error_id", 2: "id"},
        ),
        Endpoint(
            "dags", _both("/dags"), "dags", "can read on DAGs (role Viewer)", {1: "dag_id", 2: "dag_id"}
        ),
        Endpoint(
            "dag_versions",
            {2: "/dags/~/dagVersions"},
            "dag_versions",
            "can read on DAG Versions (role Viewer)",
            {2: "id"},
        ),
        Endpoint(
            "events",
            _both("/eventLogs"),
            "event_logs",
            "can read on Audit Logs (role Op)",
            {1: "event_log_id", 2: "id"},
        ),
        Endpoint(
            "dag_warnings",
            {2: "/dagWarnings"},
            "dag_warnings",
            "can read on DAG Warnings (role Viewer)",
            {2: "dag_id"},
        ),
        Endpoint("providers", _both("/providers"), "providers", "can read on Providers (role Op)", {}),
    )
}
