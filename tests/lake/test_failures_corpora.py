"""Rates, retries and silent endings of two real Airflows, question by question, against their databases' own rows."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.lake.test_task_tries_corpora import CORPORA, FAILED, Key, corpus, executions
from windsock.questions import ask, load_questions

pytestmark = pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora are not beside this checkout")
QUESTIONS = load_questions(Path(__file__).parents[2] / "sql")
JUDGED = ("scheduled", "asset_triggered", "dataset_triggered")

__all__ = ["corpus"]


def judged(current: dict[Key, dict[str, Any]], runs: dict[Any, str]) -> dict[Key, dict[str, Any]]:
    """First executions of scheduled runs that were tried at all, from the database alone."""
    said = executions(current)
    return {
        key: row
        for key, row in current.items()
        if key[4] > 0
        and not said[key][0]
        and row["state"] not in ("upstream_failed", "removed")
        and runs[key[0], key[1]] in JUDGED
    }


def rows(conn: Any, question: str) -> list[Any]:
    return list(ask(conn, QUESTIONS[question]).rows)


@pytest.mark.parametrize("grain", ["dag", "task"])
def test_the_three_rates_are_those_of_the_database(corpus: Any, grain: str) -> None:
    _, current, runs, conn = corpus
    mine, said = judged(current, runs), executions(current)
    truth: dict[Any, dict[str, Any]] = defaultdict(lambda: defaultdict(set))
    for key, row in mine.items():
        name = (key[0], key[2] if grain == "task" else None)
        is_failed, is_final = row["state"] in FAILED, not said[key][1]
        if key[4] == 1:
            truth[name]["first_tries"].add(key)
            truth[name]["first_failed"] |= {key} if is_failed else set()
        if is_final:
            truth[name]["ended"].add(key)
            truth[name]["lost"] |= {key} if is_failed else set()
            truth[name]["lost_runs"] |= {key[:2]} if is_failed else set()
        truth[name]["runs"].add(key[:2])
    found = {
        (row["dag_id"], row["task_id"]): row
        for row in rows(conn, "failure_rates_by_grain")
        if row["grain"] == grain
    }
    assert found.keys() == truth.keys()
    for name, counts in truth.items():
        for measure in ("first_tries", "first_failed", "ended", "lost", "runs", "lost_runs"):
            assert found[name][measure] == len(counts[measure]), (name, measure)


def test_what_retries_saved_is_what_the_database_says(corpus: Any) -> None:
    _, current, runs, conn = corpus
    groups: dict[Any, list[tuple[int, str]]] = defaultdict(list)
    for key, row in judged(current, runs).items():
        groups[key[:4]].append((key[4], row["state"]))
    truth: dict[Any, list[int]] = defaultdict(lambda: [0, 0])
    for key, tries in groups.items():
        if dict(tries).get(1) in FAILED:
            truth[key[0], key[2]][0] += 1
            truth[key[0], key[2]][1] += any(state == "success" for number, state in tries if number > 1)
    found = {
        (row["dag_id"], row["task_id"]): [row["failed_first"], row["saved"]]
        for row in rows(conn, "retry_economics")
    }
    assert found == truth


def test_tries_without_a_log_are_those_the_database_failed_without_an_object(corpus: Any) -> None:
    logs, current, _, conn = corpus
    truth = {key for key, row in current.items() if row["state"] in FAILED and key[4] > 0 and key not in logs}
    found = {
        (row["dag_id"], row["run_id"], row["task_id"], row["map_index"], row["try_number"]): row["known_by"]
        for row in rows(conn, "lost_tries")
    }
    assert {key for key, known_by in found.items() if known_by == "state"} == truth
    # a number left out that the database does not have either is no try
    assert {key for key, known_by in found.items() if known_by == "next_try"} & current.keys() == set()


def test_failures_that_no_log_shows_are_found(corpus: Any) -> None:
    """os._exit(0), and the race of deferred tasks: failed in the database, no error in any object (facts of 3.3.2)."""
    _, current, _, conn = corpus
    found = {(row["dag_id"], row["task_id"]): row for row in rows(conn, "endings_that_disagree")}
    assert sum(row["reported_success"] for row in found.values()) == 0
    left = {key for key, row in current.items() if key[2] == "os_exit_0" and row["state"] in FAILED}
    assert sum(row["failed_unseen"] for key, row in found.items() if key[1] == "os_exit_0") == len(left)
    assert all(key[0] == "deferrable_ops" for key, row in found.items() if row["deferred_unseen"])


def test_no_silent_failure_is_made_up_for_tasks_that_ran_to_their_end(corpus: Any) -> None:
    """Tasks of which every try succeeded in the database are in no answer about silent endings."""
    _, current, _, conn = corpus
    states: dict[Any, set[str]] = defaultdict(set)
    for key, row in current.items():
        states[key[0], key[2]].add(row["state"])
    good = {name for name, seen in states.items() if seen == {"success"}}
    for question in ("lost_tries", "endings_that_disagree"):
        assert {(row["dag_id"], row["task_id"]) for row in rows(conn, question)} & good == set(), question
