"""How fast is a scheduler's log read? `python -m benchmarks.component_logs [--megabytes 20] [--rounds 3]`

Lines of 2.11 and 3.3 as a scheduler and a dag-processor print them, of which none, one in twenty, or each one ends a try.
"""

from __future__ import annotations

import argparse
from functools import partial
from zoneinfo import ZoneInfo

from benchmarks.timing import interleaved
from windsock.parse.component.component_log import Reader

DULL = (
    "[2026-11-23T15:30:44.788+0000] {{scheduler_job_runner.py:692}} INFO - Sending TaskInstanceKey(dag_id='orders', "
    "task_id='load_{n}', run_id='scheduled__2026-11-23T15:20:00+00:00', try_number=1, map_index=-1) to LocalExecutor",
    "[2026-11-23T15:30:45.217+0000] {{dagbag.py:588}} INFO - Filling up the DagBag from /opt/airflow/dags/orders_{n}.py",
    "2026-11-23T15:25:17.371884Z [info     ] setting next dagrun info       [airflow.models.dag] loc=dag.py:848 "
    "next_dagrun='2026-11-23 15:26:00+00:00' n={n}",
    "\t<TaskInstance: orders.load_{n} scheduled__2026-11-23T15:20:00+00:00 [scheduled]>",
)
FINISHED = (
    "[2026-11-23T15:24:47.689+0000] {{scheduler_job_runner.py:813}} INFO - TaskInstance Finished: dag_id=orders, task_id=t{n}, "
    "run_id=scheduled__2026-11-23T15:21:00+00:00, map_index=-1, run_start_date=2026-11-23 15:24:35.793906+00:00, "
    "run_end_date=2026-11-23 15:24:41.344553+00:00, run_duration=5.5, state=success, executor=CeleryExecutor(parallelism=8), "
    "executor_state=success, try_number=1, max_tries=0, job_id=64, pool=warehouse, queue=default, priority_weight=2, "
    "operator=PythonOperator, queued_dttm=2026-11-23 15:24:30.962796+00:00, queued_by_job_id=62, pid=698"
)


def log_of(size: int, *, telling_every: int) -> bytes:
    """About `size` bytes, of which every so many lines ends a try (0: none)."""
    lines, length, n = [], 0, 0
    while length < size:
        is_telling = telling_every and n % telling_every == 0
        lines.append((FINISHED if is_telling else DULL[n % len(DULL)]).format(n=n))
        length += len(lines[-1]) + 1
        n += 1
    return ("\n".join(lines) + "\n").encode()


def read(data: bytes, *, reads_all: bool) -> bool:
    """One log, as a pull reads it."""
    reader = Reader("scheduler.log", ZoneInfo("UTC"), reads_all=reads_all)
    reader.feed(data)
    reader.end()
    return reader.has_records


def main() -> None:
    """Print megabytes per CPU second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    print("| scheduler's log | MB per CPU second | every line decoded |\n|---|---|---|")
    for name, every in (("no line tells", 0), ("one line in 20 ends a try", 20), ("each line ends a try", 1)):
        data = log_of(int(given.megabytes * 1e6), telling_every=every)
        works = {str(exact): partial(read, data, reads_all=exact) for exact in (False, True)}
        fast, exact = interleaved(works, rounds=given.rounds).values()
        print(f"| {name} | {len(data) / 1e6 / fast.middle:.0f} | {len(data) / 1e6 / exact.middle:.0f} |")


if __name__ == "__main__":
    main()
