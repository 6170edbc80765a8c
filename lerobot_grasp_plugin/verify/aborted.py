"""Finds interrupted recordings and downloads, and says what is left and how to use it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lerobot_grasp_plugin.dataset.tables import TableFile
from lerobot_grasp_plugin.findings.problem import EPISODES, GraspError, Problem, the_episodes
from lerobot_grasp_plugin.verify.place import agree, count, episodes_text
from lerobot_grasp_plugin.verify.view import View

_EPISODE = re.compile(r"episode[-_](\d{1,9})")
_ENCODED_IN = re.compile(r"tmp[a-z0-9_]{8}")
"""Folders next to ``videos`` in which LeRobot encodes, as tempfile names them."""
_IMAGES = frozenset({".png", ".tiff", ".jpg"})


def check_aborted(view: View) -> Iterator[Problem]:
    """Finds datasets without episodes or files, files that nothing lists, and leftover images."""
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
    yield from _images(view)
    yield from _encoded(view)


def _nothing(view: View) -> Problem:
    left = _kept_images(view)
    message = "the dataset has no episodes: the recording ended before its first episode was saved"
    hint = f"left of the first episode: {left}; keep what you need of it and record again"
    if not left:
        hint = "nothing can be recovered: remove the folder and record again"
    return Problem("no-episodes", message, view.info.where, hint)


def _kept_images(view: View) -> str:
    """Places of images that are in no table and no video of the dataset; empty if none."""
    number = sum(_left(view).values())
    places = [f"{count(number, 'image')} in images/"] if number else []
    places += [f"a video in {path.parent.name}/" for path in _encoded_videos(view) if path.stat().st_size]
    return " and ".join(places)


def _elsewhere(view: View) -> bool:
    """Whether listed tables exist outside ``data``."""
    return any(path is not None and path.is_file() for path in view.data_paths)


def _only_metadata(view: View) -> Problem:
    assert view.episodes is not None
    cameras = count(len(view.video_keys), "camera")
    videos = f" and the videos of {cameras}" if view.video_keys else ""
    message = (
        f"only the metadata exists: the tables of {episodes_text(view.episodes.indices.tolist())}{videos} "
        "are missing"
    )
    if left := _kept_images(view):
        message += f"; also left: {left}"
    hint = (
        "copy data/ and videos/ from the recording machine, or download the dataset: "
        "`hf download OWNER/NAME --repo-type dataset`"
    )
    return Problem("only-metadata", message, view.root, hint)


def _unlisted(view: View) -> Iterator[Problem]:
    """Finds a recording that ended before its episodes were listed."""
    rows, broken = 0, 0
    for path in view.data_files:
        try:
            rows += TableFile(path).rows
        except GraspError:
            broken += 1
    total = view.info.count("total_episodes")
    if total and not broken:
        return  # a lost list, see missing-episodes-table
    tables, videos = len(view.data_files), len(view.video_files)
    when = "before finalize() listed its episodes" if total else "while its first episode was being saved"
    parts = [count(number, kind) for number, kind in ((tables, "table"), (videos, "video")) if number]
    claim = f"info.json has {count(total, 'episode') if total else 'no episodes'}"
    there = agree(tables if tables else videos, "is", "are")
    message = f"the recording was interrupted {when}: {claim}, and there {there} {' and '.join(parts)}"
    images = " and ".join(filter(None, ["the videos" * bool(videos), _kept_images(view)]))
    if rows:
        hint = (
            f"{count(rows, 'row')} can be read: rebuild the list of episodes with their lengths, and set the "
            "totals in info.json"
        )
        hint += f"; LeRobot cannot read {count(broken, 'table')} without footer" * bool(broken)
    elif broken:
        hint = "LeRobot cannot read the rows, because finalize() did not write the tables' footers"
    else:
        hint = "no rows were written"
    hint += f"; images left: {images}" * bool(images)
    yield Problem("unfinished-recording", message, view.info.where, hint)


def _resumed(view: View) -> Iterator[Problem]:
    """Finds a resumed recording that ended before its new episodes were listed."""
    assert view.episodes is not None
    indices, lengths = view.episodes.indices, view.episodes.lengths
    total, last = view.info.count("total_episodes") or 0, len(indices) - 1
    if total < len(indices) or indices.tolist() != list(range(len(indices))) or (lengths < 0).any():
        return
    named = {path for path in view.data_paths if path is not None}
    new = [path for path in view.data_files if path not in named]
    rows, lost = 0, 0
    for path in new:
        try:
            file = TableFile(path)
            if min(file.episode_ranges(), default=0) <= last:
                return
            rows += file.rows
        except GraspError:
            lost += 1
    saving = total == len(indices)
    if not new or (saving and (rows or not all(path > max(named, default=path) for path in new))):
        return
    first = ", ".join(path.relative_to(view.root).as_posix() for path in new[:3])
    if saving:
        message = (
            f"a resumed recording was interrupted while episode {total} was being saved: no episode "
            f"refers to {first}, and {agree(len(new), 'it has', 'they have')} no footer"
        )
    else:
        state = "have no readable" if lost else "are in a"
        message = (
            f"a resumed recording was interrupted: info.json has {count(total, 'episode')}, "
            f"those after episode {last} are not listed, and {state} table"
        )
    hint = (
        f"to keep episodes 0-{last}, move {first} and the videos that no episode refers to out of the dataset"
    )
    if not saving:
        hint += f", and set total_episodes to {len(indices)} and total_frames to {int(lengths.sum())}"
    if images := _kept_images(view):
        hint += f"; left of episode {total}: {images}" if saving else f"; also left: {images}"
    hint += f"; or add the episodes of the {count(rows, 'row')} to the list" * bool(rows)
    yield Problem("unfinished-resume", message, view.info.where, hint)


def _images(view: View) -> Iterator[Problem]:
    """Finds images that were not encoded into a video or written to a table."""
    left = _left(view)
    if not view.video_keys:  # images of saved episodes are also in the tables
        left = {episode: number for episode, number in left.items() if episode not in view.rows_of}
    if not left or (view.info.raw and not view.info.keys("video", "image")):
        return
    waiting, episodes = sum(left.values()), {episode for episode in left if episode >= 0}
    of = f" of {EPISODES}" if episodes else ""
    was, place = agree(waiting, "was", "were"), "video" if view.video_keys else "table"
    message = f"{count(waiting, 'image')}{of} {was} not written to a {place}"
    unseen = _without_video(view, episodes)
    if unseen:
        have = agree(len(unseen), "has", "have")
        hint = f"keep them: {episodes_text(unseen)} {have} no video, which can be encoded from these images"
    else:
        hint = (
            "the recording ended before the episode was saved; move the folder out of the dataset if "
            "not needed"
        )
    yield Problem("unfinished-episode", message, view.root / "images", hint, episodes=the_episodes(episodes))


def _encoded(view: View) -> Iterator[Problem]:
    """Finds encoded videos that were not moved to ``videos``."""
    left = _encoded_videos(view)
    if left:
        was = agree(len(left), "was", "were")
        message = f"{count(len(left), 'video')} {was} encoded but not moved to videos/: {left[0].name}"
        hint = (
            "the recording ended before the episode was saved; move such folders out of the dataset if "
            "they are not needed"
        )
        yield Problem("unfinished-episode", message, left[0].parent, hint)


def _encoded_videos(view: View) -> list[Path]:
    """Videos in LeRobot's encoding folders."""
    folders = [path for path in view.root.glob("tmp*") if _ENCODED_IN.fullmatch(path.name)]
    return sorted(path for folder in folders if not folder.is_symlink() for path in folder.glob("*.mp4"))


def _left(view: View) -> dict[int, int]:
    """Images in ``images/`` by episode; -1 for those whose folder names none."""
    images = view.root / "images"
    left: dict[int, int] = {}
    if images.is_dir() and not images.is_symlink():
        for path in images.rglob("*"):
            if path.suffix in _IMAGES:
                match = _EPISODE.fullmatch(path.parent.name)
                episode = int(match[1]) if match else -1
                left[episode] = left.get(episode, 0) + 1
    return left


def _without_video(view: View, episodes: set[int]) -> list[int]:
    """The given episodes that are listed and lack the video of some camera."""
    lost: set[int] = set()
    for spans in view.spans.values():
        for episode in episodes & view.rows_of.keys():
            span = spans[view.rows_of[episode]]
            if span is None or not span.path.is_file():
                lost.add(episode)
    return sorted(lost)
