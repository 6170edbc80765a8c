"""Compares ``info.json`` with the data: totals, splits, tasks, and each feature with its column."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import value_type
from lerobot_grasp_plugin.dataset.arrow_types import is_text
from lerobot_grasp_plugin.dataset.one_task import near_tasks_of_dataset
from lerobot_grasp_plugin.findings.problem import EPISODES, Place, Problem, Severity, the_episodes
from lerobot_grasp_plugin.verify.place import count, ranges_text
from lerobot_grasp_plugin.verify.view import View

_SPLIT = re.compile(r"(\d+):(\d+)")


def check_totals(view: View, rows: int | None) -> Iterator[Problem]:
    """Compares the totals of ``info.json`` with lists and tables.

    Args:
        view: The dataset.
        rows: Rows in all tables; None if not all were read.
    """
    info = view.info
    listed = view.episodes
    episodes, frames = info.count("total_episodes"), info.count("total_frames")
    if listed is not None and episodes is not None and episodes != len(listed.indices):
        message = f"{count(len(listed.indices), 'episode')} listed, info.json says total_episodes {episodes}"
        hint = "LeRobot expects total_episodes episodes"
        yield Problem("wrong-total", message, info.where, hint)
    yield from _legacy_totals(view)
    hint = "LeRobot uses total_frames as the length of the dataset"
    if frames is not None and listed is not None and (listed.lengths >= 0).all():
        length = int(listed.lengths.sum())
        if frames != length:
            message = f"the episodes list has {count(length, 'frame')}, info.json says total_frames {frames}"
            severity: Severity = "error"
            if frames == rows:
                severity, hint = "note", "total_frames matches the tables: the episodes list is wrong"
            yield Problem("wrong-total", message, info.where, hint, severity=severity)
    if frames is not None and rows and listed is None and frames != rows:
        message = f"the tables hold {count(rows, 'row')}, info.json says total_frames {frames}"
        yield Problem("wrong-total", message, info.where, hint)


def _legacy_totals(view: View) -> Iterator[Problem]:
    """Checks totals that only v2.x has and nothing reads."""
    if view.episodes is None or not view.legacy:
        return
    episodes = len(view.episodes.indices)
    expected = {
        "total_videos": episodes * len(view.video_keys),
        "total_chunks": -(-episodes // view.info.chunks_size),
    }
    for field, number in expected.items():
        given = view.info.raw.get(field, number)
        if given != number:
            message = f"{field} is {given}, but {number} by the episodes list"
            yield Problem("wrong-total", message, view.info.where, "LeRobot does not use it", severity="note")


def check_tasks(view: View) -> Iterator[Problem]:
    """Compares the list of tasks with ``total_tasks`` and with LeRobot's lookup."""
    tasks, total = view.tasks, view.info.count("total_tasks")
    if tasks is None:
        return
    where = view.root / view.format.tasks
    if total is not None and total != len(tasks):
        message = f"{count(len(tasks), 'task')} listed, info.json says total_tasks {total}"
        severity: Severity = "error" if total == 0 else "warning"
        hint = f"set total_tasks to {len(tasks)}"
        hint += "; LeRobot reads no tasks, and therefore no item, if it is 0" * (total == 0)
        yield Problem("wrong-total", message, view.info.where, hint, severity=severity)
    if view.legacy and list(tasks) != list(range(len(tasks))):
        message = f"task_index is {list(tasks)[:8]}; LeRobot uses it as the row number in the list"
        yield Problem("task-numbering", message, where)
    indices: dict[str, list[int]] = {}
    for index, task in tasks.items():
        indices.setdefault(task, []).append(index)
    for task, several in indices.items():
        if len(several) > 1:
            message = f"the task {task!r} is listed twice or more, as task_index {ranges_text(several)}"
            hint = f"set task_index {min(several)} in its rows and list it once; lerobot-grasp-merge does so"
            yield Problem("duplicate-task", message, where, hint)
    listed = view.episodes
    of_episodes = (
        {}
        if listed is None or listed.tasks is None
        else dict(zip(listed.indices.tolist(), listed.tasks, strict=True))
    )
    yield from near_tasks_of_dataset(indices, of_episodes, where, view.root)


