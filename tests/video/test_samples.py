"""What the tables of a file say is what ffmpeg lists, packet by packet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lerobot_grasp_plugin.findings.problem import VideoError
from lerobot_grasp_plugin.video import samples
from lerobot_grasp_plugin.video.samples import VideoSamples, read_samples
from tests.support.factories import Legacy, encode, image, write_legacy

type Recorded = Callable[[str], Path]


def listed(path: Path, monkeypatch: pytest.MonkeyPatch) -> VideoSamples:
    """The same by demuxing, as for a file whose tables are not enough."""
    with monkeypatch.context() as patch:
        patch.setattr(samples, "_shown_at", lambda track, movie: None)
        return read_samples(path)


def same(one: VideoSamples, other: VideoSamples) -> bool:
    names = ("pts", "offsets", "sizes", "keyframes")
    return (one.time_base, one.hidden, one.signature) == (
        other.time_base,
        other.hidden,
        other.signature,
    ) and all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


@pytest.mark.parametrize("name", ["av1", "split"])
def test_recorded_files(name: str, recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in sorted(recorded(name).rglob("*.mp4")):
        assert same(read_samples(path), listed(path, monkeypatch))


def test_images_out_of_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """B-frames: decode order is not the order of showing, and an edit list sets the beginning."""
    import av

    path = tmp_path / "b.mp4"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", 10, options={"preset": "medium", "x264-params": "threads=1"})
        stream.height, stream.width, stream.pix_fmt = 64, 96, "yuv420p"
        for frame in range(30):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(image(0, 0, frame), format="rgb24")))
        output.mux(stream.encode(None))
    tables = read_samples(path)
    assert same(tables, listed(path, monkeypatch))
    np.testing.assert_allclose(tables.seconds, np.arange(30) / 10)
    assert (np.diff(tables.offsets) < 0).any()


def test_real_files(shared_data: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("gr1_picknplace_v20", "ioai_tiny"):
        for path in sorted(shared_data(name).rglob("*.mp4")):
            assert same(read_samples(path), listed(path, monkeypatch))


def test_a_header_that_claims_too_much(tmp_path: Path) -> None:
    """Numbers in tables are checked before memory is taken for them."""
    path = encode(tmp_path / "a.mp4", [image(0, 0, frame) for frame in range(4)])
    data = path.read_bytes()
    for box, at in (("stsz", 12), ("stts", 8), ("stts", 12), ("stco", 8), ("stsc", 8)):
        start = data.index(box.encode()) + at
        path.write_bytes(data[:start] + b"\x7f\xff\xff\xff" + data[start + 4 :])
        with pytest.raises(VideoError) as caught:
            read_samples(path)
        assert caught.value.problems[0].code == "video-damaged"


def test_reading_takes_no_payload(tmp_path: Path) -> None:
    """The packets themselves are not read: they may be anything."""
    root = write_legacy(tmp_path / "set", Legacy(lengths=(6,)))
    path = next(root.rglob("*.mp4"))
    before = read_samples(path)
    data = bytearray(path.read_bytes())
    start, size = int(before.offsets[3]), int(before.sizes[3])
    data[start : start + size] = bytes(size)
    path.write_bytes(data)
    assert same(read_samples(path), before)
