"""Finds episodes by the rows of tables, and their images in the videos by ``index``."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.arrow import is_numeric
from lerobot_grasp_plugin.dataset.info import DatasetInfo
from lerobot_grasp_plugin.dataset.losses import MAX_UNLISTED, Reason
from lerobot_grasp_plugin.dataset.pages import salvage
from lerobot_grasp_plugin.dataset.reader import VideoSpan
from lerobot_grasp_plugin.dataset.tables import RowRange, TableFile, index_numbers
from lerobot_grasp_plugin.findings.problem import DatasetError, GraspError, Problem, column_of
from lerobot_grasp_plugin.findings.words import count
from lerobot_grasp_plugin.salvage.whole_episodes import reason_of
from lerobot_grasp_plugin.video.probe import header
from lerobot_grasp_plugin.writers.data_schema import data_schema


@dataclass(frozen=True, slots=True)
class FoundEpisode:
    """An episode by its rows; ``first`` is the ``index`` of its first row."""

    file: TableFile
    rows: RowRange
    first: int

    @property
    def length(self) -> int:
        return self.rows.stop - self.rows.start

    @property
    def after(self) -> int:
        return self.first + self.length


def _closed_hole(order: Sequence[int], found: Mapping[int, FoundEpisode]) -> int | None:
    """The first episode without rows that ``index`` counts over; None without one."""
    for before, episode in pairwise(order):
        if episode > before + 1 and found[episode].first == found[before].after:
            return before + 1
    return order[0] - 1 if order and order[0] > 0 and found[order[0]].first == 0 else None


def spans_by_index(
    root: Path, info: DatasetInfo, video_key: str, found: Mapping[int, FoundEpisode], lost: dict[int, Reason]
) -> dict[int, VideoSpan]:
    """Locates the episodes in the videos of a camera; adds the missing ones to ``lost``.

    Raises:
        DatasetError: An episode would begin in one file and end in the next.
    """
    spans: dict[int, VideoSpan] = {}
    start, unread, where = 0, "", root / "videos" / video_key
    paths = sorted((root / "videos" / video_key).glob("*/*.mp4"))
    order = sorted(found, key=lambda episode: found[episode].first)
    for path in paths:
        try:
            frames = header(path).frames
        except GraspError as error:  # its number of frames, and so the start of the next file, is unknown
            unread = f": {reason_of(error, path).text}"
            where = path
            break
        stop = start + frames
        for episode in order:
            rows = found[episode]
            if start <= rows.first and rows.after <= stop:
                spans[episode] = VideoSpan(
                    path, (rows.first - start) / info.fps, (rows.after - start) / info.fps
                )
            elif rows.first < stop < rows.after and path != paths[-1]:
                message = (
                    f"the file has {count(frames, 'frame')}, but the rows of episode {episode} "
                    "continue into the next "
                    "file: it is unknown which frame belongs to which row"
                )
                raise DatasetError(Problem("video-rows", message, path))
        start = stop
    if (hole := _closed_hole(order, found)) is not None and start != found[order[-1]].after:
        message = f"`index` counts over episode {hole}, which has no rows: its frames are unknown"
        shifted = Reason("video-rows", message, where)
        late = [episode for episode in order if episode > hole]
        lost.update({episode: shifted for episode in late if episode not in lost})
        spans = {episode: span for episode, span in spans.items() if episode not in late}
    reason = Reason(
        "video-missing",
        f"the readable videos of {video_key!r} do not reach its end{unread}",
        where,
    )
    lost.update({episode: reason for episode in found if episode not in spans and episode not in lost})
    return spans


def whole_tables(root: Path, info: DatasetInfo, notes: list[Problem]) -> list[TableFile]:
    """The tables of a dataset; of those without a footer, the intact row groups.

    Args:
        root: Its folder.
        info: Its ``info.json``.
        notes: Collects a warning for each incomplete table.
    """
    files: list[TableFile] = []
    broken: list[Path] = []
    for path in sorted((root / "data").glob("*/*.parquet" if info.is_v3 else "**/*.parquet")):
        try:
            files.append(TableFile(path))
        except DatasetError as error:
            if {problem.code for problem in error.problems} == {"bad-parquet"}:
                broken.append(path)
            else:
                notes += [replace(problem, severity="warning") for problem in error.problems]
    schema = files[0].file.schema_arrow if files else data_schema(info.features, {}, {})
    widths = {
        name: int(np.prod(feature.shape))
        for name, feature in info.features.items()
        if is_numeric(feature.dtype)
    }
    for path in broken:
        try:
            found = salvage(path, schema, widths, _counts_up)
            file = TableFile(path, pq.ParquetFile(io.BytesIO(found.data)))
            for start in range(0, file.rows, file.batch_rows):  # every page of it can be unpacked
                file.read(start, min(start + file.batch_rows, file.rows), file.columns)
        except DatasetError as error:
            notes += [replace(problem, severity="warning") for problem in error.problems]
            continue
        files.append(file)
        message = (
            f"no footer; {count(file.rows, 'row')} in the first {found.kept} of {found.size} bytes are intact"
        )
        notes.append(Problem("bad-parquet", message, path, severity="warning"))
    return sorted(files, key=lambda file: file.path)


def _counts_up(rows: pa.Table) -> bool:
    """Whether rows can be a row group: ``index`` counts them one by one."""
    if layout.INDEX not in rows.column_names:
        return True
    return bool((np.diff(index_numbers(rows[layout.INDEX])) == 1).all())


def found_in(
    tables: Sequence[TableFile], total: int, root: Path
) -> tuple[dict[int, FoundEpisode], dict[int, Reason]]:
    """The episodes of tables by their rows, and the incomplete ones, with the reason.

    Args:
        tables: The tables of one dataset.
        total: Number of episodes in ``info.json``.
        root: The dataset.

    Raises:
        DatasetError: ``total`` or a row's ``episode_index`` is more than a dataset can lose.
    """
    found: dict[int, FoundEpisode] = {}
    lost: dict[int, Reason] = {}
    for file in tables:
        _add_episodes(file, found, lost)
    total = max([total, *(episode + 1 for episode in found)])
    gone = Reason("missing-rows", "no table has all of its rows", root)
    if total > len(found) + MAX_UNLISTED:
        message = f"the tables have {count(len(found), 'episode')} of {total}"
        hint = f"correct total_episodes in {layout.INFO_PATH}"
        raise DatasetError(Problem("wrong-total", message, root, hint))
    missing = set(range(total)) - found.keys()
    return found, dict.fromkeys(missing, gone) | lost


def _add_episodes(file: TableFile, found: dict[int, FoundEpisode], lost: dict[int, Reason]) -> None:
    """The episodes of a table whose rows count 0, 1, 2, ... and are contiguous."""
    names = [layout.EPISODE_INDEX, layout.FRAME_INDEX, layout.INDEX]
    if lacking := [name for name in names if name not in file.columns]:
        message = f"no column {', '.join(map(repr, lacking))}, which is needed to find episodes"
        raise DatasetError(Problem("missing-column", message, file.path))
    table = file.read(0, file.rows, names)
    frames, index = (
        index_numbers(table[name], column_of(file.path, name)) for name in (layout.FRAME_INDEX, layout.INDEX)
    )
    for episode, runs in file.episode_ranges().items():
        rows = runs[0]
        count_up = np.arange(rows.stop - rows.start)
        first = int(index[rows.start])
        whole = np.array_equal(frames[rows.start : rows.stop], count_up) and np.array_equal(
            index[rows.start : rows.stop], first + count_up
        )
        if episode in found or len(runs) > 1:
            lost[episode] = Reason("scattered-episode", "the rows are not contiguous", file.path)
        elif episode < 0 or not whole:
            text = "frame_index or index do not count its rows one by one"
            lost[episode] = Reason("frame-order", text, file.path)
        else:
            found[episode] = FoundEpisode(file, rows, first)


def tasks_of(episode: FoundEpisode, tasks: Mapping[int, str]) -> list[str]:
    """The tasks of an episode by ``task_index`` of its rows."""
    file, rows = episode.file, episode.rows
    if layout.TASK_INDEX not in file.columns:
        return []
    column = file.read(rows.start, rows.stop, [layout.TASK_INDEX]).column(0)
    used = dict.fromkeys(index_numbers(column, column_of(rows.path, "task_index")).tolist())
    return [tasks[task] for task in used if task in tasks]
