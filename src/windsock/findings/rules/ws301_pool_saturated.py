"""WS301."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from shlex import quote
from typing import Any

from windsock.findings import wording
from windsock.findings.how_to_set import named
from windsock.findings.pools import options as pool_options
from windsock.findings.pools.cures import DEFAULT_POOL, Cure, cures
from windsock.findings.pools.errors import Rise, is_checked, rises
from windsock.findings.pools.options import Measured, Sizes
from windsock.findings.pools.since import full_since
from windsock.findings.pools.week import fillers
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.findings.settings import FROM
from windsock.model import Answer, Finding, Row
from windsock.week import Week

_SURE = {
    pool_options.INTERVALS: "a replay of this week's tasks",
    pool_options.REBUILT: "an estimate: a replay with rebuilt ready times",
    pool_options.GAUGES: "estimated from gauges, at least this much",
}


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a pool is too small."""

    min_full_share: float = threshold(
        0.10, "fraction of busy hours", "below this waiting is a moment, not a habit"
    )
    min_wait_hours: float = threshold(2.0, "task-hours a week", "less does not pay for a change")
    min_samples: float = threshold(50, "tries or samples", "a handful says nothing of a week")
    worth_saving: float = threshold(
        0.8,
        "fraction of the saving that the largest size tried brings",
        "the rest costs more slots than it is worth",
    )
    most_wide: float = threshold(
        0.5, "fraction of the waiting", "where it is mostly that of wide tasks, they are the trouble"
    )


class PoolSaturated(Rule):
    """A pool is full for a good part of its busy hours, and tasks wait for it.

    What it means: the pool, not the workers, decides when these tasks run.
    How it is judged: from the exact intervals of its tasks where API, database or scheduler log tell when each was
    ready, queued and ended (2.x: ready times rebuilt, and the answer called an estimate); else from gauges,
    time-weighted, whose share of full time carries an error that is told (a full time between two samples goes unseen), and
    which bound the saving from below. Gauges
    speak, too, where no task log tells when deferred or poking tasks gave their slot back, or where tries are missing. Gauges count
    only while the scheduler's heartbeat advances. The options replay the week's own tasks at other sizes, durations
    taken as unchanged; recommended is the smallest size that removes most of the wait. `pool.starving_tasks` is not
    used: it freezes when the pool is full.
    Cures that need no slot are replayed, too: a later start of a DAG that meets others in the same minute, sensors that give
    their slot back, a pool of its own for what crowds default_pool. No rise is advised where tries fail more often the fuller
    the pool is (WS313): what it protects may be at its end; where too few failed to tell, the advice says so.
    Where tasks of several slots wait for most of it (as WS304 judges them, hour by hour), that is said first.
    What to do: try the free cures; else raise the pool to that size, if what it protects allows it (`[pools.NAME] max_slots`
    bounds the advice).
    """

    code, name, section = "WS301", "pool-saturated", "pools"
    questions = (
        *pool_options.QUESTIONS,
        "pool_users",
        "pool_sizes",
        "pool_collisions",
        "waits_by_width",
        "pool_errors_by_hour",
        "pool_wait_by_week",
        *FROM,
    )
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        pools = pool_options.measured(answers)
        verdicts = Verdicts(
            no_data="" if pools else "no pool gauges and no queue times of tasks in this week"
        )
        bounds = {row["pool"]: row for row in rows_of(answers, "pool_bounds")}
        for one in pools:
            if one.samples < limits.min_samples or one.row["full_share"] is None:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            waited = pool_options.waited(answers, one)
            if one.row["full_share"] >= limits.min_full_share and waited >= limits.min_wait_hours:
                bound = bounds.get(one.pool, {})
                verdicts.findings.append(cls._of_pool(answers, one, bound, limits, waited=waited))
        return verdicts

    @classmethod
    def _of_pool(
        cls, answers: Mapping[str, Answer], one: Measured, bound: Row, limits: Limits, *, waited: float
    ) -> Finding:
        tried = pool_options.sizes(one.slots_now, bound.get("max_slots"))
        week, best = Sizes(answers, one), None
        rise, free = rises(answers).get(one.pool), cures(answers, one)
        if tried and rise is None:
            best = week.smallest(tried[-1], limits.worth_saving)
            tried = sorted({*tried, best})
        row, options = one.row, [week.option(size) for size in tried]
        wide = _wide(answers, one.pool, limits.most_wide * waited)
        finding = cls.finding(
            subject={"pool": one.pool},
            severity="warning",
            headline=f"Pool {one.pool} was full in {wording.percent(row['full_share'])} of its busy hours; "
            f"tasks waited {wording.hours(waited)} for its {one.slots_now} slots",
            evidence={
                "full_share": row["full_share"],
                "full_error_share": row["full_error_hours"] / row["busy_hours"]
                if row.get("full_error_hours")
                else None,
                "full_share_all": row.get("full_share_all"),
                "wait_hours": waited,
                "total_slots": one.slots_now,
                "p50_slots": row.get("p50_slots"),
                "p95_slots": row.get("p95_slots"),
                "filled_by": fillers(answers, one.pool),
                "source": one.source,
                "samples": one.samples,
                "sees": _sees(one),
                "busy_hours": row["busy_hours"],
                "sizes": _sizes(answers, one.pool),
                "max_slots": bound.get("max_slots"),
                "protects": bound.get("protects") or None,
                "estimate": one.is_estimate,
                "options": options,
                "free_cures": [cure.told for cure in free],
                "cures": [cure.row() for cure in free],
                "failed_when_fuller": rise
                and f"{wording.percent(rise.full_rate)}, else {wording.percent(rise.calm_rate)}",
                "wide_hours": wide["excess_hours"] if wide else None,
                **_commands(answers, one, best),
                **full_since(answers, one.pool, limits.min_wait_hours),
            },
            advice=wording.fitting(
                *_passed_by(wide, waited),
                *_free(free, _saved(options, best), limits.worth_saving),
                *(_held_back(one, rise, bound) if rise else _advice(answers, one, options, best, bound)),
            ),
            rank=float(waited),
        )
        asked = "pool_full_share" if one.source == pool_options.GAUGES else "pool_occupancy"
        return replace(finding, question=asked)


