"""WS313."""

from collections.abc import Mapping
from typing import Any

from windsock.findings import wording
from windsock.findings.pools.errors import judged_pools, rises
from windsock.findings.rule import Rule, Verdicts, rows_of
from windsock.model import Answer
from windsock.week import Week


class ErrorsWhenFull(Rule):
    """Tries fail more often the fuller their pool is.

    What it means: the pool lets more work through than what stands behind it can take: a database's connections, an API's
    rate. More slots would bring more failures, fewer may bring more done.
    How it is judged: each try against the others of its own task, by the slots that others held when it began and by whether it
    failed (stratified trend test); hours are the witnesses, so that one outage and its retries are one, and the hour that
    speaks loudest is left out. At least 20 failures in 10 hours of two weeks, a chance by luck below 1 in 700, and half as
    many failures again in the fuller half. It is a correlation: what makes tasks come together may make them fail.
    What to do: see which errors those are; if they are refused connections, timeouts or limits, lower the pool until they
    stop, and write the bound down (`[pools.NAME] max_slots`, `protects`).
    """

    code, name, section = "WS313", "errors-when-full", "pools"
    questions = ("pool_errors_by_hour",)

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        verdicts.judged, verdicts.not_enough = judged_pools(answers)
        bounds = {row["pool"]: row for row in rows_of(answers, "pool_bounds")}
        for pool, rise in rises(answers).items():
            bound = bounds.get(pool, {})
            protects = f" It protects: {bound['protects']}." if bound.get("protects") else ""
            verdicts.findings.append(
                cls.finding(
                    subject={"pool": pool},
                    severity="info",
                    headline=f"Tries in pool {pool} fail more often the fuller it is: {wording.percent(rise.full_rate)} of those "
                    f"that began with many slots taken, {wording.percent(rise.calm_rate)} of the others",
                    evidence={
                        "full_rate": rise.full_rate,
                        "calm_rate": rise.calm_rate,
                        "tries": rise.tries,
                        "failures": rise.failures,
                        "standard_deviations": rise.z,
                        "max_slots": bound.get("max_slots"),
                        "protects": bound.get("protects") or None,
                    },
                    advice=f"See which errors those are (windsock ask failures_by_error_signature); if they are limits of what "
                    f"stands behind {pool}, give it fewer slots.{protects}",
                    rank=float(rise.full_rate * rise.tries),
                )
            )
        return verdicts
