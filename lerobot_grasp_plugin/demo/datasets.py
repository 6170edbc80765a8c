"""Builds the demo's two datasets from its recordings, and checks them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lerobot_grasp_plugin.core.progress import Progress, silent
from lerobot_grasp_plugin.demo import seed
from lerobot_grasp_plugin.demo.recordings import lerobot_errors
from lerobot_grasp_plugin.findings.problem import Problem, VerificationError
from lerobot_grasp_plugin.merging.merge import merge
from lerobot_grasp_plugin.merging.recipe import MergeConfig, SourceConfig
from lerobot_grasp_plugin.merging.report import MergeReport
from lerobot_grasp_plugin.verify.verifier import verify_dataset


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What LeRobot read from a dataset.

    Attributes:
        rows: Rows whose labels were read.
        success_frames: Of these, rows with reward 1.
        images: Images compared with those of the recordings.
    """

    rows: int
    success_frames: int
    images: int


def recipe(target: seed.Target, output_dir: Path) -> MergeConfig:
    """The merge config of a dataset.

    If every episode is used, the headers of the annotation file name the sources.
    """
    sources = [
        SourceConfig(
            root=output_dir / share.recording.repo_id,
            episodes=None if share.episodes is None else list(share.episodes),
        )
        for share in target.shares
    ]
    everything = all(share.episodes is None for share in target.shares)
    return MergeConfig(
        sources=[] if everything else sources,
        annotations=output_dir / seed.ANNOTATION_FILE,
        new_repo_id=target.repo_id,
        new_root=output_dir / target.repo_id,
    )


def build(target: seed.Target, output_dir: Path, progress: Progress = silent) -> MergeReport:
    """Merges and labels a dataset, and checks its figures.

    Raises:
        GraspError: The merge failed, or a figure is not the expected one.
    """
    report = merge(recipe(target, output_dir), progress)
    differing = list(_differences(target, report))
    if differing:
        raise VerificationError(
            [Problem("wrong-figure", message, target.repo_id) for message in differing]
            + list(report.verification.problems)
        )
    return report


def check_recordings(output_dir: Path) -> None:
    """Checks both recordings as ``lerobot-grasp-verify`` does.

    Raises:
        VerificationError: LeRobot's writer wrote something else than it was given.
    """
    for recording in seed.RECORDINGS:
        report = verify_dataset(output_dir / recording.repo_id, recording.repo_id)
        if not report.ok:
            raise VerificationError(report.problems)


def _differences(target: seed.Target, report: MergeReport) -> Iterator[str]:
    shares = list(zip(target.shares, report.sources, strict=True))
    figures: list[tuple[str, object, object]] = [
        ("episodes", len(report.episodes), target.episodes),
        ("frames", report.frames, target.frames),
        ("success frames", report.success_frames, target.success_frames),
    ]
    for share, source in shares:
        name = share.recording.name
        figures.append((f"frames from {name}", source.frames, share.frames))
        figures.append((f"success frames from {name}", source.success_frames, share.success_frames))
    origin = [(episode.source, episode.source_episode) for episode in report.episodes]
    figures.append(("remapping of episodes", origin, _origin(target)))
    for what, made, expected in figures:
        if made != expected:
            yield f"{what}: made {made}, expected {expected}"
    if not report.verification.ok:
        yield "the verification found errors"


def _origin(target: seed.Target) -> list[tuple[int, int]]:
    """Number of the source, and episode in it, of each output episode."""
    return [(number, episode) for number, share in enumerate(target.shares) for episode in share.chosen]


def read_with_lerobot(target: seed.Target, output_dir: Path, progress: Progress = silent) -> ReadBack:
    """Opens a dataset with LeRobot, and compares it with the annotations and the recordings.

    Reads the labels of every row, and of every episode three whole items: the first, the last, and
    the first success or the middle one.

    Raises:
        VerificationError: Something differs from the expected values.
        DataError: LeRobot cannot read it.
    """
    with lerobot_errors(target.repo_id):
        return _read(target, output_dir, progress)


def _read(target: seed.Target, output_dir: Path, progress: Progress) -> ReadBack:
    dataset = _open(target.repo_id, output_dir)
    recordings = [_open(share.recording.repo_id, output_dir) for share in target.shares]
    masks = [seed.success_masks(share.recording) for share in target.shares]
    problems: list[Problem] = []

    def compare(what: str, made: object, expected: object) -> None:
        if made != expected:
            message = f"{what}: LeRobot reads {made}, expected {expected}"
            problems.append(Problem("wrong-as-read", message, target.repo_id))

    names = ["next.reward", "next.done", "episode_index", "frame_index", "index", "task_index"]
    rows = {
        name: np.asarray(dataset.hf_dataset.with_format("numpy", columns=[name])[:][name]).reshape(-1)
        for name in names
    }
    compare("episodes", dataset.num_episodes, target.episodes)
    compare("frames", dataset.num_frames, target.frames)
    compare("rows", len(rows["index"]), target.frames)
    first, images = 0, 0
    for episode, (source, source_episode) in enumerate(_origin(target)):
        success = masks[source][source_episode]
        length = len(success)
        place = f"episode {episode}"
        here = {name: column[first : first + length].tolist() for name, column in rows.items()}
        compare(f"{place}, next.reward", here["next.reward"], success.astype(float).tolist())
        compare(f"{place}, next.done", here["next.done"], [False] * (length - 1) + [True])
        compare(f"{place}, episode_index", here["episode_index"], [episode] * length)
        compare(f"{place}, frame_index", here["frame_index"], list(range(length)))
        compare(f"{place}, index", here["index"], list(range(first, first + length)))
        source_first = sum(target.shares[source].recording.lengths[:source_episode])
        for frame in _looked_at(success.tolist()):
            item = dataset[first + frame]
            original = recordings[source][source_first + frame]
            where = f"{place}, frame {frame}"
            compare(f"{where}, task", item["task"], original["task"])
            for name in (seed.CAMERA_KEY, "observation.state", "action", "timestamp"):
                same = bool((item[name] == original[name]).all())
                compare(f"{where}, {name} as in the recording", same, True)
            images += 1
        first += length
        progress(f"Reading {target.name} with LeRobot", episode + 1, target.episodes)
    if problems:
        raise VerificationError(problems)
    return ReadBack(len(rows["index"]), int((rows["next.reward"] == 1).sum()), images)


def _open(repo_id: str, output_dir: Path) -> Any:
    from lerobot.datasets import LeRobotDataset

    return LeRobotDataset(repo_id, root=output_dir / repo_id, video_backend="pyav")


def _looked_at(success: Sequence[bool]) -> list[int]:
    middle = success.index(True) if True in success else len(success) // 2
    return sorted({0, middle, len(success) - 1})
