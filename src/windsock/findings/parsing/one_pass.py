"""What parsing costs: hours a week, and how long the DAG processor needs for one pass over all files.

A file is parsed again `min_file_process_interval` after its last parse, or when the pass over all files comes round to
it, whichever is later: a pass takes the sum of all parse times over `parsing_processes` (airflow/dag_processing/manager.py,
2.11.2 and 3.3.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from windsock.findings import wording
from windsock.findings.held_settings import held_of
from windsock.findings.rule import rows_of
from windsock.model import Answer, Row

WEEK_HOURS = 7 * 24.0
PROCESSES, INTERVAL_S, IMPORT_TIMEOUT_S, PROCESSOR_TIMEOUT_S = 2.0, 30.0, 30.0, 50.0
"""Airflow's defaults, the same in 2.x and 3.x, where no input tells the deployment's own."""
SOURCES = ("processor_log", "stats_table", "metric", "api", "task_log")
"""Of two sources that tell of one file, the one nearer to the DAG processor's own clock speaks."""
_NAMES = {
    "parsing_processes": "parsing_processes",
    "min_file_process_interval": "min_file_process_interval",
    "import_timeout_s": "dagbag_import_timeout",
    "processor_timeout_s": "dag_file_processor_timeout",
}
_COMPLETE = 0.9  # of the files that any source knows


@dataclass(frozen=True, slots=True)
class Settings:
    """The deployment's limits of parsing; `is_told`: from API or database, not assumed."""

    processes: float
    interval_s: float
    import_timeout_s: float
    processor_timeout_s: float
    is_told: bool

    @classmethod
    def of(cls, answers: Mapping[str, Answer]) -> Settings:
        row = next(iter(rows_of(answers, "parse_settings")), {})
        told = {
            name: float(value) for name, value in row.items() if isinstance(value, int | float) and value > 0
        }
        # where the names that count in this version are known, an old name that it passes over tells nothing
        held = {name: one for name, one in held_of(answers).items() if one.value and one.value > 0}
        if held:
            told = {
                mine: held[name].value or 0.0
                for mine, name in _NAMES.items()
                if name in held and held[name].is_told
            }
        return cls(
            told.get("parsing_processes", PROCESSES),
            told.get("min_file_process_interval", INTERVAL_S),
            told.get("import_timeout_s", IMPORT_TIMEOUT_S),
            told.get("processor_timeout_s", PROCESSOR_TIMEOUT_S),
            is_told="parsing_processes" in told,
        )


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass of the DAG processor over all files, by the parses of one week."""

    files: int
    parse_s: float
    settings: Settings

    @property
    def cycle_s(self) -> float:
        """How long it takes."""
        return self.parse_s / self.settings.processes

    def sentence(self, *, less_s: float) -> str:
        """The pass beside what it was when all parses together took `less_s` less, and what that means."""
        limits = self.settings
        before_s = max(0.0, self.parse_s - less_s) / limits.processes
        said = "" if limits.is_told else " (Airflow's defaults are assumed)"
        told = (
            f"One pass over {wording.plural(self.files, 'file')} with {wording.plural(round(limits.processes), 'parsing process')}"
            f"{said} takes {wording.seconds(self.cycle_s)}, {wording.seconds(before_s)} before"
        )
        interval = f"min_file_process_interval ({wording.seconds(limits.interval_s)})"
        if self.cycle_s <= limits.interval_s:
            return f"{told}: still within {interval}."
        enough = ceil(self.parse_s / limits.interval_s)
        return f"{told}: longer than {interval}, so every change waits for it; parsing_processes = {enough} would keep up."


def week_pass(answers: Mapping[str, Answer]) -> Pass | None:
    """By the best source that knows nearly every file; None where no processor's figures are known."""
    by_source: dict[str, list[Row]] = {}
    for row in rows_of(answers, "parse_load_by_file"):
        if row["source"] != "task_log":  # a worker's parse is no part of the processor's pass
            by_source.setdefault(row["source"], []).append(row)
    if not by_source:
        return None
    most = max(map(len, by_source.values()))
    source = min((one for one, rows in by_source.items() if len(rows) >= _COMPLETE * most), key=place)
    rows = by_source[source]
    return Pass(len(rows), sum(row["mean_s"] for row in rows), Settings.of(answers))


def parses_a_week(row: Row | None, whole: Pass | None) -> float | None:
    """How often a file is parsed in a week: as measured, else as the settings make it; of workers, the tries."""
    if row is not None and row["source"] == "task_log":
        return float(row["parses"])
    interval_s = row["interval_s"] if row is not None else None
    if not interval_s and whole is not None:
        interval_s = max(whole.settings.interval_s, whole.cycle_s)
    return WEEK_HOURS * 3600 / interval_s if interval_s else None


def load_of(rows: Sequence[Row], series: tuple[str, str, str]) -> Row | None:
    """The week's load of one file as one source tells it."""
    return next((r for r in rows if (r["source"], r["bundle_name"], r["dag_file"]) == series), None)


def place(source: str) -> int:
    """Rank of a source, the best first."""
    return SOURCES.index(source) if source in SOURCES else len(SOURCES)
