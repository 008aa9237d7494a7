"""Run by a real Airflow's Python: what its REST API answers about the DAGs of `tests/data/serialized_dags/told.py`.

    AIRFLOW_HOME=/tmp/home PYTHON tests/support/answer_dags.py > tests/data/api/airflow3/makeups.jsonl

One JSON object a line: `dag_id`, `details` and `tasks` as `/dags/{id}/details` and `/dags/{id}/tasks` give them, made by
Airflow's own schemas from the serialised DAG, as its API does. What belongs to a DAG's row in the database (paused, parsed)
is left out: the list of DAGs tells it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "data" / "serialized_dags"))
DETAILS = ("dag_id", "start_date", "end_date", "catchup", "dag_run_timeout", "timezone")


def answers_2(dag: Any) -> dict[str, Any]:
    from airflow.api_connexion.schemas.dag_schema import DAGDetailSchema
    from airflow.api_connexion.schemas.task_schema import TaskCollection, task_collection_schema

    details = DAGDetailSchema(only=DETAILS).dump(dag) | {"schedule_interval": None}
    return {
        "details": details,
        "tasks": task_collection_schema.dump(TaskCollection(dag.tasks, len(dag.tasks))),
    }


def answers_3(dag: Any) -> dict[str, Any]:
    from airflow.api_fastapi.core_api.datamodels.dags import DAGDetailsResponse
    from airflow.api_fastapi.core_api.datamodels.tasks import TaskCollectionResponse
    from pydantic import TypeAdapter

    fields = {name: DAGDetailsResponse.model_fields[name].annotation for name in DETAILS[1:5]}
    values = {name: getattr(dag, "dagrun_timeout" if name == "dag_run_timeout" else name) for name in fields}
    details = {
        name: TypeAdapter(kind).dump_python(values[name], mode="json") for name, kind in fields.items()
    }
    tasks = TaskCollectionResponse.model_validate(
        {"tasks": dag.tasks, "total_entries": len(dag.tasks)}, from_attributes=True
    )
    return {
        "details": {"dag_id": dag.dag_id, "timetable_summary": None, **details},
        "tasks": json.loads(tasks.model_dump_json()),
    }


def main() -> None:
    from airflow import __version__
    from airflow.serialization import serialized_objects
    from told import DAGS

    for dag in DAGS:
        dag.fileloc = "/opt/airflow/dags/told.py"  # not of the machine on which this ran
        kept = serialized_objects.SerializedDAG.to_dict(dag) if __version__[0] == "2" else (
            serialized_objects.DagSerialization.to_dict(dag)
        )  # fmt: skip
        read = (
            serialized_objects.SerializedDAG if __version__[0] == "2" else serialized_objects.DagSerialization
        )
        again = read.from_dict(json.loads(json.dumps(kept)))
        told = answers_2(again) if __version__[0] == "2" else answers_3(again)
        print(json.dumps({"dag_id": dag.dag_id, **told}, sort_keys=True, default=str))


if __name__ == "__main__":
    main()
