"""The corpus of damage: one fault each, what verify is to call it, and where it is to see it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from damage import CAMERA, LENGTHS, LFS, Target, add_streams
from factories import encode, write_lines

ALL = ("v2.0", "v2.1", "v3.0")
LEGACY = ("v2.0", "v2.1")
V3 = ("v3.0",)
LABELLED = ("labelled",)


@dataclass(frozen=True)
class Fault:
    """One kind of damage.

    Attributes:
        family: What it belongs to.
        name: What is wrong.
        inject: Does it.
        code: What verify is to call it.
        severity: How it is to grade it.
        where: The file it is to name; None where only episode and frame matter.
        episode: The episode it is to name, or None for none.
        frame: The frame it is to name, or None for none.
        formats: The sound datasets it is injected into.
        level: How deep verify has to look.
    """

    family: str
    name: str
    inject: Callable[[Target], object]
    code: str
    severity: str = "error"
    where: Callable[[Target], Path] | None = None
    episode: int | None = None
    frame: int | None = None
    formats: tuple[str, ...] = ALL
    level: str = "video"


def _data(target: Target) -> Path:
    return target.data()


def _video(target: Target) -> Path:
    return target.video()


def _info(target: Target) -> Path:
    return target.info


def _episodes(target: Target) -> Path:
    return target.episodes


def _tasks(target: Target) -> Path:
    return target.tasks


def _stats(target: Target) -> Path:
    return target.stats


FAULTS: list[Fault] = []


def fault(family: str, name: str, code: str, severity: str = "error", **expected: Any) -> Callable[..., Any]:
    """Adds the decorated function to the corpus as an injector."""

    def add(inject: Callable[[Target], object]) -> Callable[[Target], object]:
        simple(family, name, inject, code, severity, **expected)
        return inject

    return add


def simple(
    family: str,
    name: str,
    inject: Callable[[Target], object],
    code: str,
    severity: str = "error",
    **expected: Any,
) -> None:
    """Adds a fault to the corpus."""
    FAULTS.append(Fault(family, name, inject, code, severity, **expected))


# -- files ------------------------------------------------------------------------------------------

simple("files", "table of no bytes", lambda t: t.data().write_bytes(b""), "empty-file", where=_data)
simple("files", "table is a Git LFS pointer", lambda t: t.data().write_bytes(LFS), "lfs-pointer", where=_data)
simple(
    "files",
    "table without footer",
    lambda t: t.data().write_bytes(t.data().read_bytes()[:-40]),
    "bad-parquet",
    where=_data,
)
simple("files", "table missing", lambda t: t.data().unlink(), "missing-file", where=_data)
simple("files", "video missing", lambda t: t.video().unlink(), "video-missing", where=_video)
simple("files", "video of no bytes", lambda t: t.video().write_bytes(b""), "video-empty", where=_video)
simple(
    "files",
    "video is a Git LFS pointer",
    lambda t: t.video().write_bytes(LFS),
    "video-lfs-pointer",
    where=_video,
)
simple("files", "info.json missing", lambda t: t.info.unlink(), "missing-file", where=_info)
simple(
    "files",
    "info.json cut off",
    lambda t: t.info.write_bytes(t.info.read_bytes()[:99]),
    "bad-json",
    where=_info,
)
simple(
    "files", "tasks are a Git LFS pointer", lambda t: t.tasks.write_bytes(LFS), "lfs-pointer", where=_tasks
)
simple("files", "tasks missing", lambda t: t.tasks.unlink(), "missing-file", where=_tasks)
simple(
    "files",
    "episodes cut off",
    lambda t: t.episodes_file.write_bytes(t.episodes_file.read_bytes()[:-40]),
    "bad-parquet",
    where=lambda t: t.episodes_file,
    formats=V3,
)
simple(
    "files",
    "episodes missing",
    lambda t: t.episodes_file.unlink(),
    "missing-episodes-table",
    where=_episodes,
    formats=V3,
)
simple(
    "files",
    "episodes missing",
    lambda t: t.episodes_file.unlink(),
    "missing-file",
    where=_episodes,
    formats=LEGACY,
)
simple(
    "files",
    "path template without a field",
    lambda t: t.set_info(data_path="data/all.parquet"),
    "bad-path-template",
    where=_info,
    formats=LEGACY,
)
simple(
    "files",
    "path template of an unknown field",
    lambda t: t.set_info(data_path="data/{shard}.parquet"),
    "bad-path-template",
)
simple(
    "files",
    "path template leads outside",
    lambda t: t.set_info(video_path="../../{video_key}.mp4"),
    "path-outside-dataset",
)


@fault("files", "extra table", "extra-file", "warning", where=lambda t: _extra_table(t))
def extra_table(target: Target) -> None:
    shutil.copy(target.data(), _extra_table(target))


def _extra_table(target: Target) -> Path:
    return target.data().with_name("file-001.parquet" if target.is_v3 else "episode_000003.parquet")


@fault("files", "extra video", "extra-file", "warning", where=lambda t: t.video().with_name("extra.mp4"))
def extra_video(target: Target) -> None:
    shutil.copy(target.video(), target.video().with_name("extra.mp4"))


@fault("files", "more files than a chunk may hold", "chunk-limit", "warning", formats=LEGACY)
def chunk_limit(target: Target) -> None:
    target.set_info(chunks_size=2)


@fault("files", "interrupted recording left pictures", "unfinished-episode", "warning")
def left_pictures(target: Target) -> None:
    folder = target.root / f"images/{CAMERA}/episode-000003"
    folder.mkdir(parents=True)
    (folder / "frame-000000.png").write_bytes(b"\x89PNG")


# -- info.json --------------------------------------------------------------------------------------

simple("info", "total_episodes", lambda t: t.set_info(total_episodes=4), "wrong-total", where=_info)
simple("info", "total_frames", lambda t: t.set_info(total_frames=37), "wrong-total", where=_info)
simple("info", "total_tasks", lambda t: t.set_info(total_tasks=5), "wrong-total", "warning", where=_info)
simple("info", "fps", lambda t: t.set_info(fps=20), "timestamp-off-grid", episode=0, frame=1)
simple("info", "fps", lambda t: t.set_info(fps=20), "video-wrong-fps", episode=0)
simple("info", "fps is text", lambda t: t.set_info(fps="fast"), "bad-info", where=_info)
simple(
    "info",
    "splits past the end",
    lambda t: t.set_info(splits={"train": "0:9"}),
    "bad-splits",
    "warning",
    where=_info,
)
simple(
    "info",
    "unknown codebase_version",
    lambda t: t.set_info(codebase_version="v9.0"),
    "unknown-codebase-version",
    where=_info,
)
simple(
    "info",
    "codebase_version of another format",
    lambda t: t.set_info(codebase_version="v3.0"),
    "version-mismatch",
    where=_info,
    formats=LEGACY,
)
simple(
    "info",
    "codebase_version of another format",
    lambda t: t.set_info(codebase_version="v2.1"),
    "version-mismatch",
    where=_info,
    formats=V3,
)
simple(
    "info",
    "feature declared, column absent",
    lambda t: t.set_feature("next.extra", dtype="float32", shape=[1], names=None),
    "missing-column",
)
simple(
    "info",
    "shape differs from the column",
    lambda t: t.set_feature("action", shape=[3], names=["a", "b", "c"]),
    "shape-mismatch",
)
simple(
    "info",
    "dtype differs from the column",
    lambda t: t.set_feature("action", dtype="int64"),
    "dtype-mismatch",
    "error",
)
simple(
    "info",
    "state width differs from info.json",
    lambda t: t.set_feature("observation.state", shape=[6], names=None),
    "shape-mismatch",
)


@fault("info", "metadata of two formats", "mixed-versions", "warning", where=lambda t: t.root / "meta")
def two_formats(target: Target) -> None:
    if target.is_v3:
        write_lines(target.root / "meta/tasks.jsonl", [{"task_index": 0, "task": "pick the cube"}])
    else:
        pq.write_table(
            pa.table({"task_index": [0], "task": ["pick the cube"]}), target.root / "meta/tasks.parquet"
        )


@fault("info", "column not declared", "undeclared-column")
def undeclared(target: Target) -> None:
    target.change_tables(lambda table: table.append_column("note", pa.array(["x"] * table.num_rows)))


# -- indices ----------------------------------------------------------------------------------------


def _plus_from(frame: int, by: float) -> Callable[[list[Any]], list[Any]]:
    return lambda values: [value + by * (at >= frame) for at, value in enumerate(values)]


def _at(frame: int, value: Any) -> Callable[[list[Any]], list[Any]]:
    return lambda values: [*values[:frame], value, *values[frame + 1 :]]


AT_5 = {"where": _data, "episode": 1, "frame": 5}
simple(
    "indices",
    "hole in index",
    lambda t: t.change_column("index", lambda v: [n + (at >= 5) for at, n in enumerate(v)]),
    "index-wrong",
    **AT_5,
)
simple("indices", "index twice", lambda t: t.change_column("index", _at(5, 16)), "index-wrong", **AT_5)
simple(
    "indices",
    "index starts again",
    lambda t: t.change_column("index", lambda v: list(range(len(v)))),
    "index-wrong",
    where=_data,
    episode=1,
    frame=0,
)
simple(
    "indices", "frame_index twice", lambda t: t.change_column("frame_index", _at(5, 4)), "frame-wrong", **AT_5
)
simple(
    "indices",
    "frame_index does not restart",
    lambda t: t.change_column("frame_index", lambda v: [n + 12 for n in v]),
    "frame-wrong",
    where=_data,
    episode=1,
    frame=0,
)
simple(
    "indices",
    "row of another episode",
    lambda t: t.change_column("episode_index", _at(5, 0)),
    "scattered-episode",
    where=_data,
)
simple(
    "indices",
    "task_index without task",
    lambda t: t.change_column("task_index", _at(5, 7)),
    "unknown-task",
    **AT_5,
)
simple(
    "indices",
    "episodes list longer than the data",
    lambda t: t.change_episode(1, length=12),
    "wrong-length",
    episode=1,
)
simple(
    "indices",
    "episode numbered twice",
    lambda t: t.change_episode(1, episode_index=2),
    "episode-numbering",
    where=_episodes,
)
simple(
    "indices",
    "data range of an episode",
    lambda t: t.change_episode(1, dataset_from_index=13),
    "wrong-range",
    episode=1,
    formats=V3,
)


@fault("indices", "index columns are floats", "index-dtype", "warning")
def float_index(target: Target) -> None:
    def changed(table: pa.Table) -> pa.Table:
        at = table.column_names.index("index")
        return table.set_column(at, "index", pc.cast(table["index"], pa.float64()))

    target.change_tables(changed)


@fault("indices", "episode cut short in the data", "wrong-length", episode=1)
def fewer_rows(target: Target) -> None:
    target.change_rows(lambda table: table.slice(0, 9))


# -- timestamps -------------------------------------------------------------------------------------

simple(
    "timestamps",
    "one off the grid",
    lambda t: t.change_column("timestamp", _at(5, 0.53)),
    "timestamp-off-grid",
    **AT_5,
)
simple(
    "timestamps",
    "not in order",
    lambda t: t.change_column("timestamp", _at(5, 0.35)),
    "timestamp-order",
    **AT_5,
)
simple(
    "timestamps",
    "jitter",
    lambda t: t.change_column("timestamp", lambda v: [s + 0.004 * (at % 3) for at, s in enumerate(v)]),
    "timestamp-off-grid",
    where=_data,
    episode=1,
    frame=1,
)
simple(
    "timestamps",
    "one frame late",
    lambda t: t.change_column("timestamp", lambda v: [s + 0.1 for s in v]),
    "timestamp-off-grid",
    where=_data,
    episode=1,
    frame=0,
)
simple(
    "timestamps",
    "go on from the episode before",
    lambda t: t.change_column("timestamp", lambda v: [s + 1.2 for s in v]),
    "timestamp-off-grid",
    where=_data,
    episode=1,
    frame=0,
)

# -- videos -----------------------------------------------------------------------------------------

LAST = len(LENGTHS) - 1


def _last_video(target: Target) -> Path:
    return target.video(LAST)


def _shifted(pictures: list[Any], frame: int, by: float) -> list[Any]:
    return [replace(p, at=p.at + by * (at >= frame)) for at, p in enumerate(pictures)]


def _unmarked(pictures: list[Any], *frames: int) -> list[Any]:
    return [replace(p, is_keyframe=p.is_keyframe and at not in frames) for at, p in enumerate(pictures)]


def _without(pictures: list[Any], frame: int) -> list[Any]:
    return [*pictures[:frame], *pictures[frame + 1 :]]


simple(
    "video",
    "cut off",
    lambda t: t.video().write_bytes(t.video().read_bytes()[:700]),
    "video-truncated",
    where=_video,
)
simple(
    "video",
    "never finished (no moov)",
    lambda t: t.video().write_bytes(t.video().read_bytes()[:32] + b"\0\0\0\x10mdat" + bytes(8)),
    "video-truncated",
    where=_video,
)
simple(
    "video",
    "not a video",
    lambda t: t.video().write_bytes(b"GIF89a" + bytes(500)),
    "video-unreadable",
    where=_video,
)
simple(
    "video",
    "tail frames missing",
    lambda t: t.remux(lambda p: p[:-2], LAST),
    "video-too-short",
    where=_last_video,
    episode=2,
    frame=11,
)
simple(
    "video",
    "a frame missing inside",
    lambda t: t.remux(lambda p: _without(p, t.first_picture() + 5)),
    "video-frame-missing",
    where=_video,
    episode=1,
    frame=5,
)
simple(
    "video",
    "a frame missing, the others moved up",
    lambda t: t.remux(
        lambda p: _shifted(_without(p, t.first_picture(LAST) + 5), t.first_picture(LAST) + 5, -1), LAST
    ),
    "video-too-short",
    where=_last_video,
    episode=2,
    frame=12,
)
simple(
    "video",
    "frames no row refers to",
    lambda t: t.remux(lambda p: [*p, *(replace(q, at=p[-1].at + 1 + n) for n, q in enumerate(p[:2]))], LAST),
    "unreferenced-frames",
    "warning",
    where=_last_video,
    episode=2,
)
simple(
    "video",
    "frames between two episodes",
    lambda t: (t.change_rows(lambda table: table.slice(0, 9)), t.change_episode(1, length=9)),
    "unreferenced-frames",
    "warning",
    where=_video,
    episode=1,
)
simple(
    "video",
    "pictures begin late",
    lambda t: t.remux(lambda p: _shifted(p, 0, 2)),
    "video-frame-missing",
    where=_video,
    formats=LEGACY,
    episode=1,
    frame=0,
)
simple(
    "video",
    "one picture off the grid",
    lambda t: t.remux(
        lambda p: [replace(q, at=q.at + 0.3 * (n == t.first_picture() + 5)) for n, q in enumerate(p)]
    ),
    "video-off-grid",
    where=_video,
    episode=1,
    frame=5,
)
simple(
    "video",
    "another frame rate",
    lambda t: t.remux(lambda p: [replace(q, at=q.at * 0.8) for q in p]),
    "video-wrong-fps",
    where=_video,
)
simple(
    "video",
    "from_timestamp off the grid",
    lambda t: t.change_episode(1, camera__from_timestamp=1.23, camera__to_timestamp=2.33),
    "video-off-grid",
    where=_video,
    episode=1,
    frame=0,
    formats=V3,
)
simple(
    "video",
    "from_timestamp past the end",
    lambda t: t.change_episode(2, camera__from_timestamp=9.0, camera__to_timestamp=10.3),
    "video-too-short",
    where=_video,
    episode=2,
    frame=0,
    formats=V3,
)
simple(
    "video",
    "from_timestamp a frame early",
    lambda t: t.change_episode(1, camera__from_timestamp=1.1, camera__to_timestamp=2.2),
    "video-overlap",
    where=_video,
    episode=1,
    frame=0,
    formats=V3,
)
simple(
    "video",
    "two episodes share their pictures",
    lambda t: t.change_episode(1, camera__from_timestamp=0.0, camera__to_timestamp=1.1),
    "video-overlap",
    where=_video,
    episode=1,
    frame=0,
    formats=V3,
)
simple(
    "video",
    "to_timestamp differs from the rows",
    lambda t: t.change_episode(1, camera__to_timestamp=2.0),
    "video-wrong-to-timestamp",
    "warning",
    where=_video,
    episode=1,
    formats=V3,
)
simple(
    "video",
    "size differs from shape",
    lambda t: t.set_feature(CAMERA, shape=[48, 64, 3]),
    "video-wrong-size",
    where=lambda t: t.video(0),
    episode=0,
)
simple(
    "video",
    "size differs from info",
    lambda t: t.set_video_info(height=48),
    "video-wrong-info",
    "warning",
    where=lambda t: t.video(0),
    episode=0,
)
simple(
    "video",
    "codec differs from info",
    lambda t: t.set_video_info(codec="hevc"),
    "video-wrong-codec",
    "warning",
    where=lambda t: t.video(0),
    episode=0,
)
simple(
    "video",
    "pix_fmt differs from info",
    lambda t: t.set_video_info(pix_fmt="yuv444p"),
    "video-wrong-pix-fmt",
    "warning",
    where=lambda t: t.video(0),
    episode=0,
)
simple(
    "video",
    "fps differs from info",
    lambda t: t.set_video_info(fps=30),
    "video-wrong-info",
    "warning",
    where=lambda t: t.video(0),
    episode=0,
)
simple(
    "video",
    "episode begins off a keyframe",
    lambda t: t.remux(lambda p: _unmarked(p, t.first_picture())),
    "episode-off-keyframe",
    "note",
    where=_video,
    episode=1,
    frame=0,
    formats=V3,
)
simple(
    "video",
    "file begins without a keyframe",
    lambda t: t.remux(lambda p: _unmarked(p, 0, 1), 0),
    "video-no-keyframe",
    where=lambda t: t.video(0),
    episode=0,
    frame=0,
)
simple("video", "two pictures at one time", lambda t: _twice(t), "video-picture-twice", where=_video)
simple(
    "video",
    "an edit list hides pictures",
    lambda t: t.remux(lambda p: _shifted(p, 0, -2), 0),
    "video-edit-list",
    "warning",
    where=lambda t: t.video(0),
    episode=0,
)
simple(
    "video",
    "audio beside the pictures",
    lambda t: add_streams(t.video(0), "audio"),
    "video-audio",
    "note",
    where=lambda t: t.video(0),
    episode=0,
)
simple(
    "video",
    "two video streams",
    lambda t: add_streams(t.video(0), "video"),
    "video-extra-stream",
    "warning",
    where=lambda t: t.video(0),
    episode=0,
)
simple(
    "video",
    "a picture that cannot be decoded",
    lambda t: t.remux(
        lambda p: [
            replace(q, data=q.data if n != t.first_picture() + 5 else q.data[:6] + bytes(len(q.data) - 6))
            for n, q in enumerate(p)
        ]
    ),
    "video-frame-undecodable",
    where=_video,
    episode=1,
    frame=5,
    level="decode",
)
simple(
    "video",
    "pictures are all black",
    lambda t: encode(t.video(), [np.zeros((64, 96, 3), np.uint8)] * LENGTHS[1]),
    "video-frame-flat",
    "warning",
    where=_video,
    episode=1,
    frame=0,
    level="decode",
    formats=LEGACY,
)


def _twice(target: Target) -> None:
    first = target.first_picture()

    def change(pictures: list[Any]) -> list[Any]:
        at = pictures[first + 4].at
        return [*pictures[: first + 5], replace(pictures[first + 5], at=at), *pictures[first + 6 :]]

    target.remux(change, delay=1)


# -- statistics -------------------------------------------------------------------------------------


def _spoil_stats(target: Target, name: str) -> None:
    stats = json.loads(target.stats.read_text())
    stats[name]["mean"] = [value + 5 for value in stats[name]["mean"]]
    target.stats.write_text(json.dumps(stats))


def _spoil_episode_stats(target: Target, name: str) -> None:
    if target.is_v3:
        table = pq.ParquetFile(target.episodes_file).read()
        entries = table.to_pylist()
        entries[1][f"stats/{name}/mean"] = [value + 5 for value in entries[1][f"stats/{name}/mean"]]
        pq.write_table(pa.Table.from_pylist(entries, table.schema), target.episodes_file)
        return
    path = target.root / "meta/episodes_stats.jsonl"
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    entries[1]["stats"][name]["mean"] = [value + 5 for value in entries[1]["stats"][name]["mean"]]
    write_lines(path, entries)


simple(
    "statistics",
    "wrong in stats.json",
    lambda t: _spoil_stats(t, "action"),
    "wrong-statistics",
    "warning",
    where=_stats,
    formats=("v2.0", "v3.0"),
)
simple(
    "statistics",
    "wrong of an episode",
    lambda t: _spoil_episode_stats(t, "action"),
    "wrong-statistics",
    "warning",
    episode=1,
    formats=("v2.1", "v3.0"),
)
simple(
    "statistics",
    "of labels are stale",
    lambda t: _spoil_stats(t, "next.reward"),
    "stale-label-statistics",
    "warning",
    where=_stats,
    formats=("v2.0", "v3.0"),
)
simple(
    "statistics",
    "of an episode's labels are stale",
    lambda t: _spoil_episode_stats(t, "next.reward"),
    "stale-label-statistics",
    "warning",
    episode=1,
    formats=("v2.1", "v3.0"),
)
simple(
    "statistics",
    "stats.json missing",
    lambda t: t.stats.unlink(),
    "missing-stats",
    "warning",
    formats=("v2.0", "v3.0"),
)

# -- labels -----------------------------------------------------------------------------------------

simple(
    "labels",
    "rewards are all zero",
    lambda t: t.change_column_everywhere("next.reward", lambda v: [0.0] * len(v)),
    "reward-all-zero",
    "warning",
)
simple(
    "labels",
    "a reward that is no label",
    lambda t: t.change_column("next.reward", _at(5, 7.0)),
    "reward-values",
    "note",
)
simple(
    "labels",
    "reward without done",
    lambda t: t.change_column("next.done", lambda v: [False] * len(v)),
    "reward-without-done",
    "warning",
    episode=1,
    frame=10,
)
simple(
    "labels",
    "done is never true",
    lambda t: t.change_column_everywhere("next.done", lambda v: [False] * len(v)),
    "done-all-false",
    "warning",
)
simple(
    "labels",
    "done in the middle",
    lambda t: t.change_column("next.done", _at(5, True)),
    "done-before-end",
    "note",
    episode=1,
    frame=5,
)
simple(
    "labels",
    "an episode without success",
    lambda t: t.change_column("next.reward", lambda v: [0.0] * len(v)),
    "no-success",
    "note",
    episode=1,
)
simple(
    "labels",
    "reward other than the sidecar says",
    lambda t: t.change_column("next.reward", _at(2, 1.0)),
    "reward-differs-from-sidecar",
    "warning",
    episode=1,
    frame=2,
    formats=LABELLED,
)
simple(
    "labels",
    "done other than the sidecar says",
    lambda t: t.change_column("next.done", _at(5, True)),
    "done-differs-from-sidecar",
    "warning",
    episode=1,
    frame=5,
    formats=LABELLED,
)

# -- hazards ----------------------------------------------------------------------------------------


def _vectors(change: Callable[[int, list[float]], list[float]]) -> Callable[[list[Any]], list[Any]]:
    return lambda values: [change(at, value) for at, value in enumerate(values)]


simple(
    "hazards",
    "an action dimension is constant",
    lambda t: t.change_column_everywhere("action", _vectors(lambda n, v: [v[0], 4.0])),
    "constant-action",
    "warning",
)
simple(
    "hazards",
    "actions of an episode are all zero",
    lambda t: t.change_column("action", _vectors(lambda n, v: [0.0, 0.0])),
    "zero-action",
    "warning",
    episode=1,
)
simple(
    "hazards",
    "NaN in the state",
    lambda t: t.change_column(
        "observation.state", _vectors(lambda n, v: [float("nan"), v[1]] if n == 5 else v)
    ),
    "not-finite",
    "warning",
    **AT_5,
)
simple(
    "hazards",
    "infinity in the action",
    lambda t: t.change_column("action", _vectors(lambda n, v: [float("inf"), v[1]] if n == 5 else v)),
    "not-finite",
    "warning",
    **AT_5,
)
simple(
    "hazards",
    "episode below a second",
    lambda t: (t.change_rows(lambda table: table.slice(0, 9)), t.change_episode(1, length=9)),
    "short-episode",
    "warning",
    episode=1,
)
simple(
    "hazards",
    "radians among degrees",
    lambda t: t.change_column("observation.state", _vectors(lambda n, v: [x * 0.01745 for x in v])),
    "mixed-units",
    "warning",
    episode=1,
)


@fault("hazards", "an episode twice", "duplicate-episode", "warning", episode=2)
def twice(target: Target) -> None:
    path = target.data(1)
    table = pq.ParquetFile(path).read()
    first = table.slice(sum(LENGTHS[:1]) if target.is_v3 else 0, LENGTHS[1])

    def change(rows: pa.Table) -> pa.Table:
        kept = rows.slice(0, LENGTHS[1])
        for name in ("action", "observation.state"):
            kept = kept.set_column(
                kept.column_names.index(name), kept.schema.field(name), first[name].combine_chunks()
            )
        return kept

    target.change_rows(change, 2)
    target.change_episode(2, length=LENGTHS[1])
