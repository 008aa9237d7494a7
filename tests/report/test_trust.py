"""The trust box says of how many DAGs their own code is known."""

from datetime import UTC, datetime
from typing import Any

from tests.findings.test_rules import answers
from windsock.model import Judgement
from windsock.report.trust import trust_lines

AT = datetime(2026, 11, 18, 6, tzinfo=UTC)


def said(**row: Any) -> dict[str, str]:
    return dict(trust_lines(answers(dags_in_detail=[row]), Judgement((), {}, {}), {}))


def test_it_says_how_many_dags_are_known_and_what_the_api_does_not_tell() -> None:
    told = said(dags=120, known=40, with_caps=0, oldest_at=AT)["Tasks of DAGs known"]
    assert (
        told
        == "40 of 120 DAGs that ran, since Wed 18 Nov 06:00 UTC; caps of single tasks of 0, by the database alone"
    )
    by_db = said(dags=120, known=120, with_caps=120, oldest_at=AT)["Tasks of DAGs known"]
    assert by_db == "120 of 120 DAGs that ran, since Wed 18 Nov 06:00 UTC"


def test_where_nobody_was_asked_it_says_nothing_of_it() -> None:
    assert "Tasks of DAGs known" not in said(dags=120, known=0, with_caps=0, oldest_at=None)
