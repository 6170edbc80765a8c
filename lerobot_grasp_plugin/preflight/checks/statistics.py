"""Compares ``policy.dataset_stats`` with the data and the policy's features."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.preflight.config_view import is_image, numbers_of, shape_of
from lerobot_grasp_plugin.preflight.dataset_facts import DatasetFacts
from lerobot_grasp_plugin.preflight.facts import SO_ARMS, SO_MOTORS, STATE, Facts

STATS = "policy.dataset_stats"
_MODES = {"VISUAL": "MEAN_STD", "STATE": "MIN_MAX", "ENV": "MIN_MAX", "ACTION": "MIN_MAX"}
"""LeRobot's ``normalization_mapping`` of the policy."""
_NEEDED = {
    "MEAN_STD": ("mean", "std"),
    "MIN_MAX": ("min", "max"),
    "QUANTILES": ("q01", "q99"),
    "QUANTILE10": ("q10", "q90"),
}
_TOLERANCE = 1e-3
_OFTEN = 0.05
_HARDLY = 0.01
_MOST_DEGREES = 400.0


def check_statistics(facts: Facts) -> Iterator[Problem]:
    """Source of the rules: ``NormalizerProcessorStep``, which by default maps [min, max] to [-1, 1] and
    images by mean and std.
    """  # fmt: skip
    stats = facts.config.mapping(STATS)
    for key, entry in stats.items():
        if isinstance(entry, Mapping):
            yield from _needed(facts, key, entry)
            if key.startswith("observation.image"):
                yield from _image(key, entry)
            elif _mode(facts, key) == "MIN_MAX":
                yield from _bounds(facts, key, entry)
    for key in facts.cameras:
        if key not in stats and _mode(facts, key) in _NEEDED:
            message = "is missing: its images stay in 0-1, which pretrained encoders do not expect"
            yield Problem(
                "stats-missing",
                message,
                f"{STATS}.{key}",
                "set mean and std of every channel",
                severity="warning",
            )
    for key in [*facts.states, "action"]:
        if key not in stats and _mode(facts, key) in _NEEDED:
            message = "is missing: " + (
                "LeRobot's default, of another width, is used" if not stats else "values stay raw"
            )
            change = f"set {' and '.join(_NEEDED[_mode(facts, key)])} of every dimension"
            yield Problem("stats-missing", message, f"{STATS}.{key}", change)
    if facts.end_effector and isinstance(stats.get("action"), Mapping):
        yield from _unit_actions(stats["action"])


def _mode(facts: Facts, key: str) -> str:
    """The normalisation mode of a feature; a mapping in the config replaces LeRobot's as a whole."""
    mapping = facts.config.get("policy.normalization_mapping")
    modes = mapping if isinstance(mapping, Mapping) else _MODES
    kind = "VISUAL" if is_image(key) else "ACTION" if key == "action" else "STATE"
    given = facts.inputs.get(key)
    named = given.get("type") if isinstance(given, Mapping) else None
    return str(modes.get(named if isinstance(named, str) else kind, "IDENTITY"))


def _needed(facts: Facts, key: str, entry: Mapping[str, Any]) -> Iterator[Problem]:
    mode = _mode(facts, key)
    if key not in facts.inputs and key != "action":
        return
    lacking = [name for name in _NEEDED.get(mode, ()) if name not in entry]
    if lacking:
        message = f"{mode} needs {' and '.join(_NEEDED[mode])}, but {' and '.join(lacking)} is missing"
        yield Problem("stats-missing", message, f"{STATS}.{key}", "set both, or choose another mode")


def _image(key: str, entry: Mapping[str, Any]) -> Iterator[Problem]:
    for name in ("mean", "std", "min", "max"):
        values = numbers_of(entry.get(name))
        if values is not None and max(values) > 1.5:
            message = f"{list(values)} are of images in 0-255, the environment's are in 0-1"
            yield Problem("image-range", message, f"{STATS}.{key}.{name}", "divide them by 255")
        if values is not None and name == "std" and min(values) <= 0:
            message = f"{list(values)} would divide by zero"
            yield Problem(
                "stats-zero-width", message, f"{STATS}.{key}.std", "use ImageNet's or the dataset's"
            )
        if values is not None and len(values) not in (1, 3):
            message = f"{len(values)} values for 3 channels"
            yield Problem("stats-width", message, f"{STATS}.{key}.{name}", "one value per channel")


