"""Things that LeRobot does not know, planted in every place of a dataset where one can stand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

NEEDLE = "needle"
CAMERA = "observation.images.wrist"
ALL = ("v2.0", "v2.1", "v3.0")


@dataclass(frozen=True)
class Thing:
    """Something unknown.

    Attributes:
        plant: Puts it into the dataset in a folder.
        versions: Formats that have the place.
    """

    plant: Callable[[Path], None]
    versions: tuple[str, ...] = ALL


def in_info(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    def plant(root: Path) -> None:
        info = json.loads((root / "meta/info.json").read_text())
        change(info)
        (root / "meta/info.json").write_text(json.dumps(info))

    return plant


def in_feature(name: str) -> Callable[[Path], None]:
    return in_info(lambda info: info["features"][name].update({NEEDLE: "x"}))


def in_stream(info: dict[str, Any]) -> None:
    feature = info["features"][CAMERA]
    feature.setdefault("video_info" if "video_info" in feature else "info", {})[NEEDLE] = "x"


def in_file(path: str) -> Callable[[Path], None]:
    def plant(root: Path) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("x")

    return plant


def in_lines(path: str) -> Callable[[Path], None]:
    def plant(root: Path) -> None:
        lines = [json.loads(line) for line in (root / path).read_text().splitlines()]
        for number, line in enumerate(lines):
            line[NEEDLE] = [f"x{number}"]
        (root / path).write_text("".join(json.dumps(line) + "\n" for line in lines))

    return plant


def in_tables(pattern: str, change: Callable[[pa.Table], pa.Table]) -> Callable[[Path], None]:
    def plant(root: Path) -> None:
        paths = sorted(root.glob(pattern))
        assert paths
        for path in paths:
            pq.write_table(change(pq.ParquetFile(path).read()), path)

    return plant


def column(name: str) -> Callable[[pa.Table], pa.Table]:
    return lambda table: table.append_column(name, pa.array([f"x{row}" for row in range(table.num_rows)]))


def metadata(table: pa.Table) -> pa.Table:
    return table.replace_schema_metadata({**(table.schema.metadata or {}), NEEDLE: "x"})


def at_column(name: str) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        field = table.schema.field(name).with_metadata({NEEDLE: "x"})
        return table.cast(table.schema.set(table.column_names.index(name), field))

    return change


def reserved(name: str) -> Callable[[Path], None]:
    """Plants a column name of v3.0's episodes table as a key; the warning that names it has the needle."""

    def plant(root: Path) -> None:
        path = root / "meta/episodes.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        path.write_text("".join(json.dumps({**line, name: 7}) + "\n" for line in lines))

    return plant


def in_statistics(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    def plant(root: Path) -> None:
        path = root / "meta/episodes_stats.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        for line in lines:
            change(line)
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))

    return plant


def index_table(change: Callable[[pa.Table], pa.Table]) -> Callable[[Path], None]:
    """A table of subtasks, whose numbers the rows have."""

    def plant(root: Path) -> None:
        in_info(
            lambda info: info["features"].update(
                subtask_index={"dtype": "int64", "shape": [1], "names": None}
            )
        )(root)
        in_tables(
            "data/*/*.parquet",
            lambda table: table.append_column("subtask_index", pa.array([0] * table.num_rows)),
        )(root)
        table = pa.table({"subtask": ["grasp"], "subtask_index": [0]})
        pq.write_table(change(table), root / "meta/subtasks.parquet")

    return plant


def side_table(root: Path) -> None:
    total = json.loads((root / "meta/info.json").read_text())["total_frames"]
    pq.write_table(pa.table({"index": range(total), NEEDLE: ["x"] * total}), root / "progress.parquet")


def table_in_data(root: Path) -> None:
    (root / "data/needle").mkdir()
    pq.write_table(pa.table({"x": [1]}), root / "data/needle/x.parquet")


def side_table_column(root: Path) -> None:
    side_table(root)
    path = root / "progress.parquet"
    table = pq.ParquetFile(path).read().rename_columns(["index", "progress"])
    pq.write_table(at_column("progress")(table), path)


def in_stats(root: Path) -> None:
    path = root / "meta/stats.json"
    stats = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**stats, NEEDLE: {"mean": [1.0]}}))


def card(content: str) -> Callable[[Path], None]:
    def write(root: Path) -> None:
        (root / "README.md").write_text(content)

    return write


