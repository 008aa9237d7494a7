"""Findings that most likely have one cause, or one cure, are one line: it counts them, names the first, and stands for all.

Each of them stays a finding of its own, with its own history and its own acceptance; only the first screen and the mail tell
them once, whether there is something to do or only to watch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from shlex import quote

from windsock.model import Finding
from windsock.report.formats import hours, moment, plural

LEAST = 3
"""Findings of one rule; two may be chance."""
APART = timedelta(hours=24)
"""From the first change to the last: a daily task shows a day later what an hourly one shows at once."""
NAMES = 3


@dataclass(frozen=True, slots=True)
class Action:
    """A finding to act on, in the words of all that it stands for; `others` are their ids, most often none."""

    finding: Finding
    others: tuple[str, ...] = ()


def actions(findings: Sequence[Finding]) -> tuple[Action, ...]:
    """Findings in order of rank → what to do, each group at the place of its first."""
    group_of: dict[str, Sequence[Finding]] = {}
    for code in _TOLD:
        for status in ("new", "worse", "still"):
            mine = [one for one in findings if one.code == code and one.status == status and _is_whole(one)]
            for alike in _at_once(mine) if "changed_at" in _NEEDS[code] else [mine]:
                if len(alike) >= LEAST:
                    group_of |= {one.id: alike for one in alike}
    made: list[Action] = []
    for one in findings:
        group = group_of.get(one.id)
        if group is None:
            made.append(Action(one))
        elif group[0] is one:
            headline, advice = _TOLD[one.code](group)
            others = tuple(other.id for other in group[1:])
            made.append(Action(replace(one, headline=headline, advice=advice), others))
    return tuple(made)


def _is_whole(one: Finding) -> bool:
    """Whether it is of a DAG and carries what its group is told by: one that the last report carried along does not."""
    return "dag_id" in one.subject and all(
        isinstance(one.evidence.get(name), kind) for name, kind in _NEEDS[one.code].items()
    )


def _at_once(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Those whose changes lie within `APART` of each other, each group in order of rank."""
    groups: list[list[Finding]] = []
    for one in sorted(findings, key=lambda one: one.evidence["changed_at"]):
        if groups and one.evidence["changed_at"] - groups[-1][0].evidence["changed_at"] <= APART:
            groups[-1].append(one)
        else:
            groups.append([one])
    return [[one for one in findings if one in group] for group in groups]


def _slower_tasks(group: Sequence[Finding]) -> tuple[str, str]:
    dags = plural(len({one.subject["dag_id"] for one in group}), "DAG")
    cost = hours(sum(float(one.evidence["extra_hours"]) for one in group))
    names = [f"{one.subject['dag_id']}.{one.subject['task_id']}" for one in group]
    headline = f"{plural(len(group), 'task')} in {dags} work {_ratios(group)} times as long since {_since(group)}: {_named(names)}"
    return headline, f"{_COMMON} {_between(group)}; it costs {cost} of workers a week."


def _faster_tasks(group: Sequence[Finding]) -> tuple[str, str]:
    dags = plural(len({one.subject["dag_id"] for one in group}), "DAG")
    names = [f"{one.subject['dag_id']}.{one.subject['task_id']}" for one in group]
    low, high = (f"{pick(one.evidence['times_as_fast'] for one in group):.0f}" for pick in (min, max))
    headline = (
        f"{plural(len(group), 'task')} in {dags} are {low if low == high else f'{low} to {high}'} times as fast since "
        f"{_since(group)} and still succeed: {_named(names)}"
    )
    return headline, (
        f"So many at once have a cause in common: an upgrade, a faster store, or no input for any of them. See what changed "
        f"{_between(group)}, and count what one of them read and wrote before and after."
    )


def _slower_runs(group: Sequence[Finding]) -> tuple[str, str]:
    names = [one.subject["dag_id"] for one in group]
    headline = f"Runs of {plural(len(group), 'DAG')} take {_ratios(group)} times as long since {_since(group)}: {_named(names)}"
    by_retries = [one for one in group if one.advice.startswith("A first try failed")]
    if len(by_retries) * 2 >= len(group):
        first = by_retries[0].subject["dag_id"]
        return headline, (
            f"In {len(by_retries)} of them most first tries fail, and a retry comes after its delay: mend what fails "
            f"(windsock why {quote(first)})."
        )
    return headline, f"{_COMMON} {_between(group)}."


def _silent(group: Sequence[Finding]) -> tuple[str, str]:
    names = [one.subject["dag_id"] for one in group]
    usual = sum(float(one.evidence["median_runs"]) for one in group)
    last = moment(max(one.evidence["last_at"] for one in group))
    headline = (
        f"{plural(len(group), 'DAG')} did not run this week (usually {usual:,.0f} runs): {_named(names)}; the last run of "
        f"any of them {last}"
    )
    return headline, "See what they share, and whether they are paused, gone or broken: airflow dags list."


def _rare_lost(group: Sequence[Finding]) -> tuple[str, str]:
    names = [one.subject["dag_id"] for one in group]
    runs = sum(one.evidence["runs"] for one in group)
    gaps = [round(one.evidence["gap_days"]) for one in group]
    every = f"{min(gaps)}" if min(gaps) == max(gaps) else f"{min(gaps)} to {max(gaps)}"
    headline = f"{plural(len(group), 'DAG')} that run every {every} days lost their newest runs ({runs} in all): {_named(names)}"
    return headline, (
        f"{_by_error(group)}Mend it and clear the failed tasks of these {runs} runs (Grid, the run, Clear, only failed tasks): no next run "
        "soon makes them good."
    )


