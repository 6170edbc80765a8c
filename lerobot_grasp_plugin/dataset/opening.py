"""Opens a dataset of any readable format version."""

from __future__ import annotations

from pathlib import Path

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.hub import Location, locate
from lerobot_grasp_plugin.dataset.info import read_info
from lerobot_grasp_plugin.dataset.losses import refuse_lost
from lerobot_grasp_plugin.dataset.reader import DatasetReader
from lerobot_grasp_plugin.dataset.v21 import LegacyReader
from lerobot_grasp_plugin.dataset.v30 import V30Reader


def open_dataset(repo_id: str | None = None, root: str | Path | None = None) -> DatasetReader:
    """Opens a dataset by folder, or by name: in LeRobot's home folder, then on the Hub.

    Args:
        repo_id: ``owner/name``.
        root: The dataset's folder. Nothing is downloaded when it is given.

    Raises:
        UsageError: Neither is given, or the dataset does not exist.
        DatasetError: Its metadata cannot be read, or does not list every episode.
    """
    reader = open_located(locate(repo_id, root))
    refuse_lost(reader.lost, range(len(reader.lengths)))
    return reader


def open_located(location: Location) -> DatasetReader:
    """Opens a dataset whose folder is known; some of its episodes may be lost.

    Raises:
        DatasetError: Its metadata cannot be read.
    """
    layout.check_links(location.root, "meta")
    info = read_info(location.root)
    reader = V30Reader(location, info) if info.is_v3 else LegacyReader(location, info)
    reader.warnings += location.links.notes()
    return reader
