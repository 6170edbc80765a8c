"""Recordings and downloads that were broken off: what there is, and what can be made of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lerobot_grasp_plugin.dataset.tables import TableFile
from lerobot_grasp_plugin.errors import GraspError, Problem
from lerobot_grasp_plugin.ops.verification.place import agree, count, episodes_text
from lerobot_grasp_plugin.ops.verification.view import View

_EPISODE = re.compile(r"episode[-_](\d{1,9})")
_ENCODED_IN = re.compile(r"tmp[a-z0-9_]{8}")
"""Folders LeRobot encodes videos in, beside ``videos``, as tempfile names them."""
_PICTURES = frozenset({".png", ".tiff", ".jpg"})
_EXPLAINED = {
    "no-episodes": {"missing-file", "missing-episodes-table", "empty-file", "missing-stats"},
    "only-metadata": {"missing-file", "video-missing"},
    "unfinished-resume": {
        "wrong-total",
        "extra-file",
        "bad-splits",
        "wrong-statistics",
        "stale-label-statistics",
    },
}
"""What else is found because of it, by code."""
_UNREAD = frozenset({"bad-json", "bad-parquet", "empty-file", "lfs-pointer", "too-large", "duplicate-column"})
_LISTS = re.compile(r"/meta/episodes(\.jsonl|/[^/]+/[^/]+\.parquet)")
_OF_A_LIST = {"unlisted-rows", "extra-file", "wrong-total", "bad-splits", "episode-numbering"}
"""What is found because a part of the list of episodes cannot be read."""


def check_aborted(view: View) -> Iterator[Problem]:
    """A dataset without episodes, without files, or with files that nothing lists; pictures left over."""
    listed = 0 if view.episodes is None else len(view.episodes.indices)
    files = bool(view.data_files or view.video_files)
    known = bool(view.info.raw) and not view.closed
    if known and not files and view.info.count("total_episodes") == 0 and not listed:
        yield _nothing(view)
    elif known and not files and listed and view.info.features and not _elsewhere(view):
        yield _only_metadata(view)
    elif known and files and not listed:
        yield from _unlisted(view)
    elif known and listed and not view.legacy:
        yield from _resumed(view)
    yield from _pictures(view)
    yield from _encoded(view)


def consequences(problems: Sequence[Problem]) -> set[str]:
    """Codes of findings that another one explains."""
    codes = {problem.code for problem in problems}
    explained = {code for cause, effects in _EXPLAINED.items() if cause in codes for code in effects}
    if any(problem.code in _UNREAD and _LISTS.search(problem.where) for problem in problems):
        explained |= _OF_A_LIST
    if any(problem.code == "lfs-pointer" and problem.where.endswith(".parquet") for problem in problems):
        # what was recorded is where the pointers lead
        explained |= {"unfinished-recording", "unfinished-resume"}
    return explained


def _nothing(view: View) -> Problem:
    message = "the dataset has no episode: its folder was made, and nothing was saved to it"
    hint = "there is nothing to rescue in it; remove the folder and record again"
    if _left(view):
        hint = (
            f"all there is are the pictures in {view.root / 'images'}; keep those you need and record again"
        )
    return Problem("no-episodes", message, view.info.where, hint)


def _elsewhere(view: View) -> bool:
    """Whether listed tables are there, outside ``data``."""
    return any(path is not None and path.is_file() for path in view.data_paths)


def _only_metadata(view: View) -> Problem:
    assert view.episodes is not None
    cameras = count(len(view.video_keys), "camera")
    videos = f" and the videos of {cameras}" if view.video_keys else ""
    message = (
        f"only the metadata is here: the tables of {episodes_text(view.episodes.indices.tolist())}{videos} "
        "are missing"
    )
    hint = (
        "copy data/ and videos/ from where it was recorded, or download all of it: "
        "`hf download OWNER/NAME --repo-type dataset`"
    )
    return Problem("only-metadata", message, str(view.root), hint)


def _unlisted(view: View) -> Iterator[Problem]:
    """Files of a recording that ended before its episodes were listed."""
    rows, broken = 0, 0
    for path in view.data_files:
        try:
            rows += TableFile(path).rows
        except GraspError:
            broken += 1
    total = view.info.count("total_episodes")
    if total and not broken:
        return  # a list that was lost, see missing-episodes-table
    tables, videos = len(view.data_files), len(view.video_files)
    parts = [count(tables, "table"), count(videos, "video")]
    claim = "info.json counts no episode" if total == 0 else "no episode is listed"
    message = f"the recording was interrupted: {claim}, and there are {' and '.join(parts)}"
    if rows:
        hint = (
            f"{count(rows, 'row')} can be read: list their episodes anew, with their lengths, and set the "
            "totals in info.json, to rescue them"
        )
        hint += f"; what {count(broken, 'table')} without footer held is lost" * bool(broken)
    elif broken:
        hint = "the rows are lost with the footers of the tables (finalize() writes them)"
        hint += "; the pictures are in the videos" * bool(videos) + "; record again"
    else:
        hint = "the rows were never written; the pictures are in the videos; record again"
    yield Problem("unfinished-recording", message, view.info.where, hint)


def _resumed(view: View) -> Iterator[Problem]:
    """Files of a recording that was resumed, and ended before its new episodes were listed."""
    assert view.episodes is not None
    indices, lengths = view.episodes.indices, view.episodes.lengths
    total, last = view.info.count("total_episodes") or 0, len(indices) - 1
    if total <= len(indices) or indices.tolist() != list(range(len(indices))) or (lengths < 0).any():
        return
    named = {path for path in view.data_paths if path is not None}
    new = [path for path in view.data_files if path not in named]
    rows, lost = 0, False
    for path in new:
        try:
            file = TableFile(path)
            if min(file.episode_ranges(), default=0) <= last:
                return
            rows += file.rows
        except GraspError:
            lost = True
    if not new:
        return
    message = (
        f"a recording that was resumed was interrupted: info.json counts {count(total, 'episode')}, those "
        f"after episode {last} are not listed, and {'have no readable' if lost else 'are in a'} table"
    )
    hint = (
        f"move {', '.join(path.relative_to(view.root).as_posix() for path in new[:3])} and the videos no "
        f"episode refers to out of the dataset, and set total_episodes to {len(indices)} and total_frames to "
        f"{int(lengths.sum())}, to keep what was there before"
    )
    hint += f"; or list the episodes of the {count(rows, 'row')} anew" * bool(rows)
    yield Problem("unfinished-resume", message, view.info.where, hint)


def _pictures(view: View) -> Iterator[Problem]:
    """Pictures that were not made into a video, or not put into a table."""
    left = _left(view)
    if not view.video_keys:  # those of saved episodes are in the tables as well
        left = {episode: number for episode, number in left.items() if episode not in view.rows_of}
    if not left or (view.info.raw and not view.info.keys("video", "image")):
        return
    pictures, episodes = sum(left.values()), {episode for episode in left if episode >= 0}
    of = f" of {episodes_text(episodes)}" if episodes else ""
    was, place = agree(pictures, "was", "were"), "video" if view.video_keys else "table"
    message = f"{count(pictures, 'picture')}{of} {was} never put into a {place}"
    unseen = _without_video(view, episodes)
    if unseen:
        have = agree(len(unseen), "has", "have")
        hint = f"keep them: {episodes_text(unseen)} {have} no video, and can be encoded from these pictures"
    else:
        hint = "save_episode was interrupted; move the folder out of the dataset if nothing is missed"
    yield Problem("unfinished-episode", message, str(view.root / "images"), hint, severity="warning")


def _encoded(view: View) -> Iterator[Problem]:
    """Videos that were encoded, or begun, and not put in their place."""
    folders = [path for path in view.root.glob("tmp*") if _ENCODED_IN.fullmatch(path.name)]
    left = sorted(path for folder in folders if not folder.is_symlink() for path in folder.glob("*.mp4"))
    if left:
        was = agree(len(left), "was", "were")
        message = f"{count(len(left), 'video')} {was} encoded and never put into videos: {left[0].name}"
        hint = "save_episode was interrupted; move such folders out of the dataset if nothing is missed"
        yield Problem("unfinished-episode", message, str(left[0].parent), hint, severity="warning")


def _left(view: View) -> dict[int, int]:
    """Pictures in ``images/`` by episode; -1 for those whose folder names none."""
    images = view.root / "images"
    left: dict[int, int] = {}
    if images.is_dir() and not images.is_symlink():
        for path in images.rglob("*"):
            if path.suffix in _PICTURES:
                match = _EPISODE.fullmatch(path.parent.name)
                episode = int(match[1]) if match else -1
                left[episode] = left.get(episode, 0) + 1
    return left


def _without_video(view: View, episodes: set[int]) -> list[int]:
    """Those of the episodes that are listed, and have no video of some camera."""
    lost: set[int] = set()
    for spans in view.spans.values():
        for episode in episodes & view.rows_of.keys():
            span = spans[view.rows_of[episode]]
            if span is None or not span.path.is_file():
                lost.add(episode)
    return sorted(lost)
