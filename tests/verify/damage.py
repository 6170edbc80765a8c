"""A copy of a sound dataset, of any format, that can be damaged at one place."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.factories import read_info, write_lines

FPS = 10
LENGTHS = (12, 11, 13)
CAMERA = "observation.images.wrist"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"


@dataclass(frozen=True)
class Target:
    """A dataset that may be damaged; episodes and frames are 0-based.

    Attributes:
        root: Its folder.
        version: ``v2.0``, ``v2.1`` or ``v3.0``.
    """

    root: Path
    version: str

    @property
    def is_v3(self) -> bool:
        return self.version == "v3.0"

    # -- places -----------------------------------------------------------------------------------

    def data(self, episode: int = 1) -> Path:
        name = "file-000" if self.is_v3 else f"episode_{episode:06d}"
        return self.root / f"data/chunk-000/{name}.parquet"

    def video(self, episode: int = 1) -> Path:
        if self.is_v3:
            return self.root / f"videos/{CAMERA}/chunk-000/file-000.mp4"
        return self.root / f"videos/chunk-000/{CAMERA}/episode_{episode:06d}.mp4"

    @property
    def info(self) -> Path:
        return self.root / "meta/info.json"

    @property
    def episodes(self) -> Path:
        """Where verify says the episodes are listed."""
        return self.root / ("meta/episodes" if self.is_v3 else "meta/episodes.jsonl")

    @property
    def episodes_file(self) -> Path:
        return self.episodes / "chunk-000/file-000.parquet" if self.is_v3 else self.episodes

    @property
    def tasks(self) -> Path:
        return self.root / ("meta/tasks.parquet" if self.is_v3 else "meta/tasks.jsonl")

    @property
    def stats(self) -> Path:
        """Statistics over the whole dataset; v2.1 has none."""
        return self.root / "meta/stats.json"

    # -- metadata ---------------------------------------------------------------------------------

    @property
    def features(self) -> dict[str, Any]:
        """``features`` of info.json."""
        return read_info(self.root)["features"]

    def set_info(self, **changes: Any) -> None:
        self.info.write_text(json.dumps(read_info(self.root) | changes))

    def set_feature(self, name: str, **changes: Any) -> None:
        features = read_info(self.root)["features"]
        features[name] = features.get(name, {}) | changes
        self.set_info(features=features)

    def set_video_info(self, **changes: Any) -> None:
        info = read_info(self.root)["features"][CAMERA]["info"]
        self.set_feature(CAMERA, info=info | {f"video.{name}": value for name, value in changes.items()})

    def change_episode(self, episode: int, **changes: Any) -> None:
        """Overwrites entries of an episode in the list of episodes; ``camera__x`` is a video column."""
        changes = {name.replace("camera__", f"videos/{CAMERA}/"): value for name, value in changes.items()}
        if self.is_v3:
            table = pq.ParquetFile(self.episodes_file).read()
            entries = table.to_pylist()
            entries[episode] |= changes
            pq.write_table(pa.Table.from_pylist(entries, table.schema), self.episodes_file)
        else:
            entries = [json.loads(line) for line in self.episodes.read_text().splitlines()]
            entries[episode] |= changes
            write_lines(self.episodes, entries)

    # -- rows -------------------------------------------------------------------------------------

    def change_rows(self, change: Callable[[pa.Table], pa.Table], episode: int = 1) -> None:
        """Replaces the rows of one episode in its file."""
        path = self.data(episode)
        table = pq.ParquetFile(path).read()
        start = sum(LENGTHS[:episode]) if self.is_v3 else 0
        length = LENGTHS[episode]
        own = change(table.slice(start, length))
        pieces = [table.slice(0, start).cast(own.schema), own, table.slice(start + length).cast(own.schema)]
        with pq.ParquetWriter(path, own.schema) as writer:
            for piece in pieces:
                if piece.num_rows:
                    writer.write_table(piece)

    def change_column(
        self, name: str, change: Callable[[list[Any]], Sequence[Any]], episode: int = 1
    ) -> None:
        """Replaces the values one episode has in a column; the type stays."""

        def changed(table: pa.Table) -> pa.Table:
            at = table.column_names.index(name)
            values = pa.array(list(change(table[name].to_pylist())), table.schema.field(name).type)
            return table.set_column(at, table.schema.field(name), values)

        self.change_rows(changed, episode)

    def change_tables(self, change: Callable[[pa.Table], pa.Table]) -> None:
        """Replaces every table as a whole."""
        for path in sorted((self.root / "data").rglob("*.parquet")):
            pq.write_table(change(pq.ParquetFile(path).read()), path)

    def change_column_everywhere(self, name: str, change: Callable[[list[Any]], Sequence[Any]]) -> None:
        def changed(table: pa.Table) -> pa.Table:
            at = table.column_names.index(name)
            values = pa.array(list(change(table[name].to_pylist())), table.schema.field(name).type)
            return table.set_column(at, table.schema.field(name), values)

        self.change_tables(changed)

    # -- videos -----------------------------------------------------------------------------------

    def first_image(self, episode: int = 1) -> int:
        """Number of the image of frame 0 in the episode's file."""
        return sum(LENGTHS[:episode]) if self.is_v3 else 0

    def remux(
        self, change: Callable[[list[Image]], list[Image]], episode: int = 1, delay: int | None = None
    ) -> None:
        """Writes the packets of a video anew, changed; with a delay, as many are decoded ahead."""
        path = self.video(episode)
        with av.open(str(path)) as source:
            stream = source.streams.video[0]
            images = [
                Image(bytes(packet), packet.pts * stream.time_base * FPS, packet.is_keyframe)
                for packet in source.demux(stream)
                if packet.size
            ]
            other = path.with_name("other.mp4")
            with av.open(str(other), "w") as output:
                copy = output.add_stream_from_template(stream, opaque=True)
                copy.time_base = Fraction(1, 10_240)
                for number, image in enumerate(change(images)):
                    packet = av.Packet(image.data)
                    packet.stream, packet.time_base = copy, copy.time_base
                    packet.pts = packet.dts = round(image.at * 1024)
                    if delay is not None:
                        packet.dts = (number - delay) * 1024
                    packet.duration = 1024
                    packet.is_keyframe = image.is_keyframe
                    output.mux_one(packet)
        other.replace(path)


