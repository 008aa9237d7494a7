"""The sections of the page in their order, which never changes. One module = one family; each section is one `Spec`."""

from windsock.model import NoData
from windsock.report.specs.capacity import DURATIONS, POOLS, WAITING
from windsock.report.specs.executors import EXECUTORS, HEALTH
from windsock.report.specs.failures import FAILURES, GRAINS, INCIDENTS, RETRIES, TASKS
from windsock.report.specs.parsing import IMPORTS, PARSING, WORKERS
from windsock.report.specs.silent import SILENT, WHY
from windsock.report.specs.spec import Grid, Spec
from windsock.report.specs.upkeep import CONFIG, LOGS, SETTINGS, TRUST

__all__ = ["SPECS", "TITLES", "Grid", "Spec", "title_of"]

SPECS = (
    SILENT,
    WHY,
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
    HEALTH,
    SETTINGS,
    LOGS,
    CONFIG,
    TRUST,
)
TITLES = {one.key: one.title for one in SPECS}


def title_of(one: NoData) -> str:
    """What has no data, by its heading; `in part` where something is shown below it all the same."""
    return TITLES.get(one.section, one.section) + (" (in part)" if one.is_partial else "")
