"""Marks and figures of one episode, on a dataset that only takes frames."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pytest

from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.findings.problem import UsageError
from lerobot_grasp_plugin.recording import recorder as module
from lerobot_grasp_plugin.recording.hooks import HookResult, RecordingHook, TimedHook
from lerobot_grasp_plugin.recording.mark_keys import MarkKeys
from lerobot_grasp_plugin.recording.options import GraspOptions
from lerobot_grasp_plugin.recording.pause import Pause
from lerobot_grasp_plugin.recording.recorder import EpisodeRecorder


class Frames:
    """As much of a dataset as a recorder needs."""

    fps = 10

    def add_frame(self, frame):
        pass

    def mark_success(self, active):
        pass


@pytest.fixture
def record(monkeypatch):
    """Records frames at given times; keys are ``(key, pressed, seen before frame)``."""

    def recorded(times, keys=(), lag=0):
        shown = []
        recorder = EpisodeRecorder(Frames(), lag, [], shown.append, lambda: None)
        marks = MarkKeys(GraspOptions(), lambda key: None, shown.append)
        marks.recorder = recorder
        for index, time in enumerate(times):
            for key, pressed, before in keys:
                if before == index:
                    marks.press(key, pressed)
            monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda now=time: now))
            recorder.add_frame({})
        for key, pressed, before in keys:
            if before >= len(times):
                marks.press(key, pressed)
        monkeypatch.undo()
        return recorder.finish()

    return recorded


STEADY = [number / 10 for number in range(10)]


def success(*pairs):
    return IntervalSet(FrameInterval(*pair) for pair in pairs)


@pytest.mark.parametrize("key", ["s", "S"])
def test_a_mark_counts_from_the_frame_it_was_pressed_before(record, key):
    assert record(STEADY, [(key, 0.25, 3)]).success == success((3, 10))
    assert record(STEADY, [(key, 0.25, 5)]).success == success((3, 10))  # it was decided on later
    assert record(STEADY, [(key, 0.25, 99)]).success == success((3, 10))
    assert record(STEADY, [(key, -0.05, 0)], lag=2).success == success((0, 10))
    assert record(STEADY, [(key, 0.95, 99)]).success == success()


def test_presses_soon_after_each_other_all_count(record):
    keys = [("s", 0.25, 3), ("s", 0.45, 5), ("s", 0.65, 7), ("F", 0.85, 9)]
    attempt = record(STEADY, keys)
    assert attempt.success == success((3, 5), (7, 9))
    assert len(attempt.record["keys"]) == 4


def test_an_overloaded_episode_is_slow(record):
    """17 frames in 3 s at 10 frames per second."""
    times = [number * 0.1875 for number in range(17)]
    attempt = record(times)
    assert attempt.record["timing"] == {
        "mean_period_ms": 187.5,
        "p99_period_ms": 187.5,
        "max_period_ms": 187.5,
        "late_frames": 16,
        "dropped_frames": 14,
        "rate": 0.5333,
        "slow": True,
    }
    assert attempt.timing.lines() == [
        "  5.3 frames per second: 188 ms per frame on average, at worst 188 ms; 16 frames late, 14 dropped",
        "  SLOW: 17 rows claim 10 frames per second; press r to record the episode again",
    ]


def test_one_pause_is_named_and_not_slow(record):
    timing = record([*STEADY, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0]).timing
    assert not replace(timing, min_rate=0.7).slow
    assert timing.record()["max_period_ms"] == 600
    assert (timing.record()["late_frames"], timing.dropped) == (1, 5)
    assert replace(timing, simulated=True).lines() == []
    assert "rate" not in replace(timing, simulated=True).record()
    assert record([0.0]).timing.lines() == []
    assert len(record(STEADY).timing.lines()) == 1


def test_a_pause_leaves_no_trace_in_frames_times_and_marks(monkeypatch):
    shown, held = [], []
    monkeypatch.setattr(module, "tell_held", held.append)
    hook = TimedHook("hook", Mock(spec=RecordingHook, episode_ended=lambda length: None), 0.1)
    pause = Pause(10, ["elbow.pos"])
    recorder = EpisodeRecorder(Frames(), 0, [hook], lambda event: None, lambda: None, pause=pause)
    marks = MarkKeys(GraspOptions(), lambda key: None, shown.append)
    marks.recorder = recorder
    keys = {3.0: "p", 3.4: "s", 5.0: "P"}
    times = [2.7, 2.8, 2.9, *(3.0 + number / 10 for number in range(25))]
    for time in times:
        for pressed, key in keys.items():
            if time - 0.1 < pressed <= time:
                marks.press(key, pressed)
        monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda now=time: now))
        pause.action({"elbow.pos": time})
        recorder.add_frame({})
    assert recorder.lengthening_s() == pytest.approx(2.0)
    assert recorder.lengthening_s() == 0
    monkeypatch.undo()
    attempt = recorder.finish()
    assert attempt.length == len(times) - 20 == len(times) - len(held)
    assert attempt.success == success((3, attempt.length))
    assert attempt.record["pauses"] == [[3, 2.0]]
    assert attempt.record["hooks"]["hook"]["late_frames"] == attempt.timing.record()["late_frames"] == 0
    hook.hook.paused.assert_called_once_with(3)
    assert [line.split(":")[0] for line in shown] == ["PAUSED", "Continuing"]


def test_idle_frames_are_left_out_of_everything(monkeypatch):
    seen = IntervalSet([FrameInterval(1, 5), FrameInterval(8, None)])
    result = HookResult(suggestion=seen, per_frame={"number": list(range(12))})
    hook = TimedHook("hook", Mock(spec=RecordingHook, episode_ended=lambda length: result), 0.1)
    frames = Frames()
    frames.keep_frames = kept = Mock()
    recorder = EpisodeRecorder(frames, 0, [hook], lambda event: None, lambda: None, trim=0.5)
    places = [0, 0.1, 0, 0.2, 1, 2, 3, 2.8, 3, 3.1, 3, 3]
    for index, place in enumerate(places):
        monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda now=index / 10: now))
        if index == 6:
            recorder.press("toggle", 0.55)
        if index == 8:
            recorder.press("toggle", 0.75)
        state = np.array([5.0, place], np.float32)
        recorder.add_frame({"observation.state": state, "action": state})
    monkeypatch.undo()
    monkeypatch.setattr(module, "tell_kept", told := Mock())
    attempt = recorder.finish()
    kept.assert_called_once_with(3, 8)
    assert told.call_args.args[1:] == (3, 8)
    assert (attempt.length, attempt.trimmed) == (5, (3, 4))
    assert attempt.success == success((3, 5))
    assert attempt.suggestions["hook"] == success((0, 2))
    record = attempt.record
    assert record["trimmed"] == [3, 4]
    assert record["hooks"]["hook"]["number"] == [3, 4, 5, 6, 7]
    assert [(key["frame_index"], key["from_frame"]) for key in record["keys"]] == [(3, 3), (5, 5)]
    assert record["timing"]["mean_period_ms"] == 100


def test_marks_outside_of_episodes_are_answered():
    shown, others = [], []
    marks = MarkKeys(GraspOptions(), others.append, shown.append)
    for key in "sFnxp":
        marks.press(key, 0.0)
    assert shown.pop() == "p: ignored; only a running episode can be paused"
    assert shown == [
        f"{key}: ignored; marks can only be set while an episode is recorded" for key in ("s", "F")
    ]
    assert others == ["n", "x"]


@pytest.mark.parametrize("options", [{"success_key": "N"}, {"success_key": "F"}])
def test_a_capital_is_no_key_of_its_own(options):
    with pytest.raises(UsageError, match="two meanings"):
        GraspOptions(**options).check()
