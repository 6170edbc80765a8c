"""Whether a dataset on disk is what it says it is, and what LeRobot will make of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from lerobot_grasp_plugin.core.choices import Level
from lerobot_grasp_plugin.core.progress import Progress, silent
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.hub import Location
from lerobot_grasp_plugin.dataset.links import Links
from lerobot_grasp_plugin.findings.code import SEVERITIES
from lerobot_grasp_plugin.findings.codes import CODES
from lerobot_grasp_plugin.findings.problem import GraspError, Problem
from lerobot_grasp_plugin.salvage.rescuing import with_rescue
from lerobot_grasp_plugin.verify import declared
from lerobot_grasp_plugin.verify.aborted import check_aborted
from lerobot_grasp_plugin.verify.block import verification_block
from lerobot_grasp_plugin.verify.decode import check_decoding
from lerobot_grasp_plugin.verify.expected import Expected, check_expected
from lerobot_grasp_plugin.verify.explained import unexplained
from lerobot_grasp_plugin.verify.files import check_files
from lerobot_grasp_plugin.verify.frozen import Movement
from lerobot_grasp_plugin.verify.image_means import ImageMeans
from lerobot_grasp_plugin.verify.images import ImageCheck
from lerobot_grasp_plugin.verify.in_use import check_in_use
from lerobot_grasp_plugin.verify.indices import IndexCheck
from lerobot_grasp_plugin.verify.jumps import JumpCheck
from lerobot_grasp_plugin.verify.meaning import Thorough, check_metadata
from lerobot_grasp_plugin.verify.recording import check_recording
from lerobot_grasp_plugin.verify.report import Check, VerifyReport
from lerobot_grasp_plugin.verify.rows import RowCheck, Rows
from lerobot_grasp_plugin.verify.tables import Tables
from lerobot_grasp_plugin.verify.timestamps import TimestampCheck
from lerobot_grasp_plugin.verify.unchecked import unchecked_notes
from lerobot_grasp_plugin.verify.unseen import Unseen
from lerobot_grasp_plugin.verify.values import FiniteCheck
from lerobot_grasp_plugin.verify.videos import VideoCheck, check_videos
from lerobot_grasp_plugin.verify.view import View, open_view


def verify_dataset(
    root: str | Path,
    repo_id: str | None = None,
    *,
    level: Level = "video",
    thorough: bool = True,
    follow_links: bool = False,
    expected: Expected | None = None,
    progress: Progress = silent,
) -> VerifyReport:
    """Checks a dataset of format v2.0, v2.1 or v3.0; nothing is written, and no code in it is run.

    Args:
        root: The dataset's folder.
        repo_id: Its name; the findings name files, so it only serves the caller.
        level: How deep to look: ``meta`` reads the metadata, ``data`` every row as well, ``video`` the
            packet headers of the videos as well, ``decode`` decodes every frame.
        thorough: Whether to recompute statistics and to look at labels and values, too, and not only at
            the structure.
        follow_links: Whether links in ``data`` and ``videos`` may lead outside the folder.
        expected: Numbers of episodes and frames that another number is an error of.
        progress: Called with the progress.

    Returns:
        The checks and everything that was found; never raises for a damaged dataset.
    """
    folder = Path(root).expanduser()
    links = Links.of(folder) if follow_links else layout.NO_LINKS
    verifier = _Verifier(open_view(folder, links), level, thorough, progress)
    verifier.expected = expected or Expected()
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
        self.expected = Expected()
        self.checked: set[str] = set()
        self.unseen = Unseen()
        self.movement = Movement() if thorough and level == "decode" and view.video_keys else None

    def run(self) -> None:
        view = self.view
        self.collect("files", lambda: check_files(view))
        self.collect("writers", lambda: check_in_use(view))
        self.collect("recording", lambda: check_aborted(view))
        if self.thorough:
            self.collect("recording sidecar", lambda: check_recording(view))
        self.collect("tasks", lambda: declared.check_tasks(view))
        self.collect("splits", lambda: declared.check_declared_splits(view))
        if self.thorough and self.level == "meta":
            self.collect("statistics", lambda: check_metadata(view))
        if self.level != "meta" and "meta" not in view.closed:
            self.collect("tables", self.tables)
        self.collect("totals", lambda: declared.check_totals(view, self.rows))
        self.collect("expected numbers", lambda: check_expected(view, self.rows, self.expected))
        if self.level in ("video", "decode") and view.video_keys and view.info.fps is not None:
            self.collect("videos", lambda: self.videos(check_videos, "reading video packets"))
            if self.level == "decode":
                means = ImageMeans(view) if self.thorough else None
                decoding = partial(check_decoding, means=means, movement=self.movement)
                self.collect("images", lambda: self.videos(decoding, "decoding frames"))
        found = [*map(self.within, view.problems), *self.problems]
        self.problems = [*map(self.within, unexplained(view, found, self.unseen))]
        if self.thorough:
            self.collect("what can be rescued", self.name_rescue)
        self.collect(
            "what was left out",
            lambda: unchecked_notes(view, self.level, self.unseen, self.problems),
        )

    def name_rescue(self) -> Iterable[Problem]:
        """Names the command that saves what is whole, in the hints of the findings it gets past."""
        location = Location(self.view.root.name, self.view.root, links=self.view.links)
        self.problems[:] = with_rescue(location, self.problems)
        return ()

    def collect(self, name: str, check: Callable[[], Iterable[Problem]]) -> None:
        """Adds what a check finds; one that breaks off does not keep the others from running."""
        try:
            with np.errstate(all="ignore"):  # NaN and infinities are findings, not accidents
                self.problems += map(self.within, check())
        except GraspError as error:
            self.problems += map(self.within, error.problems)
        except Exception as error:  # odd data must not hide what the other checks find
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            message = f"the check of {name} could not be finished: {reason}"
            self.problems.append(self.within(Problem("check-failed", message, self.view.root)))

    def within(self, problem: Problem) -> Problem:
        """The finding with its file relative to the dataset."""
        return replace(problem, place=problem.place.within(self.view.root))

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
        images = ImageCheck(view, decode=self.level == "decode") if deep else None
        tables = Tables(view, images)
        indices, finite = IndexCheck(view), FiniteCheck()
        checks: list[RowCheck] = [finite]
        by_episode: list[RowCheck] = [indices, TimestampCheck(view)]
        thorough = Thorough(view) if self.thorough else None
        if thorough is not None:
            checks += thorough.row_checks
            by_episode += thorough.episode_checks
        else:
            by_episode.append(JumpCheck())
        if self.movement is not None:
            by_episode.append(self.movement)
        total = int(view.lengths.sum())
        self.progress("reading tables", 0, total)
        for rows in tables.batches():
            checks = [check for check in checks if self.shown(check, rows)]
            known = rows.known
            by_episode = [check for check in by_episode if known is None or self.shown(check, known)]
            self.progress("reading tables", tables.rows, max(total, tables.rows))
        self.unseen = tables.unseen
        if tables.rows:
            self.checked = {
                name
                for name in layout.INDEX_COLUMNS
                if name not in self.unseen.partly and all(name in schema.names for schema in tables.schemas)
            }
        self.rows = tables.rows if not tables.unseen.unread else None
        yield from tables.found()
        if images is not None:
            yield from images.found()
        yield from declared.check_declared_columns(view, tables.schemas)
        widths = [(name, width, *place) for (name, width), place in finite.widths.items()]
        yield from declared.check_widths(view, widths, tables.schemas)
        for check in [*checks, *by_episode]:
            self.collect(type(check).__name__, check.found)
        self.unseen.moved = indices.moved()
        yield from indices.missing_rows(self.unseen.unread | self.unseen.unknown)
        if thorough is not None:
            for name, check_values in (thorough.after if tables.rows else thorough.without_rows).items():
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
        for problem in self.problems:
            by_place = CODES[problem.code].once_per_file
            episode = None if by_place else problem.place.episode
            place = replace(problem.place, episode=episode, frame=None)
            key = (problem.code, place, "" if by_place else problem.message)
            seen.setdefault(key, problem)
        return sorted(seen.values(), key=lambda problem: SEVERITIES.index(problem.severity))

    def block(self) -> list[Check]:
        return verification_block(self.view, self.sorted(), checked=self.checked)
