"""Label matchers as Prometheus writes them, `{namespace="airflow-prod",cluster=~"eu-.*"}`: which series are ours.

Syntax and meaning: prometheus.io/docs/prometheus/latest/querying/basics. Expressions are anchored; a label that is
absent is an empty string. Regular expressions are Python's, which agree with RE2 on all that labels need.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from windsock.errors import ConfigError

_ONE = re.compile(r'\s*([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*(,|\Z)', re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t"}
_EXAMPLE = 'write it like {namespace="airflow-prod"}'


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label; `pattern` is set for the two regular-expression operators."""

    label: str
    operator: str
    value: str
    pattern: re.Pattern[str] | None = None

    def holds(self, labels: Mapping[str, str]) -> bool:
        told = labels.get(self.label, "")
        same = told == self.value if self.pattern is None else self.pattern.fullmatch(told) is not None
        return same != self.operator.startswith("!")

    def text(self) -> str:
        """As it stands in a query."""
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.label}{self.operator}"{escaped}"'


@dataclass(frozen=True, slots=True)
class Match:
    """All conditions at once; without any, everything is ours."""

    matchers: tuple[Matcher, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.matchers)

    def holds(self, labels: Mapping[str, str]) -> bool:
        return all(one.holds(labels) for one in self.matchers)

    def text(self) -> str:
        """The inside of the braces."""
        return ",".join(one.text() for one in self.matchers)


def parse_match(text: str) -> Match:
    """Read `[sources.metrics] match`; the braces may be left out. Raises ConfigError that shows the form."""
    inner = text.strip()
    if inner.startswith("{") != inner.endswith("}"):
        raise ConfigError(f"[sources.metrics] match {text!r}: a brace is missing; {_EXAMPLE}")
    inner = inner.removeprefix("{").removesuffix("}").strip().removesuffix(",")
    matchers: list[Matcher] = []
    at = 0
    while at < len(inner):
        found = _ONE.match(inner, at)
        if not found:
            raise ConfigError(
                f"[sources.metrics] match {text!r}: cannot be read from {inner[at : at + 20]!r} on; {_EXAMPLE}"
            )
        value = re.sub(r"\\(.)", lambda one: _ESCAPES.get(one[1], one[1]), found[3], flags=re.DOTALL)
        matchers.append(Matcher(found[1], found[2], value, _pattern(found[2], value, text)))
        at = found.end()
    return Match(tuple(matchers))


def _pattern(operator: str, value: str, text: str) -> re.Pattern[str] | None:
    if "~" not in operator:
        return None
    try:
        return re.compile(value, re.DOTALL)
    except re.error as error:
        raise ConfigError(
            f"[sources.metrics] match {text!r}: {value!r} is no regular expression ({error})"
        ) from None
