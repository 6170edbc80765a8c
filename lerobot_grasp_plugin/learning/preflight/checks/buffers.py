"""Replay buffers and the mix of online and offline transitions."""

from __future__ import annotations

from collections.abc import Iterator

from lerobot_grasp_plugin.learning.preflight.facts import Facts
from lerobot_grasp_plugin.learning.preflight.findings import Finding, error, warning

_CAPACITY = 100_000
_BEFORE_LEARNING = 100


def check_buffers(facts: Facts) -> Iterator[Finding]:
    """Source of the rules: ``ReplayBuffer.from_lerobot_dataset`` and ``OnlineOfflineMixer``."""
    config = facts.config
    offline = config.number("policy.offline_buffer_capacity", _CAPACITY) or 0
    if facts.frames > offline:
        message = f"{offline:g}, and the dataset has {facts.frames} frames"
        change = f"set it to {facts.frames} or more, with room for interventions"
        yield error("offline-capacity", "policy.offline_buffer_capacity", message, change)
    online = config.number("policy.online_buffer_capacity", _CAPACITY) or 0
    before = config.number("policy.online_step_before_learning", _BEFORE_LEARNING) or 0
    if online < before or online <= 0:
        message = f"{online:g}, and learning starts at {before:g} transitions: it would never"
        change = f"set it to more than {before:g}"
        yield error("online-capacity", "policy.online_buffer_capacity", message, change)
    ratio = config.number("online_ratio", 0.5)
    batch = config.number("batch_size", 8) or 0
    if ratio is None or not 0 <= ratio <= 1:
        yield error("online-ratio", "online_ratio", f"{ratio} is no share from 0 to 1", "0.5 is usual")
    elif facts.datasets and int(batch) - max(1, int(batch * ratio)) < 1:
        message = f"{ratio:g} of batches of {batch:g} leaves nothing of the dataset"
        yield warning("online-ratio", "online_ratio", message, "0.5 is usual")
    elif ratio == 0:
        message = "0: of each batch only one transition comes from the robot"
        yield warning("online-ratio", "online_ratio", message, "0.5 is usual")
