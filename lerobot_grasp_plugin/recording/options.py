"""The flags ``--grasp.*`` of ``lerobot-grasp-record``; imports neither lerobot nor torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lerobot_grasp_plugin.core.choices import Alignment, Done
from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.recording.hooks import HookConfig

Relabel = Literal["ask", "always", "never"]
Trim = Literal["none", "idle"]


@dataclass
class GraspOptions:
    """How marks are made and what becomes of them."""

    # a mark counts from that many frames earlier
    lag_frames: int = 0
    # the same in seconds (give one of the two)
    lag_s: float = 0.0
    # begins and ends a success range
    success_key: str = "s"
    # everything from here to the episode's end is failure
    failure_key: str = "f"
    # takes the last mark back
    undo_key: str = "u"
    # pauses the episode, or goes on
    pause_key: str = "p"
    # the same key again within this many seconds is held down, and counts once; a keyboard that repeats
    # keys more slowly needs more
    key_repeat_s: float = 0.12
    # an episode recorded at less than this share of --dataset.fps is named as slow
    min_rate: float = 0.9
    # idle: frames at the start and end in which the arm does not move are left out; none: all are kept
    trim: Trim = "none"
    # the arm does not move while no dimension of state and action changes by more than this
    trim_threshold: float = 1.0
    # ask after each episode whether it is accepted
    ask: bool = True
    # after the session, labels changed in the annotation file are applied: ask, always, never
    relabel: Relabel = "ask"
    # next.reward of success frames
    success_value: float = 1.0
    # next.reward of all other frames
    failure_value: float = 0.0
    # frame: row t has the label of frame t; next: row t has the label of frame t+1
    alignment: Alignment = "frame"
    # next.done: episode_end, first_success, last_frame_of_success
    done: Done = "episode_end"
    # also record next.success
    next_success: bool = False
    # what else happens while recording, in this order: '[{type: gripper_events}]'
    hooks: list[HookConfig] = field(default_factory=list)

    def lag(self, fps: int) -> int:
        """The lag in frames."""
        return self.lag_frames or round(self.lag_s * fps)

    def check(self) -> None:
        """Refuses options that contradict each other.

        Raises:
            UsageError: With all that is wrong.
        """
        problems = []
        if self.lag_frames and self.lag_s:
            problems.append(Problem("contradicting-options", "lag_frames and lag_s are both given"))
        if self.lag_frames < 0 or self.lag_s < 0:
            problems.append(Problem("bad-value", "a lag is 0 or more: marks cannot count from later on"))
        if not 0 <= self.min_rate <= 1:
            problems.append(Problem("bad-value", f"min_rate is {self.min_rate}; it is between 0 and 1"))
        if self.trim_threshold < 0:
            message = f"trim_threshold is {self.trim_threshold}; it is 0 or more"
            problems.append(Problem("bad-value", message))
        marks = (self.success_key, self.failure_key, self.undo_key, self.pause_key)
        keys = [*(key.lower() for key in marks), *RESERVED]
        for key in sorted({key for key in keys if keys.count(key) > 1}):
            hint = f"taken by LeRobot: {', '.join(RESERVED)}"
            problems.append(Problem("key-twice", f"the key {key!r} has two meanings", hint=hint))
        if self.done == "keep":
            problems.append(Problem("nothing-to-keep", "a recording has no next.done to keep"))
        if problems:
            raise UsageError(problems)


RESERVED = ("n", "r", "q", "right", "left", "esc")
"""LeRobot's keys: next, re-record, quit."""


def check_name(repo_id: str, *, resume: bool) -> None:
    """Refuses names that LeRobot gives a meaning of its own.

    Raises:
        UsageError: The name is one of those, and a new dataset is to have it.
    """
    if repo_id.split("/", 1)[-1].startswith("eval_") and not resume:
        message = "names that begin with eval_ are LeRobot's, for policy evaluation"
        raise UsageError(Problem("reserved-name", message, repo_id))


def check_new(root: Path) -> None:
    """Refuses a folder that a new dataset cannot be recorded into.

    Raises:
        UsageError: It exists.
    """
    if root.exists():
        hint = "give --resume=true to go on with it, or another --dataset.root or repo_id"
        raise UsageError(Problem("target-exists", "the dataset's folder exists already", root, hint))


def check_batch(episodes: object) -> None:
    """Refuses to encode videos of several episodes at once: each episode is whole on disk when it is saved.

    Raises:
        UsageError: The number given is another than 1.
    """
    if episodes not in (None, 1):
        message = f"--dataset.video_encoding_batch_size is {episodes}; each episode is encoded by itself"
        hint = "leave it out; --dataset.streaming_encoding=true encodes while an episode is recorded"
        raise UsageError(Problem("unsupported-option", message, hint=hint))


def check_trim(trim: object, streaming: object) -> None:
    """Refuses to trim episodes whose videos are encoded while they are recorded.

    Raises:
        UsageError: Both are asked for.
    """
    if trim == "idle" and streaming is True:
        message = "--grasp.trim=idle leaves out frames that --dataset.streaming_encoding has encoded already"
        raise UsageError(Problem("contradicting-options", message, hint="leave one of the two out"))


def check_tags(tags: object) -> None:
    """Refuses tags for the card: a recording is published with the card in its folder.

    Raises:
        UsageError: Some are given.
    """
    if tags:
        hint = "write them as `tags:` into README.md of the dataset, then publish it: lerobot-grasp-publish"
        raise UsageError(Problem("unsupported-option", "dataset.tags is not for this command", hint=hint))
