"""The page model and its renderers: one frozen page, four artefacts with the same words and numbers."""

from windsock.report.accepted import Accepted, read_accepted
from windsock.report.body import body_of, revised
from windsock.report.build import Frame, Told, build_page
from windsock.report.letter import Letter, concerns, letter
from windsock.report.page import Page
from windsock.report.render import (
    NAMES,
    render_email_html,
    render_email_text,
    render_html,
    render_index,
    render_json,
    render_report,
    write_files,
    write_report,
)

__all__ = [
    "NAMES", "Accepted", "Frame", "Letter", "Page", "Told", "body_of", "build_page", "concerns", "letter", "read_accepted",
    "render_email_html", "render_email_text", "render_html", "render_index", "render_json", "render_report",
    "revised", "write_files", "write_report",
]  # fmt: skip
