"""Cuts episodes: each range in ``frames`` of a source becomes an episode of the output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lerobot_grasp_plugin.core.annotations import AnnotationSection, EpisodeAnnotation, IndexBase
from lerobot_grasp_plugin.core.grammar_text import read_episode
from lerobot_grasp_plugin.core.section_check import check_section
from lerobot_grasp_plugin.core.source_text import UNPRINTABLE, Findings
from lerobot_grasp_plugin.core.source_text import Source as Text
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.cut import CutReader, Part
from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.findings.words import agree, count, episodes_text
from lerobot_grasp_plugin.merging.recipe import LabelOptions
from lerobot_grasp_plugin.merging.source_labels import decided_done
from lerobot_grasp_plugin.merging.sources import Source


@dataclass
class Cuts:
    """The parts of the episodes of several sources.

    Attributes:
        parts: Those of each source, by its number; those of an episode in the order of its frames.
        warnings: About the ranges.
    """

    parts: dict[int, Sequence[Part]] = field(default_factory=dict)
    warnings: list[Problem] = field(default_factory=list)

    def apply(self, sources: Sequence[Source]) -> list[Source]:
        """The sources with an episode of each part, and the labels cut with it."""
        return [
            _cut(source, self.parts[source.number]) if source.number in self.parts else source
            for source in sources
        ]


def read_cuts(sources: Sequence[Source], options: LabelOptions) -> Cuts:
    """Reads ``frames`` of every source.

    Args:
        sources: Opened, with episodes chosen.
        options: ``index_base`` is the number of the first frame.

    Raises:
        UsageError: With every range that is invalid or out of bounds, and every missing episode.
    """
    cuts = Cuts()
    base: IndexBase = 0 if options.index_base == 0 else 1
    problems: list[Problem] = []
    for source in sources:
        if not source.config.frames:
            continue
        episodes, errors, warnings = _read(source, base)
        problems += errors
        cuts.warnings += warnings
        cuts.parts[source.number] = [part for episode in episodes for part in _parts(source, episode)]
    if problems:
        raise UsageError(problems)
    return cuts


def _read(source: Source, base: IndexBase) -> tuple[list[EpisodeAnnotation], list[Problem], list[Problem]]:
    """The ranges of each episode, with errors and warnings about them."""
    lines = {
        episode: UNPRINTABLE.sub(" ", f"{episode}: {ranges}")
        for episode, ranges in source.config.frames.items()
    }
    name = f"frames of {source.title}"
    text = Text(name, "\n".join(lines.values()))
    findings = Findings()
    episodes: list[EpisodeAnnotation] = []
    chosen = set(source.episodes)
    for start, line in text.lines():
        before = len(findings.errors)
        episode, _ = read_episode(text, start, line, base, findings)
        if episode is None:
            continue
        place = text.place(start, start + len(line))
        index = episode.episode_index
        if not episode.ranges and len(findings.errors) == before:
            hint = "expected ranges such as 20-180, 200-"
            findings.error("missing-ranges", "the range is empty", place, hint)
        if index not in chosen and index < len(source.reader.lengths):
            message = f"episode {index} is not among the chosen episodes"
            hint = "add it to `episodes`, or remove it from `frames`"
            findings.error("frames-not-chosen", message, place, hint)
        episodes.append(episode)
    section = AnnotationSection(None, tuple(episodes))
    late = check_section(section, source.reader.lengths.tolist(), name=name, index_base=base)
    return episodes, [*findings.errors, *late], list(findings.warnings)


def _parts(source: Source, episode: EpisodeAnnotation) -> Iterator[Part]:
    index = episode.episode_index
    length = int(source.reader.lengths[index]) if index < len(source.reader.lengths) else 0
    for interval in sorted(episode.ranges, key=lambda each: each.start):
        yield Part(index, interval.start, length if interval.stop is None else interval.stop)


def _cut(source: Source, parts: Sequence[Part]) -> Source:
    reader = CutReader(source.reader, parts)
    numbers: dict[int, list[int]] = {}
    for number, part in reader.parts.items():
        numbers.setdefault(part.episode, []).append(number)
    chosen = [episode for episode in source.episodes if episode in numbers]
    own = [number for episode in chosen for number in numbers[episode]]
    if source.labels is not None:
        labels = {
            number: source.labels[part.episode].within(part.start, part.stop)
            for number, part in reader.parts.items()
            if part.episode in source.labels
        }
        source = replace(source, labels={**source.labels, **labels})
    episodes = [number for episode in source.episodes for number in numbers.get(episode, [episode])]
    source = replace(source, episodes=episodes, reader=reader, parts=reader.parts)
    if not chosen:
        return source
    total = int(reader.lengths[chosen].sum())
    left = total - int(reader.lengths[own].sum())
    success = _success(source, chosen) - _success(source, own)
    return source.noted(
        f"{count(len(own), 'part')} of {episodes_text(chosen)}: {left} of {count(total, 'frame')} "
        f"{agree(left, 'is', 'are')} left out" + f", {success} of them success" * (success > 0)
    )


def _success(source: Source, episodes: Sequence[int]) -> int:
    """Annotated success frames of some episodes."""
    labels = source.labels or {}
    return sum(labels[each].count(int(source.reader.lengths[each])) for each in episodes if each in labels)


def part_warnings(
    sources: Sequence[Source], options: LabelOptions, *, labelled: bool, cameras: Mapping[int, Sequence[str]]
) -> Iterator[Problem]:
    """Warnings about values of a part that are still those of the whole source episode.

    Args:
        sources: The sources, cut.
        options: How labels are made.
        labelled: Whether labels are written.
        cameras: Number of a source -> its cameras whose statistics are copied.
    """
    for source in sources:
        number_of_parts = sum(number in source.parts for number in source.episodes)
        if (names := cameras.get(source.number)) and number_of_parts:
            parts = count(number_of_parts, "part")
            message = (
                f"{source.title}: the statistics of {', '.join(map(repr, names))} in {parts} of episodes"
            )
            message += " are those of the whole episode, weighted by the part's share of its frames"
            hint = "images are not decoded; statistics of all other features are computed from the rows"
            yield Problem("statistics-of-whole-episode", message, hint=hint)
        is_kept = layout.DONE in source.features and (not labelled or decided_done(source, options) == "keep")
        lengths = source.own_lengths
        ended = [
            source.parts[number].episode
            for number in source.episodes
            if number in source.parts and source.parts[number].stop < lengths[source.parts[number].episode]
        ]
        if is_kept and ended:
            message = f"{source.title}: next.done is kept, and parts of {episodes_text(ended)} end before "
            message += "the episode does"
            hint = "their last frame is done only if the source says so; --done episode_end with "
            hint += "--annotations or --labels_from next.reward sets next.done in each last frame"
            yield Problem("done-cut-off", message, hint=hint)
