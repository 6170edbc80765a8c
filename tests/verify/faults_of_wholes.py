"""Damage to a dataset as a whole: recordings broken off, formats mixed, folders and links astray."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.factories import write_lines
from tests.verify.damage import CAMERA, LENGTHS, Target
from tests.verify.faults import ALL, LEGACY, V3, add, data_of, fault, info_of, tasks_of, video_of

# -- what a fault hides -----------------------------------------------------------------------------

for _name, _spoil, _place, _formats in (
    ("info.json cut off", lambda t: t.info.write_bytes(t.info.read_bytes()[:99]), info_of, ALL),
    ("table missing", lambda t: t.data().unlink(), data_of, ALL),
    ("table without footer", lambda t: t.data().write_bytes(t.data().read_bytes()[:-40]), data_of, ALL),
    ("video missing", lambda t: t.video().unlink(), video_of, ALL),
    ("video cut off", lambda t: t.video().write_bytes(t.video().read_bytes()[:99]), video_of, ALL),
    ("tasks missing", lambda t: t.tasks.unlink(), tasks_of, ALL),
    ("fps is text", lambda t: t.set_info(fps="fast"), info_of, ALL),
    ("features are none", lambda t: t.set_info(features={}), info_of, ALL),
    ("a feature is a text", lambda t: t.set_info(features={**t.features, CAMERA: "a"}), info_of, ALL),
    ("data leads outside", lambda t: _outside(t, "data"), lambda t: t.root / "data", ALL),
    ("videos lead outside", lambda t: _outside(t, "videos"), lambda t: t.root / "videos", ALL),
    ("metadata leads outside", lambda t: _outside(t, "meta"), lambda t: t.root / "meta", ALL),
    ("episodes missing", lambda t: t.episodes_file.unlink(), lambda t: t.episodes, ALL),
):
    add("left out", _name, _spoil, "not-checked", "note", where=_place, formats=_formats)


def _outside(target: Target, folder: str) -> None:
    moved = shutil.move(target.root / folder, target.root.with_name(f"{target.root.name}-{folder}"))
    (target.root / folder).symlink_to(moved)


# -- cameras and names ------------------------------------------------------------------------------


def _other_camera(target: Target) -> Path:
    path = target.video()
    return Path(str(path).replace(CAMERA, "observation.images.top"))


@fault("files", "videos of no declared camera", "undeclared-camera", "warning", where=_other_camera)
def other_camera(target: Target) -> None:
    _other_camera(target).parent.mkdir(parents=True)
    shutil.copy(target.video(), _other_camera(target))


@fault("files", "camera taken out of info.json", "undeclared-camera", "warning")
def taken_out(target: Target) -> None:
    target.set_info(features={name: each for name, each in target.features.items() if name != CAMERA})


for _name, _names in (
    ("one name too many", ["a", "b", "c"]),
    ("names of motors too few", {"motors": ["a", "b", "c"]}),
    ("names are a number", 7),
):
    add(
        "info",
        _name,
        lambda t, names=_names: t.set_feature("action", names=names),
        "wrong-names",
        "warning",
        where=info_of,
    )


# -- tasks ------------------------------------------------------------------------------------------


def _write_tasks(target: Target, *rows: tuple[int, str]) -> None:
    target.set_info(total_tasks=len(rows))
    if not target.is_v3:
        write_lines(target.tasks, [{"task_index": index, "task": task} for index, task in rows])
        return
    schema = pq.ParquetFile(target.tasks).schema_arrow
    columns: dict[str, list[Any]] = {"task_index": [index for index, _ in rows]}
    columns |= {name: [task for _, task in rows] for name in schema.names if name != "task_index"}
    pq.write_table(pa.table({name: columns[name] for name in schema.names}, schema), target.tasks)


add(
    "info",
    "a task at two indices",
    lambda t: _write_tasks(t, (0, "pick the cube"), (1, "pick the cube")),
    "duplicate-task",
    "warning",
    where=tasks_of,
)
add(
    "info",
    "a task_index twice",
    lambda t: _write_tasks(t, (0, "pick the cube"), (0, "push the cube")),
    "duplicate-task",
    "warning",
    where=tasks_of,
)


@fault("info", "sentences are no index of pandas", "task-index-lost", where=tasks_of, formats=V3)
def ordinary_column(target: Target) -> None:
    pq.write_table(pa.table({"task_index": [0], "task": ["pick the cube"]}), target.tasks)


@fault("info", "task_index is the index of pandas", "task-index-lost", where=tasks_of, formats=V3)
def numbers_are_the_index(target: Target) -> None:
    _set_pandas_index(target, "task_index")


def _set_pandas_index(target: Target, *names: str) -> None:
    table = pq.ParquetFile(target.tasks).read()
    pandas = json.dumps({"index_columns": names, "columns": [], "column_indexes": []})
    pq.write_table(table.replace_schema_metadata({"pandas": pandas}), target.tasks)


# -- the episodes table -----------------------------------------------------------------------------


def _second_file(target: Target, change: Callable[[pa.Table], pa.Table]) -> None:
    """Moves the last episode of the table to a file of its own, and changes it."""
    table = pq.ParquetFile(target.episodes_file).read()
    pq.write_table(table.slice(0, 2), target.episodes_file)
    pq.write_table(change(table.slice(2)), _second(target))


def _second(target: Target) -> Path:
    return target.episodes_file.with_name("file-001.parquet")


for _name, _change, _severity in (
    ("one file has more columns", lambda table: table.append_column("note", pa.array(["x"])), "error"),
    ("one file has fewer columns", lambda table: table.drop_columns(["stats/action/min"]), "warning"),
):
    add(
        "indices",
        _name,
        lambda t, change=_change: _second_file(t, change),
        "episodes-columns",
        _severity,
        where=_second,
        formats=V3,
    )


@fault("indices", "listed ranges are floats", "index-dtype", formats=V3, where=lambda t: t.episodes)
def float_ranges(target: Target) -> None:
    table = pq.ParquetFile(target.episodes_file).read()
    at = table.column_names.index("dataset_from_index")
    floats = table["dataset_from_index"].cast(pa.float64())
    pq.write_table(table.set_column(at, "dataset_from_index", floats), target.episodes_file)


@fault("indices", "an episode without a length", "bad-index-column", formats=V3, episode=1)
def no_length(target: Target) -> None:
    target.change_episode(1, length=None)


@fault("files", "episodes where LeRobot does not look", "unread-table", "warning", formats=V3)
def astray(target: Target) -> None:
    shutil.copy(target.episodes_file, target.episodes / "file-000.parquet")


@fault("aborted", "a list of episodes without rows", "missing-episodes-table", formats=V3)
def no_rows(target: Target) -> None:
    pq.write_table(pq.ParquetFile(target.episodes_file).read().slice(0, 0), target.episodes_file)


# -- links ------------------------------------------------------------------------------------------


def _lead_nowhere(path: Path, goal: str) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    path.symlink_to(goal)


for _name, _at in (
    ("table", data_of),
    ("video", video_of),
    ("info.json", info_of),
    ("tasks", tasks_of),
    ("list of episodes", lambda t: t.episodes_file),
    ("data folder", lambda t: t.root / "data"),
):
    for _goal in ("../.git/annex/objects/gone", "/mnt/gone/file"):
        add(
            "links",
            f"{_name} is a link to {_goal}",
            lambda t, at=_at, goal=_goal: _lead_nowhere(at(t), goal),
            "dangling-link",
            where=_at,
        )

# -- datasets within datasets -------------------------------------------------------------------------


def _copy_into(target: Target, inner: str, outer: str = "") -> None:
    copy = target.root.with_name("copy")
    shutil.copytree(target.root / outer, copy)
    shutil.move(copy, target.root / inner)


for _inner, _outer in (
    ("copy", ""),
    ("data/copy", ""),
    ("meta/meta", "meta"),
    ("data/data", "data"),
    ("videos/videos", "videos"),
):
    add(
        "nested",
        f"{_outer or 'dataset'} in {_inner}",
        lambda t, inner=_inner, outer=_outer: _copy_into(t, inner, outer),
        "nested-dataset",
        "warning",
        where=lambda t, inner=_inner: t.root / inner,
    )

# -- two formats --------------------------------------------------------------------------------------


def _data(target: Target) -> Path:
    return target.root / "data"


def _other_name(target: Target, path: Path) -> Path:
    return path.with_name(("episode_000000" if target.is_v3 else "file-000") + path.suffix)


@fault("formats", "tables of two formats", "mixed-versions", where=_data)
def two_layouts(target: Target) -> None:
    shutil.copy(target.data(0), _other_name(target, target.data(0)))


@fault("formats", "tables of the other format", "mixed-versions", where=_data)
def other_layout(target: Target) -> None:
    if target.is_v3:
        target.data().rename(_other_name(target, target.data()))
        return
    tables = [pq.ParquetFile(target.data(episode)).read() for episode in range(len(LENGTHS))]
    for episode in range(len(LENGTHS)):
        target.data(episode).unlink()
    pq.write_table(pa.concat_tables(tables), target.root / "data/chunk-000/file-000.parquet")


@fault("formats", "tables and info.json of the other format", "mixed-versions", where=_data)
def only_metadata_is_left(target: Target) -> None:
    other_layout(target)
    rename(target)


@fault("formats", "videos of two formats", "mixed-versions", "warning", where=lambda t: t.root / "videos")
def two_video_layouts(target: Target) -> None:
    chunk = Path("chunk-000")
    other = target.root / "videos" / (chunk / CAMERA if target.is_v3 else CAMERA / chunk)
    other.mkdir(parents=True)
    shutil.copy(target.video(0), _other_name(target, other / "x.mp4"))


@fault("formats", "codebase_version of the other format", "version-mismatch", where=info_of)
def rename(target: Target) -> None:
    target.set_info(codebase_version="v2.1" if target.is_v3 else "v3.0")


# -- recordings broken off ----------------------------------------------------------------------------


def _remove(target: Target, *names: str) -> None:
    for name in names:
        path = target.root / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _unlist(target: Target) -> None:
    target.set_info(total_episodes=0, total_frames=0, total_tasks=0)
    _remove(target, "meta/episodes", "meta/episodes.jsonl", "meta/episodes_stats.jsonl", "meta/stats.json")


@fault("aborted", "created, nothing saved", "no-episodes", where=info_of)
def nothing_saved(target: Target) -> None:
    _unlist(target)
    _remove(target, "data", "videos", "meta/tasks.parquet", "meta/tasks.jsonl")


@fault("aborted", "created, and an empty list", "no-episodes", where=info_of)
def nothing_listed(target: Target) -> None:
    target.set_info(total_episodes=0, total_frames=0)
    _remove(target, "data", "videos")
    if target.is_v3:
        pq.write_table(pq.ParquetFile(target.episodes_file).read().slice(0, 0), target.episodes_file)
    else:
        target.episodes.write_bytes(b"")


add("aborted", "files, and totals of 0", _unlist, "unfinished-recording", where=info_of)


@fault("aborted", "only images were written", "no-episodes", where=info_of)
def only_images(target: Target) -> None:
    nothing_saved(target)
    leave_images(target, 0)


@fault("aborted", "killed before finalize()", "unfinished-recording", where=info_of, formats=V3)
def without_footers(target: Target) -> None:
    _remove(target, "meta/episodes")
    target.data().write_bytes(target.data().read_bytes()[:-40])


@fault("aborted", "killed after resuming", "unfinished-resume", where=info_of, formats=V3)
def resumed(target: Target) -> None:
    _without_the_last(target)
    _last(target).write_bytes(_last(target).read_bytes()[:-40])


@fault("aborted", "killed after resuming, rows written", "unfinished-resume", where=info_of, formats=V3)
def _without_the_last(target: Target) -> None:
    table, listed = pq.ParquetFile(target.data()).read(), pq.ParquetFile(target.episodes_file).read()
    kept = sum(LENGTHS[:2])
    pq.write_table(table.slice(0, kept), target.data())
    pq.write_table(table.slice(kept), _last(target))
    pq.write_table(listed.slice(0, 2), target.episodes_file)


@fault("aborted", "the last table without footer", "bad-parquet", formats=V3, where=lambda t: _last(t))
def last_without_footer(target: Target) -> None:
    table = pq.ParquetFile(target.data()).read()
    kept = sum(LENGTHS[:2])
    pq.write_table(table.slice(0, kept), target.data())
    pq.write_table(table.slice(kept), _last(target))
    _last(target).write_bytes(_last(target).read_bytes()[:-40])
    target.change_episode(2, **{"data/file_index": 1})


def _last(target: Target) -> Path:
    return target.data().with_name("file-001.parquet")


def leave_images(target: Target, episode: int) -> None:
    folder = target.root / f"images/{CAMERA}/episode{'-' if target.is_v3 else '_'}{episode:06d}"
    folder.mkdir(parents=True)
    (folder / "frame-000000.png").write_bytes(b"\x89PNG")
    (folder / "frame-000001.png").write_bytes(b"\x89PNG")


@fault("aborted", "an episode of images without video", "unfinished-episode", "warning")
def images_to_keep(target: Target) -> None:
    target.video().unlink()
    leave_images(target, 1)


@fault("aborted", "only the metadata", "only-metadata", where=lambda t: t.root)
def only_metadata(target: Target) -> None:
    _remove(target, "data", "videos")


add(
    "aborted",
    "empty folder of episodes",
    lambda t: t.episodes_file.unlink(),
    "missing-episodes-table",
    formats=V3,
    where=lambda t: t.episodes,
)
add(
    "aborted",
    "empty list of episodes",
    lambda t: t.episodes.write_bytes(b""),
    "empty-file",
    formats=LEGACY,
    where=lambda t: t.episodes,
)
add(
    "aborted",
    "total_episodes is 0",
    lambda t: t.set_info(total_episodes=0),
    "wrong-total",
    where=info_of,
)

# -- statistics ---------------------------------------------------------------------------------------


@fault("statistics", "an episode without", "missing-stats", "warning", episode=1, formats=("v2.1",))
def no_line(target: Target) -> None:
    path = target.root / "meta/episodes_stats.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    write_lines(path, [line for line in lines if line["episode_index"] != 1])


@fault("statistics", "an episode without", "missing-stats", "warning", episode=1, formats=V3)
def empty_cells(target: Target) -> None:
    table = pq.ParquetFile(target.episodes_file).read()
    entries = table.to_pylist()
    entries[1] |= {name: None for name in table.column_names if name.startswith("stats/")}
    pq.write_table(pa.Table.from_pylist(entries, table.schema), target.episodes_file)
