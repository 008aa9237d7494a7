"""The API client copes with what servers do: caps, rate limits, outages, lists that move, older versions."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.airflow_server import TOKEN, Answer, FakeAirflow, load, serve
from windsock.errors import SourceError
from windsock.sources.airflow_api import AirflowApi, Credentials, open_api
from windsock.sources.airflow_api.client import ATTEMPTS

LONG_AGO = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture
def fake() -> Iterator[FakeAirflow]:
    with serve(load(3)) as server:
        yield server


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def api(fake: FakeAirflow, slept: list[float]) -> AirflowApi:
    return open_api(fake.url, Credentials(token=TOKEN), timeout_s=5, sleep=slept.append)


def ids(found: Iterator[dict[str, object]]) -> set[object]:
    return {one["id"] for one in found if not one.get("is_history")}


def all_ids(fake: FakeAirflow) -> set[object]:
    return {one["id"] for one in fake.lists["task_instances"]}


@pytest.mark.parametrize("cap", [1, 7, 100])
def test_a_cap_lower_than_the_page_asked_for_loses_nothing(
    fake: FakeAirflow, api: AirflowApi, cap: int
) -> None:
    fake.lists["task_instances"] = fake.lists["task_instances"][:150]
    fake.cap = cap
    assert ids(api.tries(LONG_AGO, None)) == all_ids(fake)


def test_a_list_that_loses_an_entry_between_two_pages_is_read_again(
    fake: FakeAirflow, api: AirflowApi
) -> None:
    entries = fake.lists["task_instances"]
    removed = entries[0]
    found = []
    for number, one in enumerate(api.tries(LONG_AGO, None)):
        if number == 5:
            entries.remove(removed)  # all others move up by one: the first of page two is on nobody's page
        found.append(one)
    assert {one["id"] for one in found if not one.get("is_history")} >= all_ids(fake)


def test_entries_that_slip_away_in_numbers_are_found_by_the_second_reading(
    fake: FakeAirflow, api: AirflowApi
) -> None:
    entries = fake.lists["task_instances"]
    fake.cap = 10
    found = []
    for number, one in enumerate(api.open_tries(("success", "failed"))):
        if number == 45:
            del entries[:20]
        found.append(one)
    wanted = {one["id"] for one in entries if one["state"] in ("success", "failed")}
    assert {one["id"] for one in found} >= wanted


def test_a_count_that_stops_at_a_limit_does_not_end_the_list(fake: FakeAirflow, api: AirflowApi) -> None:
    entries = fake.lists["task_instances"]
    pages = [entries[start : start + 100] for start in range(0, len(entries), 100)] + [[]]
    import json

    fake.script["taskInstances?"] = [
        Answer(
            200,
            {},
            json.dumps({"task_instances": page, "total_entries": 50, "total_entries_limit": 50}).encode(),
        )
        for page in pages
    ]
    assert ids(api.tries(LONG_AGO, None)) == all_ids(fake)


def test_a_rate_limit_is_waited_for_as_long_as_it_says(
    fake: FakeAirflow, api: AirflowApi, slept: list[float]
) -> None:
    later = {"Retry-After": "Tue, 24 Nov 2026 00:00:30 GMT"}
    fake.script["/pools"] = [Answer(429, {"Retry-After": "7"}), Answer(429, later)]
    assert len(list(api.pools())) == len(fake.lists["pools"])
    assert slept == [7, 30]


def test_a_rate_limit_of_an_hour_ends_the_pull_with_one_line(fake: FakeAirflow, api: AirflowApi) -> None:
    fake.script["/pools"] = [Answer(429, {"Retry-After": "3600"})]
    with pytest.raises(SourceError, match="asks to come back in 3600 s"):
        list(api.pools())


@pytest.mark.parametrize("answer", [Answer(503), Answer(500), Answer(200, {}, b'{"pools": [', cuts=True)])
def test_a_short_outage_is_tried_again_and_a_long_one_is_an_error(
    fake: FakeAirflow, api: AirflowApi, slept: list[float], answer: Answer
) -> None:
    fake.script["/pools"] = [answer] * (ATTEMPTS - 1)
    assert len(list(api.pools())) == len(fake.lists["pools"])
    assert len(slept) == ATTEMPTS - 1
    fake.script["/pools"] = [answer] * ATTEMPTS
    with pytest.raises(SourceError, match=f"{ATTEMPTS} times"):
        list(api.pools())


def test_a_server_that_is_not_there_is_one_line(slept: list[float]) -> None:
    with pytest.raises(SourceError, match=r"127\.0\.0\.1:9/api/v2/version: cannot be reached"):
        open_api("http://127.0.0.1:9", Credentials(token=TOKEN), timeout_s=1, sleep=slept.append)


def test_earlier_tries_are_asked_for_only_where_there_were_some(fake: FakeAirflow, api: AirflowApi) -> None:
    fake.requests.clear()
    found = [one for one in api.tries(LONG_AGO, None) if one.get("is_history")]
    again = [one for one in fake.lists["task_instances"] if one["try_number"] > 1]
    assert fake.count("/tries") == len(again)
    assert found
    assert all(one["try_number"] >= 0 for one in found)


def test_an_instance_that_vanished_after_it_was_listed_is_no_gap(fake: FakeAirflow, api: AirflowApi) -> None:
    fake.script["/tries"] = [Answer(404, {}, b"{}")]
    list(api.tries(LONG_AGO, None))
    assert api.gaps == []


def test_a_token_is_never_sent_to_where_a_redirect_leads(fake: FakeAirflow, api: AirflowApi) -> None:
    with serve(load(3)) as other:
        fake.script["/pools"] = [Answer(302, {"Location": f"{other.url}/api/v2/pools"})]
        with pytest.raises(SourceError, match="redirects to"):
            list(api.pools())
        assert other.requests == []


def test_an_airflow_before_2_6_is_asked_by_the_end_and_by_state() -> None:
    with serve(load(2)) as fake:
        fake.single["version"] = {"version": "2.5.3+composer"}
        fake.lists["task_instances"][0] |= {"state": "running", "end_date": None}
        api = open_api(fake.url, Credentials(token=TOKEN), timeout_s=5, sleep=lambda _: None)
        assert api.version == (2, 5)
        found = [*api.tries(LONG_AGO, None), *api.open_tries(("running",))]
        shown = {(one["dag_id"], one["dag_run_id"], one["task_id"], one["map_index"]) for one in found}
        ended = [one for one in fake.lists["task_instances"] if one["end_date"] or one["state"] == "running"]
        assert shown == {(o["dag_id"], o["dag_run_id"], o["task_id"], o["map_index"]) for o in ended}
        assert fake.count("updated_at") == 0
        assert fake.count("/tries") == 0
        assert list(api.events(("state mismatch",), LONG_AGO, None)) == []
        assert "before 2.9" in api.gaps[0].why


def test_a_url_that_ends_in_the_api_or_the_home_page_is_understood(fake: FakeAirflow) -> None:
    for tail in ("/", "/api/v2", "/api/v2/", "/home"):
        assert open_api(fake.url + tail, Credentials(token=TOKEN)).address == f"api:{fake.url}"


def test_windows_leave_their_end_out(fake: FakeAirflow, api: AirflowApi) -> None:
    at = datetime.fromisoformat(fake.lists["task_instances"][0]["_updated_at"])
    mine = fake.lists["task_instances"][0]["id"]
    assert mine not in ids(api.tries(at - timedelta(minutes=1), at))
    assert mine in ids(api.tries(at, at + timedelta(microseconds=1)))
