"""Checks that annotations fit the episodes of a dataset and their lengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lerobot_grasp_plugin.core.annotations import AnnotationSection, EpisodeAnnotation, IndexBase
from lerobot_grasp_plugin.core.grammar_ranges import format_range, format_ranges
from lerobot_grasp_plugin.core.intervals import FrameInterval, ends_late
from lerobot_grasp_plugin.core.source_text import Span
from lerobot_grasp_plugin.findings.problem import Place, Problem
from lerobot_grasp_plugin.findings.words import count

Lengths = Mapping[int, int] | Sequence[int]
"""Frames per episode, by ``episode_index``."""


def check_section(
    section: AnnotationSection, lengths: Lengths, *, name: str, index_base: IndexBase
) -> list[Problem]:
    """Compare a section with the episodes it is about.

    Args:
        section: The person's annotations.
        lengths: Frames per episode of the dataset, by ``episode_index``.
        name: The annotation file's name, if a place in it is unknown.
        index_base: How the person counts frames, for the messages.

    Returns:
        An error for each label of an episode that does not exist (``unknown-episode``) and each
        range that has a frame past the end of its episode (``range-past-end``), or list of frames
        that is not as long as the episode (``frames-missing``).
    """
    known = _by_index(lengths)
    problems: list[Problem] = []
    for episode in section.episodes:
        length = known.get(episode.episode_index)
        if length is None:
            problems.append(_unknown(episode, section, known, name))
            continue
        if episode.frames is not None and episode.frames != length:
            frames = f"{count(length, 'frame')}, but the file lists {episode.frames}"
            message = f"episode {episode.episode_index} has {frames}"
            hint = "give every frame one row; for ranges use the columns episode,start,end"
            problems.append(Problem("frames-missing", message, _line(episode, name), hint))
            continue
        late = [item for item in episode.excluded if ends_late(item[0], length)]
        if late:  # the remaining ranges are meaningless then
            for interval, place in late:
                problems.append(_past_end(episode.episode_index, interval, length, index_base, place))
            continue
        for position, interval in enumerate(episode.ranges):
            is_rest = bool(episode.excluded) and interval == FrameInterval(length, None)
            if ends_late(interval, length) and not is_rest:
                known_places = len(episode.places) == len(episode.ranges)
                where = episode.places[position] if known_places else _line(episode, name)
                problems.append(_past_end(episode.episode_index, interval, length, index_base, where))
    return problems


def _by_index(lengths: Lengths) -> Mapping[int, int]:
    return lengths if isinstance(lengths, Mapping) else dict(enumerate(lengths))


def _unknown(
    episode: EpisodeAnnotation, section: AnnotationSection, known: Mapping[int, int], name: str
) -> Problem:
    whose = section.dataset if section.dataset is not None else "the dataset"
    message = f"episode {episode.episode_index} does not exist in {whose}"
    if not known:
        hint = "it has no episodes"
    elif len(known) == max(known) + 1:
        hint = f"it has {count(len(known), 'episode')}, 0 to {max(known)}"
    else:
        hint = f"it has {count(len(known), 'episode')} between {min(known)} and {max(known)}"
    excerpt = f"{episode.text.strip()}\n^" if episode.text else ""
    return Problem("unknown-episode", message, _line(episode, name), hint, excerpt)


def _past_end(
    episode: int, interval: FrameInterval, length: int, index_base: IndexBase, place: Span | Place
) -> Problem:
    is_all = interval == FrameInterval(0, None)
    range_ = format_ranges((interval,), index_base) if is_all else format_range(interval, index_base)
    begins = "begins" if interval.start >= length else "reaches"
    last = f", the last is frame {length - 1 + index_base}" if length else ""
    message = (
        f"episode {episode}: {range_} {begins} past the end; "
        f"the episode has {count(length, 'frame')}{last} ({index_base}-indexed)"
    )
    first = interval.start + index_base
    hint = f"write {first}- for a range to the end of the episode" if interval.start < length else ""
    if isinstance(place, Span):
        return place.problem("range-past-end", message, hint)
    return Problem("range-past-end", message, place, hint)


def _line(episode: EpisodeAnnotation, name: str) -> Place:
    return Place(name, episode.line or None)
