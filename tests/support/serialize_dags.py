"""Run by a real Airflow's Python: the rows of `serialized_dag` that it keeps of `tests/data/serialized_dags/told.py`.

    AIRFLOW__CORE__DAGS_FOLDER=/opt/airflow/dags AIRFLOW_HOME=/tmp/home PYTHON tests/support/serialize_dags.py > airflow3.jsonl

One JSON object a line: `dag_id`, and `data` or, with `AIRFLOW__CORE__COMPRESS_SERIALIZED_DAGS=True`, `data_compressed` as
hexadecimal digits. Made by Airflow's own model; nothing is written to a database.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "data" / "serialized_dags"))


def kept(dag: Any, model: Any) -> Any:
    """The model's row, with a deadline as it is stored: its id alone."""
    dag.fileloc = "/opt/airflow/dags/told.py"  # not of the machine on which this ran
    if not hasattr(model, "_generate_deadline_uuids"):
        return model(dag)
    from airflow.serialization.serialized_objects import LazyDeserializedDAG

    lazy = LazyDeserializedDAG.from_dag(dag)
    model._generate_deadline_uuids(lazy.data)
    return model(lazy)


def main() -> None:
    from airflow.models.serialized_dag import SerializedDagModel
    from told import DAGS

    for dag in DAGS:
        row = kept(dag, SerializedDagModel)
        packed = row._data_compressed
        told = {"data": row._data} if packed is None else {"data_compressed": packed.hex()}
        print(json.dumps({"dag_id": dag.dag_id, **told}, sort_keys=True))


if __name__ == "__main__":
    main()
