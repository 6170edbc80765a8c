"""Recording hooks: what other code may do before, during and after an episode.

A hook is chosen by name: ``--grasp.hooks='[{type: gripper_events}]'``. A package adds one by
registering a config, and is named with ``--grasp.discover_packages_path=my_package``::

    @HookConfig.register_subclass("my_hook")
    @dataclass
    class MyHookConfig(HookConfig):
        gain: float = 1.0

        def make(self) -> RecordingHook:
            return MyHook(self)
"""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import draccus

from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.findings.problem import GraspError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class HookSession:
    """What a hook may use.

    Attributes:
        robot: LeRobot's connected robot.
        teleop: Its connected teleoperator.
        fps: Frames per second of the dataset.
        features: LeRobot's features of the dataset.
        root: The dataset's folder.
        say: Shows a line to the person.
        first_episode: ``episode_index`` of the session's first episode; above 0 where it is resumed.
    """

    robot: Any
    teleop: Any
    fps: int
    features: Mapping[str, Mapping[str, Any]]
    root: Path
    say: Callable[[str], None]
    first_episode: int = 0


@dataclass
class HookResult:
    """What a hook has to say about an episode.

    Attributes:
        record: For the episode's entry in the sidecar, as JSON values.
        suggestion: Success frames it suggests, 0-based; None when it suggests nothing. Never a label.
        per_frame: For the episode's entry as well: lists with one value for each frame. They follow where
            frames are trimmed.
    """

    record: dict[str, Any] = field(default_factory=dict)
    suggestion: IntervalSet | None = None
    per_frame: dict[str, list[Any]] = field(default_factory=dict)


class RecordingHook:
    """Base of all hooks; each method does nothing until it is overridden.

    An error in ``session_started`` or ``reset`` ends the session, after everything is saved. An error
    in ``frame``, ``paused`` or ``episode_ended`` puts the hook out of action for the episode, and is
    recorded; it suggests nothing then.
    """

    def session_started(self, session: HookSession) -> None:
        """Robot and teleoperator are connected."""

    def reset(self, episode_index: int) -> None:
        """Before each attempt at an episode; the arm may be moved."""

    def episode_started(self, episode_index: int) -> None:
        """The next frame is the episode's first."""

    def frame(self, frame_index: int, frame: Mapping[str, Any]) -> None:
        """A frame is about to be recorded; called in LeRobot's loop, so be quick."""

    def paused(self, frame_index: int) -> None:
        """The episode was paused before a frame: it does not follow at once on the one before."""

    def episode_ended(self, length: int) -> HookResult | None:
        """The loop has ended, and ``length`` frames are there."""
        return None

    def session_ended(self) -> None:
        """Nothing more is recorded; robot and teleoperator may be gone."""


@dataclass
class HookConfig(draccus.ChoiceRegistry, ABC):  # type: ignore[no-untyped-call]  # draccus is not typed
    """Base of hook configs; the name under which one is registered is its ``type``."""

    @property
    def type(self) -> str:
        """The registered name."""
        return str(self.get_choice_name(self.__class__))

    @abstractmethod
    def make(self) -> RecordingHook:
        """The hook."""


class TimedHook:
    """A hook whose time in the loop is watched."""

    def __init__(self, name: str, hook: RecordingHook, period_s: float) -> None:
        self.name = name
        self.hook = hook
        self._period_s = period_s
        self.begin()

    def begin(self) -> None:
        """Forgets the figures of the last episode."""
        self.calls = 0
        self.total_s = 0.0
        self.longest_s = 0.0
        self.late_frames = 0
        self.failure: str | None = None
        self._last_s = 0.0

    def frame(self, frame_index: int, frame: Mapping[str, Any]) -> None:
        """Calls the hook and measures it."""
        if self.failure is not None:
            self._last_s = 0.0
            return
        started = time.perf_counter()
        try:
            self.hook.frame(frame_index, frame)
        except Exception as error:  # another package's code, of any kind
            self._fail(error)
        self._last_s = time.perf_counter() - started
        self.calls += 1
        self.total_s += self._last_s
        self.longest_s = max(self.longest_s, self._last_s)

    def paused(self, frame_index: int) -> None:
        """Tells the hook of a pause."""
        if self.failure is None:
            try:
                self.hook.paused(frame_index)
            except Exception as error:  # another package's code, of any kind
                self._fail(error)
        self._last_s = 0.0

    def count_late(self, interval_s: float) -> None:
        """Counts a frame that came late, and would not have without this hook.

        Args:
            interval_s: From the frame before, in which the hook ran, to this one.
        """
        limit = LATE * self._period_s
        if interval_s > limit >= interval_s - self._last_s:
            self.late_frames += 1

    def ended(self, length: int, kept: slice = slice(None)) -> tuple[dict[str, Any], IntervalSet | None]:
        """What goes into the sidecar about the episode, and what the hook suggests.

        Args:
            length: Frames that the hook has seen.
            kept: Those of them that the episode has.
        """
        result = None
        try:
            result = self.hook.episode_ended(length)
        except Exception as error:  # another package's code, of any kind
            self._fail(error)
        record: dict[str, Any] = {
            "mean_ms": round(1000 * self.total_s / self.calls, 3) if self.calls else 0.0,
            "max_ms": round(1000 * self.longest_s, 3),
            "late_frames": self.late_frames,
        }
        if self.failure is not None:
            record["failed"] = self.failure
        if result is None:
            return record, None
        per_frame = {name: values[kept] for name, values in result.per_frame.items()}
        record |= {**result.record, **per_frame}
        if self.failure is not None or result.suggestion is None:
            return record, None
        return record, IntervalSet.from_mask(result.suggestion.mask(length)[kept])

    def _fail(self, error: Exception) -> None:
        text = str(error) if isinstance(error, GraspError) else f"{type(error).__name__}: {error}"
        self.failure = text
        logger.warning("hook %s is out of action for this episode: %s", self.name, text)


LATE = 1.1
"""A frame is late when it comes more than this many periods after the one before."""


def make_hooks(configs: Sequence[HookConfig], fps: int) -> list[TimedHook]:
    """The hooks, each with a name of its own: its type, numbered where there are several."""
    hooks: list[TimedHook] = []
    for config in configs:
        same = sum(hook.name.partition("#")[0] == config.type for hook in hooks)
        name = f"{config.type}#{same + 1}" if same else config.type
        hooks.append(TimedHook(name, config.make(), 1 / fps))
    return hooks
