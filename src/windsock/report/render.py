"""The page as HTML, mail, text and JSON. Autoescaped, deterministic, written whole or not at all."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from windsock import resources
from windsock.errors import LakeError
from windsock.report.body import as_text, body_of
from windsock.report.charts import draw
from windsock.report.formats import cell, clean, plural, sentences, tight
from windsock.report.letter import Letter, letter
from windsock.report.page import Page
from windsock.report.specs import title_of

MAX_BRIEF = 160  # characters of a headline where it is one of a list; its card has all of it
MAX_FEW = 220  # and of an advice
MAIL_LIMIT_BYTES = 90_000  # Gmail clips a message at 102 KB
NAMES = ("report.html", "email.html", "email.txt", "report.json")


@cache
def _environment(*, is_html: bool) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(resources.folder("template")),
        autoescape=is_html,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "brief": lambda text: clean(text, MAX_BRIEF),
        "cell": cell,
        "clean": clean,
        "draw": draw,
        "few": lambda text: sentences(text, MAX_FEW),
        "plural": plural,
        "tight": tight,
    }
    return environment


def render_html(page: Page) -> str:
    """The full page: one file, no request leaves it. Its own script is the only one that a browser may run."""
    script, style = (_asset(name) for name in ("report.js", "report.css"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; img-src data:"
    template = _environment(is_html=True).get_template("report.html")
    return template.render(
        page=page, title_of=title_of, script=Markup(script), style=Markup(style), policy=policy
    )


def _asset(name: str) -> str:
    return (resources.folder("template") / name).read_text(encoding="utf-8")


def render_email_html(mail: Letter) -> str:
    """The mail: static, styles inlined, below 90 KB whatever the fleet; what is left out is counted."""
    import css_inline

    template = _environment(is_html=True).get_template("email.html")
    inliner = css_inline.CSSInliner(keep_style_tags=True, keep_at_rules=True, load_remote_stylesheets=False)
    html = ""
    for most, parts in ((15, 50), (5, 50), (2, 20), (0, 8), (0, 3)):
        html = inliner.inline(
            template.render(mail=_capped(mail, parts), most=most, left_out=len(mail.parts) - parts)
        )
        if len(html.encode()) < MAIL_LIMIT_BYTES:
            break
    return str(html)


def _capped(mail: Letter, parts: int) -> Letter:
    return replace(mail, parts=mail.parts[:parts])


def render_email_text(mail: Letter) -> str:
    """The mail's plain twin."""
    template = _environment(is_html=False).get_template("email.txt")
    return template.render(mail=_capped(mail, 50), most=15, left_out=len(mail.parts) - 50)


def render_json(page: Page) -> str:
    """report.json (schema 1)."""
    return as_text(body_of(page))


def render_index(deployment: str, weeks: Sequence[Mapping[str, Any]]) -> str:
    """The list of a deployment's weeks, newest first."""
    template = _environment(is_html=True).get_template("index.html")
    return template.render(deployment=clean(deployment, 80), weeks=weeks, style=Markup(_asset("report.css")))


def render_report(page: Page) -> dict[str, str]:
    """The four artefacts by file name, all of one frozen page."""
    mail = letter([body_of(page)])
    return {
        "report.html": render_html(page),
        "email.html": render_email_html(mail),
        "email.txt": render_email_text(mail),
        "report.json": render_json(page),
    }


def write_report(out: Path, page: Page) -> dict[str, str]:
    """`report.html`, `email.html`, `email.txt`, `report.json` in `out`: all rendered before the first is written."""
    texts = render_report(page)
    write_files(out, texts)
    return texts


def write_files(out: Path, texts: Mapping[str, str]) -> None:
    """All files or none: written beside, then renamed."""
    beside: list[tuple[Path, Path]] = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            temporary = out / f"{name}.tmp-{os.getpid()}"
            beside.append((temporary, out / name))
            temporary.write_text(text, encoding="utf-8")
        for temporary, path in beside:
            temporary.replace(path)
    except OSError as error:
        for temporary, _path in beside:
            temporary.unlink(missing_ok=True)
        raise LakeError(
            f"{out}: the report cannot be written ({error.strerror}); check [report] out"
        ) from None
