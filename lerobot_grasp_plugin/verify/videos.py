"""Every episode's frames against the headers of the video files; nothing is decoded.

Findings are graded by what LeRobot does. It seeks to a keyframe at or before the time it looks for and
decodes from there, or asks torchcodec for frame number ``time * average_fps``; either way a frame that
is not within ``tolerance_s`` of that time is an error, and a frame of another episode is not noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.reader import VideoSpan
from lerobot_grasp_plugin.findings.problem import EPISODES, GraspError, Place, Problem, the_episodes
from lerobot_grasp_plugin.verify.keyframes import check_starts
from lerobot_grasp_plugin.verify.place import Tally, agree, count, episodes_text
from lerobot_grasp_plugin.verify.video_stream import StreamCheck
from lerobot_grasp_plugin.verify.video_use import FileUse, Match, files_in_use, match_rows
from lerobot_grasp_plugin.video.samples import VideoSamples, read_samples

_TOLERANCE = f"LeRobot refuses a video frame {layout.TIMESTAMP_TOLERANCE_S} s or more from its row's time"
_COPY_AGAIN = "copy it again from where it was recorded, or leave its episodes out with lerobot-grasp-merge"
_APART = "rows and video frames may be misaligned: compare them with lerobot-grasp-review"
_OTHER_RATE = 5e-4
_SUMMED_UP = 4
"""Files from which on surplus frames of a camera are summed up as well."""


class VideoCheck(Protocol):
    """A check of the video files, ``check_videos`` for one."""

    def __call__(
        self,
        root: Path,
        fps: float,
        features: Mapping[str, Mapping[str, Any]],
        spans: Mapping[str, Sequence[VideoSpan | None]],
        lengths: NDArray[np.int64],
        progress: Callable[[int, int], None] | None = None,
    ) -> Iterator[Problem]: ...


def check_videos(
    root: Path,
    fps: float,
    features: Mapping[str, Mapping[str, Any]],
    spans: Mapping[str, Sequence[VideoSpan | None]],
    lengths: NDArray[np.int64],
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Problem]:
    """Frames in each file against the rows that refer to them, and streams against ``info.json``.

    Files that are missing are passed over.

    Args:
        root: The dataset's folder.
        fps: Frames per second.
        features: As ``info.json`` has them, those that are well-formed.
        spans: Per video key, where each episode's frames are; None where the metadata cannot say.
        lengths: Rows of each episode, int64, shape (episodes,).
        progress: Called with the number of finished files and the total.
    """
    files = files_in_use(spans, lengths)
    total, done = sum(map(len, files.values())), 0
    for key, uses in files.items():
        streams = StreamCheck(key, features.get(key, {}), fps)
        held: list[tuple[FileUse, int]] = []
        rates: list[tuple[str, Problem]] = []
        surplus: list[int] = []
        for use in uses:
            try:
                samples = read_samples(use.path)
            except GraspError as error:
                yield from (replace(each, hint=each.hint or _COPY_AGAIN) for each in error.problems)
            else:
                streams.see(samples, int(use.episodes.min()))
                held.append((use, len(samples.pts)))
                match = match_rows(use, samples, fps)
                for problem in check_file(use, samples, match, fps):
                    if problem.code == "video-wrong-fps":
                        rates.append((_rate_text(samples, fps), problem))
                        continue
                    if problem.code == "unreferenced-frames":
                        surplus.append(int((match.owner < 0).sum()))
                    yield problem
            done += 1
            if progress is not None:
                progress(done, total)
        if len(surplus) >= _SUMMED_UP:
            frames = _surplus(sum(surplus), sum(number for _, number in held), fps)
            message = f"{key!r}: {frames} in {len(surplus)} of {len(held)} files belong to no row"
            yield Problem("unreferenced-total", message, root / "videos", _APART)
        yield from _of_one_rate(key, rates, len(uses))
        yield from streams.found()
        yield from _mixed_up(key, held)


def check_file(use: FileUse, samples: VideoSamples, match: Match, fps: float) -> Iterator[Problem]:
    """One file's frames against the rows of its episodes, by what ``match_rows`` found."""
    yield from _container(use, samples, match, fps)
    yield from _ends(use, fps)
    yield from _keyframes(use, samples, match)
    yield from check_starts(use, samples, match)
    rate = _own_rate(samples)
    if rate is not None and abs(rate - fps) > max(_OTHER_RATE, 0.5 / len(samples.pts)) * fps:
        message = _rate_text(samples, fps)
        if match.lost:
            message += f"; {count(match.lost, 'row')} of {EPISODES} have no video frame at frame / fps"
            hint = f"it is not the video of these rows, or fps in info.json is wrong; {_TOLERANCE}"
            yield Problem(
                "video-wrong-fps", message, use.start, hint, episodes=the_episodes(use.episodes.tolist())
            )
        else:
            hint = "LeRobot finds a video frame for every row; the others are never shown"
            yield Problem("video-wrong-fps", message, use.start, hint, severity="warning")
        return
    late = _late_start(use, samples, match, fps)
    if late is not None:
        yield late
        return
    yield from _lost(use, samples, match, fps)
    yield from _shared(match)
    yield from _unreferenced(use, samples, match, fps)


