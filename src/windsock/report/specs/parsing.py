"""DAG files: those that cannot be loaded, those that got slow, and what each task pays for them."""

from __future__ import annotations

from windsock.report.specs.cells import plain, words
from windsock.report.specs.spec import Grid, Spec

IMPORTS = Spec(
    "imports",
    "Import errors and killed parses",
    ("WS203", "WS205"),
    (
        Grid(
            "Files that failed to import",
            "import_errors_of_week",
            (
                ("File", plain("dag_file")),
                ("Error", plain("error_signature")),
                ("Files with it", plain("files")),
                ("First seen", plain("first_at")),
                ("Last seen", plain("last_at")),
                ("Mended", plain("mended_at")),
            ),
        ),
    ),
)

PARSING = Spec(
    "parsing",
    "DAG parsing",
    ("WS201", "WS202", "WS207"),
    (
        Grid(
            "Files that take a second or more",
            "parse_time_by_file",
            (
                ("File", plain("dag_file")),
                ("Seen by", words("source")),
                ("Parses", plain("samples")),
                ("Median", plain("median_s")),
                ("4 weeks before", plain("median_prev_s")),
                ("95th percentile", plain("p95_s")),
            ),
            is_worth_showing=lambda row: row["median_s"] >= 1,
        ),
    ),
)

WORKERS = Spec(
    "workers",
    "Parsing inside of tasks",
    ("WS206",),
    (
        Grid(
            "Files that cost tasks an hour or more",
            "worker_parse_tax_by_file",
            (
                ("File", plain("dag_file")),
                ("Tries", plain("tries")),
                ("Parsing", plain("parse_hours")),
                ("Bundle", plain("prepare_hours")),
                ("Of the tasks' time", plain("tax_share")),
                ("Parse, 95th percentile", plain("parse_p95_s")),
            ),
            is_worth_showing=lambda row: row["parse_hours"] + row["prepare_hours"] >= 1,
        ),
    ),
)
