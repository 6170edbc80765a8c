"""Broken-off recordings of formats v2.0 and v2.1: what is whole is saved, what is lost is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lerobot_grasp_plugin import (
    DatasetError,
    MergeConfig,
    MergeReport,
    SourceConfig,
    merge,
    verify_dataset,
)
from tests.support.factories import Legacy, tree, write_legacy
from tests.support.lerobot_judge import assert_items, legacy_items

LENGTHS = (6, 4, 5, 7)


def rescue(root: Path, target: Path) -> MergeReport:
    return merge(MergeConfig(sources=[SourceConfig(root=root)], new_root=target, rescue=True))


def table(root: Path, episode: int) -> Path:
    return root / f"data/chunk-000/episode_{episode:06d}.parquet"


def lost_text(report: MergeReport) -> str:
    return "\n".join(each.message for each in report.warnings if each.message.startswith("lost: "))


@pytest.mark.parametrize("version", ["v2.0", "v2.1"])
def test_episodes_are_taken_by_their_rows_where_the_list_is_gone(version: str, tmp_path: Path) -> None:
    spec = Legacy(lengths=LENGTHS, version=version, tasks=("pick", "place"))
    root = write_legacy(tmp_path / "killed", spec)
    (root / "meta/episodes.jsonl").unlink()
    last = table(root, 3)
    last.write_bytes(last.read_bytes()[:-64])  # the footer is torn, its rows are whole
    before = tree(root)
    problems = verify_dataset(root).problems
    assert any("to save episodes 0-3, which are intact" in problem.hint for problem in problems)
    report = rescue(root, tmp_path / "out")
    assert {"bad-parquet", "rescued"} <= {problem.code for problem in report.warnings}
    assert_items(tmp_path / "out", [legacy_items(root, spec, episode) for episode in range(4)])
    assert tree(root) == before


def test_what_is_torn_is_lost_and_named(tmp_path: Path) -> None:
    spec = Legacy(lengths=(*LENGTHS, 4, 5))
    root = write_legacy(tmp_path / "killed", spec)
    lines = (root / "meta/episodes.jsonl").read_text().splitlines()
    listed = [json.dumps({**json.loads(line), "operator": "a"}) for line in lines]
    listed[2] = listed[2].replace('"length": 5', '"length": 4')
    (root / "meta/episodes.jsonl").write_text("\n".join(listed)[:-30])
    stats = root / "meta/episodes_stats.jsonl"
    stats.write_text(stats.read_text()[:-30])
    table(root, 1).write_bytes(table(root, 1).read_bytes()[:300])
    video = root / "videos/chunk-000/observation.images.wrist/episode_000004.mp4"
    video.write_bytes(video.read_bytes()[:200])
    report = rescue(root, tmp_path / "out")
    assert [each.source_episode for each in report.episodes] == [0, 3, 5]
    lost = lost_text(report)
    assert "episode 1: no table has all of its rows" in lost
    assert "episode 2: 5 rows in the table, but 4 in meta/episodes.jsonl" in lost
    assert "episode 4: " in lost
    assert_items(tmp_path / "out", [legacy_items(root, spec, episode) for episode in (0, 3, 5)])


def test_an_episode_that_was_saved_and_not_listed_is_taken(tmp_path: Path) -> None:
    spec = Legacy(lengths=LENGTHS)
    root = write_legacy(tmp_path / "killed", spec)
    for name in ("episodes.jsonl", "episodes_stats.jsonl"):
        lines = (root / "meta" / name).read_text().splitlines(keepends=True)
        (root / "meta" / name).write_text("".join(lines[:-1]))
    report = rescue(root, tmp_path / "out")
    assert [each.source_episode for each in report.episodes] == [0, 1, 2, 3]
    assert_items(tmp_path / "out", [legacy_items(root, spec, episode) for episode in range(4)])


def test_without_its_list_of_tasks_nothing_is_taken(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "killed", Legacy(lengths=LENGTHS))
    for name in ("episodes.jsonl", "tasks.jsonl"):
        (root / "meta" / name).unlink()
    with pytest.raises(DatasetError, match=r"tasks\.jsonl"):
        rescue(root, tmp_path / "out")
