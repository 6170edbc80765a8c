"""Finds data that LeRobot can read but that harms training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.stats import median
from lerobot_grasp_plugin.findings.problem import EPISODES, Place, Problem, the_episodes
from lerobot_grasp_plugin.verify.place import Tally, agree, episodes_text, ranges_text
from lerobot_grasp_plugin.verify.summaries import Summaries, Summary
from lerobot_grasp_plugin.verify.view import View

_RADIANS = 2 * np.pi * 1.05
"""The most a joint shows in radians or normalised; in degrees most joints show more in an episode."""
_DEGREES = 15.0


def check_hazards(view: View, summaries: Summaries) -> Iterator[Problem]:
    """Finds short and repeated episodes, constant columns, and units that change between episodes."""
    yield from _short(view, summaries)
    yield from _repeated(summaries)
    for name, column in summaries.columns.items():
        feature = view.info.features.get(name, {})
        if not str(feature.get("dtype", "")).startswith(("float", "int")):
            continue
        if name == "action" or name.startswith("action."):
            yield from _still(name, feature.get("names"), column, summaries, action=True)
            yield from _still_episodes(view, name, column, summaries)
            yield from _units(name, column, summaries)
        elif name == "observation.state":
            yield from _still(name, feature.get("names"), column, summaries, action=False)
            yield from _still_episodes(view, name, column, summaries)
            yield from _units(name, column, summaries)


def check_lengths(view: View) -> Iterator[Problem]:
    """Finds episodes of one frame, by the metadata."""
    single = _single(view)
    if view.episodes is not None and single:
        message = f"{EPISODES} {agree(len(single), 'has', 'have')} only one frame"
        hint = "one frame shows no movement; leave such episodes out with lerobot-grasp-merge"
        place = Place(str(view.episodes.where), episode=min(single))
        yield Problem("short-episode", message, place, hint, episodes=the_episodes(single))


def _single(view: View) -> list[int]:
    listed = view.episodes
    found: list[int] = [] if listed is None else listed.indices[listed.lengths == 1].tolist()
    return found


def _short(view: View, summaries: Summaries) -> Iterator[Problem]:
    if view.info.fps is None:
        return
    rows: dict[int, int] = {}
    for episode, length in zip(summaries.episodes.tolist(), summaries.lengths.tolist(), strict=True):
        rows[episode] = rows.get(episode, 0) + length
    single = set(_single(view))
    short = [episode for episode, length in rows.items() if length < view.info.fps and episode >= 0]
    short = [episode for episode in short if rows[episode] > 1 or episode not in single]
    if short:
        first = min(short)
        seconds = rows[first] / view.info.fps
        last = agree(len(short), "lasts", "last")
        message = f"{EPISODES} {last} less than a second ({seconds:.2f} s, {rows[first]} rows)"
        where = summaries.files[int(np.argmax(summaries.episodes == first))]
        hint = "a key pressed twice leaves such episodes; leave them out with lerobot-grasp-merge"
        place = Place(str(where), episode=first)
        yield Problem("short-episode", message, place, hint, episodes=the_episodes(short))


def _repeated(summaries: Summaries) -> Iterator[Problem]:
    first: dict[tuple[bytes, int], int] = {}
    twins: dict[int, list[int]] = {}
    for run, digest in enumerate(summaries.digests):
        if digest is None:
            continue
        key = (digest, int(summaries.lengths[run]))
        if key in first:
            twins.setdefault(first[key], []).append(run)
        else:
            first[key] = run
    if not twins:
        return
    tally, again = Tally(), Tally()
    pieces = Counter(summaries.episodes.tolist())
    for original, copies in twins.items():
        for run in copies:
            episode = int(summaries.episodes[run])
            if episode == summaries.episodes[original]:
                if pieces[episode] == 2:  # small pieces of an arm at rest are alike by nature
                    again.add(summaries.files[run], episode, None, int(summaries.lengths[run]))
                continue
            example = f"it has the same values as episode {int(summaries.episodes[original])}"
            tally.add(summaries.files[run], episode, None, 1, example)
    if again.rows:
        message = f"the rows of {EPISODES} are duplicated"
        yield again.problem("duplicate-episode", message, "remove one of the two")
    if tally.rows:
        message = f"{tally.example}; repeated: {EPISODES}"
        hint = "leave the copies out: equal episodes can be on both sides of a train/test split"
        yield tally.problem("duplicate-episode", message, hint, severity="warning")


def _still(
    name: str, names: object, column: Summary, summaries: Summaries, *, action: bool
) -> Iterator[Problem]:
    rows = int(summaries.lengths[column.runs].sum())
    low, high = column.low.min(axis=0), column.high.max(axis=0)
    still = np.flatnonzero(low == high)
    where = summaries.files[int(column.runs[0])]
    known = summaries.episodes[column.runs] >= 0
    first = int(summaries.episodes[column.runs[int(known.argmax())]]) if known.any() else None
    if len(still) and rows > 1:
        values = np.unique(low[still])
        value = f"{values[0]:g}" if len(values) == 1 else "one value each"
        which = "every dimension is" if len(still) == len(low) else _dimensions(still, names)
        message = f"{name!r}: {which} {value} in all {rows} rows"
        hint = (
            "check that the column is recorded; a constant column adds nothing to training" if action else ""
        )
        code = "constant-action" if action else "constant-state"
        yield Problem(
            code, message, Place(str(where), episode=first), hint, severity="warning" if action else "note"
        )
    if not action or len(still) == len(low):
        return
    zero = (column.low == 0).all(axis=1) & (column.high == 0).all(axis=1)
    tally = Tally()
    for at in np.flatnonzero(zero).tolist():
        run = int(column.runs[at])
        tally.add(summaries.files[run], int(summaries.episodes[run]), 0, int(summaries.lengths[run]))
    if tally.rows:
        message = f"{name!r} is zero throughout {EPISODES}"
        hint = "such episodes were recorded without kinematics or without a teleoperator; leave them out"
        yield tally.problem("zero-action", message, hint)


def _still_episodes(view: View, name: str, column: Summary, summaries: Summaries) -> Iterator[Problem]:
    """Finds episodes of a second or more without movement while others move; zeros are reported before."""
    still = (column.low == column.high).all(axis=1)
    long = summaries.lengths[column.runs] >= max(2.0, view.info.fps or 0.0)
    zero = (column.low == 0).all(axis=1) & (name != "observation.state")
    tally = Tally()
    for at in np.flatnonzero(still & long & ~zero).tolist():
        run = int(column.runs[at])
        tally.add(summaries.files[run], int(summaries.episodes[run]), 0, int(summaries.lengths[run]))
    if tally.rows and not still.all():
        message = f"{name!r} does not change in {EPISODES}"
        hint = "constant readings or commands usually were not recorded; leave such episodes out"
        yield tally.problem("still-episode", message, hint)


def _dimensions(still: NDArray[np.int64], names: object) -> str:
    listed = names if isinstance(names, list) else None
    if isinstance(names, dict) and len(names) == 1:  # {"motors": [...]}
        (listed,) = names.values()
    if len(still) <= 4 and isinstance(listed, list) and len(listed) > int(still.max()):
        which = ", ".join(f"{at} ({listed[at]})" for at in still.tolist())
    else:
        which = ranges_text(still.tolist())
    return f"dimension {which} is" if len(still) == 1 else f"dimensions {which} are"


def _units(name: str, column: Summary, summaries: Summaries) -> Iterator[Problem]:
    """Finds datasets that mix degrees with radians or normalised values, or two gripper ranges."""
    reach = np.maximum(np.abs(column.low), np.abs(column.high))
    changing = (column.high > column.low).any(axis=1) & (summaries.lengths[column.runs] > 2)
    moving = np.isfinite(reach).all(axis=1) & changing  # a constant column does not show its unit
    episodes = summaries.episodes[column.runs]
    if moving.sum() < 2:
        return
    typical = np.full(len(reach), np.nan)
    typical[moving] = [median(row[row > 0]) for row in reach[moving]]
    small = moving & (reach.max(axis=1) <= _RADIANS) & (typical > 1e-3)
    large = moving & (typical >= _DEGREES)
    if small.any() and large.any():
        minor, other = (small, large) if small.sum() <= large.sum() else (large, small)
        at = int(np.flatnonzero(minor)[0])
        message = (
            f"{name!r} reaches {reach[minor].max():.3g} in {episodes_text(episodes[minor].tolist())}, and "
            f"{reach[other].max():.3g} in {episodes_text(episodes[other].tolist())}: degrees mixed "
            "with radians "
            "or normalised values"
        )
        yield _mixed(message, summaries, int(column.runs[at]))
    two = (column.low == 0) & (column.high == 2)
    one = (column.low == -1) & (column.high == 1)
    for dimension in np.flatnonzero(two.any(axis=0) & one.any(axis=0)).tolist():
        wide, centred = (episodes_text(episodes[which[:, dimension]].tolist()) for which in (two, one))
        message = f"{name!r}, dimension {dimension}, is in [0, 2] in {wide}, and in [-1, 1] in {centred}"
        yield _mixed(message, summaries, int(column.runs[int(np.flatnonzero(two[:, dimension])[0])]))


def _mixed(message: str, summaries: Summaries, run: int) -> Problem:
    hint = "convert all episodes to one unit before merging"
    tally = Tally()
    tally.add(summaries.files[run], int(summaries.episodes[run]), None)
    return tally.problem("mixed-units", message, hint)
