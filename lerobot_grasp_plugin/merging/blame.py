"""Maps findings about a new dataset to the files and episodes of the sources they come from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from lerobot_grasp_plugin.core.plan import PlannedEpisode
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.findings.problem import Episodes, Problem
from lerobot_grasp_plugin.merging.prepare import Build


def at_sources(build: Build, problems: Iterable[Problem]) -> list[Problem]:
    """The same findings with the places of the sources.

    Args:
        build: The dataset that was written.
        problems: Its findings, with episodes of the new dataset.

    Returns:
        Findings with the file and episode of a source; findings without a source keep the path in
        the new dataset.
    """
    return [_at_source(build, problem) for problem in problems]


def _at_source(build: Build, problem: Problem) -> Problem:
    place = problem.place
    planned = _planned(build, place.file, place.episode)
    if planned is None:
        place = replace(place, root="the new dataset", episode=None, frame=None)
    else:
        episode = planned.source_episode if place.episode is not None else None
        file = str(_source_file(build, place.file, planned))
        frame = None if place.frame is None else place.frame + planned.source_span[0]
        place = replace(place, root="", file=file, episode=episode, frame=frame)
    return replace(problem, place=place, episodes=_in_sources(build, problem.episodes))


def _in_sources(build: Build, episodes: Iterable[Episodes]) -> tuple[Episodes, ...]:
    """Maps episodes of the new dataset to those of the sources; an unplanned one stays as it is."""
    planned = build.plan.episodes
    numbers: dict[str, list[int]] = {}
    for number in (number for some in episodes for number in some.numbers):
        if 0 <= number < len(planned):
            title = build.sources[planned[number].source].title
            numbers.setdefault(title, []).append(planned[number].source_episode)
        else:
            numbers.setdefault("the new dataset", []).append(number)
    return tuple(Episodes(tuple(own), title) for title, own in numbers.items())


def _planned(build: Build, file: str, episode: int | None) -> PlannedEpisode | None:
    """The episode of a finding: the one it names, or the first one in its file."""
    planned = build.plan.episodes
    if episode is not None:
        return planned[episode] if 0 <= episode < len(planned) else None
    for candidate in planned:
        if file in _output_files(build, candidate):
            return candidate
    return planned[0] if len(build.sources) == 1 else None


def _output_files(build: Build, planned: PlannedEpisode) -> dict[str, str | None]:
    """Files of the new dataset that hold an episode, with the camera whose images they hold."""
    chunk, number = layout.chunk_and_file(planned.data_file)
    files: dict[str, str | None] = {layout.DATA_PATH.format(chunk_index=chunk, file_index=number): None}
    for camera in build.videos:
        chunk, number = layout.chunk_and_file(camera.places[planned.episode_index].file)
        path = layout.VIDEO_PATH.format(video_key=camera.video_key, chunk_index=chunk, file_index=number)
        files[path] = camera.video_key
    return files


def _source_file(build: Build, file: str, planned: PlannedEpisode) -> Path:
    source = build.sources[planned.source]
    files = _output_files(build, planned)
    if file not in files:
        return source.reader.root
    camera = files[file]
    if camera is None:
        return source.reader.data_path(planned.read_as)
    return source.reader.video_span(planned.read_as, source.original[camera]).path
