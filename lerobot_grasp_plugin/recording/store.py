"""The dataset of a recording session: complete, labelled and on disk after each episode."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.hub import lerobot_home
from lerobot_grasp_plugin.dataset.opening import open_dataset
from lerobot_grasp_plugin.dataset.recording import RecordingSidecar
from lerobot_grasp_plugin.dataset.writer_lock import WriterLock
from lerobot_grasp_plugin.findings.problem import DatasetError, Place, Problem, UsageError
from lerobot_grasp_plugin.learning.data.dataset import GraspDataset
from lerobot_grasp_plugin.recording import checkpoint
from lerobot_grasp_plugin.recording.annotation_file import AnnotationFile
from lerobot_grasp_plugin.recording.config import GraspRecordConfig
from lerobot_grasp_plugin.recording.edits import Do, Edits
from lerobot_grasp_plugin.recording.leftovers import leftover_lines
from lerobot_grasp_plugin.recording.options import check_new
from lerobot_grasp_plugin.recording.records import recording_of
from lerobot_grasp_plugin.recording.recovery import recover
from lerobot_grasp_plugin.recording.resumed_stats import aggregate_episodes
from lerobot_grasp_plugin.video.probe import header
from lerobot_grasp_plugin.writers.whole import write_whole

Say = Callable[[str], None]


class RecordingStore:
    """Creates or resumes the dataset, saves episodes one by one, and can remove the last one.

    Args:
        config: The session's.
        robot: LeRobot's robot, for its type and cameras.
        features: LeRobot's features of observation and action.
        say: Shows a line to the person.

    Raises:
        GraspError: The dataset cannot be created, or not resumed, or another program writes it.

    Attributes:
        episodes: Number of episodes of the dataset.
        edits: Earlier episodes that are replaced, deleted or inserted when the session ends.
        first_episode: Number of episodes before this session.
        sidecar: The record of how each was recorded.
        annotations: Its annotation file.
    """

    episodes: int
    first_episode: int
    sidecar: RecordingSidecar
    annotations: AnnotationFile
    edits: Edits

    def __init__(self, config: GraspRecordConfig, robot: Any, features: dict[str, Any], say: Say) -> None:
        self._config = config
        self._robot = robot
        self._features = features
        self._say = say
        grasp = config.grasp
        self._labels: dict[str, Any] = {
            "alignment": grasp.alignment,
            "done": grasp.done,
            "success_value": grasp.success_value,
            "failure_value": grasp.failure_value,
        }
        self._dataset: GraspDataset | None = None
        self._before: checkpoint.Snapshot | None = None  # the state without the last episode
        self._state: checkpoint.Snapshot | None = None
        if not config.resume:
            config.dataset.stamp_repo_id()
        self.repo_id: str = config.dataset.repo_id
        self.root = Path(config.dataset.root or lerobot_home() / self.repo_id).expanduser()
        self._lock = WriterLock(self.root, "recorded")
        try:
            self._open()
        except BaseException:
            self._lock.release()
            raise

    @property
    def dataset(self) -> GraspDataset:
        """The dataset, open for the next episode."""
        if self._dataset is None:
            if self.episodes:
                self._resume()
            else:
                self._create()
        assert self._dataset is not None
        return self._dataset

    def save(self, success: IntervalSet, record: dict[str, Any]) -> int:
        """Saves the frames recorded since the last episode, with their labels.

        After this returns, the episode survives a crash of the process.

        Args:
            success: 0-based success frames.
            record: For the sidecar.

        Returns:
            The new ``episode_index``.

        Raises:
            DatasetError: The encoder lost frames; the episode is discarded.
            OSError: The disk is full or missing; the dataset is as before, or will be after
                ``--resume``.
        """
        dataset, episode = self.dataset, self.episodes
        length = int(dataset.writer.episode_buffer["size"])
        try:
            self._refuse_dropped(dataset)
            dataset.correct_success(success)
            dataset.save_episode()
            dataset.finalize()
            self._refuse_short_video(episode, length)
            self.sidecar.episodes[str(episode)] = record
            self.edits.recorded(episode)
            self._write_sidecar()
            state = checkpoint.take(self.root, episode + 1)
            checkpoint.commit(self.root, state, self._state)
        except BaseException:
            self._abandon()
            raise
        self._before, self._state = self._state, state
        self._dataset = None
        self.episodes = episode + 1
        self.annotations.put(episode, success, length)
        return episode

    def discard(self) -> None:
        """Discards the frames recorded since the last episode."""
        if self._dataset is not None and self._dataset.has_pending_frames():
            self._dataset.clear_episode_buffer()

    def take_back(self) -> None:
        """Removes the last saved episode, which must be of this session."""
        if self.episodes <= self.first_episode or self._state is None:
            message = "this session has no episode to undo"
            raise UsageError(Problem("no-episode", message))
        if self._dataset is not None:
            self._dataset.finalize()
            self._dataset = None
        self.episodes -= 1
        self.sidecar.episodes.pop(str(self.episodes), None)
        self.edits.taken_back(self.episodes)
        self._state, self._before = self._before, None
        if self._state is None:
            self._forget()
        else:
            checkpoint.commit(self.root, self._state)
            checkpoint.restore(self.root, self._state, None)
            self._keep_edits()
        self.annotations.keep_below(self.episodes)

    def edit(self, do: Do, episode: int) -> str | None:
        """Adds an edit: replace or delete an earlier episode, or insert another one before it.

        Returns:
            Why it is not possible; None if it was added.
        """
        refused = self.edits.add(do, episode, self.episodes)
        if refused is None:
            self._keep_edits()
        return refused

    def close(self) -> None:
        """Ends the session normally; removes a dataset without episodes."""
        self.annotations.ask = None  # no more questions
        try:
            if self._dataset is not None:
                self.discard()
                self._dataset.finalize()
                self._dataset = None
            for edit in self.edits.lapse():
                self._say(f"No episode was recorded for this edit, which is dropped: {edit}.")
            if self._state is None:
                self._forget()
            else:
                self._keep_edits()
                checkpoint.restore(self.root, self._state, None)
                checkpoint.checkpoint_path(self.root).unlink(missing_ok=True)
            self.annotations.write()
        finally:
            self._lock.release()

    def lengths(self) -> list[int]:
        """Frames of each episode."""
        if not self.episodes:
            return []
        return [int(length) for length in open_dataset(self.repo_id, self.root).lengths]

    # -- opening ----------------------------------------------------------------------------------

    def _open(self) -> None:
        found = recover(self.root, self.repo_id, self._say) if self._config.resume else 0
        for line in leftover_lines(self.root, self._lock.killed):
            self._say(line)
        if found:
            self._resume()
            self._check_compatible()
        else:
            self._create()
        self.episodes = self.first_episode = found
        noted = {**self._labels, "next_success": layout.SUCCESS in self.dataset.features}
        self.sidecar = recording_of(self.root, noted)
        self.edits = Edits()
        self.annotations = AnnotationFile(self.root, self.repo_id, self._say)
        self.annotations.keep_below(found)
        self._mend_annotations()
        if found:
            self._state = checkpoint.take(self.root, found)
            checkpoint.commit(self.root, self._state)

    def _create(self) -> None:
        dataset, grasp = self._config.dataset, self._config.grasp
        check_new(self.root)
        self._dataset = GraspDataset.create(
            self.repo_id,
            dataset.fps,
            self._features,
            root=self.root,
            robot_type=self._robot.name,
            use_videos=dataset.video,
            next_success=grasp.next_success,
            **self._labels,
            **self._writing(),
        )
        checkpoint.commit(self.root, checkpoint.Snapshot(0, {}, {}))

    def _resume(self) -> None:
        self._dataset = GraspDataset.resume(self.repo_id, root=self.root, **self._labels, **self._writing())
        stats = self._dataset.meta.stats
        if stats and (self.root / layout.PROVENANCE_PATH).is_file():
            aggregate_episodes(open_dataset(self.repo_id, self.root), stats)

    def _writing(self) -> dict[str, Any]:
        """How LeRobot is to write images."""
        dataset = self._config.dataset
        cameras = len(getattr(self._robot, "cameras", {}))
        return {
            "batch_encoding_size": dataset.video_encoding_batch_size,
            "rgb_encoder": dataset.rgb_encoder,
            "depth_encoder": dataset.depth_encoder,
            "encoder_threads": dataset.encoder_threads,
            "streaming_encoding": dataset.streaming_encoding,
            "encoder_queue_maxsize": dataset.encoder_queue_maxsize,
            "image_writer_processes": dataset.num_image_writer_processes if cameras else 0,
            "image_writer_threads": dataset.num_image_writer_threads_per_camera * cameras,
        }

    def _check_compatible(self) -> None:
        from lerobot.common.control_utils import sanity_check_dataset_robot_compatibility

        assert self._dataset is not None
        own = self._dataset.features
        if layout.REWARD not in own:
            hint = "label it first: lerobot-grasp-relabel --in_place true"
            message = "the dataset has no next.reward for recorded labels"
            raise UsageError(Problem("no-labels", message, self.root, hint))
        labels = {name: own[name] for name in (layout.REWARD, layout.DONE, layout.SUCCESS) if name in own}
        try:
            sanity_check_dataset_robot_compatibility(
                self._dataset, self._robot, self._config.dataset.fps, {**self._features, **labels}
            )
        except ValueError as error:
            raise UsageError(Problem("other-robot", str(error), self.root)) from None

    def _mend_annotations(self) -> None:
        """Adds the lines that a crash kept from the annotation file, from the sidecar."""
        listed = self.annotations.episodes()
        for name, record in sorted(self.sidecar.episodes.items(), key=lambda item: int(item[0])):
            episode = int(name)
            if episode < self.episodes and episode not in listed:
                success = IntervalSet(FrameInterval(start, stop) for start, stop in record["success"])
                self.annotations.put(episode, success, int(record["length"]))

    # -- saving -----------------------------------------------------------------------------------

    def _refuse_dropped(self, dataset: GraspDataset) -> None:
        encoder = getattr(dataset.writer, "_streaming_encoder", None)
        dropped = {key: count for key, count in getattr(encoder, "_dropped_frames", {}).items() if count}
        if dropped:
            lost = ", ".join(f"{count} of {key}" for key, count in dropped.items())
            message = f"the video encoder lost frames ({lost}); rows and images would not match"
            hint = "record it again, with a larger --dataset.encoder_queue_maxsize or a faster codec"
            raise DatasetError(Problem("dropped-frames", message, Place(episode=self.episodes), hint))

    def _refuse_short_video(self, episode: int, length: int) -> None:
        reader = open_dataset(self.repo_id, self.root)
        for key in reader.info.video_keys:
            held = header(reader.video_span(episode, key).path).frames
            if held < length:
                message = f"the video of {key} has {held} frames for {length} rows"
                raise DatasetError(
                    Problem("dropped-frames", message, Place(episode=episode), "record it again")
                )

    def _write_sidecar(self) -> bytes:
        if edits := self.edits.to_json():
            self.sidecar.raw["edits"] = edits
        else:
            self.sidecar.raw.pop("edits", None)
        data = self.sidecar.encoded()
        write_whole(self.root / layout.RECORDING_PATH, data)
        return data

    def _keep_edits(self) -> None:
        """Writes the edits between two episodes, so that a crash does not lose them."""
        if self._state is not None:
            small = {**self._state.small, Path(layout.RECORDING_PATH).name: self._write_sidecar()}
            self._state = replace(self._state, small=small)
            checkpoint.commit(self.root, self._state, self._state)

    def _abandon(self) -> None:
        """Removes an episode that could not be saved from the dataset, as far as the disk allows."""
        self.sidecar.episodes.pop(str(self.episodes), None)
        self.edits.taken_back(self.episodes)
        dataset, self._dataset = self._dataset, None
        try:
            if dataset is not None:
                dataset.writer.cancel_pending_videos()
                dataset.finalize()
        except Exception as error:  # any error of LeRobot's writers about an abandoned file
            self._say(f"While discarding the episode: {error}")
        try:
            if self._state is None:
                self._forget()
            else:
                checkpoint.restore(self.root, self._state, None)
        except OSError as error:
            self._say(f"The episode's files stay until the next --resume removes them: {error}")

    def _forget(self) -> None:
        """Removes a dataset without episodes that this session created."""
        shutil.rmtree(self.root, ignore_errors=True)
        checkpoint.checkpoint_path(self.root).unlink(missing_ok=True)
