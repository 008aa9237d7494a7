"""No finding among the first actions needs Admin rights, the metadata database or `expose_config` (docs/permissions.md)."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.lake.test_task_tries_corpora import CORPORA, LOGS
from tests.support.airflow_server import TOKEN, load, serve
from tests.support.airflow_truth import DATA
from tests.support.postgres import Postgres
from tests.support.settings import week_of_settings
from tests.test_pull_airflow import NOW, QUIET, WEEK
from windsock import config as configs
from windsock import pipeline
from windsock.findings import RULES
from windsock.findings.rules.ws612_timeouts_in_wrong_order import TimeoutsInWrongOrder
from windsock.parse.told.facts import SETTINGS

pytestmark = pytest.mark.long

CONFIG, AUDIT = "/config", "/eventLogs"
"""What a Viewer of Airflow's API may not read: the first takes `expose_config`, both the role Op."""
BY_AUDIT = {"WS632"}
"""What tells it beside the audit log is the scheduler's own log, which these corpora have for Airflow 2 only."""
GRAVE = ("critical", "warning")


def report(folder: Path, *, api: str, db: str = "") -> dict[str, Any]:
    """The week's report of one Airflow, by its task logs, its component logs and metrics, and what the API lets one read."""
    folder.mkdir()
    major = 2 if "airflow2" in str(folder) else 3
    root = CORPORA / f"airflow{major}"
    parts = [root / "component_logs", root / "local_logs"] if major == 2 else [root / "local"]
    text = (
        f"[deployment]\nname = 'prod'\n[sources.task_logs]\nurl = '{root / LOGS[f'airflow{major}']}'\n"
        f"[sources.component_logs]\nurl = {[str(one) for one in parts]}\n[sources.metrics]\nurl = '{root / 'metrics'}'\n"
        f"[sources.airflow_api]\nurl = '{api}'\ntoken_env = 'TOKEN'\n"
    )
    text += "[sources.airflow_db]\nurl_env = 'DB'\n" if db else ""
    path = folder / "prod.toml"
    path.write_text(text)
    config = configs.load(path, {"TOKEN": TOKEN, "DB": db})
    pipeline.pull(config, now=NOW, week=WEEK, output=QUIET, full=True)
    written = pipeline.report(config, week=WEEK, output=QUIET, out=folder / "out")
    (found,) = written.path.parent.glob("report.json")
    told: dict[str, Any] = json.loads(found.read_text())
    return told


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora are not beside this checkout")
@pytest.mark.parametrize("major", [2, 3])
def test_the_first_actions_need_neither_the_database_nor_expose_config(
    tmp_path: Path, major: int, pg: Postgres
) -> None:
    assert DATA.is_dir()
    with serve(load(major)) as airflow:
        db = pg.create(f"rights{major}", major)
        everything = report(tmp_path / f"airflow{major}-all", api=airflow.url, db=db)
    first = [one for one in everything["findings"] if one["severity"] in GRAVE]
    assert first, "a week without any action shows nothing"
    for role, forbidden, beside in (("op", {CONFIG}, set()), ("viewer", {CONFIG, AUDIT}, BY_AUDIT)):
        with serve(load(major)) as airflow:
            airflow.forbidden |= forbidden
            less = report(tmp_path / f"airflow{major}-{role}", api=airflow.url)
        found = {one["id"]: one for one in less["findings"]}
        lost = [(one["id"], one["headline"]) for one in first if one["id"] not in found]
        assert {name.partition(":")[0] for name, _ in lost} <= beside, (role, lost)
        assert {found[one["id"]]["severity"] for one in first if one["id"] in found} <= set(GRAVE)
        assert less["verdict"] == everything["verdict"]


def test_what_rests_on_settings_alone_is_told_from_a_file_too() -> None:
    """A file takes no right of Airflow. Every setting that rules read may come from it: one allow-list for file and API."""
    kills = [{"kind": "processor_timeout", "bundle_name": "", "dag_file": "a.py", "kills": 4}]
    given = week_of_settings("2.11.2", {"core.dagbag_import_timeout": 120}, parse_kills_by_file=kills)
    (one,) = TimeoutsInWrongOrder.judge(given, TimeoutsInWrongOrder.limits(), week=WEEK).findings
    assert one.severity in GRAVE and given["settings_of_week"].rows[0]["origin"] != "told by Airflow"
    assert "dagbag_import_timeout" in SETTINGS["core"]
    assert any(rule.code == "WS612" for rule in RULES)