def _first_lost(group: Sequence[Finding]) -> tuple[str, str]:
    names = [one.subject["dag_id"] for one in group]
    runs = sum(one.evidence["runs"] for one in group)
    headline = f"{plural(len(group), 'DAG')} never seen before lost all they ran ({plural(runs, 'run')}): {_named(names)}"
    return headline, (
        f"{_by_error(group)}Tell their authors; mend it and clear the failed tasks of these runs (Grid, the run, Clear, only failed tasks)."
    )


def _unheard(group: Sequence[Finding]) -> tuple[str, str]:
    names = [one.subject["dag_id"] for one in group]
    unheard, lost = (sum(one.evidence[name] for one in group) for name in ("unheard", "lost"))
    headline = f"{unheard:,} of {plural(lost, 'task')} of {plural(len(group), 'DAG')} that failed for good left no sign that a callback ran: {_named(names)}"
    return headline, "Do not count on alerts of their tasks: a killed process sends none. Alert on runs."


def _messages(group: Sequence[Finding]) -> tuple[str, str]:
    names = [one.subject["dag_id"] for one in group]
    calls = sum(one.evidence["messages"] for one in group)
    headline = f"Callbacks of {plural(len(group), 'DAG')} were called for {calls:,} failed tries, with few causes behind each: {_named(names)}"
    return (
        headline,
        "Alert on runs that are lost, not on each try (no on_retry_callback); one message per cause is this report.",
    )


def _renamed_tasks(group: Sequence[Finding]) -> tuple[str, str]:
    dags = plural(len({one.subject["dag_id"] for one in group}), "DAG")
    names = [f"{one.subject['dag_id']}.{one.subject['task_id']}" for one in group]
    headline = f"{plural(len(group), 'task')} of {dags} look like others under new names: {_named(names)}"
    return headline, (
        'If so, add a line "dag_id/new" = "old" for each to renamed in [scope] of the pipeline file: their rates and trends then go on. '
        "windsock ask renamed_tasks lists the pairs."
    )


def _retried(group: Sequence[Finding]) -> tuple[str, str]:
    names = [f"{one.subject['dag_id']}.{one.subject['task_id']}" for one in group]
    late, worked = (
        hours(sum(float(one.evidence[name]) for one in group)) for name in ("late_hours", "failed_hours")
    )
    headline = (
        f"The first try of {len(names)} tasks fails (nearly) every time, and a retry saves it: {_named(names)}; this week that "
        f"cost {late} of delay and {worked} of workers"
    )
    return (
        headline,
        f"{_by_error(group, 'is the error of')}Mend what their first tries need, the dearest first.",
    )


def _waiting(group: Sequence[Finding]) -> tuple[str, str]:
    names = [f"{one.subject['dag_id']}.{one.subject['task_id']}" for one in group]
    tries = sum(one.evidence["waiting"] for one in group)
    first, last = (pick(one.evidence["first_at"] for one in group) for pick in (min, max))
    headline = f"{len(names)} tasks left their worker to wait and were never resumed ({plural(tries, 'try')}, since {moment(first)}): {_named(names)}"
    advice = {one.advice.partition(" Then clear")[0] for one in group}
    at_once = (
        f"All began to hang between {moment(first)} and {moment(last)}. " if last - first <= APART else ""
    )
    return headline, f"{at_once}{' '.join(sorted(advice))} Then clear the tries that wait."


def _by_error(group: Sequence[Finding], verb: str = "ended") -> str:
    """`KeyError: 'amount' ended 3 of them. `, the most frequent one; empty where none is known."""
    errors = Counter(str(one.evidence.get("error_signature") or "") for one in group)
    del errors[""]
    if not errors:
        return ""
    (error, count) = max(errors.items(), key=lambda one: (one[1], one[0]))
    return f"{error} {verb} {'all' if count == len(group) else count} of them. "


_COMMON = "So many at once have a cause in common: look at what they share (workers, network, a database, a release)"
_TOLD: Mapping[str, Callable[[Sequence[Finding]], tuple[str, str]]] = {
    "WS109": _rare_lost,
    "WS113": _first_lost,
    "WS117": _retried,
    "WS401": _slower_tasks,
    "WS402": _slower_runs,
    "WS408": _faster_tasks,
    "WS501": _silent,
    "WS515": _unheard,
    "WS518": _messages,
    "WS607": _renamed_tasks,
    "WS533": _waiting,
}
"""By code of the findings that come in swarms: headline and advice for all of them."""
_STEP = {"changed_at": datetime, "changed_from": datetime, "changed_to": datetime, "ratio": float}
_NEEDS: Mapping[str, Mapping[str, type]] = {
    "WS109": {"runs": int, "gap_days": float},
    "WS113": {"runs": int},
    "WS117": {"late_hours": float, "failed_hours": float},
    "WS401": _STEP | {"extra_hours": float},
    "WS402": _STEP,
    "WS408": _STEP | {"times_as_fast": float},
    "WS501": {"median_runs": float, "last_at": datetime},
    "WS515": {"unheard": int, "lost": int},
    "WS518": {"messages": int},
    "WS607": {"former_task_id": str},
    "WS533": {"waiting": int, "first_at": datetime},
}


def _ratios(group: Sequence[Finding]) -> str:
    low, high = (f"{pick(float(one.evidence['ratio']) for one in group):.1f}" for pick in (min, max))
    return low if low == high else f"{low} to {high}"


def _since(group: Sequence[Finding]) -> str:
    return moment(min(one.evidence["changed_at"] for one in group))


def _between(group: Sequence[Finding]) -> str:
    first = min(one.evidence["changed_from"] for one in group)
    return f"between {moment(first)} and {moment(max(one.evidence['changed_to'] for one in group))}"


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMES:,} more" if len(names) > NAMES else ""
    return f"{', '.join(names[:NAMES])}{more}"
