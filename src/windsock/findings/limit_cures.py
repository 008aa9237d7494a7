"""What cures waiting for one limit: the number, its arithmetic, what it saves, its risk, and both ways.

The number is the smallest limit that saves most of what room for the week's demand would (`methods.more_room`); where no demand
is known, twice the limit is a first step. Nothing is called a rise where the value told would not rise by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from windsock.findings import wording
from windsock.findings.held_settings import Held, held_of, shown
from windsock.findings.how_to_set import in_code, in_environment, named
from windsock.findings.rule import rows_of
from windsock.findings.waiting.layers import EXECUTOR, INFERRED
from windsock.findings.waiting.workers import WORKERS
from windsock.model import Answer, Row

GROWTH = 2  # times the limit: a first step, where demand is not known
SETTINGS = {
    "max_active_tasks": "max_active_tasks_per_dag",
    "max_active_runs": "max_active_runs_per_dag",
    "max_active_tis_per_dag": "max_active_tis_per_dag",
    EXECUTOR: "parallelism",
    WORKERS: "worker_concurrency",
}
"""The setting behind each limit."""
AUTOSCALE = "config.celery.worker_autoscale"
Cure = tuple[str, dict[str, str]]
"""The advice, and lines to apply and to undo it; none where no line is safe to copy."""


def cure(answers: Mapping[str, Answer], row: Row, *, is_per_run: bool) -> Cure:
    """Of one row of `waiting_by_limit`."""
    if row["waits_for"] == WORKERS:
        return _workers(answers, row)
    if row["waits_for"] == EXECUTOR:
        return _executor(answers, row)
    return _of_dag(answers, row, is_per_run=is_per_run)


def gain(row: Row) -> str:
    """What a rise saves: by the replay, else at most what no other limit explains."""
    saved, proposed = row.get("saved_hours"), row.get("proposed")
    if saved is None:
        return f"At most {wording.hours(row['alone_hours'])} of waiting can be saved: the rest meets another limit as well."
    return (
        f"While tasks waited, up to {row['wanted']} were wanted at once (95th percentile, running and waiting); a replay of the "
        f"week at {proposed} saves {wording.hours(saved)} of the {wording.hours(row['hours'])}."
    )


def _proposed(row: Row) -> int | None:
    if row.get("proposed"):
        return int(row["proposed"])
    return GROWTH * row["limit_value"] if row["limit_value"] else None


def _of_dag(answers: Mapping[str, Answer], row: Row, *, is_per_run: bool) -> Cure:
    """A DAG's limits stand in its code."""
    name, value, proposed = row["waits_for"], row["limit_value"], _proposed(row)
    default = named(answers, SETTINGS[name])
    to = f" to {proposed}" if proposed else ""
    what = {
        "max_active_tasks": f"Raise max_active_tasks of the DAG{to}, which counts "
        + ("within each run since Airflow 3" if is_per_run else "over all its runs in Airflow 2")
        + f" ({default} is for DAGs that set none)",
        "max_active_runs": f"Let more runs go side by side (max_active_runs of the DAG{to}; "
        f"{default} is for DAGs that set none), if they do not need each other's results, or make runs shorter than their interval",
        "max_active_tis_per_dag": f"Raise the concurrency of the task (max_active_tis_per_dag){to}, if what it calls allows it",
    }[name]
    if not value or not proposed:
        return f"{what}. {gain(row)}{_inferred(row)}", {}
    risk = f" The risk: {proposed - value} more at once for pools, workers and what they call."
    ways = in_code(answers, SETTINGS[name], proposed, value, dag_id=row["dag_id"])
    return f"{what}. {gain(row)}{_inferred(row)}{risk}", ways


def _inferred(row: Row) -> str:
    return " The limit is inferred from the waiting, nobody told it." if row["told_by"] == INFERRED else ""


