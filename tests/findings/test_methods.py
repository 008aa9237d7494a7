"""The judges on simulated weeks with known truth: a few seeds, with room below what `benchmarks.judging` prints."""

import numpy as np
from benchmarks.judging import fleets, forecasts, pools, series

from windsock.findings.methods.change_points import find_changes
from windsock.findings.methods.failure_rates import Counts, judge_rates
from windsock.findings.methods.pool_replay import Replay, Tasks, from_gauges, scheduler_period_s


def test_change_points_are_found_and_noise_is_not() -> None:
    got = series.score(range(5000, 5200))
    assert got.false_alarms <= 0.06
    assert got.power >= 0.75
    assert got.power_by_ratio[1.5] >= 0.8
    assert got.f1 >= 0.8


def test_a_forecast_holds_the_truth_and_flat_files_have_none() -> None:
    got = forecasts.score(range(5000, 5800))
    assert got.false_alarms <= 0.02
    assert got.power >= 0.75
    assert got.covered >= 0.8


def test_failure_rates_are_judged_without_crying_wolf() -> None:
    got = fleets.score(range(5000, 5004), baseline_weeks=5)
    assert got.fdr <= 0.15
    assert got.power_excess_5 >= 0.6
    assert got.ndcg_20 >= 0.8


def test_a_replay_foretells_the_hours_saved() -> None:
    got = pools.score(range(5000, 5006), tasks=1000)
    assert got.median_error <= 0.05
    assert got.right_size >= 0.8


def test_a_step_is_placed_and_bounded() -> None:
    rng = np.random.default_rng(3)
    values = np.exp(rng.normal(0, 0.1, 400))
    values[250:] *= 1.5
    (change,) = find_changes(values, times_s=np.arange(400) * 3600.0)
    assert abs(change.index - 250) <= 3
    assert change.first <= 250 <= change.last
    assert abs(change.ratio - 1.5) < 0.1


def test_equal_values_have_no_change_and_a_clean_step_has_one() -> None:
    assert find_changes(np.full(100, 0.4)) == []
    (change,) = find_changes(np.repeat([0.4, 0.6], 50))
    assert (change.index, change.before, change.after) == (50, 0.4, 0.6)


def test_two_slow_nights_then_normal_are_no_change() -> None:
    rng = np.random.default_rng(4)
    values = np.exp(rng.normal(0, 0.1, 200))
    values[150:158] *= 3
    assert find_changes(values, times_s=np.arange(200) * 10800.0) == []


def test_a_short_series_is_not_judged() -> None:
    assert find_changes(np.array([1.0] * 8 + [5.0] * 8)) == []


def steady(name: str, rate: float, *, weeks: int = 8, runs: int = 8, seed: int = 0) -> Counts:
    rng = np.random.default_rng(seed)
    days = [(runs, int(rng.binomial(runs, rate))) for _ in range(7 * (weeks + 1))]
    return Counts(name, days[-7:], days[:-7])


def judge(*subjects: Counts, quiet: int = 20) -> dict[str, str]:
    fleet = [*subjects, *(steady(f"quiet_{i}", 0.02, seed=i) for i in range(quiet))]
    said = judge_rates(fleet, fdr=0.05, min_units=20, min_failures=5)
    return {one.counts.subject: one.word for one in said}


NONE_BEFORE = [(8, 0)] * 56


def test_two_bad_nights_then_normal_are_no_change() -> None:
    assert judge(Counts("d", [(8, 0), (8, 7), (8, 7), *[(8, 0)] * 4], NONE_BEFORE))["d"] == "no evidence"


def test_a_rate_that_rose_for_the_whole_week_is_worse() -> None:
    assert judge(Counts("d", [(8, 3)] * 7, NONE_BEFORE))["d"] == "worse"


def test_a_dag_that_breaks_in_mid_week_and_stays_broken_is_worse() -> None:
    assert judge(Counts("d", [*[(8, 0)] * 4, *[(8, 7)] * 3], NONE_BEFORE))["d"] == "worse"


def test_a_rate_that_fell_is_better() -> None:
    assert judge(Counts("d", [(8, 0)] * 7, [(8, 3)] * 56))["d"] == "better"


def test_a_bad_night_in_the_baseline_neither_hides_a_rise_nor_widens_the_days() -> None:
    night = [*[(20, 1)] * 30, (20, 20), *[(20, 1)] * 25]
    (said,) = (
        one
        for one in judge_rates(
            [
                Counts("d", [(20, 4)] * 7, night),
                *(steady(f"quiet_{i}", 0.02, seed=i) for i in range(20)),
            ],
            fdr=0.05,
            min_units=20,
            min_failures=5,
        )
        if one.counts.subject == "d"
    )
    assert said.word == "worse"
    assert said.dispersion < 1.5


def test_a_rise_on_the_last_days_is_told_with_the_failures_since_then() -> None:
    fleet = [
        Counts("d", [*[(100, 2)] * 4, *[(100, 60)] * 3], [(100, 2)] * 56),
        *(steady(f"quiet_{i}", 0.02, seed=i) for i in range(20)),
    ]
    said = {one.counts.subject: one for one in judge_rates(fleet, fdr=0.05, min_units=20, min_failures=5)}[
        "d"
    ]
    assert said.word == "worse"
    assert 130 < said.rank < 200  # 58 of 100 on three days


def test_few_failures_are_not_enough_data() -> None:
    assert judge(Counts("d", [(1, 1), *[(1, 0)] * 6], [(1, 0)] * 56))["d"] == "not enough data"


def test_a_fleet_of_one_dag_is_judged() -> None:
    assert judge(Counts("d", [(8, 3)] * 7, NONE_BEFORE), quiet=0)["d"] == "worse"


def test_a_lone_dag_that_lost_every_run_of_its_one_day_is_worse() -> None:
    assert judge(Counts("d", [(30, 30)], [(30, 0)]), quiet=0)["d"] == "worse"


def tasks(*rows: tuple[float, float, float, int, int]) -> Tasks:
    ready, taken, given_back, slots, priority = (np.array(one) for one in zip(*rows, strict=True))
    return Tasks(ready.astype(float), taken.astype(float), given_back.astype(float), slots, priority)


def test_priority_goes_first_and_small_tasks_pass_wide_ones() -> None:
    week = tasks(
        (0, 0, 100, 1, 1),  # holds one of two slots
        (1, 100, 200, 2, 5),  # wide: has to wait for both
        (2, 2, 52, 1, 1),  # small: passes it
    )
    replay = Replay(week, period_s=1.0)
    assert replay.at(2).wait_hours * 3600 == 99
    assert replay.at(4).wait_hours == 0
    assert replay.at(4).peak_slots == 4


def test_a_task_wider_than_the_pool_is_left_out_and_counted() -> None:
    load = Replay(tasks((0, 0, 10, 3, 1), (0, 0, 10, 1, 1)), period_s=1.0).at(2)
    assert (load.too_wide, load.peak_slots) == (1, 1)


def test_the_period_comes_from_starts_that_found_room() -> None:
    week = tasks(*[(100.0 * i, 100.0 * i + 4, 100.0 * i + 50, 1, 1) for i in range(30)])
    assert scheduler_period_s(week, 1) == 8.0
    assert scheduler_period_s(tasks((0, 4, 50, 1, 1)), 1) == 5.0  # one start tells nothing


def test_gauges_bound_the_saving_from_below() -> None:
    load = from_gauges([(3600, 4, 3), (3600, 4, 0)], slots_now=4, slots=6)
    assert (load.wait_hours, load.peak_slots) == (1.0, 6)
