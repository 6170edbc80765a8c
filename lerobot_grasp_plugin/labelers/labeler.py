"""The interface of labelers: the episode they get, their proposal, and the registry of types.

A labeler is chosen by name: ``--labeler.type=gripper``. A package adds one by registering a config, and is
named with ``--labeler.discover_packages_path=my_package``::

    @LabelerConfig.register_subclass("my_labeler")
    @dataclass
    class MyLabelerConfig(LabelerConfig):
        threshold: float = 0.5

        def make(self, source: Source) -> Labeler:
            return MyLabeler(self)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import draccus

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lerobot_grasp_plugin.core.intervals import IntervalSet
    from lerobot_grasp_plugin.dataset.info import Feature
    from lerobot_grasp_plugin.merging.sources import Source


class Episode(Protocol):
    """One episode, as a labeler gets it.

    Attributes:
        index: LeRobot's ``episode_index``, 0-based.
        length: Number of frames.
        fps: Frames per second.
        features: The features of the dataset, by name.
    """

    index: int
    length: int
    fps: float
    features: Mapping[str, Feature]

    def values(self, column: str) -> NDArray[Any] | None:
        """A column of the table: shape (length, ...), the column's dtype; None if it does not exist.

        Raises:
            DatasetError: The table cannot be read.
        """

    def images(self, camera_key: str, frames: Sequence[int]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Images of some frames: ``frame_index``, ascending, and height x width x 3, uint8, RGB.

        Raises:
            UsageError: The dataset has no such camera.
            DatasetError: An image is missing or damaged.
        """


@dataclass(frozen=True, eq=False)
class Proposal:
    """A labeler's proposal for an episode: a draft, never a label.

    Attributes:
        success: Success frames, 0-based and half-open; empty for all failure; None if the labeler
            cannot tell success from failure.
        reason: The basis of the proposal, its doubts, or why there is none. One sentence.
        confidence: Share of the frames that the labeler expects to be right, 0 to 1; None without one.
        curve: Probability of success of each frame, 0 to 1, shape (length,); None without one.
        record: Further values to store with the draft, as JSON values.
    """

    success: IntervalSet | None
    reason: str = ""
    confidence: float | None = None
    curve: NDArray[np.floating[Any]] | None = None
    record: Mapping[str, Any] = field(default_factory=dict)


class Labeler(Protocol):
    """Proposes success frames, one episode at a time."""

    def propose(self, episode: Episode) -> Proposal:
        """The proposal for an episode.

        Raises:
            GraspError: The dataset or the settings are wrong.
        """


@dataclass
class LabelerConfig(draccus.ChoiceRegistry, ABC):  # type: ignore[no-untyped-call]  # draccus is not typed
    """Base of the settings of labelers; the registered name is the ``type``."""

    @property
    def type(self) -> str:
        """The registered name."""
        return str(self.get_choice_name(self.__class__))

    @property
    def notice(self) -> str:
        """A notice to show before the labeler starts; empty for none."""
        return ""

    @property
    def has_curve(self) -> bool:
        """Whether its proposals can have a probability curve."""
        return False

    @abstractmethod
    def make(self, source: Source) -> Labeler:
        """The labeler for a dataset.

        Raises:
            GraspError: The settings are wrong, or do not fit the dataset.
        """
