"""What verify says of how episodes were recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lerobot_grasp_plugin import MergeConfig, Problem, SourceConfig, merge, verify_dataset
from lerobot_grasp_plugin.dataset.layout import RECORDING_PATH
from tests.support.factories import Legacy, write_legacy


def found(root: Path, content: str) -> list[Problem]:
    (root / RECORDING_PATH).write_text(content)
    report = verify_dataset(root, level="meta")
    return [problem for problem in report.problems if problem.place.path.endswith("grasp_recording.json")]


def sidecar(**episodes: object) -> str:
    named = {name.removeprefix("e"): {"timing": timing} for name, timing in episodes.items()}
    return json.dumps({"format": 1, "labels": {}, "episodes": named})


def test_slow_episodes_are_named(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "arm", Legacy())
    fps = json.loads((root / "meta/info.json").read_text())["fps"]
    slow = {"rate": 0.5333, "dropped_frames": 14, "slow": True}
    sound = {"rate": 0.99, "dropped_frames": 0, "slow": False}
    (problem,) = found(root, sidecar(e0=sound, e1=slow, e2={}))
    assert (problem.code, problem.severity, problem.place.episode) == ("slow-recording", "warning", 1)
    said = f"recorded at {0.5333 * fps:.1f} of {fps} frames per second: 14 frames are missing"
    assert problem.message == said
    assert 'episodes: "!1"' in problem.hint


@pytest.mark.parametrize("content", ["[]", "{}", '{"episodes": {"0": 1, "x": {"timing": {"slow": true}}}}'])
def test_a_sidecar_without_figures_says_nothing(tmp_path: Path, content: str) -> None:
    assert found(write_legacy(tmp_path / "arm", Legacy()), content) == []


def test_edits_that_were_not_carried_out_are_named(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "arm", Legacy(labels=True))
    content = {"format": 1, "episodes": {}, "edits": [{"do": "delete", "episode": 0, "by": None}]}
    (problem,) = found(root, json.dumps(content))
    assert (problem.code, problem.severity) == ("pending-edits", "warning")
    report = merge(MergeConfig(sources=[SourceConfig(root=root)], new_root=tmp_path / "new"))
    assert "pending-edits" in [warning.code for warning in report.warnings]
    assert "edits" not in json.loads((tmp_path / "new" / RECORDING_PATH).read_text())


def test_a_damaged_sidecar_is_a_warning(tmp_path: Path) -> None:
    (problem,) = found(write_legacy(tmp_path / "arm", Legacy()), "{")
    assert (problem.code, problem.severity) == ("bad-sidecar", "warning")
