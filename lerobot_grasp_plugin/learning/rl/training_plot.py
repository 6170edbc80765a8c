"""Draws the course of a run as one image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

PLOT = "training.png"
"""Name of the image in the run's ``output_dir``."""

_PANELS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("share of the last 20 episodes", ("rewarded", "held", "false_rewards", "interventions")),
    ("reward of an episode and Q", ("reward", "q")),
    ("entropy, nats", ("entropy",)),
    ("temperature", ("temperature",)),
    ("per second", ("updates_per_second", "steps_per_second")),
)
_SHARES = 0
_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM, _RIGHT = 560, 130, 60, 20, 18, 20
_PAPER, _INK, _GREY = (255, 255, 255), (40, 40, 40), (180, 180, 180)
_COLOURS = ((30, 80, 190), (20, 140, 60), (210, 60, 40), (150, 110, 20))


def plot_training(rows: Sequence[Mapping[str, float | None]], path: Path) -> None:
    """Draw all rows of a run's ``training.jsonl`` over the updates.

    Args:
        rows: In their order; a value that is None is left out.
        path: The PNG to write; one that exists is replaced.
    """
    height = _TOP + _HEIGHT + _BOTTOM
    image = Image.new("RGB", (_LEFT + _WIDTH + _RIGHT, height * len(_PANELS)), _PAPER)
    draw = ImageDraw.Draw(image)
    for number, (title, names) in enumerate(_PANELS):
        limits = (0.0, 1.0) if number == _SHARES else None
        _panel(draw, number * height + _TOP, title, {name: _points(rows, name) for name in names}, limits)
    image.save(path)


def _points(rows: Sequence[Mapping[str, float | None]], name: str) -> list[tuple[float, float]]:
    found = ((row.get("update"), row.get(name)) for row in rows)
    return [(float(x), float(y)) for x, y in found if x is not None and y is not None]


def _panel(
    draw: ImageDraw.ImageDraw,
    top: int,
    title: str,
    curves: Mapping[str, Sequence[tuple[float, float]]],
    limits: tuple[float, float] | None,
) -> None:
    font = ImageFont.load_default(11)
    points = [point for curve in curves.values() for point in curve]
    draw.rectangle((_LEFT, top, _LEFT + _WIDTH, top + _HEIGHT), outline=_GREY)
    draw.text((_LEFT, top - 15), title, fill=_INK, font=font)
    if not points:
        return
    first, last = min(x for x, _ in points), max(x for x, _ in points)
    low, high = limits or (min(y for _, y in points), max(y for _, y in points))
    wide, tall = (last - first) or 1.0, (high - low) or 1.0
    for value, down in ((high, top), (low, top + _HEIGHT)):
        draw.text((4, down - 6), f"{value:.3g}", fill=_INK, font=font)
    for value, across in ((first, _LEFT), (last, _LEFT + _WIDTH - 30)):
        draw.text((across, top + _HEIGHT + 2), f"{value:.0f}", fill=_INK, font=font)
    right = _LEFT + _WIDTH
    for number, (name, curve) in reversed(list(enumerate(curves.items()))):
        places = [
            (_LEFT + (x - first) / wide * _WIDTH, top + _HEIGHT - (y - low) / tall * _HEIGHT)
            for x, y in curve
        ]
        if not places:
            continue
        if len(places) > 1:
            draw.line(places, fill=_COLOURS[number], width=2)
        else:
            x, y = places[0]
            draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=_COLOURS[number])
        label = name.replace("_", " ")
        right -= int(draw.textlength(label, font=font)) + 12
        draw.text((right, top - 15), label, fill=_COLOURS[number], font=font)
