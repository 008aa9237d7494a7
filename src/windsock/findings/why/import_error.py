"""The DAG's file does not import."""

from collections.abc import Iterator, Mapping

from windsock.findings import wording
from windsock.findings.rule import rows_of
from windsock.findings.why.cause import Case, Cause, Count, Told, earliest, of_files, state_of
from windsock.model import Answer

UNKNOWN = "whether the DAG that Airflow still shows is the version before the error: Airflow keeps it until the file is stale"


class ImportFails(Cause):
    """An import error is of a file: all its DAGs stop changing, and new ones never appear."""

    name, words, about = "import error", "Their file fails to import", "missing from the UI"
    questions = ("import_errors_of_week", "dag_files", "dag_states")
    codes = ("WS205",)

    @classmethod
    def tell(cls, case: Case, answers: Mapping[str, Answer]) -> Iterator[Told]:
        found = of_files(answers, "import_errors_of_week", case)
        for row, likely in found:
            is_open = row["mended_at"] is None
            until = "" if is_open else f" until {wording.moment(row['mended_at'])}"
            yield cls.told(
                likely if is_open else "possible",
                f"{row['dag_file']} {'fails' if is_open else 'failed'} to import since {wording.moment(row['first_at'])}"
                f"{until}: {row['error_signature'] or 'an error'}",
                since=row["first_at"],
                evidence={
                    "dag_file": row["dag_file"],
                    "sightings": row["sightings"],
                    "first_at": row["first_at"],
                    "last_at": row["last_at"],
                    "mended_at": row["mended_at"],
                    "files_with_it": row["files"],
                    "sample": row["message"],
                },
                unknown=UNKNOWN
                if likely == "certain"
                else "of which DAG this file is: no task log or API names it",
                next="airflow dags list-import-errors",
            )
        state = state_of(answers, case)
        if state and state["is_broken"] and not any(row["mended_at"] is None for row, _ in found):
            yield cls.told(
                "certain",
                f"Airflow said on {wording.moment(state['listed_at'])} that {state['dag_file'] or 'its file'} has an import error",
                since=state["listed_at"],
                evidence={"dag_file": state["dag_file"], "listed_at": state["listed_at"]},
                unknown="which error it is: the list of import errors or the dag-processor's log would tell",
                next="airflow dags list-import-errors",
            )

    @classmethod
    def count(cls, answers: Mapping[str, Answer]) -> Count:
        rows = [row for row in rows_of(answers, "import_errors_of_week") if row["mended_at"] is None]
        files = tuple(sorted({row["dag_file"] for row in rows}))
        return Count(len(files), "files", earliest(rows, "first_at"), files=files)
