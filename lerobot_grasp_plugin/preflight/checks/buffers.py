"""Checks replay buffers and the mix of online and offline transitions."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator

from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.lerobot_seams.version import save_freq_may_be_zero
from lerobot_grasp_plugin.preflight.config_view import shape_of
from lerobot_grasp_plugin.preflight.facts import Facts

_CAPACITY = 100_000
_BEFORE_LEARNING = 100
_FEWEST = 2
_FLOAT_BYTES = 4
_GB = 2**30


def check_buffers(facts: Facts) -> Iterator[Problem]:
    """Source of the rules: ``ReplayBuffer.from_lerobot_dataset`` and ``OnlineOfflineMixer``."""
    config = facts.config
    offline = config.number("policy.offline_buffer_capacity", _CAPACITY) or 0
    if facts.frames > offline:
        message = f"is {offline:g}, but the dataset has {facts.frames} frames"
        change = f"set it to {facts.frames} or more, with room for interventions"
        yield Problem("offline-capacity", message, "policy.offline_buffer_capacity", change)
    online = config.number("policy.online_buffer_capacity", _CAPACITY) or 0
    before = config.number("policy.online_step_before_learning", _BEFORE_LEARNING) or 0
    if online < before or online <= 0:
        message = f"is {online:g}, but learning starts at {before:g} transitions, so it would never start"
        change = f"set it to more than {before:g}"
        yield Problem("online-capacity", message, "policy.online_buffer_capacity", change)
    if before < _FEWEST:
        message = f"is {before:g}: LeRobot would sample the buffer before it has two steps"
        change = "the default is 100"
        yield Problem("online-start", message, "policy.online_step_before_learning", change)
    yield from _memory(facts, online + offline)
    yield from _batches(facts)
    yield from _frequencies(facts)


def _batches(facts: Facts) -> Iterator[Problem]:
    ratio = facts.config.number("online_ratio", 0.5)
    batch = facts.config.number("batch_size", 8) or 0
    if ratio is None or not 0 <= ratio <= 1:
        yield Problem("online-ratio", f"must be between 0 and 1, not {ratio}", "online_ratio", "0.5 is usual")
        return
    if batch < 1:
        yield Problem(
            "batch-size", f"must be a number of transitions, not {batch:g}", "batch_size", "256 is usual"
        )
        return
    if ratio == 0:
        message = "is 0: only one transition of each batch comes from the robot"
        yield Problem("online-ratio", message, "online_ratio", "0.5 is usual", severity="warning")
    if not facts.datasets:
        return
    share = int(batch) - max(1, int(batch * ratio))
    if facts.frames < _FEWEST:
        message = "it has a single frame, but a transition needs two"
        yield Problem("batch-size", message, facts.datasets[0].where, "add episodes")
    elif share < 1:
        message = f"is {ratio:g}: batches of {batch:g} contain nothing of the dataset"
        yield Problem("online-ratio", message, "online_ratio", "0.5 is usual", severity="warning")
    elif share > facts.frames:
        message = f"is {batch:g}: its share of the dataset exceeds the {facts.frames} frames, "
        message += "and LeRobot silently makes every batch smaller"
        yield Problem(
            "batch-size", message, "batch_size", "make it smaller, or add episodes", severity="warning"
        )


def _frequencies(facts: Facts) -> Iterator[Problem]:
    """Checks ``log_freq`` and ``save_freq``, by which the learner divides."""
    config = facts.config
    for name in ("log_freq",) if save_freq_may_be_zero() else ("log_freq", "save_freq"):
        if config.number(name) == 0 and (name == "log_freq" or config.flag("save_checkpoint", True)):
            message = "is 0, but LeRobot's learner divides by it (a ZeroDivisionError)"
            yield Problem("frequency", message, name, "set a number of steps, a large one for never")


def _memory(facts: Facts, transitions: float) -> Iterator[Problem]:
    """Checks memory: buffers hold every image as floats, and fill up hours after the start."""
    if not (facts.config.text("policy.storage_device") or "cpu").startswith("cpu"):
        return
    shapes = [shape_of(feature) for feature in facts.inputs.values()]
    needed = transitions * _FLOAT_BYTES * sum(math.prod(shape) for shape in shapes if shape is not None)
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > machine:
        message = f"both replay buffers need {needed / _GB:.0f} GB when full, but this machine has "
        message += f"{machine / _GB:.0f} GB"
        change = "lower policy.online_buffer_capacity and offline_buffer_capacity, or the size of the images"
        yield Problem("buffer-memory", message, "policy.online_buffer_capacity", change)
