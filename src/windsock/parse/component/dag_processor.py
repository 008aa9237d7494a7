"""What dag-processors tell of DAG files: how long each parse took, what failed to import, what was killed.

2.x: `Processing <file> took 7.957 seconds` (processor.py), one per parse, full path. All versions: the stats table.
3.x per-file logs say no duration, but hold the import errors.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from windsock.parse.component.facts import Facts
from windsock.parse.component.records import Told
from windsock.parse.component.stats_table import TITLE, parses
from windsock.parse.task_log import cut
from windsock.redaction import redact
from windsock.signature import error_signature

_TOOK = re.compile(r"Processing (?P<file>.+) took (?P<took>\d{1,9}(?:\.\d{1,9})?) seconds")
_RETRIEVED = re.compile(r"DAG\(s\) (?P<dags>.*) retrieved from (?P<file>.+)", re.DOTALL)
_NONE = re.compile(r"No viable dags retrieved from (?P<file>.+)", re.DOTALL)
_IMPORT = re.compile(r"Failed to import: (?P<file>[^\n]+)")
_KILLED = re.compile(
    r"Processor for (?P<file>.+?) with PID \d+ (?:started .*?killing it|has been running for (?P<ran>[\d.]+) seconds, "
    r"exceeding the timeout of (?P<limit>\d{1,9}))",
    re.DOTALL | re.IGNORECASE,
)
_EXITED = re.compile(r"Processor for (?P<file>.+?) exited with return code (?P<code>-?\d{1,9})", re.DOTALL)
_INFO = re.compile(r"rel_path=\w*(?:Path)?\('(?P<file>[^']+)'\).*?bundle_name='(?P<bundle>[^']*)'", re.DOTALL)
_VERSION = re.compile(r"Version changed for (?P<bundle>\S+), new version: (?P<version>\S+)")
_BUNDLE_FAILED = re.compile(r"Error (?:refreshing|initializing) bundle (?P<bundle>[^\s:]+)")
_CHILD = re.compile(
    r"(?:\A|/)\d{4}-\d\d-\d\d/(?P<bundle>[^/]+)/(?P<file>.+\.(?:py|zip))\.log(?:[.-][\w.-]+)?\Z"
)


def tell_files(told: Told, component: str, facts: Facts, path: str) -> None:
    """One record of a dag-processor. `path` is the object's: per-file logs of 3.x name bundle and file there."""
    text = told.text
    if TITLE in text[:400]:
        _table(told, facts)
    elif match := _TOOK.match(text):
        _took(match, told, facts)
    elif match := _IMPORT.match(text):
        _import_error(match["file"].strip(), told, facts, path)
    elif match := _RETRIEVED.match(text):
        facts.files.setdefault(match["file"].strip(), {})["dags"] = len(re.findall(r"'[^']+'", match["dags"]))
    elif match := _NONE.match(text):
        facts.files.setdefault(match["file"].strip(), {})["dags"] = 0
    elif match := _KILLED.match(text):
        file, bundle = _named(match["file"])
        limit = int(match["limit"]) if match["limit"] else None
        facts.event(told.at, component, "parse_timeout", dag_file=file, reason=bundle, limit_value=limit)
    elif match := _EXITED.match(text):
        file, bundle = _named(match["file"])
        facts.event(
            told.at, component, "processor_failed", dag_file=file, reason=bundle, exit_code=int(match["code"])
        )
    elif match := _VERSION.match(text):
        facts.event(told.at, component, "bundle_changed", reason=match["bundle"], detail=match["version"])
        facts.bundles.setdefault(match["bundle"], []).append((told.at, match["version"]))
    elif match := _BUNDLE_FAILED.match(text):
        failure = told.failure
        message = redact(failure.message if failure else text[match.end() :].lstrip(": ").split("\n", 1)[0])
        detail = (
            error_signature(failure.type if failure else "", message, None) if failure or message else None
        )
        facts.event(told.at, component, "bundle_failed", reason=match["bundle"], detail=detail)
    elif text.startswith("DagFileProcessorManager (PID="):
        facts.event(told.at, component, "processor_restarted", detail=text.split("\n", 1)[0])


def _table(told: Told, facts: Facts) -> None:
    for one in parses(told.text):
        key = ("stats_table", one.bundle, one.file, one.at)
        facts.parses[key] = {
            "parsed_at": one.at,
            "dag_file": one.file,
            "bundle_name": one.bundle,
            "bundle_version": _version(facts.bundles.get(one.bundle or "", ()), one.at),
            "parse_s": one.took_s,
            "dag_count": one.dags,
            "error_count": one.errors,
            "source": "stats_table",
        }


def _version(changes: Any, at: datetime) -> str | None:
    """The bundle's version at a moment, where this log told of it."""
    before = [version for changed_at, version in changes if changed_at and changed_at <= at]
    return before[-1] if before else None


def _took(match: re.Match[str], told: Told, facts: Facts) -> None:
    file = match["file"]
    known = facts.files.pop(file, {})
    if told.at is None:
        return
    facts.parses["processor_log", None, file, told.at] = {
        "parsed_at": told.at,
        "dag_file": file,
        "bundle_name": None,
        "parse_s": float(match["took"]),
        "dag_count": known.get("dags"),
        "error_count": known.get("errors", 0),
        "source": "processor_log",
    }


def _import_error(file: str, told: Told, facts: Facts, path: str) -> None:
    """The file as the API names it: full path in 2.x, bundle and path within it in 3.x."""
    known = facts.files.setdefault(file, {})
    known["errors"] = known.get("errors", 0) + 1
    bundle = None
    child = _CHILD.search(path)
    if child and f"/{file}".endswith(f"/{child['file']}"):
        file, bundle = child["file"], child["bundle"]
    failure = told.failure
    kind, message = (failure.type, failure.message) if failure else ("", told.text.split("\n", 1)[-1])
    message = redact(message)
    facts.import_errors[bundle, file, told.at] = {
        "seen_at": told.at,
        "dag_file": file,
        "bundle_name": bundle,
        "message": cut(f"{kind}: {message}" if kind and message else kind or message),
        "error_signature": error_signature(kind, message, failure.frame if failure else None),
        "source": "processor_log",
    }


def _named(text: str) -> tuple[str, str | None]:
    """3.x prints `DagFileInfo(rel_path=PosixPath('a.py'), bundle_name='dags-folder', …)` where 2.x prints the path."""
    match = _INFO.search(text)
    return (match["file"], match["bundle"]) if match else (text.strip(), None)
