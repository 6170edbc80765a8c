"""The paths and names that LeRobot uses inside a dataset folder.

The only module that knows path templates and column names. Sources of the rules:
``lerobot/datasets/utils.py`` (v3.0) and ``lerobot/scripts/convert_dataset_v21_to_v30.py`` (v2.x).
"""

from __future__ import annotations

import re
import string
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Final

from lerobot_grasp_plugin.core.timeline import TOLERANCE_S
from lerobot_grasp_plugin.dataset.links import LINKABLE, Links
from lerobot_grasp_plugin.findings.problem import DatasetError, Place, Problem

CODEBASE_VERSION: Final = "v3.0"
"""The format this package writes."""

READABLE_VERSIONS: Final = ("v2.0", "v2.1", "v3.0")

INFO_PATH: Final = "meta/info.json"
STATS_PATH: Final = "meta/stats.json"
TASKS_PATH: Final = "meta/tasks.parquet"
EPISODES_DIR: Final = "meta/episodes"
EPISODES_PATH: Final = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
DATA_PATH: Final = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO_PATH: Final = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
PROVENANCE_PATH: Final = "meta/grasp_provenance.json"
RECORDING_PATH: Final = "meta/grasp_recording.json"
LEARNING_PATH: Final = "meta/grasp_learning.json"
CARD_PATH: Final = "README.md"
SOURCES_DIR: Final = "meta/sources"
"""Folder of other files of single sources."""

LEGACY_EPISODES_PATH: Final = "meta/episodes.jsonl"
LEGACY_EPISODES_STATS_PATH: Final = "meta/episodes_stats.jsonl"
LEGACY_TASKS_PATH: Final = "meta/tasks.jsonl"
LEGACY_DATA_PATH: Final = "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet"
LEGACY_VIDEO_PATH: Final = "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4"

CHUNKS_SIZE: Final = 1000
"""Files per chunk folder."""
DATA_FILES_SIZE_IN_MB: Final = 100
VIDEO_FILES_SIZE_IN_MB: Final = 200

TIMESTAMP: Final = "timestamp"
FRAME_INDEX: Final = "frame_index"
EPISODE_INDEX: Final = "episode_index"
INDEX: Final = "index"
TASK_INDEX: Final = "task_index"
REWARD: Final = "next.reward"
DONE: Final = "next.done"
SUCCESS: Final = "next.success"

_FORMAT = re.compile("0?[0-9]?d?")
"""Allowed format of a field of a path template: ``03d``, ``d``, none."""

_VERSION = re.compile(r"\s*v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.0)*\s*", re.IGNORECASE)

INDEX_COLUMNS: Final = (FRAME_INDEX, EPISODE_INDEX, INDEX, TASK_INDEX)
"""Columns every merge renumbers."""

NO_LINKS: Final = Links()

NOT_HASHED: Final = frozenset({*INDEX_COLUMNS, TIMESTAMP, REWARD, DONE, SUCCESS})
"""Columns that an episode's content hash leaves out: merge and relabel change them."""

TIMESTAMP_TOLERANCE_S: Final = TOLERANCE_S
"""How far a row's timestamp may be from its image for LeRobot to read it (``tolerance_s``)."""

KNOWN_META_FILES: Final = frozenset(
    {
        INFO_PATH,
        STATS_PATH,
        TASKS_PATH,
        PROVENANCE_PATH,
        LEGACY_EPISODES_PATH,
        LEGACY_EPISODES_STATS_PATH,
        LEGACY_TASKS_PATH,
    }
)


def readable_version(value: object) -> str | None:
    """The entry of ``READABLE_VERSIONS`` for a ``codebase_version`` (``3.0``, ``v3``, ``v3.0.0``)."""
    match = _VERSION.fullmatch(value) if isinstance(value, str) else None
    version = f"v{int(match[1])}.{int(match[2] or 0)}" if match else None
    return version if version in READABLE_VERSIONS else None


def chunk_and_file(ordinal: int, chunks_size: int = CHUNKS_SIZE) -> tuple[int, int]:
    """Chunk and file index of the ``ordinal``-th file (0-based) of a kind."""
    return divmod(ordinal, chunks_size)


def template_fields(template: str) -> set[str]:
    """Names of the replacement fields of a path template.

    Raises:
        ValueError: The template is not a valid format string, or pads too much.
    """
    fields = {}
    for _, name, form, conversion in string.Formatter().parse(template):
        if name is not None:
            fields[name] = f"!{conversion}" if conversion else form or ""
    odd = [form for form in fields.values() if not _FORMAT.fullmatch(form)]
    if odd:
        raise ValueError(f"format {odd[0]!r} is not one of 03d, 06d, ...")
    return set(fields)


