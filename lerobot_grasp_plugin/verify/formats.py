"""Which layout a dataset has: a file per episode (v2.0, v2.1), or many episodes per file (v3.0)."""

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
    """Tables, or videos, of one layout and the other.

    Attributes:
        own: Those of the layout of the metadata, and those of neither.
        other: Those of the other layout.
    """

    own: Sequence[Path]
    other: Sequence[Path]

    @property
    def used(self) -> Sequence[Path]:
        """Those of one layout: of the other where there is nothing else."""
        return self.own or self.other

    @property
    def swapped(self) -> bool:
        """Whether all that is there is of the other layout."""
        return bool(self.other) and not self.own


def sorted_out(info: Info, setting: str, legacy: bool, files: Sequence[Path]) -> Kind:
    """Files by their names.

    Args:
        info: ``info.json``; names in its own template are never those of the other layout.
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
    """Whether a path template is one of the other layout."""
    try:
        fields = layout.template_fields(template)
    except ValueError:
        return False
    return bool(fields & _FIELDS[not legacy]) and not fields & _FIELDS[legacy]


def metadata_layouts(root: Path) -> dict[bool, list[str]]:
    """The metadata files of v2.x (True) and of v3.0 (False) that are there."""
    return {
        True: [name for name in _LEGACY_METADATA if (root / name).is_file()],
        False: [name for name in _METADATA if (root / name).exists()],
    }


def is_legacy(root: Path, version: str | None) -> bool:
    """Which metadata to read: what ``info.json`` names, if that is there; else what is there."""
    there = metadata_layouts(root)
    named = version in ("v2.0", "v2.1") if version is not None else None
    if named is not None and (there[named] or not there[not named]):
        return named
    if named is None and not there[True] and not there[False]:
        return next((root / "data").glob("*/episode_*.parquet"), None) is not None
    return bool(there[True]) and not there[False]


def check_formats(root: Path, info: Info, legacy: bool, tables: Kind, videos: Kind) -> Iterator[Problem]:
    """``info.json``, metadata, tables and videos that are not all of one format, in one finding.

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
            f"the metadata is that of {' and '.join(listed)}"
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
            f"keep the set that codebase_version {info.version} in info.json names, and move the other away"
        )
        yield Problem("mixed-versions", message, root / "meta", hint, severity="warning")
    elif renamed and not (tables.other or videos.other):
        right = "v2.1 (v2.0 without episodes_stats.jsonl)" if legacy else own
        message = f"info.json says {info.version}, but the metadata is that of {own}"
        hint = (
            f"set codebase_version to {right} if it was changed by hand; take the dataset from its source "
            "again if a conversion was interrupted"
        )
        yield Problem("version-mismatch", message, info.where, hint)


def _files(kind: Kind, noun: str, own: str, other: str) -> str:
    parts = [f"{count(len(kind.own), noun)} of {own}"] if kind.own else []
    parts += [f"{count(len(kind.other), noun)} of {other}"] if kind.other else []
    return " beside ".join(parts)


def _hint(tables: Kind, videos: Kind, own: str, other: str) -> str:
    if tables.own and tables.other:
        return (
            f"LeRobot reads every table below data/, and so frames come twice: keep those of {own}, which "
            f"the metadata lists, and move the files of {other} out of the dataset"
        )
    if tables.swapped or videos.swapped:
        return (
            f"a conversion was interrupted, or files of two datasets were mixed: put the metadata of {other} "
            f"back beside these files, or the files of {own} in their place, and convert again"
        )
    return f"a conversion left them: move the videos of {other} out of the dataset"
