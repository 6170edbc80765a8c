"""Which image LeRobot finds for a row, by what a file's header says."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from lerobot_grasp_plugin.core.video_index import StreamSignature
from lerobot_grasp_plugin.verify.video_use import FileUse, match_rows
from lerobot_grasp_plugin.verify.videos import check_file
from lerobot_grasp_plugin.video.samples import VideoSamples, read_samples
from tests.support.factories import encode

FPS = 30


def file_of(frames: list[int], average: Fraction = Fraction(FPS)) -> VideoSamples:
    """A file that has these frames of the grid."""
    count = len(frames)
    return VideoSamples(
        path=Path("a.mp4"),
        signature=StreamSignature("h264", 96, 64, "yuv420p", None, (0, 0, 0, 0), b""),
        pts=np.array(frames, dtype=np.int64) * 512,
        time_base=Fraction(1, 512 * FPS),
        offsets=np.zeros(count, dtype=np.int64),
        sizes=np.ones(count, dtype=np.int64),
        keyframes=np.ones(count, dtype=np.bool_),
        average_fps=average,
        hidden=0,
        undated=0,
        descriptions=1,
        video_streams=1,
        audio_streams=0,
        upright=True,
        file_bytes=count,
    )


def use_of(lengths: list[int], starts: list[float] | None = None) -> FileUse:
    before = np.cumsum([0, *lengths[:-1]]) / FPS
    return FileUse(
        key="wrist",
        path=Path("a.mp4"),
        episodes=np.arange(len(lengths)),
        starts=before if starts is None else np.array(starts),
        stops=np.full(len(lengths), np.nan),
        lengths=np.array(lengths, dtype=np.int64),
    )


@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=5),
    surplus=st.integers(0, 10),
    missing=st.sets(st.integers(0, 150), max_size=5),
)
@example(lengths=[3], surplus=0, missing={0, 1})
@example(lengths=[20, 10], surplus=0, missing={11, 12, 13, 14})
def test_every_row_and_every_image_is_accounted_for(
    lengths: list[int], surplus: int, missing: set[int]
) -> None:
    rows = sum(lengths)
    frames = [frame for frame in range(rows + surplus) if frame not in missing]
    if not frames:
        return
    match = match_rows(use_of(lengths), file_of(frames), FPS)
    lost = sorted(frame for frame in missing if frame < rows)
    assert match.late.rows + match.absent.rows == len(lost)
    assert match.late.rows == sum(frame > frames[-1] for frame in lost)
    assert (match.off.rows, match.shared.rows) == (0, 0)
    assert int((match.owner < 0).sum()) == sum(frame >= rows for frame in frames)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    assert match.owner[match.owner >= 0].tolist() == [owner[frame] for frame in frames if frame < rows]


def test_an_average_that_is_off_leads_torchcodec_astray() -> None:
    """It takes the first image that is not before number / average, and no number it does not have."""
    assert not match_rows(use_of([200]), file_of(list(range(200))), FPS).miscounted.rows
    match = match_rows(use_of([200]), file_of(list(range(200)), Fraction(FPS * 200, 199)), FPS)
    assert (match.miscounted.place.frame, match.miscounted.rows) == (100, 100)


def test_images_that_are_missing_lead_torchcodec_astray() -> None:
    """It counts by the time: of 38 images, none has the numbers 38 and 39."""
    match = match_rows(use_of([40]), file_of([frame for frame in range(40) if frame not in (7, 8)]), FPS)
    assert (match.absent.rows, match.miscounted.place.frame, match.miscounted.rows) == (2, 38, 2)


def test_images_that_begin_late_lead_torchcodec_astray() -> None:
    """It counts from the first one."""
    match = match_rows(use_of([10], [1.0]), file_of(list(range(30, 40))), FPS)
    assert match.miscounted.rows == 10


def test_a_length_nobody_can_hold() -> None:
    match = match_rows(use_of([10**12]), file_of(list(range(5))), FPS)
    assert (match.late.rows, match.late.place.frame) == (10**12 - 5, 5)


def test_a_file_of_another_container_says_nothing_of_its_starts(tmp_path: Path) -> None:
    """Positions in it are not those of the packets alone."""
    source = encode(tmp_path / "a.mp4", [np.full((64, 96, 3), 9 * n, np.uint8) for n in range(12)], 10)
    path = tmp_path / "b.mp4"
    with av.open(str(source)) as old, av.open(str(path), "w", format="matroska") as new:
        copy = new.add_stream_from_template(old.streams.video[0], opaque=True)
        for packet in old.demux(old.streams.video[0]):
            if packet.size:
                packet.stream = copy
                new.mux_one(packet)
    use = replace(use_of([6, 6], [0.0, 0.6]), path=path)
    samples = read_samples(path)
    assert list(check_file(use, samples, match_rows(use, samples, 10), 10)) == []
