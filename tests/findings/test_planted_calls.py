"""Calls that are at fault in one way, each with its code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lerobot_grasp_plugin.commands.serving import listen
from lerobot_grasp_plugin.core.text_edit import parse_editable
from lerobot_grasp_plugin.dataset.info import Feature
from lerobot_grasp_plugin.findings.problem import GraspError, Place
from lerobot_grasp_plugin.merging.derivation.arms import _calibration
from lerobot_grasp_plugin.merging.index_tables import mapped_numbers
from lerobot_grasp_plugin.merging.merge import refuse_inside
from lerobot_grasp_plugin.verify.expected import Expected, check_expected
from lerobot_grasp_plugin.verify.info import inspect_info
from lerobot_grasp_plugin.writers.data_schema import column_type
from lerobot_grasp_plugin.writers.images import refuse_foreign_folder
from lerobot_grasp_plugin.writers.link import take_over


def _inside(folder: Path) -> None:
    refuse_inside([SimpleNamespace(reader=SimpleNamespace(root=folder))], folder / "new")  # type: ignore[list-item]


def _foreign(folder: Path) -> None:
    (folder / "thesis.txt").touch()
    refuse_foreign_folder(folder)


def _flat_calibration(folder: Path) -> None:
    path = folder / "follower.json"
    path.write_text(json.dumps({"gripper": {"range_min": 5, "range_max": 5}}))
    _calibration(path)


def _dtype(folder: Path, dtype: str = "quaternion", shape: tuple[int, ...] = (1,)) -> None:
    column_type("pose", Feature(dtype, shape, None, {}))


CALLS: dict[str, Callable[[Path], Any]] = {
    "bad-address": lambda folder: listen("203.0.113.1", 8000),
    "bad-calibration": _flat_calibration,
    "no-hard-link": lambda folder: take_over(folder / "none", folder / "new", "hard"),
    "not-editable": lambda folder: parse_editable(
        '{"index_base": 0, "episodes": {"0": null}}', name="labels"
    ),
    "not-own-output": _foreign,
    "target-in-source": _inside,
    "unknown-dtype": _dtype,
    "unknown-index": lambda folder: mapped_numbers(np.array([3]), {0: 1}, Place("tasks")),
    "unknown-shape": lambda folder: _dtype(folder, "float32", (2,) * 6),
}


@pytest.mark.parametrize("code", CALLS)
def test_a_call_at_fault_has_its_code(code: str, tmp_path: Path) -> None:
    with pytest.raises(GraspError) as caught:
        CALLS[code](tmp_path)
    assert [problem.code for problem in caught.value.problems] == [code]


def test_other_numbers_than_expected() -> None:
    view: Any = SimpleNamespace(episodes=None, lengths=np.array([4]), info=SimpleNamespace(where="info.json"))
    codes = [problem.code for problem in check_expected(view, 4, Expected(episodes=2, frames=5))]
    assert codes == ["unexpected-episodes", "unexpected-frames"]


def test_features_that_every_dataset_has(tmp_path: Path) -> None:
    (tmp_path / "meta").mkdir()
    features = {"action": {"dtype": "float32", "shape": [2], "names": None}}
    info = {"codebase_version": "v3.0", "fps": 10, "features": features}
    (tmp_path / "meta/info.json").write_text(json.dumps(info))
    found = {(each.code, each.severity) for each in inspect_info(tmp_path).problems}
    assert {("missing-feature", "error"), ("missing-feature", "warning")} <= found
