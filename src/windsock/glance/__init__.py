"""A few objects of a source read as `pull` would read them: for `windsock init` and `windsock doctor`."""

from windsock.glance.logs import LogGlance, glance_at_logs
from windsock.glance.metrics import MetricGlance, glance_at_metrics, note_page

__all__ = ["LogGlance", "MetricGlance", "glance_at_logs", "glance_at_metrics", "note_page"]
