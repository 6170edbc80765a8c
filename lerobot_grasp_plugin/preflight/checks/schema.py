"""Finds config fields whose values have the wrong type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.findings.words import short
from lerobot_grasp_plugin.preflight.config_labels import LABEL_CHOICES
from lerobot_grasp_plugin.preflight.config_view import is_number, numbers_of, shape_of
from lerobot_grasp_plugin.preflight.facts import IMAGE_PREPROCESSING, Facts
from lerobot_grasp_plugin.preflight.image_shapes import counts_of

_OBJECTS = (
    "dataset",
    "policy",
    "env",
    "env.processor",
    "env.robot",
    "env.teleop",
    "env.features",
    "env.features_map",
    "policy.input_features",
    "policy.output_features",
    "policy.dataset_stats",
    "env.processor.gripper",
    "env.processor.reset",
    "env.processor.inverse_kinematics",
    "env.processor.reward_classifier",
    IMAGE_PREPROCESSING,
)
_NUMBERS = (
    "online_ratio",
    "batch_size",
    "env.fps",
    "policy.num_discrete_actions",
    "policy.online_steps",
    "policy.online_buffer_capacity",
    "policy.offline_buffer_capacity",
    "policy.online_step_before_learning",
    "env.processor.max_gripper_pos",
    "env.processor.gripper.gripper_penalty",
    "env.processor.reset.control_time_s",
    "env.processor.reward_classifier.success_threshold",
    "env.processor.reward_classifier.success_reward",
)
_FLAGS = ("resume", "env.processor.gripper.use_gripper", "env.processor.reset.terminate_on_success")


def check_schema(facts: Facts) -> Iterator[Problem]:
    """Reports every field that the other checks skip."""
    config = facts.config

    def wrong(dotted: str, expected: str, value: Any) -> Problem:
        return Problem(
            "config-wrong-type", f"{short(repr(value), 60)} is not {expected}", dotted, f"write {expected}"
        )

    kinds: tuple[tuple[tuple[str, ...], type | tuple[type, ...], str], ...] = (
        (_OBJECTS, dict, "an object"),
        (_NUMBERS, (int, float), "a number"),
        (_FLAGS, bool, "true or false"),
    )
    for paths, kind, expected in kinds:
        for dotted in paths:
            value = config.get(dotted)
            odd = kind is not bool and isinstance(value, (bool, float)) and not is_number(value)
            if value is not None and (odd or not isinstance(value, kind)):
                yield wrong(dotted, expected, value)
    for name, choices in LABEL_CHOICES.items():
        value = config.get(f"dataset.{name}")
        if value is not None and value not in choices:
            yield wrong(f"dataset.{name}", f"one of {', '.join(map(str, choices))}", value)
    resize = config.get(f"{IMAGE_PREPROCESSING}.resize_size")
    if resize is not None and counts_of(resize, 2) is None:
        yield wrong(f"{IMAGE_PREPROCESSING}.resize_size", "[height, width]", resize)
    for key, crop in config.mapping(f"{IMAGE_PREPROCESSING}.crop_params_dict").items():
        if counts_of(crop, 4) is None:
            yield wrong(f"{IMAGE_PREPROCESSING}.crop_params_dict.{key}", "[top, left, height, width]", crop)
    for block in ("policy.input_features", "policy.output_features", "env.features"):
        for key, feature in config.mapping(block).items():
            if shape_of(feature) is None:
                yield wrong(f"{block}.{key}", '{"type": ..., "shape": [...]}', feature)
    for key, stats in config.mapping("policy.dataset_stats").items():
        for name, values in (stats if isinstance(stats, dict) else {}).items():
            if numbers_of(values) is None:
                yield wrong(f"policy.dataset_stats.{key}.{name}", "a list of numbers", values)
