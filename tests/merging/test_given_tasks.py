"""Tasks that a recipe gives to some episodes of a source."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from lerobot_grasp_plugin import MergeConfig, MergeReport, SourceConfig, merge
from lerobot_grasp_plugin.dataset.layout import PROVENANCE_PATH
from lerobot_grasp_plugin.findings.problem import UsageError
from tests.support.factories import Legacy, data_table, episodes_table, read_info, write_legacy
from tests.support.lerobot_judge import assert_items, items_of, legacy_items
from tests.support.verifying import found

type Recorded = Callable[[str], Path]

PICK, PLACE = "pick the cube", "place the cube"


def merged(target: Path, *sources: SourceConfig, **options: object) -> MergeReport:
    return merge(MergeConfig(sources=list(sources), new_root=target, **options))


def tasks_of(root: Path) -> list[str]:
    return pq.read_table(root / "meta/tasks.parquet").to_pandas().index.tolist()


@pytest.mark.parametrize(
    ("given", "wanted", "known"),
    [
        ({1: "push it"}, [PICK, "push it", PICK, PLACE, PICK], [PICK, PLACE, "push it"]),
        ({1: "push it", 3: "push it"}, [PICK, "push it", PICK, "push it", PICK], [PICK, "push it"]),
        ({0: PLACE, 2: "lift it"}, [PLACE, PLACE, "lift it", PLACE, PICK], [PICK, PLACE, "lift it"]),
        (dict.fromkeys(range(5), PLACE), [PLACE] * 5, [PLACE]),
    ],
)
def test_episodes_have_the_tasks_they_are_given(
    recorded: Recorded, tmp_path: Path, given: dict[int, str], wanted: list[str], known: list[str]
) -> None:
    """Tasks that no row has any more are left out."""
    source = recorded("av1")
    merged(tmp_path / "out", SourceConfig(root=source, tasks=given))
    assert_items(tmp_path / "out", [items_of(source, episode) for episode in range(5)], tasks=wanted)
    assert tasks_of(tmp_path / "out") == known
    assert read_info(tmp_path / "out")["total_tasks"] == len(known)
    assert episodes_table(tmp_path / "out")["tasks"].to_pylist() == [[task] for task in wanted]
    said = json.loads((tmp_path / "out" / PROVENANCE_PATH).read_text())["sources"][0]
    assert said["tasks"] == {str(episode): task for episode, task in given.items()}
    assert found(tmp_path / "out") == []


def test_parts_have_the_task_of_their_episode(recorded: Recorded, tmp_path: Path) -> None:
    source = recorded("av1")
    config = SourceConfig(root=source, episodes=[2, 0], frames={2: "1-3, 5-"}, tasks={2: "lift it"})
    merged(tmp_path / "out", config)
    two = items_of(source, 2)
    wanted = ["lift it", "lift it", PICK]
    assert_items(tmp_path / "out", [two[:3], two[4:], items_of(source, 0)], tasks=wanted)


def test_a_source_without_tasks_gets_some(tmp_path: Path) -> None:
    spec = Legacy(lengths=(4, 5), without_columns=("task_index",))
    source = write_legacy(tmp_path / "source", spec)
    merged(tmp_path / "out", SourceConfig(root=source, tasks={1: "push it"}))
    items = [legacy_items(source, spec, episode) for episode in range(2)]
    assert_items(tmp_path / "out", items, tasks=["pick the cube", "push it"])
    assert data_table(tmp_path / "out")["task_index"].to_pylist() == [0] * 4 + [1] * 5


def test_a_task_for_all_and_one_for_an_episode(recorded: Recorded, tmp_path: Path) -> None:
    source = recorded("unlabelled")
    merged(tmp_path / "out", SourceConfig(root=source, task="stack", tasks={1: "push it"}))
    items = [items_of(source, episode) for episode in range(3)]
    assert_items(tmp_path / "out", items, tasks=["stack", "push it", "stack"])
    assert tasks_of(tmp_path / "out") == ["stack", "push it"]


def test_tasks_that_fit_no_episode_are_named(recorded: Recorded, tmp_path: Path) -> None:
    config = SourceConfig(root=recorded("av1"), episodes="!3", tasks={3: "a", 9: "b", 0: " "})
    with pytest.raises(UsageError) as caught:
        merged(tmp_path / "out", config)
    codes = sorted(problem.code for problem in caught.value.problems)
    assert codes == ["empty-task", "task-not-chosen", "unknown-episode"]
