"""What `windsock why` says of one DAG rests on that DAG's rows alone, and equals what the whole week says of it."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.lake.test_task_tries_corpora import CORPORA, WEEK, corpus
from windsock import one_case
from windsock.findings.waiting import ANSWERS as WAITING
from windsock.findings.waiting import OWN, waiting_answers
from windsock.findings.waiting import QUESTIONS as WAITING_QUESTIONS
from windsock.findings.why import TOLD_BY, WHOLE, Case
from windsock.lake import Lake
from windsock.model import Answer, Row
from windsock.one_case import sql as case_sql
from windsock.questions import ask, ask_of_dag, ask_with, load_questions
from windsock.resources import folder

pytestmark = pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora are not beside this checkout")
QUESTIONS = load_questions(folder("sql"))
OF_DAG = sorted(
    name
    for name in {*TOLD_BY, "try_waits", "run_waits"} - set(WAITING)
    if "dag_id" in QUESTIONS[name].grain and name not in WHOLE
)
__all__ = ["corpus"]


def plain(row: Row) -> str:
    return str({name: value for name, value in row.items() if name != "seen_until"})


def dags(conn: Any) -> list[str]:
    rows = conn.execute("select distinct dag_id from task_tries order by dag_id").fetchall()
    return [row[0] for row in rows]


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.long)])
def test_each_dag_alone_answers_as_in_the_whole_week(corpus: Any, every: int) -> None:
    """Twenty questions of each DAG take a second: everyday of each fourth one, in `make long` of all."""
    conn = corpus[3]
    whole = {name: ask(conn, QUESTIONS[name]).rows for name in OF_DAG}
    names = dags(conn)
    assert len(names) > 5 and sum(map(len, whole.values())) > 50
    for dag_id in names[::every]:
        Lake.look_at_dag(conn, dag_id)
        for name in OF_DAG:
            expected = [row for row in whole[name] if row["dag_id"] == dag_id]
            found = ask_of_dag(conn, QUESTIONS[name], dag_id).rows
            assert sorted(map(plain, found)) == sorted(map(plain, expected)), (dag_id, name)
            for one, other in zip(found, expected, strict=True):
                if (
                    "seen_until" in one
                ):  # of all DAGs, from the tables as they lie: logs and API differ by moments
                    assert abs((one["seen_until"] - other["seen_until"]).total_seconds()) < 60
        Lake.look_at_all(conn, weeks_back=8)
    assert dags(conn) == names


def limits(answers: Mapping[str, Answer], dag_id: str) -> dict[str, float]:
    return {
        row["waits_for"]: row["hours"]
        for row in answers["waiting_by_limit"].rows
        if row["scope"] == "dag" and row["dag_id"] == dag_id and row["waits_for"] not in OWN
    }


def test_a_dag_s_waiting_beside_the_pools_that_the_others_filled_is_that_of_the_whole_week(
    corpus: Any,
) -> None:
    """What shows itself in everybody's waits alone (how long a pass of the scheduler takes, limits that nobody told) is taken
    from the DAG's own: hours may differ a little, never by what they stand for."""
    conn = corpus[3]
    whole = {name: ask(conn, QUESTIONS[name]) for name in WAITING_QUESTIONS}
    everything = waiting_answers(whole, WEEK)
    compared = 0
    for dag_id in dags(conn):
        mine = {
            name: Answer(
                name, one.columns, tuple(row for row in one.rows if row.get("dag_id", dag_id) == dag_id)
            )
            if name in ("try_waits", "run_waits", "parse_hours_by_dag")
            else one
            for name, one in whole.items()
        }
        others = ask_with(conn, "try_waits", case_sql.OTHERS, {"dag_id": dag_id})
        own = mine["try_waits"]
        mine["try_waits"] = Answer("try_waits", own.columns, (*own.rows, *others.rows))
        expected, found = limits(everything, dag_id), limits(waiting_answers(mine, WEEK), dag_id)
        assert sum(found.values()) == pytest.approx(sum(expected.values()), abs=1e-6), dag_id
        compared += sum(expected.values()) > 0.02
        for name, hours in expected.items():
            assert found.get(name, 0.0) == pytest.approx(
                hours, abs=max(0.03, 0.1 * sum(expected.values()))
            ), dag_id
    assert compared


def test_the_others_hold_as_many_slots_as_slot_tries_says(corpus: Any) -> None:
    conn = corpus[3]
    for dag_id in dags(conn)[:5]:
        rows = ask_with(conn, "try_waits", case_sql.OTHERS, {"dag_id": dag_id}).rows
        found = {
            row["pool"]: sum(b - a for a, b in zip(row["taken_s"], row["given_back_s"], strict=True))
            for row in rows
        }
        truth = conn.execute(
            "select coalesce(pool, ''), sum(epoch_us(given_back_at - taken_at)) / 1e6 from slot_tries where dag_id <> ? "
            "and given_back_at >= week_start() and taken_at < week_end() and given_back_at >= taken_at group by all",
            [dag_id],
        ).fetchall()
        assert found == pytest.approx(dict(truth))


def test_only_what_a_case_needs_is_asked_of_the_others() -> None:
    answers = {
        "lost_tries": Answer("lost_tries", (), ()),
        "inputs_seen": Answer("inputs_seen", (), ({"input": "metric_samples", "row_count": 0},)),
    }
    well = {"has_log": True, "ended_at": WEEK.from_at, "state": "success", "started_at": WEEK.from_at}
    needed = [name for name in one_case.OF_ALL if one_case._is_needed(name, answers, [well])]
    assert needed == []
    queued = well | {"state": "queued", "started_at": None}
    assert one_case._is_needed("queues_of_week", answers, [queued])
    assert one_case._is_needed("logs_missing_by_place", answers, [well | {"has_log": False}])
    assert Case("d").run_id == ""
