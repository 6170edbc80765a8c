"""Recordings that were killed: what is whole is saved into a new dataset, what is lost is said."""

from __future__ import annotations

import io
import re
import shlex
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from lerobot_grasp_plugin import (
    DatasetError,
    MergeConfig,
    MergeReport,
    Problem,
    RelabelConfig,
    SourceConfig,
    merge,
    relabel,
    verify_dataset,
)
from lerobot_grasp_plugin.commands.merge import main
from lerobot_grasp_plugin.dataset.pages import salvage
from lerobot_grasp_plugin.findings.words import agree, episodes_text
from tests.support.factories import (
    RECORDINGS,
    Legacy,
    data_table,
    encode,
    image,
    read_info,
    record,
    tree,
    write_legacy,
)
from tests.support.lerobot_judge import assert_items, items_of, legacy_items
from tests.support.verifying import DATA, change_table

type Recorded = Callable[[str], Path]


def rescue(root: Path, target: Path, episodes: str | None = None) -> MergeReport:
    sources = [SourceConfig(root=root, episodes=episodes)]
    return merge(MergeConfig(sources=sources, new_root=target, rescue=True))


@pytest.fixture
def killed(once: Callable[..., Path], tmp_path: Path) -> Recorded:
    """What LeRobot leaves on disk when it is killed after the last episode was saved; may be spoiled."""
    from lerobot.datasets import LeRobotDataset

    def make(name: str, folder: Path) -> None:
        finalize = LeRobotDataset.finalize

        def killed_first(dataset: LeRobotDataset) -> None:
            if not (folder / "killed").exists():
                shutil.copytree(dataset.root, folder / "killed")
            finalize(dataset)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(LeRobotDataset, "finalize", killed_first)
            record(folder / "whole", RECORDINGS[name])

    def copied(name: str) -> Path:
        folder = once(f"killed-{name}", lambda folder: make(name, folder))
        return Path(shutil.copytree(folder / "killed", tmp_path / "killed"))

    return copied


@pytest.mark.parametrize("name", ["av1", "split", "odd"])
def test_a_killed_recording_is_saved_whole(
    name: str, tmp_path: Path, recorded: Recorded, killed: Recorded
) -> None:
    root = killed(name)
    assert not list((root / "meta/episodes").rglob("*.parquet")) or name == "split"
    before = tree(root)
    with pytest.raises(DatasetError):
        merge(MergeConfig(sources=[SourceConfig(root=root)], new_root=tmp_path / "out"))
    report = rescue(root, tmp_path / "out")
    assert {"bad-parquet", "rescued"} <= {problem.code for problem in report.warnings}
    total = len(RECORDINGS[name].lengths)
    assert_items(tmp_path / "out", [items_of(recorded(name), episode) for episode in range(total)])
    assert tree(root) == before


def last_table(root: Path) -> Path:
    return sorted((root / "data").rglob("*.parquet"))[-1]


def test_a_torn_episode_is_lost_and_named(tmp_path: Path, recorded: Recorded, killed: Recorded) -> None:
    root = killed("av1")
    path = last_table(root)
    path.write_bytes(path.read_bytes()[:-40])
    report = rescue(root, tmp_path / "out")
    assert [each.source_episode for each in report.episodes] == [0, 1, 2, 3]
    (lost,) = [problem for problem in report.warnings if problem.message.startswith("lost: ")]
    assert "episode 4" in lost.message
    assert_items(tmp_path / "out", [items_of(recorded("av1"), episode) for episode in range(4)])
    with pytest.raises(DatasetError, match="missing-rows"):
        rescue(root, tmp_path / "other", "3-4")


def test_a_damaged_table_between_others_loses_its_episodes(
    tmp_path: Path, recorded: Recorded, copied: Recorded
) -> None:
    root = copied("split")
    paths = sorted((root / "data").rglob("*.parquet"))
    gone = set(pq.ParquetFile(paths[1]).read()["episode_index"].to_pylist())
    paths[1].write_bytes(b"PAR1" + bytes(500))
    shutil.rmtree(root / "meta/episodes")
    report = rescue(root, tmp_path / "out")
    kept = [episode for episode in range(8) if episode not in gone]
    assert [each.source_episode for each in report.episodes] == kept
    assert_items(tmp_path / "out", [items_of(recorded("split"), episode) for episode in kept])


def test_a_video_that_cannot_be_read_loses_its_episodes(
    tmp_path: Path, recorded: Recorded, copied: Recorded
) -> None:
    root = copied("split")
    shutil.rmtree(root / "meta/episodes")
    video = sorted((root / "videos/observation.images.front").rglob("*.mp4"))[-1]
    video.write_bytes(video.read_bytes()[:100])
    report = rescue(root, tmp_path / "out")
    kept = [each.source_episode for each in report.episodes]
    assert kept == list(range(len(kept)))
    assert 0 < len(kept) < 8
    assert any(problem.code == "video-missing" for problem in report.warnings)
    assert_items(tmp_path / "out", [items_of(recorded("split"), episode) for episode in kept])


