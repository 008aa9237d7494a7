"""A failed log beside good ones: what is new, what is missing, most telling first; and `windsock diff` on real folders."""

import json
from pathlib import Path
from typing import Any

import pytest

from windsock import pipeline as story
from windsock.compare import Try
from windsock.compare.difference import differences
from windsock.errors import SourceError
from windsock.output import Output
from windsock.week import Week

WEEK = Week.parse("2026-W47")


def records(*texts: str, signature: str | None = None) -> list[dict[str, Any]]:
    """`level: text` each; the last one with a signature, if one is given."""
    rows = []
    for no, one in enumerate(texts):
        level, _, text = one.partition(": ")
        rows.append({"level": level, "message": text, "record_no": no, "error_signature": None})
    if signature:
        rows[-1]["error_signature"] = signature
    return rows


def told(here: list[dict[str, Any]], *good: list[dict[str, Any]]) -> list[str]:
    return [f"{one.sign} {one.text}" for one in differences(here, good)]


def test_values_make_no_difference() -> None:
    here = records("info: read 17 rows in 0.3 s", "info: wrote s3://b/2026-11-18.csv")
    good = records("info: read 4,000 rows in 12.1 s", "info: wrote s3://b/2026-11-17.csv")
    assert told(here, good) == []


def test_what_is_new_stands_first_by_how_telling_it_is() -> None:
    here = records(
        "info: start", "info: cache is cold", "warning: slow answer", "error: Task failed with exception\nTraceback",
        "error: boom\nTraceback", signature="KeyError: 'x' @ a.py:f",
    )  # fmt: skip
    assert told(here, records("info: start")) == [
        "+ KeyError: 'x' @ a.py:f",
        "+ slow answer",
        "+ cache is cold",
        "+ Task failed with exception",  # Airflow's own frame differs by itself
    ]


def test_the_first_missing_step_that_every_good_log_has_stands_first() -> None:
    one = records("info: start", "info: loaded customers", "info: wrote output", "info: bye")
    two = records(
        "info: start", "info: extra step", "info: loaded customers", "info: wrote output", "info: bye"
    )
    here = records("info: start", "error: no customers")
    assert told(here, one, two, one) == [
        "+ no customers",
        "- loaded customers",
        "- wrote output",
        "- bye",
    ]  # the extra step is in one good log of three only


def test_records_alike_are_counted_once() -> None:
    (found,) = differences(records(*["error: row 1 is bad", "error: row 2 is bad"]), [records("info: x")])[:1]
    assert (found.times, found.record_no, found.good_logs) == (2, 0, 0)


def line(no: int, event: str, level: str = "info", **more: Any) -> str:
    stamp = f"2026-11-18T08:00:{no:02d}.000000Z"
    return json.dumps({"timestamp": stamp, "level": level, "event": event, "logger": "etl", **more})


def write(root: Path, day: int, lines: list[str]) -> Path:
    path = root / f"dag_id=orders/run_id=scheduled__2026-11-{day}T08:00:00+00:00/task_id=load/attempt=1.log"
    path.parent.mkdir(parents=True)
    head = [line(0, "::group::Pre Execute", logger="task"), line(1, "::endgroup::", logger="task")]
    text = "\n".join([*head, *lines]).replace("2026-11-18", f"2026-11-{day}")
    path.write_text(text + "\n", encoding="utf-8")
    return path


HOSTILE = "\x1b]0;owned\x07<script>alert(1)</script> password=hunter2FAKE"


@pytest.fixture
def pulled(tmp_path: Path) -> Path:
    """Three good runs and one that failed, pulled into a lake that holds errors only."""
    end = [line(9, "::group::Post Execute", logger="task"), line(10, "::endgroup::", logger="task")]
    for day in (15, 16, 17):
        write(tmp_path / "logs", day, [line(2, "loaded 5 customers"), line(3, f"wrote part {day}"), *end])
    detail = [{"exc_type": "KeyError", "exc_value": "'region'", "frames": []}]
    failed = [line(2, HOSTILE, "warning"), line(3, "Task failed with exception", "error", logger="task", error_detail=detail)]  # fmt: skip
    write(tmp_path / "logs", 18, failed)
    path = tmp_path / "p.toml"
    path.write_text(
        f'[deployment]\nname = "t"\n[sources.task_logs]\nurl = "{tmp_path}/logs"\n[lake]\nurl = "{tmp_path}/lake"\n'
    )
    config = story.load(path)
    story.pull(config, now=WEEK.to_at, week=WEEK, full=True, output=Output(level=0))
    return path


WANTED = Try("orders", "load", "scheduled__2026-11-18T08:00:00+00:00")


def test_both_logs_are_read_from_the_source(pulled: Path) -> None:
    found = story.diff(story.load(pulled), wanted=WANTED, week=WEEK)
    assert [row["run_id"][:21] for row in found.good] == [f"scheduled__2026-11-{day}" for day in (17, 16, 15)]
    texts = [f"{one.sign} {one.text}" for one in found.lines]
    assert texts[0] == "+ KeyError: 'region'"
    assert "- loaded 5 customers" in texts
    assert "- wrote part 17" in texts
    assert not any("hunter2FAKE" in one for one in texts)


def test_a_good_log_that_is_gone_is_named_and_a_failed_one_that_is_gone_stops(pulled: Path) -> None:
    logs = pulled.parent / "logs" / "dag_id=orders"
    next(logs.glob("run_id=scheduled__2026-11-17*/*/attempt=1.log")).unlink()
    found = story.diff(story.load(pulled), wanted=WANTED, week=WEEK)
    assert len(found.good) == 2
    assert found.gone[0].endswith("is gone at the source")
    next(logs.glob("run_id=scheduled__2026-11-18*/*/attempt=1.log")).unlink()
    with pytest.raises(SourceError, match="is gone at the source"):
        story.diff(story.load(pulled), wanted=WANTED, week=WEEK)


def test_a_try_that_the_lake_does_not_know_is_one_line(pulled: Path) -> None:
    with pytest.raises(SourceError, match=r"no log of orders\.load in run nope"):
        story.diff(story.load(pulled), wanted=Try("orders", "load", "nope"), week=WEEK)


def test_hostile_text_never_reaches_the_terminal(pulled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from windsock import cli

    cli.app(
        ["diff", "orders", "load", WANTED.run_id, "-p", str(pulled), "--week", "2026-W47"],
        standalone_mode=False,
    )
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "KeyError: 'region'" in shown
