"""Labeler ``classifier``: proposes success by a trained reward classifier."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import batched
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.labelers.labeler import Episode, LabelerConfig, Proposal
from lerobot_grasp_plugin.labelers.thresholds import CurveLabelerConfig

if TYPE_CHECKING:
    from lerobot_grasp_plugin.learning.classifier.frame_judge import FrameJudge
    from lerobot_grasp_plugin.merging.sources import Source

_BATCH = 64


@LabelerConfig.register_subclass("classifier")
@dataclass
class ClassifierLabelerConfig(CurveLabelerConfig):  # type: ignore[no-untyped-call]  # draccus is not typed
    """Proposes success by a trained reward classifier."""

    # the checkpoint's pretrained_model folder, as in env.processor.reward_classifier.pretrained_path
    pretrained_path: Path | None = None

    def make(self, source: Source) -> ClassifierLabeler:
        """The labeler, with the classifier loaded.

        Raises:
            UsageError: The checkpoint cannot be loaded, the dataset lacks a camera it needs, or the
                thresholds contradict each other.
        """
        problems = list(self.threshold_problems())
        if self.pretrained_path is None:
            hint = "give the checkpoint's pretrained_model folder"
            problems.append(Problem("no-classifier", "--labeler.pretrained_path is missing", hint=hint))
        if problems or self.pretrained_path is None:
            raise UsageError(problems)
        from lerobot_grasp_plugin.learning.classifier.options import check_checkpoint

        folder = self.pretrained_path.expanduser()
        check_checkpoint(folder)
        from lerobot_grasp_plugin.learning.classifier.frame_judge import FrameJudge

        judge = FrameJudge(folder)
        features = source.reader.info.features
        cameras = {key: (*features[key].image_size, 3) for key in source.reader.info.camera_keys}
        if found := list(judge.problems_of(cameras)):
            raise UsageError(found)
        return ClassifierLabeler(self, judge)


class ClassifierLabeler:
    """Runs the classifier on every frame.

    Args:
        config: The thresholds.
        judge: The classifier.
    """

    def __init__(self, config: ClassifierLabelerConfig, judge: FrameJudge) -> None:
        self._config, self._judge = config, judge

    def propose(self, episode: Episode) -> Proposal:
        keys = self._judge.camera_keys
        cameras = [episode.images(key, range(episode.length)) for key in keys]
        parts = []
        for block in batched(zip(*cameras, strict=True), _BATCH):
            columns = zip(*block, strict=True)
            images = {
                key: np.stack([image for _, image in column])
                for key, column in zip(keys, columns, strict=True)
            }
            parts.append(self._judge.probabilities(images))
        curve = np.concatenate(parts)
        reason = "" if not self._judge.whole else "the checkpoint states no crop: whole images are used"
        confidence = float(np.maximum(curve, 1 - curve).mean())
        return Proposal(self._config.ranges(curve), reason, confidence, curve)