@dataclass
class Image:
    """A packet: its bytes, when it is shown (in frames), and whether it is marked as a keyframe."""

    data: bytes
    at: Fraction | float
    is_keyframe: bool


def add_streams(path: Path, kind: str) -> None:
    """Adds a silent audio stream, or a second video stream, to a file."""
    other = path.with_name("other.mp4")
    with av.open(str(path)) as source, av.open(str(other), "w") as output:
        stream = source.streams.video[0]
        copy = output.add_stream_from_template(stream, opaque=True)
        more: Any
        frame: Any
        if kind == "audio":
            more = output.add_stream("aac", rate=16_000)
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts = 16_000, 0
        else:
            more = output.add_stream("libx264", FPS)
            more.height, more.width, more.pix_fmt = 64, 96, "yuv420p"
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 96, 3), np.uint8))
            frame.pts, frame.time_base = 0, Fraction(1, FPS)
        for packet in source.demux(stream):
            if packet.size:
                packet.stream = copy
                output.mux_one(packet)
        output.mux([*more.encode(frame), *more.encode(None)])
    other.replace(path)


def in_fragments(path: Path) -> None:
    """Writes a file anew as one with fragments, a frame late: no edit list mends that."""
    other = path.with_name("other.mp4")
    options = {"movflags": "frag_keyframe+empty_moov"}
    with av.open(str(path)) as source, av.open(str(other), "w", options=options) as output:
        stream = source.streams.video[0]
        copy = output.add_stream_from_template(stream, opaque=True)
        for packet in source.demux(stream):
            if packet.size:
                packet.stream = copy
                packet.pts += packet.duration  # as encoders that reorder images do
                output.mux_one(packet)
    other.replace(path)


def turn(path: Path) -> None:
    """Lets the header of a file ask for its images to be turned by 90 degrees."""
    content = bytearray(path.read_bytes())
    at = content.index(b"tkhd") + 4 + 40
    for number, value in enumerate([0, 1 << 16, 0, -(1 << 16), 0]):
        content[at + 4 * number : at + 4 * number + 4] = value.to_bytes(4, "big", signed=True)
    path.write_bytes(content)
