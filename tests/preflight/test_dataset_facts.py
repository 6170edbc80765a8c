"""What preflight reads from datasets, annotations and sidecars."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lerobot_grasp_plugin.preflight import preflight
from tests.support.preflight_case import Case, dump, sound
from tests.support.preflight_faults import Faults

FAULTS = Faults()
plant, planted = FAULTS.plant, FAULTS.planted

planted("dataset that is not there", "dataset-unreadable", "dataset/root", "/no/such/dataset")


@plant("a video that is missing", "dataset-unreadable")
def _(case: Case) -> None:
    case.after.append(lambda case: shutil.rmtree(case.root / "videos"))


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_disagreement_is_named(name: str, tmp_path: Path) -> None:
    FAULTS.assert_named(name, tmp_path)


def test_a_change_is_said_in_words_of_the_config(tmp_path: Path, lerobot_home: Path) -> None:
    case = sound(tmp_path)
    case.config["dataset"] = {"repo_id": "lab/elsewhere"}
    (finding,) = (
        finding for finding in preflight(case.write()).findings if finding.code == "dataset-unreadable"
    )
    assert "give dataset.root" in finding.hint


def test_sources_are_labelled_by_their_annotations(tmp_path: Path) -> None:
    case = sound(tmp_path)
    case.write()
    text = "# dataset path: dataset\n0: 12-\n1: 10-\n2: 14-\n3: all fail\n"
    (tmp_path / "labels.txt").write_text(text)
    del case.config["dataset"]["repo_id"], case.config["dataset"]["root"]
    case.config["dataset"] |= {
        "sources": [{"root": str(case.root)}],
        "annotations": str(tmp_path / "labels.txt"),
        "alignment": "next",
        "done": "first_success",
    }
    dump(tmp_path / "config.json", case.config)
    report = preflight(tmp_path / "config.json")
    assert not report.findings
    (tmp_path / "labels.txt").write_text(text.replace("12-", "6-"))
    assert not preflight(tmp_path / "config.json").findings
    case.config["dataset"]["done"] = "episode_end"
    dump(tmp_path / "config.json", case.config)
    assert preflight(tmp_path / "config.json").codes == {"success-not-done"}
    (tmp_path / "labels.txt").write_text("0: 57\n9: 3-\n")
    assert preflight(tmp_path / "config.json").codes == {"annotations-unusable"}


@pytest.mark.parametrize("content", ['{"format": ', "[]", '{"format": 9}'])
def test_a_damaged_learning_sidecar_is_named(content: str, tmp_path: Path) -> None:
    case = sound(tmp_path)
    path = case.write()
    (case.root / "meta/grasp_learning.json").write_text(content)
    (finding,) = [each for each in preflight(path).findings if "grasp_learning" in str(each)]
    assert finding.severity == "error"
    assert finding.place.path == str(case.root / "meta/grasp_learning.json")


@pytest.mark.parametrize(
    "episodes",
    [
        3,
        [3, {"episode_index": {}}, {"episode_index": 0, "source": "1"}, {"episode_index": 1, "source": 0.5}],
        [{"episode_index": episode, "source": episode} for episode in range(4)],
    ],
)
def test_an_odd_provenance_names_no_source(episodes: object, tmp_path: Path) -> None:
    case = sound(tmp_path)
    case.provenance |= {"episodes": episodes, "sources": [3, None, {"repo_id": 7}]}
    assert not preflight(case.write()).findings
