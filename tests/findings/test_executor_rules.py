"""Lost workers, queues without one, pods that burn retries: below, at and above each threshold."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from tests.findings.test_rules import WEEK, answers, found
from windsock.findings import told_once
from windsock.findings.beginnings import began_at
from windsock.findings.rules.ws115_known_issue import KnownIssueSeen
from windsock.findings.rules.ws310_waiting_for_limit import WaitingForLimit
from windsock.findings.rules.ws511_no_log import NoLog
from windsock.findings.rules.ws632_worker_lost import WorkerLost
from windsock.findings.rules.ws633_queue_without_worker import QueueWithoutWorker
from windsock.findings.rules.ws634_retries_burnt import RetriesBurnt
from windsock.findings.rules.ws635_executor_fit import ExecutorFit
from windsock.findings.rules.ws636_start_slower import StartSlower
from windsock.model import Finding

AT = datetime(2026, 11, 17, 10, tzinfo=UTC)
SPAN = {"first_at": AT, "last_at": AT + timedelta(minutes=20)}


# --- WS632


def lost(**changes: Any) -> dict[str, Any]:
    row = {"hostname": "bravo", "queue": "heavy", "tries": 6, "tasks": 2, "dags": 1, "most_at_once": 6, "retried": 5,
           "lost": 1, "lost_runs": 1, "no_log": 6, "lost_hours": 0.075, "missed_at": None, "ready_at": None, **SPAN}  # fmt: skip
    return row | changes


@pytest.mark.parametrize(("at_once", "is_found"), [(2, False), (3, True), (4, True)])
def test_a_lost_worker_takes_several_tries_at_once(at_once: int, is_found: bool) -> None:
    assert bool(found(WorkerLost, answers(lost_workers=[lost(most_at_once=at_once)]))) == is_found


def test_the_finding_says_what_it_cost() -> None:
    (one,) = found(WorkerLost, answers(lost_workers=[lost()]))
    assert one.headline == (
        "Worker bravo of queue heavy was lost Tue 17 Nov 10:00 UTC with 6 running tries: "
        "1 task failed for good, 5 retries used, 4 min 30 s of work thrown away"
    )
    assert (one.severity, one.subject) == ("warning", {"hostname": "bravo"})
    (again,) = found(WorkerLost, answers(lost_workers=[lost(lost=0, lost_runs=0)]))
    assert again.severity == "watch"
    assert "for good" not in again.headline + again.advice


# --- WS633


def queue(**changes: Any) -> dict[str, Any]:
    row = {"executor": "CeleryExecutor", "queue": "gpu", "dag_ids": ["ml"], "tasks": 1, "tries": 1, "failed": 1, "put_back": 2,
           "still": 0, "begun": 0, "begun_prev": 0, "last_begun_at": None, "longest_s": 0.0, **SPAN}  # fmt: skip
    return row | changes


@pytest.mark.parametrize(
    ("row", "severity", "why"),
    [
        (queue(), "warning", "one try, and none began in the week"),
        (queue(failed=0), "warning", "put back again and again"),
        (queue(failed=0, put_back=0, still=1, longest_s=3599.0), None, "it may scale from zero"),
        (queue(failed=0, put_back=0, still=1, longest_s=3600.0), "warning", "stands for an hour"),
        (queue(queue="", executor=""), None, "nobody tells the queue, so nobody tells that none began"),
        (queue(begun=100, tries=4, failed=4), None, "a worker was restarted"),
        (queue(begun=100, tries=5, failed=5), "watch", "too few workers"),
        (queue(begun=100, tries=9, failed=4, still=5), None, "what stands may begin yet"),
    ],
)
def test_waiting_in_vain(row: Mapping[str, Any], severity: str | None, why: str) -> None:
    told = found(QueueWithoutWorker, answers(queues_without_worker=[row]))
    assert [one.severity for one in told] == ([severity] if severity else []), why


def test_the_finding_says_since_when_and_how_to_start_one() -> None:
    (one,) = found(QueueWithoutWorker, answers(queues_without_worker=[queue()]))
    assert one.headline == (
        "Queue gpu: 1 try of 1 task waited for a worker in vain, 1 of them failed by it; "
        "no task begins there (none in five weeks)"
    )
    assert one.evidence["apply"] == "airflow celery worker --queues gpu"
    (pods,) = found(QueueWithoutWorker, answers(queues_without_worker=[queue(executor="EdgeExecutor")]))
    assert "apply" not in pods.evidence


# --- WS634


def pods(trouble: str = "out_of_memory", **changes: Any) -> dict[str, Any]:
    row = {"trouble": trouble, "dag_id": "etl", "task_id": "load", "tries": 5, "retried": 3, "lost": 2, "free": 0,
           "reasons": ["OOMKilled 137"], "memory_request": "1Gi", "detail": "airflow/etl-load-x1", "tries_prev": 0, **SPAN}  # fmt: skip
    return row | changes


@pytest.mark.parametrize(
    ("rows", "severities", "why"),
    [
        ([pods(tries=4)], [], "below"),
        ([pods(tries=5)], ["watch"], "at"),
        ([pods(tries=6, lost=3)], ["warning"], "above, and three tasks lost"),
        (
            [pods(tries=3, lost=1), pods(tries=2, lost=1, task_id="other")],
            ["watch"],
            "one trouble of two tasks",
        ),
        ([pods(tries=3), pods("evicted", tries=2)], [], "two troubles"),
        ([pods("unreachable", tries=4, retried=0, lost=0, free=4)], [], "Kubernetes out of reach, below"),
        ([pods("unreachable", tries=5, retried=0, lost=0, free=5)], ["watch"], "Kubernetes out of reach, at"),
        ([pods("not_launched", tries=5, retried=0, lost=0, free=5)], ["watch"], "queued, and never launched"),
        ([pods(tries=6, tries_prev=24)], [], "no more than any week"),
        ([pods(tries=9, tries_prev=8)], ["watch"], "more than its past"),
        ([pods("worker_lost", tries=50)], [], "WS632 tells it"),
        ([pods("queued_too_long", tries=50)], [], "WS633 tells it"),
    ],
)
def test_pods_that_burn_retries(rows: list[dict[str, Any]], severities: list[str], why: str) -> None:
    assert [one.severity for one in found(RetriesBurnt, answers(infrastructure_tries=rows))] == severities, (
        why
    )


def test_the_finding_names_the_task_and_its_request() -> None:
    (one,) = found(
        RetriesBurnt, answers(infrastructure_tries=[pods(), pods(tries=1, task_id="b", memory_request=None)])
    )
    assert one.headline == "6 pods killed for memory, most of etl.load (5): 6 retries burnt, 4 tasks lost"
    assert "etl.load, etl.b (now 1Gi)" in one.advice
    (free,) = found(
        RetriesBurnt, answers(infrastructure_tries=[pods("image", dag_id="", retried=0, lost=0, free=5)])
    )
    assert free.headline == "5 pods without an image: 5 tried again without a try used"


# --- told once


def made(rule: Any, subject: dict[str, str], **evidence: Any) -> Finding:
    return rule.finding(
        subject=subject, severity="watch", headline="", evidence=evidence, advice="", rank=1.0
    )


def test_what_a_lost_worker_or_a_dead_queue_explains_is_not_told_again() -> None:
    silent = made(NoLog, {"cause": "heartbeat lost"}, tries=6)
    known = made(KnownIssueSeen, {"issue": "heartbeat_lost"}, times=6)
    queued = made(NoLog, {"cause": "queued too long"}, tries=1)
    (worker,) = found(WorkerLost, answers(lost_workers=[lost()]))
    (dead,) = found(QueueWithoutWorker, answers(queues_without_worker=[queue()]))
    assert told_once([silent, known, queued, worker, dead], {}) == [worker, dead]
    more = [
        made(NoLog, {"cause": "heartbeat lost"}, tries=7),
        made(KnownIssueSeen, {"issue": "heartbeat_lost"}, times=7),
    ]
    assert told_once([*more, worker], {}) == [*more, worker]
    assert told_once([silent, known, queued], {}) == [silent, known, queued]


def test_pods_without_a_log_are_told_by_the_rule_of_missing_logs() -> None:
    (burnt,) = found(RetriesBurnt, answers(infrastructure_tries=[pods()]))
    silent = made(NoLog, {"cause": "out of memory"}, tries=5)
    assert told_once([silent, burnt], {}) == [silent]
    fewer = made(NoLog, {"cause": "out of memory"}, tries=4)
    assert told_once([fewer, burnt], {}) == [fewer, burnt]


# --- WS635


def task(**changes: Any) -> dict[str, Any]:
    row = {"dag_id": "d", "task_id": "ping", "executor": "KubernetesExecutor", "queue": "default", "tries": 400, "starts": 400,
           "start_s": 30.0, "work_s": 5.0, "start_hours": 3.3, "work_hours": 0.6, "memory_kills": 0, "lost": 0}  # fmt: skip
    return row | changes


HEAVY = {
    "executor": "CeleryExecutor",
    "task_id": "train",
    "start_s": 2.0,
    "work_s": 3600.0,
    "memory_kills": 3,
    "lost": 1,
}


@pytest.mark.parametrize(
    ("rows", "kinds", "why"),
    [
        ([task()], ["short tasks in pods"], "six times as long to start as to work"),
        ([task(starts=49)], [], "seldom"),
        ([task(starts=50)], ["short tasks in pods"], "at the sample"),
        ([task(work_s=30.1)], [], "works longer than it starts"),
        ([task(work_s=30.0)], ["short tasks in pods"], "at the ratio"),
        ([task(start_hours=1.9)], [], "not worth it"),
        (
            [task(start_hours=1.0), task(task_id="pong", start_hours=1.0)],
            ["short tasks in pods"],
            "together they are",
        ),
        ([task(executor="CeleryExecutor")], [], "a full queue is no pod"),
        ([task(**HEAVY)], ["heavy tasks on shared workers"], "killed three times"),
        ([task(**HEAVY | {"memory_kills": 2})], [], "twice"),
        ([task(**HEAVY | {"work_s": 599.0})], [], "too short for a pod"),
        ([task(**HEAVY | {"executor": "KubernetesExecutor", "work_s": 9999.0})], [], "it has a pod"),
    ],
)
def test_tasks_on_the_wrong_executor(rows: list[dict[str, Any]], kinds: list[str], why: str) -> None:
    told = found(ExecutorFit, answers(executor_fit=rows))
    assert [one.subject["kind"] for one in told] == kinds, why
    assert all(one.severity == "info" for one in told)


def test_the_advice_comes_with_its_arithmetic() -> None:
    (short,) = found(ExecutorFit, answers(executor_fit=[task()]))
    assert short.headline == (
        "1 task of the KubernetesExecutor in pods that take longer to start than the work takes: 3.3 hours of starting for "
        "36 minutes of work, most d.ping (30.0 s for 5.0 s)"
    )
    (heavy,) = found(ExecutorFit, answers(executor_fit=[task(**HEAVY)]))
    assert heavy.headline == (
        "1 long task ran out of memory on shared workers 3 times, most d.train (3 of 400 tries, 1 h each)"
    )


# --- WS636


def starts(
    step: float = 1.0,
    *,
    days: float = 4,
    level: float = 20.0,
    tries: int = 2000,
    seed: int = 1,
    noise: float = 0.15,
    **more: Any,
) -> dict[str, Any]:
    """A queue's six-hour medians of nine weeks, the last `days` of them `step` times as long."""
    rng = np.random.default_rng(seed)
    values = level * np.exp(rng.normal(0, noise, 252))
    values[252 - int(days * 4) :] *= step
    times = WEEK.minus(8).from_at.timestamp() + 21600.0 * np.arange(252)
    return {"executor": "KubernetesExecutor", "queue": "default", "starts": tries, "starts_prev": 8 * tries, "hosts": 40,
            "start_hours": tries * level * step / 3600, "median_s": level * step, "p95_s": 3 * level * step, "prev_s": level,
            "usual_s": level, "times_s": list(times), "starts_s": list(values)} | more  # fmt: skip


