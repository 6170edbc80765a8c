"""Notes the checks that a fault prevented, so that missing findings are not taken for soundness."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from lerobot_grasp_plugin.core.choices import Level
from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.findings.words import some
from lerobot_grasp_plugin.verify.place import agree, count, episodes_text
from lerobot_grasp_plugin.verify.unseen import Unseen
from lerobot_grasp_plugin.verify.view import View

_HINT = "fix the errors above and verify again: more may be wrong there"
_CLOSED = "its contents cannot be read"


def unchecked_notes(
    view: View,
    level: Level,
    unseen: Unseen,
    problems: Sequence[Problem],
) -> Iterator[Problem]:
    """A note for each fault that kept checks from running, with the checks.

    Args:
        view: The dataset.
        level: The requested depth.
        unseen: The unchecked parts of the tables.
        problems: All findings.
    """
    if "meta" in view.closed:
        yield _note(view.root / "meta", _CLOSED, "nothing else in the dataset was checked")
        return
    if any(problem.code in ("no-episodes", "only-metadata") for problem in problems):
        return  # there was nothing to check
    yield from _of_info(view, level)
    yield from _of_lists(view, level)
    if level != "meta":
        yield from _of_rows(view, unseen)
        if unseen.unknown:
            why = f"the episodes of the rows of {count(len(unseen.unknown), 'table')} are unknown"
            yield _note(min(unseen.unknown), why, _were_not("their indices", "timestamps", "labels"))
        for name, path in unseen.partly.items():
            why = f"some rows of {name!r} do not hold numbers of one width"
            yield _note(path, why, _were_not("the values of neighbouring rows"))
    if level in ("video", "decode"):
        yield from _of_videos(view, problems)


def _note(path: Path, why: str, what: str) -> Problem:
    return Problem("not-checked", f"{what}: {why}", path, _HINT)


def _were_not(*checks: str) -> str:
    listed = ", ".join(checks[:-1]) + " and " * (len(checks) > 1) + checks[-1]
    return f"{listed} were not checked"


def _of_info(view: View, level: Level) -> Iterator[Problem]:
    info = view.info
    deep = level in ("video", "decode")
    if not info.raw:
        checks = ["totals", "splits", "cameras", "the columns and types of the tables", "statistics"]
        checks += ["timestamps"] * (level != "meta") + ["videos"] * deep
        yield _note(info.where, "info.json is missing or cannot be read", _were_not(*checks))
        return
    if info.fps is None and level != "meta":
        yield _note(info.where, "fps is unknown", _were_not("timestamps", *["videos"] * deep))
    declared = info.raw.get("features")
    if not isinstance(declared, dict) or not declared:
        checks = ["cameras", "the columns and types of the tables", "statistics", *["videos"] * deep]
        yield _note(info.where, "no features are declared", _were_not(*checks))
    elif dropped := [name for name in declared if name not in info.features]:
        named = some(map(repr, dropped))
        their = agree(len(dropped), "its", "their")
        checks = [f"{their} columns and statistics", *[f"{their} videos"] * deep]
        yield _note(info.where, f"{named} cannot be read", _were_not(*checks))


def _of_lists(view: View, level: Level) -> Iterator[Problem]:
    if view.tasks is None:
        name = layout.LEGACY_TASKS_PATH if view.legacy else layout.TASKS_PATH
        checks = ["total_tasks", *["the task_index of every row"] * (level != "meta")]
        yield _note(view.root / name, "the list of tasks is missing or cannot be read", _were_not(*checks))
    if view.episodes is None:
        name = layout.LEGACY_EPISODES_PATH if view.legacy else layout.EPISODES_DIR
        checks = ["the lengths of episodes", "splits", "files that are missing or left over", "statistics"]
        checks += ["the videos against the rows"] * (level in ("video", "decode"))
        yield _note(view.root / name, "the list of episodes is missing or cannot be read", _were_not(*checks))
        return
    for setting, paths in (
        ("the table", view.data_paths),
        *((f"the video of camera {key!r}", spans) for key, spans in view.spans.items()),
    ):
        named = zip(view.episodes.indices.tolist(), paths, strict=True)
        lost = [episode for episode, path in named if path is None]
        closed = ("data" if setting == "the table" else "videos") in view.closed
        if lost and not closed:
            why = f"the metadata does not say where {setting} of {episodes_text(lost)} is"
            images = setting != "the table" and level in ("video", "decode")
            what = "its images" if images else "files that are missing or left over"
            yield _note(view.episodes.where, why, _were_not(what))


def _of_rows(view: View, unseen: Unseen) -> Iterator[Problem]:
    if "data" in view.closed:
        yield _note(view.root / "data", _CLOSED, _were_not("all rows"))
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
        why = f"{count(len(lost), 'table')} {are} missing or cannot be read{of}"
        checks = ("their indices", "timestamps", "labels", "values", "the statistics over all rows")
        yield _note(min(lost), why, _were_not(*checks))


def _of_videos(view: View, problems: Sequence[Problem]) -> Iterator[Problem]:
    if "videos" in view.closed:
        yield _note(view.root / "videos", _CLOSED, _were_not("all videos"))
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
