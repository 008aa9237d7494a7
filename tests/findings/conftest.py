"""Every golden case of every rule is judged a second time with long names: what a card says to do must fit, whatever its DAGs are called."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from windsock.findings import RULES
from windsock.findings.rule import Verdicts
from windsock.model import MAX_ADVICE, Answer
from windsock.privacy import COLUMNS
from windsock.week import Week

LONG = 80
"""Characters of a name; Airflow allows 250, and what then does not fit goes by whole sentences."""


def lengthened(value: Any) -> Any:
    """A name of `LONG` characters that starts as it did, also in lists; the same name gives the same one."""
    if isinstance(value, list | tuple):
        return type(value)(lengthened(one) for one in value)
    return f"{value}_".ljust(LONG, "x") if isinstance(value, str) and value else value


def with_long_names(answers: Mapping[str, Answer]) -> dict[str, Answer]:
    kinds = {**COLUMNS, "pool": "dag"}
    return {
        name: replace(
            one,
            rows=tuple(
                {
                    key: lengthened(value) if kinds.get(key) in ("dag", "task", "host") else value
                    for key, value in row.items()
                }
                for row in one.rows
            ),
        )
        for name, one in answers.items()
    }


@pytest.fixture(scope="session", autouse=True)
def advice_fits() -> Iterator[None]:
    """Fails the test in which a rule says more than a card keeps."""
    with pytest.MonkeyPatch.context() as patch:
        for rule in RULES:
            patch.setattr(rule, "judge", _watched(rule.judge))
        yield


def _watched(judge: Any) -> Any:
    def judged(answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        made = judge(answers, limits, week=week)
        for one in (*made.findings, *judge(with_long_names(answers), limits, week=week).findings):
            assert len(one.advice) <= MAX_ADVICE, (
                f"{one.code} advises {len(one.advice)} characters: {one.advice}"
            )
        return made  # type: ignore[no-any-return]

    return judged