def check_declared_splits(view: View) -> Iterator[Problem]:
    """Checks ``splits`` against the number of episodes."""
    splits = view.info.raw.get("splits")
    if not isinstance(splits, dict) or view.episodes is None:
        return
    total = len(view.episodes.indices)
    for name, span in splits.items():
        match = _SPLIT.fullmatch(span) if isinstance(span, str) else None
        if match is None:
            message = f"split {name!r} is {span!r}; expected a range of episodes such as '0:{total}'"
        elif int(match[2]) > total or int(match[1]) > int(match[2]):
            message = f"split {name!r} is {span!r}, but the dataset has {count(total, 'episode')}"
        else:
            continue
        yield Problem("bad-splits", message, view.info.where, severity="warning")
    yield from _shared(view, splits)


def _shared(view: View, splits: Mapping[str, Any]) -> Iterator[Problem]:
    """Finds splits that share episodes."""
    matches = ((name, _SPLIT.fullmatch(span)) for name, span in splits.items() if isinstance(span, str))
    spans = sorted((int(match[1]), int(match[2]), name) for name, match in matches if match)
    for (_, stop, name), (start, end, other) in itertools.pairwise(spans):
        if start < min(stop, end):
            shared = the_episodes(range(start, min(stop, end)))
            message = f"splits {name!r} and {other!r} share {EPISODES}"
            hint = "evaluate on episodes that are not in the training split"
            yield Problem("bad-splits", message, view.info.where, hint, severity="warning", episodes=shared)


def check_declared_columns(view: View, schemas: Mapping[pa.Schema, Path]) -> Iterator[Problem]:
    """Compares each declared feature with its column, in every schema of the tables."""
    declared = {name: feature for name, feature in view.info.features.items() if feature["dtype"] != "video"}
    if not declared:
        return
    odd = (
        view.info.raw["features"].keys() - view.info.features.keys()
    )  # declared in a way that cannot be read
    for schema, path in schemas.items():
        present = set(schema.names)
        for name in sorted(declared.keys() - present):
            yield _missing(view, name, path)
        for name in sorted(present - declared.keys() - odd):
            message = f"column {name!r} is not declared in info.json"
            hint = "LeRobot refuses tables with undeclared columns"
            if name in view.info.features:
                message = f"column {name!r} is in the table, but info.json declares it as video"
                hint = "set its dtype to image if it holds images; LeRobot refuses the table"
            elif name.startswith("__index_level_"):
                hint += "; pandas wrote its row index: use to_parquet(index=False)"
            yield Problem("undeclared-column", message, path, hint)
        for name in sorted(declared.keys() & present):
            yield from _column(name, declared[name], schema.field(name).type, path)


def _missing(view: View, name: str, path: Path) -> Problem:
    hint = "LeRobot fills a missing declared column with null, and items contain None"
    if _declared_as_image(view, name):
        hint = "videos of it exist: set its dtype to video"
    return Problem("missing-column", f"column {name!r} is missing, but info.json declares it", path, hint)


def _declared_as_image(view: View, name: str) -> bool:
    """Whether a camera is declared as images in the table although videos of it exist."""
    images = view.info.features[name]["dtype"] == "image"
    return images and any(name in path.parts for path in view.video_files)


