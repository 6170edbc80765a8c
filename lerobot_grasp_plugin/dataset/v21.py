"""Reads formats v2.0 and v2.1: one table and one video file per episode, JSON lines as metadata."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.stats import STATISTICS, unknown_statistics
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow_types import table_of
from lerobot_grasp_plugin.dataset.hub import Location
from lerobot_grasp_plugin.dataset.index_table import IndexTable, read_index_table
from lerobot_grasp_plugin.dataset.info import DatasetInfo
from lerobot_grasp_plugin.dataset.json_lines import as_index, read_json_lines
from lerobot_grasp_plugin.dataset.losses import Reason, lost_error, missing_files, refuse_lost, unlisted
from lerobot_grasp_plugin.dataset.places import Places
from lerobot_grasp_plugin.dataset.reader import EpisodeBatch, VideoSpan
from lerobot_grasp_plugin.dataset.side_columns import selected, split_keys, unknown_of
from lerobot_grasp_plugin.dataset.tables import RowRange, TableFile, open_parquet
from lerobot_grasp_plugin.findings.problem import DatasetError, Place, Problem
from lerobot_grasp_plugin.findings.words import agree, count, episodes_text


class LegacyReader:
    """A v2.0 or v2.1 dataset. See ``DatasetReader`` for the attributes."""

    def __init__(self, location: Location, info: DatasetInfo) -> None:
        self.repo_id = location.repo_id
        self.root = location.root
        self.info = info
        self.warnings: list[Problem] = []
        self.location = location
        self._places = Places(location, "**/*.parquet")
        self._required: Sequence[int] = ()
        self._by_rows: dict[int, RowRange] | None = None
        self._by_name: dict[str, dict[str, list[Path]]] = {}
        self.tasks: Mapping[int, str] = self._read_tasks()
        self._side: dict[int, dict[str, Any]] = {}
        self.lost: Mapping[int, Reason]
        self.lengths, self._tasks, self.lost = self._read_episodes()

    def episode_tasks(self, episode: int) -> tuple[str, ...]:
        return self._tasks[episode]

    def data_bytes(self, episode: int) -> int:
        return self.data_path(episode).stat().st_size

    def columns(self, episode: int) -> Sequence[str]:
        return TableFile(self.data_path(episode)).columns

    def video_span(self, episode: int, video_key: str) -> VideoSpan:
        return VideoSpan(self._video_path(episode, video_key), 0.0)

    def require(self, episodes: Sequence[int], video_keys: Sequence[str]) -> None:
        refuse_lost(self.lost, episodes)
        self._required = episodes
        if self.location.fetch is not None:
            paths = [self.data_path(episode) for episode in episodes]
            paths += [self._video_path(episode, key) for key in video_keys for episode in episodes]
            self.location.fetch(path.relative_to(self.root).as_posix() for path in paths)
        lost = {path: [episode] for episode in episodes if not (path := self.data_path(episode)).is_file()}
        absent = missing_files(lost, len(episodes), "table")
        for key in video_keys:
            lost = {
                path: [episode]
                for episode in episodes
                if not (path := self._video_path(episode, key)).is_file()
            }
            if lost and len(lost) == len(episodes):
                message = f"camera {key!r} has no video files"
                hint = (
                    f"fetch its files, or drop the camera: --drop_features '[\"{key}\"]' of "
                    "lerobot-grasp-merge, --camera_key of lerobot-grasp-frames"
                )
                absent.append(Problem("video-missing", message, next(iter(lost)), hint))
            else:
                found = missing_files(lost, len(episodes), f"video of camera {key!r}")
                absent += [replace(problem, code="video-missing") for problem in found]
        if absent:
            raise DatasetError(absent)

    def read(self, episodes: Sequence[int], columns: Sequence[str]) -> Iterator[EpisodeBatch]:
        for episode in episodes:
            path = self.data_path(episode)
            file = TableFile(path)
            rows = RowRange(path, 0, file.rows)
            if not file.holds_only(episode):
                rows = self._moved_rows(episode)
                file = file if rows.path == path else TableFile(rows.path)
            elif file.rows != self.lengths[episode]:
                raise lost_error(self._wrong_lengths([*self._required, episode]))
            present = [name for name in columns if name in file.columns]
            table = file.read(rows.start, rows.stop, present)
            yield EpisodeBatch([episode], [table.num_rows], table, rows.path)

    def _moved_rows(self, episode: int) -> RowRange:
        """Finds the rows of episodes whose tables have rows of other episodes.

        Raises:
            DatasetError: The rows do not locate every episode with its listed number of rows.
        """
        if self._by_rows is None:
            places = {
                each: self._places.of(each) for each in range(len(self.lengths)) if each not in self.lost
            }
            as_index = all(
                len(found) == 1 and found[0].stop - found[0].start == self.lengths[each]
                for each, found in places.items()
            )
            self._by_rows = {each: found[0] for each, found in places.items()} if as_index else {}
        if episode not in self._by_rows:
            chosen = dict.fromkeys([*self._required, episode])
            wrong = [each for each in chosen if not TableFile(self.data_path(each)).holds_only(each)]
            raise lost_error({each: self._wrong_table(each) for each in wrong})
        moved = [each for each, rows in self._by_rows.items() if rows.path != self.data_path(each)]
        message = f"the rows of {episodes_text(moved)} are in tables with the names of other episodes"
        self._warn("wrong-file", message, self.root / "data")
        return self._by_rows[episode]

    def _wrong_table(self, episode: int) -> Reason:
        path = self.data_path(episode)
        others = episodes_text(TableFile(path).episode_ranges())
        text = f"its table has the rows of {others} by episode_index; one of the two numbers is wrong"
        return Reason("wrong-file", text, path)

    def _wrong_lengths(self, episodes: Sequence[int]) -> dict[int, Reason]:
        """The episodes whose number of rows differs from the list."""
        found = {}
        for episode in episodes:
            path, listed = self.data_path(episode), int(self.lengths[episode])
            rows = TableFile(path).rows
            if rows != listed:
                text = f"{count(rows, 'row')} in the table, {listed} by {layout.LEGACY_EPISODES_PATH}"
                found[episode] = Reason("wrong-length", text, path)
        return found

    def stats(
        self, episodes: Sequence[int], features: Sequence[str], statistics: Sequence[str] = STATISTICS
    ) -> dict[str, dict[str, NDArray[Any]]]:
        path = self.root / layout.LEGACY_EPISODES_STATS_PATH
        if not path.is_file():
            return {}
        chosen = set(episodes)
        kept: dict[int, dict[str, dict[str, Any]]] = {}
        unknown: dict[str, None] = {}
        for number, entry in enumerate(read_json_lines(path), start=1):
            episode, stats = as_index(entry.get("episode_index")), entry.get("stats")
            if not isinstance(episode, int) or not isinstance(stats, dict):
                message = "expected an object with episode_index and stats"
                raise DatasetError(Problem("bad-json", message, Place(str(path), number)))
            unknown.update(dict.fromkeys(key for key in entry if key not in ("episode_index", "stats")))
            unknown.update(dict.fromkeys(unknown_statistics(stats, self.info.features)))
            if episode in chosen:
                kept[episode] = {
                    name: {statistic: value[statistic] for statistic in statistics if statistic in value}
                    for name, value in stats.items()
                    if name in features and isinstance(value, dict)
                }
        if unknown:
            message = f"unknown statistics {', '.join(map(repr, unknown))} are left out"
            self._warn("metadata-left-out", message, path)
        result: dict[str, dict[str, NDArray[Any]]] = {}
        for feature in features:
            rows = [kept.get(episode, {}).get(feature, {}) for episode in episodes]
            for statistic in statistics if rows else ():
                with suppress(ValueError, TypeError, KeyError):
                    values = np.array([row[statistic] for row in rows], dtype=np.float64)
                    result.setdefault(feature, {})[statistic] = values.reshape(len(rows), -1)
        return result

    def side_columns(self, episodes: Sequence[int]) -> pa.Table | None:
        carried, reserved = split_keys(dict.fromkeys(key for side in self._side.values() for key in side))
        if reserved:
            message = f"the keys {reserved} are reserved for columns of LeRobot v3.0 and are left out"
            self._warn("metadata-left-out", message, self.root / layout.LEGACY_EPISODES_PATH)
        if not carried:
            return None
        rows = []
        for episode in range(len(self._tasks)):
            side = self._side.get(episode, {})
            rows.append({name: side[name] for name in carried if name in side})
        return selected(table_of(rows), episodes)

    def _warn(self, code: str, message: str, where: Path) -> None:
        problem = Problem(code, message, where, severity="warning")
        self.warnings += [problem] if problem not in self.warnings else []

    def task_table(self) -> IndexTable:
        return read_index_table(self.root / layout.LEGACY_TASKS_PATH, layout.TASK_INDEX)

    def schemas(self, episodes: Sequence[int]) -> Iterator[tuple[Path, pa.Schema]]:
        for path in dict.fromkeys(self.data_path(episode) for episode in episodes):
            yield path, open_parquet(path).schema_arrow

    def own_files(self) -> set[Path]:
        episodes = range(len(self._tasks))
        found = {self.data_path(episode) for episode in episodes}
        return found | {
            self._video_path(episode, key) for key in self.info.video_keys for episode in episodes
        }

    # -- metadata ---------------------------------------------------------------------------------

    def _read_tasks(self) -> dict[int, str]:
        path = self.root / layout.LEGACY_TASKS_PATH
        tasks = {}
        for number, entry in enumerate(read_json_lines(path), start=1):
            index, task = as_index(entry.get("task_index")), entry.get("task")
            if not isinstance(index, int) or not isinstance(task, str):
                message = "expected an object with task_index and task"
                raise DatasetError(Problem("bad-json", message, Place(str(path), number)))
            tasks[index] = task
        return dict(sorted(tasks.items()))

    def _read_episodes(self) -> tuple[NDArray[Any], list[tuple[str, ...]], dict[int, Reason]]:
        path = self.root / layout.LEGACY_EPISODES_PATH
        entries: dict[int, tuple[int, tuple[str, ...]]] = {}
        shared: dict[tuple[str, ...], tuple[str, ...]] = {}
        for number, entry in enumerate(read_json_lines(path), start=1):
            episode, length = as_index(entry.get("episode_index")), as_index(entry.get("length"))
            tasks = entry.get("tasks", [])
            tasks = [tasks] if isinstance(tasks, str) else tasks
            if (
                not isinstance(episode, int)
                or not isinstance(length, int)
                or not 0 < length < 2**40
                or not isinstance(tasks, list)
            ):
                message = "expected an object with episode_index, a positive length, and tasks"
                raise DatasetError(Problem("bad-json", message, Place(str(path), number)))
            sentences = tuple(str(task) for task in tasks)
            if side := unknown_of(entry):
                self._side[episode] = side
            entries[episode] = (length, shared.setdefault(sentences, sentences))
        if not entries or min(entries) < 0:
            message = "no episodes are listed" if not entries else f"an episode has number {min(entries)}"
            raise DatasetError(Problem("episode-numbering", message, path))
        claimed = self.info.total_episodes
        total, lost = unlisted(sorted(entries), claimed, path, layout.LEGACY_EPISODES_PATH)
        if len(entries) > claimed:
            are = agree(len(entries), "is", "are")
            message = f"{count(len(entries), 'episode')} {are} listed, but info.json says {claimed}"
            self.warnings.append(Problem("wrong-total", message, path, severity="warning"))
        ordered = [entries.get(episode, (0, ())) for episode in range(total)]
        lengths = np.array([length for length, _ in ordered], dtype=np.int64)
        return lengths, [tasks for _, tasks in ordered], lost

    # -- files ------------------------------------------------------------------------------------

    def data_path(self, episode: int) -> Path:
        return self._path(self.info.data_path, "data_path", "data", episode)

    def _video_path(self, episode: int, video_key: str) -> Path:
        template = self.info.video_path or layout.LEGACY_VIDEO_PATH
        return self._path(template, "video_path", "videos", episode, video_key)

    def _path(
        self, template: str, setting: str, folder: str, episode: int, video_key: str | None = None
    ) -> Path:
        """Path of an episode's file; where the template is wrong about the chunk, the only file of
        that name is taken, as LeRobot's own converter looks for files by name.
        """
        values: dict[str, str | int] = {
            "episode_chunk": episode // self.info.chunks_size,
            "episode_index": episode,
        }
        if video_key is not None:
            values["video_key"] = video_key
        links = self.location.links
        path = layout.fill_template(self.root, template, setting=setting, links=links, **values)
        if path.exists() or self.location.fetch is not None:
            return path
        if folder not in self._by_name:
            self._by_name[folder] = {}
            layout.check_links(self.root, folder, links)
            for found in sorted((self.root / folder).rglob("*.*")):
                self._by_name[folder].setdefault(found.name, []).append(found)
        same = self._by_name[folder].get(path.name, [])
        if video_key is not None:
            same = [found for found in same if video_key in found.parts]
        same = same or self._by_content(folder, episode, video_key)
        if len(same) != 1:
            return path
        place = Place(str(self.root / layout.INFO_PATH), field=setting)
        if not any(problem.place == place for problem in self.warnings):
            message = f"{setting} leads to {path}, which does not exist; files are found by name and rows"
            self.warnings.append(Problem("template-mismatch", message, place))
        return same[0]

    def _by_content(self, folder: str, episode: int, video_key: str | None) -> list[Path]:
        """Files of other names: tables by their rows, videos by folder and the number in the name."""
        if video_key is None:
            return [rows.path for rows in self._places.of(episode)]
        return [
            path
            for paths in self._by_name[folder].values()
            for path in paths
            if video_key in path.parts and _number(path.stem) == episode
        ]


def _number(name: str) -> int | None:
    """The number at the end of a name."""
    match = re.search(r"(\d{1,9})$", name)
    return int(match[1]) if match else None
