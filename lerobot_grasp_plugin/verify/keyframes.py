"""Checks where the episodes of a video file begin, and at which keyframes a decoder can start."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lerobot_grasp_plugin.core.video_index import CLEAN_START
from lerobot_grasp_plugin.findings.problem import EPISODES, Problem
from lerobot_grasp_plugin.verify.place import Tally, agree
from lerobot_grasp_plugin.verify.video_use import FileUse, Match
from lerobot_grasp_plugin.video.samples import VideoSamples

_CAN_BE_OPEN = frozenset({"h264", "hevc"})


def check_starts(use: FileUse, samples: VideoSamples, match: Match) -> Iterator[Problem]:
    """Finds episodes that do not begin at a closed keyframe, and frames that an open GOP can lose."""
    inside, open_starts = Tally(), Tally()
    can_be_open = samples.signature.codec in _CAN_BE_OPEN
    for episode, at in zip(use.episodes.tolist(), match.firsts.tolist(), strict=True):
        if at < 0:
            continue
        if not samples.keyframes[at]:
            inside.add(use.path, episode, 0)
        elif can_be_open and at > 0 and samples.offsets[at] >= 0 and samples.start_kind(at) != CLEAN_START:
            open_starts.add(use.path, episode, 0)
    if inside.rows:
        message = f"{_begin(inside)} between two keyframes"
        hint = "LeRobot reads them, from the keyframe before; an exact copy starts there too"
        yield inside.problem("episode-off-keyframe", message, hint)
    if open_starts.rows:
        message = f"{_begin(open_starts)} on a keyframe that is not a clean start"
        hint = "frames next to it can need frames before it: LeRobot's pyav reader can fail on them"
        yield open_starts.problem("episode-open-start", message, hint)
    if can_be_open:
        yield from _open_groups(use, samples, match)


def _open_groups(use: FileUse, samples: VideoSamples, match: Match) -> Iterator[Problem]:
    """Frames presented before an open keyframe and coded after it."""
    tally = Tally()
    later = samples.keyframes[1:] & (samples.offsets[1:] >= 0) & (samples.offsets[:-1] > samples.offsets[1:])
    for keyframe in (np.flatnonzero(later) + 1).tolist():
        if samples.start_kind(keyframe) == CLEAN_START:
            continue
        first = keyframe
        while first > 0 and samples.offsets[first - 1] > samples.offsets[keyframe]:
            first -= 1
        for at in range(first, keyframe):
            if match.owner[at] >= 0:
                tally.add(use.path, int(match.owner[at]), int(match.frame[at]))
    if tally.rows:
        message = f"the images of {tally.extent} need the keyframe after them and frames before it (open GOP)"
        hint = (
            "LeRobot's pyav reader can start at that keyframe and then fails on them; "
            "encode with closed GOPs (libx264 and libx265: open-gop=0)"
        )
        yield tally.problem("video-open-gop", message, hint)


def _begin(tally: Tally) -> str:
    return f"{EPISODES} {agree(len(tally.episodes), 'begins', 'begin')}"
