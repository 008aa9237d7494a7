"""What all the addresses together hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Found:
    """Filled address by address; `lines` and `notes` are what is told to the person."""

    task_logs: list[str] = field(default_factory=list)
    metrics: list[str] = field(default_factory=list)
    component_logs: list[str] = field(default_factory=list)
    airflow_api: str = ""
    prometheus: str = ""
    scrape: str = ""
    template: str = ""
    matches: list[str] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Nothing that a pull could read."""
        return not (self.task_logs or self.metrics or self.airflow_api or self.prometheus or self.scrape)

    def several(self, labels: dict[str, set[str]], executors: Sequence[str]) -> None:
        """Which label tells emitters apart, and which executor they name."""
        for key, values in sorted(labels.items()):
            if len(values) > 1:
                self.notes.append(f"metrics of several emitters: {key} is {', '.join(sorted(values)[:5])}")
                self.matches.append(f'{{{key}="{sorted(values)[0]}"}}')
        if executors:
            self.lines.append(f"the executor is {', '.join(executors)}")
