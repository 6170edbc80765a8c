"""Determines the layout of a dataset: a file per episode (v2.0, v2.1), or many episodes per file (v3.0)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lerobot_grasp_plugin.dataset.file_format import V2X, V30, FileFormat, format_of
from lerobot_grasp_plugin.findings.problem import Problem, Severity
from lerobot_grasp_plugin.verify.info import Info
from lerobot_grasp_plugin.verify.place import count


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


def sorted_out(info: Info, setting: str, own: FileFormat, files: Sequence[Path]) -> Kind:
    """Files by their names.

    Args:
        info: ``info.json``; names that match its own template never count as the other format.
        setting: ``data_path`` or ``video_path``.
        own: The format of the metadata.
        files: All tables, or all videos.
    """
    template = info.raw.get(setting)
    is_own = isinstance(template, str) and not own.is_foreign(template)
    if is_own and Path(str(template)).name.startswith(own.other.prefix):
        return Kind(files, ())
    matches = list(map(own.other.has_name, files))
    return Kind(
        [path for path, match in zip(files, matches, strict=True) if not match],
        [path for path, match in zip(files, matches, strict=True) if match],
    )


def metadata_format(root: Path, version: str | None) -> FileFormat:
    """The format whose metadata is read: the one ``info.json`` names if it exists, else the existing one."""
    existing = [each for each in (V2X, V30) if each.metadata(root)]
    if version is not None:
        named = format_of(version)
        return named if named in existing or not existing else named.other
    if not existing:
        return V2X if next((root / "data").glob("*/episode_*.parquet"), None) is not None else V30
    return existing[-1]


def check_formats(root: Path, info: Info, own: FileFormat, tables: Kind, videos: Kind) -> Iterator[Problem]:
    """One finding for ``info.json``, metadata, tables and videos of different formats.

    Args:
        root: The dataset's folder.
        info: ``info.json``.
        own: The format of the metadata that is read.
        tables: The tables.
        videos: The videos.
    """
    existing = {each.name: names for each in (V2X, V30) if (names := each.metadata(root))}
    renamed = info.version is not None and format_of(info.version) is not own
    listed = [f"{name} ({', '.join(names)})" for name, names in existing.items()]
    if tables.other or videos.other:
        said = f"info.json says {info.version}, " if info.version is not None else ""
        said += (
            f"the metadata has format {' and '.join(listed)}"
            if listed
            else "tasks and episodes are not listed"
        )
        parts = [said, _files(tables, "table", own), _files(videos, "video", own)]
        message = f"files of two formats: {'; '.join(filter(None, parts))}"
        where = root / ("data" if tables.other else "videos")
        harmless = not tables.other and not videos.swapped
        severity: Severity = "warning" if harmless else "error"
        yield Problem("mixed-versions", message, where, _hint(tables, videos, own), severity=severity)
    if len(existing) == 2:
        message = f"metadata of two formats: {', '.join(listed)}"
        hint = (
            f"keep the format that codebase_version in info.json names, {info.version}, and move the "
            "other away"
        )
        yield Problem("mixed-versions", message, root / "meta", hint, severity="warning")
    elif renamed and not (tables.other or videos.other):
        right = "v2.1 (v2.0 without episodes_stats.jsonl)" if own is V2X else own.name
        message = f"info.json says {info.version}, but the metadata has format {own.name}"
        hint = (
            f"set codebase_version to {right} if it was changed by hand; copy the dataset from its source "
            "again if a conversion was interrupted"
        )
        yield Problem("version-mismatch", message, info.where, hint)


def _files(kind: Kind, noun: str, own: FileFormat) -> str:
    parts = [f"{count(len(kind.own), noun)} of {own.name}"] if kind.own else []
    parts += [f"{count(len(kind.other), noun)} of {own.other.name}"] if kind.other else []
    return " and ".join(parts)


def _hint(tables: Kind, videos: Kind, own: FileFormat) -> str:
    if tables.own and tables.other:
        return (
            f"LeRobot reads every table in data/, so frames are duplicated: keep those of {own.name}, which "
            f"the metadata lists, and move the files of {own.other.name} out of the dataset"
        )
    if tables.swapped or videos.swapped:
        return (
            "a conversion was interrupted, or files of two datasets were mixed: restore the metadata "
            f"of {own.other.name} "
            f"for these files, or the files of {own.name}, and convert again"
        )
    return f"a conversion left these videos: move the videos of {own.other.name} out of the dataset"
