"""Weeks tile time and are named as ISO names them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windsock.errors import ConfigError
from windsock.week import Week

MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))


@given(MOMENTS)
def test_every_moment_lies_in_exactly_its_week(moment: datetime) -> None:
    week = Week.of(moment)
    assert week.from_at <= moment < week.to_at
    assert week.minus(1).to_at == week.from_at


@given(MOMENTS)
def test_a_week_reads_back_from_its_name(moment: datetime) -> None:
    assert Week.parse(str(Week.of(moment))) == Week.of(moment)


def test_iso_years_differ_from_calendar_years_at_the_border() -> None:
    assert str(Week.of(date(2027, 1, 3))) == "2026-W53"


def test_the_last_complete_week_has_ended() -> None:
    now = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
    assert Week.last_complete(now).to_at == now
    assert Week.last_complete(now - timedelta(microseconds=1)) == Week.last_complete(now).minus(1)


@pytest.mark.parametrize("text", ["2026-W54", "W47", "2026-13-01", "", "2026-W00"])
def test_what_is_no_week_is_refused_with_the_right_form(text: str) -> None:
    with pytest.raises(ConfigError, match="2026-W47"):
        Week.parse(text)
