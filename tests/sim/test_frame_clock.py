"""An episode by the frame clock has exactly the frames that were asked for."""

import time

import pytest

from lerobot_grasp_plugin.sim.frame_clock import FrameClock


def record(clock, seconds, *, recorded=True, ready=False):
    """Frames of one loop, as LeRobot's ``record_loop`` counts its time."""
    frames, timestamp = 0, 0
    started = clock.perf_counter()
    while timestamp < seconds:
        begun = clock.perf_counter()
        clock.observed()
        clock.acted(ready=ready)
        if recorded:
            clock.recorded()
        frames += 1
        assert f"{1 / float(clock.perf_counter() - begun):.1f}"
        timestamp = clock.perf_counter() - started
    return frames


@pytest.mark.parametrize("fps", [7, 10, 15, 30, 60])
def test_frames_are_seconds_times_rate(fps):
    clock = FrameClock(fps)
    for frames in (1, 11, 33, 50, 1001):
        assert record(clock, frames / fps) == frames
    assert record(clock, 5) == 5 * fps
    assert record(clock, 1.1 if fps == 10 else 3.0) == (11 if fps == 10 else 3 * fps)


def test_a_reset_is_over_when_the_arm_is_ready():
    clock = FrameClock(10)
    assert record(clock, 60, recorded=False, ready=True) == 1
    assert record(clock, 2, ready=True) == 20
    assert record(clock, 2, recorded=False) == 20


def test_the_rest_of_the_module_time_is_there():
    assert FrameClock(10).strftime is time.strftime
