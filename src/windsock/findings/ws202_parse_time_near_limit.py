"""WS202."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """How near is near."""

    import_timeout_s: float = threshold(
        30.0, "seconds", "Airflow's dagbag_import_timeout kills the parse there"
    )
    near_share: float = threshold(
        0.5, "fraction of the timeout", "a loaded machine doubles a parse time easily"
    )
    min_samples: float = threshold(5, "parses", "one slow parse is the machine's")


class ParseTimeNearLimit(Rule):
    """A DAG file parses so long that a busy hour can push it over the import timeout.

    What it means: at `dagbag_import_timeout` the file's DAGs vanish with an import error.
    How it is judged: the 95th percentile of the week's parses against `near_share` of the timeout.
    What to do: move work out of the file's top level, or raise the timeout after that.
    """

    code, name, section = "WS202", "parse-time-near-limit", "parsing"
    questions = ("parse_time_by_file",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        seen: set[tuple[str, str]] = set()
        for row in rows_of(answers, "parse_time_by_file"):
            if row["samples"] < limits.min_samples:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            subject = (row["dag_file"], row["bundle_name"])
            if row["p95_s"] < limits.near_share * limits.import_timeout_s or subject in seen:
                continue
            seen.add(subject)
            share = row["p95_s"] / limits.import_timeout_s
            verdicts.findings.append(
                cls.finding(
                    subject={"dag_file": row["dag_file"], "bundle_name": row["bundle_name"]},
                    severity="critical" if share >= 0.9 else "warning",
                    headline=f"{row['dag_file']} needs {wording.seconds(row['p95_s'])} to parse (95th percentile), "
                    f"{wording.percent(share)} of the {limits.import_timeout_s:.0f} s limit",
                    evidence={k: row[k] for k in ("samples", "median_s", "p95_s", "max_s", "source")},
                    advice="Move requests and heavy imports out of the top level of the file.",
                    rank=share * 10,
                )
            )
        return verdicts
