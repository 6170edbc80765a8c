"""What the checks of one dataset share: its metadata, the options, and what reading its tables gave."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from lerobot_grasp_plugin.core.choices import Level
from lerobot_grasp_plugin.core.progress import Progress, silent
from lerobot_grasp_plugin.dataset.provenance import Provenance
from lerobot_grasp_plugin.verify.episode_quantiles import QuantileCheck
from lerobot_grasp_plugin.verify.expected import Expected
from lerobot_grasp_plugin.verify.frozen import Movement
from lerobot_grasp_plugin.verify.image_means import ImageMeans
from lerobot_grasp_plugin.verify.images import ImageCheck
from lerobot_grasp_plugin.verify.indices import IndexCheck
from lerobot_grasp_plugin.verify.overall_quantiles import OverallQuantiles
from lerobot_grasp_plugin.verify.sidecar import read_sidecar
from lerobot_grasp_plugin.verify.statistics import is_policy_column
from lerobot_grasp_plugin.verify.stored_stats import StoredStats, read_stored_stats
from lerobot_grasp_plugin.verify.summaries import Summaries
from lerobot_grasp_plugin.verify.tables import Tables
from lerobot_grasp_plugin.verify.values import FiniteCheck
from lerobot_grasp_plugin.verify.view import View

type Need = Literal["meta", "info", "fps", "features", "tasks", "episodes", "rows", "episode rows", "videos"]
"""What a check reads: ``episode rows`` are rows whose episode is known."""


@dataclass
class Facts:
    """What the checks of one dataset share; row checks that another check reads from are kept here.

    Attributes:
        view: The metadata, and the places of the files.
        level: The requested depth.
        thorough: Whether meaning is checked as well as structure.
        expected: The numbers that a person expects.
        progress: Called with the progress.
        total_rows: Rows in all tables; None until all tables were read whole.
    """

    view: View
    level: Level
    thorough: bool = True
    expected: Expected = field(default_factory=Expected)
    progress: Progress = silent
    total_rows: int | None = None

    @property
    def deep(self) -> bool:
        """Whether videos and images are checked."""
        return self.level in ("video", "decode")

    def has(self, need: Need) -> bool:
        """Whether any of what a check needs is there."""
        view = self.view
        if need == "meta":
            return "meta" not in view.closed
        if need == "info":
            return bool(view.info.raw)
        if need == "fps":
            return view.info.fps is not None
        if need == "features":
            return bool(view.info.features)
        if need == "tasks":
            return view.tasks is not None
        if need == "episodes":
            return view.episodes is not None
        if need == "videos":
            return bool(view.video_keys) and "videos" not in view.closed
        return self.tables.rows > 0

    @cached_property
    def tables(self) -> Tables:
        """The tables, whose rows are read once."""
        return Tables(self.view, self.images)

    @cached_property
    def images(self) -> ImageCheck | None:
        """The check of the images in the tables; None at a level that reads none."""
        if not self.deep or not self.view.info.keys("image"):
            return None
        return ImageCheck(self.view, decode=self.level == "decode")

    @cached_property
    def indices(self) -> IndexCheck:
        """The check of the index columns."""
        return IndexCheck(self.view)

    @cached_property
    def finite(self) -> FiniteCheck:
        """The check for NaN and infinity."""
        return FiniteCheck()

    @cached_property
    def movement(self) -> Movement | None:
        """When the robot moves; None where no images are compared with it."""
        return Movement() if self.thorough and self.level == "decode" and self.view.video_keys else None

    @cached_property
    def means(self) -> ImageMeans | None:
        """The colours of the images by the stored statistics; None if they are not compared."""
        return ImageMeans(self.view) if self.thorough else None

    @cached_property
    def stored(self) -> StoredStats:
        """The stored statistics."""
        return read_stored_stats(self.view)

    @cached_property
    def sidecar(self) -> Provenance | None:
        """``grasp_provenance.json``; None without one."""
        return read_sidecar(self.view)

    @cached_property
    def summaries(self) -> Summaries:
        """Minimum, maximum, mean and standard deviation of each column."""
        return Summaries()

    @cached_property
    def quantiles(self) -> QuantileCheck:
        """The quantiles of each episode."""
        return QuantileCheck(self.view, self.stored)

    @cached_property
    def overall(self) -> OverallQuantiles:
        """The quantiles of all rows, of the columns that policies normalise."""
        return OverallQuantiles(self.stored, list(filter(is_policy_column, self.view.info.features)))
