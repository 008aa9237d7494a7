"""A Prometheus server's API: what is asked, and what is said when it does not answer as it should."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.prometheus_server import Reply, serving
from windsock import config as configs
from windsock import pipeline
from windsock.errors import ConfigError, SourceError, WindsockError
from windsock.matchers import parse_match
from windsock.model import Reject
from windsock.output import Output
from windsock.sources.http_secrets import headers_from, token_from
from windsock.sources.prometheus import Page, PrometheusServer, pages
from windsock.week import Week

HOUR = datetime(2026, 11, 24, 10, tzinfo=UTC)
EMPTY = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": []}}).encode()


def server(url: str, match: str = "", **more: Any) -> PrometheusServer:
    return PrometheusServer(
        url, **({"match": parse_match(match), "headers": {}, "token": None, "sleep": lambda _s: None} | more)
    )


PAGE = Page(HOUR, HOUR + timedelta(hours=1))


def test_pages_are_hours_and_the_last_one_a_part() -> None:
    found = list(pages(since=HOUR + timedelta(minutes=7), until=HOUR + timedelta(hours=2, minutes=5)))
    assert [(page.begins_at.hour, page.is_whole) for page in found] == [(10, True), (11, True), (12, False)]


def test_a_page_asks_for_its_minutes_and_two_before() -> None:
    with serving(lambda _path, _q: (200, {"Content-Encoding": "gzip"}, gzip.compress(EMPTY))) as (url, asked):
        assert server(f"{url}/", '{namespace="b"}', token=lambda: "tok-FAKE").page(PAGE) == EMPTY
    path, parameters, headers = asked[0]
    assert path == "/api/v1/query_range"
    assert parameters["query"] == '{__name__=~"airflow_.+",namespace="b"}'
    assert float(parameters["start"]) == (HOUR - timedelta(minutes=2)).timestamp()
    assert HOUR.timestamp() + 3540 <= float(parameters["end"]) < HOUR.timestamp() + 3600
    assert headers["authorization"] == "Bearer tok-FAKE"


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ((200, {}, b"<html>login</html>"), "answered HTML, not JSON"),
        ((401, {}, b""), "answered 401, it does not let us in"),
        ((403, {}, b"{}"), "answered 403"),
        ((302, {"Location": "http://login.example/"}, b""), "redirects"),
        ((404, {}, b"<html>"), "answered 404 HTML"),
    ],
)
def test_a_server_that_cannot_be_used_is_one_line(reply: Reply, words: str) -> None:
    with serving(lambda _path, _q: reply) as (url, asked):
        with pytest.raises(SourceError, match=words) as caught:
            server(url, token=lambda: "tok-FAKE").page(PAGE)
        assert len(asked) == 1
    assert "\n" not in str(caught.value)
    assert "tok-FAKE" not in str(caught.value)


def test_nobody_at_the_address_is_one_line() -> None:
    with pytest.raises(SourceError, match="cannot be reached"):
        server("http://127.0.0.1:9").page(PAGE)


def test_a_page_that_the_server_refuses_is_a_reject_in_its_words() -> None:
    body = json.dumps({"status": "error", "error": "query processing would load too many samples"}).encode()
    with serving(lambda _path, _q: (422, {}, body)) as (url, _asked):
        told = server(url).page(PAGE)
    assert isinstance(told, Reject)
    assert "too many samples" in told.detail


def test_a_busy_server_is_asked_again() -> None:
    replies = iter([(503, {}, b""), (429, {}, b""), (200, {}, EMPTY)])
    with serving(lambda _path, _q: next(replies)) as (url, asked):
        assert server(url).page(PAGE) == EMPTY
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        ("Authorization: Bearer FAKE\nX-Scope-OrgID: team:a", {"Authorization": "Bearer FAKE", "X-Scope-OrgID": "team:a"}),
        ('{"X-Scope-OrgID": "a"}', {"X-Scope-OrgID": "a"}),
    ],
)  # fmt: skip
def test_headers_come_as_lines_or_json(text: str, headers: dict[str, str]) -> None:
    assert headers_from(text) == headers


@pytest.mark.parametrize("text", ["", "Bearer FAKE", '{"a": 1}'])
def test_headers_in_another_form_are_an_error_that_does_not_tell_them(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        headers_from(text)
    assert "FAKE" not in str(caught.value)


def test_a_token_command_is_run_and_its_failure_does_not_tell_its_output() -> None:
    assert token_from("echo tok-FAKE") == "tok-FAKE"
    for command in ("false", "true", "no-such-command-here", 'sh -c "echo tok-FAKE; exit 3"'):
        with pytest.raises(ConfigError, match="token_command") as caught:
            token_from(command)
        assert "is tok-FAKE" not in str(caught.value)


@pytest.mark.parametrize("url", ["prometheus:9090", "ftp://x", "http://user:secret@host:9090"])
def test_an_address_that_is_none_or_holds_a_password_is_refused(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        server(url)
    assert "secret" not in str(caught.value)


def test_hours_are_asked_once_and_the_last_again(tmp_path: Path) -> None:
    """Whole hours are known to the ledger; another `match` makes all of them new."""
    series = {"__name__": "airflow_scheduler_heartbeat", "namespace": "b"}

    def reply(path: str, parameters: dict[str, str]) -> Reply:
        if path != "/api/v1/query_range":
            return 200, {}, b'{"status":"success","data":{}}'
        start, end = float(parameters["start"]), float(parameters["end"])
        steps = [start + 60 * n for n in range(int((end - start) // 60) + 1)]
        values = [[at, str(at if "timestamp(" in parameters["query"] else at // 5)] for at in steps]
        told = {
            "status": "success",
            "data": {"resultType": "matrix", "result": [{"metric": series, "values": values}]},
        }
        return 200, {}, json.dumps(told).encode()

    with serving(reply) as (url, asked):

        def pull(now: datetime, match: str = "") -> Any:
            (tmp_path / "p.toml").write_text(
                f"[deployment]\nname = 'p'\n[sources.metrics]\nprometheus = '{url}'\nmatch = '{match}'\n[lake]\nurl = 'lake'\n"
            )
            config = configs.load(tmp_path / "p.toml", {})
            asked.clear()
            done = pipeline.pull(
                config, now=now, week=Week.parse("2026-W48"), output=Output(level=0), since=HOUR
            )
            told = pipeline.ask(
                config,
                question="",
                sql="select count(*) as n, sum(value) as total from metric_samples",
                week=Week.parse("2026-W48"),
            )
            hours = sum("timestamp(" in parameters.get("query", "") for _path, parameters, _headers in asked)
            return done.read, hours, told.rows[0]["n"], told.rows[0]["total"]

        assert pull(HOUR + timedelta(minutes=90)) == (2, 2, 90, 90 * 12)
        assert pull(HOUR + timedelta(minutes=120)) == (1, 1, 120, 120 * 12)
        assert pull(HOUR + timedelta(minutes=120)) == (0, 0, 120, 120 * 12)
        assert pull(HOUR + timedelta(minutes=120), '{namespace="b"}') == (2, 2, 120, 120 * 12)


def test_a_match_that_cannot_be_read_is_named_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(
        "[deployment]\nname = 'p'\n[sources.metrics]\nurl = 'm'\nmatch = '{a=b}'\n"
    )
    with pytest.raises(WindsockError, match=r"p\.toml: .*match '\{a=b\}'.*write it like"):
        configs.load(tmp_path / "p.toml", {})
