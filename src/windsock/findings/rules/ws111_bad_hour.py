"""WS111."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from windsock.findings import wording
from windsock.findings.incident_shape import one_host
from windsock.findings.methods.hosts import chance_of_counts
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding, Row
from windsock.week import Week

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When failures of one hour are one incident."""

    min_dags: float = threshold(6, "DAGs that seldom fail", "fewer meet in an hour by chance")
    min_rise: float = threshold(3.0, "times the usual number", "many DAGs share an hour in which some fail")
    max_chance: float = threshold(
        0.00001, "probability", "168 hours are looked at in a week; none may pass by luck in ten years"
    )
    edge_chance: float = threshold(
        0.01, "probability", "the hours beside a bad one hold its beginning and its end"
    )
    max_one_cause: float = threshold(
        0.5, "fraction of the DAGs", "where more share one error, that error is the incident (WS110)"
    )
    max_own_rate: float = threshold(
        0.2, "fraction of a DAG's hours", "a DAG that fails that often says nothing of this hour"
    )
    min_host_share: float = threshold(0.9, "fraction of the DAGs", "a few strays do not unmake one host")


class BadHour(Rule):
    """Many DAGs failed within one hour with unlike errors: most likely one cause that each of them met in its own words.

    What it means: the network, a disk, the metadata database or a deploy failed for a while. Read one by one, the errors
    look like many problems.
    How it is judged: DAGs with a failed try in an hour, against each one's own share of such hours in nine weeks and against
    the same hour of the days and weeks before; at least `min_dags` DAGs that seldom fail, `min_rise` times the usual number,
    and a chance below `max_chance` (widened by how unevenly failures fell into the hours of the weeks before). Hours side
    by side are one incident; its start and end are the first and the last failure of a DAG that seldom fails. Not told
    where more than `max_one_cause` of the DAGs share an error (WS110), or one host that WS630 names.
    What to do: ask what happened then outside of the DAGs, before looking into any one of them; clear the lost runs.
    """

    code, name, section = "WS111", "bad-hour", "incidents"
    questions = ("failures_by_hour", "failing_dags_by_hour")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        failing: dict[Any, list[Row]] = {}
        for row in rows_of(answers, "failing_dags_by_hour"):
            if (row["own_rate"] or 0.0) <= limits.max_own_rate:
                failing.setdefault(row["hour_at"], []).append(row)
        hours = []
        for row in rows_of(answers, "failures_by_hour"):
            if row["spread"] is None:
                verdicts.not_enough += 1
            else:
                verdicts.judged += 1
                hours.append(row)
        for span in _spans(hours, failing, limits):
            members = [one for row in span for one in failing.get(row["hour_at"], ())]
            causes = Counter(
                cause for _, cause in {(one["dag_id"], one["cause"]) for one in members if one["cause"]}
            )
            dags = len({one["dag_id"] for one in members})
            if not causes or causes.most_common(1)[0][1] <= limits.max_one_cause * dags:
                verdicts.findings.append(cls._told(span, members, causes, limits))
        return verdicts

    @classmethod
    def _told(
        cls, span: Sequence[Row], members: Sequence[Row], causes: Counter[str], limits: Limits
    ) -> Finding:
        dags = sorted({one["dag_id"] for one in members})
        first_at, last_at = min(one["first_at"] for one in members), max(one["last_at"] for one in members)
        lost = sum(one["lost_runs"] for one in members)
        is_over = all(one["tasks_well"] >= one["tasks"] for one in members)
        host = _host(span, members, limits)
        worst = max(span, key=lambda row: row["failed_dags"] / max(usual(row), 0.1))
        return cls.finding(
            subject={"hour": f"{span[0]['hour_at']:%Y-%m-%dT%H:00Z}"},
            severity="critical" if lost >= 10 and not is_over else "warning" if lost else "watch",
            headline=f"{wording.plural(len(dags), 'DAG')} failed {_when(first_at, last_at)} "
            f"with {wording.plural(len(causes), 'different error')}{f' on {host}' if host else ''}; usual in an hour then: "
            f"{usual(worst):.1f}; {wording.plural(lost, 'run')} lost{'; all well since' if is_over else ''}",
            evidence={
                "dags": len(dags),
                "dag_ids": dags,
                "tries": sum(one["tries"] for one in members),
                "lost_runs": lost,
                "wasted_hours": sum(one["wasted_hours"] for one in members),
                "first_at": first_at,
                "last_at": last_at,
                "usual_dags": usual(worst),
                "probability": min(chance(row) for row in span),
                "concentration": one_host(host) if host else wording.plural(len(span), "hour"),
                "errors": [
                    f"{cause} ({wording.plural(count, 'DAG')})" for cause, count in causes.most_common(5)
                ],
                "different_errors": len(causes),
                "is_over": is_over,
            },
            advice=f"Ask what happened {f'on {host} ' if host else ''}{_when(first_at, last_at, 'between', 'and')}: network, "
            "database, disk, deploy"
            + (
                f"; then clear the lost runs of {wording.names(dags)}."
                if lost
                else "; retries saved every run."
            ),
            rank=lost + sum(one["wasted_hours"] for one in members),
        )


def _when(first_at: datetime, last_at: datetime, since: str = "from", until: str = "to") -> str:
    """`from … to …`, or `at …` where both are the same minute."""
    first, last = wording.moment(first_at), wording.moment(last_at)
    return f"at {first}" if first == last else f"{since} {first} {until} {last}"


def usual(row: Row) -> float:
    """Failed DAGs to expect in this hour: by the DAGs' own chances, or by the same hour before."""
    return float(max(row["expected"], row["usual"]))


def chance(row: Row) -> float:
    """Of so many failed DAGs or more."""
    expected = max(usual(row), 1e-6)
    variance = max(row["variance"], expected) * max(1.0, row["spread"])
    return chance_of_counts(row["failed_dags"], expected, variance)


def _spans(
    hours: Sequence[Row], failing: Mapping[Any, Sequence[Row]], limits: Limits
) -> Iterator[Sequence[Row]]:
    """Bad hours side by side, with the hours beside them in which more failed than usual."""
    edges = {row["hour_at"]: row for row in hours if failing.get(row["hour_at"]) and _is_edge(row, limits)}
    for first in edges:
        if first - HOUR in edges:
            continue
        span = [edges[first]]
        while span[-1]["hour_at"] + HOUR in edges:
            span.append(edges[span[-1]["hour_at"] + HOUR])
        if any(_is_bad(row, len(failing[row["hour_at"]]), limits) for row in span):
            yield span


def _is_edge(row: Row, limits: Limits) -> bool:
    return row["failed_dags"] >= limits.min_rise * usual(row) and chance(row) <= limits.edge_chance


def _is_bad(row: Row, seldom: int, limits: Limits) -> bool:
    return seldom >= limits.min_dags and chance(row) <= limits.max_chance


def _host(span: Sequence[Row], members: Sequence[Row], limits: Limits) -> str:
    """The one host on which nearly all failed, where others were at work; else empty."""
    by_host = Counter(one["hostname"] for one in members if one["hostname"])
    if not by_host or max(row["hosts"] for row in span) < 2:
        return ""
    host, count = by_host.most_common(1)[0]
    return str(host) if count >= limits.min_host_share * len(members) else ""
