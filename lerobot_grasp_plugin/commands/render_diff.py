"""The comparison of two datasets as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from lerobot_grasp_plugin.core.grammar_ranges import format_range, format_ranges
from lerobot_grasp_plugin.core.intervals import FrameInterval, IntervalSet
from lerobot_grasp_plugin.core.timeline import TOLERANCE_S
from lerobot_grasp_plugin.diff.report import KINDS, Difference, DiffReport, EpisodeDiff, FeatureChange, Kind
from lerobot_grasp_plugin.findings.words import count, episodes_text, short

_SHOWN = 3
"""Lines of each kind."""

_BASE: Final = 1
"""Frames are numbered as in an annotation file."""


def diff_report(report: DiffReport) -> str:
    """The differences, grouped, the first ones of each kind; frames count from 1."""
    lines = []
    for letter, side in (("A", report.a), ("B", report.b)):
        size = f"{count(side.episodes, 'episode')}, {count(side.frames, 'frame')}"
        lines.append(f"{letter}: {side.repo_id} ({side.codebase_version}, {size})")
    if dataset := list(_dataset(report)):
        lines += ["=== Dataset ===", *dataset]
    lines.append("=== Episodes ===")
    has_videos = False
    for kind in KINDS:
        found = report.of_kind(kind)
        if not found:
            continue
        lines.append(f"{kind}: {len(found)}")
        lines += _first(list(_LINES[kind](found)))
        has_videos |= any(change.is_video for each in found for change in each.features)
    if has_videos:
        lines.append("Video packets differ; the decoded images were not compared.")
    if report.level == "data":
        lines.append("Videos were not compared (--level data).")
    lines.append("The datasets are equal." if report.equal else "The datasets differ.")
    return "\n".join(lines)


def _first(lines: Sequence[str]) -> Iterator[str]:
    yield from (f"  {line}" for line in lines[:_SHOWN])
    if len(lines) > _SHOWN:
        yield f"  ... and {len(lines) - _SHOWN} more (--format json lists all)"


def _dataset(report: DiffReport) -> Iterator[str]:
    for field, group in groupby(report.dataset, key=lambda each: each.field):
        lines = [_difference(each, report.not_compared) for each in group]
        yield from lines[:_SHOWN]
        if len(lines) > _SHOWN:
            yield f"... and {len(lines) - _SHOWN} more of {field} (--format json lists all)"
    late = [(each, each.timestamp) for each in report.episodes if each.timestamp is not None]
    if late:
        first, change = late[0]
        frames = sum(each.frames for _, each in late)
        yield (
            f"timestamp: {count(frames, 'frame')} of {count(len(late), 'episode')} differ by more than "
            f"{TOLERANCE_S} s, the first in frame {change.first + _BASE} of episode {first.b} of B"
        )


def _difference(difference: Difference, not_compared: Sequence[str]) -> str:
    field, name, a, b = difference.field, difference.name, difference.a, difference.b
    if field == "tasks":
        return f"task {name!r}: only in {'A' if a else 'B'}"
    if field == "files":
        return f"file {name}: only in {'A' if a else 'B'}"
    what = {"features": f"feature {name}", "info": f"info.json, {name}"}.get(field, field)
    if field in ("features", "info") and (a is None or b is None):
        return f"{what}: only in {'B' if a is None else 'A'}"
    if field == "features":
        keys = [key for key in a.keys() | b.keys() if a.get(key) != b.get(key)]
        a, b = ({key: side.get(key) for key in sorted(keys)} for side in (a, b))
        values = f"{what}: {_values(a)} in A, {_values(b)} in B"
        return f"{values}; its values are not compared" if name in not_compared else values
    return f"{what}: {short(repr(a))} in A, {short(repr(b))} in B"


def _values(entry: dict[str, Any]) -> str:
    return ", ".join(f"{key} {short(str(value))}" for key, value in entry.items())


# -- lines of each kind -------------------------------------------------------------------------------


def _same(found: Sequence[EpisodeDiff]) -> Iterator[str]:
    yield from ()


def _moved(found: Sequence[EpisodeDiff]) -> Iterator[str]:
    """Runs of neighbours in both datasets."""
    runs: list[list[tuple[int, int]]] = []
    for each in found:
        a, b = each.a or 0, each.b or 0
        if runs and runs[-1][-1] == (a - 1, b - 1):
            runs[-1].append((a, b))
        else:
            runs.append([(a, b)])
    for run in runs:
        (a, b), (last_a, last_b) = run[0], run[-1]
        yield f"A {_span(a, last_a)} -> B {_span(b, last_b)}"


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _compared(found: Sequence[EpisodeDiff]) -> Iterator[str]:
    for each in found:
        yield f"{_episode(each)}: {'; '.join(_details(each))}"


def _cut(found: Sequence[EpisodeDiff]) -> Iterator[str]:
    for each in found:
        line = f"B {each.b} is frames {_range(each)} of A {each.a} ({count(each.length_a or 0, 'frame')})"
        yield "; ".join([line, *_details(each)])


def _extended(found: Sequence[EpisodeDiff]) -> Iterator[str]:
    for each in found:
        line = f"A {each.a} is frames {_range(each)} of B {each.b} ({count(each.length_b or 0, 'frame')})"
        yield "; ".join([line, *_details(each)])


def _only_in_a(found: Sequence[EpisodeDiff]) -> Iterator[str]:
    yield episodes_text(each.a for each in found if each.a is not None)


def _only_in_b(found: Sequence[EpisodeDiff]) -> Iterator[str]:
    yield episodes_text(each.b for each in found if each.b is not None)


_LINES: dict[Kind, Any] = {
    "same": _same,
    "moved": _moved,
    "relabelled": _compared,
    "retasked": _compared,
    "cut": _cut,
    "extended": _extended,
    "changed": _compared,
    "only in A": _only_in_a,
    "only in B": _only_in_b,
}


def _episode(each: EpisodeDiff) -> str:
    return f"episode {each.b}" if each.a == each.b else f"A {each.a} -> B {each.b}"


def _range(each: EpisodeDiff) -> str:
    start, stop = each.range or (0, 1)
    return format_range(FrameInterval(start, stop), _BASE)


def _details(each: EpisodeDiff) -> Iterable[str]:
    if each.kind == "changed" and each.length_a != each.length_b:
        yield f"{each.length_a} frames in A, {each.length_b} in B"
    whole = min(each.length_a or 0, each.length_b or 0)
    for change in each.features:
        yield _change(change, whole)
    for name, frames in each.labels.items():
        yield f"{name} differs in {_frames(frames)}"
    if each.tasks is not None:
        before, after = (", ".join(map(repr, tasks)) for tasks in each.tasks)
        yield f"task {before} in A, {after} in B"


def _change(change: FeatureChange, whole: int) -> str:
    what = f"packets of {change.feature} differ" if change.is_video else f"{change.feature} differs"
    return f"{what} in {change.frames} of {whole} frames (first frame {change.first + _BASE})"


def _frames(frames: IntervalSet) -> str:
    (first, *others) = frames.intervals
    word = "frame" if not others and first.stop == first.start + 1 else "frames"
    return f"{word} {format_ranges(frames.intervals, _BASE)}"
