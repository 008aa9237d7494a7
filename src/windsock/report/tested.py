"""A line of the trust box: how much of the week comes from an Airflow or an executor that no test ever saw."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from windsock.model import Answer, Row
from windsock.report.formats import clean, plural, share

LABEL = "Known to windsock's tests"
_SERIES = re.compile(r"\d+\.\d+")
_HOW = {"logs": "known from logs", "texts": "known from upstream's texts only"}
_MOST = 4


def tested_lines(answers: Mapping[str, Answer]) -> list[tuple[str, str]]:
    """`81 % of 1,200 tries; 12 % by EdgeExecutor, never seen; 7 % by Airflow 2.5, never seen`; none without tries."""
    rows = answers["versions_and_executors"].rows if "versions_and_executors" in answers else ()
    how = {(row["kind"], row["name"]): row["how"] for row in _rows(answers, "tested")}
    total = sum(row["tries"] for row in rows)
    if not total or not how:
        return []
    known, others, silent = 0, dict[str, int](), dict[str, int]()
    for row in rows:
        strange = [text for kind, name in _of(row) if (text := _strange(kind, name, how))]
        missing = [
            word
            for word, name in (("version", row["airflow_version"]), ("executor", row["executor"]))
            if not name
        ]
        known += 0 if strange or missing else row["tries"]
        for text in strange:
            others[text] = others.get(text, 0) + row["tries"]
        for word in missing:
            silent[word] = silent.get(word, 0) + row["tries"]
    if not known and not others:
        return [(LABEL, clean(_half(rows, total, silent), 600))]
    told = [f"{share(known / total)} of {plural(total, 'try')}"]
    told += [f"{share(count / total)} by {text}" for text, count in _largest(others)]
    told += [f"{word} not told for {share(count / total)}" for word, count in sorted(silent.items())]
    return [(LABEL, clean("; ".join(told), 600))]


def _half(rows: Sequence[Row], total: int, silent: Mapping[str, int]) -> str:
    """Of no try are both told: what is known of each by itself, all of it known to the tests."""
    if all(silent.get(word) == total for word in ("executor", "version")):
        return "cannot be said: executor and version not told; API or database would"
    told = []
    for word in ("executor", "version"):
        names = sorted({name for row in rows for kind, name in _of(row) if kind == word})
        part = share(1 - silent.get(word, 0) / total)
        told.append(
            f"{word} of {part} of {plural(total, 'try')} ({', '.join(names)})"
            if names
            else f"{word} not told; API or database would"
        )
    return "; ".join(told)


def _rows(answers: Mapping[str, Answer], name: str) -> Sequence[Row]:
    return answers[name].rows if name in answers else ()


def _of(row: Row) -> list[tuple[str, str]]:
    """The version series and the executor of a row, as the reviewed table spells them."""
    series = _SERIES.match(row["airflow_version"])
    # several executors of one Airflow, aliases and module paths: the class is what counts
    executors = [one.rpartition(":")[2].rpartition(".")[2] for one in row["executor"].split(",")]
    versions = [("version", series[0])] if series else []
    return versions + [("executor", one) for one in executors if one]


def _strange(kind: str, name: str, how: Mapping[tuple[str, str], str]) -> str:
    seen = how.get((kind, name))
    word = f"Airflow {name}" if kind == "version" else name
    return "" if seen == "run" else f"{word}, {_HOW.get(seen or '', 'which no test saw')}"


def _largest(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """The foremost ones, and how many more there are."""
    ranked = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    rest = ranked[_MOST:]
    return ranked[:_MOST] + ([(f"{len(rest)} more", sum(count for _, count in rest))] if rest else [])
