"""WS620 on an upgrade that was real: logs of one DAG as Airflow 2.3.4 and 2.8.4 wrote them, laid out as weeks before and after.

Their bytes are those of the corpora but for names of DAG and run and for dates: a run a day of six DAGs.
"""

import os
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from tests.parse.component.test_corpora import CORPORA
from windsock import pipeline
from windsock.config import load
from windsock.model import Finding, Parsed, SourceObject
from windsock.output import Output
from windsock.week import Week

WEEK = Week.parse("2026-W47")
UPGRADE = date(2026, 11, 18)
VERSIONS = CORPORA / "airflow2" / "old_versions"
RUN = "manual__2026-11-22T00:00:00+00:00"
DAGS = 6
pytestmark = pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora are not beside this checkout")


def lay(root: Path, day: date, version: str, tasks: dict[str, str]) -> None:
    """One run of each DAG on a day: `tasks` names the recorded task whose first try each task's log is."""
    run = f"scheduled__{day - timedelta(days=1)}T00:00:00+00:00"
    for task, recorded in tasks.items():
        source = VERSIONS / version / f"logs/dag_id=legacy_demo/run_id={RUN}/task_id={recorded}/attempt=1.log"
        text = (
            source.read_text()
            .replace(RUN, run)
            .replace("2026-11-23", str(day))
            .replace("20261123", f"{day:%Y%m%d}")
        )
        text = text.replace("20261122", f"{day - timedelta(days=1):%Y%m%d}").replace(
            f"legacy_demo.{recorded}", f"legacy_demo.{task}"
        )
        for place in range(DAGS):
            path = root / f"logs/dag_id=demo_{place}/run_id={run}/task_id={task}/attempt=1.log"
            path.parent.mkdir(parents=True)
            path.write_text(text.replace("legacy_demo", f"demo_{place}"))
            at = datetime.combine(day, time(18), UTC).timestamp()
            os.utime(path, (at, at))


Told = tuple[str, str, int]  # key, value, the day of November on which it was told


def since_change(
    root: Path,
    *,
    after: dict[str, str],
    upgraded_to: str = "2.8.4",
    upgrade: date = UPGRADE,
    facts: Sequence[Told] = (("airflow.version", "2.3.4", 17), ("airflow.version", "2.8.4", 18)),
) -> list[Finding]:
    """Eight weeks of the old version, then the days of the new one with the logs of `after`."""
    first = WEEK.monday - timedelta(weeks=8)
    for day in (first + timedelta(days=n) for n in range(63)):
        is_old = day < upgrade
        lay(root, day, "2.3.4" if is_old else upgraded_to, {"load": "ok"} if is_old else after)
    path = root / "a.toml"
    path.write_text(
        f"[deployment]\nname = 'a'\n[sources.task_logs]\nurl = '{root}/logs'\n[lake]\nurl = '{root}/lake'\n"
    )
    config = load(path, {})
    pipeline.pull(config, now=WEEK.to_at, week=WEEK, output=Output(level=0), full=True)
    told = [
        {"key": key, "value": value, "seen_at": datetime(2026, 11, day, 7, tzinfo=UTC)}
        for key, value, day in facts
    ]
    with pipeline.open_lake(config).writer(shard=0, holder="test", now=WEEK.to_at) as writer:
        obj = SourceObject("api:a/facts", "facts", 1, WEEK.to_at, "1")
        writer.add(obj, Parsed("api", {"deployments": told}), kind="api", parser_version="1")
        writer.checkpoint()
    judgement, _, _ = pipeline.judge_week(config, week=WEEK, output=Output(level=0))
    return [one for one in judgement.findings if one.code == "WS620"]


def test_the_same_task_under_both_versions_is_no_evidence_of_a_change(tmp_path: Path) -> None:
    """Headings, files and line numbers of the two logs differ: the outcome does not."""
    (one,) = since_change(tmp_path, after={"load": "ok"})
    assert one.headline.startswith("Since Airflow 2.3.4 → 2.8.4: no evidence of a change in runs lost"), (
        one.headline
    )
    assert one.severity == "info"
    figures = " ".join(one.evidence["figures"])  # of 63 days two lie between the tellings of the versions
    assert "runs lost: no evidence" in figures and "4 days since, 57 before" in figures


def test_what_fails_under_the_new_version_is_worse_since_the_upgrade(tmp_path: Path) -> None:
    """The new version's own log of a task that ends in an error stands for one that the upgrade broke."""
    (one,) = since_change(tmp_path, after={"load": "chained"})
    assert one.severity == "warning"
    assert "runs lost worse (100.0 points more)" in one.headline
    assert "cannot be told apart" in one.advice  # logs of 2.x tell no bundle version


def test_an_upgrade_on_monday_is_not_laid_on_the_setting_of_wednesday(tmp_path: Path) -> None:
    """Runs fail since Tuesday: Wednesday's setting cannot have done it alone, and one day more would not tell."""
    told = [
        *(("airflow.version", version, day) for version, day in (("2.3.4", 15), ("2.8.4", 16))),
        *(("config.core.parallelism", value, day) for value, day in (("32", 17), ("64", 18))),
    ]
    (one,) = since_change(tmp_path, after={"load": "chained"}, upgrade=date(2026, 11, 17), facts=told)
    assert one.headline.startswith(
        "Since Airflow 2.3.4 → 2.8.4 and setting core.parallelism 32 → 64: runs lost worse"
    )
    assert "which of them it was cannot be told" in one.advice
    assert "4 days since, 55 before" in " ".join(one.evidence["figures"])  # Tuesday is neither


def test_the_upgrade_of_last_week_is_judged_beside_the_setting_of_this_one(tmp_path: Path) -> None:
    told = [
        *(("airflow.version", version, day) for version, day in (("2.3.4", 9), ("2.8.4", 10))),
        *(("config.core.parallelism", value, day) for value, day in (("32", 16), ("64", 17))),
    ]
    made = since_change(tmp_path, after={"load": "chained"}, upgrade=date(2026, 11, 11), facts=told)
    upgrade, setting = sorted(made, key=lambda one: str(one.subject["kind"]), reverse=True)
    assert upgrade.headline.startswith("Since Airflow 2.3.4 → 2.8.4: runs lost worse (100.0 points more)")
    assert upgrade.severity == "warning" and "5 days since" in " ".join(upgrade.evidence["figures"])
    assert setting.headline.startswith(
        "Since setting core.parallelism 32 → 64: no evidence of a change in runs"
    )
    assert setting.severity == "info"
