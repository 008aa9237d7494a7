"""Cards: which facts of a finding are shown."""

from itertools import permutations
from pathlib import Path

from tests.report.made import finding
from windsock.report import cards
from windsock.report.cards import MAX_FACTS, card

RULES = Path(cards.__file__).parents[1] / "findings"
POOL = {
    "full_share": 0.4, "full_share_all": 0.2, "wait_hours": 30.0, "total_slots": 4, "p50_slots": 2, "p95_slots": 4,
    "filled_by": ["a 50 %"], "source": "gauges", "samples": 900, "busy_hours": 80.0, "sizes": "4, then 8", "detail": "d",
    "max_slots": 6, "protects": "the warehouse allows 6 sessions", "free_cures": ["start b later"],
    "failed_when_fuller": "20 %, else 2 %", "rest": "r",
}  # fmt: skip


def labels(evidence: dict[str, object]) -> list[str]:
    return [name for name, _text in card(finding(evidence=evidence), base_url="").facts]


def test_the_least_telling_facts_go_however_late_the_others_are_made() -> None:
    shown = labels(POOL)
    assert len(shown) == MAX_FACTS < len(POOL)
    assert {"waited", "protects", "free cures", "failed when fuller", "max slots", "rest"} <= set(shown)
    assert not {"source", "samples", "busy"} & set(shown)


def test_the_choice_does_not_hang_on_the_order_in_which_facts_are_made() -> None:
    head, *rest = list(POOL.items())[-4:]
    for order in permutations([head, *rest]):
        again = dict([*order, *[one for one in POOL.items() if one[0] not in dict(order)]])
        assert {"protects", "free cures", "failed when fuller", "max slots", "waited"} <= set(labels(again))


def test_facts_stand_in_the_order_of_the_rule() -> None:
    shown = labels(POOL)
    assert shown.index("full, of busy hours") < shown.index("waited") < shown.index("protects")


def test_every_name_that_is_weighed_is_evidence_of_some_rule() -> None:
    source = "\n".join(path.read_text() for path in RULES.rglob("*.py"))
    unknown = [name for name in sorted(cards._TELLING | cards._ASIDE) if f'"{name}"' not in source]
    assert unknown == []
