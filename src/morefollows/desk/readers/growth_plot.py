"""The chart of readers over time: coordinates of lines and bars in an SVG of 1000 × 300."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from morefollows.audience.statistics.growth import Day

_WIDTH = 1000.0
_LEFT, _RIGHT, _TOP = 64.0, 8.0, 12.0
_LINE_BOTTOM = 190.0  # the line of the total is above, the bars of each day are below
_BARS_TOP, _BARS_BOTTOM = 214.0, 276.0


class Tick(NamedTuple):
    """A horizontal grid line and its value."""

    y: str
    value: int


class Bar(NamedTuple):
    """A rectangle for one day."""

    kind: str  #: came or went
    x: str
    y: str
    width: str
    height: str


class Mark(NamedTuple):
    """A date below the chart. `anchor`: the SVG text-anchor at `x`."""

    x: str
    day: date
    anchor: str


class Plot(NamedTuple):
    """All coordinates of the chart, formatted for SVG."""

    line: str  #: the path of the total
    area: str  #: the same, closed at the bottom
    ticks: list[Tick]
    bars: list[Bar]
    middle: str  #: y of the bars' base line; "came" is above, "went" below
    marks: list[Mark]


def plot(days: Sequence[Day]) -> Plot:
    """Computes the chart. `days`: at least two."""
    width = (_WIDTH - _LEFT - _RIGHT) / len(days)
    ticks = _ticks(max(day.total for day in days))
    scale = (_LINE_BOTTOM - _TOP) / ticks[-1]
    points = [
        f"{_number(_LEFT + (place + 0.5) * width)} {_number(_LINE_BOTTOM - day.total * scale)}"
        for place, day in enumerate(days)
    ]
    line = "M" + " L".join(points)
    foot = _number(_LINE_BOTTOM)
    area = f"{line} L{points[-1].split()[0]} {foot} L{points[0].split()[0]} {foot} Z"
    middle, bars = _bars(days, width)
    return Plot(
        line,
        area,
        [Tick(_number(_LINE_BOTTOM - value * scale), value) for value in ticks],
        bars,
        middle,
        [
            Mark(_number(_LEFT + (place + 0.5) * width), days[place].day, anchor)
            for place, anchor in ((0, "start"), (len(days) // 2, "middle"), (len(days) - 1, "end"))
        ],
    )


def _bars(days: Sequence[Day], width: float) -> tuple[str, list[Bar]]:
    most_came, most_went = max(day.came for day in days), max(day.went for day in days)
    scale = (_BARS_BOTTOM - _BARS_TOP) / max(most_came + most_went, 1)
    middle = _BARS_TOP + most_came * scale
    bars = []
    for place, day in enumerate(days):
        x, wide = _number(_LEFT + place * width + width * 0.1), _number(width * 0.8)
        if day.came:
            bars.append(
                Bar("came", x, _number(middle - day.came * scale), wide, _number(day.came * scale))
            )
        if day.went:
            bars.append(Bar("went", x, _number(middle), wide, _number(day.went * scale)))
    return _number(middle), bars


def _ticks(most: int) -> list[int]:
    """0 and up to four round values above; the last is at least `most`."""
    step = max(1, 10 ** math.floor(math.log10(max(most, 1))))
    rounds = [
        step * factor // divisor for factor, divisor in ((1, 4), (1, 2), (1, 1), (2, 1), (5, 1))
    ]
    step = next(value for value in rounds if value and value * 4 >= most)
    return [step * times for times in range(max(1, math.ceil(most / step)) + 1)]


def _number(value: float) -> str:
    """Formats a coordinate, independent of the locale."""
    return f"{value:.1f}".removesuffix(".0")
