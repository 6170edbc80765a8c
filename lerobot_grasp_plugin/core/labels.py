"""From what a person asserted to per-frame labels.

Rows and frames are 0-based and of equal number: row t of an episode holds frame t.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lerobot_grasp_plugin.core.annotations import AnnotationSection, EpisodeAnnotation, IndexBase
from lerobot_grasp_plugin.core.choices import Alignment, Done
from lerobot_grasp_plugin.core.grammar_ranges import format_range, format_ranges
from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.core.source_text import Place
from lerobot_grasp_plugin.errors import Problem

Lengths = Mapping[int, int] | Sequence[int]
"""Frames per episode, by ``episode_index``."""


@dataclass(frozen=True, slots=True, eq=False)
class EpisodeLabels:
    """The label columns of one episode.

    Attributes:
        reward: ``next.reward``: float32, shape (length,).
        done: ``next.done``: bool, shape (length,).
        success: ``next.success``: bool, shape (length,); where ``reward`` has the success value.
    """

    reward: npt.NDArray[np.float32]
    done: npt.NDArray[np.bool_]
    success: npt.NDArray[np.bool_]


def label_episode(
    success: IntervalSet,
    length: int,
    *,
    alignment: Alignment,
    done: Done,
    success_value: float = 1.0,
    failure_value: float = 0.0,
    existing_done: npt.NDArray[np.bool_] | None = None,
) -> EpisodeLabels:
    """Label every row of an episode.

    Args:
        success: The success frames; they must fit the episode (see ``check_section``).
        length: Frames of the episode.
        alignment: ``frame`` gives row t the label of frame t. ``next`` gives it the label of
            frame t + 1, and the last row, which has no next frame, that of its own frame.
        done: Which rows end the episode. ``keep`` takes ``existing_done`` as it is. The others
            mark the last row, and besides it ``episode_end`` nothing, ``first_success`` the first
            success row, ``last_frame_of_success`` the last one (rows after ``alignment``).
        success_value: Reward of success rows.
        failure_value: Reward of all other rows.
        existing_done: Bool, shape (length,). Needed for ``keep``, else of no effect.

    Raises:
        ValueError: ``success`` reaches past the end, ``existing_done`` is missing or of another
            shape or dtype, or an option is unknown.
    """
    late = [interval for interval in success if _ends_late(interval, length)]
    if late:
        raise ValueError(f"{late[-1]} does not fit an episode of {length} frames")
    rows = success.mask(length)
    if alignment == "next":
        rows[:-1] = rows[1:].copy()
    elif alignment != "frame":
        raise ValueError(f"alignment must be frame or next, got {alignment!r}")
    reward = np.where(rows, np.float32(success_value), np.float32(failure_value)).astype(np.float32)
    return EpisodeLabels(reward, _done(rows, done, existing_done), rows)


def check_section(
    section: AnnotationSection, lengths: Lengths, *, name: str, index_base: IndexBase
) -> list[Problem]:
    """Compare a section with the episodes it is about.

    Args:
        section: What the person asserted.
        lengths: Frames per episode of the dataset, by ``episode_index``.
        name: What to call the annotation file where a place in it is not known.
        index_base: How the person counts frames, for the messages.

    Returns:
        An error for each label of an episode that does not exist (``unknown-episode``) and each
        range that has a frame past the end of its episode (``range-past-end``), or list of frames
        that is not as long as the episode (``frames-missing``). For episodes without a label see
        ``unlisted_episodes``.
    """
    known = _by_index(lengths)
    problems: list[Problem] = []
    for episode in section.episodes:
        length = known.get(episode.episode_index)
        if length is None:
            problems.append(_unknown(episode, section, known, name))
            continue
        if episode.frames is not None and episode.frames != length:
            message = (
                f"episode {episode.episode_index} has {length} frames, and the file lists {episode.frames}"
            )
            hint = "give every frame one row; for ranges use the columns episode,start,end"
            problems.append(Problem("frames-missing", message, _line(episode, name), hint))
            continue
        late = [item for item in episode.excluded if _ends_late(item[0], length)]
        if late:  # what is left of the ranges means nothing then
            for interval, place in late:
                problems.append(_past_end(episode.episode_index, interval, length, index_base, place))
            continue
        for position, interval in enumerate(episode.ranges):
            is_rest = bool(episode.excluded) and interval == FrameInterval(length, None)
            if _ends_late(interval, length) and not is_rest:
                known_places = len(episode.places) == len(episode.ranges)
                where = episode.places[position] if known_places else _line(episode, name)
                problems.append(_past_end(episode.episode_index, interval, length, index_base, where))
    return problems


def unlisted_episodes(episodes: Iterable[EpisodeAnnotation], lengths: Lengths) -> tuple[int, ...]:
    """The ``episode_index`` of every episode of the dataset that has no annotation, ascending."""
    listed = {episode.episode_index for episode in episodes}
    return tuple(sorted(set(_by_index(lengths)) - listed))


def _done(
    rows: npt.NDArray[np.bool_], done: Done, existing: npt.NDArray[np.bool_] | None
) -> npt.NDArray[np.bool_]:
    if done == "keep":
        if existing is None or existing.dtype != np.bool_ or existing.shape != rows.shape:
            raise ValueError(f"done `keep` needs existing_done, bool of shape {rows.shape}")
        return existing.copy()
    if done not in ("episode_end", "first_success", "last_frame_of_success"):
        raise ValueError(f"done {done!r} is unknown")
    marked = np.zeros_like(rows)
    marked[-1:] = True
    where = np.flatnonzero(rows)
    if len(where) and done == "first_success":
        marked[where[0]] = True
    elif len(where) and done == "last_frame_of_success":
        marked[where[-1]] = True
    return marked


def _by_index(lengths: Lengths) -> Mapping[int, int]:
    return lengths if isinstance(lengths, Mapping) else dict(enumerate(lengths))


def _ends_late(interval: FrameInterval, length: int) -> bool:
    return interval.start >= length or (interval.stop is not None and interval.stop > length)


def _unknown(
    episode: EpisodeAnnotation, section: AnnotationSection, known: Mapping[int, int], name: str
) -> Problem:
    whose = section.dataset if section.dataset is not None else "the dataset"
    message = f"episode {episode.episode_index} does not exist in {whose}"
    if not known:
        hint = "it has no episodes"
    elif len(known) == max(known) + 1:
        hint = f"it has {len(known)} episodes, 0 to {max(known)}"
    else:
        hint = f"it has {len(known)} episodes between {min(known)} and {max(known)}"
    excerpt = f"{episode.text.strip()}\n^" if episode.text else ""
    return Problem("unknown-episode", message, _line(episode, name), hint, excerpt)


def _past_end(
    episode: int, interval: FrameInterval, length: int, index_base: IndexBase, place: Place | str
) -> Problem:
    is_all = interval == FrameInterval(0, None)
    range_ = format_ranges((interval,), index_base) if is_all else format_range(interval, index_base)
    begins = "begins" if interval.start >= length else "reaches"
    last = f", the last is frame {length - 1 + index_base}" if length else ""
    message = (
        f"episode {episode}: {range_} {begins} past the end; "
        f"the episode has {length} frames{last} ({index_base}-indexed)"
    )
    first = interval.start + index_base
    hint = f"write {first}- if the end of the episode is meant" if interval.start < length else ""
    if isinstance(place, str):
        return Problem("range-past-end", message, place, hint)
    return Problem("range-past-end", message, place.where, hint, place.excerpt)


def _line(episode: EpisodeAnnotation, name: str) -> str:
    return f"{name}:{episode.line}" if episode.line else name
