"""One of the two datasets that are compared: named, opened, its numbers as names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.hub import locate
from lerobot_grasp_plugin.dataset.index_table import find_index_tables, is_index_feature, read_index_table
from lerobot_grasp_plugin.dataset.losses import refuse_lost
from lerobot_grasp_plugin.dataset.opening import open_located
from lerobot_grasp_plugin.dataset.reader import DatasetReader, EpisodeBatch
from lerobot_grasp_plugin.dataset.side_files import side_files

_ROWS = 2**14
"""Rows of a batch; their values are several times in memory."""


@dataclass(frozen=True)
class Names:
    """Names that stand behind numbers in the tables of both datasets, such as tasks.

    Attributes:
        numbers: Name -> its number here, the same for both datasets.
    """

    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """The number of a name, a new one for a new name."""
        return self.numbers.setdefault(name, len(self.numbers))

    def name(self, number: int) -> str:
        """The name with a number."""
        return list(self.numbers)[number]


@dataclass(frozen=True)
class Side:
    """A dataset that is compared.

    Attributes:
        letter: ``A`` or ``B``.
        reader: The dataset.
        files: Its files that are neither LeRobot's nor written by every merge, by path.
        tables: Feature -> its number -> name, for features with a table of names, ``task_index`` included.
    """

    letter: str
    reader: DatasetReader
    files: frozenset[str]
    tables: Mapping[str, Mapping[int, str]]

    @property
    def episodes(self) -> int:
        """Number of episodes."""
        return len(self.reader.lengths)

    def read(self, episodes: Sequence[int], columns: Sequence[str]) -> Iterator[EpisodeBatch]:
        """Rows of episodes, as ``DatasetReader.read`` gives them, in smaller batches."""
        for batch in self.reader.read(episodes, columns):
            first = row = 0
            while first < len(batch.episodes):
                rows, stop = 0, first
                while stop < len(batch.episodes) and (rows == 0 or rows + batch.lengths[stop] <= _ROWS):
                    rows += batch.lengths[stop]
                    stop += 1
                part = batch.table.slice(row, rows)
                yield EpisodeBatch(batch.episodes[first:stop], batch.lengths[first:stop], part, batch.path)
                first, row = stop, row + rows


def open_side(letter: str, name: str, *, follow_links: bool = False) -> Side:
    """Opens a dataset by what the call says.

    Args:
        letter: ``A`` or ``B``.
        name: Its folder, ``owner/name``, or ``owner/name@revision`` for a branch, tag or commit of the Hub.
        follow_links: Whether links in ``data/`` and ``videos/`` may lead outside its folder.

    Raises:
        UsageError: It does not exist.
        DatasetError: Its metadata cannot be read, or does not list every episode.
    """
    folder = Path(name).expanduser()
    repo_id, _, revision = name.partition("@")
    if folder.exists() or folder.is_absolute() or name.startswith((".", "~")) or repo_id.count("/") > 1:
        location = locate(None, folder, options="")
    else:
        location = locate(repo_id, None, options="", revision=revision or None)
    if location.fetch_rest is not None:
        location.fetch_rest()
    reader = open_located(location.following(follow_links))
    refuse_lost(reader.lost, range(len(reader.lengths)))
    files = side_files(reader).carried
    indexed = [name for name, each in reader.info.features.items() if is_index_feature(name, each.dtype)]
    tables: dict[str, Mapping[int, str]] = {layout.TASK_INDEX: reader.tasks}
    for feature, path in find_index_tables(reader.root, indexed, files).items():
        table = read_index_table(reader.root / path, feature)
        tables[feature] = dict(zip(table.indices, table.names, strict=True))
    return Side(letter, reader, frozenset(files), tables)
