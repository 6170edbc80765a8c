"""Compares the config's devices with those of this machine, by torch."""

from __future__ import annotations

from collections.abc import Iterator

from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.preflight.facts import Facts


def check_devices(facts: Facts) -> Iterator[Problem]:
    """Source of the rules: ``PreTrainedConfig``, ``RewardModelConfig`` and ``get_safe_torch_device``."""
    from lerobot.utils.device_utils import is_torch_device_available

    def lacks(dotted: str) -> str | None:
        name = facts.config.text(dotted)
        try:
            return None if name is None or is_torch_device_available(name) else name
        except ValueError:
            return name

    where = f"{facts.model}.device"
    if (name := lacks(where)) is not None:
        message = f"this machine has no device {name!r}: LeRobot only warns, and trains on another device"
        yield Problem(
            "device-missing",
            message,
            where,
            "start it on a machine with the device, or choose another one",
            severity="warning",
        )
    where = "policy.storage_device"
    if facts.model == "policy" and (name := lacks(where)) is not None:
        message = f"this machine has no device {name!r} for the learner's replay buffer (a ValueError)"
        yield Problem("device-missing", message, where, 'set "cpu", or start it on a machine with the device')