def _rate_text(samples: VideoSamples, fps: float) -> str:
    """At which rate the frames of a file come, where that is not the dataset's."""
    return f"its frames come at {_own_rate(samples):.4g} fps, the dataset's are {fps:g} fps"


def _of_one_rate(key: str, rates: Sequence[tuple[str, Problem]], files: int) -> Iterator[Problem]:
    """A camera's files of another frame rate; in one finding where all its files have the same."""
    if len(rates) < 2 or len(rates) < files or len({text for text, _ in rates}) > 1:
        yield from (problem for _, problem in rates)
        return
    text, problem = rates[0]
    yield replace(problem, text=f"{key!r}: {text}; the same in {count(files - 1, 'more file')}", episodes=())


def _mixed_up(key: str, held: Sequence[tuple[FileUse, int]]) -> Iterator[Problem]:
    """Files of one episode each that hold as many frames as others of them should."""
    wrong = [(use, number) for use, number in held if len(use.episodes) == 1 and number != use.lengths[0]]
    wanted, found = [int(use.lengths[0]) for use, _ in wrong], [number for _, number in wrong]
    if len(set(wanted)) < 2 or sorted(wanted) != sorted(found):
        return
    use, number = wrong[0]
    message = (
        f"{key!r}: the videos of {EPISODES} seem to be mixed up: "
        f"this one has {count(number, 'frame')}, as many as another one of them should have"
    )
    hint = "give each file the name of the episode it shows"
    episodes = the_episodes(int(other.episodes[0]) for other, _ in wrong)
    yield Problem("videos-mixed-up", message, use.start, hint, episodes=episodes)


def _own_rate(samples: VideoSamples) -> float | None:
    """Frames per second of a file whose frames come regularly; None for another one."""
    seconds = samples.seconds
    steps = np.diff(seconds)
    if not len(steps) or seconds[-1] <= seconds[0]:
        return None
    mean = float(seconds[-1] - seconds[0]) / len(steps)
    return 1 / mean if float(np.abs(steps - mean).max()) < 0.25 * mean else None


