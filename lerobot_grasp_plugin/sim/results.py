"""Writes the results of an evaluation."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from lerobot.envs.configs import RewardClassifierConfig
from lerobot.rl.train_rl import TrainRLServerPipelineConfig

from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.findings.problem import DataError, Problem
from lerobot_grasp_plugin.frames.contact_sheet import SheetText, draw_sheet
from lerobot_grasp_plugin.sim.evaluation import CheckpointResult, EpisodeResult

EPISODES = "episodes.csv"
COLUMNS = ("checkpoint", "episode", "held", "lifted", "steps", "rewarded", "false_rewards")


def read_run_config(checkpoint: Path) -> TrainRLServerPipelineConfig:
    """The learner's config that a checkpoint was saved with.

    Args:
        checkpoint: Its ``pretrained_model`` folder.

    Raises:
        DataError: The config is missing or unreadable.
    """
    path = checkpoint / "train_config.json"
    try:
        return TrainRLServerPipelineConfig.from_pretrained(path)
    except Exception as error:  # whatever draccus and LeRobot raise on a damaged file
        reason = str(error).splitlines()[0]
        raise DataError(Problem("bad-config", f"cannot be read: {reason}", path)) from None


def use_classifier(config: TrainRLServerPipelineConfig, folder: Path | None) -> None:
    """Let another reward classifier judge than the one of the config, and check that it is there.

    Args:
        config: Of the run; changed in place.
        folder: The ``pretrained_model`` folder; None for the one that the config names, if any.

    Raises:
        DataError: The folder does not hold a reward classifier.
    """
    processor = config.env.processor
    if folder is not None:
        processor.reward_classifier = processor.reward_classifier or RewardClassifierConfig()
        processor.reward_classifier.pretrained_path = str(folder.expanduser())
    chosen = processor.reward_classifier
    if chosen is None or chosen.pretrained_path is None:
        return
    if not (Path(chosen.pretrained_path) / "model.safetensors").is_file():
        message = "the folder has no checkpoint of a reward classifier"
        hint = "give --classifier with the pretrained_model folder"
        raise DataError(Problem("classifier-missing", message, Path(chosen.pretrained_path), hint))


class EpisodeVideos:
    """Some episodes of each checkpoint as mp4 and as contact sheet: fooled, lifted, held and missed ones."""

    def __init__(self, folder: Path, fps: int, most: int = 3) -> None:
        """Args:
        folder: Where a folder of each checkpoint is made.
        fps: Frames per second of the environment.
        most: Videos of each kind and checkpoint.
        """
        self._folder = folder
        self._fps = fps
        self._most = most
        self._written: dict[tuple[str, str], int] = {}

    def take(self, checkpoint: str, episode: EpisodeResult) -> None:
        """Write the episode if there are not enough of its kind; its images are given up."""
        kind = "lifted" if episode.lifted else "held" if episode.held else "missed"
        kind = "fooled" if episode.false_rewards else kind
        number = self._written.get((checkpoint, kind), 0)
        images, episode.images = episode.images, []
        if number == self._most or not images:
            return
        self._written[(checkpoint, kind)] = number + 1
        path = self._folder / checkpoint / f"episode_{episode.episode:03d}_{kind}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = SheetText(
            f"checkpoint {checkpoint}, {kind}", episode.episode, "front", "", len(images), self._fps, 1, 1
        )
        held = IntervalSet.from_mask(np.array(episode.held_images, dtype=bool))
        draw_sheet(enumerate(images), text, held).save(path.with_suffix(".jpg"), quality=85)
        with av.open(str(path), "w") as output:
            stream = output.add_stream("libx264", self._fps, options={"crf": "23", "preset": "veryfast"})
            stream.height, stream.width = images[0].shape[:2]
            stream.pix_fmt = "yuv420p"
            for position, image in enumerate(images):
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                frame.pts, frame.time_base = position, Fraction(1, self._fps)
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))


def write_results(results: Sequence[CheckpointResult], folder: Path) -> None:
    """One row an episode, in ``episodes.csv``."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / EPISODES).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for result in results:
            for one in result.episodes:
                said = "" if one.rewarded is None else int(one.rewarded)
                row = (result.name, one.episode, int(one.held), int(one.lifted), one.steps, said)
                writer.writerow((*row, one.false_rewards))
