"""Plots as inline SVG. Colours come from the page's style; the sentence of each plot stands beside it as text."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from windsock.report.formats import hours, seconds, share
from windsock.report.plots import CurvePlot, HeatPlot, Plot, RatePlot, StepPlot, TimelinePlot, WaitPlot

WIDTH, LEFT, RIGHT = 440.0, 46.0, 10.0
_INNER = WIDTH - LEFT - RIGHT
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def draw(plot: Plot) -> Markup:
    """The plot as one `<svg>`; its text equivalent is its label."""
    match plot:
        case RatePlot():
            body, height = _rate(plot), 130.0
        case StepPlot():
            body, height = _step(plot), 130.0
        case HeatPlot():
            body, height = _heat(plot), 7 * 16.0 + 22
        case CurvePlot():
            body, height = _curve(plot), len(plot.points) * 24.0 + 4
        case TimelinePlot():
            body, height = _timeline(plot), len(plot.bars) * 26.0 + 22
        case WaitPlot():
            body, height = _wait(plot), len(plot.bars) * 24.0 + 4
    label = escape(f"{plot.title}. {plot.text}")
    inner = "".join(body)
    return Markup(
        f'<svg class="plot {plot.kind}" role="img" aria-label="{label}" viewBox="0 0 {WIDTH:.0f} {height:.0f}" '
        f'preserveAspectRatio="xMinYMin meet">{inner}</svg>'
    )


def _text(x: float, y: float, text: str, anchor: str = "start", style: str = "") -> str:
    cls = f' class="{style}"' if style else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{cls}>{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line class="{style}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _scale(top: float, height: float, y: float) -> float:
    return 8 + (height - 8) * (1 - (y / top if top else 0))


def _grid(top: float, height: float, form: str) -> list[str]:
    """Bottom, middle and top lines with their values."""
    made = []
    for part in (0.0, 0.5, 1.0):
        y = _scale(1.0, height, part)
        told = share(part * top) if form == "share" else seconds(part * top)
        made += [_line(LEFT, y, WIDTH - RIGHT, y, "grid"), _text(LEFT - 6, y + 3.5, told, "end")]
    return made


def _rate(plot: RatePlot) -> list[str]:
    top = min(1.0, max((one[3] for one in plot.points if one), default=1.0) * 1.05)
    height, step = 108.0, _INNER / len(plot.points)
    made = _grid(top, height, "share")
    for place, point in enumerate(plot.points):
        x = LEFT + step * (place + 0.5)
        if point is None:
            continue
        label, rate, low, high = point
        style = "now" if place == len(plot.points) - 1 else "past"
        made.append(_line(x, _scale(top, height, low), x, _scale(top, height, high), f"whisker {style}"))
        made.append(f'<circle class="{style}" cx="{x:.1f}" cy="{_scale(top, height, rate):.1f}" r="4"/>')
        made.append(_text(x, 124, label, "middle"))
    return made


def _step(plot: StepPlot) -> list[str]:
    top = max([y for _, y in plot.points] + [plot.before_s, plot.after_s]) * 1.08 or 1.0
    height = 108.0
    made = _grid(top, height, "seconds")
    if plot.change:
        left, right = (LEFT + _INNER * one for one in plot.change)
        made.append(
            f'<rect class="span" x="{left:.1f}" y="8" width="{max(2.0, right - left):.1f}" height="{height - 8:.1f}"/>'
        )
        at = (left + right) / 2
        for level, start, end, style in (
            (plot.before_s, LEFT, at, "level past"),
            (plot.after_s, at, WIDTH - RIGHT, "level now"),
        ):
            y = _scale(top, height, level)
            made.append(_line(start, y, end, y, style))
    made += [
        f'<circle class="dot" cx="{LEFT + _INNER * x:.1f}" cy="{_scale(top, height, y):.1f}" r="2"/>'
        for x, y in plot.points
    ]
    made += [_text(LEFT, 124, plot.first), _text(WIDTH - RIGHT, 124, plot.last, "end")]
    return made


def _heat(plot: HeatPlot) -> list[str]:
    """Depth of colour is occupancy, a frame means full with tasks waiting: readable without colour too."""
    width = _INNER / 24
    made = []
    for day, row in enumerate(plot.cells):
        made.append(_text(LEFT - 6, day * 16 + 12, _DAYS[day], "end"))
        made += _heat_row(day, row, width)
    made += [_text(LEFT + width * hour, 7 * 16 + 14, f"{hour:02d}") for hour in (0, 6, 12, 18)]
    return made


def _heat_row(day: int, row: Sequence[tuple[float, float] | None], width: float) -> list[str]:
    made = []
    for hour, cell in enumerate(row):
        x, y = LEFT + width * hour, day * 16.0
        box = f'x="{x + 0.5:.1f}" y="{y + 0.5:.1f}" width="{width - 1.5:.1f}" height="14.5"'
        if cell is None:
            made.append(f'<rect class="none" {box}/>')
            continue
        style = "heat full" if cell[1] > 0 else "heat"
        made.append(
            f'<rect class="{style}" fill-opacity="{0.06 + 0.9 * min(1.0, max(0.0, cell[0])):.2f}" {box}/>'
        )
    return made


def _curve(plot: CurvePlot) -> list[str]:
    """One bar a size: hours still waited."""
    top = max(wait for _, wait in plot.points) or 1.0
    room = _INNER - 150
    made = []
    for place, (slots, wait) in enumerate(plot.points):
        y = place * 24.0
        style = "bar now" if place == 0 else "bar past"
        made.append(_text(LEFT + 52, y + 16, f"{slots} slots", "end"))
        made.append(
            f'<rect class="{style}" x="{LEFT + 60:.1f}" y="{y + 4:.1f}" width="{max(1.5, room * wait / top):.1f}" height="16" rx="2"/>'
        )
        told = hours(wait) + (" today" if place == 0 else "")
        made.append(_text(LEFT + 66 + max(1.5, room * wait / top), y + 16, told))
    return made


def _timeline(plot: TimelinePlot) -> list[str]:
    bottom = len(plot.bars) * 26.0
    left, room = 10.0, WIDTH - 20
    made = []
    for day in range(8):
        x = left + room * day / 7
        made.append(_line(x, 0, x, bottom, "grid"))
        if day < 7:
            made.append(_text(x + room / 14, bottom + 15, _DAYS[day], "middle"))
    for place, (label, _anchor, start, end, _tries) in enumerate(plot.bars):
        y = place * 26.0
        x, width = left + room * start, max(4.0, room * (end - start))
        made.append(
            f'<rect class="bar now" x="{x:.1f}" y="{y + 14:.1f}" width="{width:.1f}" height="8" rx="2"/>'
        )
        fits = x + len(label) * 6.5 < WIDTH - 10
        made.append(_text(x if fits else WIDTH - 10, y + 10, label, "start" if fits else "end"))
    return made


def _wait(plot: WaitPlot) -> list[str]:
    """One bar a limit; a frame instead of a colour for what nothing explains."""
    top = max(hours_waited for _, hours_waited, _ in plot.bars) or 1.0
    start, room = LEFT + 130, _INNER - 200
    styles = {"limit": "bar now", "other": "bar past", "unknown": "none"}
    made = []
    for place, (label, waited, style) in enumerate(plot.bars):
        y, width = place * 24.0, max(1.5, room * waited / top)
        made.append(_text(start - 8, y + 16, label, "end"))
        made.append(
            f'<rect class="{styles[style]}" x="{start:.1f}" y="{y + 4:.1f}" width="{width:.1f}" height="16" rx="2"/>'
        )
        made.append(_text(start + width + 6, y + 16, hours(waited)))
    return made
