"""Output of scheduler, dag-processor, triggerer and executors → rows. Pure; one file per kind of text."""

from windsock.parse.component.component_log import read_component_log
from windsock.parse.component.growing import Part, last_parts, part_of, read_growing, read_grown

__all__ = ["Part", "last_parts", "part_of", "read_component_log", "read_growing", "read_grown"]
