"""The DAG's bundle is not refreshed."""

from collections.abc import Iterator, Mapping

from windsock.findings import wording
from windsock.findings.rule import rows_of
from windsock.findings.why.cause import Case, Cause, Count, Told, earliest, of_dag, state_of
from windsock.model import Answer

CALLBACKS = "callbacks of DAGs and of killed tasks"


class BundleFails(Cause):
    """A bundle that cannot be fetched keeps its old files, or has none: new DAGs and changes never arrive."""

    name, words, about = (
        "bundle refresh",
        "Their bundle could not be refreshed or set up",
        "missing from the UI",
    )
    questions = ("bundle_failures", "dag_files", "dag_states", "silent_coverage")
    counted_by = ("silent_coverage",)
    codes = ("WS604",)

    @classmethod
    def tell(cls, case: Case, answers: Mapping[str, Answer]) -> Iterator[Told]:
        state = state_of(answers, case)
        bundles = {row["bundle_name"] for row in of_dag(answers, "dag_files", case) if row["bundle_name"]}
        bundles |= {state["bundle_name"]} if state and state["bundle_name"] else set()
        for row in rows_of(answers, "bundle_failures"):
            if bundles and row["bundle_name"] not in bundles:
                continue
            is_open = row["mended_at"] is None
            until = "" if is_open else f", and a new version came {wording.moment(row['mended_at'])}"
            yield cls.told(
                "likely" if bundles and is_open else "possible",
                f"Bundle {row['bundle_name']} failed {wording.plural(row['failures'], 'time')} to be refreshed or set up, last "
                f"{wording.moment(row['last_at'])}: {row['error'] or 'the log tells no error'}{until}",
                since=row["first_at"],
                evidence={
                    "failures": row["failures"],
                    "first_at": row["first_at"],
                    "last_at": row["last_at"],
                },
                unknown="whether this DAG is of that bundle: no task log or API names its bundle"
                if not bundles
                else "whether anything new was deployed meanwhile: the bundle's repository would tell",
                next="airflow dags list-import-errors  # then the bundle's credentials, network and branch",
            )

    @classmethod
    def count(cls, answers: Mapping[str, Answer]) -> Count:
        rows = [row for row in rows_of(answers, "bundle_failures") if row["mended_at"] is None]
        # the same log tells both
        seen = [row for row in rows_of(answers, "silent_coverage") if row["kind"] == CALLBACKS]
        missing = "" if rows else next((row["missing"] or "" for row in seen), "")
        return Count(len(rows), "bundles", earliest(rows, "first_at"), missing=missing)
