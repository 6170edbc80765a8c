"""Draws an evaluation: probability along each episode, and the frames with the largest errors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lerobot_grasp_plugin.learning.classifier.evaluation import EpisodeVerdict, WorstFrame

_PLOT_WIDTH, _PLOT_HEIGHT, _LEFT, _TITLE, _GAP = 640, 90, 36, 16, 10
_COLUMNS = 2
_PAPER, _INK, _GREY = (255, 255, 255), (40, 40, 40), (170, 170, 170)
_LABEL, _CURVE, _WRONG = (196, 230, 200), (30, 80, 190), (220, 70, 40)
_TILE, _TILES = 144, 6


def plot_episodes(episodes: Sequence[EpisodeVerdict], threshold: float) -> Image.Image:
    """Probability along each episode; labelled success is shaded, frames on the wrong side are marked.

    Args:
        episodes: One plot each.
        threshold: Drawn as a line.
    """
    cell_width = _LEFT + _PLOT_WIDTH + _GAP
    cell_height = _TITLE + _PLOT_HEIGHT + _GAP
    columns = min(_COLUMNS, max(1, len(episodes)))
    rows = -(-len(episodes) // columns)
    image = Image.new("RGB", (columns * cell_width, max(1, rows) * cell_height), _PAPER)
    draw = ImageDraw.Draw(image)
    for number, episode in enumerate(episodes):
        row, column = divmod(number, columns)
        _plot(draw, episode, threshold, column * cell_width + _LEFT, row * cell_height + _TITLE)
    return image


def contact_sheet(frames: Sequence[WorstFrame]) -> Image.Image:
    """Frames side by side, each with episode, frame (both 0-based), label and probability.

    Args:
        frames: The frames, in layout order.
    """
    font = ImageFont.load_default(11)
    caption = 30
    rows = max(1, -(-len(frames) // _TILES))
    image = Image.new("RGB", (_TILES * (_TILE + 4), rows * (_TILE + caption + 4)), _PAPER)
    draw = ImageDraw.Draw(image)
    for number, frame in enumerate(frames):
        row, column = divmod(number, _TILES)
        left, top = column * (_TILE + 4), row * (_TILE + caption + 4)
        tile = Image.fromarray(frame.image)
        tile.thumbnail((_TILE, _TILE))
        image.paste(tile, (left, top))
        word = "success" if frame.label else "failure"
        text = f"episode {frame.episode_index} frame {frame.frame_index}\n{word}, p={frame.probability:.3f}"
        draw.text((left + 1, top + _TILE), text, fill=_INK, font=font, spacing=1)
    return image


def _plot(draw: ImageDraw.ImageDraw, episode: EpisodeVerdict, threshold: float, left: int, top: int) -> None:
    length = len(episode.probability)
    across = left + (np.arange(length + 1) * _PLOT_WIDTH / max(1, length))
    down = top + (1 - episode.probability.astype(np.float64)) * _PLOT_HEIGHT
    font = ImageFont.load_default(11)
    title = f"episode {episode.episode_index}  {episode.source}  {length} frames"
    draw.text((left, top - _TITLE), title, fill=_INK, font=font)
    wrong = np.zeros(length, np.bool_)
    if episode.label is not None:
        for frame in np.flatnonzero(episode.label).tolist():
            draw.rectangle((across[frame], top, across[frame + 1], top + _PLOT_HEIGHT), fill=_LABEL)
        wrong = (episode.probability > threshold) != episode.label
    draw.rectangle((left, top, left + _PLOT_WIDTH, top + _PLOT_HEIGHT), outline=_GREY)
    line = top + (1 - threshold) * _PLOT_HEIGHT
    draw.line((left, line, left + _PLOT_WIDTH, line), fill=_GREY)
    for value in (0.0, 1.0, threshold):
        draw.text((left - 30, top + (1 - value) * _PLOT_HEIGHT - 6), f"{value:.2f}", fill=_INK, font=font)
    middle = (across[:-1] + across[1:]) / 2
    points = list(zip(middle.tolist(), down.tolist(), strict=True))
    if length > 1:
        draw.line(points, fill=_CURVE, width=2)
    for frame in np.flatnonzero(wrong).tolist():
        x, y = points[frame]
        draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=_WRONG)
