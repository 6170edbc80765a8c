"""Keeps the best checkpoint of a reward classifier's training, always complete on disk."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lerobot.rewards import make_reward_pre_post_processors
from lerobot.rewards.classifier import Classifier
from lerobot.utils.constants import CHECKPOINTS_DIR, LAST_CHECKPOINT_LINK, PRETRAINED_MODEL_DIR
from safetensors import SafetensorError

from lerobot_grasp_plugin.findings.problem import DataError, Problem
from lerobot_grasp_plugin.learning.classifier.configs import ClassifierTrainConfig
from lerobot_grasp_plugin.learning.classifier.model import ENCODER, RECORD
from lerobot_grasp_plugin.writers.staging import staged, sync
from lerobot_grasp_plugin.writers.whole import write_whole


class BestCheckpoint:
    """Writes ``checkpoints/<step>/pretrained_model`` as LeRobot lays it out, and ``checkpoints/last``.

    Each checkpoint appears completely or not at all, and the previous one is removed afterwards. So the
    best checkpoint remains however the process ends.
    """

    def __init__(self, output_dir: Path, config: ClassifierTrainConfig, root: Path) -> None:
        """Args:
        output_dir: The output folder; it appears with the first checkpoint.
        config: All settings.
        root: Folder of the dataset.
        """
        self._output_dir = output_dir.resolve()
        self._config = config
        self._root = root
        self._step: str | None = None

    @property
    def path(self) -> Path:
        """The checkpoint's ``pretrained_model`` folder."""
        assert self._step is not None
        return Path(self._output_dir, CHECKPOINTS_DIR, self._step, PRETRAINED_MODEL_DIR)

    def keep(self, step: int, model: Classifier, record: Mapping[str, Any]) -> None:
        """Write a checkpoint that replaces the previous one.

        Args:
            step: Steps done.
            model: With the weights to keep.
            record: For ``grasp_classifier.json``.

        Raises:
            DataError: The disk is full, or the folder cannot be written.
        """
        before, self._step = self._step, f"{step:06d}"
        checkpoints = self._output_dir / CHECKPOINTS_DIR
        try:
            if before is None:
                with staged(self._output_dir) as staging:
                    part = staging / CHECKPOINTS_DIR
                    self._write(part / self._step / PRETRAINED_MODEL_DIR, model, record)
                    (part / LAST_CHECKPOINT_LINK).symlink_to(self._step)
                return
            with staged(checkpoints / self._step) as staging:
                self._write(staging / PRETRAINED_MODEL_DIR, model, record)
            link = checkpoints / f".{LAST_CHECKPOINT_LINK}-{self._step}"
            link.symlink_to(self._step)
            link.replace(checkpoints / LAST_CHECKPOINT_LINK)
        except (OSError, SafetensorError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or str(error)
            message = f"the checkpoint of step {step} cannot be written: {reason}"
            raise DataError(Problem("cannot-write", message, self._output_dir)) from None
        sync(checkpoints)
        shutil.rmtree(checkpoints / before)

    def complete(self, record: Mapping[str, Any]) -> None:
        """Add the figures of the finished training to the checkpoint's record."""
        write_record(self.path / RECORD, record)

    def _write(self, folder: Path, model: Classifier, record: Mapping[str, Any]) -> None:
        """The checkpoint as LeRobot writes it, and the record next to its files."""
        folder.mkdir(parents=True)
        if self._config.make_encoder:
            model.encoder.save_pretrained(folder / ENCODER)
            model.config.model_name = str(self.path / ENCODER)
        elif Path(model.config.model_name).is_dir():
            model.config.model_name = str(Path(model.config.model_name).resolve())
        model.save_pretrained(folder)
        for processor in make_reward_pre_post_processors(model.config):
            processor.save_pretrained(folder)
        self._config.plain(model.config, self._root, self._output_dir).save_pretrained(folder)
        write_record(folder / RECORD, record)


def write_record(path: Path, raw: Mapping[str, Any]) -> None:
    """Write a file completely or not at all, and sync it to disk."""
    write_whole(path, (json.dumps(raw, indent=2) + "\n").encode())


def move_files(source: Path, target: Path) -> None:
    """Move the complete files of a folder into another one of the same file system."""
    for path in sorted(source.iterdir()):
        os.rename(path, target / path.name)
    source.rmdir()
