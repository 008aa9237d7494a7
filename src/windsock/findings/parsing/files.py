"""One DAG file, told by several sources: metrics know it by its stem, 2.x by its full path, bundles by a path within."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from windsock.findings.parsing.one_pass import place
from windsock.model import Finding

_ENDINGS = (".py", ".zip")


def once_a_file(found: Sequence[Finding]) -> list[Finding]:
    """One finding per file, by the source nearest to the dag-processor. A stem that another source spells out is the
    same file."""
    kept: dict[tuple[str, str], Finding] = {}
    for one in sorted(found, key=lambda one: place(one.evidence["source"])):
        kept.setdefault((one.subject["dag_file"], one.subject["bundle_name"]), one)
    spelt = spelled_out(path for path, _ in kept)
    return [one for (path, _), one in kept.items() if path.endswith(_ENDINGS) or path not in spelt]


def spelled_out(paths: Iterable[str]) -> set[str]:
    """The stems of those names that are paths."""
    return {PurePosixPath(path).stem for path in paths if path.endswith(_ENDINGS)}
