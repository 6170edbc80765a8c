from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lerobot_grasp_plugin.core.video_index import (
    CLEAN_START,
    NOT_A_START,
    OPEN_START,
    Segment,
    StreamSignature,
    VideoIndex,
)
from lerobot_grasp_plugin.core.video_plan import plan_shards
from lerobot_grasp_plugin.findings.problem import VideoError

A, B = Path("a.mp4"), Path("b.mp4")
SIGNATURE = StreamSignature("h264", 64, 64, "yuv420p", "High", (0, 2, 2, 2), b"x" * 40)


def index(
    path: Path,
    frames: list[int],
    starts: dict[int, int],
    *,
    size: int = 100,
    hidden: tuple[int, ...] = (),
    parameter_sets: str = "",
) -> VideoIndex:
    """An index with the frames in decode order; ``starts`` by frame."""
    rank = np.argsort(np.argsort(frames))
    return VideoIndex(
        path=path,
        signature=SIGNATURE,
        parameter_sets=parameter_sets,
        frames=np.array(frames, dtype=np.int64),
        shown=np.array([frame not in hidden for frame in frames]),
        sizes=np.full(len(frames), size, dtype=np.int64),
        starts=np.array([starts.get(frame, NOT_A_START) for frame in frames], dtype=np.uint8),
        pts=np.array(frames, dtype=np.int64) * 1024,
        time_base=Fraction(1, 10240),
        reorder_depth=int((np.arange(len(frames)) - rank).max()),
        max_deviation_s=0.0,
        snapped=False,
        has_audio=False,
    )


def plain(path: Path, frames: int, gop: int = 2, **more: int) -> VideoIndex:
    return index(path, list(range(frames)), dict.fromkeys(range(0, frames, gop), CLEAN_START), **more)  # type: ignore[arg-type]


def froms(segments: list[Segment], *indices: VideoIndex, max_bytes: int = 10**9) -> list[list[int]]:
    plans = plan_shards(segments, {one.path: one for one in indices}, 10, max_bytes)
    return [[placement.from_frame for placement in plan.placements] for plan in plans]


def test_neighbours_form_one_run_and_gaps_start_another() -> None:
    plans = plan_shards([Segment(A, 0, 4), Segment(A, 4, 3), Segment(A, 8, 2)], {A: plain(A, 10)}, 10, 10**9)
    (plan,) = plans
    assert [run.pts.tolist() for run in plan.runs] == [[k * 1024 for k in range(7)], [8 * 1024, 9 * 1024]]
    assert [placement.from_frame for placement in plan.placements] == [0, 4, 7]
    assert [placement.timestamps(10) for placement in plan.placements] == [(0.0, 0.4), (0.4, 0.7), (0.7, 0.9)]
    assert (plan.total_frames, plan.preroll, plan.postroll, plan.reorder_depth) == (9, 0, 0, 0)


def test_the_same_episode_twice_is_two_runs() -> None:
    assert froms([Segment(A, 0, 4), Segment(A, 0, 4)], plain(A, 10)) == [[0, 4]]


def test_an_episode_inside_a_gop_brings_preroll_that_no_row_refers_to() -> None:
    (plan,) = plan_shards([Segment(A, 0, 2), Segment(A, 5, 3)], {A: plain(A, 12, gop=4)}, 10, 10**9)
    assert [placement.from_frame for placement in plan.placements] == [0, 3]
    assert (plan.preroll, plan.total_frames) == (1, 6)


def test_reference_packets_shown_later_become_postroll_without_a_hole() -> None:
    reordered = index(A, [0, 8, 4, 2, 1, 3, 6, 5, 7], {0: CLEAN_START})
    (plan,) = plan_shards([Segment(A, 0, 3)], {A: reordered}, 10, 10**9)
    assert plan.runs[0].out_frames.tolist() == [0, 4, 3, 2, 1]
    assert (plan.postroll, plan.total_frames, plan.reorder_depth) == (2, 5, 3)


def test_an_open_start_opens_a_file_and_loses_the_images_before_it() -> None:
    open_gop = index(A, [0, 2, 1, 6, 4, 3, 5, 8, 7], {0: CLEAN_START, 6: OPEN_START})
    plans = plan_shards([Segment(A, 0, 3), Segment(A, 6, 3)], {A: open_gop}, 10, 10**9)
    assert [plan.ordinal for plan in plans] == [0, 1]
    assert plans[1].runs[0].out_frames.tolist() == [0, -1, -1, -1, 2, 1]
    assert plans[1].total_frames == 3
    assert froms([Segment(A, 5, 4)], open_gop) == [[5]]  # frame 5 leads the open start: copy from frame 0
    assert froms([Segment(A, 0, 3), Segment(A, 3, 6)], open_gop) == [[0, 3]]  # inside a run nothing matters


def test_a_neighbour_that_is_coded_before_the_runs_start_begins_a_run_of_its_own() -> None:
    odd = index(A, [0, 5, 3, 4, 6], {0: CLEAN_START, 3: CLEAN_START})
    assert froms([Segment(A, 3, 2), Segment(A, 5, 1)], odd) == [[0, 3]]


