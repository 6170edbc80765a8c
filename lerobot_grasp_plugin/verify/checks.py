"""The table of all checks: from which level on each runs, what it needs, and what a missing need leaves out.

To add a check, write its module and add one entry here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final, get_args

from lerobot_grasp_plugin.core.choices import Level
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.verify import declared
from lerobot_grasp_plugin.verify.aborted import check_aborted
from lerobot_grasp_plugin.verify.decode import check_decoding
from lerobot_grasp_plugin.verify.expected import check_expected
from lerobot_grasp_plugin.verify.facts import Facts, Need
from lerobot_grasp_plugin.verify.files import check_files
from lerobot_grasp_plugin.verify.hazards import check_hazards, check_lengths
from lerobot_grasp_plugin.verify.in_use import check_in_use
from lerobot_grasp_plugin.verify.jumps import JumpCheck
from lerobot_grasp_plugin.verify.labels import LabelCheck
from lerobot_grasp_plugin.verify.presence import check_presence
from lerobot_grasp_plugin.verify.recording import check_recording
from lerobot_grasp_plugin.verify.rows import RowCheck
from lerobot_grasp_plugin.verify.sidecar import ContentCheck
from lerobot_grasp_plugin.verify.statistics import check_stored_statistics
from lerobot_grasp_plugin.verify.timestamps import TimestampCheck
from lerobot_grasp_plugin.verify.videos import VideoCheck, check_videos

_DEPTH: Final = {level: depth for depth, level in enumerate(get_args(Level))}


@dataclass(frozen=True)
class CheckEntry:
    """One check: either ``find`` or ``rows`` is given.

    Attributes:
        name: Its name in messages.
        find: Returns the findings.
        rows: Makes the check that reads the rows in batches; None if there is nothing to check.
        level: The lowest level that runs it.
        structure: Whether it runs without ``thorough``, too.
        needs: By what it cannot run without, the part of the dataset that is then not checked.
        uses: The same for what it can run without, but then checks less.
    """

    name: str
    find: Callable[[Facts], Iterable[Problem]] | None = None
    rows: Callable[[Facts], RowCheck | None] | None = None
    level: Level = "meta"
    structure: bool = True
    needs: Mapping[Need, str] = field(default_factory=dict)
    uses: Mapping[Need, str] = field(default_factory=dict)

    def is_asked(self, level: Level, *, thorough: bool) -> bool:
        """Whether the options ask for it."""
        return _DEPTH[self.level] <= _DEPTH[level] and (self.structure or thorough)

    @property
    def by_episode(self) -> bool:
        """Whether it reads only rows whose episode is known."""
        return "episode rows" in self.needs

    def without(self, need: Need) -> str:
        """The part of the dataset that is not checked without a need; empty if it does not matter."""
        return self.needs.get(need) or self.uses.get(need, "")


_structure = partial(CheckEntry, level="data")
_meaning = partial(CheckEntry, level="data", structure=False)


def _widths(facts: Facts) -> Iterable[Problem]:
    widths = [(name, width, *place) for (name, width), place in facts.finite.widths.items()]
    return declared.check_widths(facts.view, widths, facts.tables.schemas)


def _missing_rows(facts: Facts) -> Iterable[Problem]:
    unseen = facts.tables.unseen
    unseen.moved = facts.indices.moved()
    return facts.indices.missing_rows(unseen.unread | unseen.unknown)


def _images(facts: Facts) -> Iterable[Problem]:
    return () if facts.images is None else facts.images.found()


def _content(facts: Facts) -> RowCheck | None:
    return None if facts.sidecar is None else ContentCheck(facts.view, facts.sidecar)


def _statistics(facts: Facts) -> Iterable[Problem]:
    return check_stored_statistics(facts.view, facts.stored, facts.summaries, facts.quantiles, facts.overall)


def _videos(facts: Facts, check: VideoCheck, step: str) -> Iterable[Problem]:
    view = facts.view
    assert view.info.fps is not None
    features = {key: view.info.features[key] for key in view.video_keys}
    report = partial(facts.progress, step)
    return check(view.root, view.info.fps, features, view.spans, view.lengths, report)


def _decoding(facts: Facts) -> Iterable[Problem]:
    check = partial(check_decoding, means=facts.means, movement=facts.movement)
    return _videos(facts, check, "decoding frames")


CHECKS: Final = (
    CheckEntry(
        "files",
        lambda facts: check_files(facts.view),
        uses={
            "info": "cameras",
            "features": "cameras",
            "episodes": "files that are missing or left over",
        },
    ),
    CheckEntry("writers", lambda facts: check_in_use(facts.view)),
    CheckEntry("an interrupted recording", lambda facts: check_aborted(facts.view)),
    CheckEntry(
        "the recording sidecar",
        lambda facts: check_recording(facts.view),
        structure=False,
        needs={"meta": ""},
    ),
    CheckEntry(
        "tasks",
        lambda facts: declared.check_tasks(facts.view),
        needs={"tasks": "total_tasks"},
    ),
    CheckEntry(
        "splits",
        lambda facts: declared.check_declared_splits(facts.view),
        needs={"info": "splits", "episodes": "splits"},
    ),
    _structure("finite values", rows=lambda facts: facts.finite, uses={"rows": "values"}),
    _meaning("summaries", rows=lambda facts: facts.summaries),
    _meaning("quantiles of episodes", rows=lambda facts: facts.quantiles),
    _meaning("quantiles of all rows", rows=lambda facts: facts.overall),
    _structure(
        "indices",
        rows=lambda facts: facts.indices,
        needs={"episode rows": "indices"},
        uses={"rows": "indices", "tasks": "the task_index of every row"},
    ),
    _structure(
        "timestamps",
        rows=lambda facts: TimestampCheck(facts.view),
        needs={"episode rows": "timestamps"},
        uses={"rows": "timestamps", "info": "timestamps", "fps": "timestamps"},
    ),
    _meaning(
        "labels",
        rows=lambda facts: LabelCheck(facts.view, facts.sidecar),
        needs={"episode rows": "labels"},
        uses={"rows": "labels"},
    ),
    _structure("jumps", rows=lambda facts: JumpCheck(), needs={"episode rows": "jumps of the state"}),
    _meaning("the sidecar's rows", rows=_content, needs={"episode rows": ""}),
    _meaning("movement", rows=lambda facts: facts.movement, level="decode", needs={"episode rows": ""}),
    _structure("tables", lambda facts: facts.tables.found()),
    _structure("images in tables", _images, level="video"),
    _structure(
        "declared columns",
        lambda facts: declared.check_declared_columns(facts.view, facts.tables.schemas),
        needs={
            "info": "the columns and types of the tables",
            "features": "the columns and types of the tables",
        },
    ),
    _structure("declared shapes", _widths, needs={"features": ""}),
    _structure("missing rows", _missing_rows, needs={"episodes": ""}),
    _meaning("statistics", _statistics, needs={"rows": "the statistics over all rows"}),
    _meaning("hazards", lambda facts: check_hazards(facts.view, facts.summaries), needs={"rows": ""}),
    CheckEntry(
        "the presence of statistics",
        lambda facts: check_presence(facts.view, facts.stored),
        structure=False,
        needs={"meta": ""},
        uses={"info": "statistics", "features": "statistics", "episodes": "statistics"},
    ),
    CheckEntry(
        "lengths",
        lambda facts: check_lengths(facts.view),
        structure=False,
        needs={"episodes": "the lengths of episodes"},
    ),
    CheckEntry(
        "the sidecar",
        lambda facts: () if facts.sidecar is None else facts.sidecar.problems,
        structure=False,
        needs={"meta": ""},
    ),
    CheckEntry(
        "totals",
        lambda facts: declared.check_totals(facts.view, facts.total_rows),
        needs={"info": "totals"},
    ),
    CheckEntry(
        "expected numbers",
        lambda facts: check_expected(facts.view, facts.total_rows, facts.expected),
    ),
    CheckEntry(
        "videos",
        lambda facts: _videos(facts, check_videos, "reading video packets"),
        level="video",
        needs={"fps": "videos", "features": "videos", "videos": "all videos"},
        uses={"info": "videos", "episodes": "the videos against the rows"},
    ),
    CheckEntry(
        "decoded frames",
        _decoding,
        level="decode",
        needs={"fps": "", "features": "", "videos": ""},
    ),
)
"""Every check in the order of its findings; those of rows run together, before those after them."""
