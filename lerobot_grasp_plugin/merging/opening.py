"""Opens source datasets, and explains errors that come from an interrupted recording or copy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from lerobot_grasp_plugin.core.selection import select_episodes
from lerobot_grasp_plugin.dataset.hub import Location
from lerobot_grasp_plugin.dataset.losses import refuse_lost
from lerobot_grasp_plugin.dataset.opening import open_located
from lerobot_grasp_plugin.dataset.reader import DatasetReader
from lerobot_grasp_plugin.findings.codes import CODES
from lerobot_grasp_plugin.findings.problem import DatasetError


def open_episodes(
    location: Location,
    episodes: Sequence[int] | str | None,
    name: str = "episodes",
    *,
    rescue: bool = False,
) -> tuple[DatasetReader, tuple[int, ...]]:
    """Opens a dataset and chooses episodes of it.

    Args:
        location: Where it is.
        episodes: The selection, as ``select_episodes`` takes it.
        name: The selection's name in messages.
        rescue: Whether to take the intact part of a damaged dataset; without a selection, that is every
            episode that is not lost.

    Raises:
        DatasetError: The metadata cannot be read, or some of the chosen episodes are lost.
        UsageError: The selection is wrong.
    """
    if rescue:
        from lerobot_grasp_plugin.salvage.whole import open_whole

        whole = open_whole(location)
        total = len(whole.lengths)
        if episodes is None:
            return whole, tuple(each for each in range(total) if each not in whole.lost)
        chosen = select_episodes(episodes, total, name=name)
        refuse_lost(whole.lost, chosen)
        return whole, chosen
    with aborted_named(location):
        reader = open_located(location)
        chosen = select_episodes(episodes, len(reader.lengths), name=name)
        refuse_lost(reader.lost, chosen)
    return reader, chosen


@contextmanager
def aborted_named(location: Location) -> Iterator[None]:
    """Replaces errors caused by an interrupted recording or copy by verify's finding about it.

    Errors that ``--rescue true`` gets past name that option.

    Raises:
        DatasetError: The error raised within, or its cause.
    """
    try:
        yield
    except DatasetError as error:
        from lerobot_grasp_plugin.salvage.rescuing import with_rescue
        from lerobot_grasp_plugin.verify.aborted import check_aborted
        from lerobot_grasp_plugin.verify.view import open_view

        found = list(error.problems)
        causes = list(check_aborted(open_view(location.root, location.links)))
        if any(problem.severity == "error" for problem in causes):
            found = [*causes, *(problem for problem in found if not CODES[problem.code].of_interruption)]
        raise DatasetError(with_rescue(location, found)) from None