def test_frames_and_rows_that_do_not_fit_are_refused(tmp_path: Path, copied: Recorded) -> None:
    root = copied("split")
    shutil.rmtree(root / "meta/episodes")
    videos = sorted((root / "videos/observation.images.front").rglob("*.mp4"))
    encode(videos[0], [image(0, 0, frame) for frame in range(3)])
    with pytest.raises(DatasetError, match="video-rows"):
        rescue(root, tmp_path / "out")


def test_a_sound_dataset_is_merged_as_ever(tmp_path: Path, recorded: Recorded) -> None:
    report = rescue(recorded("av1"), tmp_path / "out")
    assert "rescued" not in {problem.code for problem in report.warnings}
    assert data_table(tmp_path / "out").num_rows == 35


def test_what_holds_nothing_is_refused(tmp_path: Path, copied: Recorded) -> None:
    root = copied("av1")
    shutil.rmtree(root / "meta/episodes")
    last_table(root).write_bytes(b"PAR1" + bytes(1000))
    with pytest.raises(DatasetError, match="the file has no intact rows"):
        rescue(root, tmp_path / "out")


@pytest.mark.parametrize("compression", ["snappy", "zstd", "gzip", "none"])
@pytest.mark.parametrize("use_dictionary", [True, False])
def test_pages_of_every_kind(compression: Any, use_dictionary: bool, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    rows, groups = 5000, 3
    tables = [
        pa.table(
            {
                "a.b": pa.array(random.normal(size=(rows, 3)).tolist(), pa.list_(pa.float32(), 3)),
                "text": [f"row {number}" for number in range(rows)],
                "done": random.random(rows) > 0.5,
                "index": np.arange(rows),
            }
        )
        for _ in range(groups)
    ]
    path = tmp_path / "file.parquet"
    writer = pq.ParquetWriter(
        path, tables[0].schema, compression=compression, use_dictionary=use_dictionary, data_page_size=4096
    )
    for table in tables:
        writer.write_table(table)
    writer.close()

    def whole_index(table: pa.Table) -> bool:
        return table["index"].to_pylist() == list(range(table.num_rows)) and table.num_rows == rows

    data = path.read_bytes()
    footer = int.from_bytes(data[-8:-4], "little")
    for cut, whole in ((0, 3), (footer + 8, 3), (footer + 9, 2)):
        path.write_bytes(data[: len(data) - cut])
        found = pq.ParquetFile(io.BytesIO(salvage(path, tables[0].schema, {"a.b": 3}, whole_index).data))
        assert found.metadata.num_row_groups == whole
        assert found.read().equals(pa.concat_tables(tables[:whole]))


def test_rows_renumbered_over_a_deleted_episode_are_given_no_frames_of_another(
    tmp_path: Path, copied: Recorded
) -> None:
    root = copied("av1")

    def without(table: pa.Table) -> pa.Table:
        kept = table.filter(pa.array([episode != 2 for episode in table["episode_index"].to_pylist()]))
        numbers = pa.array(range(kept.num_rows), pa.int64())
        return kept.set_column(kept.schema.get_field_index("index"), "index", numbers)

    change_table(root, DATA, without)
    shutil.rmtree(root / "meta/episodes")
    report = rescue(root, tmp_path / "out")
    assert [episode.source_episode for episode in report.episodes] == [0, 1]
    assert any("`index` counts over episode 2" in problem.message for problem in report.warnings)


def rescue_command(problems: Iterable[Problem]) -> list[str]:
    """The command that the hints of problems name, as a shell reads it."""
    (command,) = {command for problem in problems for command in problem.commands}
    program, *args = shlex.split(str(command))
    assert program == "lerobot-grasp-merge"
    return args


@pytest.mark.parametrize("damage", ["killed", "cut off"])
def test_refusals_name_the_command_that_saves_what_is_whole(
    damage: str, tmp_path: Path, recorded: Recorded, killed: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    if damage == "killed":
        root = killed("av1")
    else:
        root = tmp_path / "damaged set"
        shutil.copytree(recorded("split"), root)
        path = last_table(root)
        path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DatasetError) as caught:
        merge(MergeConfig(sources=[SourceConfig(root=root)], new_root=tmp_path / "out"))
    command = rescue_command(caught.value.problems)
    assert rescue_command(verify_dataset(root).problems) == command
    with pytest.raises(DatasetError) as caught:
        relabel(RelabelConfig(root=root, new_root=tmp_path / "out", labels_from="next.reward"))
    assert rescue_command(caught.value.problems) == command
    assert main(command) == 0
    rescued = root.with_name(f"{root.name}_rescued")
    assert verify_dataset(rescued).ok
    (hint, *_) = [problem.hint for problem in caught.value.problems if problem.commands]
    total = read_info(rescued)["total_episodes"]
    have = agree(total, "is", "are")
    assert hint.endswith(f"to save {episodes_text(range(total))}, which {have} intact:")


def test_what_cannot_be_rescued_names_no_command(copied: Recorded) -> None:
    root = copied("av1")
    for path in (root / "data").rglob("*.parquet"):
        path.write_bytes(b"PAR1")
    problems = verify_dataset(root).problems
    assert any(problem.code == "bad-parquet" for problem in problems)
    assert not any(problem.commands for problem in problems)


# -- damaged datasets whose list of episodes can be read ----------------------------------------------


def rows_of(root: Path, episode: int, keep: int) -> None:
    """Leaves the first rows of an episode in its table."""
    for path in (root / "data").rglob("*.parquet"):
        table = pq.ParquetFile(path).read()
        kept: Any = pc.or_(pc.not_equal(table["episode_index"], episode), pc.less(table["frame_index"], keep))
        pq.write_table(table.filter(kept), path)


def video_of(root: Path) -> Path:
    return sorted((root / "videos").rglob("*.mp4"))[-1]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-60])


