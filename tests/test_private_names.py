"""Names that reach a report by other ways than a DAG's own columns: connections, tasks under former names, edge workers, hosts
that came. With `hash_ids = true` and `samples = false` none of them is in anything that is written."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from benchmarks.fleet.records import Attempt, airflow2, airflow3

from tests.support.fleets import WEEK, calm, every, runs, since
from tests.support.weeks import put
from windsock import config as configs
from windsock import pipeline
from windsock.output import Output

CONNECTION, OTHER_CONNECTION = "vault_of_gold", "mint_of_silver"
JOINED, OLD, NEW = "paint_walls", "water_roses", "water_tulips"
EDGE, HOST = "shed-by-the-lake", "tower-on-the-hill.internal"
PLANTED = (CONNECTION, OTHER_CONNECTION, JOINED, OLD, NEW, EDGE, HOST)
LOST = ("OperationalError", "server closed the connection unexpectedly")
DATA = ("ValueError", f"cannot {JOINED} with {OTHER_CONNECTION}")


def failing_over(connection: str, error: tuple[str, str], names: str) -> Iterator[Attempt]:
    """Three DAGs that lose their runs from Thursday on, all after they took one connection."""
    for place in range(3):
        dues = [due + timedelta(hours=place) for due in every(1, since(6))]
        for one in runs(
            f"{names}_{place}",
            dues,
            lambda due: "failed" if due >= since(3) else "success",
            error=error,
        ):
            yield replace(one, connection=connection)


def renamed() -> Iterator[Attempt]:
    """A task that is another one from the week before on: WS607 names both."""
    dues = every(1, since(6))
    for one in runs("garden", dues, tasks=("dig", OLD, "rest")):
        is_new = one.task_id == OLD and one.started_at >= since(-7)
        yield replace(one, task_id=NEW) if is_new else one


def on_a_new_host() -> Iterator[tuple[Attempt, bytes]]:
    """A DAG of Airflow 2 whose tries run on a host that came on Thursday, and fail there."""
    for one in runs("moved", every(0.25, since(6)), lambda due: "failed" if due >= since(3) else "success"):
        host = HOST if one.started_at >= since(3) else "old-host-of-all"
        yield one, airflow2(replace(one, host=host))


def edge_gauges() -> str:
    names = ("connected", "concurrency", "jobs_active", "free_concurrency")
    return "".join(f'airflow_edge_worker_{name}{{worker_name="{EDGE}"}} 1\n' for name in names)


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("names")
    tries = [
        *calm(),
        *failing_over(CONNECTION, LOST, "bank"),
        *failing_over(OTHER_CONNECTION, DATA, "shop"),
        *renamed(),
    ]
    for one in tries:
        put(root / "logs" / one.key, airflow3(one), one.ended_at)
    for one, text in on_a_new_host():
        put(root / "logs" / one.key, text, one.ended_at)
    for minute in (0, 1, 2):
        at = since(2) + timedelta(minutes=minute)
        put(root / "metrics" / f"{at:%Y%m%dT%H%M%SZ}.prom", edge_gauges().encode(), at)
    return root


@pytest.fixture(scope="module")
def written(bucket: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Everything that a report with these settings writes, names of files too."""

    def make(settings: str) -> str:
        folder = tmp_path_factory.mktemp("out")
        path = folder / "prod.toml"
        path.write_text(
            f"[deployment]\nname = 'prod'\n[sources.task_logs]\nurl = '{bucket}/logs'\n"
            f"[sources.metrics]\nurl = '{bucket}/metrics'\n[lake]\nurl = '{folder}/lake'\n"
            f'[scope.renamed]\n"shop_0/load_now" = "{JOINED}"\n[report]\nout = "out"\n{settings}'
        )
        config, quiet = configs.load(path, {}), Output(level=0)
        pipeline.pull(config, now=WEEK.to_at + timedelta(hours=3), week=WEEK, output=quiet, full=True)
        pipeline.report(config, week=WEEK, output=quiet)
        files = [one for one in config.out.rglob("*") if one.is_file()]
        return "\n".join(f"{one.name}\n{one.read_text()}" for one in sorted(files))

    return make


def test_they_are_all_told_where_nothing_is_hidden(written: Callable[[str], str]) -> None:
    text = written("")
    assert [one for one in PLANTED if one not in text] == []


@pytest.mark.parametrize("settings", ["hash_ids = true\nsamples = false\n", "hash_ids = true\n"])
def test_none_of_them_is_in_anything_that_is_written(written: Callable[[str], str], settings: str) -> None:
    text = written(settings)
    assert [one for one in PLANTED if one in text] == []
