"""Files: missing, empty, left over, Git LFS pointers, and the limits of folders and files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.errors import Problem
from lerobot_grasp_plugin.ops.verification.place import count, episodes_text
from lerobot_grasp_plugin.ops.verification.view import View

_LFS_MARK = b"version https://git-lfs"
_KINDS = {".parquet": "a table", ".mp4": "a video", ".json": "metadata", ".jsonl": "metadata"}


def check_files(view: View) -> Iterator[Problem]:
    """What is wrong with the files without opening them, at the places the metadata names and elsewhere."""
    for folder in ("meta", "data", "videos"):
        if folder not in view.closed:
            for path in sorted((view.root / folder).rglob("*")):
                yield from _head(path)
    if view.episodes is not None:
        yield from _missing_tables(view)
        yield from _missing_videos(view)
        yield from _extra(view)
    elif not view.data_files and "data" not in view.closed:
        yield Problem("missing-file", "there is no table", str(view.root / "data"))
    yield from _limits(view)
    yield from _unfinished(view)


def _head(path: Path) -> Iterator[Problem]:
    """Empty files and Git LFS pointers."""
    kind = _KINDS.get(path.suffix)
    if kind is None or not path.is_file():
        return
    try:
        with path.open("rb") as file:
            start = file.read(len(_LFS_MARK))
    except OSError as error:
        yield Problem("unreadable-file", error.strerror or str(error), str(path))
        return
    prefix = "video-" if path.suffix == ".mp4" else ""
    if not start:
        yield Problem(f"{prefix}empty" if prefix else "empty-file", "the file has no bytes", str(path))
    elif start == _LFS_MARK:
        hint = "fetch the real file with `git lfs pull`"
        yield Problem(f"{prefix}lfs-pointer", f"a Git LFS pointer, not {kind}", str(path), hint)


def _missing_tables(view: View) -> Iterator[Problem]:
    assert view.episodes is not None
    wanted: dict[Path, list[int]] = {}
    for episode, path in zip(view.episodes.indices.tolist(), view.data_paths, strict=True):
        if path is not None:
            wanted.setdefault(path, []).append(episode)
    for path, episodes in wanted.items():
        if "data" not in view.closed and not path.is_file():
            message = f"the table of {episodes_text(episodes)} is missing"
            yield Problem("missing-file", message, str(path), episode=min(episodes))


def _missing_videos(view: View) -> Iterator[Problem]:
    assert view.episodes is not None
    if "videos" in view.closed:
        return
    for key, spans in view.spans.items():
        wanted: dict[Path, list[int]] = {}
        for episode, span in zip(view.episodes.indices.tolist(), spans, strict=True):
            if span is not None:
                wanted.setdefault(span.path, []).append(episode)
        lost = {path: episodes for path, episodes in wanted.items() if not path.is_file()}
        if lost and len(lost) == len(wanted):
            hint = "fetch its files, or leave the camera out with --drop_features of lerobot-grasp-merge"
            message = f"camera {key!r} has no video file at all"
            yield Problem("video-missing", message, str(next(iter(lost))), hint, episode=0)
            continue
        for path, episodes in lost.items():
            message = f"the video of {episodes_text(episodes)}, camera {key!r}, is missing"
            yield Problem("video-missing", message, str(path), episode=min(episodes))


def _extra(view: View) -> Iterator[Problem]:
    """Files no episode refers to, and files where LeRobot does not look."""
    named = {path for path in view.data_paths if path is not None}
    if named:
        for path in view.data_files:
            if path not in named:
                message = "no episode refers to this table; LeRobot reads it nevertheless"
                hint = "an interrupted recording or conversion leaves such files"
                yield Problem("extra-file", message, str(path), hint, severity="warning")
    named = {span.path for spans in view.spans.values() for span in spans if span is not None}
    for path in view.video_files:
        if path not in named and (named or not view.video_keys):
            message = "no episode refers to this video"
            yield Problem("extra-file", message, str(path), severity="warning")


def _limits(view: View) -> Iterator[Problem]:
    """Files per chunk folder, file numbers, and sizes."""
    limit = view.info.chunks_size
    folders = Counter(path.parent for path in (*view.data_files, *view.video_files))
    for folder, number in folders.items():
        if number > limit:
            message = f"{number} files, chunks_size in info.json allows {limit}"
            yield Problem("chunk-limit", message, str(folder), severity="warning")
    if view.legacy or view.episodes is None:
        return
    for name, numbers in view.episodes.numbers.items():
        if name.endswith("/file_index") and len(numbers) and int(numbers.max()) >= limit:
            message = f"{name} goes to {int(numbers.max())}, chunks_size in info.json allows {limit - 1}"
            row = int(numbers.argmax())
            yield Problem("chunk-limit", message, str(view.episodes.where), severity="warning", episode=row)
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
                message = f"{size:.0f} MB, {setting} in info.json is {given}"
                hint = "LeRobot reads it; its own writer would have begun another file"
                yield Problem("large-file", message, str(path), hint, severity="note")


def _unfinished(view: View) -> Iterator[Problem]:
    """What a recording that was interrupted leaves behind."""
    images = view.root / "images"
    if images.is_dir() and not images.is_symlink() and view.video_keys:
        left = sum(1 for path in images.rglob("*") if path.suffix in (".png", ".tiff", ".jpg"))
        if left:
            message = f"{count(left, 'picture')} that were never made into a video"
            hint = "an episode was interrupted before it was saved; remove the folder if nothing is missed"
            yield Problem("unfinished-episode", message, str(images), hint, severity="warning")
