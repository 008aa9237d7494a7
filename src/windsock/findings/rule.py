"""What every rule is: a code, the questions it reads, thresholds with reasons, and a judgement."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar

from windsock.errors import ConfigError
from windsock.model import Answer, Finding, Row, Severity
from windsock.week import Week


def threshold(default: float, unit: str, reason: str) -> Any:
    """A threshold with its unit and why it has this value; the pipeline file may set another."""
    return field(default=default, metadata={"unit": unit, "reason": reason})


@dataclass(frozen=True, slots=True)
class Thresholds:
    """A rule's thresholds; each field made by `threshold`."""


@dataclass(slots=True)
class Verdicts:
    """What one rule says of one week."""

    findings: list[Finding] = field(default_factory=list)
    judged: int = 0
    not_enough: int = 0
    no_data: str = ""


class Rule:
    """A small judge. The docstring has three parts: what it means, how it is judged, what to do."""

    code: ClassVar[str]
    name: ClassVar[str]
    section: ClassVar[str]
    questions: ClassVar[tuple[str, ...]]
    thresholds: ClassVar[type[Thresholds]] = Thresholds

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        """The findings of one week. `limits` is an instance of the rule's thresholds."""
        raise NotImplementedError

    @classmethod
    def limits(cls, values: Mapping[str, float] | None = None) -> Any:
        """The thresholds with the pipeline file's values; an unknown name is an error."""
        known = {one.name for one in fields(cls.thresholds)}
        for name in values or {}:
            if name not in known:
                raise ConfigError(
                    f"[findings.{cls.code}] has no threshold '{name}'; it has {', '.join(sorted(known))}"
                )
        return replace(cls.thresholds(), **(values or {}))

    @classmethod
    def explanation(cls) -> str:
        """Docstring and thresholds, for `windsock explain` and the docs."""
        lines = [inspect.getdoc(cls) or ""]
        rows = [
            f"- `{one.name}` {one.default:g} {one.metadata['unit']}: {one.metadata['reason']}"
            for one in fields(cls.thresholds)
        ]
        if rows:
            lines += ["", f"Thresholds, set in `[findings.{cls.code}]`:", "", *rows]
        return "\n".join(lines)

    @classmethod
    def finding(
        cls,
        *,
        subject: Mapping[str, str],
        severity: Severity,
        headline: str,
        evidence: Mapping[str, Any],
        advice: str,
        rank: float,
        status: Any = "new",
    ) -> Finding:
        """A finding of this rule; its id is stable over weeks."""
        return Finding(
            id=":".join((cls.code, *subject.values())),
            code=cls.code,
            name=cls.name,
            severity=severity,
            subject=dict(subject),
            headline=headline,
            evidence=dict(evidence),
            advice=advice,
            question=cls.questions[0],
            status=status,
            rank=rank,
        )


def rows_of(answers: Mapping[str, Answer], question: str) -> Sequence[Row]:
    """The rows of an answer; none when it was not asked."""
    return answers[question].rows if question in answers else ()
