"""How the week stood against each setting: at its limit, never reached, harmful, and by which figures.

`at the limit`: it held work back, or ended it. `never reached`: use stayed below half of it. `harmful`: it works against
another setting. `no effect`: another one stands before it. `off`: it limits nothing. `exceeded`: use went beyond the value told,
so that is not what held. `ended tries`: it buried tries that had died or hung, which is what it is for, and no use came near
it. `in use`: none of these. `not known`: no input tells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from windsock.findings.settings import of_parsing as parsing
from windsock.findings.settings import of_tasks as tasks
from windsock.findings.settings.told import UNKNOWN, Answers, Numbers, Use

QUESTIONS = (*tasks.QUESTIONS, *parsing.QUESTIONS)
"""What it reads, beside the waiting by limit."""


def used(name: str, held: Numbers, answers: Answers) -> Use:
    """What the week says of one setting, and the figures as a clause."""
    return _USES[name](held, answers) if name in _USES else (UNKNOWN, "")


_USES: Mapping[str, Callable[[Numbers, Answers], Use]] = {
    "parallelism": tasks.parallelism,
    "max_active_tasks_per_dag": tasks.active_tasks,
    "max_active_runs_per_dag": tasks.waited_for(
        "max_active_runs", "max_active_runs_per_dag", "dag_runs", "runs of a DAG"
    ),
    "max_active_tis_per_dag": tasks.waited_for(
        "max_active_tis_per_dag", "max_active_tis_per_dag", "task", "instances of a task"
    ),
    "dagbag_import_timeout": parsing.killed_by("import_timeout"),
    "dag_file_processor_timeout": parsing.killed_by("processor_timeout"),
    "min_file_process_interval": parsing.interval,
    "parsing_processes": parsing.processes,
    "refresh_interval": parsing.refresh,
    "scheduler_heartbeat_sec": parsing.beat,
    "scheduler_health_check_threshold": parsing.health,
    "task_heartbeat_timeout": parsing.task_heartbeat,
    "default_pool_task_slot_count": tasks.default_pool,
    "default_task_execution_timeout": tasks.execution_timeout,
    "dagrun_timeout": tasks.run_timeout,
    "default_task_retries": tasks.retries,
    "default_task_retry_delay": tasks.retry_delay,
    "default_deferrable": tasks.deferrable,
    "max_consecutive_failed_dag_runs_per_dag": tasks.consecutive,
    "task_queued_timeout": tasks.queued_timeout,
    "max_tis_per_query": tasks.per_query,
    "worker_concurrency": tasks.concurrency,
}
