"""Frames per second of dataset, environment and cameras."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.learning.preflight.dataset_facts import DatasetFacts
from lerobot_grasp_plugin.learning.preflight.facts import Facts
from lerobot_grasp_plugin.learning.preflight.findings import Finding, error, warning
from lerobot_grasp_plugin.lerobot_seams.version import is_within_tolerance

_DEFAULT_FPS = 30
_BACKENDS = ("torchcodec", "pyav", "video_reader")


def check_timing(facts: Facts) -> Iterator[Finding]:
    """A step must take as long in training as it took in the recording."""
    fps = facts.config.number("env.fps", _DEFAULT_FPS) or 0
    for dataset in facts.datasets:
        if dataset.fps != fps:
            message = f"{fps:g}, {dataset.repo_id} was recorded at {dataset.fps}"
            yield error("fps", "env.fps", message, f"set it to {dataset.fps}, or record at {fps:g}")
    for name in facts.config.mapping("env.robot.cameras"):
        place = f"env.robot.cameras.{name}.fps"
        camera = facts.config.number(place)
        if camera is not None and camera < fps:
            message = f"{camera:g}, the environment runs at {fps:g}: pictures would repeat"
            yield error("camera-fps", place, message, f"set it to {fps:g} or more")
    for number, dataset in enumerate(facts.datasets[1:], start=1):
        if dataset.fps != facts.datasets[0].fps:
            message = f"{dataset.fps}, the first source has {facts.datasets[0].fps}"
            yield warning("fps", f"dataset.sources[{number}]", message, "sources of one fps merge")


def check_readable(facts: Facts) -> Iterator[Finding]:
    """Datasets that are read as they are, and not built anew."""
    for dataset in facts.datasets:
        if not dataset.built:
            yield from _readable(dataset)
    backend = facts.config.text("dataset.video_backend")
    if backend is None:
        return
    if backend not in _BACKENDS:
        message = f"{backend!r} is none of {', '.join(_BACKENDS)}: no picture can be read"
        yield error("video-backend", "dataset.video_backend", message, 'leave it out, or write "pyav"')
    elif backend == "torchcodec" and find_spec("torchcodec") is None:
        message = "torchcodec is not installed here: no picture can be read"
        yield error("video-backend", "dataset.video_backend", message, 'leave it out, or write "pyav"')


def _readable(dataset: DatasetFacts) -> Iterator[Finding]:
    """What LeRobot refuses to read, and what a dataset built by this package no longer has."""
    change = "make a new one of it with lerobot-grasp-relabel or -merge, or let lerobot-grasp-learner do so"
    if dataset.version != "v3.0":
        message = f"its format is {dataset.version}, LeRobot reads v3.0"
        yield error("dataset-format", dataset.where, message, change)
    stamps, frames = (dataset.columns.get(name) for name in (layout.TIMESTAMP, layout.FRAME_INDEX))
    if stamps is None or frames is None or not dataset.cameras:
        return
    off = np.abs(stamps - frames / dataset.fps).max(initial=0.0)
    if not is_within_tolerance(off, layout.TIMESTAMP_TOLERANCE_S):
        message = f"up to {off:.3g} s off frame_index / fps, and LeRobot takes no more than "
        message += f"{layout.TIMESTAMP_TOLERANCE_S} s"
        yield error("timestamps", dataset.column_place(layout.TIMESTAMP), message, change)
