"""Label matchers mean what Prometheus means by them."""

import pytest

from windsock.errors import ConfigError
from windsock.matchers import parse_match

LABELS = {"namespace": "airflow-prod", "cluster": "eu-1", "odd": 'a"b\\c'}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True),
        ("{}", True),
        ('{namespace="airflow-prod"}', True),
        ('namespace="airflow-prod"', True),
        ('{ namespace = "airflow-prod" , cluster=~"eu-.*", }', True),
        ('{namespace="airflow-prod",cluster="us-1"}', False),
        ('{cluster=~"eu"}', False),  # anchored
        ('{cluster!~"us-.*"}', True),
        ('{cluster!="eu-1"}', False),
        ('{absent=""}', True),
        ('{absent!=""}', False),
        ('{odd="a\\"b\\\\c"}', True),
    ],
)
def test_a_match_holds_or_not(text: str, holds: bool) -> None:
    match = parse_match(text)
    assert match.holds(LABELS) is holds
    assert parse_match(match.text()).holds(LABELS) is holds


@pytest.mark.parametrize("text", ['{a="b"', "a=b", '{a="b"} or {c="d"}', '{a=~"("}', '{a="b" c="d"}', "{=}"])
def test_what_is_no_match_is_an_error_that_shows_one(text: str) -> None:
    with pytest.raises(ConfigError, match="match"):
        parse_match(text)
