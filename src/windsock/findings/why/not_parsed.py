"""The DAG's file is parsed no more, too late, or only until its time is up."""

from collections.abc import Iterator, Mapping

from windsock.findings import wording
from windsock.findings.rule import rows_of
from windsock.findings.why.cause import Case, Cause, Count, Told, earliest, of_files
from windsock.model import Answer, Row

LATE_TIMES = 10
"""Times its usual distance between parses: a file waits three or four times as long when others are slow."""
LATE_S = 600.0
"""Seconds: Airflow itself calls a DAG stale after ten minutes or more (`stale_dag_threshold` and the parse timeout)."""


class NotParsed(Cause):
    """What is deployed arrives only with the next parse: a refresh of the bundle, then the file's turn."""

    name, words, about = (
        "not parsed",
        "Their file is parsed no more, or killed while it is",
        "missing from the UI",
    )
    questions = (
        "files_last_parsed",
        "parse_kills_by_file",
        "parse_staleness_by_file",
        "dag_files",
        "dag_states",
    )
    codes = ("WS203", "WS207")

    @classmethod
    def tell(cls, case: Case, answers: Mapping[str, Answer]) -> Iterator[Told]:
        for row, likely in of_files(answers, "parse_kills_by_file", case):
            if row["kills"] and row["parsed_at"] is None:
                yield cls.told(
                    likely,
                    f"The parse of {row['dag_file']} was killed {row['kills']} times by the {row['kind'].replace('_', ' ')}, "
                    f"last on {wording.moment(row['last_at'])}, and none has ended well since",
                    since=row["first_at"],
                    evidence={"kills": row["kills"], "limit_s": row["limit_s"], "kind": row["kind"]},
                    unknown="what takes the time: the report's parse times by file show since when",
                    next="windsock ask parse_time_by_file",
                )
        for row, likely in of_files(answers, "files_last_parsed", case):
            if is_left(row):
                yield cls.told(
                    "likely" if likely == "certain" else likely,
                    f"{row['dag_file']} was parsed last on {wording.moment(row['last_at'])}, other files until "
                    f"{wording.moment(row['others_until'])}",
                    since=row["last_at"],
                    evidence={"usual_s": row["usual_s"], "parses": row["parses"], "source": row["source"]},
                    unknown="whether the file was moved or removed, or its bundle no longer refreshes: the bundle's repository "
                    "and the dag-processor's log would tell",
                    next="airflow dags list | grep -F " + repr(case.dag_id),
                )

    @classmethod
    def count(cls, answers: Mapping[str, Answer]) -> Count:
        killed = [
            row
            for row in rows_of(answers, "parse_kills_by_file")
            if row["kills"] and row["dag_file"] and row["parsed_at"] is None
        ]
        seen = rows_of(answers, "files_last_parsed")
        left = [row for row in seen if is_left(row) and row["parses_week"]]
        files = tuple(sorted({row["dag_file"] for row in (*killed, *left)}))
        first = min(filter(None, (earliest(killed, "first_at"), earliest(left, "last_at"))), default=None)
        return Count(
            len(files), "files", first, files=files, missing="" if seen else "dag-processor log or metrics"
        )


def is_left(row: Row) -> bool:
    """Whether the others went on without it."""
    behind = (row["others_until"] - row["last_at"]).total_seconds()
    return row["usual_s"] is not None and behind >= max(LATE_S, LATE_TIMES * row["usual_s"])
