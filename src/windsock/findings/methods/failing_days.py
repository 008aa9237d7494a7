"""How likely are a subject's days at each base rate, each spread of the days, and each change of the odds this week?

A day's failures are binomial around a rate that is itself drawn: gamma-distributed around the base rate with squared
coefficient of variation c, so that counts are negative binomial (Greenwood and Yule 1920, doi:10.2307/2341080); they are
scaled by 1/(1 - rate), which gives them the binomial's information. Some subjects have bad nights: a day of about three
times the rate, now and then one on which anything may fail. Told apart by a mixture (Tukey 1960), such a night raises
neither the base rate nor the spread. A change may begin within the week, though not with its last day, and then stays. The base
rate is integrated over nodes around its posterior.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Days = Sequence[tuple[int, int]]

DAY_CV2 = np.array([0.0025, 0.03, 0.1, 0.3, 0.7, 1.5, 4.0])
ODDS_FACTORS = np.exp(np.array([0.5, 0.85, 1.2, 1.55, 1.9, 2.6, 4.2, 7.0]))
NODES = np.linspace(-4.4, 4.4, 12)  # of the base rate's logit, in standard deviations
BAD_NIGHT, NIGHT_SHARE = 3.0, 0.05  # times the usual rate; share of days, where a subject has bad nights
WILD_SHARE = 0.005  # share of days on which any number may fail
ONSETS, WHOLE_WEEK = (
    (0, 2, 4),
    0.95,
)  # days on which a change may begin; share of those that were there from the first
WIDER = 1.1  # nodes reach further than the moments say: a bad night in the baseline pulls the centre up
MOST_SCALE = 4.0  # a rate near one has hardly any variance left to scale
HALF_LOG_2_PI = 0.9189385332046727
CHUNK = 64  # subjects at a time: what is held stays in the processor's cache


@dataclass(frozen=True, slots=True)
class Evidence:
    """Per subject (rows), class (spreads without bad nights, then with) and model: no change, each factor up, each down."""

    log: Floats  # log marginal likelihood
    excess: Floats  # failures of the week that the change explains


def evidence(windows: Sequence[tuple[Days, Days]], alpha: float, beta: float) -> Evidence:
    """Of all subjects, given as (days of the week, days of the baseline) of (units, failures), in order of time."""
    parts = [_of_chunk(windows[at : at + CHUNK], alpha, beta) for at in range(0, len(windows), CHUNK)]
    return Evidence(np.concatenate([one.log for one in parts]), np.concatenate([one.excess for one in parts]))


def _of_chunk(windows: Sequence[tuple[Days, Days]], alpha: float, beta: float) -> Evidence:
    now, before = (_columns([pair[i] for pair in windows]) for i in (0, 1))
    n_prev, k_prev = before[0].sum(axis=1), before[1].sum(axis=1)
    base = (alpha + k_prev) / (alpha + beta + n_prev)
    pooled = (alpha + k_prev + now[1].sum(axis=1)) / (alpha + beta + n_prev + now[0].sum(axis=1))
    scale = np.minimum(1 / (1 - pooled), MOST_SCALE)
    mean_day = (before[0] ** 2).sum(axis=1) / n_prev - 1
    phi = 1 + DAY_CV2[:, None] * (mean_day * base / (1 - base))
    a, b = alpha + k_prev / phi, beta + (n_prev - k_prev) / phi
    width = WIDER * np.sqrt(1 / a + 1 / a**2 + 1 / b)
    odds = np.exp(np.clip(np.log(a / b) + width * NODES[:, None, None], -25, 25))[..., None]
    rate = odds / (1 + odds)  # nodes, spreads, subjects, models
    prior = alpha * np.log(rate) + beta * np.log1p(-rate) + np.log(width)[..., None]
    start = prior + sum(_by_day(before, rate, scale))
    raised = odds * np.concatenate(([1.0], ODDS_FACTORS, 1 / ODDS_FACTORS))
    raised /= 1 + raised
    week, units = _changed(now, list(_by_day(now, raised, scale)))
    joint = start + week
    top = joint.max(axis=1, keepdims=True)
    joint = np.exp(joint - top)
    total = joint.sum(axis=1)
    excess = (joint * (raised - rate) * units).sum(axis=1) / total
    shape = (-1, len(windows), raised.shape[-1])  # classes, subjects, models
    log = (np.log(total) + top[:, 0]).reshape(shape)
    return Evidence(log.transpose(1, 0, 2), excess.reshape(shape).transpose(1, 0, 2))


def _columns(windows: Sequence[Days]) -> tuple[Floats, Floats]:
    """Units and failures, subjects by days; subjects with fewer days end in empty ones, which say nothing."""
    units, failures = np.zeros((2, len(windows), max(len(days) for days in windows)))
    for row, days in enumerate(windows):
        units[row, : len(days)], failures[row, : len(days)] = np.array(days, dtype=float).T
    return units, failures


def _by_day(days: tuple[Floats, Floats], rate: Floats, scale: Floats) -> Iterator[Floats]:
    """Log-likelihood of each day, up to what is the same for all rates; axes: without and with bad nights, then `rate`'s."""
    shape = (1 / DAY_CV2)[:, None, None]
    wide, rate = shape.astype(np.float32), rate.astype(np.float32)
    log_rate = np.log(rate)
    worse = np.clip(np.float32(0.98) / rate, 1, np.float32(BAD_NIGHT))
    log_worse = np.log(worse)
    share_of = rate / wide
    can_be_wild = ((days[0] > 0).sum(axis=1) > 2)[:, None]  # else a night cannot be told from a change
    worse_of = share_of * worse
    for units, failures in zip(days[0].T, days[1].T, strict=True):
        size, failed = (units * scale)[:, None], (failures * scale)[:, None]
        ways = _ways(failed, shape).astype(np.float32)
        wild = np.where(can_be_wild, _wild(units[:, None], failed, size), -np.inf).astype(np.float32)
        size, failed = size.astype(np.float32), failed.astype(np.float32)
        both = wide + failed
        usual = np.log1p(size * share_of)
        plain = failed * log_rate
        night = np.log1p(size * worse_of)
        night -= usual
        night *= -both
        night += failed * log_worse
        np.minimum(night, 80, out=night)
        np.exp(night, out=night)
        night *= np.float32(NIGHT_SHARE)
        night += np.float32(1 - NIGHT_SHARE - WILD_SHARE)
        usual *= both
        plain -= usual
        plain += ways
        wilds = wild - plain
        np.minimum(wilds, 80, out=wilds)
        night += np.exp(wilds, out=wilds)
        yield np.stack((plain, plain + np.log(night, out=night)))


