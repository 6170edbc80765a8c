"""Whether a dataset on disk is what it says it is, and what LeRobot will make of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cached_property, partial
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
from lerobot_grasp_plugin.verify.block import verification_block
from lerobot_grasp_plugin.verify.checks import CHECKS
from lerobot_grasp_plugin.verify.expected import Expected
from lerobot_grasp_plugin.verify.explained import unexplained
from lerobot_grasp_plugin.verify.facts import Facts
from lerobot_grasp_plugin.verify.lacks import not_checked_notes
from lerobot_grasp_plugin.verify.report import Check, VerifyReport
from lerobot_grasp_plugin.verify.rows import RowCheck, Rows
from lerobot_grasp_plugin.verify.view import open_view


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
    view = open_view(folder, links)
    verifier = _Verifier(Facts(view, level, thorough, expected or Expected(), progress))
    verifier.run()
    return VerifyReport(view.root, verifier.block(), verifier.sorted(), level)


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

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.problems: list[Problem] = []
        self.checked: set[str] = set()
        self.checks = [check for check in CHECKS if check.is_asked(facts.level, thorough=facts.thorough)]

    def run(self) -> None:
        view = self.facts.view
        for check in self.checks:
            if check.rows is not None and check.name in self.row_checks:
                self.collect(check.name, self.row_checks[check.name].found)
            elif check.find is not None and all(map(self.facts.has, check.needs)):
                self.collect(check.name, partial(check.find, self.facts))
        found = [*map(self.within, view.problems), *self.problems]
        self.problems = [*map(self.within, unexplained(view, found, self.facts.tables.unseen))]
        if self.facts.thorough:
            self.collect("what can be rescued", self.name_rescue)
        self.collect("omissions", lambda: not_checked_notes(self.facts, self.checks, self.problems))

    @cached_property
    def row_checks(self) -> dict[str, RowCheck]:
        """The checks of rows by name, after every row of the tables; without those that broke off."""
        facts = self.facts
        if not facts.has("meta"):
            return {}
        possible = {check.name: check.rows(facts) for check in self.checks if check.rows is not None}
        checks = {name: check for name, check in possible.items() if check is not None}
        self.collect("tables", lambda: self.read_batches(checks))
        tables = facts.tables
        if tables.rows:
            self.checked = {
                name
                for name in layout.INDEX_COLUMNS
                if name not in tables.unseen.partly and all(name in schema.names for schema in tables.schemas)
            }
        facts.total_rows = tables.rows if not tables.unseen.unread else None
        return checks

    def read_batches(self, checks: dict[str, RowCheck]) -> Iterator[Problem]:
        """Shows every batch of rows to the checks, and removes one that breaks off."""
        tables, progress = self.facts.tables, self.facts.progress
        by_episode = {check.name for check in self.checks if check.by_episode}
        total = int(self.facts.view.lengths.sum())
        progress("reading tables", 0, total)
        for rows in tables.batches():
            for name in list(checks):
                own = rows.known if name in by_episode else rows
                if own is not None and not self.shown(name, checks[name], own):
                    del checks[name]
            progress("reading tables", tables.rows, max(total, tables.rows))
        yield from ()

    def shown(self, name: str, check: RowCheck, rows: Rows) -> bool:
        """Shows rows to a check; returns whether it can go on."""
        before = len(self.problems)

        def see() -> Iterator[Problem]:
            check.see(rows)
            yield from ()

        self.collect(name, see)
        return len(self.problems) == before

    def name_rescue(self) -> Iterable[Problem]:
        """Names the command that saves what is whole, in the hints of the findings it gets past."""
        view = self.facts.view
        location = Location(view.root.name, view.root, links=view.links)
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
            self.problems.append(self.within(Problem("check-failed", message, self.facts.view.root)))

    def within(self, problem: Problem) -> Problem:
        """The finding with its file relative to the dataset."""
        return replace(problem, place=problem.place.within(self.facts.view.root))

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
        return verification_block(self.facts.view, self.sorted(), checked=self.checked)
