"""WS203."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.parsing.one_pass import Settings
from windsock.findings.parsing.sight import QUESTIONS as SIGHT
from windsock.findings.parsing.sight import unseen
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding, Row
from windsock.week import Week

_NAMES = {"processor_timeout": "dag_file_processor_timeout", "import_timeout": "dagbag_import_timeout"}


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a kill is a pattern."""

    min_kills: float = threshold(3, "kills a week", "one or two are a busy hour of the machine")


class ParseKilled(Rule):
    """A DAG file was stopped by a timeout while it was parsed.

    What it means: its DAGs keep their old form; when it happens again and again they go stale and vanish.
    How it is judged: kills of the week. `min_kills` are a pattern; a single one matters when no parse of the file
    without error was seen after it. Metrics count kills, but name no file.
    What to do: move work out of the file's top level; raise the timeout only when the work must be there.
    """

    code, name, section = "WS203", "parse-killed", "imports"
    questions = ("parse_kills_by_file", *SIGHT)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        rows = rows_of(answers, "parse_kills_by_file")
        verdicts = Verdicts(no_data="" if rows else unseen(answers))
        settings = Settings.of(answers)
        parsed = {row["dag_file"] for row in rows_of(answers, "parse_time_by_file")}
        for row in rows:
            verdicts.judged += 1
            # a file that no source ever saw parsed may be fine: only what was seen can be missed
            is_stuck = bool(row["dag_file"]) and row["parsed_at"] is None and row["dag_file"] in parsed
            if row["kills"] >= limits.min_kills or is_stuck:
                verdicts.findings.append(cls._of_file(row, settings, is_stuck=is_stuck))
        return verdicts

    @classmethod
    def _of_file(cls, row: Row, settings: Settings, *, is_stuck: bool) -> Finding:
        known = (
            settings.processor_timeout_s if row["kind"] == "processor_timeout" else settings.import_timeout_s
        )
        limit_s, limit = row["limit_s"] or known, _NAMES[row["kind"]]
        file = row["dag_file"] or "DAG files"
        since = "; not parsed since" if is_stuck else ""
        return cls.finding(
            subject={"dag_file": row["dag_file"], "bundle_name": row["bundle_name"], "kind": row["kind"]},
            severity="critical" if is_stuck else "warning",
            headline=f"{file} hit the {limit_s:.0f} s {limit} {wording.plural(row['kills'], 'time')}, last "
            f"{wording.moment(row['last_at'])}{since}",
            evidence={
                "kills": row["kills"],
                "kills_prev": row["kills_prev"],
                "limit_s": limit_s,
                "first_at": row["first_at"],
                "last_at": row["last_at"],
                "parsed_again_at": row["parsed_at"],
            },
            advice=f"Move requests and heavy imports out of the top level of {file}; raise {limit} only after that."
            if row["dag_file"]
            else "Metrics do not say which files: add the dag-processor's logs as [sources.component_logs].",
            rank=float(row["kills"]) + 100 * is_stuck,
            status="still" if row["kills_prev"] else "new",
        )
