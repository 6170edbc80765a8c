"""Writes the truth of a simulated recording as an annotation file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from lerobot_grasp_plugin.core.annotations import Annotations, AnnotationSection, EpisodeAnnotation
from lerobot_grasp_plugin.core.choices import Truth
from lerobot_grasp_plugin.core.grammar import format_text
from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.sim.truth import EpisodeTruth


def truth_annotations(dataset: str, episodes: Mapping[int, EpisodeTruth], what: Truth) -> str:
    """The text of an annotation file, 1-indexed.

    Args:
        dataset: The header's name of the dataset.
        episodes: The truth by ``episode_index`` (0-based).
        what: What counts as success: ``held`` by both jaws, ``lifted`` from the table by more than 1 cm, or
            ``grasped``, which is both.
    """
    annotated = []
    for number, episode in sorted(episodes.items()):
        mask = np.array([getattr(frame, what) for frame in episode.frames], dtype=bool)
        ranges = [
            FrameInterval(interval.start, None) if interval.stop == len(mask) else interval
            for interval in IntervalSet.from_mask(mask)
        ]
        annotated.append(EpisodeAnnotation(number, tuple(ranges)))
    before = (f"# Success is what the simulation calls {what}, frame by frame.", "")
    return format_text(
        Annotations((AnnotationSection(dataset, tuple(annotated), before=before),), 1, "truth")
    )


def differences(
    dataset: str, lengths: Sequence[int], folder: Path, episodes: Mapping[int, EpisodeTruth]
) -> Iterator[Problem]:
    """Finds episodes for which a truth does not match a dataset.

    Args:
        dataset: The dataset's folder.
        lengths: Frames of each of its episodes.
        folder: Where the truth is.
        episodes: The truth by ``episode_index`` (0-based).
    """
    for number in sorted({*range(len(lengths)), *episodes}):
        if number not in episodes:
            message = f"the truth of episode {number} of {dataset} is missing"
        elif number >= len(lengths):
            message = f"episode {number} is not in {dataset}, which has {len(lengths)} episodes"
        elif len(episodes[number].frames) != lengths[number]:
            found = len(episodes[number].frames)
            message = f"episode {number} has {found} frames here, but {lengths[number]} in {dataset}"
        else:
            continue
        yield Problem("truth-differs", message, folder, "give another folder with --truth_dir")
