"""Metric snapshots through a whole pull: order, late objects, two deployments behind one Prometheus, silence."""

import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.exposition import exposition, minutes, store
from windsock import config as configs
from windsock import pipeline
from windsock.errors import ConfigError
from windsock.output import Output
from windsock.report.sections import table_of
from windsock.report.specs import SPECS
from windsock.report.specs.capacity import DEFERRED
from windsock.store.local import LocalStore
from windsock.week import Week

WEEK = Week.parse("2026-W48")
TUESDAY = datetime(2026, 11, 24, tzinfo=UTC)
NOW = datetime(2026, 11, 30, 6, tzinfo=UTC)
QUIET = Output(level=0)


def pipeline_file(
    folder: Path, metrics: Path, *, name: str = "prod", match: str = "", logs: str = ""
) -> configs.Config:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.toml"
    told = f"match = '{match}'\n" if match else ""
    task_logs = f"[sources.task_logs]\nurl = '{logs}'\n" if logs else ""
    path.write_text(
        f"[deployment]\nname = '{name}'\n{task_logs}[sources.metrics]\nurl = '{metrics}'\n{told}[lake]\nurl = '{folder / 'lake'}'\n"
    )
    return configs.load(path, {})


def pull(config: configs.Config, **more: Any) -> Any:
    return pipeline.pull(config, now=NOW, week=WEEK, output=QUIET, full=True, **more)


def rows(config: configs.Config, sql: str) -> list[dict[str, Any]]:
    return [dict(row) for row in pipeline.ask(config, question="", sql=sql, week=WEEK).rows]


def answer(config: configs.Config, question: str) -> list[dict[str, Any]]:
    return [dict(row) for row in pipeline.ask(config, question=question, sql="", week=WEEK).rows]


EVERYTHING = (
    "select sampled_at, name, cast(labels as varchar) as labels, kind, value, from_at, until_at, reset_count, object_url "
    "from metric_samples order by all"
)
POOLS = "select sampled_at, pool, open_slots, object_url from pool_samples order by all"


def write_two_deployments(folder: Path) -> None:
    """A is busy from 08:00 to 18:00 and full for 63 of 100 minutes of it; B's scheduler is dead from 02:00 to 04:10."""
    dead_from, dead_until = TUESDAY + timedelta(hours=2), TUESDAY + timedelta(hours=4, minutes=10)
    beats_a = beats_b = 1000
    for at in minutes(TUESDAY, TUESDAY + timedelta(hours=20)):
        beats_a += 12
        is_dead = dead_from < at <= dead_until
        beats_b += 0 if is_dead else 12
        minute = (at - TUESDAY - timedelta(hours=8)) // timedelta(minutes=1)
        is_busy, is_full = 0 <= minute < 600, 0 <= minute < 600 and minute % 100 < 63
        full, some, idle = (0, 128, 0, 20), (100, 20, 8, 0), (128, 0, 0, 0)
        pool_a = full if is_full else some if is_busy else idle
        # B's gauges froze when its pool happened to have no open slot
        pool_b = (0, 16, 0, 9) if is_dead or at == dead_from else (12, 4, 0, 0)
        a = exposition({"scheduler_heartbeat": beats_a}, {"default_pool": pool_a}, {"namespace": "airflow-a"})
        b = exposition({"scheduler_heartbeat": beats_b}, {"default_pool": pool_b}, {"namespace": "airflow-b"})
        store(folder, at, a + b)


