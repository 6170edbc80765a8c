"""Where the result of an edit goes, and what it says of where it came from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from lerobot_grasp_plugin import MergeConfig, SourceConfig, merge
from lerobot_grasp_plugin.commands.render_edit import dry_run
from lerobot_grasp_plugin.dataset.layout import PROVENANCE_PATH
from lerobot_grasp_plugin.dataset.provenance import FirstEpisode, Provenance, read_provenance
from lerobot_grasp_plugin.editing.config import (
    DeleteConfig,
    EditConfig,
    OperationConfig,
    PlacedEpisodes,
    ReorderConfig,
    ReplaceConfig,
    SetTaskConfig,
    SplitConfig,
    TrimConfig,
)
from lerobot_grasp_plugin.editing.edit import EditReport, edit
from lerobot_grasp_plugin.findings.problem import GraspError, UsageError
from tests.support.edited import codes, edited, origins
from tests.support.factories import change_info, read_info, tree
from tests.support.lerobot_judge import assert_items, items_of, leftovers

type Recorded = Callable[[str], Path]


def in_place(root: Path, operation: OperationConfig, **options: Any) -> EditReport:
    return edit(EditConfig(root=root, in_place=True, operation=operation, **options))


def test_in_place_keeps_the_old_dataset(copied: Recorded, recorded: Recorded) -> None:
    source, before = copied("av1"), tree(recorded("av1"))
    report = in_place(source, DeleteConfig(episode_indices=[1]))
    own = [items_of(recorded("av1"), episode) for episode in range(5)]
    assert_items(source, [own[0], *own[2:]])
    backup = report.reports[0].backup
    assert backup == source.with_name("av1.backup-1")
    assert tree(backup) == before
    in_place(source, TrimConfig(frames={0: "2-"}))
    assert_items(source, [own[0][1:], *own[2:]])
    assert sorted(path.name for path in source.parent.iterdir() if not path.name.startswith(".")) == [
        "av1",
        "av1.backup-1",
        "av1.backup-2",
    ]


@pytest.mark.parametrize(
    ("operation", "options", "wanted"),
    [
        (DeleteConfig(episode_indices=[1]), {"new_root": Path("x")}, ["contradicting-options"]),
        (SplitConfig(splits={"a": 0.5, "b": 0.5}), {}, ["contradicting-options"]),
        (None, {"new_repo_id": "me/x"}, ["contradicting-options", "missing-option"]),
        (SetTaskConfig(), {"new_repo_id": "me/x"}, ["contradicting-options", "missing-option"]),
    ],
    ids=["target", "parts", "nothing", "both"],
)
def test_contradictions_are_named(
    copied: Recorded, operation: OperationConfig, options: dict[str, object], wanted: list[str]
) -> None:
    source = copied("unlabelled")
    before = tree(source)
    with pytest.raises(UsageError) as caught:
        in_place(source, operation, **options)
    assert sorted(problem.code for problem in caught.value.problems) == wanted
    assert tree(source) == before
    assert list(leftovers(source.parent)) == []


def test_a_dry_run_prints_what_merge_takes(recorded: Recorded, tmp_path: Path) -> None:
    source = recorded("av1")
    operation = SplitConfig(parts=2, episode_indices="!1, 3")
    report = edited(source, tmp_path / "out", operation, dry_run=True, link="copy")
    assert report.reports == ()
    assert "statistics-of-whole-episode" in codes(report)
    assert not (tmp_path / "out").exists()
    text = dry_run(report)
    assert text.startswith(
        "# episodes 0, 2, 4 in 6 parts of equal length\n# episode 0: 2 parts, which begin "
    )
    recipe = yaml.safe_load(text)
    assert recipe == {
        "sources": [{"root": str(source), "frames": {0: "1-3, 4-", 2: "1-4, 5-", 4: "1-4, 5-"}}],
        "new_root": str(tmp_path / "out"),
        "link": "copy",
    }
    edited(source, tmp_path / "out", operation, link="copy")
    (own,) = recipe["sources"]
    sources = [SourceConfig(root=own["root"], frames=own["frames"])]
    merge(MergeConfig(sources=sources, new_root=tmp_path / "merged/out", link="copy"))
    one, two = tree(tmp_path / "out"), tree(tmp_path / "merged/out")
    assert one.pop(PROVENANCE_PATH) != two.pop(PROVENANCE_PATH)
    assert one == two
    assert json.loads((tmp_path / "out" / PROVENANCE_PATH).read_text())["operation"] == "edit"


def test_a_dry_run_in_place_says_that_the_recipe_needs_a_target(copied: Recorded) -> None:
    source = copied("unlabelled")
    before = tree(source)
    text = dry_run(in_place(source, DeleteConfig(episode_indices=[1]), dry_run=True))
    assert "# add new_root: lerobot-grasp-merge writes a new dataset\n" in text
    assert yaml.safe_load(text) == {"sources": [{"root": str(source), "episodes": "0, 2"}]}
    assert tree(source) == before


def test_everything_wrong_with_a_call_is_said_at_once(recorded: Recorded, tmp_path: Path) -> None:
    """The operation, the dataset that it takes episodes of, the annotation file and the target."""
    new = PlacedEpisodes(root=tmp_path / "none", episodes=[0])
    with pytest.raises(UsageError) as caught:
        edited(
            recorded("av1"),
            tmp_path,
            ReplaceConfig(episode_index=9, source=new),
            annotations=tmp_path / "none.txt",
            alignment="past",
        )
    wanted = ["no-dataset", "target-exists", "unknown-choice", "unknown-episode", "unreadable-file"]
    assert sorted(problem.code for problem in caught.value.problems) == wanted


def test_a_dry_run_names_what_is_wrong(recorded: Recorded, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="range-past-end"):
        edited(recorded("av1"), tmp_path / "out", TrimConfig(frames={0: "3-99"}), dry_run=True)


def test_each_row_leads_to_its_first_recording(recorded: Recorded, tmp_path: Path) -> None:
    """Two edits, a merge with another recording, and an edit; the datasets between are removed."""
    source, other = recorded("av1"), recorded("av1-other")
    edited(source, tmp_path / "a", TrimConfig(frames={2: "3-", 0: "2-6"}))
    edited(tmp_path / "a", tmp_path / "b", ReorderConfig(episode_indices=[2, 0, 1, 3, 4]))
    sources = [SourceConfig(root=tmp_path / "b", episodes=[0, 3], frames={0: "2-"}), SourceConfig(root=other)]
    merge(MergeConfig(sources=sources, new_root=tmp_path / "c", robot_type="so_follower"))
    edited(tmp_path / "c", tmp_path / "d", SplitConfig(parts=2, episode_indices=[0, 3]))
    firsts = [entry.first for entry in read_provenance(tmp_path / "d").episodes.values()]
    own, theirs = str(source), str(other)
    assert firsts == [
        FirstEpisode("av1", own, 2, 3),
        FirstEpisode("av1", own, 2, 6),
        FirstEpisode("av1", own, 3, 0),
        FirstEpisode("av1-other", theirs, 0, 0),
        FirstEpisode("av1-other", theirs, 1, 0),
        FirstEpisode("av1-other", theirs, 1, 2),
        FirstEpisode("av1-other", theirs, 2, 0),
    ]
    parts = [(2, 3, 6), (2, 6, 9), (3, 0, 6)]
    wanted = [items_of(source, episode)[start:stop] for episode, start, stop in parts]
    zero, one, two = (items_of(other, episode) for episode in range(3))
    tasks = [own[0]["task"] for own in [*wanted, zero, one, one, two]]
    assert_items(tmp_path / "d", [*wanted, zero, one[:2], one[2:], two], tasks=tasks)
    assert [entry.first for entry in read_provenance(tmp_path / "a").episodes.values()] == [None] * 5


def test_a_sidecar_of_other_rows_says_nothing_of_the_first_recording(
    recorded: Recorded, tmp_path: Path
) -> None:
    edited(recorded("av1"), tmp_path / "a", TrimConfig(frames={0: "2-6"}))
    path = tmp_path / "a" / PROVENANCE_PATH
    said = json.loads(path.read_text())
    said["episodes"][0]["length"] = 4
    said["episodes"][1]["source_episode"] = None
    path.write_text(json.dumps(said))
    edited(tmp_path / "a", tmp_path / "b", DeleteConfig(episode_indices=[4]))
    firsts = [entry.first for entry in read_provenance(tmp_path / "b").episodes.values()]
    assert [first and first.episode_index for first in firsts] == [None, None, 2, 3]


def test_damaged_first_episodes_are_named() -> None:
    source = {"repo_id": "me/a"}
    entry = {
        "episode_index": 0,
        "source": 0,
        "source_episode": 1,
        "length": 3,
        "first": {"episode_index": "x"},
    }
    said = Provenance.of({"sources": [source], "episodes": [entry]})
    fields = [problem.place.field for problem in said.problems]
    assert fields == ["episodes[0].first.episode_index", "episodes[0].first.from_frame"]
    assert said.episodes[0].first is None


def test_splits_stay_where_the_episodes_do(copied: Recorded, tmp_path: Path) -> None:
    source = copied("av1")
    change_info(source, splits={"train": "0:4", "test": "4:5"})
    edited(source, tmp_path / "tasks", SetTaskConfig(new_task="lift it"))
    assert read_info(tmp_path / "tasks")["splits"] == {"train": "0:4", "test": "4:5"}
    report = edited(source, tmp_path / "order", ReorderConfig(episode_indices=[4, 3, 2, 1, 0]))
    assert read_info(tmp_path / "order")["splits"] == {"train": "0:5"}
    assert codes(report) == ["metadata-left-out"]


def test_what_is_broken_is_named_as_merge_names_it(copied: Recorded, tmp_path: Path) -> None:
    source = copied("av1")
    next((source / "data").rglob("*.parquet")).write_bytes(b"PAR1")
    for operation in (DeleteConfig(episode_indices=[1]), SplitConfig(at="state_jump"), TrimConfig()):
        with pytest.raises(GraspError, match="bad-parquet"):
            edited(source, tmp_path / "out", operation)
    assert origins(source) == []
    assert not (tmp_path / "out").exists()
