"""Labeler ``classifier``: the probabilities of a live classifier, frame by frame, and ranges of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lerobot_grasp_plugin import GraspError
from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.dataset.episode_frames import EpisodeFrames
from lerobot_grasp_plugin.labelers.labeler import Proposal
from lerobot_grasp_plugin.labelers.proposing import propose
from lerobot_grasp_plugin.learning.classifier.frame_judge import FrameJudge
from lerobot_grasp_plugin.learning.classifier.labeler import ClassifierLabelerConfig
from lerobot_grasp_plugin.merging.recipe import SourceConfig
from lerobot_grasp_plugin.merging.sources import Source, open_sources
from tests.support.bright_classifier import bright_classifier
from tests.support.factories import Legacy, write_legacy

CAMERA = "observation.images.wrist"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bright_classifier(tmp_path_factory.mktemp("classifier"), CAMERA)


def opened(root: Path) -> Source:
    (source,) = open_sources([SourceConfig(root=root)], [])
    return source


def test_every_frame_has_the_probability_of_a_live_classifier(checkpoint: Path, tmp_path: Path) -> None:
    lengths = (70, 3)  # more frames than are judged at once, and fewer
    source = opened(write_legacy(tmp_path / "set", Legacy(lengths=lengths)))
    found: dict[int, Proposal] = propose(ClassifierLabelerConfig(pretrained_path=checkpoint), source)
    judge, frames = FrameJudge(checkpoint), EpisodeFrames(source.reader)
    for episode, length in enumerate(lengths):
        live = [judge.probability({CAMERA: image}) for _, image in frames.decode(episode, CAMERA)]
        curve = found[episode].curve
        assert curve is not None
        assert curve.shape == (length,)
        assert curve == pytest.approx(live, abs=1e-5)
        assert found[episode].confidence == pytest.approx(np.maximum(curve, 1 - curve).mean())
        assert "whole images" in found[episode].reason
        config = ClassifierLabelerConfig(enter=0.3, leave=0.3, min_length=1)
        expected = [FrameInterval(frame, frame + 1) for frame in range(length) if live[frame] > 0.3]
        assert config.ranges(curve) == IntervalSet(expected)


def test_settings_that_cannot_be(checkpoint: Path, tmp_path: Path) -> None:
    def codes(camera: str = CAMERA, **settings: object) -> list[str]:
        root = tmp_path / f"set{len(list(tmp_path.iterdir()))}"
        source = opened(write_legacy(root, Legacy(lengths=(2,), cameras=(camera,))))
        with pytest.raises(GraspError) as caught:
            propose(ClassifierLabelerConfig(**settings), source)  # type: ignore[arg-type]
        return [problem.code for problem in caught.value.problems]

    assert codes(enter=1.5) == ["bad-value", "no-classifier"]
    assert codes(pretrained_path=tmp_path) == ["no-checkpoint"]
    assert codes(camera="observation.images.top", pretrained_path=checkpoint) == ["missing-camera"]