def test_two_deployments_behind_one_prometheus(tmp_path: Path) -> None:
    metrics = tmp_path / "metrics"
    write_two_deployments(metrics)

    with pytest.raises(ConfigError, match='match to one of: namespace = "airflow-a", "airflow-b"'):
        pull(pipeline_file(tmp_path / "none", metrics))

    b = pipeline_file(tmp_path / "b", metrics, name="b", match='{namespace="airflow-b"}')
    pull(b)
    dead = (
        "sampled_at > timestamptz '2026-11-24 02:00:00Z' and sampled_at <= timestamptz '2026-11-24 04:10:00Z'"
    )
    assert rows(b, f"select count(*) as n from pool_samples where {dead}") == [{"n": 0}]
    assert rows(b, "select count(*) as n from pool_samples") == [{"n": 1201 - 130}]
    assert rows(
        b, f"select distinct value as v from metric_samples where name = 'pool.open_slots' and {dead}"
    ) == [{"v": 0}]
    (gap,) = answer(b, "heartbeat_gaps")
    assert (gap["component"], gap["gap_s"], gap["is_over"]) == ("scheduler", (2 * 60 + 10) * 60, True)
    assert (gap["from_at"], gap["until_at"]) == (
        TUESDAY + timedelta(hours=2),
        TUESDAY + timedelta(hours=4, minutes=10),
    )
    assert (gap["seen_minutes"], gap["frozen_looks"]) == (130, 130)
    (told,) = answer(b, "pool_full_share")
    assert told["full_hours"] < 0.3  # the one true sample before the freeze, at most a quarter of an hour

    a = pipeline_file(tmp_path / "a", metrics, name="a", match='{namespace="airflow-a"}')
    pull(a)
    assert answer(a, "heartbeat_gaps") == []
    (told,) = answer(a, "pool_full_share")
    assert told["full_share"] == pytest.approx(0.63, abs=0.01)


def test_another_match_reads_everything_again(tmp_path: Path) -> None:
    metrics = tmp_path / "metrics"
    for at in minutes(TUESDAY, TUESDAY + timedelta(minutes=3)):
        store(
            metrics,
            at,
            "".join(exposition({}, {"p": (n, 0, 0, 0)}, {"namespace": one}) for n, one in enumerate("ab")),
        )
    for one, slots in (("a", 0), ("b", 1)):
        config = pipeline_file(tmp_path, metrics, match=f'{{namespace="{one}"}}')
        pull(config)
        assert rows(config, "select distinct open_slots as n from pool_samples") == [{"n": slots}]


