"""LeRobot's dataset with this package's labels, preprocessing and frame cache."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from lerobot.datasets import LeRobotDataset
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.choices import Alignment, Done, Unlisted
from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.core.labels import LabelValues
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.learning.data.frame_cache import FrameCache
from lerobot_grasp_plugin.learning.data.frame_reader import FrameReader, check_storage
from lerobot_grasp_plugin.learning.data.in_order import InOrderItems
from lerobot_grasp_plugin.learning.data.on_disk import readable_again, with_reasons
from lerobot_grasp_plugin.learning.data.overlay import overlay_labels, with_labels
from lerobot_grasp_plugin.learning.data.pending_frames import keep_frames
from lerobot_grasp_plugin.learning.data.prepared_features import prepared_features
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing
from lerobot_grasp_plugin.learning.data.recorded_labels import LABEL_COLUMNS, RecordedLabels, label_feature
from lerobot_grasp_plugin.learning.data.sidecar import LearningSidecar, read_learning, write_learning
from lerobot_grasp_plugin.learning.data.success_rows import success_rows
from lerobot_grasp_plugin.lerobot_seams.access import require
from lerobot_grasp_plugin.merging.recipe import LabelOptions

logger = logging.getLogger(__name__)


class GraspDataset(LeRobotDataset):  # type: ignore[misc]  # lerobot is not typed
    """A ``LeRobotDataset`` that reads labels from an annotation file, and records labels.

    Reading: with ``annotations``, items are those that ``lerobot-grasp-relabel`` would have written,
    and nothing is written. One thing differs: with ``unlisted="drop"`` the remaining episodes keep
    their ``episode_index`` and ``index``, as with ``episodes=``. Images are prepared as the
    dataset's sidecar says, and are then floats in [0, 1] even with ``return_uint8=True``. Without
    annotations, sidecar and cache it is a ``LeRobotDataset``: it reads what that reads, downloads what that
    downloads, and raises what that raises, with notes that name the files that are missing.

    Recording: ``create`` and ``resume`` give a dataset whose ``add_frame`` fills the label columns.

    Args:
        repo_id: The dataset's name.
        root: Its folder; None for LeRobot's home folder, then the Hub.
        *args: LeRobot's further arguments, by position.
        annotations: Annotation file whose labels replace the dataset's.
        done: How ``next.done`` is made; None keeps the dataset's, or is ``episode_end`` without one.
        alignment: ``frame``: row t has the label of image t; ``next``: of image t + 1.
        unlisted: What to do with episodes without annotation.
        index_base: Number of an episode's first frame, 0 or 1, in annotations that do not state it.
        success_value: ``next.reward`` of success frames.
        failure_value: ``next.reward`` of all others.
        next_success: Also add ``next.success``.
        preprocessing: Of images: ``stored`` for what the sidecar says, None for none.
        cache_frames: Keep decoded episodes in memory (see ``FrameCache``). Its pixels are those of
            LeRobot's ``pyav`` backend.
        **kwargs: LeRobot's further arguments.

    Raises:
        GraspError: With all errors of the annotations and the preprocessing.
    """

    episodes: list[int] | None
    reader: Any
    writer: Any
    preprocessing: ImagePreprocessing | None
    _label_values: LabelValues | None
    _recorded: RecordedLabels | None
    _is_changed: bool  # whether labels or images are not those LeRobot reads
    _in_order: InOrderItems

    def __init__(
        self,
        repo_id: str,
        root: str | Path | None = None,
        *args: Any,
        annotations: str | Path | None = None,
        done: Done | None = None,
        alignment: Alignment = "frame",
        unlisted: Unlisted = "error",
        index_base: int | None = None,
        success_value: float = 1.0,
        failure_value: float = 0.0,
        next_success: bool = False,
        preprocessing: ImagePreprocessing | Literal["stored"] | None = "stored",
        cache_frames: bool = False,
        **kwargs: Any,
    ) -> None:
        options = LabelOptions(
            success_value=success_value,
            failure_value=failure_value,
            alignment=alignment,
            done=done,
            unlisted=unlisted,
            next_success=next_success,
            index_base=index_base,
        )
        if annotations is None and options != LabelOptions():
            message = "options for labels have no effect without an annotation file"
            raise UsageError(Problem("no-annotations", message, hint="give annotations="))
        require("reading")
        with with_reasons(repo_id, root, args[0] if args else kwargs.get("episodes")):
            super().__init__(repo_id, root, *args, **kwargs)
        self._set_up(None)
        is_written = self.writer is not None
        if is_written and (annotations is not None or cache_frames or preprocessing not in (None, "stored")):
            message = "a dataset that is written to cannot be read with changed labels or images"
            hint = "remove streaming_encoding and batch_encoding_size; record with create or resume"
            raise UsageError(Problem("contradicting-options", message, hint=hint))
        if preprocessing == "stored":
            stored = None if is_written else read_learning(self.root)
            preprocessing = None if stored is None else stored.preprocessing
        self._is_changed = annotations is not None or preprocessing is not None or cache_frames
        if self._is_changed:
            check_storage(self.reader, self.root)
        if annotations is not None:
            self._lay_over(Path(annotations).expanduser(), options)
        self.preprocessing = preprocessing
        if preprocessing is not None or cache_frames:
            cache = FrameCache(preprocessing) if cache_frames else None
            self.reader = FrameReader(self.reader, preprocessing, cache)
        if preprocessing is not None:
            self.meta.info.features = prepared_features(self.meta, preprocessing)

    def fill_frame_cache(self) -> None:
        """Decodes all selected episodes into the frame cache, in order.

        Do so before a DataLoader with workers is started: the workers then share the cache.

        Raises:
            UsageError: The dataset was opened without ``cache_frames``.
        """
        if not isinstance(self.reader, FrameReader) or self.reader.cache is None:
            hint = "open the dataset with cache_frames=True"
            raise UsageError(Problem("no-frame-cache", "the dataset has no frame cache", hint=hint))
        existing = set(range(self.meta.total_episodes))
        self.reader.fill_cache(sorted(existing if self.episodes is None else existing & set(self.episodes)))

    def __getitem__(self, idx: Any) -> Any:
        """An item, as in LeRobot.

        Raises:
            VideoError: A file can no longer be read, and labels or images are not those of the files;
                otherwise LeRobot's own error comes out.
        """
        with readable_again(f"item {idx}", self.root, self._is_changed):
            item = None
            if self.writer is None and isinstance(idx, int):
                item = self._in_order.item(self.reader, self.preprocessing, idx)
            return super().__getitem__(idx) if item is None else item

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """Items of a batch, together where LeRobot reads them so (from 0.6.2 on); errors as of an item."""
        together = getattr(super(), "__getitems__", None)
        if together is None:
            return [self[idx] for idx in indices]
        with readable_again(f"items {list(indices)}", self.root, self._is_changed):
            return list(together(indices))

    def success_rows(self) -> NDArray[np.bool_] | None:
        """Which of the loaded rows are success, by the rule of all commands of this package.

        Rewards of 0 and -1, or of 10 and -0.05, thus become the labels that a reward classifier learns
        from, while items keep ``next.reward`` as it is.

        Returns:
            Bool, shape (rows,); None if it is unknown which rows are success.
        """
        return success_rows(self.reader.hf_dataset, Path(self.root), self._label_values)

    def _lay_over(self, annotations: Path, options: LabelOptions) -> None:
        self._label_values = LabelValues(options.success_value, options.failure_value)
        total = self.meta.total_episodes
        named = range(total) if self.episodes is None else self.episodes
        chosen = list(dict.fromkeys(episode for episode in named if 0 <= episode < total))
        wanted = None if self.episodes is None else chosen  # LeRobot only warns of those that do not exist
        overlay = overlay_labels(self.repo_id, self.root, annotations, options, wanted)
        for warning in overlay.warnings:
            logger.warning("%s", warning)
        if len(overlay.episodes) < len(chosen):
            kept = set(overlay.episodes)
            self.episodes = [episode for episode in chosen if episode in kept]
            self.reader.episodes = self.episodes
            self.reader.load_and_activate()
        rows = with_labels(self.reader.hf_dataset, overlay, Path(self.root))
        labels = {name: label_feature(column.dtype.name) for name, column in overlay.columns.items()}
        features = {**self.meta.features, **labels}
        self.meta.info.features = {name: features[name] for name in overlay.features}
        columns = [name for name in self.meta.features if name in rows.column_names]
        self.reader.hf_dataset = rows.select_columns(columns)
        self.meta.stats = {**(self.meta.stats or {}), **overlay.stats}

    # -- recording --------------------------------------------------------------------------------

    @classmethod
    def create(
        cls,
        repo_id: str,
        fps: int,
        features: Mapping[str, Mapping[str, Any]],
        *args: Any,
        done: Done | None = None,
        alignment: Alignment = "frame",
        success_value: float = 1.0,
        failure_value: float = 0.0,
        next_success: bool = False,
        preprocessing: ImagePreprocessing | None = None,
        **kwargs: Any,
    ) -> Self:
        """A new dataset to record into, with label columns and a sidecar.

        Args:
            repo_id: The dataset's name.
            fps: Frames per second.
            features: As LeRobot takes them; ``next.reward`` and ``next.done`` are added.
            *args: LeRobot's further arguments, by position.
            done: Which frames besides the last are done; None for none (``episode_end``).
            alignment: Which row gets the mark of a frame: its own, or the one before.
            success_value: ``next.reward`` of success frames.
            failure_value: ``next.reward`` of all others.
            next_success: Also record ``next.success``.
            preprocessing: Stored in the sidecar; the images themselves are recorded whole.
            **kwargs: LeRobot's further arguments.
        """
        require("labelling")
        options = LabelOptions(
            done=done,
            alignment=alignment,
            success_value=success_value,
            failure_value=failure_value,
            next_success=next_success,
        )
        labels = {layout.REWARD: label_feature("float32"), layout.DONE: label_feature("bool")}
        if next_success:
            labels[layout.SUCCESS] = label_feature("bool")
        recorded = RecordedLabels(options, {**labels, **features}, labels.keys() - features.keys())
        dataset: Self = super().create(repo_id, fps, {**labels, **features}, *args, **kwargs)
        write_learning(dataset.root, LearningSidecar(preprocessing=preprocessing))
        return dataset._set_up(recorded)

    @classmethod
    def resume(
        cls,
        *args: Any,
        done: Done | None = None,
        alignment: Alignment = "frame",
        success_value: float = 1.0,
        failure_value: float = 0.0,
        **kwargs: Any,
    ) -> Self:
        """An existing dataset to record more episodes into; the label columns it has are filled.

        Args:
            *args: LeRobot's arguments, by position.
            done: As in ``create``.
            alignment: As in ``create``.
            success_value: As in ``create``.
            failure_value: As in ``create``.
            **kwargs: LeRobot's arguments.
        """
        require("labelling")
        options = LabelOptions(
            done=done, alignment=alignment, success_value=success_value, failure_value=failure_value
        )
        dataset: Self = super().resume(*args, **kwargs)
        return dataset._set_up(RecordedLabels(options, dataset.features))

    def _set_up(self, recorded: RecordedLabels | None) -> Self:
        """Gives a dataset the attributes that LeRobot's do not have, the same ones however it was made."""
        self._recorded = recorded
        self._label_values = None
        self._is_changed = False
        self._in_order = InOrderItems()
        self.preprocessing = None
        return self

    @property
    def success(self) -> IntervalSet:
        """Success frames of the episode that is being recorded, so far; 0-based, half-open."""
        return self._recording("success").success

    def mark_success(self, active: bool) -> None:
        """Marks the frames added from now on, to the end of the episode, as success or failure."""
        recorded = self._recording("mark_success")
        if not any(name in self.features for name in LABEL_COLUMNS):
            message = "the dataset has no label column for success"
            raise UsageError(Problem("no-labels", message, self.root, "record a new dataset with create"))
        recorded.active = active

    def correct_success(self, success: IntervalSet) -> None:
        """Replaces the success frames of the episode that is being recorded.

        Raises:
            UsageError: A range reaches past the frames recorded so far.
        """
        self._recording("correct_success").correct(success)

    def keep_frames(self, start: int, stop: int) -> None:
        """Drops all frames of the episode that is being recorded but ``start`` to ``stop``, half-open."""
        recorded = self._recording("keep_frames")
        keep_frames(self.writer, start, stop)
        recorded.keep(start, stop)

    def add_frame(self, frame: dict[str, Any]) -> None:
        """Adds a frame; label columns it lacks are filled.

        Args:
            frame: As LeRobot takes it. Its own ``next.reward``, ``next.done`` and ``next.success`` are
                kept.
        """
        if self._recorded is None:
            super().add_frame(frame)
            return
        super().add_frame(self._recorded.filled(frame))
        self._recorded.added(frame)

    def save_episode(self, episode_data: dict[str, Any] | None = None, *args: Any, **kwargs: Any) -> None:
        """Labels the episode by its marks, then saves it as LeRobot does.

        Args:
            episode_data: An episode of the caller's own, which is saved as it is.
            *args: LeRobot's further arguments.
            **kwargs: LeRobot's further arguments.
        """
        if self._recorded is None or episode_data is not None:
            super().save_episode(episode_data, *args, **kwargs)
            return
        if self.has_pending_frames():
            self._recorded.finish(self.writer.episode_buffer)
        super().save_episode(None, *args, **kwargs)
        self._recorded.begin()

    def clear_episode_buffer(self, *args: Any, **kwargs: Any) -> None:
        """Discards the episode that is being recorded, with its marks."""
        super().clear_episode_buffer(*args, **kwargs)
        if self._recorded is not None:
            self._recorded.begin()

    def _recording(self, what: str) -> RecordedLabels:
        if self._recorded is None:
            hint = "open it with GraspDataset.create or GraspDataset.resume"
            raise UsageError(Problem("not-recording", f"{what}: the dataset is not recording", hint=hint))
        return self._recorded