def nightly(step: float, *, days: int) -> dict[str, Any]:
    """A queue that works once a night."""
    row = starts(tries=700)
    values = 20.0 * np.exp(np.random.default_rng(4).normal(0, 0.1, 63))
    values[63 - days :] *= step
    times = WEEK.minus(8).from_at.timestamp() + 86400.0 * np.arange(63)
    return row | {"times_s": list(times), "starts_s": list(values)}


@pytest.mark.parametrize(
    ("row", "severity", "why"),
    [
        (starts(), None, "nothing happened"),
        (starts(1.4), None, "below the ratio"),
        (starts(1.65), "watch", "above the ratio"),
        (starts(4.0), "warning", "a minute later each for four days, 19 hours in all"),
        (starts(4.0, tries=90), None, "costs less than an hour"),
        (starts(4.0, tries=120), "watch", "costs more than an hour"),
        (starts(3.0, level=2.3, tries=9000), None, "below five seconds each"),
        (starts(3.0, level=2.7, tries=13_000), "warning", "more than five seconds each"),
        (
            starts(100.0, level=0.01, tries=9000),
            None,
            "from a hundredth of a second to one: nobody waits",
        ),
        (starts(4.0, days=0.75), None, "three points are an incident, no step"),
        (starts(4.0, days=30), None, "a step of last month is no news"),
        (starts(0.25, level=80.0), None, "faster"),
        (nightly(4.0, days=3), None, "three nights"),
        (nightly(4.0, days=4), "watch", "four nights, each beyond doubt"),
        (starts(4.0) | {"times_s": [], "starts_s": []}, None, "nobody told when tasks were queued"),
    ],
)
def test_tasks_that_start_later(row: dict[str, Any], severity: str | None, why: str) -> None:
    made = found(StartSlower, answers(start_times=[row]))
    assert [one.severity for one in made] == ([severity] if severity else []), why