def _bounds(facts: Facts, key: str, entry: Mapping[str, Any]) -> Iterator[Problem]:
    place = f"{STATS}.{key}"
    low, high = numbers_of(entry.get("min")), numbers_of(entry.get("max"))
    if low is None or high is None:
        return
    width = _width(facts, key)
    wrong = [
        name for name, values in (("min", low), ("max", high)) if width is not None and len(values) != width
    ]
    for name in wrong:
        message = f"{len(low if name == 'min' else high)} values, but {key} has {width}"
        yield Problem("stats-width", message, f"{place}.{name}", "one value per dimension")
    if wrong or len(low) != len(high):
        return
    for dimension, (smallest, largest) in enumerate(zip(low, high, strict=True)):
        if smallest > largest:
            message = f"dimension {dimension}: min {smallest:g} is above max {largest:g}"
            yield Problem("stats-swapped", message, place, "swap them")
        elif smallest == largest:
            message = f"dimension {dimension}: min and max are both {smallest:g}"
            yield Problem("stats-zero-width", message, place, "give the range of the dimension")
    if all(smallest < largest for smallest, largest in zip(low, high, strict=True)):
        for dataset in facts.datasets:
            yield from _narrow(dataset, key, np.array(low), np.array(high))
        yield from _wide(facts, key, np.array(low), np.array(high))


def _width(facts: Facts, key: str) -> int | None:
    if key == "action":
        return facts.continuous_width
    shape = shape_of(facts.states.get(key))
    return None if shape is None else shape[0]


def _narrow(dataset: DatasetFacts, key: str, low: Any, high: Any) -> Iterator[Problem]:
    values = dataset.columns.get(key)
    if values is None or values.shape[1] < len(low) or not np.isfinite(values).all():
        return
    if values.shape[1] > len(low) and key != "action":
        return
    values = values[:, : len(low)]
    slack = _TOLERANCE * (high - low)
    outside = (values < low - slack) | (values > high + slack)
    dimensions = np.flatnonzero(outside.any(axis=0)).tolist()
    if not dimensions:
        return
    first = dimensions[0]
    share = float(outside.any(axis=1).mean())
    message = f"dimension {first} of {dataset.repo_id} goes from {values[:, first].min():.4g} to "
    message += f"{values[:, first].max():.4g}, but min and max say {low[first]:g} to {high[first]:g}; "
    message += f"{len(dimensions)} dimensions and {100 * share:.1f} % of the rows are outside"
    change = "widen them to the data; a factor of 57 means radians on one side and degrees on the other"
    yield Problem(
        "stats-narrow", message, f"{STATS}.{key}", change, severity="error" if share > _OFTEN else "warning"
    )


def _wide(facts: Facts, key: str, low: Any, high: Any) -> Iterator[Problem]:
    """Finds a range of which the data use almost nothing: all data are squeezed into one value."""
    parts = [dataset.columns[key][:, : len(low)] for dataset in facts.datasets if key in dataset.columns]
    parts = [part for part in parts if part.shape[1] == len(low) and np.isfinite(part).all()]
    turns = key == STATE and facts.config.text("env.robot.type") in SO_ARMS
    beyond = turns and np.abs([low[:SO_MOTORS], high[:SO_MOTORS]]).max() > _MOST_DEGREES
    used = np.ptp(np.concatenate(parts), axis=0) / (high - low) if parts else np.ones(len(low))
    if beyond or (0 < used.max() < _HARDLY):
        message = f"min and max span up to {(high - low).max():.4g}"
        message += ", no joint turns that far" if beyond else ""
        if parts:
            message += f"; the data use at most {100 * used.max():.2g} % of it"
        change = "use the range of the robot's motion; a factor of 57 means that one side is in radians"
        yield Problem("stats-wide", message, f"{STATS}.{key}", change)


def _unit_actions(entry: Mapping[str, Any]) -> Iterator[Problem]:
    low, high = numbers_of(entry.get("min")), numbers_of(entry.get("max"))
    if low is None or high is None or any(a >= b for a, b in zip(low, high, strict=False)):
        return
    if any(value != -1 for value in low[:3]) or any(value != 1 for value in high[:3]):
        message = (
            f"{list(low)} to {list(high)}: the actor scales its actions by them, but the learner does not"
        )
        change = "use -1 and 1 for every end-effector delta; the step sizes are in inverse_kinematics"
        yield Problem("action-stats", message, f"{STATS}.action", change)
