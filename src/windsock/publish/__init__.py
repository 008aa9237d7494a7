"""From judgement to files: what earlier reports say, what may leave, the four artefacts, the list of weeks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import quote

from windsock import __version__, archive, privacy, report
from windsock.config import Config
from windsock.errors import ConfigError
from windsock.model import Answer, Judgement
from windsock.output import Output
from windsock.store import Store
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Written:
    """A finished report."""

    path: Path
    verdict: str
    verdict_sentence: str
    severities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Material:
    """The answers as they may be shown, with what is looked up by dag_id under the shown name."""

    answers: Mapping[str, Answer]
    exclude: tuple[str, ...]
    owner_of: Mapping[str, str]


def material(
    config: Config,
    answers: Mapping[str, Answer],
    *,
    store: Store,
    names: Mapping[str, privacy.Kind] | None = None,
) -> Material:
    """Owners and scope by real name first; then names and log text are taken out, as [report] says."""
    settings = config.pipeline.report
    dag_ids = sorted(
        {
            row["dag_id"]
            for one in answers.values()
            if "dag_id" in one.columns
            for row in one.rows
            if row["dag_id"] is not None
        }
    )
    told = {} if settings.hash_ids else owners_told(answers)  # a person's name stays inside, too
    owner_of = {
        one: owner for one in dag_ids if (owner := _owner(one, config.pipeline.owners) or told.get(one, ""))
    }
    exclude = tuple(config.pipeline.scope.exclude)
    if settings.hash_ids:
        hidden = privacy.Names(archive.salt(store, config.pipeline.deployment.name), names or {})
        answers = hidden.hashed(answers)
        exclude = tuple(hidden.of("dag", one) for one in dag_ids if any(fnmatchcase(one, p) for p in exclude))
        owner_of = {hidden.of("dag", one): owner for one, owner in owner_of.items()}
    if not settings.samples:
        answers = privacy.without_log_text(answers)
    return Material(answers, exclude, owner_of)


def owners_told(answers: Mapping[str, Answer]) -> dict[str, str]:
    """dag_id → owner, as Airflow itself says; the pipeline file's patterns stand over it."""
    return (
        {row["dag_id"]: row["owner"] for row in answers["dag_owners"].rows} if "dag_owners" in answers else {}
    )


def _owner(dag_id: str, owners: Mapping[str, str]) -> str:
    """The first pattern that matches, in the order of the file."""
    return next((owner for pattern, owner in owners.items() if fnmatchcase(dag_id, pattern)), "")


def write(
    config: Config,
    judgement: Judgement,
    shown: Material,
    trust: Mapping[str, Any],
    *,
    week: Week,
    store: Store,
    output: Output,
    out: Path | None = None,
) -> Written:
    """Render the week and write the four files, all or none; the lake keeps a copy for the next report."""
    frame = _frame(config, week, shown)
    before = _comparable(archive.newest_before(store, config.out, week), frame)
    told = report.Told(previous=before, accepted=_accepted(config))
    page = report.build_page(frame, judgement=judgement, answers=shown.answers, trust=trust, told=told)
    page = report.revised(page, _comparable(archive.delivered(store, week), frame))
    folder = out or config.out / str(week)
    texts = report.write_report(folder, page)
    problem = archive.keep_draft(store, week, texts["report.json"])
    if problem:
        output.say(f"warning: {problem}")
    if out is None:
        write_index(config)
    return Written(
        path=folder / "report.html",
        verdict=page.verdict,
        verdict_sentence=page.verdict_sentence,
        severities=tuple(one.severity for one in page.findings if one.status != "accepted"),
    )


def _frame(config: Config, week: Week, shown: Material) -> report.Frame:
    settings = config.pipeline.report
    withheld = (("log text", not settings.samples), ("names", settings.hash_ids))
    return report.Frame(
        deployment=config.pipeline.deployment.name,
        week=week,
        version=__version__,
        base_url="" if settings.hash_ids else config.pipeline.deployment.base_url,
        url=_url(config, week),
        withheld=tuple(name for name, is_set in withheld if is_set),
        owner_of=shown.owner_of,
    )


def _comparable(body: dict[str, Any] | None, frame: report.Frame) -> dict[str, Any] | None:
    """An earlier report, unless it holds what this one must not: its headlines would carry names and text over."""
    if body is None or set(frame.withheld) - set(body.get("withheld") or ()):
        return None
    return body


def _url(config: Config, week: Week) -> str:
    """Where readers find the page, when [report] url says so."""
    base = config.pipeline.report.url.rstrip("/")
    return f"{base}/{quote(config.out.name)}/{week}/report.html" if base else ""


def _accepted(config: Config) -> tuple[report.Accepted, ...]:
    name = config.pipeline.report.accepted
    if not name:
        return ()
    path = Path(config.url(name))
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        told = getattr(error, "strerror", None) or "not UTF-8 text"
        raise ConfigError(
            f"{path}: [report] accepted cannot be read ({told}); create it or mend the path"
        ) from None
    return report.read_accepted(text, where=str(path))


def write_index(config: Config) -> None:
    """`index.html` of the deployment's folder: the weeks on this machine, newest first."""
    weeks = []
    for path in sorted(config.out.glob("*/report.json"), reverse=True):
        try:
            body = json.loads(path.read_text(encoding="utf-8"))
            weeks.append(summary(body))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # not one of ours, or half of one: the list must not fail for it
    report.write_files(
        config.out, {"index.html": report.render_index(config.pipeline.deployment.name, weeks)}
    )


def summary(body: Mapping[str, Any]) -> dict[str, Any]:
    """One week's line in a list of weeks."""
    return {
        "week": str(Week.parse(str(body["week"]))),
        "verdict": str(body["verdict"]),
        "verdict_sentence": str(body["verdict_sentence"]),
        "revised": bool(body.get("revised")),
    }
