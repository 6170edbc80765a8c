from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lerobot_grasp_plugin.core.timeline import (
    exact_fps,
    frame_of,
    frame_of_pts,
    frames_of_pts,
    is_readable,
    moved_stamps,
    nearest_frame,
    off_grid,
    pts_of,
    readable_stamps,
    ticks_per_frame,
    timescale,
    timestamp_of,
)

FPS = st.integers(1, 240)
FRAMES = st.integers(0, 5_000_000)


@pytest.mark.parametrize(
    ("fps", "expected"),
    [(10, 10240), (30, 15360), (50, 12800), (1, 16384), (10_000, 10_000), (12_345, 12_345)],
)
def test_timescale_is_the_mov_rule(fps: int, expected: int) -> None:
    assert timescale(fps) == expected
    assert ticks_per_frame(fps) * fps == expected


@given(FPS, FRAMES)
def test_a_frame_survives_seconds_and_ticks(fps: int, frame: int) -> None:
    assert frame_of(timestamp_of(frame, fps), fps) == frame
    tick = Fraction(1, timescale(fps))
    assert pts_of(frame, fps, tick) == frame * ticks_per_frame(fps)
    assert frame_of_pts(pts_of(frame, fps, tick), fps, tick) == frame


@given(FPS, FRAMES)
def test_a_timestamp_is_the_nearest_double(fps: int, frame: int) -> None:
    seconds = timestamp_of(frame, fps)
    assert type(seconds) is float
    assert seconds == float(Fraction(frame, fps))


def test_numpy_frames_give_python_floats() -> None:
    assert type(timestamp_of(np.int64(7), 10)) is float  # type: ignore[arg-type]


@given(FPS, FRAMES, st.fractions(Fraction(-49, 100), Fraction(49, 100), max_denominator=1000))
def test_the_nearest_frame_and_its_deviation(fps: int, frame: int, part: Fraction) -> None:
    seconds = float((frame + part) / fps)
    found, deviation = nearest_frame(seconds, fps)
    assert found == frame
    assert deviation == pytest.approx(float(part) / fps, abs=1e-8)


def test_off_the_grid_is_an_error_that_says_how_far() -> None:
    assert frame_of(0.30005, 10) == 3
    with pytest.raises(ValueError, match=r"frame 3 is at 0.3 s, 0.010000 s away"):
        frame_of(0.31, 10)
    assert frame_of(0.31, 10, tolerance_s=0.02) == 3
    with pytest.raises(ValueError, match="nan is not a time"):
        frame_of(float("nan"), 10)


@pytest.mark.parametrize("fps", [0, -5, float("nan"), float("inf"), True])
def test_fps_must_be_a_positive_number(fps: float) -> None:
    with pytest.raises(ValueError, match="positive number"):
        timescale(fps)


@pytest.mark.parametrize(
    ("fps", "exact"),
    [
        (9.97, Fraction(997, 100)),
        (29.97, Fraction(2997, 100)),
        (30000 / 1001, Fraction(30000, 1001)),
        (0.5, Fraction(1, 2)),
        (12.3456, Fraction(123456, 10_000)),
        (30.0, Fraction(30)),
    ],
)
def test_a_rate_that_is_no_whole_number(fps: float, exact: Fraction) -> None:
    assert exact_fps(fps) == exact
    time_base = Fraction(1, timescale(fps))
    assert timescale(fps) >= 10_000
    for frame in (0, 1, 7, 100_000):
        pts = frame * ticks_per_frame(fps)
        assert pts * time_base == Fraction(frame) / exact
        assert pts_of(frame, fps, time_base) == pts
        assert frame_of_pts(pts, fps, time_base) == frame
        assert nearest_frame(timestamp_of(frame, fps), fps)[0] == frame
        assert timestamp_of(frame, fps) == pytest.approx(frame / fps, abs=1e-9)
    frames, rest = frames_of_pts(np.arange(9) * ticks_per_frame(fps), fps, time_base)
    assert frames.tolist() == list(range(9))
    assert not rest.any()


@given(
    st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=8),
    FPS,
    st.integers(1, 1001),
    st.integers(1, 90_000),
)
def test_arrays_agree_with_fractions(pts: list[int], fps: int, num: int, den: int) -> None:
    tick = Fraction(num, den)
    frames, rest = frames_of_pts(np.array(pts, dtype=np.int64), fps, tick)
    for value, frame, left in zip(pts, frames.tolist(), rest.tolist(), strict=True):
        assert frame == frame_of_pts(value, fps, tick)
        assert Fraction(left, tick.denominator) == value * tick * fps - frame
        assert abs(Fraction(left, tick.denominator)) <= Fraction(1, 2)


def test_absurd_pts_are_refused_instead_of_wrapping() -> None:
    with pytest.raises(ValueError, match="out of range"):
        frames_of_pts(np.array([2**62], dtype=np.int64), 30, Fraction(1, 15360))


@pytest.mark.parametrize("fps", [10, 24, 25, 30, 50, 60])
@pytest.mark.parametrize("start_frame", [0, 7, 607, 20_001, 61_000])
def test_lerobot_finds_every_frame_of_a_recording_of_any_length(fps: int, start_frame: int) -> None:
    frames = np.arange(5 * 3600 * 10)
    start = np.full(len(frames), start_frame / fps)
    stamps = readable_stamps(frames, fps, np.dtype(np.float32), [start])
    asked = (start + stamps.astype(np.float64)).astype(np.float32)  # as LeRobot's reader and decoder do it
    shown = ((frames + start_frame) / fps).astype(np.float32)
    assert np.abs(asked - shown).max() < 1e-4
    assert is_readable(stamps, frames, fps, [start]).all()
    assert not off_grid(stamps, frames, fps).any()
    assert (np.diff(stamps) > 0).all()


def test_what_is_next_to_the_grid_is_not_found_where_float32_is_coarse() -> None:
    frames, start = np.array([100, 11_000]), np.zeros(2)
    near = (frames / 10 + 9e-5).astype(np.float32)
    assert is_readable(near, frames, 10, [start]).tolist() == [True, False]
    assert np.isnan(off_grid(np.array([np.nan], np.float32), frames[:1], 10)).all()
    assert not is_readable(np.array([np.nan], np.float32), frames[:1], 10, []).any()


@pytest.mark.parametrize("fps", [10, 30, 29.97002997002997])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_moved_timestamps_are_on_the_grid_where_they_were_on_it(fps: float, dtype: Any) -> None:
    frames, starts = np.arange(200), np.repeat([7, 40_000], 100)
    stamps = ((frames + starts) / fps).astype(dtype)
    grid = (frames / fps).astype(dtype)
    assert np.array_equal(moved_stamps(stamps, frames, starts, fps), grid)
    assert np.array_equal(moved_stamps(np.nextafter(stamps, dtype(np.inf)), frames, starts, fps), grid)


def test_moved_timestamps_stay_off_the_grid_by_as_much() -> None:
    frames, starts = np.arange(4), np.full(4, 6)
    stamps = np.array([0.6, 0.71, np.nan, 0.9], np.float32)
    moved = moved_stamps(stamps, frames, starts, 10)
    assert moved.dtype == np.float32
    assert moved[[0, 1, 3]] == pytest.approx([0, 0.11, 0.3], abs=1e-6)
    assert np.isnan(moved[2])
