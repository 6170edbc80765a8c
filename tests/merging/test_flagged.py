"""Flagged episodes are left out where it is asked for, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from lerobot_grasp_plugin import GraspError, RelabelConfig, SourceConfig, merge, relabel
from lerobot_grasp_plugin.merging.recipe import MergeConfig
from lerobot_grasp_plugin.merging.report import MergeReport
from tests.support.factories import Legacy, read_info, write_legacy

TEXT = """# flag 1: look again
00: 3-
# flag 02
# note 03: the camera was moved
03: all fail
# flag 04: look again
04: all fail
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_legacy(tmp_path / "set", Legacy(lengths=(4, 5, 6, 7, 8), cameras=()))


def made(root: Path, text: str, **options: object) -> MergeReport:
    path = root.parent / "labels.txt"
    path.write_text(text)
    return relabel(RelabelConfig(root=root, annotations=path, new_root=root.parent / "out", **options))  # type: ignore[arg-type]


def test_they_are_left_out_and_the_selection_is_said(root: Path) -> None:
    report = made(root, TEXT, exclude_flagged=True)
    assert [(row.source_episode, row.success_frames) for row in report.episodes] == [(0, 2), (3, 0)]
    assert read_info(root.parent / "out")["total_episodes"] == 2
    said = 'episodes 1, 4 (look again); episode 2 (no reason); in a recipe: episodes: "all, !1, 2, 4"'
    assert f"flagged, left out: {said}" in report.sources[0].notes


def test_the_selection_that_is_said_gives_the_same(root: Path) -> None:
    path = root.parent / "labels.txt"
    path.write_text(TEXT)
    chosen = SourceConfig(root=root, episodes="0-3")
    config = MergeConfig(
        sources=[chosen], annotations=path, new_root=root.parent / "out", exclude_flagged=True
    )
    report = merge(config)
    (note,) = [note for note in report.sources[0].notes if note.startswith("flagged")]
    selection = note.partition('episodes: "')[2].rstrip('"')
    assert selection == "0-3, !1, 2"
    again = merge(
        MergeConfig(
            sources=[SourceConfig(root=root, episodes=selection)],
            annotations=path,
            new_root=root.parent / "again",
        )
    )
    assert again.episodes == report.episodes


def test_without_the_option_a_flag_is_a_remark(root: Path) -> None:
    report = made(root, TEXT, unlisted="fail")
    assert [row.source_episode for row in report.episodes] == [0, 1, 2, 3, 4]


def test_something_must_be_left(root: Path) -> None:
    text = "".join(f"# flag {episode}\n{episode}: all fail\n" for episode in range(5))
    with pytest.raises(GraspError, match="no episodes are left to write"):
        made(root, text, exclude_flagged=True)
    assert not (root.parent / "out").exists()


def test_flags_come_from_a_file(root: Path) -> None:
    with pytest.raises(GraspError, match="needs an annotation file"):
        relabel(
            RelabelConfig(
                root=root, new_root=root.parent / "out", labels_from="next.reward", exclude_flagged=True
            )
        )


def test_a_flag_of_an_episode_that_is_not_there_is_a_warning(root: Path) -> None:
    report = made(root, "# flag 9: bad\n" + TEXT, exclude_flagged=True)
    assert "flag-without-episode" in [problem.code for problem in report.warnings]
