from __future__ import annotations

import pytest

from lerobot_grasp_plugin.dataset.layout import LEARNING_PATH
from lerobot_grasp_plugin.dataset.learning import has_sidecar
from lerobot_grasp_plugin.findings.problem import DatasetError, UsageError
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing
from lerobot_grasp_plugin.learning.data.sidecar import (
    LearningSidecar,
    read_learning,
    write_learning,
)
from lerobot_grasp_plugin.learning.data.splits import EpisodeSplits
from tests.support import factories

CROPPED = ImagePreprocessing({"observation.images.wrist": (0, 8, 64, 64)}, (32, 32))
SPLITS = EpisodeSplits(3, {"train": (0, 2), "val": (1,)})


@pytest.fixture
def root(tmp_path):
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta/info.json").write_text("{}")
    return tmp_path


@pytest.mark.parametrize("sidecar", [LearningSidecar(), LearningSidecar(CROPPED, SPLITS)])
def test_written_and_read_it_is_the_same(root, sidecar):
    assert read_learning(root) is None
    assert not has_sidecar(root)
    write_learning(root, sidecar)
    before = factories.tree(root)
    write_learning(root, sidecar)
    assert factories.tree(root) == before
    assert read_learning(root) == sidecar
    assert has_sidecar(root)


def test_what_is_missing_is_added_and_what_is_stored_does_not_change_silently(root):
    write_learning(root, LearningSidecar(preprocessing=CROPPED))
    write_learning(root, LearningSidecar(CROPPED, SPLITS))
    other = LearningSidecar(ImagePreprocessing(resize=(16, 16)), EpisodeSplits(4, {"train": (0,)}))
    with pytest.raises(UsageError) as raised:
        write_learning(root, other)
    assert [problem.code for problem in raised.value.problems] == ["other-preprocessing", "other-splits"]
    assert read_learning(root) == LearningSidecar(CROPPED, SPLITS)
    write_learning(root, other, replace=True)
    assert read_learning(root) == other


def test_no_dataset_no_sidecar(tmp_path):
    with pytest.raises(UsageError):
        write_learning(tmp_path, LearningSidecar())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        '{"format": 9}',
        '{"format": 1, "splits": {"seed": 0, "parts": {"train": ["a"]}}}',
        '{"format": 1, "splits": {"seed": 0, "parts": {"train": [1], "val": [1]}}}',
        '{"format": 1, "image_preprocessing": {"resize_size": "big"}}',
    ],
)
def test_a_damaged_sidecar_is_named(root, text):
    (root / LEARNING_PATH).write_text(text)
    with pytest.raises(DatasetError) as raised:
        read_learning(root)
    assert all(LEARNING_PATH in problem.place.path for problem in raised.value.problems)
