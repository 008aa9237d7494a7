"""WS205."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from windsock.findings import wording
from windsock.findings.parsing.sight import QUESTIONS as SIGHT
from windsock.findings.parsing.sight import unseen
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding, Row
from windsock.week import Week

CLOSE = timedelta(hours=2)  # between two questions to Airflow: nearer ones need not both be named


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When an import error matters."""

    many_files: float = threshold(5, "files", "so many at once are a shared cause: a package, a connection")
    min_hours: float = threshold(
        1.0, "hours", "a deploy copies files one by one; what is over within the hour hurt nobody"
    )


class ImportFailed(Rule):
    """DAG files fail to import.

    What it means: their DAGs keep running as they were, or vanish; no change of theirs arrives.
    How it is judged: errors with one signature are one cause, however many files have it. API and database tell when an
    error was met last, not when it began: then both moments are named between which it did, and what is first told right
    after the week's end belongs to the week. Open is what no parse without error has followed. What was mended within `min_hours` is no finding; what was mended later is told as information.
    What to do: mend the cause once; the error names the line.
    """

    code, name, section = "WS205", "import-error", "imports"
    questions = ("import_errors_of_week", *SIGHT)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        rows = rows_of(answers, "import_errors_of_week")
        verdicts = Verdicts(no_data="" if rows else unseen(answers))
        causes: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            # without a signature nothing says that two files have one cause
            causes[row["error_signature"] or f"{row['bundle_name']}/{row['dag_file']}"].append(row)
        for signature, files in causes.items():
            verdicts.judged += 1
            open_files = [row for row in files if row["mended_at"] is None]
            least = timedelta(hours=limits.min_hours)
            lasting = [
                row for row in files if row["mended_at"] and row["mended_at"] - row["first_at"] >= least
            ]
            if open_files or lasting:
                verdicts.findings.append(cls._of_cause(signature, open_files, lasting, limits, week))
        return verdicts

    @classmethod
    def _of_cause(
        cls, signature: str, open_files: Sequence[Row], mended: Sequence[Row], limits: Any, week: Week
    ) -> Finding:
        told = open_files or mended
        oldest = min(told, key=lambda row: row["first_at"])
        first_at, unseen_at = oldest["first_at"], oldest["unseen_at"]
        names = sorted({row["dag_file"] for row in told})
        began_in = Week(oldest["began_week"])
        what = names[0] if len(names) == 1 else wording.plural(len(names), "file")
        verb = "fails" if len(names) == 1 else "fail"
        is_vague = unseen_at is not None and first_at - unseen_at > CLOSE
        began = f"since between {wording.moment(unseen_at)} and" if is_vague else "since"
        head = f"{what} {verb} to import {began} {wording.moment(first_at)}"
        if not open_files:
            until = max(row["mended_at"] for row in mended)
            head = f"{what} failed to import from {wording.moment(first_at)} to {wording.moment(until)}"
        severity: Any = (
            "info" if not open_files else "critical" if len(names) >= limits.many_files else "warning"
        )
        finding = cls.finding(
            subject={"error_signature": signature},
            severity=severity,
            headline=f"{head}: {_short(told[0]['message'] or signature)}",
            evidence={
                "files": names,
                "file_count": len(names),
                "first_at": first_at,
                "unseen_at": unseen_at,
                "last_at": max(row["last_at"] for row in told),
                "sightings": sum(row["sightings"] for row in told),
                "mended_files": len(mended),
                "sample": told[0]["message"],
            },
            advice="Mend it once: all these files fail with the same error."
            if len(names) > 1
            else f"Mend {names[0]}; until then its DAGs stay as they were, or vanish.",
            rank=float(len(names)),
            status="new" if began_in == week else "still",
        )
        weeks = (week.monday - began_in.monday).days // 7 + 1
        return replace(finding, since_week=str(began_in), weeks=weeks)


def _short(message: str) -> str:
    """The line that says what is wrong: the last of a traceback, else the first."""
    lines = [line for line in message.strip().split("\n") if line.strip()] or [""]
    line = lines[-1] if lines[0].startswith("Traceback (") else lines[0]
    return line if len(line) <= 120 else f"{line[:119]}…"
