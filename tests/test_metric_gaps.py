"""The reviewed table of what Airflow's metrics miss: complete rows, and the right ones for a version."""

import pytest

from windsock import resources
from windsock.reviewed.metric_gaps import gaps_of, load_metric_gaps

GAPS = load_metric_gaps(resources.folder("sql"))


def test_every_gap_says_what_since_when_and_by_whom() -> None:
    assert len(GAPS) >= 15
    for one in GAPS:
        assert one.metric and one.gap and one.source and one.since_version, one
    assert len({(one.metric, one.since_version, one.gap) for one in GAPS}) == len(GAPS)


@pytest.mark.parametrize(
    ("version", "metric", "has_gap"),
    [
        ("3.1.5", "ti.finish", True),
        ("3.2.2", "dag_processing.last_duration", True),  # the stem, not the silence
        ("2.11.2", "ti_successes", False),
        ("3.0.6", "ti_successes", True),
        ("3.1.0", "ti_successes", False),
        ("3.3.2", "ti_failures", True),
        ("v3.0.6+astro.1", "ti_successes", True),
        ("2.10.0", "pool.scheduled_slots", False),
        ("2.9.3", "pool.scheduled_slots", True),
        ("", "ti_failures", False),
        ("unknown", "ti_failures", False),
    ],
)
def test_a_version_has_its_gaps(version: str, metric: str, has_gap: bool) -> None:
    assert (metric in {one.metric for one in gaps_of(GAPS, version)}) is has_gap


def test_ordinary_failures_are_missed_until_they_are_not() -> None:
    """apache/airflow#59731 is in 3.1.6."""
    told = {
        version: {one.gap for one in gaps_of(GAPS, version) if one.metric == "ti_failures"}
        for version in ("3.1.5", "3.1.6")
    }
    assert any("ordinary" in gap for gap in told["3.1.5"])
    assert not any("ordinary" in gap for gap in told["3.1.6"])