def _executor(answers: Mapping[str, Answer], row: Row) -> Cure:
    """parallelism counts per scheduler: where more was in use than is told there are several."""
    setting, value, proposed = named(answers, "parallelism"), row["limit_value"], _proposed(row)
    told = told_value(answers, "parallelism")
    if not value or not proposed:
        return (
            f"Raise {setting} of each scheduler, and the workers with it ({_where_celery(answers)}), or move DAGs to "
            f"quieter hours. {gain(row)}",
            {},
        )
    if told is not None and told > value:
        return above_use(setting, told, value), {}
    schedulers = ceil(value / told) if told else 1
    each = ceil(proposed / schedulers)
    of = f" ({value} in use are those of {schedulers} schedulers)" if schedulers > 1 else ""
    risk = f" The risk: {proposed - value} more at once for pools, workers and what they call."
    return (
        f"Raise {setting} of each scheduler to {each}{of}, and the workers with it ({_where_celery(answers)}), or move DAGs to "
        f"quieter hours. {gain(row)}{_inferred(row)}{risk}",
        in_environment(answers, "parallelism", each, before=value),
    )


def above_use(setting: str, told: float, value: float) -> str:
    """More is told than ever was at work: raising it again changes nothing."""
    return (
        f"{setting} is told as {shown(told)}, but no more than {shown(value)} slots were at work: the value told is not what holds. "
        "See whether the schedulers were restarted since, whether a variable or another file stands over it, and what else bounds "
        "them; or move DAGs to quieter hours."
    )


def _workers(answers: Mapping[str, Answer], row: Row) -> Cure:
    """Celery hosts x concurrency, beside what parallelism lets in: that counts tasks which wait for a worker, too."""
    held, value, proposed = held_of(answers).get("worker_concurrency"), row["limit_value"], _proposed(row)
    setting, parallelism = named(answers, "worker_concurrency"), _parallelism(answers, proposed)
    kept = f" {gain(row)}{parallelism}"
    if not value or not proposed or held is None:
        return (
            f"Give the workers more room: {_where_celery(answers)}, the cluster's nodes or quota where Kubernetes does.{kept}",
            {},
        )
    concurrency, hosts = held.value if held.is_told else None, worker_hosts(answers)
    if not concurrency:
        return (
            f"Raise {setting} by {wording.percent(proposed / value - 1)}, or run as many more workers.{kept}",
            {},
        )
    each, more = ceil(concurrency * proposed / value), ceil((proposed - value) / concurrency)
    places = (
        f"{wording.plural(hosts, 'host')} x {shown(concurrency)} are {shown(hosts * concurrency)} places, "
        if hosts
        else ""
    )
    full = f"{places}{value} were taken at the most. "
    if autoscale := _autoscale(answers):
        return (
            f"Raise the workers' worker_autoscale ({autoscale}, which stands over {setting}), or run more workers. {full}"
            + kept[1:],
            {},
        )
    return (
        f"Raise {setting} from {shown(concurrency)} to {each}, or run {wording.plural(more, 'more worker')}. {full}{gain(row)} The risk: "
        f"each worker needs memory for {each} tasks instead of {shown(concurrency)}.{parallelism}",
        in_environment(answers, "worker_concurrency", each, before=concurrency),
    )


def worker_hosts(answers: Mapping[str, Answer]) -> int:
    """Hosts that ran more than one of the week's tries; 0 where nobody names hosts."""
    rows = rows_of(answers, "work_by_worker")
    return sum(row["grain"] == "host" and row["hostname"] is not None for row in rows)


def _parallelism(answers: Mapping[str, Answer], proposed: int | None) -> str:
    told = told_value(answers, "parallelism")
    setting = named(answers, "parallelism")
    if told is None:
        return f" {setting} is another limit: it counts tasks that wait for a worker, too."
    if proposed and told < proposed:
        return f" {setting} ({shown(told)} of each scheduler) must let as many in."
    return f" {setting} lets {shown(told)} in already: raising it only moves the wait."


def told_value(answers: Mapping[str, Answer], setting: str) -> float | None:
    """What Airflow or a file tells of it; None where it does not."""
    one: Held | None = held_of(answers).get(setting)
    return one.value if one is not None and one.is_told else None


def _where_celery(answers: Mapping[str, Answer]) -> str:
    return f"{named(answers, 'worker_concurrency')} where Celery runs them"


def _autoscale(answers: Mapping[str, Answer]) -> str:
    rows = rows_of(answers, "settings_told")
    told = next((str(row["setting_value"]) for row in rows if row["key"] == AUTOSCALE), "")
    return told if told.strip().lower() not in ("", "none") else ""
