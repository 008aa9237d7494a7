"""Output of scheduler, dag-processor, triggerer and executors → rows. Pure; one file per kind of text."""

from windsock.parse.component.component_log import read_component_log

__all__ = ["read_component_log"]
