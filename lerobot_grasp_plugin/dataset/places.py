"""Finds the rows of episodes in the tables, for datasets whose metadata names other files."""

from __future__ import annotations

from contextlib import suppress

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.hub import Location
from lerobot_grasp_plugin.dataset.tables import RowRange, TableFile
from lerobot_grasp_plugin.findings.problem import GraspError


class Places:
    """The rows of every episode, by the ``episode_index`` column of all tables; read when first asked for.

    LeRobot loads all of ``data/*/*.parquet``, whatever the metadata says.

    Args:
        location: The dataset.
        pattern: Its tables, below ``data``.
    """

    def __init__(self, location: Location, pattern: str = "*/*.parquet") -> None:
        self._location = location
        self._pattern = pattern
        self._found: dict[int, list[RowRange]] | None = None

    def of(self, episode: int) -> list[RowRange]:
        """Every run of rows of an episode; files that cannot be read have none."""
        if self._found is None:
            self._found = self._scan()
        return self._found.get(episode, [])

    def _scan(self) -> dict[int, list[RowRange]]:
        root = self._location.root
        if self._location.fetch is not None:
            self._location.fetch(["data/*"])
        layout.check_links(root, "data", self._location.links)
        found: dict[int, list[RowRange]] = {}
        for path in sorted((root / "data").glob(self._pattern)):
            with suppress(GraspError):
                for episode, ranges in TableFile(path).episode_ranges().items():
                    found.setdefault(episode, []).extend(ranges)
        return found
