"""Compares frames per second of dataset, environment and cameras."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.lerobot_seams.version import is_within_tolerance
from lerobot_grasp_plugin.preflight.dataset_facts import DatasetFacts
from lerobot_grasp_plugin.preflight.facts import Facts

_DEFAULT_FPS = 30
_BACKENDS = ("torchcodec", "pyav", "video_reader")


def check_timing(facts: Facts) -> Iterator[Problem]:
    """Checks that a step takes as long in training as in the recording."""
    fps = facts.config.number("env.fps", _DEFAULT_FPS) or 0
    for dataset in facts.datasets:
        if dataset.fps != fps:
            message = f"is {fps:g}, but {dataset.repo_id} was recorded at {dataset.fps}"
            yield Problem("fps", message, "env.fps", f"set it to {dataset.fps}, or record at {fps:g}")
    for name in facts.config.mapping("env.robot.cameras"):
        place = f"env.robot.cameras.{name}.fps"
        camera = facts.config.number(place)
        if camera is not None and camera < fps:
            message = f"is {camera:g}, but the environment runs at {fps:g}: images would repeat"
            yield Problem("camera-fps", message, place, f"set it to {fps:g} or more")
    for number, dataset in enumerate(facts.datasets[1:], start=1):
        if dataset.fps != facts.datasets[0].fps:
            message = f"is {dataset.fps}, but the first source has {facts.datasets[0].fps}"
            yield Problem(
                "fps", message, f"dataset.sources[{number}]", "use sources of one fps", severity="warning"
            )


def check_readable(facts: Facts) -> Iterator[Problem]:
    """Checks datasets that are read as they are, not rebuilt."""
    for dataset in facts.datasets:
        if not dataset.built:
            yield from _readable(dataset)
    backend = facts.config.text("dataset.video_backend")
    if backend is None:
        return
    if backend not in _BACKENDS:
        message = f"must be one of {', '.join(_BACKENDS)}, not {backend!r}: images cannot be read"
        yield Problem("video-backend", message, "dataset.video_backend", 'remove it, or set "pyav"')
    elif backend == "torchcodec" and find_spec("torchcodec") is None:
        message = "torchcodec is not installed: images cannot be read"
        yield Problem("video-backend", message, "dataset.video_backend", 'remove it, or set "pyav"')


def _readable(dataset: DatasetFacts) -> Iterator[Problem]:
    """Finds datasets that LeRobot refuses to read, unless this package rebuilds them."""
    change = "convert it with lerobot-grasp-relabel or -merge, or let lerobot-grasp-learner do it"
    if dataset.version != "v3.0":
        message = f"its format is {dataset.version}, but LeRobot reads v3.0"
        yield Problem("dataset-format", message, dataset.where, change)
    stamps, frames = (dataset.columns.get(name) for name in (layout.TIMESTAMP, layout.FRAME_INDEX))
    if stamps is None or frames is None or not dataset.cameras:
        return
    off = np.abs(stamps - frames / dataset.fps).max(initial=0.0)
    if not is_within_tolerance(off, layout.TIMESTAMP_TOLERANCE_S):
        message = f"differs by up to {off:.3g} s from frame_index / fps, but LeRobot accepts at most "
        message += f"{layout.TIMESTAMP_TOLERANCE_S} s"
        yield Problem("timestamps", message, dataset.column_place(layout.TIMESTAMP), change)