def _sees(one: Measured) -> str:
    """Whose waiting it is: gauges and tasks' own times do not see the same."""
    if one.source == pool_options.GAUGES:
        return f"every task of the pool, at {one.samples:,} moments"
    return f"{one.samples:,} tries that tell when they were queued"


def _sizes(answers: Mapping[str, Answer], pool: str) -> str | None:
    """`4 until Wed 18 Nov 10:00 UTC, then 8`; None when it kept its size."""
    mine = [row for row in rows_of(answers, "pool_sizes") if row["pool"] == pool]
    if len(mine) < 2:
        return None
    *earlier, last = mine[-4:]
    told = [f"{row['slots']} until {wording.moment(row['until_at'])}" for row in earlier]
    return f"{', '.join(told)}, then {last['slots']}"


def _commands(answers: Mapping[str, Answer], one: Measured, best: int | None) -> dict[str, str]:
    """Both ways. `pools set` replaces the whole pool: without the flag it would stop counting deferred tasks."""
    if best is None:
        return {}
    counts = any(
        row["includes_deferred"] for row in rows_of(answers, "pool_sizes") if row["pool"] == one.pool
    )
    flag = " --include-deferred" if counts else ""
    return {
        name: f"airflow pools set{flag} {quote(one.pool)} {slots} ''"
        for name, slots in (("apply", best), ("undo", one.slots_now))
    }


def _wide(answers: Mapping[str, Answer], pool: str, least_hours: float) -> Row | None:
    """The tasks of several slots that wait for most of the pool's hours, because those of one slot go before them."""
    rows = [row for row in rows_of(answers, "waits_by_width") if row["pool"] == pool and row["slots"] > 1]
    row = max(rows, key=lambda one: float(one["excess_hours"]), default=None)
    return row if row and row["excess_hours"] > 0 and row["excess_hours"] >= least_hours else None


def _passed_by(wide: Row | None, waited: float) -> list[str]:
    if wide is None:
        return []
    return [
        f"{wording.hours(wide['excess_hours'])} of these {wording.hours(waited)} are of tasks of {wide['slots']} slots, which those of one "
        "slot pass by: let them take fewer (pool_slots), if they can."
    ]


def _free(free: Sequence[Cure], raised: float, worth: float) -> list[str]:
    """What costs no slot comes first. Where it saves as much as more slots do, one of the two is enough."""
    if not free:
        return []
    first = free[0]
    saved = wording.hours(first.wait_hours_saved)
    if raised > 0 and first.wait_hours_saved >= worth * raised:
        return [f"One of two is enough: {first.told} (a replay saves {saved} of waiting), or more slots."]
    return [f"Before more slots: {first.told}; a replay saves {saved} of waiting."]


def _saved(options: Sequence[Mapping[str, Any]], best: int | None) -> float:
    """Hours of the size that is proposed; 0 where none is."""
    return next((float(one["wait_hours_saved"]) for one in options if one["slots"] == best), 0.0)


def _held_back(one: Measured, rise: Rise, bound: Row) -> list[str]:
    """Why no more slots are advised, however long tasks wait."""
    return [
        f"Do not raise {wording.name(one.pool)}: its tries fail more often the fuller it is, {wording.percent(rise.full_rate)} beside "
        f"{wording.percent(rise.calm_rate)}, so what it protects{_protects(bound)} may be at its end.",
        "See which errors those are; fewer slots may do more work.",
    ]


def _protects(bound: Row) -> str:
    """The pipeline file's own words, as much as a sentence holds."""
    return f" ({wording.name(bound['protects'], 120)})" if bound.get("protects") else ""


def _of_default_pool(answers: Mapping[str, Answer], one: Measured) -> str:
    """The setting of its name is read once, when Airflow makes the pool."""
    if one.pool != DEFAULT_POOL:
        return ""
    return f"{named(answers, 'default_pool_task_slot_count')} counts only when the pool is first made."


def _advice(
    answers: Mapping[str, Answer],
    one: Measured,
    options: Sequence[Mapping[str, Any]],
    best: int | None,
    bound: Row,
) -> list[str]:
    """The smallest size that removes most of the wait, how sure that is, and what may spoil it."""
    pool = wording.name(one.pool)
    if best is None:
        return [
            f"{pool} is at its bound of {bound['max_slots']} slots{_protects(bound)}: move tasks to quieter hours, "
            "or make them shorter."
        ]
    chosen = next(option for option in options if option["slots"] == best)
    return [
        f"Raise {pool} from {one.slots_now} to {best} slots: {wording.hours(max(0.0, chosen['wait_hours_saved']))} of waiting saved a "
        f"week ({_SURE[one.source]}).",
        f"It stays within {bound['max_slots']}{_protects(bound)}." if bound.get("max_slots") else "",
        f"{chosen['too_wide']} tasks are wider than that." if chosen.get("too_wide") else "",
        f"It is the smallest size that removes most of the wait, with {chosen['peak_slots']} slots in use at the most; durations are "
        f"taken as unchanged, and {named(answers, 'parallelism')} or max_active_tasks may bind instead.",
        "" if is_checked(answers, one.pool) else "Too few tries failed to check if a fuller pool fails more.",
        "The command also empties the pool's description.",
        _of_default_pool(answers, one),
    ]
