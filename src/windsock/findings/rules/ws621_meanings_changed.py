"""WS621."""

from collections.abc import Mapping
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Verdicts, rows_of
from windsock.model import Answer
from windsock.week import Week

FIRST = 3  # named in the advice


class MeaningsChanged(Rule):
    """An upgrade of Airflow changed what settings, figures or dates mean.

    What it means: numbers before and after are of different things, and a limit that held may hold no longer: since 3.0
    `max_active_tasks` counts the tasks of each run, so `max_active_runs` times as many may be at work.
    How it is judged: the versions that the upgrade crossed, as API, database or a file told them, against the reviewed table
    `sql/upgrades/meanings.csv`, each row with its source. Told in the week of the upgrade and the next. The most tasks at
    once in the weeks before and in this one stand beside.
    What to do: go through the list once.
    """

    code, name, section = "WS621", "meanings-changed", "config"
    questions = ("changes_of_deployment", "peaks_by_week")

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        verdicts.judged = sum(row["kind"] == "version" for row in rows_of(answers, "changes_of_deployment"))
        rows = rows_of(answers, "meanings_of_upgrade")
        if not rows:
            return verdicts
        whole = [row for row in rows_of(answers, "peaks_by_week") if row["grain"] == "deployment"]
        before, after = rows[0]["from_version"], rows[0]["to_version"]
        first = "; ".join(f"{row['what']}: {row['after']} (before: {row['before']})" for row in rows[:FIRST])
        more = f"; and {len(rows) - FIRST} more" if len(rows) > FIRST else ""
        verdicts.findings.append(
            cls.finding(
                subject={"name": "Airflow", "after": str(after)},
                severity="info",
                headline=f"Airflow {before} → {after} changed the meaning of {wording.plural(len(rows), 'thing')}, first "
                f"{wording.names([row['what'] for row in rows])}",
                evidence={
                    "meanings": [
                        f"{row['what']}, since {row['since_version']}: {row['before']} → {row['after']}. Look at: {row['look_at']}"
                        for row in rows
                    ],
                    "peak_before": max(
                        (row["peak"] for row in whole if row["week"] < week.monday), default=None
                    ),
                    "peak_now": max(
                        (row["peak"] for row in whole if row["week"] == week.monday), default=None
                    ),
                },
                advice=f"Go through the list once. {first}{more}.",
                rank=float(len(rows)),
            )
        )
        return verdicts
