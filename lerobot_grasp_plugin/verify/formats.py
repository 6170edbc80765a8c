"""Determines the layout of a dataset: a file per episode (v2.0, v2.1), or many episodes per file (v3.0)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.findings.problem import Problem, Severity
from lerobot_grasp_plugin.verify.info import Info
from lerobot_grasp_plugin.verify.place import count

_LEGACY_METADATA = (
    layout.LEGACY_EPISODES_PATH,
    layout.LEGACY_EPISODES_STATS_PATH,
    layout.LEGACY_TASKS_PATH,
)
_METADATA = (layout.TASKS_PATH, layout.EPISODES_DIR)
_FILES = {True: re.compile(r"episode_\d+"), False: re.compile(r"file-\d+")}
_FIELDS = {True: {"episode_chunk", "episode_index"}, False: {"chunk_index", "file_index"}}
_NAMES = {True: "v2.x", False: "v3.0"}


@dataclass(frozen=True)
class Kind:
    """Tables, or videos, by layout.

    Attributes:
        own: Files in the metadata's layout, or in neither.
        other: Files in the other layout.
    """

    own: Sequence[Path]
    other: Sequence[Path]

    @property
    def used(self) -> Sequence[Path]:
        """The files of one layout: of the other if there are no others."""
        return self.own or self.other

    @property
    def swapped(self) -> bool:
        """Whether all files have the other layout."""
        return bool(self.other) and not self.own


def sorted_out(info: Info, setting: str, legacy: bool, files: Sequence[Path]) -> Kind:
    """Files by their names.

    Args:
        info: ``info.json``; names that match its own template never count as the other layout.
        setting: ``data_path`` or ``video_path``.
        legacy: Whether the metadata is that of v2.x.
        files: All tables, or all videos.
    """
    template = info.raw.get(setting)
    own = isinstance(template, str) and not foreign_template(template, legacy)
    if own and Path(str(template)).name.startswith("file-" if legacy else "episode_"):
        return Kind(files, ())
    matches = [bool(_FILES[not legacy].fullmatch(path.stem)) for path in files]
    return Kind(
        [path for path, match in zip(files, matches, strict=True) if not match],
        [path for path, match in zip(files, matches, strict=True) if match],
    )


def foreign_template(template: str, legacy: bool) -> bool:
    """Whether a path template belongs to the other layout."""
    try:
        fields = layout.template_fields(template)
    except ValueError:
        return False
    return bool(fields & _FIELDS[not legacy]) and not fields & _FIELDS[legacy]


def metadata_layouts(root: Path) -> dict[bool, list[str]]:
    """The existing metadata files of v2.x (True) and of v3.0 (False)."""
    return {
        True: [name for name in _LEGACY_METADATA if (root / name).is_file()],
        False: [name for name in _METADATA if (root / name).exists()],
    }


def is_legacy(root: Path, version: str | None) -> bool:
    """Which metadata to read: the format ``info.json`` names if it exists, else the existing one."""
    there = metadata_layouts(root)
    named = version in ("v2.0", "v2.1") if version is not None else None
    if named is not None and (there[named] or not there[not named]):
        return named
    if named is None and not there[True] and not there[False]:
        return next((root / "data").glob("*/episode_*.parquet"), None) is not None
    return bool(there[True]) and not there[False]


def check_formats(root: Path, info: Info, legacy: bool, tables: Kind, videos: Kind) -> Iterator[Problem]:
    """One finding for ``info.json``, metadata, tables and videos of different formats.

    Args:
        root: The dataset's folder.
        info: ``info.json``.
        legacy: Whether the metadata that is read is that of v2.x.
        tables: The tables.
        videos: The videos.
    """
    there = metadata_layouts(root)
    renamed = info.version is not None and (info.version != "v3.0") != legacy
    both = bool(there[True] and there[False])
    listed = [f"{_NAMES[old]} ({', '.join(names)})" for old, names in there.items() if names]
    own, other = _NAMES[legacy], _NAMES[not legacy]
    if tables.other or videos.other:
        said = f"info.json says {info.version}, " if info.version is not None else ""
        said += (
            f"the metadata has format {' and '.join(listed)}"
            if listed
            else "tasks and episodes are not listed"
        )
        parts = [said, _files(tables, "table", own, other), _files(videos, "video", own, other)]
        message = f"files of two formats: {'; '.join(filter(None, parts))}"
        where = root / ("data" if tables.other else "videos")
        harmless = not tables.other and not videos.swapped
        severity: Severity = "warning" if harmless else "error"
        yield Problem("mixed-versions", message, where, _hint(tables, videos, own, other), severity=severity)
    if both:
        message = f"metadata of two formats: {', '.join(listed)}"
        hint = (
            f"keep the format that codebase_version in info.json names, {info.version}, and move the "
            "other away"
        )
        yield Problem("mixed-versions", message, root / "meta", hint, severity="warning")
    elif renamed and not (tables.other or videos.other):
        right = "v2.1 (v2.0 without episodes_stats.jsonl)" if legacy else own
        message = f"info.json says {info.version}, but the metadata has format {own}"
        hint = (
            f"set codebase_version to {right} if it was changed by hand; copy the dataset from its source "
            "again if a conversion was interrupted"
        )
        yield Problem("version-mismatch", message, info.where, hint)


def _files(kind: Kind, noun: str, own: str, other: str) -> str:
    parts = [f"{count(len(kind.own), noun)} of {own}"] if kind.own else []
    parts += [f"{count(len(kind.other), noun)} of {other}"] if kind.other else []
    return " and ".join(parts)


def _hint(tables: Kind, videos: Kind, own: str, other: str) -> str:
    if tables.own and tables.other:
        return (
            f"LeRobot reads every table in data/, so frames are duplicated: keep those of {own}, which "
            f"the metadata lists, and move the files of {other} out of the dataset"
        )
    if tables.swapped or videos.swapped:
        return (
            "a conversion was interrupted, or files of two datasets were mixed: restore the metadata "
            f"of {other} "
            f"for these files, or the files of {own}, and convert again"
        )
    return f"a conversion left these videos: move the videos of {other} out of the dataset"
