"""The DAG's file is parsed without an error, to no DAG."""

from collections.abc import Iterator, Mapping

from windsock.findings import wording
from windsock.findings.rule import rows_of
from windsock.findings.rules.ws504_dag_vanished import DagVanished
from windsock.findings.why.cause import Case, Cause, Count, Told, earliest, limits_of, of_files
from windsock.model import Answer


class NoDags(Cause):
    """A guard at module level, a factory that found nothing, a DAG object that nobody keeps at module level."""

    name, words, about = "file without DAGs", "Their file gives no DAG any more", "missing from the UI"
    questions = ("files_without_dags", "files_last_parsed", "dag_files", "dag_states")
    codes = ("WS504",)

    @classmethod
    def tell(cls, case: Case, answers: Mapping[str, Answer]) -> Iterator[Told]:
        for row, likely in of_files(answers, "files_without_dags", case):
            yield cls.told(
                likely,
                f"{row['dag_file']} is parsed without an error, but gives no DAG since {wording.moment(row['lost_at'])} "
                f"(before: {row['had_dags']})",
                since=row["lost_at"],
                evidence={
                    "dag_file": row["dag_file"],
                    "parses_without": row["zero_parses"],
                    "had_dags": row["had_dags"],
                    "last_seen_at": row["had_at"],
                    "source": row["source"],
                },
                unknown="whether it was taken out on purpose",
                next=f"python {row['dag_file']}  # on a dag-processor: which branch of the file makes its DAGs?",
            )
        for row, likely in of_files(answers, "files_last_parsed", case):
            fewer = row["dag_count"] == 0 and not row["error_count"]
            if fewer and not of_files(answers, "files_without_dags", case):
                yield cls.told(
                    likely,
                    f"{row['dag_file']} gave no DAG at its last parse, {wording.moment(row['last_at'])}, and had none in view",
                    since=None,
                    evidence={"dag_file": row["dag_file"], "parses": row["parses"], "source": row["source"]},
                    unknown="whether it ever gave one: no parse of nine weeks did",
                    next=f"python {row['dag_file']}  # is the DAG object kept at module level? does an @dag function get called?",
                )

    @classmethod
    def count(cls, answers: Mapping[str, Answer]) -> Count:
        least = limits_of(DagVanished, answers).min_parses
        rows = [row for row in rows_of(answers, "files_without_dags") if row["zero_parses"] >= least]
        files = tuple(sorted({row["dag_file"] for row in rows}))
        counted = any(row["dag_count"] is not None for row in rows_of(answers, "files_last_parsed"))
        missing = "" if rows or counted else "dag-processor log"
        return Count(len(files), "files", earliest(rows, "lost_at"), files=files, missing=missing)
