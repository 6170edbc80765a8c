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


def side_table(root: Path) -> None:
    total = json.loads((root / "meta/info.json").read_text())["total_frames"]
    pq.write_table(pa.table({"index": range(total), NEEDLE: ["x"] * total}), root / "progress.parquet")


def table_in_data(root: Path) -> None:
    (root / "data/needle").mkdir()
    pq.write_table(pa.table({"x": [1]}), root / "data/needle/x.parquet")


def in_stats(root: Path) -> None:
    path = root / "meta/stats.json"
    stats = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**stats, NEEDLE: {"mean": [1.0]}}))


def card(content: str) -> Callable[[Path], None]:
    return lambda root: (root / "README.md").write_text(content) and None


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
    "a side table": Thing(side_table),
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
            yield from (f"{relative}: {text}" for text in texts if NEEDLE in text)
        elif path.suffix != ".mp4" and path.name != "grasp_provenance.json" and NEEDLE in path.read_text():
            yield relative
