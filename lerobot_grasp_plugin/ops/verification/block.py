"""The verification block: a few lines that say what is right and what is not."""

from __future__ import annotations

from collections.abc import Sequence, Set
from pathlib import Path

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.ops.report import Check
from lerobot_grasp_plugin.ops.verification.view import View

_GLOBAL = {"index-wrong", "index-dtype", "bad-index-column", "wrong-range"}
_EPISODE = {"scattered-episode", "episode-order", "unlisted-rows", "missing-rows", "wrong-length"}
_EPISODE |= {"unknown-rows", "wrong-file", "episode-wrong"}
_FRAME = {"frame-wrong"}
_NOT_THE_FILE = _GLOBAL | _FRAME | {"scattered-episode", "episode-order", "unknown-task", "not-finite"}
_NOT_THE_FILE |= {"timestamp-off-grid", "timestamp-order", "frame-unreadable", "null-values", "episode-wrong"}
_METADATA = {"missing-episodes-table", "episode-numbering", "empty-episode", "version-mismatch"}


def verification_block(view: View, problems: Sequence[Problem], *, checked: Set[str]) -> list[Check]:
    """The block's lines.

    Args:
        view: The dataset.
        problems: All that was found.
        checked: The index columns that were looked at in every table.
    """
    errors = [problem for problem in problems if problem.severity == "error"]
    codes = {problem.code for problem in errors}
    data, videos, episodes = (view.root / name for name in ("data", "videos", layout.EPISODES_DIR))
    video_files = {span.path for spans in view.spans.values() for span in spans if span is not None}
    no_table = _below([problem for problem in errors if problem.code not in _NOT_THE_FILE], data)
    no_video = _below(errors, videos) or any(code.startswith("video-") for code in codes)
    listed = 0 if view.episodes is None else len(view.episodes.indices)
    in_list = _below(errors, episodes) or _below(errors, view.root / layout.LEGACY_EPISODES_PATH)

    totals = "wrong-total" not in codes if view.episodes is not None else None

    def rows(name: str, column: str, bad: set[str], detail: str = "") -> Check:
        wrong = bool(codes & bad)
        return Check(name, not wrong if wrong or column in checked else None, detail)

    return [
        Check("Parquet files", not no_table, str(len(view.data_files))),
        Check("Video files", not no_video, str(len(video_files))),
        rows("Global indices", layout.INDEX, _GLOBAL, "contiguous"),
        rows("Episode indices", layout.EPISODE_INDEX, _EPISODE),
        rows("Frame indices", layout.FRAME_INDEX, _FRAME),
        Check("Totals in info.json", totals and bool(view.info.raw), ""),
        Check("Episodes in metadata", not in_list and not codes & _METADATA and listed > 0, str(listed)),
    ]


def _below(problems: Sequence[Problem], folder: Path) -> bool:
    return any(problem.where.startswith(str(folder)) for problem in problems)
