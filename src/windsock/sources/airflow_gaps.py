"""What an Airflow source would not tell: which endpoint or table, what right is missing, what the report loses by it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that could not be read. `what` is an endpoint or a table, `why` says what would mend it."""

    what: str
    why: str
    loses: str

    def sentence(self) -> str:
        """One line for people."""
        return f"{self.what}: {self.why}; without it: {self.loses}"


LOSES: dict[str, str] = {
    "tries": "final states, retries, queue times and pools of task instances",
    "runs": "run types, lateness and the commit a run used",
    "pools": "pool sizes and what fills them",
    "import_errors": "import errors of DAG files",
    "dags": "parse times per DAG file, and the limits of each DAG",
    "dag_versions": "DAG versions as suspects of a slower parse",
    "events": "state mismatches, lost heartbeats, changes of pools and cleared tasks",
    "serialized_dags": "which DAGs have no failure callback, mail or deadline",
    "makeup": "what holds a DAG's tasks and runs back by its own code, and which chain of tasks decides how long it runs",
    "dag_warnings": "why a DAG makes a new version at each parse",
    "providers": "versions of providers as changes beside findings",
    "settings": "limits such as parallelism and the timeouts of the dag-processor",
    "health": "health of scheduler, triggerer and dag-processor",
}
"""Per kind of answer, what the report cannot say without it."""
