"""The declaration of one field of LeRobot's configs, so that draccus can write it down."""

from __future__ import annotations

from typing import Final

_FIELD: Final = "fixed_reset_joint_positions"


def repair_reset_config() -> None:
    """Makes ``ResetConfig.fixed_reset_joint_positions`` a ``list[float] | None``; once is enough.

    LeRobot declares it ``Any | None``, on which draccus ends in a TypeError as soon as the learner writes
    its config into the log or a checkpoint.
    """
    from lerobot.envs.configs import ResetConfig

    if ResetConfig.__annotations__.get(_FIELD) == "Any | None":
        ResetConfig.__annotations__[_FIELD] = "list[float] | None"
