"""Records the frames of LeRobot's ``record_loop`` into the dataset, with marks and hooks."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.idle import moving_frames
from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.core.marks import MarkAction, MarkEvent, Marks
from lerobot_grasp_plugin.lerobot_seams.dataset_watch import tell_held, tell_kept
from lerobot_grasp_plugin.recording.hooks import TimedHook
from lerobot_grasp_plugin.recording.pause import Pause
from lerobot_grasp_plugin.recording.timing import Timing

if TYPE_CHECKING:
    from lerobot_grasp_plugin.learning.data.dataset import GraspDataset


_PLACES: Final = ("observation.state", "action")
"""Features that show whether the arm moves."""


@dataclass
class Attempt:
    """A recorded episode before it is saved.

    Attributes:
        length: Its frames.
        success: The marks, 0-based.
        record: For the sidecar.
        suggestions: Suggestions of hooks, by name.
        timing: When its frames were added.
        trimmed: Number of frames removed at the start and at the end.
    """

    length: int
    success: IntervalSet
    record: dict[str, Any]
    suggestions: dict[str, IntervalSet]
    timing: Timing
    trimmed: tuple[int, int] = (0, 0)


class EpisodeRecorder:
    """Replaces the dataset in ``record_loop``.

    Keys come from another thread and are applied when the next frame is added, so that each belongs to
    one frame, without races.

    Args:
        dataset: Open for an episode.
        lag: Frames by which a mark counts earlier.
        hooks: Called with each frame, in order.
        tell: Shows a mark to the person.
        added: Called after each added frame.
        min_rate: The least share of the frames per second that is not slow.
        simulated: Whether LeRobot's loop runs by a simulated clock.
        pause: Says which actions are not recorded.
        trim: How far state and action may change in frames that are idle; None to keep all frames.
    """

    def __init__(
        self,
        dataset: GraspDataset,
        lag: int,
        hooks: Sequence[TimedHook],
        tell: Callable[[MarkEvent], None],
        added: Callable[[], None],
        *,
        min_rate: float = 0.9,
        simulated: bool = False,
        pause: Pause | None = None,
        trim: float | None = None,
    ) -> None:
        self._dataset = dataset
        self._lag = lag
        self._hooks = hooks
        self._tell = tell
        self._added = added
        self._min_rate = min_rate
        self._simulated = simulated
        self._pause = pause
        self._trim = trim
        self._places: list[NDArray[np.floating]] = []
        self._pauses: list[tuple[int, float]] = []
        self._held_since: float | None = None
        self._paused_s = 0.0
        self._lengthened_s = 0.0
        self._marks = Marks(lag)
        self._pressed: deque[tuple[MarkAction, float]] = deque()
        self._times: list[float] = []
        self._started = time.perf_counter()

    @property
    def fps(self) -> int:
        """As in LeRobot's dataset."""
        return int(self._dataset.fps)

    @property
    def features(self) -> Mapping[str, Any]:
        """As in LeRobot's dataset."""
        features: Mapping[str, Any] = self._dataset.features
        return features

    @property
    def writer(self) -> Any:
        """As in LeRobot's dataset, when the loop fails."""
        return self._dataset.writer

    def press(self, action: MarkAction, pressed: float) -> None:
        """Handles a key; may be called from any thread.

        Args:
            action: Its meaning.
            pressed: When it was pressed, by ``time.perf_counter``; may be some frames ago.
        """
        self._pressed.append((action, pressed - self._paused_s))

    @property
    def success(self) -> bool:
        """Whether the last frame is marked success, by the keys applied so far."""
        return self._marks.active

    def toggle_pause(self) -> bool | None:
        """As of ``Pause``; may be called from any thread."""
        return None if self._pause is None else self._pause.toggle()

    def lengthening_s(self) -> float:
        """Seconds of pauses since the last call, by which the episode may take longer."""
        paused = self._paused_s
        if self._held_since is not None:
            paused += time.perf_counter() - self._held_since
        more, self._lengthened_s = paused - self._lengthened_s, paused
        return more

    def add_frame(self, frame: dict[str, Any]) -> None:
        """Adds a frame, after the hooks have seen it and earlier key presses are applied."""
        now = time.perf_counter()
        if self._pause is not None and self._pause.active:
            self._hold(now)
            return
        if self._held_since is not None:
            self._paused_s += now - self._held_since
            self._pauses[-1] = len(self._times), round(now - self._held_since, 3)
            self._held_since = None
        now -= self._paused_s
        if self._times:
            for hook in self._hooks:
                hook.count_late(now - self._times[-1])
        else:
            self._started = now
        index = len(self._times)
        self._times.append(now)
        self._heed(index)
        for hook in self._hooks:
            hook.frame(index, frame)
        if self._trim is not None:
            parts = [np.asarray(frame[name]).ravel() for name in _PLACES if name in frame]
            self._places.append(np.concatenate(parts))
        self._dataset.mark_success(self._marks.active)
        self._dataset.add_frame(frame)
        self._added()

    def _hold(self, now: float) -> None:
        """Handles a frame during a pause, which is not recorded."""
        index = len(self._times)
        if self._held_since is None:
            self._held_since = now
            self._pauses.append((index, 0.0))
            for hook in self._hooks:
                hook.paused(index)
        self._heed(index)
        tell_held(self._dataset)

    def finish(self) -> Attempt:
        """The recorded episode, after the loop has ended."""
        seen = len(self._times)
        self._heed(seen)
        start, stop = self._kept(seen)
        kept, length = slice(start, stop), stop - start
        success = IntervalSet.from_mask(self._marks.success(seen).mask(seen)[kept])
        hooks: dict[str, Any] = {}
        suggestions: dict[str, IntervalSet] = {}
        for hook in self._hooks:
            record, suggestion = hook.ended(seen, kept)
            if suggestion is not None:
                suggestions[hook.name] = suggestion
                record["suggestion"] = pairs(suggestion, length)
            hooks[hook.name] = record
        timing = Timing(self._times[kept], self.fps, self._min_rate, self._simulated)
        record = {
            "length": length,
            "recorded_at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "lag_frames": self._lag,
            "keys": [_moved(asdict(event), start, length) for event in self._marks.events],
            "marked": pairs(success, length),
            "pauses": [[frame - start, seconds] for frame, seconds in self._pauses if start < frame < stop],
            "timing": timing.record(),
            "hooks": hooks,
        }
        if self._trim is not None:
            record["trimmed"] = [start, seen - stop]
        return Attempt(length, success, record, suggestions, timing, (start, seen - stop))

    def _kept(self, seen: int) -> tuple[int, int]:
        """Drops idle frames; start and stop of those that stay, with all that are marked success."""
        if self._trim is None or not seen:
            return 0, seen
        marked = [
            frame for item in self._marks.success(seen) for frame in (item.start, (item.stop or seen) - 1)
        ]
        start, stop = moving_frames(np.array(self._places), self._trim, marked)
        if (start, stop) != (0, seen):
            self._dataset.keep_frames(start, stop)
            tell_kept(self._dataset, start, stop)
        return start, stop

    def _heed(self, index: int) -> None:
        while self._pressed:
            action, pressed = self._pressed.popleft()
            frame = min(index, bisect_right(self._times, pressed))  # the one about to be recorded then
            self._tell(self._marks.press(action, frame, round(max(0.0, pressed - self._started), 3)))


def _moved(event: dict[str, Any], start: int, length: int) -> dict[str, Any]:
    """A key press after trimming; one before the first kept frame counts for that frame."""
    moved = {name: min(max(0, event[name] - start), length) for name in ("frame_index", "from_frame")}
    return {**event, **moved}


def pairs(success: IntervalSet, length: int) -> list[list[int]]:
    """Ranges as JSON: ``[start, stop]``, 0-based, half-open."""
    return [[item.start, item.stop or length] for item in success.clip(length)]
