"""The page as HTML, mail, text and JSON. Autoescaped, deterministic, written whole or not at all."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import jinja2

from windsock import resources
from windsock.errors import LakeError
from windsock.report.formats import cell, clean
from windsock.report.page import Page

MAIL_LIMIT_BYTES = 90_000  # Gmail clips a message at 102 KB


def _environment(*, is_html: bool) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(resources.folder("template")),
        autoescape=is_html,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = cell
    environment.filters["clean"] = clean
    return environment


def render_html(page: Page) -> str:
    """The full page: one file, no request leaves it."""
    return _environment(is_html=True).get_template("report.html").render(page=page)


def render_email_html(page: Page) -> str:
    """The mail: static, styles inlined, below 90 KB whatever the fleet; what is left out is counted."""
    import css_inline

    template = _environment(is_html=True).get_template("email.html")
    inliner = css_inline.CSSInliner(keep_style_tags=True, keep_at_rules=True, load_remote_stylesheets=False)
    for most in (20, 10, 5, 2, 0):
        html = inliner.inline(template.render(page=page, most=most))
        if len(html.encode()) < MAIL_LIMIT_BYTES:
            break
    return str(html)


def render_email_text(page: Page) -> str:
    """The mail's plain twin."""
    return _environment(is_html=False).get_template("email.txt").render(page=page, most=20)


def render_json(page: Page) -> str:
    """report.json (schema 1)."""
    body = {
        "schema": 1,
        "deployment": page.deployment,
        "week": page.week,
        "window": {"from": page.window_from, "to": page.window_to},
        "verdict": page.verdict,
        "verdict_sentence": page.verdict_sentence,
        "findings": [_finding(asdict(one)) for one in page.findings],
        "scoreboard": [dict(row) for row in page.scores],
        "no_data": [asdict(one) for one in page.no_data],
        "unjudged": list(page.unjudged),
        "revised": False,
        "changes": [dict(one) for one in page.changes],
        "trust": dict(page.trust_values),
    }
    return json.dumps(_plain(body), ensure_ascii=False, indent=1, sort_keys=False) + "\n"


def _finding(one: dict[str, Any]) -> dict[str, Any]:
    one.pop("rank")
    return one


def _plain(value: Any) -> Any:
    """Times as ISO 8601 with Z, NaN as null."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        # sums of many threads differ in their last bits from run to run; nine digits do not
        return float(f"{value:.9g}") if math.isfinite(value) else None
    return value


def write_report(out: Path, page: Page) -> list[Path]:
    """`report.html`, `email.html`, `email.txt`, `report.json` in `out`: all rendered before the first is written."""
    texts = {
        "report.html": render_html(page),
        "email.html": render_email_html(page),
        "email.txt": render_email_text(page),
        "report.json": render_json(page),
    }
    written: list[Path] = []
    beside: list[tuple[Path, Path]] = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            temporary = out / f"{name}.tmp-{os.getpid()}"
            beside.append((temporary, out / name))
            temporary.write_text(text, encoding="utf-8")
        for temporary, path in beside:
            temporary.replace(path)
            written.append(path)
    except OSError as error:
        for temporary, _path in beside:
            temporary.unlink(missing_ok=True)
        raise LakeError(
            f"{out}: the report cannot be written ({error.strerror}); check [report] out"
        ) from None
    return written
