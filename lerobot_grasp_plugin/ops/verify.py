"""Whether a v3.0 dataset on disk is what it says it is.

Reads tables and the headers of video files; decodes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.timeline import nearest_frame
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.info import read_info
from lerobot_grasp_plugin.dataset.reader import DatasetReader, open_dataset
from lerobot_grasp_plugin.dataset.tables import TableFile, whole_numbers
from lerobot_grasp_plugin.errors import GraspError, Problem
from lerobot_grasp_plugin.ops.report import Check, VerifyReport
from lerobot_grasp_plugin.ops.verification.files import check_files
from lerobot_grasp_plugin.ops.verification.rows import check_rows
from lerobot_grasp_plugin.video.probe import header


def verify_dataset(root: Path, repo_id: str | None = None) -> VerifyReport:
    """Checks files, indices, totals and the episodes table of a dataset.

    Args:
        root: The dataset's folder.
        repo_id: Its name, if the folder's name is not it.

    Returns:
        The checks and everything that was found; never raises for a damaged dataset.
    """
    damaged = check_files(root)
    try:
        info = read_info(root)
        reader = open_dataset(repo_id, root)
    except GraspError as error:
        return VerifyReport(root, [], _once([*error.problems, *damaged]))
    verifier = _Verifier(reader)
    data = sorted((root / "data").rglob("*.parquet"))
    verifier.tables(data)
    videos = verifier.videos()
    if info.total_frames != int(reader.lengths.sum()):
        message = f"info.json says {info.total_frames} frames, the episodes table {int(reader.lengths.sum())}"
        verifier.problem("wrong-total", message, str(root / layout.INFO_PATH))
    verifier.problems += [*check_rows(reader), *damaged]
    return VerifyReport(
        root,
        [
            Check("Parquet files", not verifier.found("data"), str(len(data))),
            Check("Video files", not verifier.found("video"), str(videos)),
            Check("Global indices", not verifier.found("index"), "contiguous"),
            Check("Episode indices", not verifier.found("episode"), ""),
            Check("Frame indices", not verifier.found("frame"), ""),
            Check("Totals in info.json", not verifier.found("wrong-total"), ""),
            Check("Episodes in metadata", not verifier.found("meta"), str(len(reader.lengths))),
        ],
        _once(verifier.problems),
    )


def _once(problems: Sequence[Problem]) -> list[Problem]:
    """What several checks found alike, once; a table's own code wins over the prefixed one."""
    seen: dict[tuple[str, str], Problem] = {}
    for problem in problems:
        seen.setdefault((problem.where, problem.message), problem)
    return list(seen.values())


class _Verifier:
    def __init__(self, reader: DatasetReader) -> None:
        self.reader = reader
        self.problems: list[Problem] = []

    def problem(self, code: str, message: str, where: str) -> None:
        self.problems.append(Problem(code, message, where))

    def found(self, prefix: str) -> bool:
        return any(
            problem.code.startswith(prefix) and problem.severity == "error" for problem in self.problems
        )

    def tables(self, paths: Sequence[Path]) -> None:
        """Indices of every row against the episodes table."""
        lengths = self.reader.lengths
        ends = np.cumsum(lengths)
        next_index = 0
        for path in paths:
            try:
                file = TableFile(path)
                columns = (layout.INDEX, layout.EPISODE_INDEX, layout.FRAME_INDEX)
                lacking = [name for name in columns if name not in file.columns]
                if lacking:
                    self.problem("data-missing-column", f"columns {lacking} are missing", str(path))
                    continue
                table = file.read(0, file.rows, columns)
                index, episode, frame = (
                    whole_numbers(table[name], f"{path}: column {name!r}") for name in columns
                )
            except GraspError as error:
                self.problems += [
                    Problem(f"data-{problem.code}", problem.message, problem.where, problem.hint)
                    for problem in error.problems
                ]
                continue
            self._compare(path, "index", index, np.arange(next_index, next_index + len(index)))
            next_index += len(index)
            expected = np.searchsorted(ends, index, side="right")
            self._compare(path, "episode", episode, expected)
            inside = expected < len(lengths)
            starts = (ends - lengths)[expected[inside]]
            self._compare(path, "frame", frame[inside], index[inside] - starts)
        if next_index != int(lengths.sum()):
            message = f"the data files hold {next_index} rows, the episodes table lists {int(lengths.sum())}"
            self.problem("data-wrong-length", message, str(self.reader.root / "data"))

    def _compare(self, path: Path, what: str, values: NDArray[Any], expected: NDArray[Any]) -> None:
        wrong = np.flatnonzero(values != expected)
        if len(wrong):
            row = int(wrong[0])
            message = (
                f"row {row}: {what}_index is {values[row]}, should be {expected[row]}; {len(wrong)} rows"
            )
            if what == "index":
                message = message.replace("index_index", "index")
            self.problem(f"{what}-wrong", message, str(path))

    def videos(self) -> int:
        """Every episode's pictures against the files; returns the number of video files."""
        reader, fps = self.reader, self.reader.info.fps
        total = 0
        for key in reader.info.video_keys:
            needed: dict[Path, int] = {}
            used: dict[Path, int] = {}
            for episode, length in enumerate(reader.lengths.tolist()):
                span = reader.video_span(episode, key)
                start, deviation = nearest_frame(span.from_timestamp, fps)
                if abs(deviation) > layout.TIMESTAMP_TOLERANCE_S:
                    message = f"episode {episode}, {key!r}: from_timestamp is {deviation:+.6f} s off the grid"
                    self.problem("video-off-grid", message, str(span.path))
                used[span.path] = used.get(span.path, 0) + length
                needed[span.path] = max(needed.get(span.path, 0), start + length)
            for path, frames in needed.items():
                if not path.is_file():
                    self.problem("video-missing", "the video is missing; rows refer to it", str(path))
                    continue
                try:
                    held = header(path).frames
                except GraspError as error:
                    self.problems += error.problems
                    continue
                if held < frames:
                    message = f"{held} frames, but rows refer to {frames}"
                    self.problem("video-too-short", message, str(path))
                elif held > used[path]:
                    surplus = held - used[path]
                    message = (
                        f"{surplus} of {held} frames ({surplus / fps:.1f} s, {100 * surplus / held:.1f} %) "
                        "belong to no row"
                    )
                    self.problems.append(
                        Problem("unreferenced-frames", message, str(path), severity="warning")
                    )
            total += len(needed)
        return total
