"""The story: the stages in order, for one deployment and one week. Where one stage's output meets the next's input."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zlib import crc32

import duckdb

from windsock import __version__, checks, resources
from windsock.config import Config
from windsock.errors import ConfigError, LakeError, SourceError
from windsock.findings import RULES, judge_all
from windsock.findings.what_if import what_if_pool as replay_pool
from windsock.lake import Lake
from windsock.model import Answer, Ignored, LogKey, Outcome, Reject, Row, SourceObject
from windsock.output import Output
from windsock.parse import PARSER_VERSION, parse_key, read_task_log
from windsock.parse.prometheus import read_prometheus
from windsock.parse.statsd import read_statsd
from windsock.questions import Question, ask_sql, load_questions
from windsock.questions import ask as ask_question
from windsock.report import build_page, write_report
from windsock.sources.metrics import list_metrics
from windsock.sources.task_logs import fetch, list_task_logs
from windsock.store import Store, open_store
from windsock.week import Week

LOOK_BACK_WEEKS = 8  # the baseline of the judges; the first pull reads one week more
"""Weeks of history that a first pull reads before the reported week."""
