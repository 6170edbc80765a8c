"""Labels laid over a dataset, judged by the dataset that relabel writes."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lerobot.datasets import LeRobotDataset
from torch._utils import ExceptionWrapper
from torch.utils.data import DataLoader

from lerobot_grasp_plugin.findings.problem import (
    AnnotationError,
    DatasetError,
    GraspError,
    UsageError,
)
from lerobot_grasp_plugin.learning.data.dataset import GraspDataset
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing
from lerobot_grasp_plugin.learning.data.sidecar import LearningSidecar, write_learning
from lerobot_grasp_plugin.merging.recipe import RelabelConfig
from lerobot_grasp_plugin.merging.relabel import relabel
from tests.support import factories

LABELS = "# index_base: 1\n# dataset path: lab/set\n00: 3-4, 6-\n01: all fail\n02: 2-\n"
WHOLE = LABELS + "03: all success\n04: 8\n"
UNLABELLED = "00: 3-\n01: 1\n02: all fail\n"
WRIST = "observation.images.wrist"
CROPPED = ImagePreprocessing({WRIST: (2, 10, 60, 60)}, (24, 24))

type Item = Mapping[str, Any]


def assert_same(made: Item, expected: Item, skipped: tuple[str, ...] = ()) -> None:
    assert set(made) == set(expected)
    for name, value in expected.items():
        if name in skipped:
            continue
        if torch.is_tensor(value):
            assert made[name].dtype == value.dtype, name
            assert made[name].shape == value.shape, name
            assert torch.equal(made[name], value), name
        else:
            assert made[name] == value, name


def relabelled(tmp_path: Path, root: Path, annotations: Path, **options: Any) -> Path:
    target = tmp_path / "relabelled"
    relabel(RelabelConfig(repo_id="lab/set", root=root, annotations=annotations, new_root=target, **options))
    return target


def plain(root: Path, **options: Any) -> LeRobotDataset:
    return LeRobotDataset("lab/set", root, video_backend="pyav", **options)


def laid_over(root: Path, **options: Any) -> GraspDataset:
    return GraspDataset("lab/set", root, video_backend="pyav", **options)


def items(dataset: LeRobotDataset) -> Iterator[Item]:
    return (dataset[index] for index in range(len(dataset)))


@pytest.mark.parametrize(
    ("name", "text", "options"),
    [
        ("av1", WHOLE, {}),
        ("av1", WHOLE, {"alignment": "next", "done": "first_success", "next_success": True}),
        ("av1", WHOLE, {"done": "last_frame_of_success", "success_value": 10.0, "failure_value": -0.5}),
        ("av1", LABELS, {"unlisted": "keep", "done": "episode_end"}),
        ("av1", LABELS.replace("# index_base: 1\n", ""), {"unlisted": "fail", "index_base": 0}),
        ("unlabelled", UNLABELLED, {"next_success": True}),
        ("odd", "00: 2-\n01: all success\n02: all fail\n", {}),
        ("split", "00: 5-\n04: 2-3\n", {"unlisted": "fail", "done": "first_success"}),
    ],
)
def test_items_are_those_that_relabel_writes(recorded, annotated, tmp_path, name, text, options):
    root, annotations = recorded(name), annotated(text)
    before = factories.tree(root)
    expected = plain(relabelled(tmp_path, root, annotations, **options))
    made = laid_over(root, annotations=annotations, **options)
    assert len(made) == len(expected)
    for one, other in zip(items(made), items(expected), strict=True):
        assert_same(one, other)
    assert list(made.features) == list(expected.features)
    assert made.hf_dataset.features == expected.hf_dataset.features
    for name in ("next.reward", "next.done"):
        assert made.meta.stats[name].keys() == expected.meta.stats[name].keys()
        for statistic, value in expected.meta.stats[name].items():
            np.testing.assert_array_equal(made.meta.stats[name][statistic], value)
    assert factories.tree(root) == before


@pytest.mark.parametrize("episodes", [[3], [4, 0, 2], [1, 2]])
def test_subsets_and_windows_of_time_are_those_of_the_relabelled_dataset(
    recorded, annotated, tmp_path, episodes
):
    root, annotations = recorded("av1"), annotated(WHOLE)
    windows = {"next.reward": [-0.1, 0.0, 0.2], "action": [0.0, 0.1], WRIST: [-0.1, 0.0]}
    options: dict[str, Any] = {"episodes": episodes, "delta_timestamps": windows, "return_uint8": True}
    expected = plain(relabelled(tmp_path, root, annotations), **options)
    made = laid_over(root, annotations=annotations, **options)
    assert len(made) == len(expected)
    for one, other in zip(items(made), items(expected), strict=True):
        assert_same(one, other)


def test_dropped_episodes_are_left_out_and_the_others_keep_their_numbers(recorded, annotated, tmp_path):
    root, annotations = recorded("av1"), annotated("01: 2-\n03: all fail\n")
    expected = plain(relabelled(tmp_path, root, annotations, unlisted="drop"))
    made = laid_over(root, annotations=annotations, unlisted="drop")
    numbers = ("index", "episode_index", "task_index")
    for one, other in zip(items(made), items(expected), strict=True):
        assert_same(one, other, numbers)
    assert made.episodes == [1, 3]
    assert {int(item["episode_index"]) for item in items(made)} == {1, 3}


def test_shuffled_in_spawned_workers(recorded, annotated, tmp_path):
    root, annotations = recorded("av1"), annotated(WHOLE)
    expected = {int(item["index"]): item for item in items(plain(relabelled(tmp_path, root, annotations)))}
    made = laid_over(root, annotations=annotations, episodes=[0, 2, 4], cache_frames=True)
    made.fill_frame_cache()
    loader = DataLoader(
        made,
        batch_size=5,
        shuffle=True,
        num_workers=1,
        multiprocessing_context="spawn",
        generator=torch.Generator().manual_seed(0),
    )
    seen = []
    for batch in loader:
        for row, index in enumerate(batch["index"].tolist()):
            assert_same({name: values[row] for name, values in batch.items()}, expected[index])
            seen.append(index)
    assert sorted(seen) == sorted(
        i for i, item in expected.items() if int(item["episode_index"]) in (0, 2, 4)
    )
    assert seen != sorted(seen)


@pytest.mark.parametrize("cached", [True, False])
@pytest.mark.parametrize("spoil", [lambda path: path.write_bytes(b"spoiled"), lambda path: path.unlink()])
def test_an_error_of_a_worker_comes_out_with_what_it_said(copied, annotated, cached, spoil):
    root = copied("av1")
    made = laid_over(root, annotations=annotated(WHOLE), cache_frames=cached)
    spoil(next(root.glob(f"videos/{WRIST}/**/*.mp4")))
    with pytest.raises(GraspError) as here:
        made[0]
    try:
        made[0]
    except GraspError:
        from_worker = ExceptionWrapper(where="in DataLoader worker process 0")
    with pytest.raises(type(here.value)) as raised:
        from_worker.reraise()
    assert str(here.value) in str(raised.value)


def test_a_chosen_episode_needs_only_its_own_files(copied):
    root = copied("split")
    last = max(root.glob("data/**/*.parquet"))
    assert last.name != "file-000.parquet"
    last.unlink()
    assert len(laid_over(root, episodes=[0])) == len(plain(root, episodes=[0]))


def test_pickled_it_reads_the_same(recorded, annotated):
    made = laid_over(recorded("av1"), annotations=annotated(WHOLE), preprocessing=CROPPED, cache_frames=True)
    again = pickle.loads(pickle.dumps(made))
    for one, other in zip(items(again), items(made), strict=True):
        assert_same(one, other)


@pytest.mark.parametrize("options", [{}, {"return_uint8": True, "episodes": [2, 1]}])
@pytest.mark.parametrize("name", ["av1", "odd"])
def test_without_annotations_and_sidecar_it_is_lerobots(recorded, name, options):
    made, expected = laid_over(recorded(name), **options), plain(recorded(name), **options)
    assert isinstance(made, LeRobotDataset)
    assert made.features == expected.features
    for one, other in zip(items(made), items(expected), strict=True):
        assert_same(one, other)
    assert_same(made[0:2][1], expected[1])


def test_all_that_is_wrong_with_the_labels_is_said(recorded, annotated):
    with pytest.raises(AnnotationError) as raised:
        laid_over(recorded("av1"), annotations=annotated(WHOLE + "09: 2-\n"))
    assert "unknown-episode" in {problem.code for problem in raised.value.problems}
    with pytest.raises(AnnotationError, match="not annotated: 3-4"):
        laid_over(recorded("av1"), annotations=annotated(LABELS))
    with pytest.raises(AnnotationError, match="past the end"):
        laid_over(
            recorded("av1"), annotations=annotated(LABELS.replace("02: 2-", "02: 2-40")), unlisted="fail"
        )
    with pytest.raises(GraspError, match="none of the chosen"):
        laid_over(recorded("av1"), annotations=annotated(LABELS), unlisted="drop", episodes=[4])


def test_label_options_without_annotations_are_refused(recorded):
    with pytest.raises(UsageError, match="without an annotation file"):
        laid_over(recorded("av1"), done="episode_end")


def test_the_stored_preprocessing_is_applied_before_transforms(copied: Callable[[str], Path]):
    root = copied("av1")
    write_learning(root, LearningSidecar(preprocessing=CROPPED))
    made = laid_over(root, image_transforms=_negative, return_uint8=True)
    assert made.features[WRIST]["shape"] == (24, 24, 3)
    for one, other in zip(items(made), items(plain(root)), strict=True):
        assert torch.equal(one[WRIST], 1 - CROPPED(WRIST, other[WRIST]))
    assert torch.equal(laid_over(root, preprocessing=None)[3][WRIST], plain(root)[3][WRIST])


def test_images_in_the_table_are_prepared_too(recorded):
    key = "observation.images.eye"
    prepare = ImagePreprocessing({key: (1, 2, 30, 40)}, (12, 16))
    windows = {key: [-0.1, 0.0]}
    made = laid_over(recorded("odd"), preprocessing=prepare, delta_timestamps=windows)
    for one, other in zip(items(made), items(plain(recorded("odd"), delta_timestamps=windows)), strict=True):
        assert torch.equal(one[key], prepare(key, other[key]))


def test_a_preprocessing_that_does_not_fit_is_refused(recorded):
    wrong = ImagePreprocessing({WRIST: (0, 50, 64, 64), "observation.images.top": (0, 0, 4, 4)})
    with pytest.raises(DatasetError) as raised:
        laid_over(recorded("av1"), preprocessing=wrong)
    assert [problem.code for problem in raised.value.problems] == ["missing-camera", "crop-outside"]


def _negative(image: torch.Tensor) -> torch.Tensor:
    assert image.dtype == torch.float32
    return 1 - image
