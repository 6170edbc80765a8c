"""Draws a wrist camera's images: a table, a cube, and the two jaws that close on it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from lerobot_grasp_plugin.demo.motion import HOLDING, Motion

HEIGHT, WIDTH = 240, 320

type Frame = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8]]
"""State, action and image of a recording."""

_DRAWN = 2  # shapes are drawn this much larger, then reduced, for smooth edges
_GRASP = (160.0, 128.0)  # pixel between the fingertips
_CUBE = 52.0  # width of the cube in pixels, as seen between the fingertips
_FIXED_FACE = _GRASP[0] - _CUBE / 2  # pixel column of the fixed jaw's inner side
_TABLE, _TABLE_PER_CUBE = 1024, 32  # side of the table's image, and of a cube on it
_NOISE_ROOM = 32

_JAW, _JAW_EDGE, _PAD = (232, 184, 52), (150, 112, 24), (58, 58, 62)
_CUBE_TOP, _CUBE_FRONT, _CUBE_EDGE = (214, 58, 48), (150, 30, 28), (96, 16, 18)


class Scene:
    """Draws the frames of one episode.

    Args:
        rng: Decides the table and the noise of the sensor.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._table = _table(rng)
        noise = rng.normal(0, 2.0, (HEIGHT + _NOISE_ROOM, WIDTH + _NOISE_ROOM, 3))
        self._noise = noise.round().astype(np.int16)
        self._rng = rng

    def draw(self, motion: Motion, frame_index: int) -> NDArray[np.uint8]:
        """One frame: RGB, shape (HEIGHT, WIDTH, 3).

        Args:
            motion: The episode.
            frame_index: 0-based.
        """
        height = float(motion.height[frame_index])
        gripper = motion.gripper[frame_index]
        scale = _CUBE / (1 + 1.6 * height)  # pixels of a cube's width on the table
        image = self._table_below(gripper, scale)
        draw = ImageDraw.Draw(image, "RGBA")
        if motion.held[frame_index]:
            away = scale * (0.3 + 1.1 * height)
            _shadow(draw, _GRASP[0] + away, _GRASP[1] + 0.6 * away, scale)
            _cube(draw, *_GRASP, _CUBE)
        else:
            x, y = _GRASP + (motion.cube[frame_index] - gripper) * scale
            _shadow(draw, x + 0.16 * scale, y + 0.1 * scale, scale)
            _cube(draw, x, y, scale)
        _jaws(draw, _FIXED_FACE + _CUBE * float(motion.opening[frame_index]) / HOLDING)
        pixels = np.asarray(image.reduce(_DRAWN), dtype=np.int16)
        top, left = self._rng.integers(0, _NOISE_ROOM, 2)
        pixels = pixels + self._noise[top : top + HEIGHT, left : left + WIDTH]
        return pixels.clip(0, 255).astype(np.uint8)

    def _table_below(self, gripper: NDArray[np.float64], scale: float) -> Image.Image:
        step = _TABLE_PER_CUBE / scale
        corner = _TABLE / 2 + gripper * _TABLE_PER_CUBE - np.array(_GRASP) * step
        moved = (step, 0, float(corner[0]), 0, step, float(corner[1]))
        below = self._table.transform(
            (WIDTH, HEIGHT), Image.Transform.AFFINE, moved, Image.Resampling.BILINEAR
        )
        return below.resize((WIDTH * _DRAWN, HEIGHT * _DRAWN), Image.Resampling.NEAREST)


def _table(rng: np.random.Generator) -> Image.Image:
    """A worn cutting mat with a grid on it."""
    shade = np.zeros((_TABLE, _TABLE), np.float32)
    for cell in (4, 32, 128):
        coarse = rng.normal(0, 5, (_TABLE // cell, _TABLE // cell)).astype(np.float32)
        shade += np.asarray(Image.fromarray(coarse).resize((_TABLE, _TABLE), Image.Resampling.BICUBIC))
    mat = np.array([72, 104, 96], np.float32) + rng.uniform(-8, 8)
    image = Image.fromarray((mat + shade[..., None]).clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image, "RGBA")
    for line in range(0, _TABLE, 2 * _TABLE_PER_CUBE):
        draw.line([(line, 0), (line, _TABLE)], fill=(190, 205, 195, 110), width=2)
        draw.line([(0, line), (_TABLE, line)], fill=(190, 205, 195, 110), width=2)
    return image


def _polygon(
    draw: ImageDraw.ImageDraw,
    points: list[tuple[float, float]],
    fill: tuple[int, ...],
    outline: tuple[int, ...] | None = None,
) -> None:
    scaled = [(x * _DRAWN, y * _DRAWN) for x, y in points]
    draw.polygon(scaled, fill=fill, outline=outline, width=_DRAWN)


def _shadow(draw: ImageDraw.ImageDraw, x: float, y: float, size: float) -> None:
    for grown, alpha in ((0.62, 45), (0.52, 70)):
        half = size * grown
        box = (x - half, y - 0.9 * half, x + half, y + 1.1 * half)
        draw.rounded_rectangle([edge * _DRAWN for edge in box], radius=half * 0.5, fill=(0, 0, 0, alpha))


def _cube(draw: ImageDraw.ImageDraw, x: float, y: float, size: float) -> None:
    half, front, rim = size / 2, y + 0.22 * size, y + 0.55 * size
    back = y - 0.5 * size
    front_face = [(x - half, front), (x + half, front), (x + 0.96 * half, rim), (x - 0.96 * half, rim)]
    top_face = [(x - 0.92 * half, back), (x + 0.92 * half, back), (x + half, front), (x - half, front)]
    _polygon(draw, front_face, _CUBE_FRONT, _CUBE_EDGE)
    _polygon(draw, top_face, _CUBE_TOP, _CUBE_EDGE)


def _jaws(draw: ImageDraw.ImageDraw, face: float) -> None:
    """Both jaws; ``face`` is the pixel column of the moving jaw's inner side."""
    left = _FIXED_FACE
    fixed = [(left - 14, 92), (left, 98), (left, 158), (124, 240), (58, 240), (left - 32, 150)]
    moving = [(face + 14, 92), (face, 98), (face, 158), (190, 240), (262, 240), (face + 32, 150)]
    for jaw in (fixed, moving):
        _polygon(draw, [(float(x), float(y)) for x, y in jaw], _JAW, _JAW_EDGE)
    for inner, outer in ((left, left - 6), (face, face + 6)):
        _polygon(draw, [(inner, 100), (inner, 154), (outer, 150), (outer, 98)], _PAD)
