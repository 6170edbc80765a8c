"""Reads the data of a reward classifier: images and labels, episode by episode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lerobot.configs.default import DatasetConfig
from lerobot.datasets import LeRobotDatasetMetadata
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.labels import LabelValues
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.provenance import read_provenance
from lerobot_grasp_plugin.dataset.recorded_success import rule_of_folder
from lerobot_grasp_plugin.findings.problem import DatasetError, GraspError, Place, Problem, UsageError
from lerobot_grasp_plugin.findings.words import count
from lerobot_grasp_plugin.learning.classifier.options import check_dataset
from lerobot_grasp_plugin.learning.data.dataset import GraspDataset
from lerobot_grasp_plugin.learning.data.on_disk import what_is_wrong
from lerobot_grasp_plugin.learning.data.preprocessing import ImagePreprocessing

_CACHE_BYTES = 2**30  # images are read once, in order: a few episodes are enough


@dataclass(frozen=True)
class LabelledEpisode:
    """An episode of a ``ClassifierData``.

    Attributes:
        episode_index: LeRobot's ``episode_index``, 0-based.
        source: The dataset it came from.
        rows: First and last + 1 of its rows in the dataset as loaded.
        label: Whether each frame is a success, shape (length,); None without labels.
    """

    episode_index: int
    source: str
    rows: tuple[int, int]
    label: NDArray[np.bool_] | None

    @property
    def length(self) -> int:
        """Frames."""
        return self.rows[1] - self.rows[0]


@dataclass(frozen=True)
class ClassifierData:
    """An open dataset.

    Attributes:
        dataset: The dataset.
        preprocessing: Of its images; ``images`` applies it.
        episodes: Those chosen, by ascending ``episode_index``.
    """

    dataset: GraspDataset
    preprocessing: ImagePreprocessing
    episodes: Sequence[LabelledEpisode]

    def part(self, episodes: Sequence[int]) -> list[LabelledEpisode]:
        """Those of the episodes that have one of these indices."""
        chosen = set(episodes)
        return [episode for episode in self.episodes if episode.episode_index in chosen]

    def images(self, episode: LabelledEpisode, cameras: Sequence[str]) -> Iterator[dict[str, torch.Tensor]]:
        """An episode's images in order, a block of frames at a time.

        Yields:
            camera_key -> float32 in [0, 1], shape (block, 3, H, W).
        """
        first, stop = episode.rows
        for start in range(first, stop, 64):
            items = [self.dataset[row] for row in range(start, min(stop, start + 64))]
            yield {camera: torch.stack([item[camera] for item in items]) for camera in cameras}


def open_metadata(config: DatasetConfig) -> LeRobotDatasetMetadata:
    """LeRobot's metadata of a dataset, downloaded from the Hub if it is not on this machine.

    Raises:
        UsageError: The dataset does not exist.
        DatasetError: LeRobot cannot open it.
    """
    root = None if config.root is None else Path(config.root).expanduser()
    if config.revision is None:
        check_dataset(config.repo_id, root)
    try:
        return LeRobotDatasetMetadata(config.repo_id, root=root, revision=config.revision)
    except Exception as error:  # LeRobot and the Hub's client raise classes of many trees
        raise _unopened(config, error) from error


def color_cameras(meta: LeRobotDatasetMetadata) -> list[str]:
    """The cameras that a classifier can use."""
    return [key for key in meta.camera_keys if key not in meta.depth_keys and "image" in key]


def open_data(
    config: DatasetConfig,
    meta: LeRobotDatasetMetadata,
    preprocessing: ImagePreprocessing,
    label_options: Mapping[str, Any],
    episodes: Sequence[int] | None,
) -> ClassifierData:
    """Opens a dataset; images are decoded on request.

    Args:
        config: LeRobot's ``dataset`` block.
        meta: The result of ``open_metadata``.
        preprocessing: Of its images.
        label_options: ``annotations`` and what goes with it, for ``GraspDataset``; empty for its labels.
        episodes: By ``episode_index``; None for all. Those of ``dataset.exclude_episodes`` are left out.

    Raises:
        GraspError: With all errors of the labels, the crop and the dataset.
    """
    excluded = getattr(config, "exclude_episodes", None) or ()  # LeRobot has it from 0.6.2 on
    wrong = sorted({*(episodes or ()), *excluded} - set(range(meta.total_episodes)))
    if wrong:
        hint = f"it has {count(meta.total_episodes, 'episode')}, 0 to {meta.total_episodes - 1}"
        raise UsageError(Problem("unknown-episode", f"episode {wrong[0]} does not exist", meta.root, hint))
    if excluded:
        named = range(meta.total_episodes) if episodes is None else episodes
        episodes = [episode for episode in named if episode not in set(excluded)]
    if episodes is not None and not episodes:
        message = (
            "no episodes are chosen" if not excluded else "dataset.exclude_episodes excludes all episodes"
        )
        hint = "remove dataset.episodes to use all of them, or exclude fewer"
        raise UsageError(Problem("empty-selection", message, meta.root, hint))
    try:
        dataset = GraspDataset(
            config.repo_id,
            meta.root,
            episodes=None if episodes is None else sorted(episodes),
            revision=config.revision,
            video_backend=config.video_backend,
            preprocessing=preprocessing,
            cache_frames=True,
            **label_options,
        )
    except GraspError:
        raise
    except Exception as error:  # as above
        problems = what_is_wrong(config.repo_id, meta.root, episodes)
        raise (DatasetError(problems) if problems else _unopened(config, error)) from error
    dataset.reader.cache.max_bytes = _CACHE_BYTES
    return ClassifierData(dataset, preprocessing, tuple(_episodes(dataset)))


def label_warnings(root: Path, labelled_here: bool) -> list[Problem]:
    """Warnings about a dataset's labels, and a note on how its rewards become labels."""
    if labelled_here:
        return []
    found = []
    if read_provenance(root).labels.get("alignment") == "next":
        message = "the labels were made with alignment `next`: row t has the label of image t + 1"
        hint = "a classifier uses image t; give --annotations, or relabel with --alignment frame"
        found.append(Problem("labels-of-next-frame", message, root, hint))
    rule = rule_of_folder(root)
    if rule is not None and rule.basis == "next.success":
        message = "the labels are those of next.success; next.reward does not mark success frames"
        found.append(Problem("labels-mapped", message, root))
    elif rule is not None and rule.rewrites(LabelValues(1.0, 0.0)):
        known = [f"{value:g}" for value in (rule.success_value, rule.failure_value) if value is not None]
        message = f"the rewards {' and '.join(known)} become the labels 1 (success) and 0 (failure)"
        found.append(Problem("labels-mapped", message, root))
    return found


