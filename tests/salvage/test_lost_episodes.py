"""Datasets of which a part is gone or elsewhere: what is whole is read, what is lost is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from lerobot_grasp_plugin import (
    DatasetError,
    MergeConfig,
    MergeReport,
    RelabelConfig,
    SourceConfig,
    merge,
    open_dataset,
    relabel,
)
from lerobot_grasp_plugin.frames.config import FramesConfig
from lerobot_grasp_plugin.frames.extract import extract_frames
from tests.support.factories import Legacy, change_info, data_table, episodes_table, read_info, write_legacy
from tests.support.lerobot_judge import assert_items, items_of, legacy_items

type Recorded = Callable[[str], Path]
type Spoil = Callable[[Path], None]


def merged(root: Path, target: Path, episodes: str | None = None) -> MergeReport:
    return merge(MergeConfig(sources=[SourceConfig(root=root, episodes=episodes)], new_root=target))


def change(path: Path, edit: Callable[[pa.Table], pa.Table]) -> None:
    table = pq.ParquetFile(path).read()
    pq.write_table(edit(table), path)


# -- rows elsewhere -----------------------------------------------------------------------------------


def name_other_files(root: Path) -> None:
    """Moves the file of every episode in the list one on, but for the last."""

    def moved(table: pa.Table) -> pa.Table:
        for name in ("data/chunk_index", "data/file_index"):
            values = table[name].to_pylist()
            column = pa.array([*values[1:], values[-1]], table.schema.field(name).type)
            table = table.set_column(table.column_names.index(name), name, column)
        return table

    (path,) = (root / "meta/episodes").rglob("*.parquet")
    change(path, moved)


def test_rows_are_read_where_they_are(tmp_path: Path, recorded: Recorded, copied: Recorded) -> None:
    root = copied("split")
    name_other_files(root)
    report = merged(root, tmp_path / "out")
    (warning,) = [problem for problem in report.warnings if problem.code == "wrong-file"]
    assert "rows of episode" in warning.message
    assert_items(tmp_path / "out", [items_of(recorded("split"), episode) for episode in range(8)])
    rows, table = data_table(tmp_path / "out"), episodes_table(tmp_path / "out")
    numbers: list[Any] = rows["episode_index"].to_pylist()
    assert numbers == sorted(numbers)
    assert table["length"].to_pylist() == [8, 6, 9, 5, 7, 6, 8, 5]
    (tmp_path / "labels.txt").write_text("".join(f"{episode}: 2-\n" for episode in range(8)))
    config = RelabelConfig(root=root, annotations=tmp_path / "labels.txt", new_root=tmp_path / "labelled")
    assert "wrong-file" in {problem.code for problem in relabel(config).warnings}
    frames = FramesConfig(root=root, episodes=[1, 4], output_dir=tmp_path / "frames")
    assert extract_frames(frames).episodes == 2


def test_a_wrong_data_path_is_a_warning(tmp_path: Path, recorded: Recorded, copied: Recorded) -> None:
    root = copied("split")
    change_info(root, data_path="rows/chunk-{chunk_index:03d}/{file_index}.parquet")
    report = merged(root, tmp_path / "out")
    (warning,) = [problem for problem in report.warnings if problem.code == "template-mismatch"]
    assert "data_path" in warning.message
    assert_items(tmp_path / "out", [items_of(recorded("split"), episode) for episode in range(8)])


def test_a_wrong_video_path_is_a_warning(tmp_path: Path, recorded: Recorded, copied: Recorded) -> None:
    root = copied("av1")
    change_info(root, video_path="films/{video_key}/{chunk_index}-{file_index}.mp4")
    report = merged(root, tmp_path / "out")
    assert [problem.code for problem in report.warnings] == ["template-mismatch"]
    assert_items(tmp_path / "out", [items_of(recorded("av1"), episode) for episode in range(5)])


@pytest.mark.parametrize("version", ["v2.0", "v2.1"])
def test_older_files_under_other_names_are_found_by_rows_and_number(version: str, tmp_path: Path) -> None:
    spec = Legacy(version=version)
    root = write_legacy(tmp_path / "set", spec)
    expected = [legacy_items(root, spec, episode) for episode in range(3)]
    for path in [*root.rglob("*.parquet"), *root.rglob("*.mp4")]:
        path.rename(path.with_name(path.name.replace("episode_00000", "part-")))
    report = merged(root, tmp_path / "out")
    assert {problem.code for problem in report.warnings} == {"template-mismatch"}
    assert_items(tmp_path / "out", expected)


def test_rows_in_two_other_tables_are_refused(tmp_path: Path, copied: Recorded) -> None:
    root = copied("av1")
    (path,) = (root / "data").rglob("*.parquet")
    for name in ("file-001.parquet", "file-002.parquet"):
        pq.write_table(pq.ParquetFile(path).read(), path.with_name(name))
    path.unlink()
    with pytest.raises(DatasetError, match="scattered-episode"):
        merged(root, tmp_path / "out")


# -- episodes deleted by hand -------------------------------------------------------------------------

LOST = 2


def without_rows(root: Path) -> None:
    (path,) = (root / "data").rglob("*.parquet")
    change(path, lambda table: table.filter(pc.not_equal(table["episode_index"], LOST)))


def without_some_rows(root: Path) -> None:
    (path,) = (root / "data").rglob("*.parquet")

    def without(table: pa.Table) -> pa.Table:
        kept: Any = pc.or_(pc.not_equal(table["episode_index"], LOST), pc.less_equal(table["frame_index"], 2))
        return table.filter(kept)

    change(path, without)


def without_entry(root: Path) -> None:
    (path,) = (root / "meta/episodes").rglob("*.parquet")
    change(path, lambda table: table.filter(pc.not_equal(table["episode_index"], LOST)))


def without_entry_and_total(root: Path) -> None:
    without_entry(root)
    without_rows(root)
    change_info(root, total_episodes=read_info(root)["total_episodes"] - 1)


def older(name: str) -> Spoil:
    def spoil(root: Path) -> None:
        (path,) = root.rglob(name)
        path.unlink()

    return spoil


def without_older_rows(root: Path) -> None:
    (path,) = root.rglob("episode_000002.parquet")
    change(path, lambda table: table.slice(0, 2))


def without_older_entry(root: Path) -> None:
    path = root / "meta/episodes.jsonl"
    lines = [line for line in path.read_text().splitlines() if json.loads(line)["episode_index"] != LOST]
    path.write_text("\n".join(lines) + "\n")


def refused(root: Path, target: Path) -> None:
    """Nothing is written without the episode's being left out; the refusal names it and how to do so."""
    before = set(target.parent.iterdir())
    with pytest.raises(DatasetError) as caught:
        merged(root, target)
    assert set(target.parent.iterdir()) == before
    (problem,) = caught.value.problems
    assert f"episode {LOST}" in problem.message
    assert f'episodes: "!{LOST}"' in problem.hint


