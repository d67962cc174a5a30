"""Charts as SVG: no script, no network, sharp on paper; places and values are read from the table beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

# Narrow, so that a phone, which shrinks it to 360 points, leaves the texts readable.
WIDTH, HEIGHT, LEFT, RIGHT, BOTTOM = 480, 220, 52, 28, 28
ROW, LABEL, LETTERS = 24, 190, 27
STEPS = 4


def lines(places: Sequence[str], series: Mapping[str, Sequence[float | None]]) -> str:
    """A line a series over periods; a gap where there is no value."""
    most = max((value for values in series.values() for value in values if value is not None), default=0.0) or 1.0
    across = (WIDTH - LEFT - RIGHT) / max(len(places) - 1, 1)
    drawn = [_grid(most)]
    for nth, (name, values) in enumerate(series.items()):
        points = [
            (LEFT + place * across, _height(value, most)) if value is not None else None
            for place, value in enumerate(values)
        ]
        for run in _runs(points):
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in run)
            drawn.append(f'<polyline class="s{nth}" points="{path}"/>')
            drawn += [f'<circle class="s{nth}" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in run]
        drawn.append(f'<text class="s{nth} key" x="{LEFT + nth * 140}" y="12">{escape(name)}</text>')
    every = max(1, len(places) // 6)
    drawn += [
        f'<text class="at" x="{LEFT + place * across:.1f}" y="{HEIGHT - 8}">{escape(name)}</text>'
        for place, name in enumerate(places)
        if place % every == 0
    ]
    return _svg(HEIGHT, drawn)


def bars(places: Sequence[str], values: Sequence[float | None], shown: Sequence[str]) -> str:
    """A bar a member, its value written beside it."""
    most = max((abs(value) for value in values if value is not None), default=0.0) or 1.0
    drawn = []
    for nth, (name, value, text) in enumerate(zip(places, values, shown, strict=True)):
        y = nth * ROW
        kind = "under" if (value or 0) < 0 else "bar"
        width = (WIDTH - LABEL - 80) * abs(value or 0) / most
        drawn += [
            f'<text class="member" x="{LABEL - 8}" y="{y + 16}">{escape(_ending(name))}</text>',
            f'<rect class="{kind}" x="{LABEL}" y="{y + 4}" width="{width:.1f}" height="16"/>',
            f'<text class="value" x="{LABEL + width + 6:.1f}" y="{y + 16}">{escape(text)}</text>',
        ]
    return _svg(len(places) * ROW + 4, drawn)


def _svg(height: float, drawn: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img">{"".join(drawn)}</svg>'


def _height(value: float, most: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - 24) * max(value, 0) / most


def _grid(most: float) -> str:
    marks = []
    for step in range(STEPS + 1):
        value = most * step / STEPS
        y = _height(value, most)
        marks.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        marks.append(f'<text class="scale" x="{LEFT - 6}" y="{y + 4:.1f}">{_short(value)}</text>')
    return "".join(marks)


def _short(value: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def _ending(name: str) -> str:
    """Of a long name its end, which tells it from its like."""
    return name if len(name) <= LETTERS else f"…{name[1 - LETTERS :]}"


def _runs(points: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    """Points that follow each other without a gap."""
    runs: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is None:
            runs.append([])
        else:
            runs[-1].append(point)
    return [run for run in runs if run]
