"""Compares two annotation files of one dataset, episode by episode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.core.agreement import (
    Agreement,
    boundary_distance,
    cohens_kappa,
    most_differing,
    share_agreeing,
)
from lerobot_grasp_plugin.core.intervals import IntervalSet
from lerobot_grasp_plugin.findings.gathering import Gathered
from lerobot_grasp_plugin.findings.problem import AnnotationError, Problem
from lerobot_grasp_plugin.labelers.file import read_success
from lerobot_grasp_plugin.merging.annotate import sources_of_headers
from lerobot_grasp_plugin.merging.recipe import SourceConfig
from lerobot_grasp_plugin.merging.sources import Source, open_sources


@dataclass(frozen=True)
class Comparison:
    """Two annotation files on one dataset.

    Attributes:
        repo_id: The dataset's name.
        root: Its folder.
        episodes: The episodes in both files, by ascending ``episode_index``.
        only_listed: By file (first, second), the episodes that only it lists.
    """

    repo_id: str
    root: Path
    episodes: Sequence[Agreement]
    only_listed: tuple[Sequence[int], Sequence[int]]

    @property
    def frames(self) -> int:
        """Frames of the compared episodes."""
        return sum(each.length for each in self.episodes)

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values; ranges are 0-based and half-open, shares 0 to 1."""
        return {
            "repo_id": self.repo_id,
            "root": str(self.root),
            **_figures(self.episodes),
            "only_listed": [list(episodes) for episodes in self.only_listed],
            "look_first": [each.episode_index for each in most_differing(self.episodes)],
            "episodes": [
                {
                    "episode_index": each.episode_index,
                    **_figures([each]),
                    "only_first": each.only_first.pairs(),
                    "only_second": each.only_second.pairs(),
                }
                for each in self.episodes
            ],
        }


def compare_files(
    first: Path, second: Path, dataset: SourceConfig | None, index_base: int | None
) -> list[Comparison]:
    """Compares two annotation files.

    Args:
        first: One annotation file, of any form.
        second: The other.
        dataset: The dataset they label; None for those that the headers of ``first`` name.
        index_base: Index base of a file that does not state one.

    Raises:
        GraspError: With all errors of the files, or of the dataset.
    """
    configs = sources_of_headers(first, index_base) if dataset is None else [dataset]
    comparisons: list[Comparison] = []
    problems = Gathered()
    for source in open_sources(configs, []):
        with problems:
            comparisons.append(_compare(first, second, source, index_base))
    problems.raise_all()
    return comparisons


def _compare(first: Path, second: Path, source: Source, index_base: int | None) -> Comparison:
    sides: list[dict[int, IntervalSet]] = []
    problems = Gathered()
    for path in (first, second):
        with problems:
            sides.append(read_success(path, index_base, source))
    problems.raise_all()
    one, other = sides
    common = sorted(one.keys() & other.keys())
    if not common:
        message = f"no episode of {source.repo_id} is listed in both {first} and {second}"
        raise AnnotationError(Problem("unlisted-episode", message))
    lengths = source.reader.lengths
    episodes = [Agreement(index, int(lengths[index]), one[index], other[index]) for index in common]
    only_listed = (sorted(one.keys() - other.keys()), sorted(other.keys() - one.keys()))
    return Comparison(source.repo_id, source.reader.root, episodes, only_listed)


def _figures(episodes: Sequence[Agreement]) -> dict[str, Any]:
    return {
        "frames": sum(each.length for each in episodes),
        "first_success": sum(each.first.count(each.length) for each in episodes),
        "second_success": sum(each.second.count(each.length) for each in episodes),
        "differing": sum(each.differing for each in episodes),
        "agreement": share_agreeing(episodes),
        "boundary_distance": boundary_distance(episodes),
        "unmatched_boundaries": sum(each.unmatched for each in episodes),
        "kappa": cohens_kappa(episodes),
    }