@pytest.mark.parametrize("spoil", [without_rows, without_some_rows, without_entry, without_entry_and_total])
def test_the_others_are_merged(spoil: Spoil, tmp_path: Path, recorded: Recorded, copied: Recorded) -> None:
    root = copied("av1")
    spoil(root)
    refused(root, tmp_path / "out")
    merged(root, tmp_path / "out", f"!{LOST}")
    assert_items(tmp_path / "out", [items_of(recorded("av1"), episode) for episode in (0, 1, 3, 4)])


@pytest.mark.parametrize("version", ["v2.0", "v2.1"])
@pytest.mark.parametrize(
    "spoil",
    [older("episode_000002.parquet"), older("episode_000002.mp4"), without_older_rows, without_older_entry],
    ids=["table", "video", "rows", "entry"],
)
def test_the_others_are_merged_from_older_formats(version: str, spoil: Spoil, tmp_path: Path) -> None:
    spec = Legacy(version=version, lengths=(6, 4, 5, 3))
    root = write_legacy(tmp_path / "set", spec)
    expected = [legacy_items(root, spec, episode) for episode in (0, 1, 3)]
    spoil(root)
    refused(root, tmp_path / "out")
    merged(root, tmp_path / "out", f"!{LOST}")
    assert_items(tmp_path / "out", expected)


def test_a_lost_file_of_several_episodes_names_all_of_them(tmp_path: Path, copied: Recorded) -> None:
    root = copied("split")
    table = episodes_table(root)
    key = "videos/observation.images.front"
    places = list(
        zip(table[f"{key}/chunk_index"].to_pylist(), table[f"{key}/file_index"].to_pylist(), strict=True)
    )
    chunk, file = places[3]
    (root / f"{key}/chunk-{chunk:03d}/file-{file:03d}.mp4").unlink()
    lost = [episode for episode, place in enumerate(places) if place == (chunk, file)]
    with pytest.raises(DatasetError) as caught:
        merged(root, tmp_path / "out")
    (problem,) = caught.value.problems
    assert problem.code == "missing-file"
    assert "observation.images.front" in problem.message
    episodes = problem.hint.split('"')[1]
    report = merged(root, tmp_path / "out", episodes)
    assert [each.source_episode for each in report.episodes] == [n for n in range(8) if n not in lost]


def test_two_hundred_missing_tables_are_one_problem(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "set", Legacy(cameras=(), lengths=(2,) * 210))
    for path in sorted(root.rglob("*.parquet"))[:200]:
        path.unlink()
    with pytest.raises(DatasetError) as caught:
        merged(root, tmp_path / "out")
    (problem,) = caught.value.problems
    assert "episodes 0-199" in problem.message
    assert len(merged(root, tmp_path / "out", "!0-199").episodes) == 10


def test_more_listed_than_counted_is_a_warning(tmp_path: Path, copied: Recorded) -> None:
    root = copied("av1")
    change_info(root, total_episodes=4)
    assert "wrong-total" in {problem.code for problem in merged(root, tmp_path / "out").warnings}
    change_info(root, total_episodes=10**12)
    with pytest.raises(DatasetError, match="wrong-total"):
        merged(root, tmp_path / "other")


def test_a_dataset_that_is_opened_as_a_whole_lists_every_episode(copied: Recorded) -> None:
    root = copied("av1")
    without_entry(root)
    with pytest.raises(DatasetError, match="episode-not-listed"):
        open_dataset(root=root)
