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
    """The options for marks and labels."""

    # a mark counts from this many frames earlier
    lag_frames: int = 0
    # the same in seconds (give one of the two)
    lag_s: float = 0.0
    # key that begins and ends a success range
    success_key: str = "s"
    # key that marks the rest of the episode as failure
    failure_key: str = "f"
    # key that undoes the last mark
    undo_key: str = "u"
    # key that pauses the episode and continues it
    pause_key: str = "p"
    # the same key within this many seconds counts as held down, that is, once; a keyboard that repeats
    # keys more slowly needs more
    key_repeat_s: float = 0.12
    # an episode recorded at less than this share of --dataset.fps is reported as slow
    min_rate: float = 0.9
    # idle: leave out frames at the start and end in which the arm does not move; none: keep all frames
    trim: Trim = "none"
    # the arm counts as still while no dimension of state and action changes by more than this
    trim_threshold: float = 1.0
    # ask after each episode whether to accept it
    ask: bool = True
    # after the session, apply labels changed in the annotation file: ask, always, never
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
    # hooks to run while recording, in this order: '[{type: gripper_events}]'
    hooks: list[HookConfig] = field(default_factory=list)

    def lag(self, fps: int) -> int:
        """The lag in frames."""
        return self.lag_frames or round(self.lag_s * fps)

    def check(self) -> None:
        """Refuses options that contradict each other.

        Raises:
            UsageError: With all problems.
        """
        problems = []
        if self.lag_frames and self.lag_s:
            problems.append(Problem("contradicting-options", "lag_frames and lag_s cannot be combined"))
        if self.lag_frames < 0 or self.lag_s < 0:
            problems.append(
                Problem("bad-value", "a lag must be 0 or more: marks cannot count from a later frame")
            )
        if not 0 <= self.min_rate <= 1:
            problems.append(Problem("bad-value", f"min_rate must be between 0 and 1, not {self.min_rate}"))
        if self.trim_threshold < 0:
            message = f"trim_threshold must be 0 or more, not {self.trim_threshold}"
            problems.append(Problem("bad-value", message))
        marks = (self.success_key, self.failure_key, self.undo_key, self.pause_key)
        keys = [*(key.lower() for key in marks), *RESERVED]
        for key in sorted({key for key in keys if keys.count(key) > 1}):
            hint = f"LeRobot uses: {', '.join(RESERVED)}"
            problems.append(Problem("key-twice", f"the key {key!r} has two meanings", hint=hint))
        if self.done == "keep":
            problems.append(Problem("nothing-to-keep", "a recording has no next.done to keep"))
        if problems:
            raise UsageError(problems)


RESERVED = ("n", "r", "q", "right", "left", "esc")
"""LeRobot's keys: next, re-record, quit."""


def check_name(repo_id: str, *, resume: bool) -> None:
    """Refuses names to which LeRobot gives a meaning.

    Raises:
        UsageError: A new dataset would have such a name.
    """
    if repo_id.split("/", 1)[-1].startswith("eval_") and not resume:
        message = "names that begin with eval_ are reserved by LeRobot for policy evaluation"
        raise UsageError(Problem("reserved-name", message, repo_id))


def check_new(root: Path) -> None:
    """Refuses a folder that a new dataset cannot be recorded into.

    Raises:
        UsageError: It exists.
    """
    if root.exists():
        hint = "use --resume=true to continue it, or another --dataset.root or repo_id"
        raise UsageError(Problem("target-exists", "the dataset's folder already exists", root, hint))


def check_batch(episodes: object) -> None:
    """Refuses to encode videos of several episodes at once: each episode is whole on disk when it is saved.

    Raises:
        UsageError: The number is not 1.
    """
    if episodes not in (None, 1):
        message = (
            f"--dataset.video_encoding_batch_size must be 1, not {episodes}: each episode is encoded "
            "separately"
        )
        hint = "remove it; --dataset.streaming_encoding=true encodes while an episode is recorded"
        raise UsageError(Problem("unsupported-option", message, hint=hint))


def check_trim(trim: object, streaming: object) -> None:
    """Refuses to trim episodes whose videos are encoded during recording.

    Raises:
        UsageError: Both are set.
    """
    if trim == "idle" and streaming is True:
        message = "--grasp.trim=idle removes frames that --dataset.streaming_encoding has already encoded"
        raise UsageError(Problem("contradicting-options", message, hint="remove one of the two options"))


def check_tags(tags: object) -> None:
    """Refuses tags for the card: a recording is published with the card in its folder.

    Raises:
        UsageError: Some are given.
    """
    if tags:
        hint = "add them as `tags:` to the dataset's README.md, then publish it: lerobot-grasp-publish"
        raise UsageError(
            Problem("unsupported-option", "this command does not support dataset.tags", hint=hint)
        )
