"""WS613."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.how_to_set import in_environment
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.findings.settings import FROM, Held, held_of, missing
from windsock.findings.settings.told import hits
from windsock.model import Answer, Finding
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a limit of silence is too short for the heart that beats."""

    min_beats: float = threshold(2.0, "heartbeats within the limit", "one late beat must not be a death")
    beats: float = threshold(6.0, "heartbeats", "as in Airflow's defaults: 5 s and 30 s")
    min_kills: float = threshold(
        3, "tries failed for a lost heartbeat in the week", "one or two are a lost worker"
    )


class HeartbeatLimits(Rule):
    """A limit of silence is so short that a moment of load counts as death.

    What it means: a scheduler that is late once is taken for dead and its tasks are adopted; or running tasks are failed
    because their heartbeat was late, and run again although they were well.
    How it is judged: `scheduler_health_check_threshold` holds fewer than two heartbeats of the scheduler; or the limit of a
    task's silence was set below Airflow's default, and at least three tries of the week were failed by it. Values count
    only where they are told.
    What to do: set the limit back to Airflow's own distance. A lost worker is then noticed later, by the difference.
    """

    code, name, section = "WS613", "heartbeat-limits", "settings"
    questions = ("settings_told", *FROM[1:], "limit_hits", "killed_tries")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts(no_data=missing(answers))
        held = held_of(answers)
        verdicts.judged += sum(
            held[name].is_told
            for name in ("scheduler_health_check_threshold", "task_heartbeat_timeout")
            if name in held
        )
        verdicts.findings += [*cls._scheduler(held, answers, limits), *cls._tasks(held, answers, limits)]
        return verdicts

    @classmethod
    def _scheduler(
        cls, held: Mapping[str, Held], answers: Mapping[str, Answer], limits: Limits
    ) -> Iterator[Finding]:
        limit, beat = held.get("scheduler_health_check_threshold"), held.get("scheduler_heartbeat_sec")
        if (
            limit is None
            or beat is None
            or not (limit.is_told or beat.is_told)
            or not (limit.value and beat.value)
        ):
            return
        if limit.value >= limits.min_beats * beat.value:
            return
        proposed = limits.beats * beat.value
        yield cls.finding(
            subject={"setting": limit.setting},
            severity="watch",
            headline=f"A scheduler counts as dead after {limit.said_s}, and its heart beats every {beat.said_s}",
            evidence={
                "value": limit.value,
                "heartbeat_s": beat.value,
                **in_environment(answers, limit.setting, proposed),
            },
            advice=f"Set {limit.named} to {proposed:g}, {limits.beats:g} heartbeats as in Airflow's defaults: one late beat is no "
            f"death then. A dead scheduler is noticed {proposed - limit.value:g} s later.",
            rank=1.0,
        )

    @classmethod
    def _tasks(
        cls, held: Mapping[str, Held], answers: Mapping[str, Answer], limits: Limits
    ) -> Iterator[Finding]:
        limit = held.get("task_heartbeat_timeout")
        if limit is None or not limit.is_told or limit.value is None or limit.default is None:
            return
        logged = [row for row in rows_of(answers, "killed_tries") if row["state_reason"] == "heartbeat"]
        killed = max(hits(answers, "heartbeat_timeout"), sum(row["tries"] for row in logged))
        if limit.value >= limit.default or killed < limits.min_kills:
            return
        yield cls.finding(
            subject={"setting": limit.setting},
            severity="watch",
            headline=f"{wording.plural(killed, 'try')} failed this week after {limit.value:g} s without a heartbeat; Airflow's own "
            f"limit is {limit.default:g} s",
            evidence={
                "value": limit.value,
                "default": limit.default,
                "killed": killed,
                **in_environment(answers, limit.setting, limit.default),
            },
            advice=f"Set {limit.named} back to {limit.default:g}: at most these {killed} tries a week fail no more, those whose "
            f"worker was only slow. The risk: a worker that is really lost is noticed {limit.default - limit.value:g} s later.",
            rank=float(killed),
        )
