"""Which frames of which episodes an operation leaves, and in which order; no file is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lerobot_grasp_plugin.core.selection import select_episodes
from lerobot_grasp_plugin.dataset.reader import EpisodeBatch
from lerobot_grasp_plugin.editing.config import (
    DeleteConfig,
    InsertConfig,
    OperationConfig,
    PlacedEpisodes,
    ReorderConfig,
    ReplaceConfig,
    SetTaskConfig,
    SplitConfig,
    TrimConfig,
)
from lerobot_grasp_plugin.editing.edit import PLANS
from lerobot_grasp_plugin.editing.recipes import Dataset, Recipe
from lerobot_grasp_plugin.findings.problem import UsageError
from lerobot_grasp_plugin.merging.recipe import SourceConfig

OTHER = Path("other")
LENGTHS = st.lists(st.integers(1, 30), min_size=1, max_size=9)

type Frames = tuple[str, int, int, int]
"""Dataset, episode, first frame and the one after the last."""


def dataset(lengths: Sequence[int], *, lost: Sequence[int] = (), base: int = 1) -> Dataset:
    def rows(episodes: Sequence[int], columns: Sequence[str]) -> Iterator[EpisodeBatch]:
        for episode in episodes:
            yield EpisodeBatch([episode], [1], pa.table({"task_index": [episode]}), Path("rows"))

    reader: Any = SimpleNamespace(
        lengths=lengths,
        lost=dict.fromkeys(lost, "lost"),
        episode_tasks=lambda episode: (f"task {episode}",),
        tasks={episode: f"task {episode}" for episode in range(len(lengths))},
        require=lambda episodes, cameras: None,
        read=rows,
    )
    episodes = [episode for episode in range(len(lengths)) if episode not in lost]
    return Dataset(SourceConfig(root=Path("own")), reader, episodes, base, dict)


def recipes(operation: OperationConfig, own: Dataset) -> Sequence[Recipe]:
    return PLANS[type(operation)](operation, own)


def frames_of(recipe: Recipe, lengths: Sequence[int], base: int = 1) -> list[Frames]:
    """What a recipe leaves, by the rules of a source: episodes in order, each range an episode."""
    found: list[Frames] = []
    for source in recipe.sources:
        sizes = [7] * 3 if source.root == OTHER else lengths
        for episode in select_episodes(source.episodes, len(sizes)):
            ranges = source.frames.get(episode, f"{base}-").split(", ")
            for text in ranges:
                first, dash, last = text.partition("-")
                stop = int(last) - base + 1 if last else sizes[episode] if dash else int(first) - base + 1
                found.append((str(source.root), episode, int(first) - base, stop))
    return found


def whole(episodes: Sequence[int], lengths: Sequence[int]) -> list[Frames]:
    return [("own", episode, 0, lengths[episode]) for episode in episodes]


@given(LENGTHS, st.data())
def test_delete_leaves_the_others_in_order(lengths: list[int], data: st.DataObject) -> None:
    episodes = range(len(lengths))
    deleted = data.draw(st.lists(st.sampled_from(episodes), unique=True, min_size=1))
    left = [episode for episode in episodes if episode not in deleted]
    operation = DeleteConfig(episode_indices=deleted)
    if not left:
        with pytest.raises(UsageError, match="empty-selection"):
            recipes(operation, dataset(lengths))
        return
    (recipe,) = recipes(operation, dataset(lengths))
    assert frames_of(recipe, lengths) == whole(left, lengths)


@given(LENGTHS, st.data())
def test_reorder_takes_every_episode_once(lengths: list[int], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(lengths))))
    (recipe,) = recipes(ReorderConfig(episode_indices=list(order)), dataset(lengths))
    assert frames_of(recipe, lengths) == whole(order, lengths)


@given(LENGTHS, st.data(), st.booleans())
def test_episodes_of_another_dataset_stand_at_their_place(
    lengths: list[int], data: st.DataObject, replaces: bool
) -> None:
    place = data.draw(st.integers(0, len(lengths) - replaces))
    source = PlacedEpisodes(root=OTHER, episodes=[2, 0])
    kind = ReplaceConfig if replaces else InsertConfig
    (recipe,) = recipes(kind(episode_index=place, source=source), dataset(lengths))
    wanted = whole(range(place), lengths)
    wanted += [("other", 2, 0, 7), ("other", 0, 0, 7)]
    wanted += whole(range(place + replaces, len(lengths)), lengths)
    assert frames_of(recipe, lengths) == wanted


@given(LENGTHS, st.data(), st.sampled_from([0, 1]))
def test_equal_parts_are_all_frames_in_order(lengths: list[int], data: st.DataObject, base: int) -> None:
    chosen = data.draw(st.lists(st.sampled_from(range(len(lengths))), unique=True, min_size=1))
    own = dataset(lengths, base=base)
    operation = SplitConfig(parts=3, episode_indices=chosen)
    if any(lengths[episode] < 3 for episode in chosen):
        with pytest.raises(UsageError, match="cannot be 3 parts"):
            recipes(operation, own)
        return
    (recipe,) = recipes(operation, own)
    found = frames_of(recipe, lengths, base)
    rows = [(episode, frame) for _, episode, start, stop in found for frame in range(start, stop)]
    assert rows == [(episode, frame) for episode, length in enumerate(lengths) for frame in range(length)]
    assert len(found) == len(lengths) + 2 * len(chosen)


@given(st.lists(st.integers(1, 30), min_size=4, max_size=20), st.integers(1, 9))
def test_parts_of_a_dataset_are_all_of_it(lengths: list[int], tenths: int) -> None:
    operation = SplitConfig(splits={"train": tenths / 10, "val": 1 - tenths / 10})
    first = len(lengths) * tenths // 10
    if not 0 < first < len(lengths):
        with pytest.raises(UsageError, match="would have no episode"):
            recipes(operation, dataset(lengths))
        return
    parts = recipes(operation, dataset(lengths))
    assert [part.name for part in parts] == ["train", "val"]
    found = [frames for part in parts for frames in frames_of(part, lengths)]
    assert found == whole(range(len(lengths)), lengths)
    assert len(frames_of(parts[0], lengths)) == first


def test_given_ranges_are_those_of_the_recipe() -> None:
    for operation in (TrimConfig(frames={1: "3-6"}), SplitConfig(frames={1: "3-6"})):
        (recipe,) = recipes(operation, dataset([9, 8, 4]))
        assert frames_of(recipe, [9, 8, 4]) == [("own", 0, 0, 9), ("own", 1, 2, 6), ("own", 2, 0, 4)]


def test_a_task_is_set_where_it_is_another() -> None:
    (recipe,) = recipes(SetTaskConfig(new_task="task 2", episode_indices=[2, 0]), dataset([9, 8, 4]))
    assert [source.tasks for source in recipe.sources] == [{0: "task 2"}]
    (recipe,) = recipes(SetTaskConfig(new_task="new"), dataset([9, 8, 4]))
    assert [(source.task, source.tasks) for source in recipe.sources] == [("new", {})]


def test_lost_episodes_are_left_out() -> None:
    """Of a rescued recording; the place of a lost one can be taken by another."""
    own = dataset([9, 0, 4], lost=[1])
    (recipe,) = recipes(ReorderConfig(episode_indices=[2, 0]), own)
    assert frames_of(recipe, [9, 0, 4]) == [("own", 2, 0, 4), ("own", 0, 0, 9)]
    source = PlacedEpisodes(root=OTHER, episodes=[1])
    (recipe,) = recipes(ReplaceConfig(episode_index=1, source=source), own)
    assert frames_of(recipe, [9, 0, 4]) == [("own", 0, 0, 9), ("other", 1, 0, 7), ("own", 2, 0, 4)]


def test_lists_of_episodes_divide_a_dataset() -> None:
    splits: dict[str, float | list[int] | str] = {"a": [3, 0], "b": "1"}
    first, second = recipes(SplitConfig(splits=splits), dataset([5, 5, 5, 5]))
    assert frames_of(first, [5] * 4) == whole([3, 0], [5] * 4)
    assert frames_of(second, [5] * 4) == whole([1], [5] * 4)
    (warning,) = [*first.warnings, *second.warnings]
    assert (warning.code, warning.message) == (
        "episodes-in-no-part",
        "episode 2 is in no part, and is left out",
    )


NO_EPISODES = PlacedEpisodes(root=OTHER)
FAULTS: list[tuple[OperationConfig, list[str]]] = [
    (DeleteConfig(), ["missing-option"]),
    (DeleteConfig(episode_indices=[1, 1, 9]), ["listed-twice", "unknown-episode"]),
    (ReorderConfig(), ["missing-option"]),
    (ReorderConfig(episode_indices=[2, 0]), ["episodes-not-named"]),
    (ReorderConfig(episode_indices="0-1, x"), ["unknown-token"]),
    (ReplaceConfig(), ["missing-option"] * 3),
    (
        ReplaceConfig(episode_index=3, source=PlacedEpisodes(root=OTHER)),
        ["missing-option", "unknown-episode"],
    ),
    (InsertConfig(episode_index=4, source=PlacedEpisodes(root=OTHER, episodes=[0])), ["unknown-episode"]),
    (SetTaskConfig(new_task=" "), ["missing-option"]),
    (SplitConfig(), ["contradicting-options"]),
    (SplitConfig(parts=1, at="state_jump", gap_s=-1), ["bad-value"] * 2 + ["contradicting-options"] * 2),
    (SplitConfig(frames={0: "1-2"}, episode_indices=[0]), ["contradicting-options"]),
    (SplitConfig(splits={"a": 0.5, "b": [1]}), ["contradicting-options"]),
    (SplitConfig(splits={"a": 0.5, "b": 0.6}), ["bad-value"]),
    (SplitConfig(splits={"a": [0, 1], "b": [1], "c/d": "2"}), ["bad-value", "listed-twice"]),
    (SplitConfig(splits={"a": [0, 7], "b": "x"}), ["unknown-episode", "unknown-token"]),
    (TrimConfig(threshold=0, min_idle_s=-1, margin_s=float("nan")), ["bad-value"] * 3),
    (TrimConfig(frames={0: "2-"}, margin_s=1, episode_indices=[0]), ["contradicting-options"]),
    (TrimConfig(threshold=-1, episode_indices=[7]), ["bad-value", "unknown-episode"]),
    (SplitConfig(parts=1, episode_indices="x"), ["bad-value", "unknown-token"]),
    (SetTaskConfig(episode_indices=[7]), ["missing-option", "unknown-episode"]),
]


@pytest.mark.parametrize(("operation", "codes"), FAULTS, ids=lambda value: str(value)[:60])
def test_everything_that_is_wrong_is_said_at_once(operation: OperationConfig, codes: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        recipes(operation, dataset([9, 8, 4]))
    assert sorted(problem.code for problem in caught.value.problems) == codes
