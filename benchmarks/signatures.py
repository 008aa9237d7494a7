"""How well signatures group labelled failures, how fast they are made, and how often the blame is right:
`python -m benchmarks.signatures`.

GA: share of failures whose group is exactly right; FGA: F1 over whole groups; precision and recall of pairs: of the pairs
put together, the share that belongs together, and the other way round (Zhu et al., "Tools and Benchmarks for Automated Log
Parsing", ICSE-SEIP 2019; Khan et al., "Guidelines for Assessing the Accuracy of Log Message Template Identification
Techniques", ICSE 2022). The labelled failures are those of `tests/signature/`.
"""

from __future__ import annotations

import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from windsock.parse.blame import Case, blame
from windsock.signature import blanks, error_signature, short_type

FOLDER = Path(__file__).parents[1] / "tests" / "signature"


@dataclass(frozen=True, slots=True)
class Labelled:
    """One failure and the cause that a person gave it."""

    label: str
    kind: str | None
    message: str
    frame: tuple[str, str] | None
    output: tuple[str, ...]
    package: str | None
    true_blame: str  # `unknown`: the failure does not say

    def blamed(self) -> str:
        """Where windsock says it comes from."""
        return (
            blame(Case(None, short_type(self.kind), self.message, self.signature(), self.package))
            or "unknown"
        )

    def signature(self) -> str:
        """What windsock calls it."""
        return error_signature(self.kind, self.message, self.frame, self.output) or ""


@dataclass(frozen=True, slots=True)
class Scores:
    """Fractions from 0 to 1. `wrong` names labels that were split or merged."""

    ga: float
    fga: float
    precision: float
    recall: float
    wrong: tuple[str, ...]

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall over pairs."""
        return 2 * self.precision * self.recall / (self.precision + self.recall or 1)


def labelled(name: str = "*") -> list[Labelled]:
    """The labelled failures of one file, or of all."""
    made = []
    for path in sorted(FOLDER.glob(f"{name}.yaml")):
        for group in yaml.safe_load(path.read_text(encoding="utf-8")):
            for member in group["of"]:
                kind, message, frame, output, package = [*member, None, None, None][:5]
                label = f"{path.stem}: {group['group']}"
                made.append(
                    Labelled(
                        label=label,
                        kind=kind,
                        message=message,
                        frame=tuple(frame) if frame else None,
                        output=tuple(output or ()),
                        package=package,
                        true_blame=group["blame"],
                    )
                )
    return made


def scores(truth: Sequence[str], found: Sequence[str]) -> Scores:
    """GA, FGA, precision and recall of pairs."""
    by_truth, by_found = defaultdict(set), defaultdict(set)
    for no, (label, key) in enumerate(zip(truth, found, strict=True)):
        by_truth[label].add(no)
        by_found[key].add(no)
    whole = {frozenset(members) for members in by_truth.values()}
    right = [members for members in by_found.values() if frozenset(members) in whole]
    pairs = [sum(n * (n - 1) for n in Counter(keys).values()) for keys in (truth, found)]
    both = sum(n * (n - 1) for n in Counter(zip(truth, found, strict=True)).values())
    placed = {no for members in right for no in members}
    return Scores(
        ga=len(placed) / len(truth),
        fga=2 * len(right) / (len(by_truth) + len(by_found)),
        precision=both / pairs[1] if pairs[1] else 1.0,
        recall=both / pairs[0] if pairs[0] else 1.0,
        wrong=tuple(f"{truth[no]} <- {found[no]}" for no in range(len(truth)) if no not in placed),
    )


def score(items: Sequence[Labelled]) -> Scores:
    """Of one file's groups; of several, each label within its own file, so that like causes of two files do not count."""
    files = [one.label.partition(":")[0] for one in items]
    return scores(
        [one.label for one in items],
        [f"{file}: {one.signature()}" for file, one in zip(files, items, strict=True)],
    )


def score_blame(items: Sequence[Labelled]) -> tuple[float, float, tuple[str, ...]]:
    """Per cause, not per failure: the share of those blamed that is right, the share of those that say where they come
    from that is blamed at all, and what is wrong."""
    causes = {one.label: one for one in items}.values()
    told = [(one, one.blamed()) for one in causes]
    blamed = [(one, found) for one, found in told if found != "unknown"]
    right = [one for one, found in blamed if found == one.true_blame]
    sayable = [found for one, found in told if one.true_blame != "unknown"]
    wrong = [
        f"{one.label}: {found}, not {one.true_blame}" for one, found in blamed if found != one.true_blame
    ]
    return len(right) / len(blamed), sum(one != "unknown" for one in sayable) / len(sayable), tuple(wrong)


def per_second(items: Sequence[Labelled], *, count: int = 50_000) -> float:
    """Different messages a second and processor: none is met twice."""
    blanks.blank.cache_clear()
    made = [
        (one.kind, f"{one.message} no {no}", one.frame)
        for no in range(count // len(items) + 1)
        for one in items
    ]
    started = time.process_time()
    for kind, message, frame in made:
        error_signature(kind, message, frame)
    return len(made) / (time.process_time() - started)


def main() -> int:
    """Print the table; exit status 1 when a figure misses what it should reach."""
    print(
        f"{'set':10} {'failures':>8} {'causes':>6} {'GA':>6} {'FGA':>6} {'pairs P':>8} {'R':>6} {'F1':>6} {'blame P':>8} {'R':>6}"
    )
    missed = False
    for path in sorted(FOLDER.glob("*.yaml")):
        items = labelled(path.stem)
        got, (right, told, wrong) = score(items), score_blame(items)
        causes = len({one.label for one in items})
        print(
            f"{path.stem:10} {len(items):8} {causes:6} {got.ga:6.3f} {got.fga:6.3f} {got.precision:8.3f} {got.recall:6.3f} {got.f1:6.3f} {right:8.3f} {told:6.3f}"
        )
        for line in (*got.wrong, *wrong):
            print(f"  {line[:200]}")
        missed |= got.ga < 0.95 or got.fga < 0.95 or got.precision < 0.995 or right < 0.95
    print(f"{per_second(labelled()):,.0f} messages a second")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
