"""Stores the true state of each frame of an episode, apart from its labels."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lerobot_grasp_plugin.writers.whole import write_whole

LIFTED = 0.01
"""How far the cube's lowest point must be above the table to count as lifted, metres."""


@dataclass(frozen=True, slots=True)
class Truth:
    """The cube as one observation was made.

    Attributes:
        held: Both jaws press on the cube.
        lifted: The cube's lowest point is more than 1 cm above the table.
        cube: Its centre, metres, from the arm's base.
    """

    held: bool
    lifted: bool
    cube: tuple[float, float, float]

    @property
    def grasped(self) -> bool:
        """Held and lifted: what the label ``success`` claims."""
        return self.held and self.lifted


@dataclass(slots=True)
class EpisodeTruth:
    """The truth of every recorded frame of an episode, in their order.

    Attributes:
        episode_index: The episode in its dataset.
        attempt: Counts the times the cube was laid out, from 0; a re-recorded episode took several.
        frames: One for each row of the episode.
    """

    episode_index: int
    attempt: int
    frames: list[Truth] = field(default_factory=list)

    def write(self, folder: Path) -> Path:
        """Write ``episode_000007.json``, whole or not at all, and return its path."""
        path = folder / f"episode_{self.episode_index:06d}.json"
        content = {
            "episode_index": self.episode_index,
            "attempt": self.attempt,
            "length": len(self.frames),
            "frames": [asdict(truth) for truth in self.frames],
        }
        write_whole(path, (json.dumps(content) + "\n").encode())
        return path


def truth_folder(given: Path | None, root: Path) -> Path:
    """Where the truth of a dataset's episodes is: the folder that was given, else next to the dataset."""
    return given or root.with_name(f"{root.name}_sim_truth")


def read_truth(folder: Path | str) -> dict[int, EpisodeTruth]:
    """The truth next to a dataset, by episode index (0-based).

    Args:
        folder: Where the simulated robot wrote it, ``<dataset root>_sim_truth`` by default.
    """
    episodes = {}
    for path in sorted(Path(folder).glob("episode_*.json")):
        content = json.loads(path.read_text())
        frames = [Truth(one["held"], one["lifted"], tuple(one["cube"])) for one in content["frames"]]
        episodes[content["episode_index"]] = EpisodeTruth(
            content["episode_index"], content["attempt"], frames
        )
    return episodes


def next_attempt(folder: Path, episodes: int) -> int:
    """The number of the attempt after those of a dataset's first ``episodes`` episodes."""
    known = [item.attempt + 1 for number, item in read_truth(folder).items() if number < episodes]
    return max([episodes, *known])
