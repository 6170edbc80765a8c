"""Notes the checks that a fault prevented, so that missing findings are not taken for soundness."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.findings.words import some
from lerobot_grasp_plugin.verify.checks import CheckEntry
from lerobot_grasp_plugin.verify.facts import Facts, Need
from lerobot_grasp_plugin.verify.place import agree, count, episodes_text
from lerobot_grasp_plugin.verify.view import View

_HINT = "fix the errors above and verify again: more may be wrong there"
_CLOSED = "its contents cannot be read"


def not_checked_notes(
    facts: Facts, checks: Sequence[CheckEntry], problems: Sequence[Problem]
) -> Iterator[Problem]:
    """A note for each fault that kept checks from running, with what they would have checked.

    Args:
        facts: The dataset, after all checks.
        checks: The checks that the options ask for.
        problems: All findings.
    """
    view = facts.view
    if "meta" in view.closed:
        yield _note(view.root / "meta", _CLOSED, "nothing else in the dataset was checked")
        return
    if any(problem.code in ("no-episodes", "only-metadata") for problem in problems):
        return  # there was nothing to check
    for need, path, why in [*_of_metadata(view), *_of_rows(facts)]:
        parts = dict.fromkeys(filter(None, (check.without(need) for check in checks)))
        if parts:
            yield _note(path, why, _were_not(*parts))
    yield from _of_features(facts)
    if facts.has("episodes"):
        yield from _of_places(facts)
    for name, path in facts.tables.unseen.partly.items():
        why = f"some rows of {name!r} do not hold numbers of one width"
        yield _note(path, why, _were_not("the values of neighbouring rows"))
    if facts.deep:
        yield from _of_videos(view, problems)


def _note(path: Path, why: str, what: str) -> Problem:
    return Problem("not-checked", f"{what}: {why}", path, _HINT)


def _were_not(*parts: str) -> str:
    listed = ", ".join(parts[:-1]) + " and " * (len(parts) > 1) + parts[-1]
    return f"{listed} were not checked"


def _of_metadata(view: View) -> Iterator[tuple[Need, Path, str]]:
    """Each lack of the metadata: the need, the file, and what is wrong with it."""
    info = view.info
    if not info.raw:
        yield "info", info.where, "info.json is missing or cannot be read"
    else:
        if info.fps is None:
            yield "fps", info.where, "fps is unknown"
        declared = info.raw.get("features")
        if not isinstance(declared, dict) or not declared:
            yield "features", info.where, "no features are declared"
    if view.tasks is None:
        yield "tasks", view.root / view.format.tasks, "the list of tasks is missing or cannot be read"
    if view.episodes is None:
        yield (
            "episodes",
            view.root / view.format.episodes,
            "the list of episodes is missing or cannot be read",
        )
    if "videos" in view.closed:
        yield "videos", view.root / "videos", _CLOSED


def _of_rows(facts: Facts) -> Iterator[tuple[Need, Path, str]]:
    view, unseen = facts.view, facts.tables.unseen
    if "data" in view.closed:
        yield "rows", view.root / "data", _CLOSED
        return
    lost = set(unseen.unread)
    episodes: list[int] = []
    if view.episodes is not None and not view.tables.swapped:
        there = {*view.data_files, *unseen.moved}
        for episode, path in zip(view.episodes.indices.tolist(), view.data_paths, strict=True):
            if path is not None and (path in unseen.unread or path not in there):
                lost.add(path)
                episodes.append(episode)
    if lost:
        of = f" (those of {episodes_text(episodes)})" if episodes else ""
        are = agree(len(lost), "is", "are")
        yield "rows", min(lost), f"{count(len(lost), 'table')} {are} missing or cannot be read{of}"
    if unseen.unknown:
        why = f"the episodes of the rows of {count(len(unseen.unknown), 'table')} are unknown"
        yield "episode rows", min(unseen.unknown), why


def _of_features(facts: Facts) -> Iterator[Problem]:
    """Notes features whose declaration cannot be read."""
    info = facts.view.info
    declared = info.raw.get("features")
    if isinstance(declared, dict) and (dropped := [name for name in declared if name not in info.features]):
        their = agree(len(dropped), "its", "their")
        parts = [f"{their} columns and statistics", *[f"{their} videos"] * facts.deep]
        yield _note(info.where, f"{some(map(repr, dropped))} cannot be read", _were_not(*parts))


def _of_places(facts: Facts) -> Iterator[Problem]:
    """Notes episodes for which the metadata gives no file."""
    view = facts.view
    assert view.episodes is not None
    for setting, paths in (
        ("the table", view.data_paths),
        *((f"the video of camera {key!r}", spans) for key, spans in view.spans.items()),
    ):
        named = zip(view.episodes.indices.tolist(), paths, strict=True)
        lost = [episode for episode, path in named if path is None]
        closed = ("data" if setting == "the table" else "videos") in view.closed
        if lost and not closed:
            why = f"the metadata does not say where {setting} of {episodes_text(lost)} is"
            images = setting != "the table" and facts.deep
            what = "its images" if images else "files that are missing or left over"
            yield _note(view.episodes.where, why, _were_not(what))


def _of_videos(view: View, problems: Sequence[Problem]) -> Iterator[Problem]:
    """Notes videos that cannot be opened, or of another format, with their episodes."""
    if "videos" in view.closed:
        return
    if view.videos.swapped and view.video_keys:
        why = "the videos are of another format than the metadata"
        yield _note(view.root / "videos", why, _were_not("their images"))
        return
    unopened = {  # what is found in a file that can be opened has an episode
        problem.place.path
        for problem in problems
        if problem.code.startswith("video-") and problem.place.episode is None
    }
    for key, spans in view.spans.items():
        if view.episodes is None:
            continue
        lost = [
            (episode, span.path)
            for episode, span in zip(view.episodes.indices.tolist(), spans, strict=True)
            if span is not None and (str(span.path) in unopened or not span.path.is_file())
        ]
        if lost:
            number = len({path for _, path in lost})
            are = agree(number, "is", "are")
            why = f"{count(number, 'video')} of camera {key!r} {are} missing or cannot be read"
            what = f"the images of {episodes_text(episode for episode, _ in lost)} were not checked"
            yield _note(min(path for _, path in lost), why, what)
