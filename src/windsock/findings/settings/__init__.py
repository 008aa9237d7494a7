"""Airflow's settings of the week: what holds, who says so, and how the week stood against it."""

from windsock.findings.held_settings import Held, held_of, missing
from windsock.findings.settings.answer import ANSWERS, FROM, QUESTIONS, settings_answers

__all__ = ["ANSWERS", "FROM", "QUESTIONS", "Held", "held_of", "missing", "settings_answers"]
