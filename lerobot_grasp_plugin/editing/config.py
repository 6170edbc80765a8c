"""What a person asks for: the options of an edit and of each of its operations."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass, field
from typing import Literal

import draccus

from lerobot_grasp_plugin.merging.recipe import CopyConfig, JoinOptions, SourceConfig

At = Literal["state_jump", "timestamp_gap"]


@dataclass
class OperationConfig(draccus.ChoiceRegistry, ABC):  # type: ignore[no-untyped-call]  # draccus is not typed
    """Base of the operations; the name under which one is registered is its ``type``."""

    @property
    def type(self) -> str:
        """The registered name."""
        return str(self.get_choice_name(self.__class__))

    @property
    def makes_parts(self) -> bool:
        """Whether it makes several datasets of one, each in a folder below the new one."""
        return False


@OperationConfig.register_subclass("trim")
@dataclass(kw_only=True)
class TrimConfig(OperationConfig):  # type: ignore[no-untyped-call]  # draccus is not typed
    """Cuts off the ends of episodes in which neither state nor action moves, or keeps given ranges."""

    # frames to keep, {3: "20-180"}: each range becomes an episode, all other episodes stay whole
    # (without a value: idle ends are cut off)
    frames: dict[int, str] = field(default_factory=dict)
    # episodes whose idle ends are cut off: "0-14", [2, 7], "!19" (without a value: all)
    episode_indices: list[int] | str | None = None
    # the arm does not move while each dimension of state and action stays this close to where it is in the
    # first (or last) frame, as a share of the range that the dimension covers in the dataset
    threshold: float = 0.02
    # shorter idle ends stay, in seconds
    min_idle_s: float = 0.5
    # idle time that stays next to the movement, in seconds
    margin_s: float = 0.2


@OperationConfig.register_subclass("split")
@dataclass(kw_only=True)
class SplitConfig(OperationConfig):  # type: ignore[no-untyped-call]  # draccus is not typed
    """Divides episodes into several, or with `splits` the dataset into datasets of their own."""

    # the dataset into named parts, each with its own folder: {train: 0.8, val: 0.2}, or episodes of each,
    # {train: "0-11", val: [12, 13, 14]}
    splits: dict[str, float | list[int] | str] = field(default_factory=dict)
    # episodes into the ranges that are named: {0: "1-90, 91-200"}
    frames: dict[int, str] = field(default_factory=dict)
    # episodes into so many parts, as equal as can be
    parts: int | None = None
    # episodes where several dimensions of observation.state jump back to where the episode began
    # (state_jump), or where timestamps have a gap or go back (timestamp_gap)
    at: At | None = None
    # with parts and at: the episodes that are divided: "0-14", [2, 7], "!19" (without a value: all)
    episode_indices: list[int] | str | None = None
    # with at timestamp_gap: seconds from one frame to the next that are a gap (without a value: those of
    # one and a half frames)
    gap_s: float | None = None

    @property
    def makes_parts(self) -> bool:
        return bool(self.splits)


@OperationConfig.register_subclass("delete")
@dataclass(kw_only=True)
class DeleteConfig(OperationConfig):  # type: ignore[no-untyped-call]  # draccus is not typed
    """Leaves episodes out."""

    # the episodes: [0, 2, 5], "0-14"
    episode_indices: list[int] | str | None = None


@OperationConfig.register_subclass("reorder")
@dataclass(kw_only=True)
class ReorderConfig(OperationConfig):  # type: ignore[no-untyped-call]  # draccus is not typed
    """Puts the episodes into another order."""

    # the number that each new episode has now; all of them, such as [2, 0, 1]
    episode_indices: list[int] | str | None = None


@dataclass(kw_only=True)
class PlacedEpisodes(SourceConfig):
    """The episodes that are put in: a source, each option of which is a flag of its own."""


@dataclass(kw_only=True)
class PlacingConfig(OperationConfig):  # type: ignore[no-untyped-call]  # draccus is not typed
    """Base of the operations that take episodes of another dataset."""

    # the episode that is replaced, or the number that the first inserted one gets
    episode_index: int | None = None
    # what takes its place: root or repo_id, and episodes
    source: PlacedEpisodes | None = None


@OperationConfig.register_subclass("replace")
@dataclass(kw_only=True)
class ReplaceConfig(PlacingConfig):  # type: ignore[no-untyped-call]  # draccus is not typed
    """Puts episodes of another dataset into the place of an episode."""


@OperationConfig.register_subclass("insert")
@dataclass(kw_only=True)
class InsertConfig(PlacingConfig):  # type: ignore[no-untyped-call]  # draccus is not typed
    """Puts episodes of another dataset before an episode, or after the last one."""


@OperationConfig.register_subclass("set_task")
@dataclass(kw_only=True)
class SetTaskConfig(OperationConfig):  # type: ignore[no-untyped-call]  # draccus is not typed
    """Gives episodes another task."""

    # the text of the task
    new_task: str | None = None
    # the episodes: [0, 2, 5], "0-14" (without a value: all)
    episode_indices: list[int] | str | None = None


@dataclass(kw_only=True)
class EditConfig(JoinOptions, CopyConfig):
    """Changes one dataset: trims, splits, deletes, reorders, replaces or inserts episodes, or sets tasks."""

    # only print the recipe that lerobot-grasp-merge takes, and what is odd about it
    dry_run: bool = False
    # the operation
    operation: OperationConfig | None = None
