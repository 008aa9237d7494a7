"""Whole weeks of parsing as lakes, through the questions to the rules: a quiet fleet stays quiet, planted faults are told."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from windsock.findings import judge_all
from windsock.lake import Lake
from windsock.model import Finding, Judgement, Parsed, Row, SourceObject
from windsock.questions import ask, load_questions
from windsock.week import Week

WEEK = Week.parse("2026-W47")
QUESTIONS = load_questions(Path(__file__).parents[2] / "sql")
WEDNESDAY = datetime(2026, 11, 18, 9, tzinfo=UTC)
NOW = WEEK.to_at + timedelta(hours=6)
FILES, EVERY = 12, timedelta(minutes=30)
Rows = dict[str, list[Row]]


def parse(dag_file: str, at: datetime, parse_s: float, *, dags: int = 3, errors: int = 0) -> Row:
    return {"parsed_at": at, "dag_file": dag_file, "bundle_name": "git", "parse_s": round(parse_s, 2), "dag_count": dags,
            "error_count": errors, "source": "stats_table"}  # fmt: skip


def fleet(seed: int) -> dict[str, list[Row]]:
    """Nine weeks of parses by file: noisy, slower in busy hours, now and then an outlier."""
    rng = np.random.default_rng(seed)
    made: dict[str, list[Row]] = {}
    for n in range(FILES):
        level, rows = float(rng.uniform(0.3, 6.0)), []
        for step in range(int(timedelta(weeks=9) / EVERY)):
            at = WEEK.minus(8).from_at + step * EVERY + timedelta(seconds=n)
            busy = 1.1 if 8 <= at.hour < 18 else 1.0
            odd = rng.uniform(2, 5) if rng.random() < 0.005 else 1.0
            rows.append(
                parse(f"team/f{n:02}.py", at, level * busy * odd * float(np.exp(rng.normal(0, 0.06))))
            )
        made[f"f{n:02}"] = rows
    return made


def judged(folder: Path, tables: Mapping[str, Sequence[Row]]) -> Judgement:
    lake = Lake.open(str(folder / "lake"), deployment="prod", create=True)
    obj = SourceObject("file:///x", "x", 1, NOW, "1")
    with lake.writer(shard=0, holder="test", now=NOW) as writer:
        told = {name: [dict(row) for row in rows] for name, rows in tables.items()}
        writer.add(obj, Parsed("component_logs", told), kind="component_logs", parser_version="1")
        writer.checkpoint()
    conn = lake.connect(WEEK)
    Lake.keep_tries(conn)
    answers = {name: ask(conn, one) for name, one in QUESTIONS.items()}
    conn.close()
    return judge_all(answers, week=WEEK, thresholds={})


def of_parsing(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for one in findings:
        if one.code.startswith(("WS2", "WS504")):
            found.setdefault(one.code, []).append(one)
    return found


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(no, marks=pytest.mark.long) for no in range(2, 6))])
def test_a_quiet_fleet_has_nothing_to_say_of_parsing(tmp_path: Path, seed: int) -> None:
    rows = [row for file in fleet(seed).values() for row in file]
    judgement = judged(tmp_path, {"parse_samples": rows})
    assert of_parsing(judgement.findings) == {}
    assert judgement.judged["WS201"] == judgement.judged["WS202"] == judgement.judged["WS207"] == FILES
    assert not any(one.section in ("parsing", "imports") for one in judgement.no_data)


def test_planted_faults_are_told_once_each(tmp_path: Path) -> None:
    files = fleet(7)
    step = [
        row | {"parse_s": row["parse_s"] * 2.5} if row["parsed_at"] >= WEDNESDAY else row
        for row in files["f00"]
    ]
    start, end = WEEK.minus(8).from_at, WEEK.to_at
    grows = [row | {"parse_s": 5 + 20 * ((row["parsed_at"] - start) / (end - start))} for row in files["f01"]]
    empty = [row | {"dag_count": 0} if row["parsed_at"] >= WEDNESDAY else row for row in files["f02"]]
    waits = [r for r in files["f03"] if not WEDNESDAY <= r["parsed_at"] < WEDNESDAY + timedelta(hours=6)]
    killed = [row for row in files["f04"] if row["parsed_at"] < WEDNESDAY]
    rest = [row for name in list(files)[5:] for row in files[name]]
    tables: Rows = {
        "parse_samples": [*step, *grows, *empty, *waits, *killed, *rest],
        "component_events": [
            {"event_at": WEDNESDAY + timedelta(minutes=n), "component": "dag-processor", "event": "parse_timeout",
             "dag_file": "team/f04.py", "reason": "git", "limit_value": 50}
            for n in range(5)
        ],
        "import_errors": [
            {"seen_at": WEDNESDAY, "dag_file": f"other/g{n}.py", "bundle_name": "git", "source": "processor_log",
             "message": "ModuleNotFoundError: No module named 'acme'", "error_signature": "ModuleNotFoundError: No module named 'acme'"}
            for n in range(6)
        ],
        "task_logs": [
            {"dag_id": "d", "run_id": f"r{n}", "task_id": "t", "map_index": -1, "try_number": 1, "state": "success",
             "started_at": WEDNESDAY + timedelta(minutes=n), "ended_at": WEDNESDAY + timedelta(minutes=n + 5),
             "bundle_name": "git", "dag_file": "team/f05.py", "dag_file_parse_s": 60.0, "bundle_prepare_s": 10.0}
            for n in range(300)
        ],
        "deployments": [
            {"seen_at": WEDNESDAY, "key": "airflow.version", "value": "3.3.2"},
            {"seen_at": WEDNESDAY, "key": "config.dag_processor.parsing_processes", "value": "4"},
            {"seen_at": WEDNESDAY, "key": "dag_version.spend", "value": '{"bundle_name": "git", "version_number": 2}'},
        ],
    }  # fmt: skip
    found = of_parsing(judged(tmp_path, tables).findings)
    subjects = {code: [one.subject.get("dag_file") for one in these] for code, these in found.items()}
    assert subjects == {
        "WS201": ["team/f00.py"],
        "WS202": ["team/f01.py"],
        "WS203": ["team/f04.py"],
        "WS504": ["team/f02.py"],
        "WS205": [None],
        "WS206": ["team/f05.py"],
        "WS207": [None],
    }
    (slower,), (near,), (kill,), (tax,), (stale,) = (
        found[code] for code in ("WS201", "WS202", "WS203", "WS206", "WS207")
    )
    assert slower.evidence["changed_from"] <= WEDNESDAY <= slower.evidence["changed_to"] + EVERY
    assert "with 4 parsing processes takes" in slower.advice
    assert 1.5 <= near.evidence["weeks_left_low"] <= 2.5 <= near.evidence["weeks_left_high"] + 0.5
    assert (kill.severity, kill.evidence["kills"]) == ("critical", 5)
    assert tax.evidence["parse_hours"] == pytest.approx(5.0)
    assert stale.evidence["files"] == ["team/f03.py"]
    assert stale.evidence["longest_s"] == pytest.approx(6.5 * 3600, abs=1801)
