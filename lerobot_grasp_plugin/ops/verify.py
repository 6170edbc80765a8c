"""Whether a dataset on disk is what it says it is, and what LeRobot will make of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from lerobot_grasp_plugin.core.choices import Level
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.hub import Location
from lerobot_grasp_plugin.dataset.links import Links
from lerobot_grasp_plugin.errors import GraspError, Problem
from lerobot_grasp_plugin.ops.progress import Progress, silent
from lerobot_grasp_plugin.ops.report import Check, VerifyReport
from lerobot_grasp_plugin.ops.verification import declared
from lerobot_grasp_plugin.ops.verification.aborted import check_aborted, consequences
from lerobot_grasp_plugin.ops.verification.block import verification_block
from lerobot_grasp_plugin.ops.verification.decode import check_decoding
from lerobot_grasp_plugin.ops.verification.files import check_files
from lerobot_grasp_plugin.ops.verification.indices import IndexCheck
from lerobot_grasp_plugin.ops.verification.meaning import Thorough, check_metadata
from lerobot_grasp_plugin.ops.verification.picture_means import PictureMeans
from lerobot_grasp_plugin.ops.verification.pictures import PictureCheck
from lerobot_grasp_plugin.ops.verification.tables import RowCheck, Rows, Tables
from lerobot_grasp_plugin.ops.verification.timestamps import TimestampCheck
from lerobot_grasp_plugin.ops.verification.unchecked import left_out
from lerobot_grasp_plugin.ops.verification.values import FiniteCheck
from lerobot_grasp_plugin.ops.verification.videos import VideoCheck, check_videos
from lerobot_grasp_plugin.ops.verification.view import View, open_view

_SEVERITIES = ("error", "warning", "note")


def verify_dataset(
    root: str | Path,
    repo_id: str | None = None,
    *,
    level: Level = "video",
    thorough: bool = True,
    follow_links: bool = False,
    progress: Progress = silent,
) -> VerifyReport:
    """Checks a dataset of format v2.0, v2.1 or v3.0; nothing is written, and no code in it is run.

    Args:
        root: The dataset's folder.
        repo_id: Its name; the findings name files, so it only serves the caller.
        level: How deep to look: ``meta`` reads the metadata, ``data`` every row as well, ``video`` the
            packet headers of the videos as well, ``decode`` decodes every picture.
        thorough: Whether to recompute statistics and to look at labels and values, too, and not only at
            the structure.
        follow_links: Whether links in ``data`` and ``videos`` may lead outside the folder.
        progress: Told how far it is.

    Returns:
        The checks and everything that was found; never raises for a damaged dataset.
    """
    folder = Path(root).expanduser()
    links = Links.of(folder) if follow_links else layout.NO_LINKS
    verifier = _Verifier(open_view(folder, links), level, thorough, progress)
    verifier.run()
    return VerifyReport(verifier.view.root, verifier.block(), verifier.sorted(), level)


def fetch_files(location: Location, level: Level) -> None:
    """Downloads what a level looks at, for a dataset that is on the Hub; does nothing for another.

    Raises:
        DatasetError: Files cannot be downloaded.
    """
    if location.fetch is None or level == "meta":
        return
    view = open_view(location.root, location.links)
    wanted = {path for path in view.data_paths if path is not None}
    if level in ("video", "decode"):
        wanted |= {span.path for spans in view.spans.values() for span in spans if span is not None}
    location.fetch(sorted(path.relative_to(location.root).as_posix() for path in wanted))


class _Verifier:
    """Runs the checks that can run and keeps what they find."""

    def __init__(self, view: View, level: Level, thorough: bool, progress: Progress) -> None:
        self.view = view
        self.level = level
        self.thorough = thorough
        self.progress = progress
        self.problems: list[Problem] = []
        self.rows: int | None = None
        self.checked = False
        self.unread: set[Path] = set()
        self.moved: set[Path] = set()
        self.doubled: set[Path] = set()

    def run(self) -> None:
        view = self.view
        self.collect("files", lambda: check_files(view))
        self.collect("recording", lambda: check_aborted(view))
        self.collect("tasks", lambda: declared.check_tasks(view))
        self.collect("splits", lambda: declared.check_splits(view))
        if self.thorough and self.level == "meta":
            self.collect("statistics", lambda: check_metadata(view))
        if self.level != "meta" and "meta" not in view.closed:
            self.collect("tables", self.tables)
        self.collect("totals", lambda: declared.check_totals(view, self.rows))
        if self.level in ("video", "decode") and view.video_keys and view.info.fps is not None:
            self.collect("videos", lambda: self.videos(check_videos, "reading video packets"))
            if self.level == "decode":
                means = PictureMeans(view) if self.thorough else None
                decoding = partial(check_decoding, means=means)
                self.collect("pictures", lambda: self.videos(decoding, "decoding pictures"))
        self.problems = [*view.problems, *self.problems]
        self.problems = self.unexplained()
        self.collect(
            "what was left out",
            lambda: left_out(view, self.level, self.unread, self.moved, self.problems),
        )

    def unexplained(self) -> list[Problem]:
        """The findings about which no other finding on the same file says more.

        A table may be missing by its name only, with its rows in another; the rows of a table that nothing
        refers to may stand in others; what is a Git LFS pointer is no JSON; a folder is no missing file.
        """
        named = {(problem.code, problem.where) for problem in self.problems}
        moved, doubled = set(map(str, self.moved)), set(map(str, self.doubled))

        def is_explained(problem: Problem) -> bool:
            where = problem.where
            if problem.code == "bad-json":
                where = where.removesuffix(":1")
                return ("lfs-pointer", where) in named or ("empty-file", where) in named
            if problem.code == "extra-file" and problem.severity == "warning":
                told = ("wrong-file", where) in named or ("unlisted-rows", where) in named
                return told or where in doubled
            return problem.code == "missing-file" and (where in moved or ("unreadable-file", where) in named)

        return [problem for problem in self.problems if not is_explained(problem)]

    def collect(self, name: str, check: Callable[[], Iterable[Problem]]) -> None:
        """Adds what a check finds; one that breaks off does not keep the others from running."""
        try:
            with np.errstate(all="ignore"):  # NaN and infinities are findings, not accidents
                self.problems += check()
        except GraspError as error:
            self.problems += error.problems
        except Exception as error:  # odd data must not hide what the other checks find
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            message = f"the check of {name} could not be finished: {reason}"
            self.problems.append(Problem("check-failed", message, str(self.view.root)))

    def shown(self, check: RowCheck, rows: Rows) -> bool:
        """Shows rows to a check; returns whether it can go on."""
        before = len(self.problems)

        def see() -> Iterator[Problem]:
            check.see(rows)
            yield from ()

        self.collect(type(check).__name__, see)
        return len(self.problems) == before

    def tables(self) -> Iterator[Problem]:
        view = self.view
        deep = self.level in ("video", "decode") and view.info.keys("image")
        pictures = PictureCheck(view, decode=self.level == "decode") if deep else None
        tables = Tables(view, pictures)
        indices, finite = IndexCheck(view), FiniteCheck()
        checks: list[RowCheck] = [indices, TimestampCheck(view), finite]
        thorough = Thorough(view) if self.thorough else None
        if thorough is not None:
            checks += thorough.row_checks
        total = int(view.lengths.sum())
        for rows in tables.batches():
            checks = [check for check in checks if self.shown(check, rows)]
            self.progress("reading tables", tables.rows, max(total, tables.rows))
        self.checked, self.unread = tables.rows > 0, tables.unread
        self.rows = tables.rows if not tables.unread else None
        self.doubled = tables.doubled
        yield from tables.found()
        if pictures is not None:
            yield from pictures.found()
        columns = list(declared.check_columns(view, tables.schemas))
        yield from columns
        if not any(problem.code == "shape-mismatch" for problem in columns):
            widths = [(name, width, *place) for (name, width), place in finite.widths.items()]
            yield from declared.check_widths(view, widths)
        for check in checks:
            self.collect(type(check).__name__, check.found)
        self.moved = indices.moved()
        yield from indices.missing_rows(tables.unread)
        if thorough is not None and self.checked:
            for name, check_values in thorough.after.items():
                self.collect(name, check_values)

    def videos(self, check: VideoCheck, doing: str) -> Iterator[Problem]:
        view = self.view
        assert view.info.fps is not None
        features = {key: view.info.features[key] for key in view.video_keys}
        return check(
            view.root,
            view.info.fps,
            features,
            view.spans,
            view.lengths,
            lambda done, total: self.progress(doing, done, total),
        )

    def sorted(self) -> list[Problem]:
        """Every finding once, errors first, else in the order of the checks."""
        seen: dict[tuple[object, ...], Problem] = {}
        explained = consequences(self.problems)
        for problem in self.problems:
            if problem.code in explained:
                continue
            by_place = problem.code in _ONCE_PER_FILE
            key = (problem.code, problem.where, None if by_place else (problem.episode, problem.message))
            seen.setdefault(key, problem)
        return sorted(seen.values(), key=lambda problem: _SEVERITIES.index(problem.severity))

    def block(self) -> list[Check]:
        return verification_block(self.view, self.sorted(), checked=self.checked)


_ONCE_PER_FILE = frozenset(
    {
        "dangling-link",
        "empty-file",
        "lfs-pointer",
        "missing-file",
        "bad-parquet",
        "duplicate-column",
        "unreadable-file",
        "video-empty",
        "video-lfs-pointer",
        "video-missing",
    }
)
