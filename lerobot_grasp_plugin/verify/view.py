"""What can be read of a dataset that may be damaged in any way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.file_format import V2X, V30, FileFormat, format_of
from lerobot_grasp_plugin.dataset.links import Links
from lerobot_grasp_plugin.dataset.reader import VideoSpan
from lerobot_grasp_plugin.findings.problem import (
    DatasetError,
    GraspError,
    Problem,
    Severity,
)
from lerobot_grasp_plugin.verify.access import check_access
from lerobot_grasp_plugin.verify.formats import (
    Kind,
    check_formats,
    metadata_format,
    sorted_out,
)
from lerobot_grasp_plugin.verify.info import Info, inspect_info
from lerobot_grasp_plugin.verify.listed import EpisodeList
from lerobot_grasp_plugin.verify.metadata import read_listed_episodes
from lerobot_grasp_plugin.verify.nested import nested_datasets
from lerobot_grasp_plugin.verify.tasks import read_tasks

_READ_ANYWAY = "LeRobot reads every table in data/*/*.parquet without it; its recorder and its edits go by it"


@dataclass
class View:
    """A dataset's metadata and the places of its files.

    Attributes:
        root: Its folder.
        info: ``info.json``.
        format: The format of its metadata.
        tasks: Sentence of each ``task_index``; None where they cannot be read.
        episodes: The episodes the metadata lists; None where it cannot be read.
        closed: Folders (``meta``, ``data``, ``videos``) that are not read: links in them lead outside, or
            they may not be opened.
        problems: What reading found.
        links: Links that lead outside the folder and may be followed.
        mismatched: Path templates of ``info.json`` that were reported because they do not lead to the files.
    """

    root: Path
    info: Info
    format: FileFormat
    tasks: Mapping[int, str] | None = None
    episodes: EpisodeList | None = None
    closed: frozenset[str] = frozenset()
    problems: list[Problem] = field(default_factory=list)
    links: Links = layout.NO_LINKS
    mismatched: set[str] = field(default_factory=set)

    def report(self, problem: Problem) -> None:
        """Adds a finding, once."""
        if problem not in self.problems:
            self.problems.append(problem)

    @property
    def legacy(self) -> bool:
        """Whether its metadata is that of v2.0 or v2.1."""
        return self.format is V2X

    @cached_property
    def nested(self) -> Sequence[Path]:
        """Folders of other datasets that lie within this one."""
        return nested_datasets(self.root)

    @cached_property
    def tables(self) -> Kind:
        """The tables LeRobot reads, in its order; all others below ``data`` where it reads none."""
        found = self._found("data", "*.parquet")
        read = [path for path in found if path not in self.unread_tables]
        return sorted_out(self.info, "data_path", self.format, read or found)

    @cached_property
    def unread_tables(self) -> Sequence[Path]:
        """Tables in other folders than those LeRobot reads (``data/*/*.parquet``)."""
        data = self.root / "data"
        return [path for path in self._found("data", "*.parquet") if path.parent.parent != data]

    @cached_property
    def videos(self) -> Kind:
        """The videos that are there."""
        return sorted_out(self.info, "video_path", self.format, self._found("videos", "*.mp4"))

    @property
    def data_files(self) -> Sequence[Path]:
        """The tables, without those of another format."""
        return self.tables.used

    @property
    def video_files(self) -> Sequence[Path]:
        """The videos, without those of another format."""
        return self.videos.used

    def _found(self, folder: str, pattern: str) -> list[Path]:
        if folder in self.closed:
            return []
        linked = [link for link, _ in self.links.folders if link.is_relative_to(self.root / folder)]
        return sorted(
            path
            for path in {path for place in (self.root / folder, *linked) for path in place.rglob(pattern)}
            if path.is_file() and not any(path.is_relative_to(other) for other in self.nested)
        )

    @cached_property
    def video_keys(self) -> list[str]:
        """Cameras stored as video."""
        return self.info.keys("video")

    @cached_property
    def data_paths(self) -> Sequence[Path | None]:
        """The table of each listed episode; None where the metadata cannot say."""
        return self._paths("data_path", None)

    @cached_property
    def spans(self) -> dict[str, Sequence[VideoSpan | None]]:
        """Where the frames of each listed episode are, by video key."""
        spans: dict[str, Sequence[VideoSpan | None]] = {}
        if self.episodes is None:
            return {key: [] for key in self.video_keys}
        for key in self.video_keys:
            paths = self._paths("video_path", key)
            if not any(paths):
                spans[key] = [None] * len(paths)
                continue
            starts, stops = self._seconds(key, "from"), self._seconds(key, "to")
            spans[key] = [
                None if path is None or start is None else VideoSpan(path, start, stop)
                for path, start, stop in zip(paths, starts, stops, strict=True)
            ]
        return spans

    def _seconds(self, key: str, side: str) -> Sequence[float | None]:
        assert self.episodes is not None
        if self.legacy:
            return [0.0 if side == "from" else None] * len(self.episodes.indices)
        column = f"videos/{key}/{side}_timestamp"
        values = self.episodes.seconds.get(column)
        if values is None:
            message = f"camera {key!r} has no column {column!r}"
            severity: Severity = "error" if side == "from" else "warning"
            hint = f"LeRobot cannot {'find the frames' if side == 'from' else 'edit the dataset'} without it"
            self.report(Problem("missing-column", message, self.episodes.where, hint, severity=severity))
            return [None] * len(self.episodes.indices)
        return [value if np.isfinite(value) else None for value in values.tolist()]

    @property
    def renamed(self) -> bool:
        """Whether ``info.json`` says another format than the metadata is of."""
        return self.info.version is not None and format_of(self.info.version) is not self.format

    # -- path templates ---------------------------------------------------------------------------

    def _paths(self, setting: str, key: str | None) -> list[Path | None]:
        if self.episodes is None:
            return []
        if ("data" if key is None else "videos") in self.closed:
            return [None] * len(self.episodes.indices)
        template = self._template(setting)
        cache: dict[tuple[int, int], Path | None] = {}
        paths = []
        for place in self._places(key):
            if place is not None and place not in cache:
                cache[place] = self._path(setting, template, place, key)
            paths.append(None if place is None else cache[place])
        return paths

    def _template(self, setting: str) -> str:
        default = self.format.templates[setting]
        given = self.info.raw.get(setting, default)
        if isinstance(given, str) and self.renamed and self.format.is_foreign(given):
            return default
        if not isinstance(given, str) or not given:
            if self.info.raw:
                message = f"{setting} is {given!r}, and should be a path template"
                hint = f"LeRobot finds no file of an episode by it; the format's own is {default}"
                problem = Problem("bad-path-template", message, self.info.where, hint)
                self.report(self._of_template(setting, problem, default))
            return default
        try:
            self._fill(setting, given, (0, 0), None if setting == "data_path" else "video")
        except DatasetError as error:
            for problem in error.problems:
                self.report(self._of_template(setting, problem, default))
            return default
        needed = {"episode_index"} if self.legacy else {"chunk_index", "file_index"}
        needed |= {"video_key"} if setting == "video_path" else set()
        lacking = needed - layout.template_fields(given)
        if lacking and self._several(setting, lacking):
            message = f"{setting} {given!r} has no {', '.join(f'{{{name}}}' for name in sorted(lacking))}"
            hint = f"the format's own is {default}"
            self.report(Problem("bad-path-template", message, self.info.where, hint))
        return given

    def _fill(self, setting: str, template: str, place: tuple[int, int], key: str | None) -> Path:
        values: dict[str, str | int] = dict(zip(self.format.numbers, place, strict=True))
        if key is not None:
            values["video_key"] = key
        return layout.fill_template(self.root, template, setting=setting, links=self.links, **values)

    def _of_template(self, setting: str, problem: Problem, default: str) -> Problem:
        """The finding about a template that cannot be filled: a warning where LeRobot does not need it."""
        if problem.code != "bad-path-template" or setting == "video_path" or self.legacy:
            return problem
        hint = f"set it to {default}; {_READ_ANYWAY}"
        return replace(problem, hint=hint, severity="warning")

    def _several(self, setting: str, lacking: set[str]) -> bool:
        """Whether files would share one path without these fields."""
        if lacking == {"video_key"}:
            return len(self.video_keys) > 1
        files = self.data_files if setting == "data_path" else self.video_files
        return len(files) > 1 or self.legacy

    def _places(self, key: str | None) -> list[tuple[int, int] | None]:
        """Chunk and file (v3.0), or chunk and episode (v2.x), of each listed episode."""
        assert self.episodes is not None
        if self.legacy:
            return [(episode // self.info.chunks_size, episode) for episode in self.episodes.indices.tolist()]
        prefix = "data" if key is None else f"videos/{key}"
        chunks = self.episodes.numbers.get(f"{prefix}/chunk_index")
        files = self.episodes.numbers.get(f"{prefix}/file_index")
        if chunks is None or files is None:
            if key is not None:
                message = f"camera {key!r} has no columns {prefix}/chunk_index and {prefix}/file_index"
                hint = "LeRobot does not find its videos without them"
                self.report(Problem("missing-column", message, self.episodes.where, hint))
            return [None] * len(self.episodes.indices)
        return list(zip(chunks.tolist(), files.tolist(), strict=True))

    def _path(self, setting: str, template: str, place: tuple[int, int], key: str | None) -> Path | None:
        try:
            path = self._fill(setting, template, place, key)
        except DatasetError as error:
            for problem in error.problems:
                self.report(problem)
            return None
        if path.exists():
            return path
        if self.legacy:
            return self._by_name(setting, path, key)
        return self._by_default(setting, path, place, key)

    def _by_default(self, setting: str, path: Path, place: tuple[int, int], key: str | None) -> Path:
        """The file at the format's own path where the template leads to none, or the path as it is."""
        default = layout.DATA_PATH if key is None else layout.VIDEO_PATH
        own = self._fill(setting, default, place, key)
        if own == path or not own.is_file():
            return path
        message = f"{setting} leads to {self.named(path)}, which is not there; "
        message += "the files are where the format has them"
        why = "LeRobot finds the files of an episode by it" if key is not None else _READ_ANYWAY
        severity: Severity = "warning" if key is None else "error"
        self._mismatch(setting, message, f"set it to {default}; {why}", severity)
        return own

    def _mismatch(self, setting: str, message: str, hint: str, severity: Severity) -> None:
        """Reports that a template does not lead to the files, once for each template."""
        if setting not in self.mismatched:
            self.mismatched.add(setting)
            self.report(Problem("template-mismatch", message, self.info.where, hint, severity=severity))

    def _by_name(self, setting: str, path: Path, key: str | None) -> Path:
        """The only file of that name, as LeRobot's converter finds it, or the path as it is."""
        same = [
            found
            for found in self._names["data" if key is None else "videos"].get(path.name, ())
            if key is None or key in found.parts
        ]
        if len(same) != 1:
            return path
        message = f"{setting} does not lead to the files, which are found by their names"
        hint = "episodes are in chunk folders by episode_index // chunks_size; "
        hint += f"one was looked for at {self.named(path)}"
        self._mismatch(setting, message, hint, "warning")
        return same[0]

    def named(self, path: Path) -> Path:
        """A path in a message: relative to the dataset where it lies in it."""
        return path.relative_to(self.root) if path.is_relative_to(self.root) else path

    @cached_property
    def _names(self) -> dict[str, dict[str, list[Path]]]:
        names: dict[str, dict[str, list[Path]]] = {"data": {}, "videos": {}}
        for folder, files in (("data", self.data_files), ("videos", self.video_files)):
            for file in files:
                names[folder].setdefault(file.name, []).append(file)
        return names

    # -- episodes ---------------------------------------------------------------------------------

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """Rows of each listed episode; 0 where the metadata does not say."""
        if self.episodes is None:
            return np.empty(0, dtype=np.int64)
        return np.maximum(self.episodes.lengths, 0)

    @cached_property
    def rows_of(self) -> dict[int, int]:
        """Position in the list of each ``episode_index``."""
        rows: dict[int, int] = {}
        for row, episode in enumerate([] if self.episodes is None else self.episodes.indices.tolist()):
            rows.setdefault(episode, row)
        return rows


def open_view(root: Path, links: Links = layout.NO_LINKS) -> View:
    """Reads the metadata of a dataset; what cannot be read becomes a problem."""
    problems: list[Problem] = links.notes()
    closed = set()
    for folder in ("meta", "data", "videos"):
        try:
            check_access(root / folder)
            layout.check_links(root, folder, links)
        except GraspError as error:
            problems += error.problems
            closed.add(folder)
    if "meta" in closed:
        unread = Info(root / layout.INFO_PATH, {}, None, None, {}, layout.CHUNKS_SIZE, ())
        return View(root, unread, V30, closed=frozenset(closed), problems=problems)
    info = inspect_info(root)
    own = metadata_format(root, info.version)
    view = View(root, info, own, closed=frozenset(closed), problems=[*problems, *info.problems], links=links)
    for problem in check_formats(root, info, own, view.tables, view.videos):
        view.report(problem)
    view.tasks = read_tasks(root, own, view.report)
    view.episodes = read_listed_episodes(root, own, view.report)
    return view