EPISODES = "meta/episodes/*/*.parquet"
THINGS: dict[str, Thing] = {
    "info.json": Thing(in_info(lambda info: info.update({NEEDLE: {"fx": 600.0}}))),
    "a feature": Thing(in_feature("action")),
    "a camera": Thing(in_feature(CAMERA)),
    "a video stream": Thing(in_info(in_stream)),
    "an index feature": Thing(in_feature("index")),
    "a label feature": Thing(in_feature("next.reward")),
    "splits": Thing(in_info(lambda info: info.update(splits={NEEDLE: "0:2", "val": "2:3"}))),
    "tools": Thing(in_info(lambda info: info.update(tools=[{"type": NEEDLE}]))),
    "statistics": Thing(in_stats),
    "tasks, column": Thing(in_tables("meta/tasks.parquet", column(NEEDLE)), ("v3.0",)),
    "tasks, metadata": Thing(in_tables("meta/tasks.parquet", metadata), ("v3.0",)),
    "tasks, key": Thing(in_lines("meta/tasks.jsonl"), ("v2.0", "v2.1")),
    "episodes, column": Thing(in_tables(EPISODES, column(NEEDLE)), ("v3.0",)),
    "episodes, statistic": Thing(in_tables(EPISODES, column(f"stats/action/{NEEDLE}")), ("v3.0",)),
    "episodes, camera": Thing(in_tables(EPISODES, column(f"videos/{NEEDLE}/file_index")), ("v3.0",)),
    "episodes, metadata": Thing(in_tables(EPISODES, metadata), ("v3.0",)),
    "episodes, key": Thing(in_lines("meta/episodes.jsonl"), ("v2.0", "v2.1")),
    "rows, column": Thing(in_tables("data/*/*.parquet", column(NEEDLE))),
    "rows, metadata": Thing(in_tables("data/*/*.parquet", metadata)),
    "tasks, metadata of a column": Thing(in_tables("meta/tasks.parquet", at_column("task_index")), ("v3.0",)),
    "episodes, metadata of a column": Thing(in_tables(EPISODES, at_column("length")), ("v3.0",)),
    "rows, metadata of a column": Thing(in_tables("data/*/*.parquet", at_column("action"))),
    "statistics of episodes, key": Thing(in_statistics(lambda line: line.update({NEEDLE: 1})), ("v2.1",)),
    "statistics of episodes, feature": Thing(
        in_statistics(lambda line: line["stats"].update({NEEDLE: {"mean": [1.0]}})), ("v2.1",)
    ),
    "statistics of episodes, statistic": Thing(
        in_statistics(lambda line: line["stats"]["action"].update({NEEDLE: [1.0]})), ("v2.1",)
    ),
    **{
        f"episodes, key {name}": Thing(reserved(name), ("v2.0", "v2.1"))
        for name in (
            f"videos/{NEEDLE}/file_index",
            f"stats/{NEEDLE}/mean",
            f"meta/{NEEDLE}",
            f"data/{NEEDLE}",
        )
    },
    "a side table": Thing(side_table),
    "a side table, metadata of a column": Thing(side_table_column),
    "a table in data": Thing(table_in_data),
    "the card's header": Thing(card(f"---\n{NEEDLE}: x\n---\n")),
    "the card's tags": Thing(card(f"---\ntags: [{NEEDLE}]\n---\n")),
    "the card's text": Thing(card(f"{NEEDLE}\n")),
    **{
        f"file {path}": Thing(in_file(path))
        for path in (
            "needle.txt",
            ".needle",
            ".needle/x.txt",
            "needle/deep/x.txt",
            "images/needle.png",
            "meta/needle.json",
            "meta/needle/x.yaml",
            "meta/episodes/needle.txt",
            "data/needle.txt",
            "data/chunk-000/needle.txt",
            "data/needle/x.txt",
            "videos/needle.txt",
            "videos/needle/chunk-000/file-000.mp4",
            f"videos/{CAMERA}/needle.mp4",
        )
    },
}


def places_of(root: Path) -> Iterator[str]:
    """Where in an output the needle is: in a path, a text, or a table."""
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root).as_posix()
        if NEEDLE in relative:
            yield relative
        if not path.is_file():
            continue
        if path.suffix == ".parquet":
            table = pq.ParquetFile(path).read()
            texts = [*table.column_names, *map(str, (table.schema.metadata or {}).keys())]
            texts += [str(key) for field in table.schema for key in field.metadata or ()]
            yield from (f"{relative}: {text}" for text in texts if NEEDLE in text)
        elif path.suffix != ".mp4" and path.name != "grasp_provenance.json" and NEEDLE in path.read_text():
            yield relative
