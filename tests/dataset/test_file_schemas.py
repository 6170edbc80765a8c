"""The schemas of docs/schemas: written files are as they say, and what they allow is read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from lerobot_grasp_plugin import (
    MergeConfig,
    RelabelConfig,
    SourceConfig,
    merge,
    relabel,
    verify_dataset,
)
from lerobot_grasp_plugin.commands import edit as edit_command
from lerobot_grasp_plugin.commands import schema_page
from lerobot_grasp_plugin.commands.verify import main
from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.cut import Part
from lerobot_grasp_plugin.dataset.cut_recording import cut_recording
from lerobot_grasp_plugin.dataset.provenance import Provenance
from lerobot_grasp_plugin.dataset.recording import read_recording
from lerobot_grasp_plugin.frames.config import FramesConfig
from lerobot_grasp_plugin.frames.extract import extract_frames
from lerobot_grasp_plugin.labelers.draft_record import record_text
from lerobot_grasp_plugin.labelers.labeler import Proposal
from lerobot_grasp_plugin.learning.classifier.evaluation import EpisodeVerdict, Evaluation
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing
from lerobot_grasp_plugin.learning.data.sidecar import LearningSidecar, read_learning, write_learning
from lerobot_grasp_plugin.learning.data.splits import EpisodeSplits
from lerobot_grasp_plugin.recording.edits import Edits
from lerobot_grasp_plugin.sim.truth import EpisodeTruth, Truth
from tests.support.factories import Legacy, write_legacy
from tests.support.file_schemas import NAMES, read, schema_of, variants, violation

# -- reports --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("report")
    root = write_legacy(folder / "set", Legacy(cameras=(), lengths=(12, 11)))
    lines = (root / "meta/episodes.jsonl").read_text().splitlines()
    (root / "meta/episodes.jsonl").write_text("\n".join([lines[0], "{", lines[1]]) + "\n")
    assert main(["--root", str(root), "--level", "data", "--report", str(folder / "report.json")]) == 1
    return json.loads((folder / "report.json").read_text())


def test_a_written_report_is_as_the_schema_says(report: Any) -> None:
    assert violation(report) is None
    (dataset,) = report["datasets"]
    problem = next(each for each in dataset["problems"] if each["code"] == "bad-json")
    assert problem["file"] == str(Path(dataset["root"]) / "meta/episodes.jsonl")
    assert (problem["line"], problem["column"], problem["field"]) == (2, None, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("line", "2"),
        ("line", 0),
        ("line", True),
        ("file", ""),
        ("code", "Bad"),
        ("severity", "fatal"),
        ("x", 1),
    ],
)
def test_another_problem_is_not(name: str, value: Any, report: Any) -> None:
    dataset = report["datasets"][0]
    changed = {**report, "datasets": [{**dataset, "problems": [{**dataset["problems"][0], name: value}]}]}
    place = "$.datasets[0].problems[0]" + ("" if name == "x" else f".{name}")
    assert str(violation(changed)).startswith(f"{place}: ")


@pytest.mark.parametrize("name", ["line", "episode", "hint"])
def test_a_field_may_not_be_left_out(name: str, report: Any) -> None:
    problem = dict(report["datasets"][0]["problems"][0])
    del problem[name]
    changed = {**report, "datasets": [{**report["datasets"][0], "problems": [problem]}]}
    assert violation(changed) == f"$.datasets[0].problems[0]: '{name}' is a required property"


# -- the schemas ----------------------------------------------------------------------------------


def parts(schema: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Every schema in a schema, with its place."""
    if isinstance(schema, dict):
        yield place, schema
        for name, inner in schema.items():
            yield from parts(inner, f"{place}.{name}")
    elif isinstance(schema, list):
        for number, inner in enumerate(schema):
            yield from parts(inner, f"{place}[{number}]")


