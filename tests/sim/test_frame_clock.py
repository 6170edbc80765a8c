"""An episode by the frame clock has exactly the frames that were asked for."""

import time

import pytest

from lerobot_grasp_plugin.sim.frame_clock import FrameClock


def record(clock, seconds, fps, *, recorded=True, ready=False):
    """Frames of one loop, as LeRobot's ``record_loop`` counts its time."""
    frames, timestamp, interval = 0, 0, 1 / fps
    started = clock.perf_counter()
    while timestamp < seconds:
        begun = clock.perf_counter()
        clock.observed()
        clock.acted(ready=ready)
        if recorded:
            clock.recorded()
        frames += 1
        passed = clock.perf_counter() - begun
        assert f"{1 / float(passed):.1f}"
        assert interval - passed >= 0, "LeRobot would say that its loop is slow"
        timestamp = clock.perf_counter() - started
    return frames


@pytest.mark.parametrize("fps", [7, 10, 15, 30, 60])
def test_frames_are_seconds_times_rate(fps):
    clock = FrameClock(fps)
    for frames in (1, 11, 33, 50, 1001):
        assert record(clock, frames / fps, fps) == frames
    assert record(clock, 5, fps) == 5 * fps
    assert record(clock, 1.1 if fps == 10 else 3.0, fps) == (11 if fps == 10 else 3 * fps)


def test_a_reset_is_over_when_the_arm_is_ready():
    clock = FrameClock(10)
    assert record(clock, 60, 10, recorded=False, ready=True) == 1
    assert record(clock, 2, 10, ready=True) == 20
    assert record(clock, 2, 10, recorded=False) == 20


def test_the_rest_of_the_module_time_is_there():
    assert FrameClock(10).strftime is time.strftime
