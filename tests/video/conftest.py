"""Small videos, encoded once for the whole run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import pytest

from tests.support.video_judge import (
    AOM,
    AV1,
    AV1_OTHER_CRF,
    VP9,
    Recipe,
    concatenate,
    encode,
    remux,
    x264,
    x265,
)

av.logging.set_level(None)

RECIPES: dict[str, tuple[Recipe, int]] = {
    "av1-gop2": (AV1, 24),
    "av1-gop2-crf45": (AV1_OTHER_CRF, 24),
    "aom-gop8": (AOM, 24),
    "vp9-gop4": (VP9, 24),
    "h264-gop2": (x264(2), 24),
    "h264-gop12-b": (x264(12, 3), 24),
    "h264-gop12-crf40": (x264(12, 3, crf=40), 24),
    "h264-gop12-cavlc": (x264(12, 3, ":cabac=0"), 24),
    "h264-open-gop8": (x264(8, 3, ":open-gop=1:b-pyramid=normal"), 24),
    "hevc-open-gop6": (x265(6), 24),
    "hevc-open-gop8-b4": (x265(8, 4), 24),
    "hevc-closed-gop6": (x265(6, 2, open_gop=False), 24),
    "hevc-gop30": (x265(30, 4), 40),
}

Video = Callable[[str], Path]


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Video:
    """A video by name, made when first asked for."""
    folder = tmp_path_factory.mktemp("videos")

    def made(name: str) -> Path:
        path = folder / f"{name}.mp4"
        if path.exists():
            return path
        if name == "av1-concatenated":  # episodes of 7, 6 and 9 frames
            parts = [encode(folder / f"part-{n}.mp4", AV1, n, seed=n) for n in (7, 6, 9)]
            return concatenate(path, parts)
        if name == "h264-late":  # first frame is frame 7
            return remux(path, made("h264-gop12-b"), shift=7 * 1024)
        if name == "h264-edit-list":  # five frames before the edit list's start are hidden
            return remux(path, made("h264-gop12-b"), shift=-5 * 1024)
        recipe, frames = RECIPES[name]
        return encode(path, recipe, frames)

    return made
