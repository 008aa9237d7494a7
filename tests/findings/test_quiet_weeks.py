"""Whole quiet weeks, through every question and every rule: nothing to warn of. `benchmarks.judging.quiet` prints twenty."""

from pathlib import Path

import pytest
from benchmarks.judging.quiet import judge_week, loud, quiet_fleet

pytestmark = pytest.mark.long

JUDGING = {
    "WS101",
    "WS110",
    "WS111",
    "WS201",
    "WS301",
    "WS401",
    "WS402",
    "WS403",
    "WS408",
    "WS501",
    "WS502",
    "WS530",
    "WS630",
    "WS651",
}


@pytest.mark.parametrize("seed", range(3))
def test_a_quiet_week_gives_no_warning_though_the_rules_had_something_to_judge(
    tmp_path: Path, seed: int
) -> None:
    judgement = judge_week(tmp_path, quiet_fleet(seed))
    assert loud(judgement.findings) == []
    assert {code for code, count in judgement.judged.items() if count} >= JUDGING