def _container(use: FileUse, samples: VideoSamples, match: Match, fps: float) -> Iterator[Problem]:
    """What the tables of the file say by themselves."""
    cut = np.flatnonzero(samples.cut)
    if len(cut):
        at = int(cut[0])
        lie = agree(len(cut), "lies", "lie")
        message = f"{count(len(cut), 'frame')} {lie} past the end of the file ({samples.file_bytes} bytes)"
        yield Problem("video-truncated", message, _place_of(use, match, at), "fetch or copy the file again")
    if samples.undated:
        message = f"{count(samples.undated, 'packet')} {agree(samples.undated, 'has', 'have')} no time"
        yield Problem("video-damaged", message, use.start, "LeRobot passes over them")
    twice = np.flatnonzero(np.diff(samples.pts) == 0)
    if len(twice):
        at = int(twice[0])
        have = agree(len(twice), "has", "have")
        message = f"{count(len(twice), 'frame')} {have} the time of the one before"
        hint = "LeRobot shows one of the two"
        yield Problem("video-picture-twice", message, _place_of(use, match, at), hint)
    if samples.hidden:
        seconds, everything = samples.hidden / fps, samples.hidden + len(samples.pts)
        message = (
            f"an edit list hides {samples.hidden} of {count(everything, 'frame')} ({seconds:.1f} s); "
            "they are in the file and are never shown"
        )
        hint = "LeRobot's pyav reader leaves them out, torchcodec counts them"
        yield Problem("video-edit-list", message, use.start, hint)


def _place_of(use: FileUse, match: Match, at: int) -> Place:
    """Where an image of a file belongs: to a row, or else to the episode before it."""
    episode, frame = int(match.owner[at]), int(match.frame[at])
    if episode < 0:
        before = np.flatnonzero(match.owner[:at] >= 0)
        last = int(before[-1]) if len(before) else -1
        episode = int(match.owner[last]) if len(before) else int(use.episodes[0])
        return use.at(episode)
    return use.at(episode, frame)


def _ends(use: FileUse, fps: float) -> Iterator[Problem]:
    """``to_timestamp`` against the number of rows, and the order of the episodes."""
    length = use.stops - use.starts
    wrong = np.flatnonzero(np.abs(length - use.lengths / fps) >= layout.TIMESTAMP_TOLERANCE_S)
    tally = Tally()
    for at in wrong.tolist():
        example = (
            f"from {use.starts[at]:.4f} s to {use.stops[at]:.4f} s are {length[at] * fps:.2f} frames, "
            f"the episode has {count(int(use.lengths[at]), 'row')}"
        )
        tally.add(use.path, int(use.episodes[at]), None, 1, example)
    if tally.rows:
        message = f"to_timestamp is wrong for {EPISODES}: {tally.example}"
        hint = "items are read without it; LeRobot's delete, split, streaming and resume go by it"
        yield tally.problem("video-wrong-to-timestamp", message, hint)
    back = np.flatnonzero(np.diff(use.episodes) < 0)
    if len(back):
        first = int(use.episodes[back[0] + 1])
        message = f"episode {first} comes after episode {int(use.episodes[back[0]])} in the file"
        hint = "items are read as they should be; LeRobot's delete takes the order of episodes for granted"
        yield Problem("video-order", message, use.at(first), hint)


def _late_start(use: FileUse, samples: VideoSamples, match: Match, fps: float) -> Problem | None:
    """Frames that come at the right rate, all of them later than their rows."""
    begin, wanted = float(samples.seconds[0]), float(use.starts[0])
    shift = begin - wanted
    grid = begin + np.arange(len(samples.pts)) / fps
    even = float(np.abs(samples.seconds - grid).max()) < layout.TIMESTAMP_TOLERANCE_S
    if shift < layout.TIMESTAMP_TOLERANCE_S or not even:
        return None
    frames = round(shift * fps)
    what = f"the first frame is shown at {begin:.6g} s, its row is at {wanted:.6g} s"
    if abs(shift - frames / fps) >= layout.TIMESTAMP_TOLERANCE_S:
        message = f"{what}: all frames of the file are {shift:.6g} s late"
        return Problem("video-off-grid", message, use.at(int(use.episodes[0]), 0), _TOLERANCE)
    last = float((use.starts + (use.lengths - 1) / fps).max())
    if float(samples.seconds[-1]) < last + 0.5 / fps or not match.absent.rows:
        return None  # the first frames are missing, and the others are where they belong
    message = (
        f"{what}: there is none for {match.absent.extent}, and the others get the image of "
        f"{count(frames, 'frame')} before"
    )
    hint = "torchcodec, LeRobot's default reader, fails on all of its rows; write the file with pts from 0"
    place, episodes = use.at(int(use.episodes[0]), 0), the_episodes(match.absent.episodes)
    return Problem("video-frame-missing", message, place, hint, episodes=episodes)


