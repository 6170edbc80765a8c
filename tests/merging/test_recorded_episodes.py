"""How episodes were recorded is said of them in every output, under their new numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lerobot_grasp_plugin import MergeConfig, RelabelConfig, SourceConfig, merge, relabel
from lerobot_grasp_plugin.dataset.layout import RECORDING_PATH
from tests.support.factories import Legacy, write_legacy

LABELS = {
    "alignment": "frame",
    "done": "episode_end",
    "success_value": 1.0,
    "failure_value": 0.0,
    "next_success": False,
}


@pytest.fixture
def recorded(tmp_path: Path):
    """A function that makes a dataset of three episodes with a recording sidecar."""

    def made(name: str, **head: Any) -> Path:
        root = write_legacy(tmp_path / name, Legacy(lengths=(12, 12, 12), labels=True))
        entries = [{"length": 12, "success": [[11, 12]], "of": f"{name} {number}"} for number in range(3)]
        episodes = {str(number): entry for number, entry in enumerate(entries)}
        raw = {"format": 1, "index_base": 0, "labels": LABELS, **head, "episodes": episodes}
        (root / RECORDING_PATH).write_text(json.dumps(raw))
        return root

    return made


def sidecar(root: Path) -> dict[str, Any]:
    return json.loads((root / RECORDING_PATH).read_text())


def test_a_relabel_writes_the_new_labels(tmp_path, recorded):
    labels = tmp_path / "labels.txt"
    labels.write_text("1: 3-4, 10-\n")
    report = relabel(
        RelabelConfig(
            root=recorded("arm"),
            annotations=labels,
            unlisted="keep",
            new_root=tmp_path / "new",
            success_value=1.0,
            next_success=True,
        )
    )
    found = sidecar(tmp_path / "new")
    assert found["labels"] == {**LABELS, "next_success": True}
    success = [[[11, 12]], [[2, 4], [9, 12]], [[11, 12]]]
    assert [episode["success"] for episode in found["episodes"].values()] == success
    assert [episode.get("edited") for episode in found["episodes"].values()] == [False, True, False]
    assert not any(problem.code == "file-not-mapped" for problem in report.warnings)


@pytest.mark.parametrize(
    ("more", "noted"),
    [
        ({"environment": {"fps": 10}}, {"environment": {"fps": 10}}),
        ({"environment": {"fps": 20}}, {"environments": [{"fps": 10}, {"fps": 20}]}),
    ],
)
def test_chosen_episodes_have_their_new_numbers(tmp_path, recorded, more, noted):
    sources = [
        SourceConfig(root=recorded("one", environment={"fps": 10}), episodes=[2]),
        SourceConfig(root=recorded("two"), episodes=[1, 0]),
        SourceConfig(root=recorded("three", **more), episodes=[0]),
    ]
    merge(MergeConfig(sources=sources, new_root=tmp_path / "new", new_repo_id="lab/new"))
    found = sidecar(tmp_path / "new")
    assert [(number, episode["of"]) for number, episode in found["episodes"].items()] == [
        ("0", "one 2"),
        ("1", "two 1"),
        ("2", "two 0"),
        ("3", "three 0"),
    ]
    assert found["labels"] == LABELS
    assert {name: value for name, value in found.items() if name.startswith("environment")} == noted


@pytest.mark.parametrize("other", [{"fps": 10}, {"fps": 30}, None])
def test_the_environments_of_a_merge_stay_in_the_next_one(tmp_path, recorded, other):
    noted = [{"fps": 10}, {"fps": 20}]
    more = {} if other is None else {"environment": other}
    sources = [
        SourceConfig(root=recorded("one", environments=noted)),
        SourceConfig(root=recorded("two", **more)),
    ]
    merge(MergeConfig(sources=sources, new_root=tmp_path / "new", new_repo_id="lab/new"))
    found = sidecar(tmp_path / "new")
    assert found["environments"] == (noted if other in (None, *noted) else [*noted, other])
    assert "environment" not in found


def test_a_sidecar_that_cannot_be_read_is_carried_as_it_is(tmp_path, recorded):
    root = recorded("arm")
    (root / RECORDING_PATH).write_text("[]")
    merge(MergeConfig(sources=[SourceConfig(root=root)], new_root=tmp_path / "new", new_repo_id="lab/new"))
    assert (tmp_path / "new" / RECORDING_PATH).read_text() == "[]"
