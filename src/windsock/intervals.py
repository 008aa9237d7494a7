"""Intervals of proportions: one method for every rate that is shown, so that one rate has one interval. Wilson 1927, doi:10.1080/01621459.1927.10502953."""

from __future__ import annotations

from math import sqrt

Z95 = 1.959963984540054


def bounds(failures: float, unknown: float, total: float) -> tuple[float, float]:
    """As `wilson`, where of `unknown` more nobody knows: the lower end as if none of them failed, the upper one as if all had."""
    return wilson(failures, total)[0], wilson(min(failures + unknown, total), total)[1]


def wilson(failures: float, total: float, z: float = Z95) -> tuple[float, float]:
    """95 % interval of a proportion; (0, 1) without data. Fractions 0 to 1."""
    if total <= 0:
        return 0.0, 1.0
    p, square = failures / total, z * z
    centre = (p + square / (2 * total)) / (1 + square / total)
    half = z * sqrt(p * (1 - p) / total + square / (4 * total * total)) / (1 + square / total)
    return max(0.0, centre - half), min(1.0, centre + half)
