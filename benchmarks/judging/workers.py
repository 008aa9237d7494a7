"""Fleets of hosts that run the same tasks, some of the hosts truly bad or slow; and the sums of `host_standing` by numpy.

What could mislead a judge is in them: tasks of very different failure rates and run times, hosts that run mostly the hard
ones, hosts that are up for a part of the week (as an autoscaler makes them), outages of an hour or a day that fail tasks
everywhere, and busy hours in which everything is slow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windsock.findings.methods.hosts import stand
from windsock.findings.rules.ws630_bad_worker import BadWorker
from windsock.findings.rules.ws631_slow_worker import SlowWorker
from windsock.model import Answer
from windsock.week import Week

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CELL_H = 1
WEEK = Week.parse("2026-W47")


@dataclass(frozen=True, slots=True)
class Fleet:
    """One week of first tries as columns. `effects`: by how much each host multiplies odds of failure and run time."""

    task: Ints
    host: Ints
    hour: Ints
    is_failed: NDArray[np.bool_]
    duration_s: Floats
    odds: Floats
    slowness: Floats


def simulate(
    rng: np.random.Generator, *, hosts: int, tasks: int, tries: int, bad: float, slow: float
) -> Fleet:
    """`bad` and `slow`: share of the hosts; odds of failure times 3 to 10, run times times 1.4 to 2.5."""
    volume = rng.pareto(1.2, tasks) + 0.2
    task = rng.choice(tasks, tries, p=volume / volume.sum())
    daily = rng.dirichlet(np.full(24, 3.0))
    hour = rng.integers(0, 7, tries) * 24 + rng.choice(24, tries, p=daily)
    # a third of the hosts are up for one to four days, and each host has tasks that it likes
    first = np.where(rng.random(hosts) < 1 / 3, rng.integers(0, 6 * 24, hosts), 0)
    last = np.where(first > 0, first + rng.integers(24, 96, hosts), 7 * 24)
    liking = rng.lognormal(0, 1.0, (min(tasks, 50), hosts))
    weight = liking[task % len(liking)] * ((hour[:, None] >= first) & (hour[:, None] < last))
    weight[weight.sum(axis=1) == 0] = 1.0
    reached = np.cumsum(weight, axis=1)
    host = (rng.random(tries)[:, None] * reached[:, -1:] > reached).sum(axis=1)
    odds, slowness = _effects(rng, hosts, bad, (3.0, 10.0)), _effects(rng, hosts, slow, (1.4, 2.5))
    base = rng.beta(0.6, 12, tasks)[task]
    outage = np.ones(tries)
    for _ in range(rng.poisson(3)):  # an hour to a day in which a fifth of the tasks fails
        begin, long = rng.integers(0, 160), int(np.exp(rng.uniform(0, np.log(24))))
        is_hit = (hour >= begin) & (hour < begin + long) & (task % 5 == rng.integers(0, 5))
        outage[is_hit] *= 20
    all_odds = base / (1 - base) * odds[host] * outage
    is_failed = rng.random(tries) < all_odds / (1 + all_odds)
    busy = rng.lognormal(0, 0.15, 7 * 24)[hour]
    usual_s = rng.lognormal(4, 1.2, tasks)[task]
    duration_s = usual_s * busy * slowness[host] * rng.lognormal(0, 0.4, tries)
    return Fleet(task, host, hour, is_failed, duration_s, odds, slowness)


def _effects(rng: np.random.Generator, hosts: int, share: float, between: tuple[float, float]) -> Floats:
    """Ones, but for a share of the hosts, at least one of them if the share is not nothing."""
    found = np.ones(hosts)
    count = max(1, round(share * hosts)) if share else 0
    found[rng.choice(hosts, count, replace=False)] = np.exp(
        rng.uniform(log(between[0]), log(between[1]), count)
    )
    return found


def rows(fleet: Fleet) -> list[dict[str, Any]]:
    """What `sql/executors/host_standing.sql` answers of failures and durations, by another way than SQL."""
    stratum = _periods(fleet)
    good = ~fleet.is_failed
    found = _sums(
        "failures", fleet, stratum, fleet.is_failed.astype(float), np.ones(len(stratum), bool), None
    )
    ranks = _midranks(stratum[good], fleet.duration_s[good])
    score = np.zeros(len(stratum))
    score[good] = ranks
    return found + _sums("durations", fleet, stratum, score, good, fleet.duration_s)


def _periods(fleet: Fleet) -> Ints:
    """The task in one hour, on one day or in the week: the shortest in which it runs at least twice where it runs at all."""
    tries, day = np.bincount(fleet.task), fleet.hour // 24
    hours, days = (
        np.bincount(np.unique(fleet.task * 1000 + one) // 1000, minlength=len(tries))
        for one in (fleet.hour, day)
    )
    period = np.where((tries >= 2 * days)[fleet.task], 200 + day, 999)
    return fleet.task * 1000 + np.where((tries >= 2 * hours)[fleet.task], fleet.hour, period)


def _midranks(stratum: Ints, value: Floats) -> Floats:
    """Rank within the stratum over its size plus one; no ties are made here."""
    order = np.lexsort((value, stratum))
    _, start, size = np.unique(stratum[order], return_index=True, return_counts=True)
    place = np.arange(len(order)) - np.repeat(start, size) + 1
    found = np.empty(len(order))
    found[order] = place / (np.repeat(size, size) + 1)
    return found


def _sums(
    measure: str, fleet: Fleet, stratum: Ints, score: Floats, keep: NDArray[np.bool_], took_s: Floats | None
) -> list[dict[str, Any]]:
    _, of = np.unique(stratum[keep], return_inverse=True)
    host, hour, score = fleet.host[keep], fleet.hour[keep], score[keep]
    n, total, square = (np.bincount(of, weights)[of] for weights in (None, score, score**2))
    spread = (square - total**2 / n) / np.maximum(n - 1, 1)
    own = of * (fleet.host.max() + 1) + host
    _, of_own = np.unique(own, return_inverse=True)
    n_own, sum_own = (np.bincount(of_own, weights)[of_own] for weights in (None, score))
    told = (n > n_own) & (spread > 1e-12)
    log_s = np.log(took_s[keep]) if took_s is not None else np.zeros(len(of))
    log_s = log_s - (np.bincount(of, log_s) / np.bincount(of))[of]
    found = []
    named = np.unique(host[told])
    for one in named:
        mine = told & (host == one)
        rest = (n - n_own)[mine]
        excess, variance = (score - total / n)[mine], rest / n[mine] * spread[mine]
        cells = [np.bincount(hour[mine] // CELL_H, weights) for weights in (excess, variance)]
        found.append(
            {
                "measure": measure,
                "hostname": f"host-{one:03d}",
                "executor": "CeleryExecutor",
                "queue": "default",
                "tries": int(mine.sum()),
                "tasks": len(np.unique(fleet.task[keep][mine])),
                "hosts": len(named),
                "observed": float(score[mine].sum()),
                "expected": float((total / n)[mine].sum()),
                "variance": float(variance.sum()),
                "usual": float(((total - sum_own)[mine] / rest).sum()),
                "cell_square": float((cells[0] ** 2).sum()),
                "cell_cross": float((cells[0] * cells[1]).sum()),
                "cell_variance": float((cells[1] ** 2).sum()),
                "log_ratio": float(log_s[mine].sum() / (rest / n[mine]).sum())
                if took_s is not None
                else None,
                "median_s": float(np.median(took_s[keep][mine])) if took_s is not None else None,
                "first_at": None,
                "last_at": None,
                "error_signature": None,
            }
        )
    return found


@dataclass(frozen=True, slots=True)
class Scores:
    """Of WS630 or WS631, over all fleets; fractions."""

    false_share: float  # of the hosts named, not bad: mean over fleets
    power: float  # of bad hosts whose effect is one that the rule promises to tell
    quiet: float  # findings in a fleet of this kind without a bad host: mean
    rejected: float  # share of the hosts of quiet fleets whose p-value is below 0.01


def score(seeds: Sequence[int], *, hosts: int, tries: int, of: str) -> Scores:
    """Judge one fleet with and one without bad hosts per seed."""
    false_shares, found, quiet, chances = [], [], [], []
    rule, limits = (BadWorker, BadWorker.limits()) if of == "failures" else (SlowWorker, SlowWorker.limits())
    for seed in seeds:
        for bad in (0.08, 0.0):
            rng = np.random.default_rng((seed, hosts, bad > 0))
            fleet = simulate(rng, hosts=hosts, tasks=200, tries=tries, bad=bad, slow=bad)
            answer = Answer("host_standing", (), tuple(row for row in rows(fleet) if row["measure"] == of))
            named = {
                one.subject["hostname"]
                for one in rule.judge({"host_standing": answer}, limits, week=WEEK).findings
            }
            if not bad:
                quiet.append(len(named))
                judged = stand(answer.rows, fdr=0.05, chance=0.01, are_counts=of == "failures")
                chances += [one.p_value for one in judged]
                continue
            effect = fleet.odds if of == "failures" else fleet.slowness
            truly = {f"host-{no:03d}" for no in np.flatnonzero(effect > 1)}
            false_shares.append(len(named - truly) / max(1, len(named)))
            large = {name for name, value in _large(answer, effect, of) if value}
            found += [name in named for name in large & truly]
    power = float(np.mean(found)) if found else 1.0
    return Scores(
        float(np.mean(false_shares)), power, float(np.mean(quiet)), float(np.mean(np.array(chances) < 0.01))
    )


def _large(answer: Answer, effect: Floats, of: str) -> Iterator[tuple[str, bool]]:
    """Hosts whose true effect is one that the rule promises to tell: ten failures above the usual, half as long again."""
    for row in answer.rows:
        true = float(effect[int(row["hostname"].removeprefix("host-"))])
        yield (
            row["hostname"],
            row["usual"] * (true - 1) >= 10 if of == "failures" else true >= 1.5 and row["tries"] >= 50,
        )