def _column(name: str, feature: Mapping[str, Any], kind: pa.DataType, path: Path) -> Iterator[Problem]:
    dtype, shape = feature["dtype"], feature["shape"]
    if dtype == "language":
        return
    if dtype == "image":
        if not _holds_images(kind):
            message = f"{name!r} holds {kind}, info.json declares images"
            yield Problem("dtype-mismatch", message, path)
        return
    if name in layout.INDEX_COLUMNS and not dtype.startswith(("int", "uint")):
        message = f"{name!r} is declared {dtype}, must be int64"
        yield Problem("index-dtype", message, path, "LeRobot looks up rows and episodes by it")
        return
    leaf, dims = _unwrapped(kind)
    if 0 in shape:
        yield _without_values(name, shape, leaf, path)
        return
    if pa.types.is_null(leaf):
        message = f"{name!r} is empty (null) in all rows"
        yield Problem("null-values", message, path, "LeRobot's items contain None")
        return
    wanted = value_type(dtype)
    if wanted is not None and leaf != wanted:
        numbers = _is_number(leaf) and _is_number(wanted)
        text = is_text(leaf) and is_text(wanted)
        index = name in layout.INDEX_COLUMNS
        if not text:
            message = f"{name!r} holds {leaf}, info.json declares {dtype}"
            cut = not index and pa.types.is_floating(leaf) and pa.types.is_integer(wanted)
            converted = numbers and not cut
            hint = (
                "LeRobot converts the values when it loads them"
                if converted
                else "LeRobot cannot load the column"
            )
            severity: Severity = "warning" if converted else "error"
            code = "index-dtype" if index else "dtype-mismatch"
            yield Problem(code, message, path, hint, severity=severity)
    yield from _shape(name, shape, dims, path)


def _without_values(name: str, shape: tuple[int, ...], leaf: pa.DataType, path: Path) -> Problem:
    """A column of width 0: LeRobot opens a dataset with it only if the column has the type null."""
    message = f"{name!r} has no values: its shape is {list(shape)}"
    drop = f"drop it with lerobot-grasp-merge --drop_features '[\"{name}\"]'"
    if pa.types.is_null(leaf):
        hint = f"LeRobot's items contain None, which cannot be batched; {drop}"
        return Problem("zero-width", message, path, hint, severity="warning")
    hint = f"LeRobot cannot open the dataset; rewrite it with lerobot-grasp-merge, or {drop}"
    return Problem("zero-width", message, path, hint)


def _shape(name: str, shape: tuple[int, ...], dims: list[int], path: Path) -> Iterator[Problem]:
    if not _agrees(shape, dims):
        found = f"lists of {dims[0]}" if dims and dims[0] > 0 else f"{len(dims)} levels of lists"
        message = f"{name!r} holds {found if dims else 'single values'}, info.json declares {list(shape)}"
        yield Problem("shape-mismatch", message, path)


def _agrees(shape: tuple[int, ...], dims: Sequence[int]) -> bool:
    """Whether lists of these lengths (-1: any) fit a shape."""
    expected = [] if shape == (1,) else list(shape)
    return len(dims) == len(expected) and all(
        found in (-1, wanted) for found, wanted in zip(dims, expected, strict=True)
    )


def check_widths(
    view: View, widths: Iterable[tuple[str, int, Path, int]], schemas: Mapping[pa.Schema, Path]
) -> Iterator[Problem]:
    """Compares values per row of each column with the declared shape, if its type does not fix them.

    Args:
        view: The dataset.
        widths: Column, values per row, and the file and episode it was first seen in.
        schemas: As of ``check_declared_columns``, which names a column whose type disagrees.
    """
    for name, width, path, episode in widths:
        feature = view.info.features.get(name)
        if feature is None or feature["dtype"] in ("image", "video"):
            continue
        kinds = [_unwrapped(schema.field(name).type)[1] for schema in schemas if name in schema.names]
        if not all(_agrees(feature["shape"], dims) for dims in kinds):
            continue
        wanted = 1
        for size in feature["shape"]:
            wanted *= size
        if width != wanted:
            message = f"{name!r} has {width} values per row, info.json declares {list(feature['shape'])}"
            yield Problem(
                "shape-mismatch", message, Place(str(path), episode=episode), "LeRobot cannot load the column"
            )


def _unwrapped(kind: pa.DataType) -> tuple[pa.DataType, list[int]]:
    """The type of the values, and the lengths of the lists around them; -1 where the type does not say."""
    dims: list[int] = []
    while True:
        if isinstance(kind, pa.ExtensionType):
            kind = kind.storage_type
        elif pa.types.is_dictionary(kind):
            kind = kind.value_type
        elif pa.types.is_fixed_size_list(kind):
            dims.append(kind.list_size)
            kind = kind.value_type
        elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
            dims.append(-1)
            kind = kind.value_type
        else:
            return kind, dims


def _holds_images(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return {kind.field(number).name for number in range(kind.num_fields)} >= {"bytes"}
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_string(kind))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))