def _episodes(dataset: GraspDataset) -> Iterator[LabelledEpisode]:
    rows = dataset.reader.hf_dataset.with_format("numpy")
    repo_id = str(dataset.repo_id)
    sources = read_provenance(Path(dataset.root)).sources_of_episodes()
    episode_index = np.asarray(rows[layout.EPISODE_INDEX]).reshape(-1)
    labels = dataset.success_rows()
    for index in np.unique(episode_index).tolist():
        where = np.flatnonzero(episode_index == index)
        first, stop = int(where[0]), int(where[-1]) + 1
        if stop - first != len(where):
            message = f"the rows of episode {index} are not contiguous"
            raise DatasetError(Problem("rows-apart", message, dataset.root))
        source = sources.get(index, repo_id)
        yield LabelledEpisode(index, source, (first, stop), None if labels is None else labels[first:stop])


def content_hashes(root: Path) -> dict[int, str]:
    """``content_sha256`` of each episode, by ``episode_index``; empty without a sidecar."""
    return read_provenance(root).hashes_of_episodes()


def _unopened(config: DatasetConfig, error: Exception) -> DatasetError:
    said = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    hint = "convert a dataset of an older format to v3.0 with lerobot-grasp-relabel"
    message = f"LeRobot cannot open the dataset: {said}"
    return DatasetError(Problem("not-opened", message, Place(str(config.root or config.repo_id)), hint))