def _wild(units: Floats, failed: Floats, size: Floats) -> Floats:
    """log(WILD_SHARE / (units + 1)): any number of failures alike; with what `_by_day` leaves out, as it is the same for all."""
    left_out = _log_gamma(failed + 1) + HALF_LOG_2_PI - failed * np.log(np.maximum(size, 1))
    return np.asarray(np.log(WILD_SHARE) - np.log1p(units) + left_out)


def _changed(days: tuple[Floats, Floats], logs: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Log-likelihood of the week, its change beginning on one of `ONSETS`; and the units since then, as expected."""
    seen = (days[0] > 0).sum(axis=1)
    places = [day for day in ONSETS if day < len(logs)]
    allowed = np.stack([(day < np.maximum(seen - 1, 1)) for day in places]).astype(np.float32)
    weights = allowed * np.where(np.array(places) > 0, (1 - WHOLE_WEEK) / 2, WHOLE_WEEK)[:, None]
    weights /= weights.sum(axis=0)
    parts = [
        _since(logs, day) + np.log(np.maximum(one, 1e-30))[:, None]
        for day, one in zip(places, weights, strict=True)
    ]
    top = parts[0]
    for one in parts[1:]:
        top = np.maximum(top, one)
    total, units = (np.zeros(top.shape, np.float32) for _ in range(2))
    for day, one in zip(places, parts, strict=True):
        share = np.exp(one - top)
        total += share
        units += share * days[0][:, day:].sum(axis=1).astype(np.float32)[:, None]
    return np.asarray(top + np.log(total)), np.asarray(units / total)


def _since(logs: Sequence[Floats], day: int) -> Floats:
    """Log-likelihood of the week when the rate changed on that day: the days before it are like no change (model 0)."""
    changed = logs[day]
    for one in logs[day + 1 :]:
        changed = changed + one
    for one in logs[:day]:
        changed = changed + one[..., :1]
    return changed


def _ways(failed: Floats, shape: Floats) -> Floats:
    """log(gamma(shape + failed) / gamma(shape)) - failed * log(shape): what depends on the spread but on no rate."""
    return np.asarray(_log_gamma(shape + failed) - _log_gamma(shape) - failed * np.log(shape))


def _log_gamma(x: Floats) -> Floats:
    """Stirling's series at x + 5, shifted back, less its constant; exact to 1e-9 for x > 0.2."""
    y = x + 5
    series = (y - 0.5) * np.log(y) - y + 1 / (12 * y) - 1 / (360 * y**3) + 1 / (1260 * y**5)
    return np.asarray(series - np.log(x * (x + 1) * (x + 2) * (x + 3) * (x + 4)))
