"""Collects the labels of an episode that is being recorded."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.core.labels import default_done, is_success_value, label_episode
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.merging.recipe import LabelOptions

LABEL_COLUMNS = (layout.REWARD, layout.DONE, layout.SUCCESS)


class RecordedLabels:
    """Marks frames while they are recorded, and makes labels of the marks when the episode ends.

    Args:
        options: How marks become labels. ``done`` is ``episode_end`` where it is None.
        features: LeRobot's features of the dataset; those of ``LABEL_COLUMNS`` that hold one number or
            boolean a frame are filled, others are the caller's alone.
        undeclared: Label columns that the caller did not declare. Their values may come with another dtype,
            as from code that gives a float32 to every feature that is not an image.
    """

    def __init__(
        self,
        options: LabelOptions,
        features: Mapping[str, Mapping[str, Any]],
        undeclared: Collection[str] = (),
    ) -> None:
        if options.done == "keep":
            message = "done keep: a recording has no next.done to keep"
            hint = "use episode_end, first_success or last_frame_of_success"
            raise UsageError(Problem("nothing-to-keep", message, hint=hint))
        self._options = options
        self._columns = {name: features[name] for name in LABEL_COLUMNS if _can_hold(features.get(name))}
        self._undeclared = frozenset(undeclared)
        self._check_values()
        self.begin()

    def _check_values(self) -> None:
        """Refuses rewards that an integer or a boolean cannot hold: they would be rounded.

        Raises:
            UsageError: ``success_value`` or ``failure_value`` does not fit the dtype of ``next.reward``.
        """
        dtype = np.dtype(self._columns.get(layout.REWARD, {}).get("dtype", "float32"))
        values = {name: getattr(self._options, name) for name in ("success_value", "failure_value")}
        problems = [
            Problem(
                "value-does-not-fit",
                f"{name} {value:g} cannot be stored in {layout.REWARD}, whose dtype is {dtype}",
                hint="declare it as float32, or choose a value that fits",
            )
            for name, value in values.items()
            if dtype.kind != "f" and not _fits(value, dtype)
        ]
        if problems:
            raise UsageError(problems)

    def begin(self) -> None:
        """Clears the marks, for a new episode."""
        self.active = False
        self._rows: list[bool] = []
        self._given: list[bool] = []  # whether the row's next.reward came with the frame
        self._done_given = True  # whether every row's next.done did

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
        self._given, self._done_given = [False] * length, False

    def keep(self, start: int, stop: int) -> None:
        """Forgets the frames recorded so far that are not in ``start`` to ``stop``, 0-based, half-open."""
        self._rows, self._given = self._rows[start:stop], self._given[start:stop]

    def filled(self, frame: Mapping[str, Any]) -> dict[str, Any]:
        """A copy of a frame with the label columns it lacks, as arrays of the declared dtype and shape."""
        values = {layout.REWARD: self._reward(self._of(frame)), layout.SUCCESS: self._of(frame)}
        filled = dict(frame)
        for name, feature in self._columns.items():
            if name not in frame:
                filled[name] = _as_declared(values.get(name, False), feature)
            elif name in self._undeclared and _is_stored_exactly(frame[name], feature):
                filled[name] = _as_declared(frame[name], feature)
        return filled

    def added(self, frame: Mapping[str, Any]) -> None:
        """Notes a recorded frame, as it came from the caller."""
        self._rows.append(self._of(frame))
        self._given.append(layout.REWARD in frame)
        self._done_given &= layout.DONE in frame

    def finish(self, buffer: dict[str, Any]) -> None:
        """Writes the labels into LeRobot's episode buffer, before it is saved.

        Rewards that came with their frames stay, unless the marks were corrected. Where every frame came
        with its ``next.done``, all of them stay; otherwise those that are true do, and the last frame is
        done.
        """
        length = len(self._rows)
        if length != buffer["size"]:
            message = f"{length} frames were labelled, but {buffer['size']} recorded"
            raise UsageError(Problem("lost-frames", message, hint="add frames only with add_frame"))
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
        for name, feature in self._columns.items():
            if name == layout.DONE and self._done_given:
                continue
            dtype = feature["dtype"]
            old = np.array([np.asarray(value).reshape(-1)[0] for value in buffer[name]], dtype=dtype)
            new = made[name].astype(dtype)
            new = np.where(old, old, new) if name == layout.DONE else np.where(given, old, new)
            buffer[name] = [_as_declared(value, feature) for value in new]

    def _of(self, frame: Mapping[str, Any]) -> bool:
        """Whether a frame is a success: by its own labels, else by the mark."""
        try:
            return self._of_labels(frame)
        except (TypeError, ValueError, IndexError):  # a value that LeRobot refuses in its own words
            return self.active

    def _of_labels(self, frame: Mapping[str, Any]) -> bool:
        if layout.REWARD in frame and layout.REWARD in self._columns:
            reward = np.asarray(frame[layout.REWARD], dtype=np.float32).reshape(-1)[:1]
            return bool(is_success_value(reward, self._options.success_value).all())
        if layout.SUCCESS in frame and layout.SUCCESS in self._columns:
            return bool(np.asarray(frame[layout.SUCCESS]).reshape(-1)[0])
        return self.active

    def _reward(self, success: bool) -> float:
        return self._options.success_value if success else self._options.failure_value


def _can_hold(feature: Mapping[str, Any] | None) -> bool:
    """Whether a feature holds one number or boolean a frame, which a label can be written into."""
    if feature is None or feature.get("shape", (1,)) not in ((1,), [1]):
        return False
    try:
        return np.dtype(feature["dtype"]).kind in "biuf"
    except TypeError:  # video, string and the like
        return False


def _fits(value: float, dtype: np.dtype[Any]) -> bool:
    low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    return value == int(value) and low <= value <= high


def _is_stored_exactly(value: Any, feature: Mapping[str, Any]) -> bool:
    """Whether a value of a frame is an array of the declared shape that its dtype holds without rounding."""
    array = np.asarray(value)
    if array.shape != tuple(feature["shape"]) or array.dtype.kind not in "biuf":
        return False
    with np.errstate(invalid="ignore", over="ignore"):
        return bool((array.astype(feature["dtype"]) == array).all())


def _as_declared(value: Any, feature: Mapping[str, Any]) -> NDArray[Any]:
    """A label as LeRobot wants it in a frame, or in its episode buffer."""
    return np.full(tuple(feature["shape"]), value, dtype=feature["dtype"])


def label_feature(dtype: str) -> dict[str, Any]:
    """LeRobot's feature of a label column."""
    return {"dtype": dtype, "shape": (1,), "names": None}
