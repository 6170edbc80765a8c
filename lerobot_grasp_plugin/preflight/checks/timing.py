"""Frames per second of dataset, environment and cameras."""

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
    """A step must take as long in training as it took in the recording."""
    fps = facts.config.number("env.fps", _DEFAULT_FPS) or 0
    for dataset in facts.datasets:
        if dataset.fps != fps:
            message = f"{fps:g}, {dataset.repo_id} was recorded at {dataset.fps}"
            yield Problem("fps", message, "env.fps", f"set it to {dataset.fps}, or record at {fps:g}")
    for name in facts.config.mapping("env.robot.cameras"):
        place = f"env.robot.cameras.{name}.fps"
        camera = facts.config.number(place)
        if camera is not None and camera < fps:
            message = f"{camera:g}, the environment runs at {fps:g}: images would repeat"
            yield Problem("camera-fps", message, place, f"set it to {fps:g} or more")
    for number, dataset in enumerate(facts.datasets[1:], start=1):
        if dataset.fps != facts.datasets[0].fps:
            message = f"{dataset.fps}, the first source has {facts.datasets[0].fps}"
            yield Problem(
                "fps", message, f"dataset.sources[{number}]", "sources of one fps merge", severity="warning"
            )


def check_readable(facts: Facts) -> Iterator[Problem]:
    """Datasets that are read as they are, and not built anew."""
    for dataset in facts.datasets:
        if not dataset.built:
            yield from _readable(dataset)
    backend = facts.config.text("dataset.video_backend")
    if backend is None:
        return
    if backend not in _BACKENDS:
        message = f"{backend!r} is none of {', '.join(_BACKENDS)}: no image can be read"
        yield Problem("video-backend", message, "dataset.video_backend", 'leave it out, or write "pyav"')
    elif backend == "torchcodec" and find_spec("torchcodec") is None:
        message = "torchcodec is not installed here: no image can be read"
        yield Problem("video-backend", message, "dataset.video_backend", 'leave it out, or write "pyav"')


def _readable(dataset: DatasetFacts) -> Iterator[Problem]:
    """What LeRobot refuses to read, and what a dataset built by this package no longer has."""
    change = "make a new one of it with lerobot-grasp-relabel or -merge, or let lerobot-grasp-learner do so"
    if dataset.version != "v3.0":
        message = f"its format is {dataset.version}, LeRobot reads v3.0"
        yield Problem("dataset-format", message, dataset.where, change)
    stamps, frames = (dataset.columns.get(name) for name in (layout.TIMESTAMP, layout.FRAME_INDEX))
    if stamps is None or frames is None or not dataset.cameras:
        return
    off = np.abs(stamps - frames / dataset.fps).max(initial=0.0)
    if not is_within_tolerance(off, layout.TIMESTAMP_TOLERANCE_S):
        message = f"up to {off:.3g} s off frame_index / fps, and LeRobot takes no more than "
        message += f"{layout.TIMESTAMP_TOLERANCE_S} s"
        yield Problem("timestamps", message, dataset.column_place(layout.TIMESTAMP), change)
