"""The sections of the page in their order, which never changes. One module = one family; each section is one `Spec`."""

from windsock.report.specs.capacity import DURATIONS, POOLS, WAITING
from windsock.report.specs.executors import EXECUTORS, HEALTH
from windsock.report.specs.failures import FAILURES, GRAINS, INCIDENTS, RETRIES, TASKS
from windsock.report.specs.parsing import IMPORTS, PARSING, WORKERS
from windsock.report.specs.silent import SILENT
from windsock.report.specs.spec import Grid, Spec
from windsock.report.specs.upkeep import CONFIG, LOGS, SETTINGS, TRUST

__all__ = ["SPECS", "Grid", "Spec"]

SPECS = (
    SILENT,
    HEALTH,
    INCIDENTS,
    RETRIES,
    FAILURES,
    TASKS,
    GRAINS,
    IMPORTS,
    PARSING,
    WORKERS,
    DURATIONS,
    WAITING,
    POOLS,
    EXECUTORS,
    SETTINGS,
    LOGS,
    CONFIG,
    TRUST,
)
