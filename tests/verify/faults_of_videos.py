"""Damage to video files, and to what the metadata says of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.factories import encode
from tests.verify.damage import CAMERA, LENGTHS, Target, add_streams, in_fragments, turn
from tests.verify.faults import (
    LEGACY,
    V3,
    add,
    video_of,
)

# -- videos ---------------------------------------------------------------------------------------

LAST = len(LENGTHS) - 1
STILL = np.broadcast_to(2 * np.arange(96, dtype=np.uint8)[:, None], (64, 96, 3)).copy()


def _last_video(target: Target) -> Path:
    return target.video(LAST)


def _shifted(images: list[Any], frame: int, by: float) -> list[Any]:
    return [replace(p, at=p.at + by * (at >= frame)) for at, p in enumerate(images)]


def _unmarked(images: list[Any], *frames: int) -> list[Any]:
    return [replace(p, is_keyframe=p.is_keyframe and at not in frames) for at, p in enumerate(images)]


def _without(images: list[Any], frame: int) -> list[Any]:
    return [*images[:frame], *images[frame + 1 :]]


add(
    "video",
    "cut off",
    lambda t: t.video().write_bytes(t.video().read_bytes()[:700]),
    "video-truncated",
    where=video_of,
)
add(
    "video",
    "never finished (no moov)",
    lambda t: t.video().write_bytes(t.video().read_bytes()[:32] + b"\0\0\0\x10mdat" + bytes(8)),
    "video-truncated",
    where=video_of,
)
add(
    "video",
    "not a video",
    lambda t: t.video().write_bytes(b"GIF89a" + bytes(500)),
    "video-unreadable",
    where=video_of,
)
add(
    "video",
    "tail frames missing",
    lambda t: t.remux(lambda p: p[:-2], LAST),
    "video-too-short",
    where=_last_video,
    episode=2,
    frame=11,
)
add(
    "video",
    "a frame missing inside",
    lambda t: t.remux(lambda p: _without(p, t.first_image() + 5)),
    "video-frame-missing",
    where=video_of,
    episode=1,
    frame=5,
)
add(
    "video",
    "a frame missing, the others moved up",
    lambda t: t.remux(
        lambda p: _shifted(_without(p, t.first_image(LAST) + 5), t.first_image(LAST) + 5, -1), LAST
    ),
    "video-too-short",
    where=_last_video,
    episode=2,
    frame=12,
)
add(
    "video",
    "frames no row refers to",
    lambda t: t.remux(lambda p: [*p, *(replace(q, at=p[-1].at + 1 + n) for n, q in enumerate(p[:2]))], LAST),
    "unreferenced-frames",
    "warning",
    where=_last_video,
    episode=2,
)
add(
    "video",
    "frames between two episodes",
    lambda t: (t.change_rows(lambda table: table.slice(0, 9)), t.change_episode(1, length=9)),
    "unreferenced-frames",
    "warning",
    where=video_of,
    episode=1,
)
add(
    "video",
    "images begin late",
    lambda t: t.remux(lambda p: _shifted(p, 0, 2)),
    "video-frame-missing",
    where=video_of,
    formats=LEGACY,
    episode=1,
    frame=0,
)
add(
    "video",
    "images begin half a frame late",
    lambda t: t.remux(lambda p: _shifted(p, 0, 0.5)),
    "video-off-grid",
    where=video_of,
    formats=LEGACY,
    episode=1,
    frame=0,
)
add(
    "video",
    "fragments that begin late",
    lambda t: in_fragments(t.video(0)),
    "video-frame-missing",
    where=lambda t: t.video(0),
    episode=0,
    frame=0,
    formats=("v2.1",),
)
add(
    "video",
    "one image off the grid",
    lambda t: t.remux(
        lambda p: [replace(q, at=q.at + 0.3 * (n == t.first_image() + 5)) for n, q in enumerate(p)]
    ),
    "video-off-grid",
    where=video_of,
    episode=1,
    frame=5,
)
add(
    "video",
    "another frame rate",
    lambda t: t.remux(lambda p: [replace(q, at=q.at * 0.8) for q in p]),
    "video-wrong-fps",
    where=video_of,
)
add(
    "video",
    "twice as many images",
    lambda t: encode(t.video(), [np.full((64, 96, 3), n, np.uint8) for n in range(2 * LENGTHS[1])], 20),
    "video-wrong-fps",
    "warning",
    where=video_of,
    formats=LEGACY,
)
add(
    "video",
    "from_timestamp off the grid",
    lambda t: t.change_episode(1, camera__from_timestamp=1.23, camera__to_timestamp=2.33),
    "video-off-grid",
    where=video_of,
    episode=1,
    frame=0,
    formats=V3,
)
add(
    "video",
    "from_timestamp past the end",
    lambda t: t.change_episode(2, camera__from_timestamp=9.0, camera__to_timestamp=10.3),
    "video-too-short",
    where=video_of,
    episode=2,
    frame=0,
    formats=V3,
)
add(
    "video",
    "from_timestamp a frame early",
    lambda t: t.change_episode(1, camera__from_timestamp=1.1, camera__to_timestamp=2.2),
    "video-overlap",
    where=video_of,
    episode=1,
    frame=0,
    formats=V3,
)
add(
    "video",
    "two episodes share their images",
    lambda t: t.change_episode(1, camera__from_timestamp=0.0, camera__to_timestamp=1.1),
    "video-overlap",
    where=video_of,
    episode=1,
    frame=0,
    formats=V3,
)
add(
    "video",
    "to_timestamp differs from the rows",
    lambda t: t.change_episode(1, camera__to_timestamp=2.0),
    "video-wrong-to-timestamp",
    "warning",
    where=video_of,
    episode=1,
    formats=V3,
)
add(
    "video",
    "size differs from shape",
    lambda t: t.set_feature(CAMERA, shape=[48, 64, 3]),
    "video-wrong-size",
    where=lambda t: t.video(0),
    episode=0,
)
add(
    "video",
    "size differs from info",
    lambda t: t.set_video_info(height=48),
    "video-wrong-info",
    "warning",
    where=lambda t: t.video(0),
    episode=0,
)
add(
    "video",
    "codec differs from info",
    lambda t: t.set_video_info(codec="hevc"),
    "video-wrong-codec",
    "warning",
    where=lambda t: t.video(0),
    episode=0,
)
add(
    "video",
    "pix_fmt differs from info",
    lambda t: t.set_video_info(pix_fmt="yuv444p"),
    "video-wrong-pix-fmt",
    "warning",
    where=lambda t: t.video(0),
    episode=0,
)
add(
    "video",
    "fps differs from info",
    lambda t: t.set_video_info(fps=30),
    "video-wrong-info",
    "warning",
    where=lambda t: t.video(0),
    episode=0,
)
add(
    "video",
    "episode begins off a keyframe",
    lambda t: t.remux(lambda p: _unmarked(p, t.first_image())),
    "episode-off-keyframe",
    "note",
    where=video_of,
    episode=1,
    frame=0,
    formats=V3,
)
add(
    "video",
    "file begins without a keyframe",
    lambda t: t.remux(lambda p: _unmarked(p, 0, 1), 0),
    "video-no-keyframe",
    where=lambda t: t.video(0),
    episode=0,
    frame=0,
)
add("video", "two images at one time", lambda t: _twice(t), "video-picture-twice", where=video_of)
add(
    "video",
    "an edit list hides images",
    lambda t: t.remux(lambda p: _shifted(p, 0, -2), 0),
    "video-edit-list",
    "warning",
    where=lambda t: t.video(0),
    episode=0,
)
add(
    "video",
    "audio beside the images",
    lambda t: add_streams(t.video(0), "audio"),
    "video-audio",
    "note",
    where=lambda t: t.video(0),
    episode=0,
)
add(
    "video",
    "two video streams",
    lambda t: add_streams(t.video(0), "video"),
    "video-extra-stream",
    "warning",
    where=lambda t: t.video(0),
    episode=0,
)
add(
    "video",
    "an image that cannot be decoded",
    lambda t: t.remux(
        lambda p: [
            replace(q, data=q.data if n != t.first_image() + 5 else q.data[:6] + bytes(len(q.data) - 6))
            for n, q in enumerate(p)
        ]
    ),
    "video-frame-undecodable",
    where=video_of,
    episode=1,
    frame=5,
    level="decode",
)
add(
    "video",
    "images are all black",
    lambda t: encode(t.video(), [np.zeros((64, 96, 3), np.uint8)] * LENGTHS[1]),
    "video-frame-flat",
    "warning",
    where=video_of,
    episode=1,
    frame=0,
    level="decode",
    formats=LEGACY,
)


add(
    "video",
    "the image stands still",
    lambda t: encode(t.video(), [STILL] * LENGTHS[1]),
    "video-frozen",
    "warning",
    where=video_of,
    episode=1,
    frame=0,
    level="decode",
    formats=LEGACY,
)
add(
    "video",
    "the camera freezes for a second",
    lambda t: encode(t.video(), [np.roll(STILL, 40 * max(0, n - 9), 1) for n in range(LENGTHS[1])]),
    "frozen-camera",
    "warning",
    where=video_of,
    episode=1,
    frame=0,
    level="decode",
    formats=LEGACY,
)
add(
    "video",
    "an open GOP of H.264",
    lambda t: encode_open(t.video(), LENGTHS[1], "libx264"),
    "video-open-gop",
    "warning",
    where=video_of,
    episode=1,
    formats=LEGACY,
)
add(
    "video",
    "an open GOP of HEVC",
    lambda t: encode_open(t.video(), LENGTHS[1], "libx265"),
    "video-open-gop",
    "warning",
    where=video_of,
    episode=1,
    formats=LEGACY,
)
add(
    "video",
    "the video of another camera",
    lambda t: encode(t.video(), [np.roll(STILL + 40, n, 0) for n in range(LENGTHS[1])]),
    "video-other-pictures",
    "warning",
    where=video_of,
    episode=1,
    level="decode",
    formats=("v2.1",),
)
add(
    "video",
    "videos of two episodes exchanged",
    lambda t: exchange(t.video(0), t.video(1)),
    "videos-mixed-up",
    where=lambda t: t.video(0),
    episode=0,
    formats=LEGACY,
)
add(
    "video",
    "turned by its header",
    lambda t: turn(t.video(0)),
    "video-turned",
    where=lambda t: t.video(0),
    episode=0,
)


def encode_open(path: Path, length: int, encoder: str) -> None:
    """Encodes images with a keyframe at every sixth frame, and frames before it that refer to it."""
    options = "keyint=6:min-keyint=6:scenecut=0:bframes=3:b-adapt=0:open-gop=1"
    options += ":log-level=none" * (encoder == "libx265")
    encode(path, [np.roll(STILL, 8 * n, 1) for n in range(length)], encoder=encoder, parameters=options)


def exchange(first: Path, second: Path) -> None:
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)


def _twice(target: Target) -> None:
    first = target.first_image()

    def change(images: list[Any]) -> list[Any]:
        at = images[first + 4].at
        return [*images[: first + 5], replace(images[first + 5], at=at), *images[first + 6 :]]

    target.remux(change, delay=1)