def test_noise_of_many_queues_is_no_step() -> None:
    rows = [starts(seed=seed, noise=0.4, queue=str(seed)) for seed in range(150)]
    assert found(StartSlower, answers(start_times=rows)) == []


def test_a_later_start_is_told_since_when_what_it_costs_and_what_to_look_at() -> None:
    (one,) = found(
        StartSlower, answers(start_times=[starts(4.0)], infrastructure_tries=[pods("image"), pods("evicted")])
    )
    assert one.headline.startswith("Tasks of queue default (KubernetesExecutor) start ")
    assert "more this week" in one.headline and "image" in one.advice
    assert one.evidence["extra_hours"] == pytest.approx(2000 * 4 / 7 * 60 / 3600, rel=0.1)
    assert one.evidence["pods_in_trouble"] == ["5 image"]
    began = began_at(one, WEEK)
    assert began is not None and began[0] <= WEEK.to_at - timedelta(days=4) <= began[1]
    (celery,) = found(StartSlower, answers(start_times=[starts(4.0, executor="CeleryExecutor")]))
    assert "broker" in celery.advice and "image" not in celery.advice
    (unknown,) = found(StartSlower, answers(start_times=[starts(4.0, executor="", queue="")]))
    assert unknown.headline.startswith("Tasks start ")
    assert "with pods the image" in unknown.advice


def waited(name: str, hours: float) -> dict[str, Any]:
    return {"scope": "all", "dag_id": "", "pool": "", "waits_for": name, "hours": hours}


def test_later_starts_at_full_workers_are_the_workers() -> None:
    full = [waited("workers", 30.0), waited("launch", 10.0)]
    (one,) = found(StartSlower, answers(start_times=[starts(4.0)], waiting_by_limit=full))
    assert one.advice.startswith(
        "75 % of this week's time between queued and started passed while all workers were busy"
    )
    workers = made(WaitingForLimit, {"limit": "workers", "dag_id": ""})
    assert told_once([one, workers], {}) == [workers]
    assert told_once([one, made(WaitingForLimit, {"limit": "executor", "dag_id": ""})], {})[0] == one
    (cold,) = found(
        StartSlower,
        answers(start_times=[starts(4.0)], waiting_by_limit=[waited("workers", 2.0), waited("launch", 30.0)]),
    )
    assert told_once([cold, workers], {}) == [cold, workers]
