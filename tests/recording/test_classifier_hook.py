"""A classifier's verdicts on what is being recorded: beside the loop, and never a label."""

from __future__ import annotations

import threading
from unittest.mock import Mock

import numpy as np
import pytest
import torch

from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.findings.problem import UsageError
from lerobot_grasp_plugin.learning.classifier.model import load_classifier, predict
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing
from lerobot_grasp_plugin.recording.builtin_hooks import RewardClassifierConfig
from lerobot_grasp_plugin.recording.hooks import HookSession, make_hooks
from lerobot_grasp_plugin.recording.recorder import EpisodeRecorder
from tests.support.bright_classifier import bright_classifier
from tests.support.deadline import DEADLINE_S

CAMERA = "observation.images.front"
SIZE = (48, 64, 3)


def image(level):
    return np.full(SIZE, level, np.uint8)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return bright_classifier(tmp_path_factory.mktemp("classifier"), CAMERA)


def session(tmp_path, say=lambda line: None, **features):
    shapes = features or {CAMERA: {"dtype": "video", "shape": SIZE}}
    return HookSession(None, None, 10, shapes, tmp_path, say)


def test_bright_frames_are_suggested_and_stored_and_the_label_stays_the_persons(checkpoint, tmp_path):
    said = []
    (timed,) = make_hooks([RewardClassifierConfig(str(checkpoint))], 10)
    timed.hook.session_started(session(tmp_path, said.append))
    levels = [40] * 5 + [220] * 6 + [40] * 4
    timed.hook.episode_started(0)
    recorder = EpisodeRecorder(Mock(fps=10), 0, [timed], Mock(), Mock())
    for level in levels:
        recorder.add_frame({CAMERA: image(level), "task": "x"})
        timed.hook._judging[1].result()  # the classifier keeps up
    attempt = recorder.finish()
    timed.hook.session_ended()
    assert attempt.suggestions == {"reward_classifier": IntervalSet([FrameInterval(5, 11)])}
    assert attempt.success == IntervalSet()
    record = attempt.record["hooks"]["reward_classifier"]
    assert record["suggestion"] == [[5, 11]]
    assert record["judged_frames"] == len(levels)
    assert record["late_frames"] == 0
    prepared = ImagePreprocessing({}, (128, 128))
    expected = [
        predict(
            load_classifier(checkpoint),
            [prepared(CAMERA, torch.from_numpy(image(level)).permute(2, 0, 1))[None]],
        )
        for level in (40, 220)
    ]
    dark, bright = (round(value.item(), 4) for value in expected)
    assert dark < 0.1 < 0.9 < bright
    assert record["probability"] == [bright if level == 220 else dark for level in levels]
    assert [line.split(", ")[0].strip() for line in said[1:]] == [
        "reward_classifier: success at frame 6",
        "reward_classifier: failure at frame 12",
    ]


def test_the_loop_never_waits_and_passed_over_frames_have_no_verdict(checkpoint, tmp_path):
    hook = RewardClassifierConfig(str(checkpoint), min_length=1).make()
    hook.session_started(session(tmp_path))
    go, real = threading.Event(), hook._judge._predict
    hook._judge._predict = lambda *given: go.wait(DEADLINE_S) and real(*given)
    hook.episode_started(0)
    for frame in range(5):
        hook.frame(frame, {CAMERA: image(40)})  # would wait for ever if it waited
    go.set()
    hook._judging[1].result()
    hook.frame(5, {CAMERA: image(220)})
    result = hook.episode_ended(6)
    hook.session_ended()
    assert [value is None for value in result.per_frame["probability"]] == [
        False,
        True,
        True,
        True,
        True,
        False,
    ]
    assert result.record["judged_frames"] == 2
    (found,) = result.suggestion
    assert found.stop == 6
    assert 1 < found.start < 5  # somewhere between the two verdicts


def test_a_verdict_that_fails_is_told_and_the_next_episode_is_judged_again(checkpoint, tmp_path):
    (timed,) = make_hooks([RewardClassifierConfig(str(checkpoint))], 10)
    timed.hook.session_started(session(tmp_path))
    for level, failed in ((None, True), (40, False)):
        timed.begin()
        timed.hook.episode_started(0)
        timed.frame(0, {CAMERA: level if level is None else image(level)})
        record, _ = timed.ended(1)
        assert ("failed" in record) == failed
    timed.hook.session_ended()


def test_what_cannot_be_judged_is_refused_before_anything_is_made(checkpoint, tmp_path):
    with pytest.raises(UsageError, match="no-checkpoint"):
        RewardClassifierConfig(str(tmp_path / "none")).make()
    with pytest.raises(UsageError, match="leave"):
        RewardClassifierConfig(str(checkpoint), enter=0.2, leave=0.3).make()
    spoiled = tmp_path / "spoiled"
    spoiled.mkdir()
    for file in checkpoint.iterdir():
        (spoiled / file.name).write_bytes(file.read_bytes()[: 900 if file.suffix == ".safetensors" else None])
    with pytest.raises(UsageError, match=r"model\.safetensors cannot be loaded"):
        RewardClassifierConfig(str(spoiled)).make()
    hook = RewardClassifierConfig(str(checkpoint)).make()
    other = {"observation.images.wrist": {"dtype": "video", "shape": SIZE}}
    with pytest.raises(UsageError, match=r"needs the camera \S+front.*\n.*cameras: .*wrist"):
        hook.session_started(session(tmp_path, **other))
    hook._judge._preprocessing = ImagePreprocessing({}, None)
    with pytest.raises(UsageError, match="the classifier expects"):
        hook.session_started(session(tmp_path))