@pytest.mark.parametrize("name", NAMES)
def test_every_field_has_a_sentence_and_no_object_takes_unknown_ones(name: str) -> None:
    schema = schema_of(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["description"].endswith(".")
    for place, part in parts(schema, name):
        for field, stated in part.get("properties", {}).items():
            assert re.fullmatch(r"\S.+\.", stated["description"]), f"{place}.{field}"
        if "properties" in part and not place.endswith("hooks.additionalProperties"):
            assert part["additionalProperties"] is False, place
            assert set(part.get("required", ())) <= set(part["properties"]), place


def test_every_schema_is_on_the_page() -> None:
    assert sorted(schema_page.ORDER) == NAMES


# -- sidecars -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Datasets of merge, relabel and edit, made of one that was recorded."""
    folder = tmp_path_factory.mktemp("made")
    for name, labels in (("recorded", True), ("other", False)):
        write_legacy(folder / name, Legacy(lengths=(12, 12, 12), labels=labels, cameras=()))
    (folder / "recorded" / layout.RECORDING_PATH).write_text(json.dumps(RECORDED))
    (folder / "labels.txt").write_text(
        "".join(f"# {name}\n0: 3-4, 10-\n1: all fail\n2: 5\n" for name in ("recorded", "other"))
    )
    sources = [
        SourceConfig(root=folder / "recorded", episodes="!1", frames={2: "4-9"}, tasks={0: "push"}),
        SourceConfig(root=folder / "other", episodes=[2], task="pull"),
    ]
    labelled: dict[str, Any] = {"annotations": folder / "labels.txt", "next_success": True}
    merge(MergeConfig(sources=sources, new_root=folder / "merged", new_repo_id="me/merged", **labelled))
    again = [SourceConfig(root=folder / "merged"), SourceConfig(root=folder / "merged", episodes="0")]
    merge(MergeConfig(sources=again, new_root=folder / "kept"))
    column: dict[str, Any] = {"labels_from": "next.reward", "labels_threshold": 0.5, "done": "first_success"}
    relabel(RelabelConfig(root=folder / "merged", new_root=folder / "relabelled", **column))
    call = ["--root", str(folder / "recorded"), "--new_root", str(folder / "edited")]
    assert edit_command.main([*call, "--operation.type=delete", "--operation.episode_indices=[0]"]) == 0
    return folder


RANGES = {"marked": [[2, 4]], "success": [[2, 5], [11, 12]]}
KEY = {
    "action": "toggle",
    "frame_index": 4,
    "time_s": 0.41,
    "from_frame": 2,
    "success": True,
    "changed": True,
}
ENTRY = {
    "length": 12,
    "recorded_at": "2026-01-31T12:00:00+0100",
    "lag_frames": 2,
    "keys": [KEY, {**KEY, "frame_index": 6, "from_frame": 4, "success": False}],
    **RANGES,
    "edited": True,
    "pauses": [[3, 1.5]],
    "trimmed": [4, 0],
    "timing": {
        "mean_period_ms": 100.0,
        "p99_period_ms": 101.5,
        "max_period_ms": 102.0,
        "late_frames": 0,
        "dropped_frames": 1,
        "rate": 0.95,
        "slow": False,
    },
    "hooks": {"gripper_events": {"mean_ms": 0.1, "max_ms": 0.2, "late_frames": 0, "suggestion": [[2, 5]]}},
}
RECORDED = {
    "format": 1,
    "index_base": 0,
    "labels": {
        "alignment": "frame",
        "done": "episode_end",
        "success_value": 1.0,
        "failure_value": 0.0,
        "next_success": False,
    },
    "environment": {"action_space": "joints", "state": ["joint positions"]},
    "edits": [{"do": "insert", "episode": 1, "by": 2}],
    "episodes": {str(number): ENTRY for number in range(3)},
}


@pytest.mark.parametrize("name", ["merged", "kept", "relabelled", "edited"])
def test_what_merge_relabel_and_edit_write(name: str, made: Path) -> None:
    content = read(made / name / layout.PROVENANCE_PATH)
    assert content["operation"] == {"relabelled": "relabel", "edited": "edit"}.get(name, "merge")
    noted = read(made / name / layout.RECORDING_PATH)
    assert len(noted["episodes"]) == {"kept": 3}.get(name, 2)
    if name == "merged":
        assert {"from_frame", "success"} <= content["episodes"][1].keys()
        assert noted["episodes"]["1"]["part_of"] == {"start": 3, "stop": 9, "length": 12}
    if name == "kept":
        assert "first" in content["episodes"][0]


@pytest.mark.parametrize("name", ["merged", "kept", "relabelled", "edited"])
def test_the_provenance_that_the_schema_allows_is_read(name: str, made: Path) -> None:
    content = read(made / name / layout.PROVENANCE_PATH)
    changed = list(variants(content, "grasp_provenance"))
    assert len(changed) > 10
    for each in changed:
        assert "later version" in str(each) or violation(each, "grasp_provenance") is None
        provenance = Provenance.of(each)
        assert provenance.problems == []
        assert len(provenance.episodes) == len(content["episodes"])


def test_the_recording_that_the_schema_allows_is_read(tmp_path: Path) -> None:
    root = write_legacy(tmp_path / "set", Legacy(lengths=(12, 12, 12), labels=True, cameras=()))
    assert violation(RECORDED, "grasp_recording") is None
    changed = list(variants(RECORDED, "grasp_recording"))
    assert len(changed) > 80
    for each in changed:
        is_later = "later version" in str(each)
        assert is_later or violation(each, "grasp_recording") is None
        (root / layout.RECORDING_PATH).write_text(json.dumps(each))
        sidecar = read_recording(root)
        assert sidecar is not None
        assert (sidecar.problems, sidecar.is_whole) == ((), True)
        assert Edits.from_sidecar(sidecar.raw).order(3) in ([0, 1, 2], [0, 2, 1])
        parts = {
            number: cut_recording(entry, Part(0, 2, 6), 10) for number, entry in sidecar.episodes.items()
        }
        assert is_later or violation({**each, "episodes": parts}, "grasp_recording") is None
    codes = [problem.code for problem in verify_dataset(root, level="meta").problems]
    assert "bad-sidecar" not in codes


def test_the_learning_sidecar_that_the_schema_allows_is_read(tmp_path: Path) -> None:
    (tmp_path / "meta").mkdir()
    (tmp_path / layout.INFO_PATH).write_text("{}")
    crops = {"observation.images.wrist": (0, 8, 64, 64)}
    splits = EpisodeSplits(3, {"train": (0, 2), "val": (1,)})
    whole = LearningSidecar(ImagePreprocessing(crops, (32, 32)), splits)
    for sidecar in (LearningSidecar(), whole):
        write_learning(tmp_path, sidecar, replace=True)
        content = read(tmp_path / layout.LEARNING_PATH)
        for each in variants(content, "grasp_learning"):
            assert "later version" in str(each) or violation(each, "grasp_learning") is None
            (tmp_path / layout.LEARNING_PATH).write_text(json.dumps(each))
            assert read_learning(tmp_path) is not None


# -- files of commands ----------------------------------------------------------------------------


def test_the_index_of_extracted_frames(recorded: Callable[[str], Path], tmp_path: Path) -> None:
    for crop in (None, "0,8,32,32"):
        config = FramesConfig(root=recorded("av1"), episodes=[1], output_dir=tmp_path, stride=2, crop=crop)
        extract_frames(config)
        (path,) = tmp_path.rglob("index.json")
        assert [frame["number"] for frame in read(path, "frames_index")["frames"]] == [1, 3, 5]


def test_the_record_of_a_draft(tmp_path: Path) -> None:
    proposals = {
        0: Proposal(IntervalSet.of_pairs([[1, 2]]), "above 0.5", 0.9, np.array([0.1, 0.8]), {"model": "x"}),
        1: Proposal(None, "no signal"),
    }
    text = record_text(proposals, "progress, enter=0.9")
    assert text is not None
    assert violation(json.loads(text), "proposals") is None


def test_the_truth_of_an_episode(tmp_path: Path) -> None:
    frames = [Truth(held=True, lifted=False, cube=(0.2, 0.0, 0.01))]
    path = EpisodeTruth(7, 9, frames).write(tmp_path)
    assert read(path, "truth")["episode_index"] == 7


def test_evaluations_with_and_without_labels() -> None:
    probability = np.array([0.25, 0.75], dtype=np.float32)
    head = {"encoder": "a small one", "warnings": [], "trained_on": [], "disagreements": {"3": 1}}
    for label in (None, np.array([False, True]), np.array([True, True])):
        found = Evaluation([EpisodeVerdict(3, "me/set", probability, label)], ())
        report = {**head, "image_preprocessing": {}, "evaluation": found.to_json(0.5)}
        assert violation(report, "classifier_report") is None
