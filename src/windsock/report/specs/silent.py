"""Silent problems: what nobody was told about."""

from __future__ import annotations

from windsock.report.specs.cells import plain
from windsock.report.specs.spec import Grid, Spec

SILENT = Spec(
    "silent",
    "Silent problems",
    ("WS5",),
    (
        Grid(
            "What was looked at, and what could not be known",
            "silent_coverage",
            (
                ("Looked for", plain("kind")),
                ("Of", plain("unit")),
                ("Looked at", plain("looked_at")),
                ("Not known", plain("not_known")),
                ("What would tell", plain("missing")),
            ),
            is_worth_showing=lambda row: bool(row["looked_at"] or row["not_known"]),
            is_folded=True,  # what could not be known is there for who asks; it is no finding
        ),
    ),
)