def _lost(use: FileUse, samples: VideoSamples, match: Match, fps: float) -> Iterator[Problem]:
    """Rows LeRobot has no frame for."""
    held = count(len(samples.pts), "frame")
    if match.late.rows:
        message = f"the file holds {held}; {match.late.extent} come after its end"
        hint = (
            "LeRobot fails on these rows; where frames were dropped while recording, rows and frames have "
            "come apart before: compare them with lerobot-grasp-review"
        )
        yield match.late.problem("video-too-short", message, hint)
    if match.absent.rows:
        message = f"{match.absent.extent} have no video frame; the file holds {held}"
        yield match.absent.problem("video-frame-missing", message, "LeRobot fails on these rows")
    if match.off.rows:
        off = use.starts * fps - np.round(use.starts * fps)
        if float(np.abs(off).max()) / fps >= layout.TIMESTAMP_TOLERANCE_S:
            deviation = float(off[np.abs(off).argmax()]) / fps
            why = f"from_timestamp is {deviation:+.6f} s off the {fps:g} fps grid"
        else:
            why = f"the frames do not come at {fps:g} fps"
        message = f"{match.off.extent} are up to {match.off_by:.6f} s from their video frames: {why}"
        yield match.off.problem("video-off-grid", message, _TOLERANCE)
    if match.miscounted.rows:
        why = f"by the header it has {float(samples.average_fps or 0):.6g} fps"
        if float(samples.seconds[0]) >= layout.TIMESTAMP_TOLERANCE_S:
            why = f"the first frame is shown at {float(samples.seconds[0]):.6g} s"
        elif match.absent.rows:
            why = "frames are missing"
        message = f"{why}, so that torchcodec misses {match.miscounted.extent}"
        hint = (
            "LeRobot asks torchcodec, its default reader, for frame number time * fps; "
            "dataset.video_backend=pyav reads them"
        )
        yield match.miscounted.problem("video-average-fps", message, hint)


def _shared(match: Match) -> Iterator[Problem]:
    if match.shared.rows:
        tally = match.shared
        message = f"{tally.extent} show images of other episodes as well, the first of {tally.example}"
        hint = "LeRobot does not notice: one of the two has the wrong images"
        yield tally.problem("video-overlap", message, hint)


def _unreferenced(use: FileUse, samples: VideoSamples, match: Match, fps: float) -> Iterator[Problem]:
    surplus = np.flatnonzero(match.owner < 0)
    if not len(surplus) or not use.complete:  # they may be of an episode that is not known to be here
        return
    owners = np.maximum.accumulate(np.where(match.owner >= 0, np.arange(len(match.owner)), -1))[surplus]
    after = match.owner[owners[owners >= 0]]
    places = [f"after {episodes_text(after)}"] if len(after) else []
    if (owners < 0).any():
        places.insert(0, "before the first row")
    frames = _surplus(len(surplus), len(samples.pts), fps)
    message = f"{frames} belong to no row: {', '.join(places)}"
    episode = int(after[0]) if len(after) else int(use.episodes[0])
    yield Problem("unreferenced-frames", message, use.at(episode), _APART)


def _surplus(number: int, held: int, fps: float) -> str:
    """``8 of 30 frames (0.8 s, 26.7 %)``."""
    return f"{number} of {count(held, 'frame')} ({number / fps:.1f} s, {100 * number / held:.1f} %)"


def _keyframes(use: FileUse, samples: VideoSamples, match: Match) -> Iterator[Problem]:
    first = int(samples.keyframes.argmax()) if samples.keyframes.any() else len(samples.pts)
    if first:
        come = agree(first, "comes", "come")
        message = f"{count(first, 'frame')} {come} before the first keyframe, at the beginning of the file"
        hint = "LeRobot cannot decode them"
        yield Problem("video-no-keyframe", message, _place_of(use, match, 0), hint)
