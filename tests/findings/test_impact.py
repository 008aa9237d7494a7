"""What a finding cost, in units that rules share; and the order of the page that follows from it."""

import inspect
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from windsock.findings import RULES, _place
from windsock.findings.impact import _OF, with_impact
from windsock.model import Finding, Impact

SAMPLE = Path(__file__).parents[2] / "reports" / "sample" / "2026-W47" / "report.json"


def made(code: str, severity: Any = "warning", **evidence: Any) -> Finding:
    return with_impact(Finding(f"{code}:{evidence}", code, "n", severity, {"dag_id": "d"}, "h", evidence, "a", "q"))  # fmt: skip


IN_ORDER = [
    made("WS106", "critical", week_runs=3),
    made("WS511", tries=4, runs=4),  # machines that vanish explain the rest
    made("WS501", median_runs=168.0),
    made("WS101", excess_failures=41.0),
    made("WS110", lost_runs=40, wasted_hours=90.0),
    made("WS105", excess_failures=40.0),  # as many runs, no hours known
    made("WS403", later_hours=50.0),
    made("WS301", wait_hours=30.0),
    made("WS401", extra_hours=20.0),
    made("WS301", wait_hours=20.0, pool="b"),
    made("WS205"),  # counts neither: by its rule
    made("WS604", prepare_hours=0.0),
    made("WS110", lost_runs=900, wasted_hours=900.0, is_over=True),
    made("WS109", "watch", week_runs=1),
]


def test_first_stands_what_lost_most_runs_then_most_hours() -> None:
    for seed in range(20):
        shuffled = random.Random(seed).sample(IN_ORDER, len(IN_ORDER))
        told = sorted(shuffled, key=_place)
        # twenty hours are twenty hours, of workers or of waiting: their rules decide
        assert [one.id for one in told if one.code != "WS604"] == [
            one.id for one in sorted(IN_ORDER, key=_place) if one.code != "WS604"
        ]
        assert [one.impact for one in told[:8]] == [one.impact for one in IN_ORDER[:8]]
        assert [one.code for one in told[-2:]] == ["WS110", "WS109"]


def test_what_a_rule_does_not_count_is_not_known_never_nothing() -> None:
    assert with_impact(replace(IN_ORDER[0], evidence={})).impact == Impact(None, None, None)
    assert made("WS101", excess_failures=float("nan")).impact.runs_lost is None
    assert made("WS110", lost_runs=2, wasted_hours=0.5).impact == Impact(2.0, 0.5, None)


@pytest.mark.parametrize("code", sorted(_OF))
def test_the_evidence_that_counts_is_told_by_its_rule(code: str) -> None:
    """Findings of the committed sample week have it; a rule that the sample lacks names it in its own text."""
    rule = next(one for one in RULES if one.code == code)
    mine = [one for one in json.loads(SAMPLE.read_text())["findings"] if one["code"] == code and one["status"] != "better"]  # fmt: skip
    if mine:
        assert any(value is not None for one in mine for value in one["impact"].values())
    source = inspect.getsource(inspect.getmodule(rule)) + inspect.getsource(inspect.getmodule(RULES[0].judge))  # type: ignore[arg-type]
    rates = (Path(__file__).parents[2] / "src/windsock/findings/rates.py").read_text()
    for name in filter(None, _OF[code]):
        stem = name.removeprefix("week_") if "week_{name}" in source.replace("f", "") else name
        assert f'"{stem}"' in source + rates
