"""Whatever the options, labels laid over a dataset are those that relabel writes into a new one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lerobot.datasets import LeRobotDataset

from lerobot_grasp_plugin.findings.problem import GraspError
from lerobot_grasp_plugin.learning.data.dataset import GraspDataset
from lerobot_grasp_plugin.merging.recipe import RelabelConfig
from lerobot_grasp_plugin.merging.relabel import relabel
from tests.support import factories

LENGTHS = (7, 1, 12, 2)
LABELS = ("next.reward", "next.done", "next.success")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """A dataset without cameras, by whether it has labels of its own."""
    made = {}
    for labelled in (False, True):
        features: dict[str, Any] = {"action": {"dtype": "float32", "shape": (2,), "names": ["a", "b"]}}
        if labelled:
            features["next.reward"] = {"dtype": "float32", "shape": (1,), "names": None}
            features["next.done"] = {"dtype": "bool", "shape": (1,), "names": None}
        made[labelled] = tmp_path_factory.mktemp("bare") / "set"
        dataset = LeRobotDataset.create("lab/set", 10, features, root=made[labelled], use_videos=False)
        rng = np.random.default_rng(3)
        for length in LENGTHS:
            for _ in range(length):
                frame: dict[str, Any] = {"action": rng.random(2).astype(np.float32), "task": "grasp"}
                if labelled:
                    frame["next.reward"] = rng.integers(0, 2, 1).astype(np.float32)
                    frame["next.done"] = rng.integers(0, 2, 1).astype(bool)
                dataset.add_frame(frame)
            dataset.save_episode()
        dataset.finalize()
    return made


@st.composite
def lines(draw: st.DrawFn, base: int) -> str:
    """Annotations of some episodes; now and then of frames past the end."""
    text = ""
    for episode, length in enumerate(LENGTHS):
        first = draw(st.integers(base, length - 1 + base))
        last = draw(st.integers(first, length - 1 + base + draw(st.sampled_from([0, 0, 0, 1]))))
        said = [None, "all fail", "all success", f"{first}-", f"{first}-{last}", f"{first}"]
        choice = draw(st.sampled_from(said))
        text += "" if choice is None else f"{episode:02d}: {choice}\n"
    return text or "00: all fail\n"


@given(data=st.data(), labelled=st.booleans(), base=st.sampled_from([0, 1]))
@settings(max_examples=12, deadline=None)
def test_labels_laid_over_are_those_of_relabel(
    data: st.DataObject, labelled: bool, base: int, bare: dict[bool, Path]
) -> None:
    root = bare[labelled]
    options = {
        "alignment": data.draw(st.sampled_from(["frame", "next"])),
        "done": data.draw(
            st.sampled_from([None, "keep", "episode_end", "first_success", "last_frame_of_success"])
        ),
        "unlisted": data.draw(st.sampled_from(["error", "fail", "keep", "drop"])),
        "next_success": data.draw(st.booleans()),
        "success_value": data.draw(st.sampled_from([1.0, 10.0, 0.1])),
        "failure_value": data.draw(st.sampled_from([0.0, -0.5])),
        "index_base": base,
    }
    with tempfile.TemporaryDirectory() as folder:
        annotations, target = Path(folder) / "labels.txt", Path(folder) / "relabelled"
        annotations.write_text(data.draw(lines(base)))
        config = RelabelConfig(repo_id="lab/set", root=root, annotations=annotations, new_root=target)
        for name, value in options.items():
            setattr(config, name, value)
        written = _tried(lambda: relabel(config))
        laid = _tried(lambda: GraspDataset("lab/set", root, annotations=annotations, **options))
        if isinstance(written, set) or isinstance(laid, set):
            assert laid == written
            return
        expected = factories.data_table(target)
        rows = laid.reader.hf_dataset.data
        assert set(rows.column_names) == set(expected.column_names)
        for name in LABELS:
            if name in expected.column_names:
                ours, theirs = (np.ravel(table[name].to_pylist()) for table in (rows, expected))
                np.testing.assert_array_equal(ours, theirs, name)


def _tried(action: Callable[[], Any]) -> Any:
    """What it gives, or the codes of what it says is wrong."""
    try:
        return action()
    except GraspError as error:
        return {problem.code for problem in error.problems if problem.severity == "error"}
