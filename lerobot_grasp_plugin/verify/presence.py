"""Checks for missing statistics, and for the form of image statistics, which are not recomputed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.stats import MOMENTS
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.info import is_depth
from lerobot_grasp_plugin.findings.problem import EPISODES, Place, Problem, Severity, the_episodes
from lerobot_grasp_plugin.findings.words import some
from lerobot_grasp_plugin.verify.place import agree
from lerobot_grasp_plugin.verify.statistics import (
    MAKE_ANEW,
    hint_of,
    is_policy_column,
    severity_of,
)
from lerobot_grasp_plugin.verify.stored_stats import StoredStats, Values
from lerobot_grasp_plugin.verify.view import View


def check_presence(view: View, stored: StoredStats) -> Iterator[Problem]:
    """Checks for missing statistics, and for the form of image statistics, which are not recomputed."""
    yield from stored.problems
    features = {
        name: feature
        for name, feature in view.info.features.items()
        if feature["dtype"] not in ("string", "language")
    }
    if not features or view.episodes is None:
        return
    unread = [Path(problem.place.file) for problem in stored.problems if problem.code == "bad-stats"]
    for values, where in _wanted(view, stored):
        lacking = [name for name in features if name not in (values or {})]
        if values is None and not any(path.is_relative_to(where) for path in unread):
            message, hint = _absence(view, stored, overall=where == stored.where[0])
            yield Problem("missing-stats", message, where, hint)
        elif values is not None:
            yield from _lacking(features, lacking, where, overall=values is stored.overall)
    yield from _episodes(view, stored)
    for name, feature in features.items():
        if _is_image(feature):
            if name in (stored.overall or {}):
                assert stored.overall is not None
                yield from _images(name, feature, stored.overall[name], stored.where[0])
            if name in (stored.episodes or {}):
                assert stored.episodes is not None
                own = {each: values[stored.known] for each, values in stored.episodes[name].items()}
                yield from _images(name, feature, own, stored.where[1])


def _absence(view: View, stored: StoredStats, *, overall: bool) -> tuple[str, str]:
    """Message and hint for a missing kind of statistics, and the kind that exists."""
    missing = "over all rows" if overall else "of single episodes"
    other = stored.episodes if overall else stored.overall
    there = stored.where[1 if overall else 0].relative_to(view.root).as_posix()
    if other is None:
        return f"statistics {missing} are missing, also in {there}", (
            f"policies that normalise cannot be trained; {MAKE_ANEW}"
        )
    need = "training reads these" if overall else "LeRobot's converter and merge read these"
    return f"statistics {missing} are missing; {there} has statistics", f"{need}; {MAKE_ANEW}"


def _lacking(
    features: Mapping[str, Mapping[str, Any]], lacking: Sequence[str], where: Path, *, overall: bool
) -> Iterator[Problem]:
    """Columns without statistics: one finding for those a policy needs, one for the others."""
    needed = [name for name in lacking if is_policy_column(name) or _is_image(features[name])]
    unread = [name for name in lacking if name not in needed]
    hint = f"LeRobot loses them when it merges or splits; {MAKE_ANEW}"
    if overall and any(_is_image(features[name]) for name in needed):
        hint = f"lerobot-train needs them for every camera (use_imagenet_stats); {MAKE_ANEW}"
    by_severity: list[tuple[list[str], str, Severity]] = [
        (needed, hint, "warning"),
        (unread, "no policy normalises with them", "note"),
    ]
    for names, why, severity in by_severity:
        if names:
            named = some(map(repr, names))
            yield Problem("missing-stats", f"no statistics of {named}", where, why, severity=severity)


def _is_image(feature: Mapping[str, Any]) -> bool:
    return feature["dtype"] in ("image", "video")


def _wanted(view: View, stored: StoredStats) -> list[tuple[Values | None, Path]]:
    """The statistics of the format: over all rows, except v2.1; of each episode, except v2.0."""
    overall, own = (stored.overall, stored.where[0]), (stored.episodes, stored.where[1])
    if not view.legacy:
        return [overall, own]
    if view.info.version in ("v2.0", "v2.1"):
        return [overall] if view.info.version == "v2.0" else [own]
    return [own] if stored.where[1].is_file() else [overall]


def _episodes(view: View, stored: StoredStats) -> Iterator[Problem]:
    """Listed episodes that have no statistics while others have."""
    if view.episodes is None or not stored.episodes:
        return
    without = view.episodes.indices[~stored.known].tolist()
    if without:
        message = f"{EPISODES} {agree(len(without), 'has', 'have')} no statistics"
        hint = f"LeRobot's converter and merge need the statistics of every episode; {MAKE_ANEW}"
        place = Place(str(stored.where[1]), episode=min(without))
        yield Problem("missing-stats", message, place, hint, episodes=the_episodes(without))


def _images(
    name: str, feature: Mapping[str, Any], stats: Mapping[str, NDArray[np.float64]], where: Path
) -> Iterator[Problem]:
    depth = is_depth(feature)
    given = {each: stats[each] for each in MOMENTS if each in stats}
    if set(given) != set(MOMENTS):
        message = f"{name!r} has no {', '.join(sorted(set(MOMENTS) - set(given)))}"
        yield Problem("missing-stats", message, where, hint_of(name))
        return
    overall = where.name == Path(layout.STATS_PATH).name
    channels = {array.size if overall else array.shape[-1] for array in given.values()}
    if not channels <= {1, 3} or len(channels) != 1:
        message = f"{name!r} has {sorted(channels)} values, expected one per channel, as (channels, 1, 1)"
        yield Problem("wrong-stats-shape", message, where, MAKE_ANEW)
        return
    if overall:
        yield from _image_shape(name, given, channels.pop(), where)
    low, high, mean, std = (given[each] for each in ("min", "max", "mean", "std"))
    with np.errstate(invalid="ignore"):
        unordered = (low > mean + 1e-3).any() or (mean > high + 1e-3).any() or (std < 0).any()
        outside = not depth and ((low < -1e-3).any() or (high > 1 + 1e-3).any())
    unknown = not all(np.isfinite(each).all() for each in (low, high, mean, std))
    if unknown:
        message = f"{name!r}: statistics contain values that are not numbers"
        yield Problem("wrong-statistics", message, where, hint_of(name), severity=severity_of(name))
    elif unordered or outside:
        message = (
            f"{name!r}: statistics go from {np.nanmin(low):.4g} to {np.nanmax(high):.4g}, mean "
            f"{np.nanmean(mean):.4g}; those of images must be in [0, 1], with the mean between"
        )
        yield Problem("wrong-statistics", message, where, hint_of(name), severity=severity_of(name))


def _image_shape(
    name: str, given: Mapping[str, NDArray[np.float64]], channels: int, where: Path
) -> Iterator[Problem]:
    """Finds one value per channel in a shape that does not broadcast to (channels, height, width)."""
    wanted = (channels, 1, 1)
    odd = [each for each, array in given.items() if array.shape != wanted]
    if not odd:
        return
    shape = tuple(given[odd[0]].shape)
    message = f"{name!r}: {odd[0]} has shape {shape}, expected {wanted}"
    severity: Severity = "error"
    hint = f"training cannot normalise with it; {MAKE_ANEW}"
    if len(shape) < 2 or channels == 1:
        severity = "warning"
        hint = f"training accepts it, LeRobot's merge and delete refuse it; {MAKE_ANEW}"
    yield Problem("wrong-stats-shape", message, where, hint, severity=severity)
