"""Where each of the two families of formats keeps its files: v2.0 and v2.1, and v3.0."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lerobot_grasp_plugin.dataset import layout


@dataclass(frozen=True)
class FileFormat:
    """The files of a format, relative to the dataset's folder.

    Attributes:
        name: As messages name it.
        tasks: The list of tasks.
        episodes: The list of episodes: a file, or a folder of tables.
        episode_stats: The file or folder of the statistics of each episode.
        templates: The path templates ``data_path`` and ``video_path`` of ``info.json``.
        numbers: The fields of a template that number a file: its chunk, and the file in it.
        prefix: How the name of a table or video begins; a number follows.
    """

    name: str
    tasks: str
    episodes: str
    episode_stats: str
    templates: Mapping[str, str]
    numbers: tuple[str, str]
    prefix: str

    @property
    def other(self) -> FileFormat:
        """The other one of the two."""
        return V2X if self is V30 else V30

    def metadata(self, root: Path) -> list[str]:
        """The files of its own metadata that exist in a dataset."""
        names = dict.fromkeys((self.episodes, self.episode_stats, self.tasks))
        return [name for name in names if (root / name).exists()]

    def has_name(self, path: Path) -> bool:
        """Whether a table or video is named as this format names it."""
        return re.fullmatch(self.prefix + r"\d+", path.stem) is not None

    def is_foreign(self, template: str) -> bool:
        """Whether a path template belongs to the other format."""
        try:
            fields = layout.template_fields(template)
        except ValueError:
            return False
        return bool(fields & set(self.other.numbers)) and not fields & set(self.numbers)


V2X: Final = FileFormat(
    "v2.x",
    tasks=layout.LEGACY_TASKS_PATH,
    episodes=layout.LEGACY_EPISODES_PATH,
    episode_stats=layout.LEGACY_EPISODES_STATS_PATH,
    templates={"data_path": layout.LEGACY_DATA_PATH, "video_path": layout.LEGACY_VIDEO_PATH},
    numbers=("episode_chunk", "episode_index"),
    prefix="episode_",
)
"""A table and a video per episode and camera."""

V30: Final = FileFormat(
    "v3.0",
    tasks=layout.TASKS_PATH,
    episodes=layout.EPISODES_DIR,
    episode_stats=layout.EPISODES_DIR,
    templates={"data_path": layout.DATA_PATH, "video_path": layout.VIDEO_PATH},
    numbers=("chunk_index", "file_index"),
    prefix="file-",
)
"""Many episodes per table and video."""


def format_of(version: str) -> FileFormat:
    """The format of a ``codebase_version``."""
    return V30 if version == "v3.0" else V2X
