"""Known issues of Airflow and its providers: reviewed rules, one file each in `sql/known_issues/`.

A sign is an expression over what a failed attempt said, or a component's event as `reason:<event>:<detail>`. Each names
its issue in apache/airflow, the versions that have it and what mends it; a test proves that no sign occurs in the log of a
success.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from windsock.reviewed.metric_gaps import version_numbers

MAX_TEXT = 4000


@dataclass(frozen=True, slots=True)
class KnownIssue:
    """One reviewed rule. It holds from `since_version` on, and no longer from `before_version` on (empty: still)."""

    name: str
    title: str
    signs: tuple[re.Pattern[str], ...]
    since_version: str
    before_version: str
    issue: int
    also: tuple[int, ...]
    fixed: str
    blame: str
    advice: str
    example: str

    @property
    def url(self) -> str:
        """Where it is told upstream."""
        return f"https://github.com/apache/airflow/issues/{self.issue}"

    def concerns(self, version: str) -> bool:
        """Whether a deployment of this Airflow version can have it; where the version is not known it can."""
        if not version:
            return True
        until = version_numbers(self.before_version) if self.before_version else (10**9,)
        return version_numbers(self.since_version) <= version_numbers(version) < until

    def is_in(self, text: str) -> bool:
        """Whether one of its signs occurs."""
        return any(sign.search(text[:MAX_TEXT]) for sign in self.signs)


def load_known_issues(sql_folder: Path) -> tuple[KnownIssue, ...]:
    """All rules, by name."""
    return tuple(_rule(path) for path in sorted((sql_folder / "known_issues").glob("*.toml")))


def explained(issue: KnownIssue) -> str:
    """A rule as `windsock explain` shows it."""
    until = f"up to before {issue.before_version}" if issue.before_version else "on"
    more = "".join(f", #{one}" for one in issue.also)
    signs = "\n".join(f"- `{sign.pattern}`" for sign in issue.signs)
    return (
        f"{issue.name}: {issue.title}\n\nAirflow {issue.since_version} {until}. apache/airflow #{issue.issue}{more}, {issue.url}\n"
        f"Fixed: {issue.fixed}.\nWhat to do: {issue.advice}\n\nSigns:\n{signs}"
    )


def _rule(path: Path) -> KnownIssue:
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    signs = tuple(re.compile(one, re.DOTALL) for one in told.pop("signs"))
    return KnownIssue(name=path.stem, signs=signs, also=tuple(told.pop("also")), **told)
