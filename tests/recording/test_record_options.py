"""Options that are refused before LeRobot is imported, and hooks that failed."""

from __future__ import annotations

import pytest

from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.findings.problem import UsageError
from lerobot_grasp_plugin.recording.hooks import HookResult, RecordingHook, TimedHook
from lerobot_grasp_plugin.recording.options import GraspOptions, check_batch, check_trim


def test_videos_of_several_episodes_are_not_encoded_at_once():
    check_batch(None)
    check_batch(1)
    with pytest.raises(UsageError, match="video_encoding_batch_size must be 1, not 5"):
        check_batch(5)


def test_frames_that_are_encoded_already_cannot_be_trimmed():
    check_trim("idle", None)
    check_trim("none", True)
    with pytest.raises(UsageError, match="already encoded"):
        check_trim("idle", True)


@pytest.mark.parametrize("rate", [-0.1, 1.1])
def test_a_rate_is_a_share(rate):
    with pytest.raises(UsageError, match="min_rate"):
        GraspOptions(min_rate=rate).check()


def test_a_hook_that_failed_suggests_nothing():
    class Failing(RecordingHook):
        def frame(self, frame_index, frame):
            if frame_index == 1:
                raise RuntimeError("lost")

        def episode_ended(self, length):
            return HookResult({"seen": 1}, IntervalSet.everything())

    hook = TimedHook("failing", Failing(), 0.1)
    hook.frame(0, {})
    assert hook.ended(1)[1] == IntervalSet.everything().clip(1)
    hook.begin()
    for index in range(3):
        hook.frame(index, {})
    record, suggestion = hook.ended(3)
    assert suggestion is None
    assert (record["failed"], record["seen"]) == ("RuntimeError: lost", 1)
