"""Episodes that were found by their rows, and where their images are in the videos by ``index``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from lerobot_grasp_plugin.core.words import count
from lerobot_grasp_plugin.dataset.info import DatasetInfo
from lerobot_grasp_plugin.dataset.losses import Reason
from lerobot_grasp_plugin.dataset.reader import VideoSpan
from lerobot_grasp_plugin.dataset.tables import RowRange, TableFile
from lerobot_grasp_plugin.errors import DatasetError, GraspError, Problem
from lerobot_grasp_plugin.ops.whole_episodes import reason_of
from lerobot_grasp_plugin.video.probe import header


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
    """The first episode without rows over which ``index`` runs on; None without one."""
    for before, episode in pairwise(order):
        if episode > before + 1 and found[episode].first == found[before].after:
            return before + 1
    return order[0] - 1 if order and order[0] > 0 and found[order[0]].first == 0 else None


def spans_by_index(
    root: Path, info: DatasetInfo, video_key: str, found: Mapping[int, FoundEpisode], lost: dict[int, Reason]
) -> dict[int, VideoSpan]:
    """Where the episodes are in the videos of a camera; adds to ``lost`` those that are not.

    Raises:
        DatasetError: An episode would begin in one file and end in the next.
    """
    spans: dict[int, VideoSpan] = {}
    start, unread, where = 0, "", str(root / "videos" / video_key)
    paths = sorted((root / "videos" / video_key).glob("*/*.mp4"))
    order = sorted(found, key=lambda episode: found[episode].first)
    for path in paths:
        try:
            frames = header(path).frames
        except GraspError as error:  # how many frames it had, and so where the next file begins, is not known
            unread = f": {reason_of(error, str(path)).text}"
            where = str(path)
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
                    f"{count(frames, 'frame')}, and the rows of episode {episode} go past them into the next "
                    "file: which frame belongs to which row is not known"
                )
                raise DatasetError(Problem("video-rows", message, str(path)))
        start = stop
    if (hole := _closed_hole(order, found)) is not None and start != found[order[-1]].after:
        message = f"`index` runs on over episode {hole}, which has no rows: which frames are its is not known"
        shifted = Reason("video-rows", message, where)
        late = [episode for episode in order if episode > hole]
        lost.update({episode: shifted for episode in late if episode not in lost})
        spans = {episode: span for episode, span in spans.items() if episode not in late}
    reason = Reason(
        "video-missing",
        f"the videos of {video_key!r} that can be read do not reach to its end{unread}",
        where,
    )
    lost.update({episode: reason for episode in found if episode not in spans and episode not in lost})
    return spans
