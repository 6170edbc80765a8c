"""The sidecar: where everything came from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from lerobot_grasp_plugin import MergeConfig, RelabelConfig, SourceConfig, merge, relabel
from tests.support.factories import RECORDINGS, read_info

type Recorded = Callable[[str], Path]


def sidecar(root: Path) -> dict:
    return json.loads((root / "meta/grasp_provenance.json").read_text())


def test_sidecar_of_a_labelled_merge(recorded: Recorded, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("# av1\n0: 3-4, 6-\n3: all fail\n4: 1\n# av1-other\n2: 5\n")
    merge(
        MergeConfig(
            sources=[
                SourceConfig(root=recorded("av1"), episodes="3, 0"),
                SourceConfig(root=recorded("av1-other"), episodes=[2], task="push"),
            ],
            annotations=labels,
            new_root=tmp_path / "out",
            robot_type="so_follower",
            done="first_success",
            success_value=2,
        )
    )
    content = sidecar(tmp_path / "out")
    assert content["operation"] == "merge"
    assert content["tool"]["name"] == "lerobot_grasp_plugin"
    assert content["labels"]["done"] == "first_success"
    assert content["labels"]["success_value"] == 2
    assert content["labels"]["columns"] == ["next.reward", "next.done"]
    assert [source["done"] for source in content["sources"]] == ["first_success"] * 2
    assert content["sources"][0]["root"] == str(recorded("av1"))
    assert content["sources"][0]["episodes"] == "3, 0"
    assert content["sources"][1]["task"] == "push"
    assert content["timestamps_fixed"] == []
    assert [
        (e["episode_index"], e["source"], e["source_episode"], e["length"], e["success"])
        for e in content["episodes"]
    ] == [(0, 0, 3, 6, []), (1, 0, 0, 7, [[2, 4], [5, 7]]), (2, 1, 2, 5, [[4, 5]])]


def test_a_merge_of_labelled_sets_knows_how_they_were_labelled(recorded: Recorded, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("".join(f"{episode}: 1\n" for episode in range(5)))
    for name in ("one", "two"):
        relabel(
            RelabelConfig(
                root=recorded("av1"),
                annotations=labels,
                new_root=tmp_path / name,
                alignment="next",
                success_value=3,
                done="first_success",
            )
        )
    sources = [SourceConfig(root=tmp_path / name) for name in ("one", "two")]
    report = merge(MergeConfig(sources=sources, new_root=tmp_path / "out"))
    content = sidecar(tmp_path / "out")
    assert (content["labels"]["alignment"], content["labels"]["success_value"]) == ("next", 3)
    assert [source["done"] for source in content["sources"]] == ["first_success"] * 2
    assert report.success_frames == 0  # the first frame alone, and no row before it
    assert [problem.code for problem in report.warnings] == ["duplicate-episode"]


def test_content_hash_is_of_the_content(recorded: Recorded, tmp_path: Path) -> None:
    """The same for an episode wherever it goes and however it is labelled; another for another one."""
    source = recorded("av1")
    labels = tmp_path / "labels.txt"
    labels.write_text("".join(f"{episode}: 1\n" for episode in range(5)))
    merge(MergeConfig(sources=[SourceConfig(root=source, episodes="4, 1")], new_root=tmp_path / "a"))
    merge(MergeConfig(sources=[SourceConfig(root=source)], annotations=labels, new_root=tmp_path / "b"))
    labels.write_text("1: 1\n")
    relabel(RelabelConfig(root=tmp_path / "a", annotations=labels, new_root=tmp_path / "c", unlisted="drop"))
    hashes = {
        name: [episode["content_sha256"] for episode in sidecar(tmp_path / name)["episodes"]]
        for name in "abc"
    }
    assert len(set(hashes["b"])) == 5
    assert hashes["a"] == [hashes["b"][4], hashes["b"][1]]
    assert hashes["c"] == [hashes["b"][1]]


def test_unlabelled_merge_has_no_labels_in_it(recorded: Recorded, tmp_path: Path) -> None:
    merge(MergeConfig(sources=[SourceConfig(root=recorded("unlabelled"))], new_root=tmp_path / "out"))
    content = sidecar(tmp_path / "out")
    assert content["labels"] is None
    assert "done" not in content["sources"][0]
    assert all("success" not in episode for episode in content["episodes"])


def test_the_card(recorded: Recorded, tmp_path: Path) -> None:
    merge(
        MergeConfig(
            sources=[SourceConfig(root=recorded("av1"))],
            new_repo_id="me/grasps",
            new_root=tmp_path / "out",
        )
    )
    card = (tmp_path / "out/README.md").read_text()
    assert card.startswith("---\n")
    assert "- LeRobot" in card
    assert "# grasps" in card
    assert "5 episodes, 35 frames at 10 fps" in card


def test_a_relabelled_output_says_so(recorded: Recorded, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("".join(f"{episode}: 2-\n" for episode in range(5)))
    relabel(RelabelConfig(root=recorded("av1"), annotations=labels, new_root=tmp_path / "out"))
    content = sidecar(tmp_path / "out")
    assert content["operation"] == "relabel"
    assert content["sources"][0]["done"] == "keep"
    wanted = [[[1, length]] for length in RECORDINGS["av1"].lengths]
    assert [episode["success"] for episode in content["episodes"]] == wanted
    assert read_info(tmp_path / "out")["total_frames"] == 35
