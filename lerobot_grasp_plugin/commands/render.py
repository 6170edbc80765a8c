"""Reports as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lerobot_grasp_plugin.findings.collect import folded, summary
from lerobot_grasp_plugin.findings.words import count
from lerobot_grasp_plugin.merging.report import EpisodeReport, MergeReport, SourceReport
from lerobot_grasp_plugin.verify.report import VerifyReport

if TYPE_CHECKING:
    from lerobot_grasp_plugin.frames.extract import FramesReport
    from lerobot_grasp_plugin.merging.merge import Output


def merge_report(report: MergeReport) -> str:
    """Warnings, figures per source, the remapping table and the verification block."""
    lines = list(folded(report.warnings))
    lines += [
        *_sources(report),
        "",
        "=== Episodes ===",
        *_remapping(report.episodes, [_name(source) for source in report.sources], report.index_base),
        "",
        verify_report(report.verification, notes=False),
    ]
    ways = ", ".join(f"{count} by {way}" for way, count in sorted(report.video_files.items()))
    if ways:
        lines.append(f"Videos copied without re-encoding: {ways}")
    if report.backup is not None:
        lines.append(f"The old dataset is kept at {report.backup}; remove it when you no longer need it.")
    lines.append(f"Wrote {report.repo_id} to {report.root}")
    return "\n".join(lines)


def merge_plan(output: Output) -> str:
    """The remapping table of an output that is not written, and where it would be."""
    build = output.build
    episodes = [EpisodeReport.of(episode) for episode in build.plan.episodes]
    base = 1 if build.config.index_base is None else build.config.index_base
    size = f"{count(len(episodes), 'episode')} with {count(build.plan.total_frames, 'frame')}"
    return "\n".join(
        [
            f"=== {output.repo_id} ===",
            *_remapping(episodes, [source.title for source in build.sources], base),
            f"{output.root} would have {size}; nothing was written.",
        ]
    )


def verify_report(report: VerifyReport, *, notes: bool = True) -> str:
    """The verification block, then the findings, errors first, many alike cut short."""
    lines = ["=== Verification ==="]
    for check in report.checks:
        detail = check.detail
        if check.ok is None:
            detail = "not checked"
        elif check.ok and not detail.isdigit():
            detail = f"OK ({detail})" if detail else "OK"
        elif not check.ok:
            detail = f"WRONG ({detail})" if detail.isdigit() else "WRONG"
        lines.append(f"{check.name}: {detail}")
    shown = [problem for problem in report.problems if notes or problem.severity != "note"]
    lines += folded(shown, "--report FILE.json lists all" if notes else "")
    if shown:
        lines.append(summary(report.problems))
    return "\n".join(lines)


def frames_report(report: FramesReport) -> str:
    """The files written, their folders and their numbering."""
    lines = list(folded(report.warnings))
    cameras = f"{count(len(report.cameras), 'camera')}"
    episodes = f"{count(report.episodes, 'episode')}"
    what = f"{count(report.images, 'frame')} of {episodes}, {cameras}"
    if report.sheets:
        what = f"{count(len(report.sheets), 'contact sheet')} of {what}"
    lines += [f"Wrote {what}", f"Frame numbers start at {report.index_base}."]
    folder = report.sheets[0].parent if report.sheets and len(report.cameras) == 1 else report.output_dir
    lines.append(f"Folder: {folder}")
    return "\n".join(lines)


def _sources(report: MergeReport) -> Iterator[str]:
    rows = [("Source", "Episodes", "Frames", "Success", "Share")]
    for source in report.sources:
        name = _name(source)
        rows.append(
            (name, str(source.episodes), str(source.frames), *_share(source.success_frames, source.frames))
        )
    if len(report.sources) > 1:
        total = len(report.episodes)
        rows.append(("in all", str(total), str(report.frames), *_share(report.success_frames, report.frames)))
    yield f"=== {report.repo_id} ==="
    yield from aligned(rows)
    if report.success_frames is None:
        yield "No labels: the dataset has no label column, and --annotations is not given"
    dones = {source.done for source in report.sources}
    for source in report.sources:
        name = _name(source)
        if source.done is not None and (len(dones) > 1 or source is report.sources[0]):
            whose = f"{name}: next.done" if len(dones) > 1 else "next.done"
            yield f"{whose} is {_DONE[source.done]} (--done {source.done})"
        if source.timestamps_fixed and source.max_deviation_s:
            yield (
                f"{name}: {source.timestamps_fixed} timestamps differed by up to "
                f"{source.max_deviation_s:.6f} s from "
                "frame_index / fps, more than LeRobot accepts, and were set to it"
            )
        elif source.timestamps_fixed:
            yield (
                f"{name}: {source.timestamps_fixed} timestamps were set to frame_index / fps, because "
                "LeRobot finds no frame at the source's timestamps"
            )
        for note in source.notes:
            yield f"{name}: {note}"


_DONE = {
    "keep": "kept from the source",
    "episode_end": "true in the last frame of each episode",
    "first_success": "true in the first success frame and in the last frame of each episode",
    "last_frame_of_success": "true in the last success frame and in the last frame of each episode",
}


def _share(success: int | None, frames: int) -> tuple[str, str]:
    if success is None:
        return "-", "-"
    return str(success), f"{100 * success / frames:.1f} %"


def _name(source: SourceReport) -> str:
    """A source's name without its owner."""
    return source.repo_id.rsplit("/", 1)[-1]


def _remapping(episodes: Sequence[EpisodeReport], names: Sequence[str], base: int) -> Iterator[str]:
    """Table of output episode ranges and the source episode ranges they come from.

    Args:
        episodes: Of the output.
        names: Of the sources.
        base: Number of the first frame of an episode.
    """
    has_parts = any(episode.from_frame is not None for episode in episodes)
    frames = (f"Frames ({base}-indexed)",) if has_parts else ()
    rows = [("Output", "Source", "Episode", *frames)]
    merged: list[list[EpisodeReport]] = []
    for episode in episodes:
        if merged and _follows(merged[-1][-1], episode):
            merged[-1].append(episode)
        else:
            merged.append([episode])
    for run in merged:
        first, last = run[0], run[-1]
        output = _span(first.episode_index, last.episode_index)
        frames = (_frames(first, base),) if has_parts else ()
        rows.append((output, names[first.source], _span(first.source_episode, last.source_episode), *frames))
    yield from aligned(rows)


def _follows(before: EpisodeReport, after: EpisodeReport) -> bool:
    """Whether two whole episodes are consecutive in one source."""
    is_next = before.source == after.source and before.source_episode + 1 == after.source_episode
    return is_next and before.from_frame is None and after.from_frame is None


def _frames(episode: EpisodeReport, base: int) -> str:
    """The frames of a part in the index base of the annotations."""
    if episode.from_frame is None:
        return "all"
    first = episode.from_frame + base
    return _span(first, first + episode.frames - 1)


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns side by side, numbers to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    numeric = [
        all(not row[column] or row[column][0] in "-0123456789" for row in rows[1:])
        for column in range(len(widths))
    ]
    for row in rows:
        cells = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ]
        yield "  ".join(cells).rstrip()
