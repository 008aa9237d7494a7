"""The page model and its renderers: one frozen page, four artefacts with the same words and numbers."""

from windsock.report.build import build_page
from windsock.report.page import Page
from windsock.report.render import (
    render_email_html,
    render_email_text,
    render_html,
    render_json,
    write_report,
)

__all__ = [
    "Page", "build_page", "render_email_html", "render_email_text", "render_html", "render_json", "write_report",
]  # fmt: skip
