"""The demo's recordings, their annotation file, and the datasets to expect from them.

Episode lengths and success ranges are those of two SO101 recordings that were annotated by hand,
one of grasps and one of attempts that were meant to fail; only the images are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.grammar import parse

OWNER = "gtgando"
FPS = 10
ROBOT_TYPE = "so_follower"
TASK = "Grasp the cube"
CAMERA_KEY = "observation.images.gripper_cam"
JOINTS = (
    "shoulder_pan.pos",
    "shoulder_lift.pos",
    "elbow_flex.pos",
    "wrist_flex.pos",
    "wrist_roll.pos",
    "gripper.pos",
)


@dataclass(frozen=True, slots=True)
class Recording:
    """One of the two recordings.

    Attributes:
        name: Name of the dataset, without the owner.
        lengths: Frames of each episode, in the order of ``episode_index``.
    """

    name: str
    lengths: tuple[int, ...]

    @property
    def repo_id(self) -> str:
        """LeRobot's name of the dataset; also its folder below the demo's."""
        return f"{OWNER}/{self.name}"

    @property
    def frames(self) -> int:
        """Frames of all episodes."""
        return sum(self.lengths)


@dataclass(frozen=True, slots=True)
class Share:
    """The part of one recording in a dataset.

    Attributes:
        recording: The recording.
        episodes: Chosen episodes by ``episode_index``, in output order; None for all.
        frames: Frames in these.
        success_frames: Of these, success frames by the annotations.
    """

    recording: Recording
    episodes: tuple[int, ...] | None
    frames: int
    success_frames: int

    @property
    def chosen(self) -> Sequence[int]:
        """The chosen episodes, written out."""
        return range(len(self.recording.lengths)) if self.episodes is None else self.episodes


@dataclass(frozen=True, slots=True)
class Target:
    """A dataset the demo builds, with the figures it must have.

    Attributes:
        name: Name of the dataset, without the owner.
        purpose: Its purpose, in a few words.
        shares: Its parts, in output order.
    """

    name: str
    purpose: str
    shares: tuple[Share, ...]

    @property
    def repo_id(self) -> str:
        """LeRobot's name of the dataset; also its folder below the demo's."""
        return f"{OWNER}/{self.name}"

    @property
    def episodes(self) -> int:
        """Episodes it must have."""
        return sum(len(share.chosen) for share in self.shares)

    @property
    def frames(self) -> int:
        """Frames it must have."""
        return sum(share.frames for share in self.shares)

    @property
    def success_frames(self) -> int:
        """Frames with a success label it must have."""
        return sum(share.success_frames for share in self.shares)


POSITIVE = Recording("so101_grasp_only_v1", (64, 76, 58, 70, 66, 72, 55, 57, 78, 74, 68, 60, 61, 70, 62))
NEGATIVE = Recording("so101_grasp_only_negative_v1", (100, 100, 95, 100, 100, 99, 99, 76, 77, 90))
RECORDINGS = (POSITIVE, NEGATIVE)

REWARD = Target(
    "so101_grasp_only_reward_v1",
    "to train a reward classifier: every episode",
    (Share(POSITIVE, None, 991, 419), Share(NEGATIVE, None, 936, 104)),
)
OFFLINE = Target(
    "so101_grasp_only_offline_v1",
    "offline data for HIL-SERL: episodes that end in a grasp",
    (Share(POSITIVE, None, 991, 419), Share(NEGATIVE, (2, 7, 8), 248, 73)),
)
TARGETS = (REWARD, OFFLINE)

ANNOTATION_FILE = "reward_classifier_grasponly_v1.txt"
# Headers are paths from the file's own folder, so that the demo's folder can be moved as a whole;
# their last two parts are also the repo_ids, so that the file labels these datasets elsewhere.
ANNOTATION_TEXT = f"""\
# dataset path: {POSITIVE.repo_id}
00: 34-
01: 46-
02: 28-
03: 44-
04: 38-
05: 46-
06: 23-
07: 26-
08: 56-
09: 49-
10: 40-
11: 29-
12: 31-
13: 46-
14: 40-48, 60-  # frames 40-48 success, then frames 60+ success

# {NEGATIVE.repo_id}
00: all fail
01: all fail
02: 81-
03: all fail
04: all fail
05: all fail
06: all fail
07: 45-
08: 52-
09: 56-58,61-63,66-  # intermittent success ranges
"""


def success_masks(recording: Recording) -> list[NDArray[np.bool_]]:
    """The success frames of each episode, by the annotation file.

    Returns:
        For each ``episode_index`` a bool array of shape (length,), indexed by ``frame_index``.
    """
    annotations = parse(ANNOTATION_TEXT, name=ANNOTATION_FILE).annotations
    for section in annotations.sections:
        if section.dataset == recording.repo_id:
            success = {episode.episode_index: episode.success for episode in section.episodes}
            return [success[index].mask(length) for index, length in enumerate(recording.lengths)]
    raise KeyError(recording.repo_id)
