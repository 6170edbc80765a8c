"""Checks files: missing, empty, left over, Git LFS pointers, and the limits of folders and files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.tables import TableFile
from lerobot_grasp_plugin.findings.problem import EPISODES, GraspError, Place, Problem, Severity, the_episodes
from lerobot_grasp_plugin.verify.nested import check_nested
from lerobot_grasp_plugin.verify.place import count
from lerobot_grasp_plugin.verify.view import View

_LFS_MARK = b"version https://git-lfs"
_CHUNK = re.compile(r"chunk-\d+")
_KINDS = {".parquet": "a table", ".mp4": "a video", ".json": "metadata", ".jsonl": "metadata"}


def check_files(view: View) -> Iterator[Problem]:
    """Checks the files without opening them, at the places the metadata names and elsewhere."""
    if view.episodes is not None:
        yield from _missing_tables(view)
        yield from _missing_videos(view)
        yield from _extra(view)
        yield from _unread(view)
    elif not view.data_files and "data" not in view.closed:
        yield layout.missing(view.root / "data", "every table")
    for folder in ("meta", "data", "videos"):
        if folder not in view.closed:
            for path in sorted((view.root / folder).rglob("*")):
                yield from _head(path)
    yield from check_nested(view.root, view.nested)
    yield from _limits(view)


def _head(path: Path) -> Iterator[Problem]:
    """Finds broken links, empty files and Git LFS pointers."""
    if path.is_symlink() and layout.dangling_link(path) is not None:
        yield layout.missing(path)
    kind = _KINDS.get(path.suffix)
    if kind is not None and path.suffix != ".mp4" and path.is_dir():
        message = f"this is a folder, not {kind}"
        yield Problem("unreadable-file", message, path, "move it out of the dataset")
    if kind is None or not path.is_file():
        return
    try:
        with path.open("rb") as file:
            start = file.read(len(_LFS_MARK))
    except OSError as error:
        yield Problem("unreadable-file", error.strerror or str(error), path)
        return
    empty, pointer = "empty-file", "lfs-pointer"
    if path.suffix == ".mp4":
        empty, pointer = "video-empty", "video-lfs-pointer"
    if not start:
        hint = "copy it again from the dataset's source; a failed write leaves such files"
        yield Problem(empty, "the file is empty (0 bytes)", path, hint)
    elif start == _LFS_MARK:
        hint = "fetch the real file with `git lfs pull`"
        yield Problem(pointer, f"this is a Git LFS pointer, not {kind}", path, hint)


def _missing_tables(view: View) -> Iterator[Problem]:
    assert view.episodes is not None
    if "data" in view.closed or view.tables.swapped:
        return
    wanted: dict[Path, list[int]] = {}
    for episode, path in zip(view.episodes.indices.tolist(), view.data_paths, strict=True):
        if path is not None:
            wanted.setdefault(path, []).append(episode)
    lost = {path: episodes for path, episodes in wanted.items() if not path.is_file()}
    elsewhere = bool(lost) and _all_rows_are_there(view, wanted)
    for path, episodes in lost.items():
        what, hint = f"the table of {EPISODES}", _left(view, episodes)
        problem = layout.missing(path, what, hint, episode=min(episodes))
        problem = replace(problem, episodes=the_episodes(episodes))
        if elsewhere and problem.code == "missing-file":
            yield moved_table(view, path, "other tables have all of its rows: --level data lists them")
        else:
            yield problem


def moved_table(view: View, path: Path, where_to: str) -> Problem:
    """The finding for a listed table that is missing while other tables have its rows."""
    assert view.episodes is not None
    named = zip(view.episodes.indices.tolist(), view.data_paths, strict=True)
    episodes = [episode for episode, own in named if own == path]
    message = f"the table listed for {EPISODES} does not exist; {where_to}"
    hint = "LeRobot reads every table in data/*/*.parquet, but its edit commands use the list"
    severity: Severity = "error" if view.legacy else "warning"
    if view.legacy:
        hint = "name the file by its episode"
    place = Place(str(path), episode=min(episodes))
    return Problem("missing-file", message, place, hint, severity=severity, episodes=the_episodes(episodes))


def _all_rows_are_there(view: View, wanted: Mapping[Path, Sequence[int]]) -> bool:
    """Whether unlisted tables have the rows of missing ones."""
    tables = [path for path in view.data_files if path not in view.unread_tables]
    if set(tables) <= wanted.keys() or (view.lengths == 0).any():
        return False
    try:
        return sum(TableFile(path).rows for path in tables) == int(view.lengths.sum())
    except GraspError:
        return False


def _left(view: View, lost: Sequence[int]) -> str:
    """The hint how to get a dataset without some episodes."""
    assert view.episodes is not None
    left = set(view.episodes.indices.tolist()) - set(lost)
    kept = "; or make a dataset of the other episodes with lerobot-grasp-merge" if left else ""
    return f"copy it again from the dataset's source{kept}"


def _missing_videos(view: View) -> Iterator[Problem]:
    assert view.episodes is not None
    if "videos" in view.closed or view.videos.swapped:
        return
    for key, spans in view.spans.items():
        wanted: dict[Path, list[int]] = {}
        for episode, span in zip(view.episodes.indices.tolist(), spans, strict=True):
            if span is not None:
                wanted.setdefault(span.path, []).append(episode)
        lost = {path: episodes for path, episodes in wanted.items() if not path.is_file()}
        first = next(iter(lost), None)
        if first is not None and len(lost) == len(wanted) and layout.dangling_link(first) is None:
            hint = "fetch its files, or drop the camera with lerobot-grasp-merge --drop_features"
            message = f"camera {key!r} has no video files"
            yield Problem("video-missing", message, Place(str(first), episode=0), hint)
            continue
        for path, episodes in lost.items():
            what = f"the video of {EPISODES}, camera {key!r},"
            problem = layout.missing(path, what, _left(view, episodes), episode=min(episodes))
            code = "video-missing" if problem.code == "missing-file" else problem.code
            yield replace(problem, code=code, episodes=the_episodes(episodes))


def _extra(view: View) -> Iterator[Problem]:
    """Finds files that no episode refers to, and files where LeRobot does not look."""
    named = {path for path in view.data_paths if path is not None}
    for path in view.data_files if named and not view.tables.swapped else ():
        if path not in named and path not in view.unread_tables:
            message = "no episode refers to this table, but LeRobot reads it"
            hint = (
                "an interrupted recording or conversion leaves such files: check its contents with "
                "--level data"
            )
            yield Problem("extra-file", message, path, hint)
    named = {span.path for spans in view.spans.values() for span in spans if span is not None}
    if view.videos.swapped or not view.info.raw:
        return
    undeclared = _undeclared(view)
    for camera, paths in undeclared.items():
        message = f"{count(len(paths), 'file')} of camera {camera!r}, which info.json does not declare"
        hint = "nothing reads them: declare the camera in features of info.json, or move its folder away"
        yield Problem("undeclared-camera", message, paths[0], hint)
    known = {path for paths in undeclared.values() for path in paths}
    for path in view.video_files:
        if path not in named and path not in known and (named or not view.video_keys):
            message, hint = (
                "no episode refers to this video",
                "move it out of the dataset if it is not needed",
            )
            yield Problem("extra-file", message, path, hint)


def _unread(view: View) -> Iterator[Problem]:
    """Finds tables where LeRobot does not look, in ``data`` or elsewhere."""
    data = view.root / "data"
    named = {path for path in view.data_paths if path is not None}
    listed = {path for path in named if path.parent.parent != data and path.is_file()}
    unread = sorted({*view.unread_tables, *listed})
    if not unread or "data" in view.closed:
        return
    needed = bool(listed) or view.data_files[:1] == unread[:1]
    message = f"LeRobot reads data/*/*.parquet only, not {count(len(unread), 'table')} elsewhere"
    hint = (
        "set data_path in info.json to data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet, and move "
    )
    hint = f"{hint if listed else 'move '}them there" if needed else "move them out of the dataset"
    severity: Severity = "error" if needed else "warning"
    yield Problem("unread-table", message, unread[0], hint, severity=severity)


def _undeclared(view: View) -> dict[str, list[Path]]:
    """Files of undeclared cameras, by camera."""
    declared = view.info.raw.get("features")
    cameras: dict[str, list[Path]] = {}
    for path in sorted((view.root / "videos").rglob("*")):
        folders = path.relative_to(view.root / "videos").parts[:-1]
        names = [folder for folder in folders if not _CHUNK.fullmatch(folder)]
        if len(names) != 1 or len(folders) > 2 or path.name.startswith(".") or path.is_dir():
            continue
        if not isinstance(declared, dict) or names[0] in declared:
            continue
        if not any(path.is_relative_to(other) for other in view.nested):
            cameras.setdefault(names[0], []).append(path)
    return cameras


def _limits(view: View) -> Iterator[Problem]:
    """Checks files per chunk folder, file numbers and sizes."""
    limit = view.info.chunks_size
    folders = Counter(path.parent for path in (*view.data_files, *view.video_files))
    for folder, number in folders.items():
        if number > limit:
            message = f"{number} files, but chunks_size in info.json allows {limit}"
            yield Problem("chunk-limit", message, folder)
    if view.legacy or view.episodes is None:
        return
    for name, numbers in view.episodes.numbers.items():
        if name.endswith("/file_index") and len(numbers) and int(numbers.max()) >= limit:
            message = (
                f"{name} goes up to {int(numbers.max())}, but chunks_size in info.json allows {limit - 1}"
            )
            row = int(numbers.argmax())
            yield Problem("chunk-limit", message, Place(str(view.episodes.where), episode=row))
    for setting, files, standard in (
        ("data_files_size_in_mb", view.data_files, layout.DATA_FILES_SIZE_IN_MB),
        ("video_files_size_in_mb", view.video_files, layout.VIDEO_FILES_SIZE_IN_MB),
    ):
        given = view.info.raw.get(setting, standard)
        if isinstance(given, bool) or not isinstance(given, (int, float)) or not given > 0:
            continue
        for path in files:
            size = path.stat().st_size / 2**20
            if size > 1.5 * given and size > 1:
                message = f"{size:.0f} MB, but {setting} in info.json is {given}"
                hint = "LeRobot reads it; its own writer starts a new file at this size"
                yield Problem("large-file", message, path, hint)
