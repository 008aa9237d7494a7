"""Output of scheduler, dag-processor, triggerer and executors → rows. Pure; one file per kind of text."""

from windsock.parse.component.component_log import read_component_log
from windsock.parse.component.growing import Part, part_of, read_growing

__all__ = ["Part", "part_of", "read_component_log", "read_growing"]
