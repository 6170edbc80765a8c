"""Compares two datasets."""

from __future__ import annotations

from collections.abc import Iterator

from lerobot_grasp_plugin.core.choices import DiffLevel
from lerobot_grasp_plugin.core.progress import Progress, silent
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.diff.columns import Compared, compared
from lerobot_grasp_plugin.diff.contents import read_contents
from lerobot_grasp_plugin.diff.images import read_images
from lerobot_grasp_plugin.diff.metadata import compare_metadata
from lerobot_grasp_plugin.diff.pairing import Pairing
from lerobot_grasp_plugin.diff.report import DiffReport, EpisodeDiff, Summary
from lerobot_grasp_plugin.diff.rows import Compare
from lerobot_grasp_plugin.diff.side import Names, Side, open_side
from lerobot_grasp_plugin.findings.gathering import Gathered


def diff(
    a: str, b: str, *, level: DiffLevel = "video", follow_links: bool = False, progress: Progress = silent
) -> DiffReport:
    """Compares two datasets episode by episode, by content.

    Rows are compared exactly, images by the packets of their videos, which are not decoded. Indices, places
    of files and the format version do not count.

    Args:
        a: The first dataset: its folder, ``owner/name``, or ``owner/name@revision``.
        b: The second one.
        level: ``data`` compares rows, ``video`` also the packets of videos.
        follow_links: Whether links in ``data/`` and ``videos/`` may lead outside a dataset's folder.
        progress: Called during long steps.

    Raises:
        UsageError: A dataset does not exist.
        DatasetError: A dataset cannot be read.
    """
    sides: list[Side] = []
    problems = Gathered()
    for letter, name in (("A", a), ("B", b)):
        with problems:
            sides.append(open_side(letter, name, follow_links=follow_links))
    problems.raise_all()
    first, second = sides
    what, names = compared(first, second), Names()
    cameras = what.cameras if level == "video" else ()
    what = Compared(what.columns, cameras, what.left_out)
    for side in sides:
        with problems:
            side.reader.require(range(side.episodes), cameras)
    problems.raise_all()
    contents = [read_contents(side, what, names, progress) for side in sides]
    read_images(list(zip(sides, contents, strict=True)), cameras, progress)
    others = [*what.labels, layout.TASK_INDEX]
    pairing = Pairing(contents[0], contents[1], what.content, others)
    compare = Compare((first, second), (contents[0], contents[1]), what, names)
    episodes = list(compare.run(pairing.run(), progress))
    return DiffReport(
        _summary(first),
        _summary(second),
        level,
        list(compare_metadata(first, second)),
        [*episodes, *_alone(pairing, first, second)],
        what.left_out,
    )


def _summary(side: Side) -> Summary:
    reader = side.reader
    frames = int(reader.lengths.sum())
    return Summary(reader.repo_id, reader.root, reader.info.codebase_version, side.episodes, frames)


def _alone(pairing: Pairing, a: Side, b: Side) -> Iterator[EpisodeDiff]:
    """The episodes that only one dataset has."""
    for episode in pairing.free_b:
        yield EpisodeDiff("only in B", None, episode, None, int(b.reader.lengths[episode]))
    for episode in pairing.free_a:
        yield EpisodeDiff("only in A", episode, None, int(a.reader.lengths[episode]), None)
