"""What goes wrong in a fleet, as data: each fault names what a report should say of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One planted fault. `since_week` counts weeks before the last one (0: begins in the last week)."""

    kind: str
    code: str
    subject: str
    since_week: int
    says: str

    def plain(self) -> dict[str, object]:
        return asdict(self)


DEFAULT: tuple[Fault, ...] = (
    Fault(
        "dag_got_worse",
        "WS101",
        "orders_ingest",
        0,
        "loses about two in five of its runs; none in the weeks before",
    ),
    Fault(
        "dag_recovered",
        "WS102",
        "crm_export",
        0,
        "lost a third of its runs for seven weeks, none in the last",
    ),
    Fault(
        "bad_credential",
        "WS110",
        "AuthenticationError",
        0,
        "one warehouse credential expired on Wednesday 08:00 UTC: six DAGs",
    ),
    Fault(
        "parse_step",
        "WS201",
        "marketing_attribution.py",
        0,
        "0.4 s → 1.9 s since Tuesday 10:00 UTC, with version 9c1f0e7",
    ),
    Fault(
        "pool_too_small",
        "WS301",
        "warehouse",
        0,
        "4 slots, wanted by 10 tasks from 02:00 to 06:00 UTC every night",
    ),
    Fault(
        "starts_collide",
        "WS301",
        "exports",
        7,
        "2 slots, wanted by three DAGs in the same minute every six hours: a later start of one needs no slot",
    ),
    Fault(
        "duplicate_dag_id",
        "WS520",
        "product_catalog",
        0,
        "legacy/product_catalog.py defines it, too: the files take turns",
    ),
    Fault(
        "bad_worker",
        "WS630",
        "worker-3",
        0,
        "a worker that came on Monday fails nearly half of the first tries it takes, with four errors; retries save them",
    ),
    Fault(
        "lost_worker",
        "WS632",
        "spot-1",
        0,
        "a machine goes away on Thursday 03:12 UTC with four long tasks; three have a retry, one run is lost",
    ),
    Fault("silent_dag", "WS501", "inventory_sync", 0, "ran every three hours, no run in the last week"),
    Fault(
        "memory_kill", "WS510", "ml_features", 0, "task train killed by SIGKILL on five days of the last week"
    ),
    Fault(
        "setting_without_effect",
        "WS614",
        "ignored",
        7,
        "airflow.cfg sets [scheduler] parsing_processes = 4, which Airflow 3 passes over: 2 are used",
    ),
)
