"""Recording hooks: code that runs before, during and after an episode.

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
    """What a hook can use.

    Attributes:
        robot: LeRobot's connected robot.
        teleop: Its connected teleoperator.
        fps: Frames per second of the dataset.
        features: LeRobot's features of the dataset.
        root: The dataset's folder.
        say: Shows a line to the person.
        first_episode: ``episode_index`` of the session's first episode; above 0 if it is resumed.
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
    """A hook's result for an episode.

    Attributes:
        record: For the episode's entry in the sidecar, as JSON values.
        suggestion: Suggested success frames, 0-based; None for no suggestion. Never a label.
        per_frame: Also for the episode's entry: lists with one value per frame. They are cut together
            with trimmed frames.
    """

    record: dict[str, Any] = field(default_factory=dict)
    suggestion: IntervalSet | None = None
    per_frame: dict[str, list[Any]] = field(default_factory=dict)


class RecordingHook:
    """Base of all hooks; each method does nothing until it is overridden.

    An error in ``session_started`` or ``reset`` ends the session, after everything is saved. An error
    in ``frame``, ``paused`` or ``episode_ended`` disables the hook for the episode and is recorded; it
    suggests nothing then.
    """

    def session_started(self, session: HookSession) -> None:
        """Called when robot and teleoperator are connected."""

    def reset(self, episode_index: int) -> None:
        """Called before each attempt at an episode; may move the arm."""

    def episode_started(self, episode_index: int) -> None:
        """Called before the episode's first frame."""

    def frame(self, frame_index: int, frame: Mapping[str, Any]) -> None:
        """Called before a frame is recorded, in LeRobot's loop: return quickly."""

    def paused(self, frame_index: int) -> None:
        """Called when the episode was paused before a frame, which is later than one period."""

    def episode_ended(self, length: int) -> HookResult | None:
        """Called when the loop has ended, with ``length`` frames recorded."""
        return None

    def session_ended(self) -> None:
        """Called after the session; robot and teleoperator may be disconnected."""


@dataclass
class HookConfig(draccus.ChoiceRegistry, ABC):  # type: ignore[no-untyped-call]  # draccus is not typed
    """Base of hook configs; the registered name is the ``type``."""

    @property
    def type(self) -> str:
        """The registered name."""
        return str(self.get_choice_name(self.__class__))

    @abstractmethod
    def make(self) -> RecordingHook:
        """The hook."""


class TimedHook:
    """A hook with measured time in the loop."""

    def __init__(self, name: str, hook: RecordingHook, period_s: float) -> None:
        self.name = name
        self.hook = hook
        self._period_s = period_s
        self.begin()

    def begin(self) -> None:
        """Resets the figures of the last episode."""
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
        """Counts a frame that was late because of this hook.

        Args:
            interval_s: From the frame before, in which the hook ran, to this one.
        """
        limit = LATE * self._period_s
        if interval_s > limit >= interval_s - self._last_s:
            self.late_frames += 1

    def ended(self, length: int, kept: slice = slice(None)) -> tuple[dict[str, Any], IntervalSet | None]:
        """The sidecar's entry of the episode, and the hook's suggestion.

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
        logger.warning("hook %s is disabled for this episode: %s", self.name, text)


LATE = 1.1
"""A frame is late if it comes more than this many periods after the previous one."""


def make_hooks(configs: Sequence[HookConfig], fps: int) -> list[TimedHook]:
    """The hooks, each with a unique name: its type, numbered if there are several."""
    hooks: list[TimedHook] = []
    for config in configs:
        same = sum(hook.name.partition("#")[0] == config.type for hook in hooks)
        name = f"{config.type}#{same + 1}" if same else config.type
        hooks.append(TimedHook(name, config.make(), 1 / fps))
    return hooks
