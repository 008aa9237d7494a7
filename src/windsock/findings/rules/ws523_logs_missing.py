"""WS523."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.methods.proportions import chance_of_rise
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding, Row
from windsock.week import Week

_ORDER = ("all", "executor", "queue", "host", "dag")
"""The widest place first: what an executor explains is not told of its hosts again."""

_EVIDENCE = ("missing", "tries", "successes", "killed", "missing_prev", "tries_prev", "first_at", "last_at")


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When missing logs are of one place."""

    min_missing: float = threshold(
        10, "tries without a log in the week", "a node that is lost takes some with it"
    )
    min_share: float = threshold(0.2, "fraction of its tries", "one try in five without a log is no accident")
    min_ratio: float = threshold(
        3.0, "times the share elsewhere", "less is the fleet's habit, not this place's"
    )
    max_chance: float = threshold(0.0001, "probability", "hundreds of hosts and DAGs are looked at in a week")


@dataclass(frozen=True, slots=True)
class Place:
    """A place whose tries leave no log, in words, and the likely cause."""

    where: str
    row: Row
    rest_share: float
    cause: str
    advice: str


class LogsMissing(Rule):
    """Tries of one host, executor, queue or DAG leave no log, successful ones as well.

    What it means: not the tasks are at fault but the way of their logs: a worker that may not write to the bucket, an
    executor whose image has remote logging off, workers that are killed before they upload. In the UI such logs cannot be
    found, whatever `log_fetch_timeout_sec` is set to.
    How it is judged: tries that API, database or the scheduler know to have run; at least `min_missing` without a log and
    `min_share` of its tries, `min_ratio` times the share of its likes (other hosts, other executors), beyond chance (`max_chance`, Fisher). The
    widest place tells it; where none does, the whole fleet does, if `min_missing` successes left none and the share is `min_ratio`
    times that of the eight weeks before. Operators that never leave a log are not counted. A whole week without logs is no finding:
    then they lie under another address. Failed tries without a log alone are WS511's.
    What to do: look at remote logging, its credentials and the disk of that place; for killed ones at memory and eviction.
    """

    code, name, section = "WS523", "logs-missing", "why"
    questions = ("logs_missing_by_place",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        rows = rows_of(answers, "logs_missing_by_place")
        places = cls.places(rows, limits)
        findings = [cls._of(one, week) for one in places] or cls._of_the_fleet(rows, limits)
        return Verdicts(findings, judged=sum(row["grain"] != "all" for row in rows))

    @classmethod
    def places(cls, rows: Sequence[Row], limits: Any) -> list[Place]:
        """The places to tell, the widest first; only such as lose successes, too."""
        whole = next((row for row in rows if row["grain"] == "all"), None)
        if whole is None or not whole["missing"]:
            return []
        left, found = whole["missing"], []
        # only with its likes: who tells of a host or an executor may tell of other tries than who tells of none
        sums: dict[str, tuple[int, int]] = {}
        for row in rows:
            tries, missing = sums.get(row["grain"], (0, 0))
            sums[row["grain"]] = (tries + row["tries"], missing + row["missing"])
        for row in sorted(rows, key=lambda row: (_ORDER.index(row["grain"]), -row["missing"], _name(row))):
            tries, missing = sums[row["grain"]]
            rest_tries, rest_missing = tries - row["tries"], missing - row["missing"]
            if (
                row["grain"] == "all"
                or not rest_tries
                or row["missing"] < limits.min_missing
                or not row["successes"]
            ):
                continue
            share, rest_share = row["missing_share"], rest_missing / rest_tries
            if share < limits.min_share or share < limits.min_ratio * rest_share or row["missing"] > left:
                continue
            if chance_of_rise(row["missing"], row["tries"], rest_missing, rest_tries) > limits.max_chance:
                continue
            left -= row["missing"]
            found.append(Place(_where(row), row, rest_share, *_cause(row)))
        return found

    @classmethod
    def _of_the_fleet(cls, rows: Sequence[Row], limits: Any) -> list[Finding]:
        """Of no place that is known, but more than before: the scheduler's log of 2.x tells no host."""
        whole = next((row for row in rows if row["grain"] == "all"), None)
        if whole is None or whole["successes"] < limits.min_missing or not whole["tries_prev"]:
            return []
        share_prev = whole["missing_prev"] / whole["tries_prev"]
        counts = whole["missing"], whole["tries"], whole["missing_prev"], whole["tries_prev"]
        if (
            whole["missing_share"] < limits.min_ratio * share_prev
            or chance_of_rise(*counts) > limits.max_chance
        ):
            return []
        return [
            cls.finding(
                subject={"grain": "all", "of_what": ""},
                severity="watch",
                headline=f"{whole['missing']:,} of {wording.plural(whole['tries'], 'try')} left no log, {whole['successes']:,} of "
                f"them successes, {wording.moment(whole['first_at'])} to {wording.moment(whole['last_at'])} (before: "
                f"{wording.percent(share_prev)})",
                evidence={name: whole[name] for name in _EVIDENCE},
                advice="See which worker could not upload then: remote logging, its connection, the rights on the bucket, free disk. "
                "How those tries ended is counted; what they said is lost.",
                rank=float(whole["missing"]),
            )
        ]

    @classmethod
    def _of(cls, place: Place, week: Week) -> Finding:
        row = place.row
        return cls.finding(
            subject={"grain": row["grain"], "of_what": _name(row)},
            severity="watch",
            headline=f"{place.where}: {row['missing']:,} of {wording.plural(row['tries'], 'try')} left no log, "
            f"{wording.percent(place.rest_share)} elsewhere; {place.cause}",
            evidence={name: row[name] for name in _EVIDENCE},
            advice=place.advice,
            rank=float(row["missing"]),
        )


def _name(row: Row) -> str:
    return str(row["dag_id"] or row["hostname"] or row["of_what"] or "")


def _where(row: Row) -> str:
    word = {"dag": "DAG", "host": "host", "executor": "executor", "queue": "queue"}[row["grain"]]
    return f"{word} {_name(row)}"


def _cause(row: Row) -> tuple[str, str]:
    """The likely cause, and where to look."""
    if 2 * row["killed"] >= row["missing"]:
        return "their workers were lost", f"Look at memory, evictions and node losses of {_where(row)}."
    if row["grain"] == "dag":
        return (
            "its successes as well, so nothing was killed",
            f"See whether {_name(row)} sets its own logging, or a log template that [sources.task_logs] does not read.",
        )
    whole = row["missing"] == row["tries"]
    return (
        "nothing of it is ever uploaded" if whole else "successes as well, so the upload fails",
        f"Look at remote logging on {_where(row)}: AIRFLOW__LOGGING__REMOTE_LOGGING, its connection, the rights on the bucket, "
        "free disk.",
    )
