"""The cache of merged datasets: one folder for one content, made once."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lerobot_grasp_plugin.findings.problem import AnnotationError, UsageError
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing
from lerobot_grasp_plugin.learning.data.sidecar import LearningSidecar, read_learning
from lerobot_grasp_plugin.learning.rl.configs import GraspDatasetConfig
from lerobot_grasp_plugin.learning.rl.dataset_cache import CachedDataset, cached_dataset
from lerobot_grasp_plugin.merging.recipe import SourceConfig
from tests.support import factories

SQUARE = ImagePreprocessing({"observation.images.wrist": (0, 16, 64, 64)}, (32, 32))


@pytest.fixture
def made(copied: Callable[[str], Path], annotated: Callable[[str], Path], tmp_path: Path):
    root, annotations = copied("unlabelled"), annotated("00: 3-\n01: 1\n02: all fail\n")

    def make(preprocessing: ImagePreprocessing = SQUARE, **changes: Any) -> CachedDataset:
        given = {"sources": [SourceConfig(root=root, repo_id="lab/set")], "annotations": annotations}
        config = GraspDatasetConfig(**given | changes)
        return cached_dataset(config, lambda _: preprocessing, tmp_path / "cache")

    make.root, make.annotations, make.cache = root, annotations, tmp_path / "cache"
    return make


def test_the_same_is_made_once(made):
    first = made()
    before = factories.tree(first.root)
    again = made()
    assert first.report is not None
    assert (again.report, again.root, again.repo_id) == (None, first.root, first.repo_id)
    assert factories.tree(first.root) == before
    assert read_learning(first.root) == LearningSidecar(SQUARE)
    assert [folder.name for folder in made.cache.iterdir()] == [first.key]


def test_only_content_counts(made):
    first = made()
    for path in (made.annotations, *made.root.rglob("*.parquet")):
        os.utime(path, (1, 1))
    assert made().root == first.root


def test_whatever_changes_the_result_makes_another_one(made):
    keys = [made().key, made(alignment="frame").key, made(done="first_success").key]
    keys += [made(ImagePreprocessing({}, (32, 32))).key, made(success_value=2.0).key]
    source = SourceConfig(root=made.root, repo_id="lab/set", episodes=[2, 0])
    keys.append(made(sources=[source]).key)
    keys.append(made(sources=[replace(source, task="another")]).key)
    made.annotations.write_text("00: 4-\n01: 1\n02: all fail\n")
    keys.append(made().key)
    info = made.root / "meta/info.json"
    info.write_text(info.read_text().replace('"fps": 10', '"fps":  10', 1))
    keys.append(made().key)
    assert len(set(keys)) == len(keys)


def test_the_reward_of_a_step_is_that_of_the_state_after_it(made):
    rewards = factories.data_table(made().root)["next.reward"].to_pylist()
    length = rewards.index(1.0) if not isinstance(rewards[0], list) else rewards.index([1.0])
    assert length == 1  # frame 3 is the first success, counted from 1: row 1, counted from 0, leads to it


def test_a_failure_leaves_nothing_behind(made):
    made.annotations.write_text("00: 3-400\n01: 1\n02: all fail\n")
    with pytest.raises(AnnotationError):
        made()
    assert not [path for path in made.cache.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "changes",
    [
        {"repo_id": "lab/set", "root": "x", "episodes": [0]},
        {"sources": [], "annotations": None},
        {"streaming": True},
    ],
)
def test_a_block_that_contradicts_itself_is_refused(made, changes):
    with pytest.raises(UsageError):
        made(**changes)
