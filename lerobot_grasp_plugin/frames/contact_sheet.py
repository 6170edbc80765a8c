"""Draws a contact sheet: one episode on one page, its frames numbered and framed by their label.

Made for paper and screen: a thick frame, a filled strip and a tick mark success, not only colour.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from PIL.Image import Resampling

from lerobot_grasp_plugin.core.annotations import IndexBase
from lerobot_grasp_plugin.core.grammar_ranges import format_ranges
from lerobot_grasp_plugin.core.intervals import IntervalSet

_WIDTH = 1980
_MARGIN, _GAP = 44, 10
_PAGE_RATIO = math.sqrt(2)
_SMALLEST, _LARGEST = 100, 300
"""Width of a thumbnail, pixels."""

_INK, _QUIET, _PAPER = (24, 28, 33), (97, 105, 115), (255, 255, 255)
_SUCCESS, _FAILURE, _FAILURE_STRIP = (17, 122, 62), (176, 182, 189), (238, 240, 242)

type _Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True, slots=True)
class SheetText:
    """The text on a sheet, next to its images.

    Attributes:
        dataset: Name of the dataset.
        episode: ``episode_index``.
        camera_key: Camera that the images are from.
        task: The task's sentence; empty for none.
        length: Frames of the episode.
        fps: Frames per second.
        stride: Every n-th frame is shown.
        index_base: Number of the first frame, 0 or 1.
    """

    dataset: str
    episode: int
    camera_key: str
    task: str
    length: int
    fps: float
    stride: int
    index_base: IndexBase


@dataclass(frozen=True, slots=True)
class _Grid:
    """The layout of the thumbnails."""

    columns: int
    rows: int
    width: int
    height: int

    @property
    def strip(self) -> int:
        """Height of the strip below a thumbnail that holds its number."""
        return max(30, round(self.width * 0.17))


def draw_sheet(
    frames: Iterable[tuple[int, NDArray[np.uint8]]], text: SheetText, success: IntervalSet | None
) -> Image.Image:
    """Draws a page.

    Args:
        frames: ``frame_index`` and image (height x width x 3, uint8, RGB) of the frames to show, in
            order; all images of one size.
        text: The text on it.
        success: The success frames, 0-based; None if the episode has no labels.
    """
    count = len(range(0, text.length, text.stride))
    header = _Header(text, success)
    page: Image.Image | None = None
    for place, (frame, pixels) in enumerate(frames):
        if page is None:
            grid = _grid(count, pixels.shape[1] / pixels.shape[0], header.height)
            height = header.height + grid.rows * (grid.height + grid.strip + _GAP) - _GAP + _MARGIN
            page = Image.new("RGB", (_WIDTH, height), _PAPER)
            header.draw(page)
        row, column = divmod(place, grid.columns)
        used = grid.columns * grid.width + (grid.columns - 1) * _GAP
        across = (_WIDTH - used) // 2 + column * (grid.width + _GAP)
        down = header.height + row * (grid.height + grid.strip + _GAP)
        thumbnail = Image.fromarray(pixels).resize((grid.width, grid.height), Resampling.LANCZOS)
        is_success = None if success is None else frame in success
        _draw_frame(page, (across, down), thumbnail, grid.strip, str(frame + text.index_base), is_success)
    assert page is not None, "an episode has at least one frame"
    return page


def _grid(count: int, ratio: float, header: int) -> _Grid:
    """The number of columns that brings a page closest to an upright sheet of paper.

    Args:
        count: Thumbnails.
        ratio: Width of an image divided by its height.
        header: Height of the header above them.
    """
    best: tuple[float, _Grid] | None = None
    inner = _WIDTH - 2 * _MARGIN
    for columns in range(1, count + 1):
        width = min(_LARGEST, (inner + _GAP) // columns - _GAP)
        if width < _SMALLEST and best is not None:
            break
        grid = _Grid(columns, math.ceil(count / columns), width, max(1, round(width / ratio)))
        height = header + grid.rows * (grid.height + grid.strip + _GAP) + _MARGIN
        miss = abs(math.log(height / (_WIDTH * _PAGE_RATIO)))
        if best is None or miss < best[0] - 1e-9:
            best = (miss, grid)
    assert best is not None
    return best[1]


def _draw_frame(
    page: Image.Image,
    at: tuple[int, int],
    thumbnail: Image.Image,
    strip: int,
    number: str,
    is_success: bool | None,
) -> None:
    draw = ImageDraw.Draw(page)
    x, y = at
    right, below = x + thumbnail.width - 1, y + thumbnail.height + strip - 1
    colour = _SUCCESS if is_success else _FAILURE
    draw.rectangle((x, y, right, below), fill=_SUCCESS if is_success else _FAILURE_STRIP)
    page.paste(thumbnail, at)
    draw.rectangle((x, y, right, below), outline=colour, width=5 if is_success else 2)
    font = _font(strip * 0.8)
    middle = y + thumbnail.height + strip / 2 - (2 if is_success else 0)
    ink = _PAPER if is_success else _INK
    draw.text((x + thumbnail.width / 2, middle), number, ink, font, anchor="mm")
    if is_success:
        _tick(draw, x + 9, middle, strip * 0.5, _PAPER)


def _tick(draw: ImageDraw.ImageDraw, x: float, middle: float, size: float, colour: tuple[int, ...]) -> None:
    points = [(x, middle), (x + 0.36 * size, middle + 0.36 * size), (x + size, middle - 0.4 * size)]
    draw.line(points, fill=colour, width=max(3, round(size / 5)), joint="curve")


class _Header:
    """Title, figures, the labels as in the annotation file, and a bar of the episode."""

    def __init__(self, text: SheetText, success: IntervalSet | None) -> None:
        self._text = text
        self._success = success
        self.height = _MARGIN + (218 if text.task else 180)

    def draw(self, page: Image.Image) -> None:
        """Draws it at the top of a page."""
        text, draw = self._text, ImageDraw.Draw(page)
        y = _MARGIN
        title = f"episode {text.episode}"
        draw.text((_MARGIN, y), title, _INK, _font(50))
        edge = _MARGIN + draw.textlength(title, _font(50)) + 26
        _fitted(draw, (edge, y + 21), text.dataset, _QUIET, 30, _WIDTH - _MARGIN - edge)
        y += 72
        if text.task:
            _fitted(draw, (_MARGIN, y), text.task, _INK, 30, _WIDTH - 2 * _MARGIN)
            y += 38
        _fitted(draw, (_MARGIN, y), self._figures(), _QUIET, 25, _WIDTH - 2 * _MARGIN)
        self._draw_bar(draw, y + 48)

    def _figures(self) -> str:
        text = self._text
        last = text.length - 1 + text.index_base
        parts = [text.camera_key, f"frames {text.index_base}-{last}, {text.length / text.fps:.1f} s"]
        if text.stride > 1:
            parts.append(f"every {text.stride}th shown")
        if self._success is None:
            return "  ·  ".join([*parts, "not labelled"])
        count = self._success.count(text.length)
        if not count:
            return "  ·  ".join([*parts, "no success frames"])
        ranges = format_ranges(self._success.intervals, text.index_base)
        share = f"{count} of {text.length} frames, {100 * count / text.length:.1f} %"
        return "  ·  ".join([*parts, f"success {ranges} ({share})"])

    def _draw_bar(self, draw: ImageDraw.ImageDraw, y: int) -> None:
        """The episode as one bar, its success frames filled, with frame numbers below."""
        text, inner = self._text, _WIDTH - 2 * _MARGIN
        draw.rectangle((_MARGIN, y + 6, _WIDTH - _MARGIN, y + 12), fill=_FAILURE)
        for interval in (self._success or IntervalSet()).clip(text.length):
            assert interval.stop is not None
            left = _MARGIN + inner * interval.start / text.length
            right = _MARGIN + inner * interval.stop / text.length
            draw.rectangle((left, y, max(left + 3, right), y + 18), fill=_SUCCESS)
        step = next(size for size in (1, 2, 5, 10, 20, 50, 100, 200, 500, 10**9) if text.length / size <= 22)
        for number in range(text.index_base, text.length + text.index_base):
            if number % step and number != text.index_base:
                continue
            x = _MARGIN + inner * (number - text.index_base + 0.5) / text.length
            draw.line((x, y + 18, x, y + 24), fill=_QUIET, width=2)
            draw.text((x, y + 38), str(number), _QUIET, _font(20), anchor="mm")


def _fitted(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    words: str,
    colour: tuple[int, ...],
    size: float,
    width: float,
) -> None:
    """Writes a line, shortened if it is too long."""
    line, font = words.replace("\n", " ").replace("\r", " "), _font(size)
    if draw.textlength(line, font) > width:
        while line and draw.textlength(line + " ...", font) > width:
            line = line[:-1]
        line = line.rstrip() + " ..."
    draw.text(at, line, colour, font)


def _font(size: float) -> _Font:
    return ImageFont.load_default(size)