def fill_template(
    root: Path, template: str, *, setting: str, links: Links = NO_LINKS, **values: str | int
) -> Path:
    """Fills a path template of ``info.json`` and keeps the result inside the dataset.

    Args:
        root: The dataset's folder.
        template: For instance ``data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet``.
        setting: The template's name in ``info.json``, for the error.
        links: Links that may be followed.
        values: The values of the fields.

    Raises:
        DatasetError: A field is unknown, or the path leads outside ``root``.
    """
    where = root / INFO_PATH
    try:
        unknown = template_fields(template) - set(values)
        if unknown:
            raise ValueError(f"unknown field {', '.join(sorted(map(repr, unknown)))}")
        relative = template.format(**values)
    except (ValueError, IndexError, KeyError, AttributeError) as error:
        hint = f"allowed fields: {', '.join(sorted(values))}"
        problem = Problem("bad-path-template", f"{setting} {template!r}: {error}", where, hint)
        raise DatasetError(problem) from None
    pure = PurePosixPath(relative)
    if pure.is_absolute() or ".." in pure.parts or "\0" in relative:
        message = f"{setting} {template!r} leads outside the dataset: {relative!r}"
        raise DatasetError(Problem("path-outside-dataset", message, where))
    path = root / relative
    _check_folder(root, path.parent, links)
    if path.is_symlink():
        _check_place(root, path, links)
    return path


def check_links(root: Path, folder: str, links: Links = NO_LINKS) -> None:
    """Refuses links below a folder of a dataset that lead outside the dataset.

    A link may lead to the files of the same repository in the Hub's cache.

    Args:
        root: The dataset's folder.
        folder: Its folder, such as ``meta``.
        links: Links that may be followed.

    Raises:
        DatasetError: A link leads elsewhere.
    """
    pending, seen = [root / folder], set()
    while pending:
        here = pending.pop()
        _check_folder(root, here, links)
        seen.add(here.resolve())  # links may be circular
        try:
            entries = sorted(here.iterdir())
        except OSError:
            continue
        for entry in entries:
            if entry.is_symlink():
                _check_place(root, entry, links)
            if entry.is_dir() and entry.resolve() not in seen:
                pending.append(entry)


def dangling_link(path: Path) -> Path | None:
    """The broken link of a missing path: itself, or a folder above it."""
    for part in (path, *path.parents):
        if part.is_symlink() and _leads_nowhere(part):
            return part
        if part.exists():
            break
    return None


def missing(path: Path, what: str = "the file", hint: str = "", *, episode: int | None = None) -> Problem:
    """The finding for a missing file, or a broken link.

    Args:
        path: Where it should be.
        what: Its name in the sentence.
        hint: The hint; by default to copy it again.
        episode: The first episode that is lost with it.
    """
    link = dangling_link(path)
    if link is None:
        hint = hint or "copy it again from the dataset's source"
        return Problem("missing-file", f"{what} is missing", Place(str(path), episode=episode), hint)
    message = f"{what} is missing: the link to {link.readlink()} is broken"
    hint = "fetch its target (a new download, `git annex get`), or copy the dataset with `cp -rL`"
    return Problem("dangling-link", message, Place(str(link), episode=episode), hint)


def _leads_nowhere(link: Path) -> bool:
    try:
        link.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


@cache
def _check_folder(root: Path, folder: Path, links: Links) -> None:
    _check_place(root, folder, links)


def _check_place(root: Path, path: Path, links: Links) -> None:
    try:
        real, home = path.resolve(), root.resolve()
    except (OSError, RuntimeError):
        raise DatasetError(Problem("bad-link", "the link is circular", path)) from None
    allowed = [home]
    if home.parent.name == "snapshots":  # a download: files are links to ../../blobs
        allowed.append(home.parent.parent / "blobs")
    if any(real.is_relative_to(place) for place in allowed) or dangling_link(path):
        return
    inside = path.relative_to(root).parts[:1]
    linkable = bool(inside) and inside[0] in LINKABLE
    if not (linkable and links.allows(real)):
        message = f"the path leads outside the dataset, to {real}"
        hint = "move the files themselves into the dataset's folder"
        if linkable:
            hint += ", or follow the links in its data/ and videos/ with --follow_links true"
        raise DatasetError(Problem("path-outside-dataset", message, path, hint))
