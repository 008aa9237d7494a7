"""Pure readers: bytes and a key → rows, or a reject with its reason. One file per dialect."""

from windsock.parse.keys import parse_key, render_key
from windsock.parse.task_log import PARSER_VERSION, read_task_log

__all__ = ["PARSER_VERSION", "parse_key", "read_task_log", "render_key"]