def write_hour(folder: Path, *, step_s: int = 20) -> list[Path]:
    """An hour with restarts of the exporter, a minute without snapshots, a stall and one cut snapshot."""
    dice = random.Random(7)
    total, beats, written = 0, 0, []
    for n in range(0, 3600, step_s):
        at = TUESDAY + timedelta(seconds=n)
        total = dice.randrange(3) if n % 1200 == 1000 else total + dice.randrange(4)
        beats += 0 if 1500 <= n < 1700 else 4
        text = exposition({"scheduler_heartbeat": beats, "ti_failures": total}, {"db": (n % 5, 3, 0, 1)})
        if not 600 < n < 700:
            written.append(store(folder, at, text[: len(text) // 2] if n == 2000 else text))
    return written


def test_order_of_arrival_changes_nothing(tmp_path: Path) -> None:
    """Rows after one pull equal those after many, with objects late, in any order, and read again."""
    once = pipeline_file(tmp_path / "once", tmp_path / "m1")
    write_hour(tmp_path / "m1")
    pull(once)

    many = pipeline_file(tmp_path / "many", tmp_path / "m2")
    waiting = tmp_path / "waiting"
    paths = write_hour(waiting)
    random.Random(3).shuffle(paths)
    while paths:
        for path in paths[:40]:
            target = tmp_path / "m2" / path.relative_to(waiting)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
        paths = paths[40:]
        pull(many)

    def told(config: configs.Config) -> list[dict[str, Any]]:
        found = rows(config, EVERYTHING) + rows(config, POOLS)
        return [row | {"object_url": row["object_url"].rsplit("/", 2)[-1]} for row in found]

    first = told(once)
    assert len(first) > 1000
    assert told(many) == first
    pull(once, reread=True)
    assert told(once) == first
    assert pull(once).read == 0


def test_failures_of_the_hour_are_counted_once(tmp_path: Path) -> None:
    config = pipeline_file(tmp_path, tmp_path / "m")
    write_hour(tmp_path / "m", step_s=60)
    dice, total, expected = random.Random(7), 0, 0
    for n in range(0, 3600, 60):
        total += (step := dice.randrange(4))
        expected += step if n else 0
    pull(config)
    (told,) = rows(config, "select sum(value) as n from metric_samples where name = 'ti_failures'")
    assert told["n"] == expected


def test_a_scheduler_that_never_came_back_is_silent_until_the_end(tmp_path: Path) -> None:
    lines = []
    for n in range(0, 1800, 5):
        epoch = TUESDAY.timestamp() + n
        if n < 600:
            lines.append(f"{epoch} airflow.scheduler_heartbeat:1|c")
        lines.append(f"{epoch + 1} airflow.triggerer_heartbeat:1|c")
        if n == 900:
            lines.append(f"{epoch} airflow.job_start:1|c")
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "day.statsd").write_text("\n".join(lines) + "\n")
    config = pipeline_file(tmp_path, tmp_path / "m")
    pull(config)
    (gap,) = answer(config, "heartbeat_gaps")
    assert (gap["component"], gap["is_over"], gap["gap_s"]) == ("scheduler", False, 1796 - 595)
    assert (gap["job_starts"], gap["frozen_looks"]) == (1, 0)
    assert gap["seen_minutes"] >= 19


def test_a_snapshot_that_is_none_is_one_counted_reject(tmp_path: Path) -> None:
    metrics = tmp_path / "m"
    for at in minutes(TUESDAY, TUESDAY + timedelta(minutes=4)):
        store(metrics, at, exposition({"ti_failures": at.minute}, {"db": (1, 1, 0, 0)}))
    store(metrics, TUESDAY + timedelta(minutes=2), "<html>502 Bad Gateway</html>")
    config = pipeline_file(tmp_path, metrics)
    done = pull(config)
    assert [reason for _url, reason in done.rejects] == ["html"]
    assert rows(config, "select sum(value) as n from metric_samples where kind = 'counter'") == [{"n": 4}]


def test_logs_read_before_the_metrics_stopped_the_pull_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "logs/dag_id=d/run_id=scheduled__2026-11-24T00:00:00+00:00/task_id=t"
    folder.mkdir(parents=True)
    (folder / "attempt=1.log").write_text(
        "[2026-11-24T00:01:00.000+0000] {taskinstance.py:2614} INFO - Executing <Task(BashOperator): x> on 2026-11-24\n"
    )
    both = "".join(exposition({}, {"p": (1, 0, 0, 0)}, {"namespace": one}) for one in "ab")
    store(tmp_path / "m", TUESDAY, both)
    config = pipeline_file(tmp_path, tmp_path / "m", logs=str(tmp_path / "logs"))
    with pytest.raises(ConfigError, match="several deployments"):
        pull(config)
    assert rows(config, "select count(*) as n from task_logs") == [{"n": 1}]


def test_counters_are_held_against_the_logs(tmp_path: Path) -> None:
    """Two attempts in the logs, one failed; the counter knows of the success and of half the failures' hours."""
    logs = tmp_path / "logs"
    for task, state in (("good", "SUCCESS"), ("bad", "FAILED")):
        folder = logs / f"dag_id=d/run_id=scheduled__2026-11-24T00:00:00+00:00/task_id={task}"
        folder.mkdir(parents=True)
        (folder / "attempt=1.log").write_text(
            "[2026-11-24T00:01:00.000+0000] {taskinstance.py:2614} INFO - Executing <Task(BashOperator): x> on 2026-11-24\n"
            f"[2026-11-24T00:02:00.000+0000] {{taskinstance.py:1400}} INFO - Marking task as {state}. dag_id=d, task_id={task}, "
            "run_id=scheduled__2026-11-24T00:00:00+00:00, execution_date=20261124T000000, start_date=20261124T000100, "
            "end_date=20261124T000200\n"
        )
    metrics = tmp_path / "m"
    for at in minutes(TUESDAY, TUESDAY + timedelta(minutes=4)):
        store(metrics, at, exposition({"ti_failures": 5, "ti_successes": at.minute // 2}, {}))
    config = pipeline_file(tmp_path, metrics, logs=str(logs))
    pull(config)
    told = {
        (row["counter"], row["outcome"]): (row["counted"], row["attempts"])
        for row in answer(config, "metric_coverage")
    }
    assert told["ti_successes", "success"] == (2, 1)
    assert told["ti_failures", "failure"] == (0, 1)
    assert told["ti.finish", "failure"] == (0, 1)


@pytest.mark.parametrize("deferred", [6, 0])
def test_the_page_tells_slot_hours_of_deferred_tasks_where_a_pool_had_some(
    tmp_path: Path, deferred: int
) -> None:
    """`dwh` held six deferred tasks for five hours (30 slot-hours), another pool none; a pool of ten hours' looks."""
    for place, at in enumerate(minutes(TUESDAY, TUESDAY + timedelta(hours=10))):
        held = deferred if TUESDAY + timedelta(hours=2) <= at < TUESDAY + timedelta(hours=7) else 0
        text = exposition({"scheduler_heartbeat": 12 * place}, {"dwh": (0, 4, 0, 2), "other": (0, 2, 0, 1)})
        text += f'airflow_pool_deferred_slots{{pool="dwh"}} {held}\nairflow_pool_deferred_slots{{pool="other"}} 0\n'
        store(tmp_path / "metrics", at, text)
    config = pipeline_file(tmp_path, tmp_path / "metrics")
    pull(config)
    told = {"pools_of_week": pipeline.ask(config, question="pools_of_week", sql="", week=WEEK)}
    truth = {"dwh": deferred * 5.0, "other": 0.0}
    assert {row["pool"]: row["deferred_hours"] for row in told["pools_of_week"].rows} == pytest.approx(truth)
    (grid,) = next(spec for spec in SPECS if spec.key == "pools").grids
    table = table_of(grid, told, is_folded=False)
    assert table is not None
    assert (DEFERRED in table.columns) == bool(deferred)
    if deferred:
        place = table.columns.index(DEFERRED)
        assert {row[0].text: row[place].text for row in table.rows} == {"dwh": "30 h", "other": ""}


def test_a_day_more_reads_its_own_pages_and_a_look_back_and_ends_as_one_pull(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two hours are known, half an hour comes: of the pages before it the last minute is fetched again, as context."""

    def write(folder: Path, since: int, until: int) -> None:
        for n in range(since, until):
            text = exposition({"scheduler_heartbeat": 12 * n, "ti_failures": n // 7}, {"p": (n % 5, 1, 0, 0)})
            store(folder, TUESDAY + timedelta(minutes=n), text)

    read: list[str] = []
    real = LocalStore.read

    def counted(self: LocalStore, path: str, *, at_most: int | None = None) -> Any:
        read.append(path)
        return real(self, path, at_most=at_most)

    monkeypatch.setattr(LocalStore, "read", counted)
    parts = pipeline_file(tmp_path / "parts", tmp_path / "m")
    write(tmp_path / "m", 0, 120)
    pull(parts)
    assert sum(path.endswith(".prom") for path in read) == 120
    read.clear()
    write(tmp_path / "m", 120, 150)
    assert pull(parts).read == 30
    assert 30 < sum(path.endswith(".prom") for path in read) <= 32
    whole = pipeline_file(tmp_path / "whole", tmp_path / "m")
    pull(whole)
    for everything in (EVERYTHING, POOLS):
        assert rows(parts, everything) == rows(whole, everything)


def test_numbers_beyond_every_size_cost_their_values_and_no_pull(tmp_path: Path) -> None:
    """A gauge of 9e15 slots, a count of 1e300: they are no counts, and everything else is there."""
    odd = {5: "9e15", 7: "2147483640", 8: "1e300", 9: "-1e300", 11: "1e19", 12: "18446744073709551616"}
    week = Week.parse("2026-W47")
    for minute in range(30):
        number, at = odd.get(minute, "3"), (week.from_at + timedelta(minutes=minute)).timestamp()
        path = tmp_path / f"m/{minute:02d}.prom"
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            f"# TYPE airflow_scheduler_heartbeat counter\nairflow_scheduler_heartbeat {minute * 12}\n"
            f'airflow_pool_open_slots{{pool="p"}} {number}\nairflow_pool_running_slots{{pool="p"}} 9\n'
            'airflow_pool_queued_slots{pool="p"} 1\n# TYPE airflow_task_duration summary\n'
            f"airflow_task_duration_sum {number}\nairflow_task_duration_count {number}\n"
        )
        os.utime(path, (at, at))
    toml = tmp_path / "p.toml"
    toml.write_text("[deployment]\nname = 'p'\n[sources.metrics]\nurl = 'm'\n[lake]\nurl = 'lake'\n")
    config, quiet = configs.load(toml, {}), Output(level=0)
    done = pipeline.pull(config, now=week.to_at, week=week, output=quiet, full=True)
    assert (done.read, done.rejected) == (30, 0)
    sql = "select total_slots, count(*) as samples from pool_samples group by all order by all"
    rows = pipeline.ask(config, question="", sql=sql, week=week).rows
    assert [tuple(row.values()) for row in rows] == [(13, 24), (None, 6)]
    pipeline.judge_week(config, week=week, output=quiet)  # no question overflows either
