"""Hooks are watched, and none takes a recording down with it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import draccus
import pytest

from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.findings.problem import UsageError
from lerobot_grasp_plugin.recording.builtin_hooks import GripperEventsConfig
from lerobot_grasp_plugin.recording.hooks import (
    HookConfig,
    HookResult,
    HookSession,
    RecordingHook,
    make_hooks,
)
from lerobot_grasp_plugin.recording.options import GraspOptions


@HookConfig.register_subclass("test_hook")
@dataclass
class ForeignConfig(HookConfig):
    fails: bool = False

    def make(self):
        return Foreign(self.fails)


class Foreign(RecordingHook):
    def __init__(self, fails):
        self.fails = fails

    def frame(self, frame_index, frame):
        if self.fails:
            raise RuntimeError("no image")
        time.sleep(0.002)

    def episode_ended(self, length):
        return HookResult({"seen": length}, IntervalSet([FrameInterval(1, 3)]))


def test_hooks_of_other_packages_are_chosen_by_name():
    flags = [
        "--hooks=[{type: test_hook}, {type: gripper_events, closed: 2.5}, {type: test_hook, fails: true}]"
    ]
    options = draccus.parse(GraspOptions, args=flags)
    names = [hook.name for hook in make_hooks(options.hooks, 10)]
    assert names == ["test_hook", "gripper_events", "test_hook#2"]
    assert options.hooks[1].closed == 2.5


def test_time_failures_and_late_frames_are_recorded():
    slow, broken = make_hooks([ForeignConfig(), ForeignConfig(fails=True)], 10)
    for hook in (slow, broken):
        for frame in range(3):
            hook.frame(frame, {})
        hook.count_late(0.1)  # in time
        hook.count_late(0.111)  # late by less than the slow hook took
        hook.count_late(0.2)  # late without it as well
    record, suggestion = slow.ended(3)
    assert record["late_frames"] == 1
    assert record["max_ms"] >= 2
    assert record["seen"] == 3
    assert suggestion == IntervalSet([FrameInterval(1, 3)])
    record, _ = broken.ended(3)
    assert record["failed"] == "RuntimeError: no image"
    assert record["late_frames"] == 0


def test_a_stalled_gripper_is_suggested_as_a_grasp():
    features = {name: {"names": ["elbow.pos", "gripper.pos"]} for name in ("observation.state", "action")}
    hook = GripperEventsConfig().make()
    hook.session_started(HookSession(None, None, 10, features, Path(), print))
    hook.episode_started(0)
    goal = [60, 40, 20, 5, 5, 5, 5, 5, 5, 5, 60, 60, 60]
    position = [60, 45, 30, 25, 25, 25, 25, 25, 25, 25, 40, 60, 60]
    for frame, (aim, place) in enumerate(zip(goal, position, strict=True)):
        hook.frame(frame, {"action": [0, aim], "observation.state": [0, place]})
    (found,) = hook.episode_ended(len(goal)).suggestion
    assert 3 <= found.start <= 4
    assert 9 <= found.stop <= 10
    hook.episode_started(1)
    for frame, aim in enumerate(goal):
        hook.frame(frame, {"action": [0, aim], "observation.state": [0, aim]})
    result = hook.episode_ended(len(goal))
    assert not result.suggestion
    assert result.record["reason"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"lag_frames": 2, "lag_s": 0.1}, "cannot be combined"),
        ({"lag_s": -1.0}, "0 or more"),
        ({"success_key": "n"}, "two meanings"),
        ({"failure_key": "s"}, "two meanings"),
        ({"done": "keep"}, "to keep"),
    ],
)
def test_options_that_contradict_are_refused(options, said):
    with pytest.raises(UsageError, match=said):
        GraspOptions(**options).check()