@pytest.mark.parametrize("other", ["signature", "parameter_sets"])
def test_other_parameters_open_a_file(other: str) -> None:
    second = plain(B, 4)
    if other == "signature":
        changed = StreamSignature("h264", 64, 64, "yuv420p", "High", (0, 2, 2, 2), b"y" * 40)
        second = VideoIndex(**{**_fields(second), "signature": changed})
    else:
        second = VideoIndex(**{**_fields(second), "parameter_sets": "digest"})
    segments = [Segment(A, 0, 4), Segment(B, 0, 4), Segment(A, 0, 4)]
    assert froms(segments, plain(A, 4), second) == [[0], [0], [0]]
    assert froms(segments, plain(A, 4), plain(B, 4)) == [[0, 4, 8]]


def _fields(one: VideoIndex) -> dict[str, Any]:
    return {name: getattr(one, name) for name in VideoIndex.__dataclass_fields__}


def test_the_size_limit_splits_between_episodes_only() -> None:
    source = plain(A, 40, size=100_000)
    segments = [Segment(A, k, 5) for k in range(0, 40, 5)]
    plans = plan_shards(segments, {A: source}, 10, 1_200_000)
    assert [len(plan.placements) for plan in plans] == [2, 2, 2, 2]
    assert all(plan.estimated_bytes < 1_200_000 for plan in plans)
    assert [[p.from_frame for p in plan.placements] for plan in plans] == [[0, 5]] * 4
    assert froms(segments, source, max_bytes=1) == [[0], [1]] * 4  # too large even alone: a file each


def test_everything_missing_is_named_at_once() -> None:
    source = index(A, [0, 1, 2, 4, 5], {0: CLEAN_START}, hidden=(5,))
    with pytest.raises(VideoError) as caught:
        plan_shards(
            [Segment(A, 1, 3), Segment(A, 4, 2), Segment(A, -1, 2), Segment(A, 0, 0)], {A: source}, 10, 10**9
        )
    messages = [problem.message for problem in caught.value.problems]
    assert [str(problem.place) for problem in caught.value.problems] == ["a.mp4"] * 4
    codes = [problem.code for problem in caught.value.problems]
    assert codes == ["video-frame-missing"] * 3 + ["empty-video-segment"]
    assert "frames 1 to 3 are needed, but frame 3 is not in the file" in messages[0]
    assert "frame 5 is not in the file" in messages[1]
    assert "frame -1 is not in the file" in messages[2]
    assert "length 0" in messages[3]


def test_no_keyframe_before_the_episode_is_an_error() -> None:
    with pytest.raises(
        VideoError, match=r"the file has no keyframe at or before frame 2 \[video-keyframe-missing\]"
    ):
        plan_shards([Segment(A, 2, 2)], {A: index(A, [0, 1, 2, 3, 4], {4: CLEAN_START})}, 10, 10**9)


def test_a_file_without_an_index_is_an_error_of_the_call() -> None:
    with pytest.raises(ValueError, match=r"b\.mp4"):
        plan_shards([Segment(B, 0, 1)], {A: plain(A, 4)}, 10, 10**9)


@st.composite
def _sources(draw: st.DrawFn) -> VideoIndex:
    """A stream of GOPs of random length and order; later GOPs may be open."""
    frames: list[int] = []
    starts: dict[int, int] = {}
    for number in range(draw(st.integers(1, 5))):
        first, length = len(frames), draw(st.integers(1, 7))
        lead = draw(st.integers(0, length - 1)) if number else 0
        key = first + lead
        starts[key] = OPEN_START if lead else CLEAN_START
        leading = draw(st.permutations(range(first, key)))
        trailing = draw(st.permutations(range(key + 1, first + length)))
        frames += [key, *leading, *trailing]
    return index(A, frames, starts)


@given(_sources(), st.data())
def test_whatever_the_order_the_output_is_a_gapless_decodable_grid(
    source: VideoIndex, data: st.DataObject
) -> None:
    total = len(source.frames)
    segments = []
    for _ in range(data.draw(st.integers(1, 4))):
        first = data.draw(st.integers(0, total - 1))
        segments.append(Segment(A, first, data.draw(st.integers(1, total - first))))
    plans = plan_shards(segments, {A: source}, 10, 10**9)
    assert [placement.segment for plan in plans for placement in plan.placements] == segments
    source_frame = dict(zip(source.pts.tolist(), source.frames.tolist(), strict=True))
    start_of = dict(zip(source.frames.tolist(), source.starts.tolist(), strict=True))
    for plan in plans:
        shown_at: dict[int, int] = {}
        decoded = -plan.reorder_depth
        for number, run in enumerate(plan.runs):
            first = source_frame[int(run.pts[0])]
            assert start_of[first] == CLEAN_START or (start_of[first] == OPEN_START and number == 0)
            for pts, out in zip(run.pts.tolist(), run.out_frames.tolist(), strict=True):
                assert (out < 0) == (source_frame[pts] < first)
                if out >= 0:
                    assert out not in shown_at
                    assert decoded <= out
                    shown_at[out] = source_frame[pts]
                    decoded += 1
        assert sorted(shown_at) == list(range(plan.total_frames))
        for placement in plan.placements:
            copied = [shown_at[k] for k in range(placement.from_frame, placement.to_frame)]
            assert copied == list(range(placement.segment.start_frame, placement.segment.stop_frame))
        wanted = sum(placement.segment.length for placement in plan.placements)
        assert plan.total_frames == wanted + plan.preroll + plan.postroll
