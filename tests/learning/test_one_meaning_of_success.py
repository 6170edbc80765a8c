"""Rewards of 0 and -1, 1 and 0, 10 and -0.05: every command finds the same success frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from lerobot.configs.default import DatasetConfig

from lerobot_grasp_plugin import MergeConfig, RelabelConfig, SourceConfig, merge, open_dataset, relabel
from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.dataset.recorded_success import read_rule
from lerobot_grasp_plugin.frames.config import FramesConfig
from lerobot_grasp_plugin.frames.extract import extract_frames
from lerobot_grasp_plugin.learning.classifier.data import LabelledEpisode, open_data, open_metadata
from lerobot_grasp_plugin.learning.data.dataset import GraspDataset
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing
from lerobot_grasp_plugin.learning.data.recorded_labels import RecordedLabels
from lerobot_grasp_plugin.learning.data.splits import class_weights
from lerobot_grasp_plugin.merging.recipe import LabelOptions
from lerobot_grasp_plugin.preflight.config_view import ConfigView
from lerobot_grasp_plugin.preflight.dataset_facts import load_datasets
from lerobot_grasp_plugin.review.signals import signals
from tests.support.factories import RECORDINGS, data_table
from tests.support.verifying import DATA, change_column, findings

type Recorded = Callable[[str], Path]

VALUES = {"0/-1": (0.0, -1.0), "1/0": (1.0, 0.0), "10/-0.05": (10.0, -0.05)}
LENGTHS = RECORDINGS["av1"].lengths
SUCCESS = {episode: list(RECORDINGS["av1"].rewards.get(episode, ())) for episode in range(len(LENGTHS))}
FRAMES = sum(map(len, SUCCESS.values()))
TEXT = "# index_base: 0\n" + "".join(
    f"{episode}: {', '.join(map(str, frames)) or 'all fail'}\n" for episode, frames in SUCCESS.items()
)


@pytest.fixture(params=VALUES)
def values(request: pytest.FixtureRequest) -> tuple[float, float]:
    return VALUES[request.param]


@pytest.fixture(params=["another tool", "relabel"])
def root(
    request: pytest.FixtureRequest, values: tuple[float, float], copied: Recorded, tmp_path: Path
) -> Path:
    """av1 with these rewards, with a sidecar that states them and without one."""
    if request.param == "another tool":
        root = copied("av1")
        change_column(root, DATA, "next.reward", lambda old: [values[0] if x else values[1] for x in old])
        return root
    labels, root = tmp_path / "labels.txt", tmp_path / "relabelled/av1"
    labels.write_text(TEXT)
    relabel(
        RelabelConfig(
            root=copied("av1"),
            annotations=labels,
            new_root=root,
            success_value=values[0],
            failure_value=values[1],
        )
    )
    return root


def frames_of(rows: np.ndarray) -> dict[int, list[int]]:
    """Success frames of each episode of rows that stand one episode after the other."""
    assert rows.dtype == np.bool_
    parts = np.split(rows, np.cumsum(LENGTHS)[:-1])
    return {episode: np.flatnonzero(part).tolist() for episode, part in enumerate(parts)}


def rewards_of(root: Path) -> np.ndarray:
    return data_table(root)["next.reward"].to_numpy()


def balance(root: Path) -> str:
    return next(p.message for p in findings(root, notes=True) if p.code == "class-balance")


WHOLE = f"success in {FRAMES} of 35 frames (17.1 %), in 4 of 5 episodes"


def test_verify(root: Path) -> None:
    assert balance(root) == WHOLE
    assert {p.code for p in findings(root)} <= {"stale-label-statistics", "short-episode"}


@pytest.mark.parametrize("unlisted", ["keep", "labels_from"])
def test_relabel(unlisted: str, root: Path, tmp_path: Path) -> None:
    few = tmp_path / "few.txt"
    few.write_text("".join(TEXT.splitlines(keepends=True)[:2]))
    options = {"labels_from": "next.reward"} if unlisted == "labels_from" else {"unlisted": "keep"}
    report = relabel(RelabelConfig(root=root, annotations=few, new_root=tmp_path / "out", **options))
    assert report.success_frames == FRAMES
    assert report.warnings == ()
    assert frames_of(rewards_of(tmp_path / "out") == 1) == SUCCESS
    assert set(rewards_of(tmp_path / "out")) == {0, 1}
    assert balance(tmp_path / "out") == WHOLE


def test_merge(root: Path, values: tuple[float, float], tmp_path: Path) -> None:
    sources = [SourceConfig(root=root), SourceConfig(root=root, episodes=[4])]
    report = merge(MergeConfig(sources=sources, new_root=tmp_path / "out"))
    assert [source.success_frames for source in report.sources] == [FRAMES, len(SUCCESS[4])]
    assert {problem.code for problem in report.warnings} - {"stale-label-statistics"} == {
        "episode-chosen-twice"
    }
    assert set(rewards_of(tmp_path / "out")) == {np.float32(value) for value in values}
    assert f"success in {FRAMES + 1} of 43 frames" in balance(tmp_path / "out")


def test_merge_of_success_alone_is_success(
    values: tuple[float, float], copied: Recorded, tmp_path: Path
) -> None:
    """Which reward is success is still known when no failure is left to compare it with."""
    root = copied("av1")
    change_column(root, DATA, "next.reward", lambda old: [values[at >= LENGTHS[0]] for at in range(len(old))])
    report = merge(MergeConfig(sources=[SourceConfig(root=root, episodes=[0])], new_root=tmp_path / "out"))
    assert report.success_frames == LENGTHS[0]
    assert read_rule(open_dataset(None, tmp_path / "out")).success_value == np.float32(values[0])


def test_contact_sheets(root: Path, recorded: Recorded, tmp_path: Path) -> None:
    """The sheets are those of the recording, whose rewards are 1 and 0."""
    sheets = {}
    for name, dataset in (("these", root), ("plain", recorded("av1"))):
        config = FramesConfig(root=dataset, output_dir=tmp_path / name, contact_sheet=True, episodes=[0, 3])
        paths = extract_frames(config).sheets
        sheets[name] = [path.read_bytes() for path in paths]
    assert len(sheets["these"]) == 2
    assert sheets["these"] == sheets["plain"]


def test_review(root: Path) -> None:
    reader = open_dataset(None, root)
    for episode, frames in SUCCESS.items():
        curves = signals(reader, episode, read_rule(reader))["curves"]
        [recorded] = [curve for curve in curves if curve["group"] == "reward"]
        assert recorded["name"] == "recorded success"
        assert [frame for frame, value in enumerate(recorded["values"]) if value] == frames


@pytest.mark.parametrize("episodes", [None, [2, 3]])
def test_grasp_dataset(episodes: list[int] | None, root: Path, values: tuple[float, float]) -> None:
    dataset = GraspDataset("me/av1", root, episodes=episodes)
    rows = dataset.success_rows()
    assert rows is not None
    wanted = [frame in SUCCESS[e] for e in episodes or range(5) for frame in range(LENGTHS[e])]
    assert rows.tolist() == wanted
    where = wanted.index(True)
    assert dataset[where]["next.reward"] == np.float32(values[0])  # items stay LeRobot's


def test_grasp_dataset_with_annotations(
    values: tuple[float, float], recorded: Recorded, annotated: Callable[[str], Path]
) -> None:
    dataset = GraspDataset(
        "me/av1",
        recorded("av1"),
        annotations=annotated(TEXT),
        success_value=values[0],
        failure_value=values[1],
    )
    rows = dataset.success_rows()
    assert rows is not None
    assert frames_of(rows) == SUCCESS


def classifier_episodes(root: Path) -> Iterator[LabelledEpisode]:
    config = DatasetConfig("me/av1", root=str(root))
    data = open_data(config, open_metadata(config), ImagePreprocessing({}, (32, 32)), {}, None)
    yield from data.episodes


def test_classifier(root: Path) -> None:
    """Training weighs and evaluation judges by these labels."""
    episodes = list(classifier_episodes(root))
    labels = np.concatenate([episode.label for episode in episodes])
    assert frames_of(labels) == SUCCESS
    assert class_weights(labels).tolist() == pytest.approx([35 / 2 / (35 - FRAMES), 35 / 2 / FRAMES])
    for episode in episodes:
        assert np.flatnonzero(episode.label).tolist() == list(SUCCESS[episode.episode_index])


def test_weights_of_rewards(root: Path) -> None:
    assert class_weights(rewards_of(root)).tolist() == pytest.approx(
        [35 / 2 / (35 - FRAMES), 35 / 2 / FRAMES]
    )


@pytest.mark.parametrize("chosen", [None, [3]])
def test_preflight(chosen: list[int] | None, root: Path) -> None:
    config: Mapping[str, object] = {"dataset": {"repo_id": "me/av1", "root": str(root), "episodes": chosen}}
    [facts], found = load_datasets(ConfigView(Path("config.json"), config), built=False)
    assert found == []
    assert facts.success is not None
    wanted = [frame in SUCCESS[e] for e in chosen or range(5) for frame in range(LENGTHS[e])]
    assert facts.success.tolist() == wanted


def test_preflight_with_annotations(root: Path, tmp_path: Path) -> None:
    """What no annotation names keeps its success frames, in the values of the config."""
    few = tmp_path / "few.txt"
    few.write_text("".join(TEXT.splitlines(keepends=True)[:2]))
    block = {"repo_id": "me/av1", "root": str(root), "annotations": str(few), "unlisted": "keep"}
    [facts], found = load_datasets(
        ConfigView(Path("config.json"), {"dataset": {**block, "alignment": "frame"}}), built=False
    )
    assert found == []
    assert facts.success is not None
    assert frames_of(facts.success) == SUCCESS


def test_preflight_with_a_label_column(root: Path) -> None:
    block = {"repo_id": "me/av1", "root": str(root), "labels_from": "next.reward", "alignment": "frame"}
    [facts], found = load_datasets(ConfigView(Path("config.json"), {"dataset": block}), built=True)
    assert found == []
    assert facts.success is not None
    assert frames_of(facts.success) == SUCCESS
    assert set(np.unique(facts.columns["next.reward"])) == {0, 1}


def test_recording(values: tuple[float, float]) -> None:
    """Frames that come with a reward of their own are success by the values of the recording."""
    recorded = RecordedLabels(
        LabelOptions(success_value=values[0], failure_value=values[1]),
        {"next.reward": {"dtype": "float32"}, "next.done": {"dtype": "bool"}},
    )
    for success in (False, True, True):
        recorded.added({"next.reward": np.array([values[0] if success else values[1]], np.float32)})
    assert recorded.success == IntervalSet.from_mask(np.array([False, True, True]))
