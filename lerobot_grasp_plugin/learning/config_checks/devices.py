"""Devices of the config against those of this machine, for which torch is asked."""

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
        message = f"this machine has no {name!r}: LeRobot only warns, and trains on another device"
        yield Problem(
            "device-missing",
            message,
            where,
            "start it where the device is, or name another one",
            severity="warning",
        )
    where = "policy.storage_device"
    if facts.model == "policy" and (name := lacks(where)) is not None:
        message = (
            f"this machine has no {name!r}, and the learner's replay buffer is to be there (a ValueError)"
        )
        yield Problem("device-missing", message, where, 'write "cpu", or start it where the device is')
