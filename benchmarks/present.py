"""The measurements as a markdown table and as a plot."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

COLOURS = ("#1f6fb4", "#d1495b", "#3a7d44", "#8a5a9e", "#b07d2b", "#4c4c4c")
WIDTH, HEIGHT, MARGIN = 560, 380, 70


def markdown(description: Mapping[str, str], measurements: Sequence[Mapping[str, Any]]) -> str:
    """One row for every measured command."""
    lines = [f"- {name}: {value}" for name, value in description.items()]
    lines += [
        "",
        "| part | what | wall s | CPU s | peak MB | written MB | runs |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for found in measurements:
        run = found["median"]
        peak = max(one["peak_mb"] for one in found["runs"])
        lines.append(
            f"| {found['part']} | {found['name']} | {run['wall_s']:.2f} | {run['cpu_s']:.2f} | {peak:.0f} | "
            f"{run['written_mb']:.1f} | {len(found['runs'])} |"
        )
    return "\n".join(lines) + "\n"


def plot(series: Mapping[str, Mapping[int, Mapping[str, float]]], path: Path) -> None:
    """Time, peak memory and bytes written over the number of episodes, both axes logarithmic.

    Args:
        series: Way -> episodes -> the medians.
        path: The PNG.
    """
    from PIL import Image, ImageDraw

    panels = (("wall_s", "wall time, s"), ("peak_mb", "peak memory, MB"), ("written_mb", "written, MB"))
    image = Image.new("RGB", (WIDTH * len(panels), HEIGHT + 20 * len(series)), "white")
    draw = ImageDraw.Draw(image)
    for number, (what, title) in enumerate(panels):
        points = {
            way: [(count, run[what]) for count, run in sorted(runs.items()) if run[what] > 0]
            for way, runs in series.items()
        }
        _panel(draw, number * WIDTH, title, points)
    for number, way in enumerate(series):
        at = HEIGHT + 20 * number
        draw.rectangle((MARGIN, at, MARGIN + 12, at + 12), fill=COLOURS[number % len(COLOURS)])
        draw.text((MARGIN + 20, at), way, fill="black")
    image.save(path)


def _panel(draw: Any, left: int, title: str, points: Mapping[str, Sequence[tuple[int, float]]]) -> None:
    every = [point for line in points.values() for point in line]
    if not every:
        return
    low_x, high_x = _decades([count for count, _ in every])
    low_y, high_y = _decades([value for _, value in every])

    def place(count: float, value: float) -> tuple[float, float]:
        x = left + MARGIN + (math.log10(count) - low_x) / (high_x - low_x) * (WIDTH - 2 * MARGIN)
        y = HEIGHT - MARGIN - (math.log10(value) - low_y) / (high_y - low_y) * (HEIGHT - 2 * MARGIN)
        return x, y

    draw.text((left + MARGIN, MARGIN / 2), title, fill="black")
    for decade in range(low_x, high_x + 1):
        x, y = place(10**decade, 10**low_y)
        draw.line((x, y, x, MARGIN), fill="#e4e4e4")
        draw.text((x - 12, y + 6), f"{10**decade:g}", fill="black")
    for decade in range(low_y, high_y + 1):
        x, y = place(10**low_x, 10**decade)
        draw.line((x, y, left + WIDTH - MARGIN, y), fill="#e4e4e4")
        draw.text((left + 14, y - 6), f"{10**decade:g}", fill="black")
    draw.text((left + WIDTH / 2 - 30, HEIGHT - MARGIN / 2), "episodes", fill="black")
    for number, line in enumerate(points.values()):
        colour, placed = COLOURS[number % len(COLOURS)], [place(*point) for point in line]
        draw.line(placed, fill=colour, width=2)
        for x, y in placed:
            draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=colour)


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)
