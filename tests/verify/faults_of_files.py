"""Damage to files and to ``info.json``."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.factories import read_info, write_lines
from tests.verify.damage import CAMERA, LENGTHS, LFS, Target
from tests.verify.faults import (
    ALL,
    LEGACY,
    V3,
    add,
    data_of,
    episodes_of,
    fault,
    info_of,
    tasks_of,
    video_of,
)

# -- files ----------------------------------------------------------------------------------------

add("files", "table of no bytes", lambda t: t.data().write_bytes(b""), "empty-file", where=data_of)
add("files", "table is a Git LFS pointer", lambda t: t.data().write_bytes(LFS), "lfs-pointer", where=data_of)
add(
    "files",
    "table without footer",
    lambda t: t.data().write_bytes(t.data().read_bytes()[:-40]),
    "bad-parquet",
    where=data_of,
)
add("files", "table missing", lambda t: t.data().unlink(), "missing-file", where=data_of)
add("files", "video missing", lambda t: t.video().unlink(), "video-missing", where=video_of)
add("files", "video of no bytes", lambda t: t.video().write_bytes(b""), "video-empty", where=video_of)
add(
    "files",
    "video is a Git LFS pointer",
    lambda t: t.video().write_bytes(LFS),
    "video-lfs-pointer",
    where=video_of,
)
add("files", "info.json missing", lambda t: t.info.unlink(), "missing-file", where=info_of)
add(
    "files",
    "info.json cut off",
    lambda t: t.info.write_bytes(t.info.read_bytes()[:99]),
    "bad-json",
    where=info_of,
)
add("files", "tasks are a Git LFS pointer", lambda t: t.tasks.write_bytes(LFS), "lfs-pointer", where=tasks_of)
add("files", "tasks missing", lambda t: t.tasks.unlink(), "missing-file", where=tasks_of)
add(
    "files",
    "a column of the tasks twice",
    lambda t: pq.write_table(pq.ParquetFile(t.tasks).read().append_column("task", pa.array(["x"])), t.tasks),
    "duplicate-column",
    where=tasks_of,
    formats=V3,
)
add(
    "files",
    "episodes cut off",
    lambda t: t.episodes_file.write_bytes(t.episodes_file.read_bytes()[:-40]),
    "bad-parquet",
    where=lambda t: t.episodes_file,
    formats=V3,
)
add(
    "files",
    "episodes missing",
    lambda t: t.episodes_file.unlink(),
    "missing-episodes-table",
    where=episodes_of,
    formats=V3,
)
add(
    "files",
    "episodes missing",
    lambda t: t.episodes_file.unlink(),
    "missing-file",
    where=episodes_of,
    formats=LEGACY,
)
add(
    "files",
    "path template without a field",
    lambda t: t.set_info(data_path="data/all.parquet"),
    "bad-path-template",
    where=info_of,
    formats=LEGACY,
)
for _setting, _formats, _severity in (
    ("data_path", V3, "warning"),
    ("data_path", LEGACY, "error"),
    ("video_path", ALL, "error"),
):
    for _value in ("data/{shard}.parquet", 3):
        add(
            "files",
            f"{_setting} is {_value}",
            lambda t, setting=_setting, value=_value: t.set_info(**{setting: value}),
            "bad-path-template",
            _severity,
            where=info_of,
            formats=_formats,
        )
for _severity in ("warning", "error"):  # one for each of the two settings
    add(
        "files",
        "neither path template leads to files",
        lambda t: t.set_info(
            data_path="data/c{chunk_index}/f{file_index}.parquet",
            video_path="videos/{video_key}/c{chunk_index}/f{file_index}.mp4",
        ),
        "template-mismatch",
        _severity,
        where=info_of,
        formats=V3,
    )
add(
    "files",
    "path template leads outside",
    lambda t: t.set_info(video_path="../../{video_key}.mp4"),
    "path-outside-dataset",
)


@fault("files", "a folder in a table's place", "unreadable-file", where=data_of)
def folder(target: Target) -> None:
    target.data().unlink()
    target.data().mkdir()


@fault(
    "files", "a table where LeRobot does not look", "unread-table", where=lambda t: t.root / "data/a.parquet"
)
def astray(target: Target) -> None:
    if target.is_v3:
        target.set_info(data_path="data/a.parquet")
        target.data().rename(target.root / "data/a.parquet")
        return
    for episode in range(len(LENGTHS)):
        target.data(episode).rename(target.root / f"data/{'abc'[episode]}.parquet")


@fault("files", "a column twice", "duplicate-column", where=data_of)
def twice(target: Target) -> None:
    target.change_tables(lambda table: table.append_column("action", table["action"]))


@fault("files", "extra table", "extra-file", where=lambda t: _extra_table(t))
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


@fault("files", "interrupted recording left images", "unfinished-episode", "warning")
def left_images(target: Target) -> None:
    folder = target.root / f"images/{CAMERA}/episode-000003"
    folder.mkdir(parents=True)
    (folder / "frame-000000.png").write_bytes(b"\x89PNG")


# -- info.json ------------------------------------------------------------------------------------

add("info", "total_episodes", lambda t: t.set_info(total_episodes=4), "wrong-total", where=info_of)
add("info", "total_frames", lambda t: t.set_info(total_frames=37), "wrong-total", where=info_of)
add("info", "total_tasks", lambda t: t.set_info(total_tasks=5), "wrong-total", "warning", where=info_of)
for _name, _severity in (("total_episodes", "error"), ("total_frames", "error"), ("total_tasks", "warning")):
    add(
        "info",
        f"{_name} with a decimal point",
        lambda t, name=_name: t.set_info(**{name: float(read_info(t.root)[name])}),
        "bad-info",
        _severity,
        where=info_of,
    )
add(
    "info",
    "dtype by its name in Arrow",
    lambda t: t.set_feature("action", dtype="float"),
    "dtype-alias",
    "warning",
    where=info_of,
)
add("info", "fps", lambda t: t.set_info(fps=20), "timestamp-off-grid", episode=0, frame=1)
add("info", "fps", lambda t: t.set_info(fps=20), "video-wrong-fps", episode=0)
add("info", "fps is text", lambda t: t.set_info(fps="fast"), "bad-info", where=info_of)
add(
    "info",
    "splits past the end",
    lambda t: t.set_info(splits={"train": "0:9"}),
    "bad-splits",
    "warning",
    where=info_of,
)
add(
    "info",
    "unknown codebase_version",
    lambda t: t.set_info(codebase_version="v9.0"),
    "unknown-codebase-version",
    where=info_of,
)
add(
    "info",
    "codebase_version of another format",
    lambda t: t.set_info(codebase_version="v3.0"),
    "version-mismatch",
    where=info_of,
    formats=LEGACY,
)
add(
    "info",
    "codebase_version of another format",
    lambda t: t.set_info(codebase_version="v2.1"),
    "version-mismatch",
    where=info_of,
    formats=V3,
)
add(
    "info",
    "feature declared, column absent",
    lambda t: t.set_feature("next.extra", dtype="float32", shape=[1], names=None),
    "missing-column",
)
add(
    "info",
    "shape differs from the column",
    lambda t: t.set_feature("action", shape=[3], names=["a", "b", "c"]),
    "shape-mismatch",
)
add(
    "info",
    "dtype differs from the column",
    lambda t: t.set_feature("action", dtype="int64"),
    "dtype-mismatch",
    "error",
)
add(
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
