"""Checks ``grasp_recording.json``, the record of how the episodes were recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.recording import pending_edits, read_recording
from lerobot_grasp_plugin.findings.problem import Place, Problem
from lerobot_grasp_plugin.findings.words import agree, all_but, count
from lerobot_grasp_plugin.verify.view import View


def check_recording(view: View) -> Iterator[Problem]:
    """Reports episodes that were recorded more slowly than their fps, and pending edits."""
    path = view.root / layout.RECORDING_PATH
    sidecar = read_recording(view.root)
    if sidecar is None:
        return
    for problem in sidecar.problems:
        yield Problem("bad-sidecar", problem.message, problem.place, severity="warning")
    yield from pending_edits(view.root)
    slow = {int(name): timing for name, timing in map(_timing, sidecar.episodes.items()) if timing}
    nominal = view.info.fps
    hint = (
        "its rows show a faster motion than the real one: record it again, or leave it out "
        f'(episodes: "{all_but(slow)}" in merge)'
    )
    for episode, timing in sorted(slow.items()):
        rate, missing = timing["rate"], int(timing["dropped_frames"])
        speed = (
            f"{rate * nominal:.1f} of {nominal:g} frames per second" if nominal else f"{rate:.0%} of its rate"
        )
        message = f"recorded at {speed}: {count(missing, 'frame')} {agree(missing, 'is', 'are')} missing"
        yield Problem("slow-recording", message, Place(str(path), episode=episode), hint)


def _timing(entry: tuple[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """An episode's name, and its timing if it is slow."""
    name, episode = entry
    timing = _mapping(_mapping(episode).get("timing"))
    numbers = all(type(timing.get(key)) in (int, float) for key in ("rate", "dropped_frames"))
    return name, timing if name.isdecimal() and timing.get("slow") is True and numbers else {}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
