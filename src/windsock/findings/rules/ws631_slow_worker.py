"""WS631."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp
from typing import Any

from windsock.findings import wording
from windsock.findings.methods.hosts import Standing, stand
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding
from windsock.week import Week

_SAID = {
    "durations": ("the same tasks take {ratio:.1f} times as long as on the other hosts", "run-time"),
    "starts": ("tasks start after {median}, {ratio:.1f} times as long after they were queued as on other hosts of the queue",
               "start-time"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a host is slow enough to be told."""

    fdr: float = threshold(0.05, "fraction", "expected share of wrongly named hosts among those named")
    chance: float = threshold(0.01, "probability", "that any host is named in a week in which none is bad")
    min_tries: float = threshold(50, "tries that other hosts can be compared with", "times spread wide")
    min_ratio: float = threshold(
        1.3, "times the other hosts' time", "machines of one kind differ by ten or twenty percent"
    )
    min_start_s: float = threshold(5.0, "seconds, median from queued to started", "below it nobody waits")


class SlowWorker(Rule):
    """The same tasks take longer on one host than on the others, or start later there.

    What it means: a weaker or overloaded machine, a slow disk or network, too many processes for its cores.
    How it is judged: successful first tries against those of the same task on the same day on other hosts, by rank (van
    Elteren's test, widened by what is slow together within an hour): that any host is slow must be shown at `chance`, then which
    by their false discovery rate; and by the mean of the logarithms at least `min_ratio` times as long. Starts are compared within a queue and an hour.
    What to do: compare its load and kind with the others'; lower its worker_concurrency, or replace it.
    """

    code, name, section = "WS631", "slow-worker", "executors"
    questions = ("host_standing",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for measure in _SAID:
            rows = [row for row in rows_of(answers, "host_standing") if row["measure"] == measure]
            enough = [row for row in rows if row["tries"] >= limits.min_tries]
            verdicts.judged += len(enough)
            verdicts.not_enough += len(rows) - len(enough)
            for one in stand(enough, fdr=limits.fdr, chance=limits.chance, are_counts=False):
                is_felt = measure != "starts" or one.row["median_s"] >= limits.min_start_s
                if one.is_named and is_felt and exp(one.row["log_ratio"]) >= limits.min_ratio:
                    verdicts.findings.append(cls._of(one))
        return verdicts

    @classmethod
    def _of(cls, one: Standing) -> Finding:
        row, ratio = one.row, exp(one.row["log_ratio"])
        said, kind = _SAID[row["measure"]]
        told = said.format(ratio=ratio, median=wording.seconds(row["median_s"]))
        return cls.finding(
            subject={"hostname": row["hostname"], "kind": kind},
            severity="watch",
            headline=f"Host {row['hostname']}: {told} ({wording.plural(row['tries'], 'try')} of "
            f"{wording.plural(row['tasks'], 'task')})",
            evidence={
                "tries": row["tries"],
                "tasks": row["tasks"],
                "hosts": row["hosts"],
                "ratio": ratio,
                "median_s": row["median_s"],
                "p_value": one.p_value,
                "dispersion": one.inflation,
                "queue": row["queue"],
            },
            advice="Compare its kind and load with the other hosts'; lower its worker_concurrency, or replace it.",
            rank=(ratio - 1) * row["tries"] * row["median_s"] / 3600,
        )
