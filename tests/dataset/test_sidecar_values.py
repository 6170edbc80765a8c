"""Sidecars that say how labels were made, damaged ones included."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.core.labels import LabelValues
from lerobot_grasp_plugin.dataset.provenance import (
    Provenance,
    ProvenanceEpisode,
    ProvenanceSource,
    read_provenance,
    stored_values,
)
from lerobot_grasp_plugin.dataset.recording import read_recording

PROVENANCE, RECORDING = "meta/grasp_provenance.json", "meta/grasp_recording.json"


def written(root: Path, path: str, content: object) -> Path:
    (root / "meta").mkdir(exist_ok=True)
    (root / path).write_text(content if isinstance(content, str) else json.dumps(content))
    return root


def test_what_a_sidecar_says(tmp_path: Path) -> None:
    raw = {
        "labels": {"success_value": 0, "failure_value": -1, "done": None},
        "sources": [{"repo_id": "me/a", "done": "keep"}, {"repo_id": "me/b", "done": "keep"}],
        "episodes": [
            {"episode_index": 0, "source": 1, "content_sha256": "x"},
            {"episode_index": 1, "source": 0},
        ],
    }
    said = read_provenance(written(tmp_path, PROVENANCE, raw))
    assert (said.values, said.done, said.names) == (LabelValues(0, -1), "keep", ["me/a", "me/b"])
    assert said.sources_of_episodes() == {0: "me/b", 1: "me/a"}
    assert said.hashes_of_episodes() == {0: "x"}
    assert stored_values(tmp_path) == LabelValues(0, -1)


@pytest.mark.parametrize(
    "raw",
    [
        *("", "[]", "null", "{", '{"labels": 3, "sources": 7, "episodes": {}}', "\udcff"),
        '{"labels": {"success_value": 1}}',
        '{"labels": {"success_value": true, "failure_value": false}}',
        '{"labels": {"success_value": "1", "failure_value": 0}}',
        '{"labels": {"success_value": 1, "failure_value": 1.00000001}}',
        '{"labels": {"success_value": NaN, "failure_value": 0}}',
        '{"labels": {"success_value": 1e400, "failure_value": 0}}',
        '{"sources": [3, null, {"repo_id": 7}], "episodes": [4, {"episode_index": "0"}]}',
    ],
)
def test_damage_says_nothing(raw: str, tmp_path: Path) -> None:
    (tmp_path / "meta").mkdir()
    (tmp_path / PROVENANCE).write_bytes(raw.encode("utf-8", "surrogateescape"))
    said = read_provenance(tmp_path)
    assert (said.values, stored_values(tmp_path)) == (None, None)
    assert said.sources_of_episodes() == said.hashes_of_episodes() == {}


def test_damage_of_one_part_leaves_the_others() -> None:
    said = Provenance.of({"labels": {"success_value": 2, "failure_value": 0}, "episodes": "none"})
    assert said.values == LabelValues(2, 0)


def test_a_recording_says_it_too(tmp_path: Path) -> None:
    assert stored_values(tmp_path) is None
    written(tmp_path, RECORDING, {"labels": {"success_value": 0, "failure_value": -1}})
    assert stored_values(tmp_path) == LabelValues(0, -1)
    written(tmp_path, PROVENANCE, {"labels": {"success_value": 3, "failure_value": 0}})
    assert stored_values(tmp_path) == LabelValues(3, 0)


def test_all_that_is_wrong_with_it_is_named_at_once() -> None:
    raw = {
        "labels": {"success_value": 1, "failure_value": 1},
        "sources": [{"done": ["x"]}, 3],
        "episodes": [
            {"episode_index": 0, "source": 2, "length": 1.5},
            {"episode_index": 0},
            {"episode_index": 1, "length": 4, "success": [[2, 5]], "content_sha256": 7},
        ],
    }
    problems = Provenance.of(raw).problems
    assert [problem.place.field for problem in problems] == [
        *("labels", "sources[0].repo_id", "sources[0].done", "sources[1]"),
        *("episodes[0].source", "episodes[0].length", "episodes[1].episode_index"),
        *("episodes[2].content_sha256", "episodes[2].success"),
    ]
    assert {(problem.code, problem.severity) for problem in problems} == {("bad-sidecar", "warning")}


@pytest.mark.parametrize("stated", [2, "1", None])
def test_a_sidecar_of_another_format_is_not_read(stated: object, tmp_path: Path) -> None:
    labels = {"success_value": 3, "failure_value": 0}
    for path in (PROVENANCE, RECORDING):
        content = {"format": stated, "labels": labels, "sources": [], "episodes": {}}
        written(tmp_path, path, content)
    (problem,) = read_provenance(tmp_path).problems
    assert (problem.code, problem.place.field) == ("bad-sidecar", "format")
    recording = read_recording(tmp_path)
    assert recording is not None
    assert [problem.code for problem in recording.problems] == ["bad-sidecar"]
    assert (recording.is_whole, stored_values(tmp_path)) == (False, None)


def test_entries_that_were_written_are_read_as_they_were() -> None:
    source = ProvenanceSource(
        repo_id="me/a", root="/a", rename={"x": "y"}, done="keep", derived={"actions": 1}
    )
    episode = ProvenanceEpisode(
        source=0, source_episode=4, length=9, content_sha256="ab", success=IntervalSet.of_pairs([[1, 3]])
    )
    said = Provenance.of({"sources": [source.to_json()], "episodes": [episode.to_json(2)]})
    assert (said.sources, said.episodes, said.problems) == ((source,), {2: episode}, [])
    assert said.origin(2) == (Path("/a"), 4)