def cut_rows(path: Path) -> None:
    """Cuts a table off within its last row group."""
    table = pq.ParquetFile(path).metadata
    column = table.row_group(table.num_row_groups - 1).column(0)
    path.write_bytes(path.read_bytes()[: column.data_page_offset + 8])


def pointer(path: Path) -> None:
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")


DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "rows missing": (lambda root: rows_of(root, 3, 0), "missing-rows"),
    "rows too few": (lambda root: rows_of(root, 3, 2), "wrong-length"),
    "video missing": (lambda root: video_of(root).unlink(), "video-unreadable"),
    "video cut off": (lambda root: cut(video_of(root)), "video-truncated"),
    "table cut off": (lambda root: cut_rows(last_table(root)), "missing-rows"),
    "table missing": (lambda root: last_table(root).unlink(), "missing-rows"),
    "table a pointer": (lambda root: pointer(last_table(root)), "lfs-pointer"),
    "video a pointer": (lambda root: pointer(video_of(root)), "video-lfs-pointer"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_every_whole_episode_of_a_listed_dataset_is_taken(
    damage: str, tmp_path: Path, recorded: Recorded, copied: Recorded
) -> None:
    root = copied("split")
    spoil, code = DAMAGE[damage]
    spoil(root)
    before = tree(root)
    report = rescue(root, tmp_path / "out")
    kept = [each.source_episode for each in report.episodes]
    assert 0 < len(kept) < 8
    lost = [problem for problem in report.warnings if problem.message.startswith("lost: ")]
    assert code in {problem.code for problem in lost}
    assert sum(len(numbers(problem.message)) for problem in lost) == 8 - len(kept)
    assert_items(tmp_path / "out", [items_of(recorded("split"), episode) for episode in kept])
    assert tree(root) == before
    assert not any("computed from its images" in note for source in report.sources for note in source.notes)


def numbers(message: str) -> list[int]:
    """The episodes that a message begins with."""
    listed = message.removeprefix("lost: ").partition(":")[0]
    found: list[int] = []
    for first, last in re.findall(r"(\d+)(?:-(\d+))?", listed):
        found += range(int(first), int(last or first) + 1)
    return found


def test_a_pointer_under_rescue_is_named_for_what_it_is(tmp_path: Path, copied: Recorded) -> None:
    root = copied("split")
    pointer(last_table(root))
    texts = [str(problem) for problem in rescue(root, tmp_path / "out").warnings]
    assert any("Git LFS pointer" in text and "git lfs pull" in text for text in texts), texts
    shutil.rmtree(root / "meta/episodes")
    texts = [str(problem) for problem in rescue(root, tmp_path / "again").warnings]
    assert any("Git LFS pointer" in text and "git lfs pull" in text for text in texts), texts
    assert not any("not a parquet file" in text for text in texts)


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_cut_off_video_says_why_none_of_it_is_taken(
    is_listed: bool, tmp_path: Path, copied: Recorded
) -> None:
    root = copied("split")
    path = video_of(root)
    path.write_bytes(path.read_bytes()[:200])  # within its index, which LeRobot writes in front
    if not is_listed:
        shutil.rmtree(root / "meta/episodes")
    lost = [
        problem.message for problem in rescue(root, tmp_path / "out").warnings if "lost" in problem.message
    ]
    assert any(
        "moov box" in message and "copy the file again from a complete copy" in message for message in lost
    )


@pytest.mark.parametrize("version", ["v2.0", "v2.1"])
def test_whole_episodes_of_older_formats_are_taken(version: str, tmp_path: Path) -> None:
    spec = Legacy(version=version, lengths=(6, 4, 5, 3))
    root = write_legacy(tmp_path / "set", spec)
    expected = [legacy_items(root, spec, episode) for episode in (0, 1, 3)]
    cut(next(root.rglob("episode_000000.parquet")))  # in its footer, behind the rows
    cut(next(root.rglob("episode_000002.mp4")))
    report = rescue(root, tmp_path / "out")
    assert [each.source_episode for each in report.episodes] == [0, 1, 3]
    assert_items(tmp_path / "out", expected)
