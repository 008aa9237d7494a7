"""WS202."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from math import ceil
from typing import Any

from windsock.findings import wording
from windsock.findings.how_to_set import in_environment, named
from windsock.findings.methods.trend import Forecast, reaches
from windsock.findings.parsing.files import once_a_file
from windsock.findings.parsing.one_pass import Settings
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.findings.settings import FROM
from windsock.model import Answer, Finding, Row
from windsock.week import Week

Series = tuple[str, str, str]
YEAR = 52.0
"""Weeks; a limit that far away is none."""


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """How near is near."""

    near_share: float = threshold(
        0.5, "fraction of the timeout", "a loaded machine doubles a parse time easily"
    )
    critical_share: float = threshold(
        0.9, "fraction of the timeout", "any hiccup of the machine is over the limit"
    )
    horizon_weeks: float = threshold(8, "weeks", "later limits are next quarter's work, and a guess")
    min_samples: float = threshold(5, "parses a week", "one slow parse is the machine's")
    room_s: float = threshold(20.0, "seconds between the two timeouts", "as in Airflow's own defaults")


class ParseTimeNearLimit(Rule):
    """A DAG file parses so long, or grows so fast, that it will be cut off by a timeout.

    What it means: at `dagbag_import_timeout` (30 s) the file's DAGs vanish with an import error; at
    `dag_file_processor_timeout` (50 s) the process is killed and its DAGs go stale.
    How it is judged: the 95th percentile of the week's parses against `near_share` of the timeout; and the slope of the
    weekly percentiles (Theil-Sen, 90 % interval wholly above zero, no better explained by one step), drawn out to the
    limit. A file over the import timeout that still parses spends its time elsewhere: then the processor's timeout counts.
    The limits are the deployment's own where API or database tell them, else Airflow's defaults.
    What to do: move work out of the file's top level. Until that is done a timeout of twice the 95th percentile keeps the
    DAGs alive, at the price of a parsing process that is held for as long; the processor's timeout has to stay above the
    import's.
    """

    code, name, section = "WS202", "parse-time-near-limit", "parsing"
    questions = ("parse_time_by_file", "parse_time_by_week", "parse_settings", *FROM)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        settings = Settings.of(answers)
        weekly = _weekly(answers, limits.min_samples, week)
        found: list[Finding] = []
        for row in rows_of(answers, "parse_time_by_file"):
            if row["samples"] < limits.min_samples:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            _name, limit_s = _limit(row, settings)
            forecast = reaches(weekly.get((row["source"], row["bundle_name"], row["dag_file"]), ()), limit_s)
            is_soon = forecast is not None and forecast.expected <= limits.horizon_weeks
            if row["p95_s"] >= limits.near_share * limit_s or is_soon:
                past = weekly.get((row["source"], row["bundle_name"], row["dag_file"]), ())
                began = _near_since(past, limits.near_share * limit_s, week)
                found.append(cls._of_file(answers, row, settings, forecast, limits, began))
        verdicts.findings.extend(once_a_file(found))
        return verdicts

    @classmethod
    def _of_file(
        cls,
        answers: Mapping[str, Answer],
        row: Row,
        settings: Settings,
        forecast: Forecast | None,
        limits: Limits,
        began: Mapping[str, datetime],
    ) -> Finding:
        name, limit_s = _limit(row, settings)
        proposed = max(10 * ceil(row["p95_s"] / limits.near_share / 10), 10 * ceil((limit_s + 1) / 10))
        share = row["p95_s"] / limit_s
        growing = f"; {_when(forecast)}" if forecast else ""
        return cls.finding(
            subject={"dag_file": row["dag_file"], "bundle_name": row["bundle_name"]},
            severity="critical"
            if share >= limits.critical_share
            else "warning"
            if share >= limits.near_share
            else "watch",
            headline=f"{row['dag_file']} needs {wording.seconds(row['p95_s'])} to parse (95th percentile), "
            f"{wording.percent(share)} of the {limit_s:.0f} s limit{growing}",
            evidence={k: row[k] for k in ("samples", "median_s", "p95_s", "max_s", "source")}
            | {
                "limit": name,
                "limit_s": limit_s,
                "limit_share": share,
                "weeks_left": forecast and forecast.expected,
                "weeks_left_low": forecast and forecast.soonest,
                "weeks_left_high": forecast and forecast.latest,
                "limit_proposed_s": proposed,
                **_stopgap(answers, name, proposed, settings, limits),
                **began,
            },
            advice="Move requests and heavy imports out of the top level of the file; split a file that builds many DAGs. "
            f"Until then {named(answers, name)} = {proposed} keeps its DAGs: {wording.percent(limits.near_share)} of it would be "
            f"in use. The price: a file that hangs holds a parsing process {proposed - limit_s:.0f} s longer.",
            rank=share * 10,
        )


def _stopgap(
    answers: Mapping[str, Answer], name: str, proposed: float, settings: Settings, limits: Limits
) -> dict[str, str]:
    """Both ways; the processor's timeout goes with the import's where that would come too near to it."""
    lines = [in_environment(answers, name, proposed)]
    outer_s = proposed + limits.room_s
    if name == "dagbag_import_timeout" and settings.processor_timeout_s < outer_s:
        lines.append(in_environment(answers, "dag_file_processor_timeout", outer_s))
    return {way: "; ".join(one[way] for one in lines) for way in ("apply", "undo") if all(lines)}


def _limit(row: Row, settings: Settings) -> tuple[str, float]:
    """The timeout that stands next in the way."""
    is_over = row["median_s"] > settings.import_timeout_s and row["source"] != "task_log"
    if is_over or settings.processor_timeout_s < settings.import_timeout_s:
        return "dag_file_processor_timeout", settings.processor_timeout_s
    return "dagbag_import_timeout", settings.import_timeout_s


def _weekly(
    answers: Mapping[str, Answer], min_samples: float, week: Week
) -> dict[Series, list[tuple[float, float]]]:
    """(weeks before this one, 95th percentile) of each file, in order."""
    made: dict[Series, list[tuple[float, float]]] = {}
    for row in _in_order(answers):
        if row["samples"] >= min_samples:
            at = (row["week"] - week.monday).days / 7
            made.setdefault((row["source"], row["bundle_name"], row["dag_file"]), []).append(
                (at, row["p95_s"])
            )
    return made


def _near_since(past: Sequence[tuple[float, float]], near_s: float, week: Week) -> dict[str, datetime]:
    """The first of the weeks in a row in which it was near its limit, where the week before is known to have been below; of
    this week alone no more than the week is known."""
    near = list(takewhile(lambda one: one[1] >= near_s, reversed(past)))
    before = [at for at, _ in past[: len(past) - len(near)]]
    if len(near) < 2 or not before or near[-1][0] - before[-1] > 1:
        return {}
    first = week.minus(round(-near[-1][0])).from_at
    return {"changed_from": first, "changed_to": first + timedelta(days=7)}


def _in_order(answers: Mapping[str, Answer]) -> Iterator[Row]:
    yield from sorted(rows_of(answers, "parse_time_by_week"), key=lambda row: row["week"])


def _when(forecast: Forecast) -> str:
    """`reaches it in 6 weeks (4 to 11)`."""
    latest = "or never" if forecast.latest > YEAR else f"to {_weeks(forecast.latest)}"
    return f"reaches it in {wording.plural(max(1, round(forecast.expected)), 'week')} ({_weeks(forecast.soonest)} {latest})"


def _weeks(value: float) -> str:
    return "under 1" if value < 0.5 else f"{value:.0f}"
