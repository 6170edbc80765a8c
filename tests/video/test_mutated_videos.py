"""Videos with spoiled boxes are damage, and never anything else than a VideoError."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import av
import numpy as np
import pytest

from lerobot_grasp_plugin.findings.problem import VideoError
from lerobot_grasp_plugin.video.probe import scan
from lerobot_grasp_plugin.video.samples import read_samples
from tests.support.factories import encode

CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"moof", b"traf", b"mvex"}
NUMBERS = [0, 1, 7, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE, 0x10000, 0x00800001, 12]
ROUNDS = 100


def boxes(data: bytes, at: int, end: int) -> Iterator[tuple[int, int]]:
    """Where each box begins, and how long it is; those within it as well."""
    while at + 8 <= end:
        size = int.from_bytes(data[at : at + 4], "big")
        if size < 8 or at + size > end:
            return
        yield at, size
        if data[at + 4 : at + 8] in CONTAINERS:
            yield from boxes(data, at + 8, at + size)
        at += size


def spoiled(data: bytes, rng: random.Random) -> bytes:
    """A box of another size or kind, left out, doubled, or with another number in its table."""
    places = [place for place in boxes(data, 0, len(data)) if data[place[0] + 4 : place[0] + 8] != b"mdat"]
    if not places:
        return data
    at, size = rng.choice(places)
    kind = rng.random()
    if kind < 0.1:
        return data[:at] + data[at + size :]
    if kind < 0.2:
        return data[: at + size] + data[at:]
    offset = 4 * rng.randrange(2 if kind < 0.4 else max(1, size // 4))
    return data[: at + offset] + rng.choice(NUMBERS).to_bytes(4, "big") + data[at + offset + 4 :]


def fragments(source: Path, path: Path) -> Path:
    with av.open(str(source)) as old, av.open(str(path), "w", options={"movflags": "cmaf"}) as new:
        copy = new.add_stream_from_template(old.streams.video[0], opaque=True)
        for packet in old.demux(old.streams.video[0]):
            if packet.size:
                packet.stream = copy
                new.mux_one(packet)
    return path


@pytest.mark.parametrize("kind", ["whole", "in fragments"])
def test_spoiled_boxes(kind: str, tmp_path: Path) -> None:
    sound = encode(tmp_path / "a.mp4", [np.full((64, 96, 3), 9 * n, np.uint8) for n in range(12)])
    if kind == "in fragments":
        sound = fragments(sound, tmp_path / "b.mp4")
    rng = random.Random(1)  # the same each time
    path = tmp_path / "spoiled.mp4"
    for _ in range(ROUNDS):
        data = sound.read_bytes()
        for _ in range(rng.choice((1, 1, 2))):
            data = spoiled(data, rng)
        path.write_bytes(data)
        with suppress(VideoError):
            assert len(scan(path, 10).frames) <= 200
        with suppress(VideoError):
            assert len(read_samples(path).pts) <= 200
