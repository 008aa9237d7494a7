"""The change points on data that are not ours: `python -m benchmarks.judging.tcpd FOLDER`.

FOLDER is a clone of https://github.com/alan-turing-institute/TCPD, the Turing Change Point Dataset: series with the change
points that five people saw. Scored as its authors do (van den Burg and Williams 2020, arXiv:2003.06222): F1 with a margin of
five places, precision against all annotators and recall as their mean; covering of the annotated segments. The dataset's
univariate series that stand in the repository. A series with values below zero is lifted, for the method works on logarithms.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from windsock.findings.methods.change_points import find_changes

MARGIN = 5
Annotations = Mapping[str, Collection[int]]


def score(folder: Path, *, detects: bool = True) -> tuple[int, float, float]:
    """Series, mean F1, mean covering; of no detection at all where not `detects`."""
    annotations = json.loads((folder / "annotations.json").read_text())
    scores = []
    for path in sorted(folder.glob("datasets/*/*.json")):
        told = json.loads(path.read_text())
        if told["n_dim"] == 1:
            found = _found(told) if detects else []
            mine: Annotations = annotations[told["name"]]
            scores.append((_f1(mine, found), _covering(mine, found, told["n_obs"])))
    f1, covering = (float(one) for one in np.mean(scores, axis=0))
    return len(scores), f1, covering


def _found(told: Mapping[str, Any]) -> list[int]:
    raw = [np.nan if one is None else float(one) for one in told["series"][0]["raw"]]
    places = np.flatnonzero(~np.isnan(raw))
    values = np.array(raw)[places]
    if values.min() <= 0:
        values = values - values.min() + np.ptp(values) / 2
    return [int(places[one.index]) for one in find_changes(values)]


def _hits(truth: Collection[int], found: Collection[int]) -> int:
    """True change points with a found one within the margin, each found one used once."""
    left, hits = set(found), 0
    for place in sorted(truth):
        near = min(
            (one for one in left if abs(one - place) <= MARGIN),
            key=lambda one: abs(one - place),
            default=None,
        )
        if near is not None:
            left.discard(near)
            hits += 1
    return hits


def _f1(annotations: Annotations, found: Collection[int]) -> float:
    people = [{0, *one} for one in annotations.values()]
    mine = {0, *found}
    precision = _hits(set().union(*people), mine) / len(mine)
    recall = float(np.mean([_hits(one, mine) / len(one) for one in people]))
    return 2 * precision * recall / (precision + recall)


def _covering(annotations: Annotations, found: Collection[int], length: int) -> float:
    mine = _segments(found, length)
    covers = []
    for one in annotations.values():
        best = [
            (end - start) * max(_jaccard((start, end), other) for other in mine)
            for start, end in _segments(one, length)
        ]
        covers.append(sum(best) / length)
    return float(np.mean(covers))


def _segments(places: Collection[int], length: int) -> list[tuple[int, int]]:
    edges = [*sorted({0, *places}), length]
    return [(start, end) for start, end in pairwise(edges) if end > start]


def _jaccard(one: tuple[int, int], other: tuple[int, int]) -> float:
    shared = max(0, min(one[1], other[1]) - max(one[0], other[0]))
    return shared / (max(one[1], other[1]) - min(one[0], other[0]))


if __name__ == "__main__":
    for name, detects in (("windsock", True), ("no detection", False)):
        count, f1, covering = score(Path(sys.argv[1]), detects=detects)
        print(f"{name:<14} {count} series, F1 {f1:.3f}, covering {covering:.3f}")
