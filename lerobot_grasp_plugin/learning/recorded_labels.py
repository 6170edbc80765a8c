"""The labels of an episode that is being recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.core.labels import default_done, is_success_value, label_episode
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.errors import Problem, UsageError
from lerobot_grasp_plugin.ops.recipe import LabelOptions

LABEL_COLUMNS = (layout.REWARD, layout.DONE, layout.SUCCESS)


class RecordedLabels:
    """Marks frames while they are recorded, and makes labels of the marks when the episode ends.

    Args:
        options: How marks become labels. ``done`` is ``episode_end`` where it is None.
        features: LeRobot's features of the dataset; those of ``LABEL_COLUMNS`` among them are filled.
    """

    def __init__(self, options: LabelOptions, features: Mapping[str, Mapping[str, Any]]) -> None:
        if options.done == "keep":
            message = "a recording has no next.done to keep"
            hint = "use episode_end, first_success or last_frame_of_success"
            raise UsageError(Problem("nothing-to-keep", message, hint=hint))
        self._options = options
        self._dtypes = {name: features[name]["dtype"] for name in LABEL_COLUMNS if name in features}
        self.begin()

    def begin(self) -> None:
        """Forgets the marks, for a new episode."""
        self.active = False
        self._rows: list[bool] = []
        self._given: list[bool] = []  # whether the row's next.reward came with the frame

    @property
    def success(self) -> IntervalSet:
        """The frames marked so far, 0-based."""
        return IntervalSet.from_mask(np.array(self._rows, dtype=bool))

    def correct(self, success: IntervalSet) -> None:
        """Replaces the marks of all frames recorded so far.

        Raises:
            UsageError: A range reaches past the last frame recorded.
        """
        length = len(self._rows)
        late = [item for item in success if item.start >= length or (item.stop or 0) > length]
        if late:
            message = f"the success range {late[-1]} does not fit the {length} frames recorded so far"
            raise UsageError(Problem("range-past-end", message))
        self._rows = success.mask(length).tolist()
        self._given = [False] * length

    def filled(self, frame: Mapping[str, Any]) -> dict[str, Any]:
        """A copy of a frame with the label columns it lacks, as arrays of shape ``(1,)``."""
        values = {layout.REWARD: self._reward(self._of(frame)), layout.SUCCESS: self._of(frame)}
        missing = {
            name: np.array([values.get(name, False)], dtype=dtype)
            for name, dtype in self._dtypes.items()
            if name not in frame
        }
        return {**frame, **missing}

    def added(self, frame: Mapping[str, Any]) -> None:
        """Takes note of a frame that was recorded, as it came from the caller."""
        self._rows.append(self._of(frame))
        self._given.append(layout.REWARD in frame)

    def finish(self, buffer: dict[str, Any]) -> None:
        """Writes the labels into LeRobot's episode buffer, before it is saved.

        Rewards that came with their frames stay, unless the marks were corrected; a ``next.done``
        that came with its frame stays where it is true. The last frame is done.
        """
        length = len(self._rows)
        if length != buffer["size"]:
            message = f"{length} frames were labelled and {buffer['size']} recorded"
            raise UsageError(Problem("lost-frames", message, hint="add frames with add_frame alone"))
        options = self._options
        labels = label_episode(
            self.success,
            length,
            alignment=options.alignment,
            done=default_done(options.done, has_done=False),
            success_value=options.success_value,
            failure_value=options.failure_value,
        )
        made = {layout.REWARD: labels.reward, layout.DONE: labels.done, layout.SUCCESS: labels.success}
        given = np.array(self._given, dtype=bool)
        for name, dtype in self._dtypes.items():
            old = np.array([np.asarray(value).reshape(-1)[0] for value in buffer[name]], dtype=dtype)
            new = made[name].astype(dtype)
            new = new | old if name == layout.DONE else np.where(given, old, new)
            buffer[name] = [np.array([value], dtype=dtype) for value in new]

    def _of(self, frame: Mapping[str, Any]) -> bool:
        """Whether a frame is a success: by its own labels, else by the mark."""
        if layout.REWARD in frame:
            reward = np.asarray(frame[layout.REWARD], dtype=np.float32).reshape(-1)[:1]
            return bool(is_success_value(reward, self._options.success_value).all())
        if layout.SUCCESS in frame:
            return bool(np.asarray(frame[layout.SUCCESS]).reshape(-1)[0])
        return self.active

    def _reward(self, success: bool) -> float:
        return self._options.success_value if success else self._options.failure_value
