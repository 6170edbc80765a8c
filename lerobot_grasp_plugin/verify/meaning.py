"""The checks of a dataset's meaning, beyond its structure: statistics, labels and values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.verify.episode_quantiles import QuantileCheck
from lerobot_grasp_plugin.verify.hazards import check_hazards, check_lengths
from lerobot_grasp_plugin.verify.jumps import JumpCheck
from lerobot_grasp_plugin.verify.labels import LabelCheck
from lerobot_grasp_plugin.verify.overall_quantiles import OverallQuantiles
from lerobot_grasp_plugin.verify.presence import check_presence
from lerobot_grasp_plugin.verify.rows import RowCheck
from lerobot_grasp_plugin.verify.sidecar import ContentCheck, read_sidecar
from lerobot_grasp_plugin.verify.statistics import check_stored_statistics, is_policy_column
from lerobot_grasp_plugin.verify.stored_stats import read_stored_stats
from lerobot_grasp_plugin.verify.summaries import Summaries
from lerobot_grasp_plugin.verify.view import View


class Thorough:
    """Checks of rows, and checks that run after all rows were read.

    Attributes:
        row_checks: Get every batch.
        episode_checks: Get the rows whose episode is known.
        after: Run after that, by name.
        without_rows: Names of those that need no rows.
    """

    def __init__(self, view: View) -> None:
        stored, sidecar = read_stored_stats(view), read_sidecar(view)
        summaries, quantiles = Summaries(), QuantileCheck(view, stored)
        normalised = [name for name in view.info.features if is_policy_column(name)]
        overall = OverallQuantiles(stored, normalised)
        checks: list[RowCheck] = [LabelCheck(view, sidecar), JumpCheck()]
        if sidecar is not None:
            checks.append(ContentCheck(view, sidecar))
        self.row_checks: Sequence[RowCheck] = (summaries, quantiles, overall)
        self.episode_checks: Sequence[RowCheck] = checks
        self.without_rows: Mapping[str, Callable[[], Iterator[Problem]]] = {
            "presence of statistics": lambda: check_presence(view, stored),
            "sidecar": lambda: iter([] if sidecar is None else sidecar.problems),
        }
        self.after: Mapping[str, Callable[[], Iterator[Problem]]] = {
            "statistics": lambda: check_stored_statistics(view, stored, summaries, quantiles, overall),
            "values": lambda: check_hazards(view, summaries),
            **self.without_rows,
        }


def check_metadata(view: View) -> Iterator[Problem]:
    """The checks of statistics and sidecar that need no rows."""
    yield from check_presence(view, read_stored_stats(view))
    yield from check_lengths(view)
    sidecar = read_sidecar(view)
    if sidecar is not None:
        yield from sidecar.problems
