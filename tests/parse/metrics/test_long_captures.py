"""StatsD captures that are too large to be held: laid down on disk while they are read, with the same rows."""

import gzip
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from windsock.model import Outcome, Parsed, Reject, Row
from windsock.parse.metrics import plain_bytes, read_statsd, statsd_lines
from windsock.parse.metrics.points import Lazy, Points, Shelf

NOW = datetime(2026, 11, 24, tzinfo=UTC)
AT = 1795447300  # 2026-11-23 15:21:40


def capture(minutes: int = 40, *, seed: int = 7, is_dog: bool = False) -> bytes:
    """Pools, parse times, timers, counters and gauges that move by steps; some lines come late, by up to ten minutes."""
    rng, lines = random.Random(seed), []
    for second in range(0, minutes * 60, 20):
        at = AT + second
        for pool in ("default_pool", "warehouse"):
            for gauge in ("open_slots", "running_slots", "queued_slots"):
                name = (
                    f"airflow.pool.{gauge}:{rng.randrange(9)}|g|#pool_name:{pool}"
                    if is_dog
                    else f"airflow.pool.{gauge}.{pool}:{rng.randrange(9)}|g"
                )
                lines.append((at, name))
        for no in range(5):
            lines.append((at, f"airflow.dag_processing.last_duration.file_{no}:{rng.random() * 2000:.4f}|ms"))
            late = rng.choice((0, 0, 0, 600))
            lines.append((at - late, f"airflow.dag.d.t{no}.queued_duration:{rng.random() * 9:.6f}|ms"))
            lines.append((at - late, f"airflow.dag.d.t{no}.duration:{rng.random() * 9000:.3f}|ms"))
        lines.append((at, f"airflow.executor.open_slots:{rng.choice('+-')}{rng.randrange(5)}|g"))
        lines.append((at, "airflow.scheduler_heartbeat:1|c|@0.5"))
        lines.append((at, "not a sample"))
    return "".join(f"{at} {line}\n" for at, line in lines).encode()


def read(*chunks: bytes) -> Outcome:
    return read_statsd(chunks, object_url="x.statsd", modified_at=NOW)


def rows(outcome: Outcome) -> dict[str, list[tuple[Any, ...]]]:
    """All rows in one order; sums are the same up to their last digits, whatever was added first."""
    assert isinstance(outcome, Parsed), outcome
    return {name: sorted(map(_comparable, told), key=str) for name, told in outcome.rows.items()}


def _comparable(row: Row) -> tuple[Any, ...]:
    return tuple(
        (name, round(value, 9) if isinstance(value, float) else value) for name, value in row.items()
    )


@pytest.mark.parametrize("is_dog", [False, True], ids=["plain", "dogstatsd"])
@pytest.mark.parametrize("held", [1, 7, 100])
def test_a_capture_that_is_laid_down_tells_the_same_rows(
    monkeypatch: pytest.MonkeyPatch, held: int, is_dog: bool
) -> None:
    data = capture(is_dog=is_dog)
    whole = read(data)
    assert isinstance(whole, Parsed)
    assert all(isinstance(told, list) for told in whole.rows.values())
    monkeypatch.setattr(statsd_lines, "HELD_CELLS", held)
    monkeypatch.setattr("windsock.parse.metrics.points.HELD", 4)
    laid = read(data)
    assert isinstance(laid, Parsed)
    assert all(isinstance(told, Lazy) for told in laid.rows.values())
    assert rows(laid) == rows(whole)
    assert rows(laid) == rows(laid), "they can be read more than once"
    assert laid.partial == whole.partial


def test_digits_tell_the_unit_wherever_they_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    """One value of a timer that is finer than milliseconds ever are says seconds, also when it was laid down long ago."""
    fine = f"{AT} airflow.dag.d.t.queued_duration:1.234567|ms\n".encode()
    coarse = b"".join(
        f"{AT + 60 * no} airflow.dag.d.t.queued_duration:1234.567|ms\n".encode() for no in range(1, 30)
    )
    for data, seconds in ((fine + coarse, 1234.567), (coarse, 1.234567)):
        monkeypatch.setattr(statsd_lines, "HELD_CELLS", 2)
        told = rows(read(data))["metric_samples"]
        assert max(dict(row)["value"] for row in told) == pytest.approx(seconds)


@pytest.mark.parametrize("is_zipped", [False, True], ids=["plain", "gzip"])
def test_it_makes_no_difference_how_the_bytes_come(monkeypatch: pytest.MonkeyPatch, is_zipped: bool) -> None:
    monkeypatch.setattr(statsd_lines, "HELD_CELLS", 50)
    monkeypatch.setattr(plain_bytes, "PIECE_BYTES", 3000)
    data = capture(10)
    sent = gzip.compress(data[:9000]) + gzip.compress(data[9000:]) if is_zipped else data
    whole = read(sent)
    rng = random.Random(3)
    for _ in range(20):
        cuts = sorted(rng.sample(range(len(sent)), rng.randrange(1, 30)))
        pieces = [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
        again = read(*pieces)
        assert isinstance(whole, Parsed)
        assert isinstance(again, Parsed)
        assert {name: list(told) for name, told in again.rows.items()} == {
            name: list(told) for name, told in whole.rows.items()
        }


def test_a_line_without_end_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_bytes, "PIECE_BYTES", 1000)
    monkeypatch.setattr(plain_bytes, "LINE_BYTES", 2000)
    (block,) = plain_bytes.line_blocks([b"x" * 700] * 100)
    assert [len(line) for line in block] == [2000]


def test_two_emitters_of_one_pool_are_refused_in_a_long_capture_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statsd_lines, "HELD_CELLS", 2)
    lines = [
        f"{AT + 20 * no} airflow.pool.open_slots:3|g|#pool_name:p,namespace:{where}\n"
        for no in range(50)
        for where in ("a", "b")
    ]
    outcome = read("".join(lines).encode())
    assert isinstance(outcome, Reject)
    assert outcome.reason == "several_deployments"


def test_points_come_back_as_they_went() -> None:
    shelf = Shelf()
    series = [Points(shelf) for _ in range(3)]
    for no in range(5000):
        series[no % 3].append(float(no), no / 7)
    for first, points in enumerate(series):
        times, values = points.read()
        assert list(times) == [float(no) for no in range(first, 5000, 3)]
        assert list(values) == [no / 7 for no in range(first, 5000, 3)]
        assert (points.first_at, points.last_at) == (times[0], times[-1])
