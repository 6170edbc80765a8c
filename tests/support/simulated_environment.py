"""The simulated arm and its script as an environment of LeRobot's for reinforcement learning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

URDF = "package://so101_nexus/assets/SO101/so101_new_calib.urdf"
FULL = {"radius": [0.18, 0.25], "azimuth": [-0.5, 0.5], "yaw": [-0.3, 0.3]}
FIXED = {"radius": [0.215, 0.215], "azimuth": [0.0, 0.0], "yaw": [0.0, 0.0]}


def config_of(
    *,
    outcome: str = "success",
    signal: str = "none",
    cube: Mapping[str, Any] = FIXED,
    takeover: Mapping[str, Any] | None = None,
    action_space: str = "ee_delta",
    robot: Mapping[str, Any] | None = None,
    reset: Mapping[str, Any] | None = None,
    observation: Mapping[str, Any] | None = None,
    noise: float = 0.0,
) -> Any:
    """LeRobot's config of the environment.

    Args:
        outcome: As ``--teleop.outcome``.
        signal: As ``--teleop.signal``.
        cube: Where the cube may lie.
        takeover: When the person takes over.
        action_space: ``ee_delta`` or ``joints``.
        robot: More settings of the arm.
        reset: More settings of the reset.
        observation: Settings of the observation.
        noise: Of the script.
    """
    import draccus
    from lerobot.envs import HILSerlRobotEnvConfig

    from lerobot_grasp_plugin.sim import config_so101_script, config_so101_sim  # noqa: F401  # registers itself

    processor: dict[str, Any] = {
        "observation": observation or {},
        "gripper": {"use_gripper": True, "gripper_penalty": -0.02},
        "reset": {
            "reset_time_s": 0.0,
            "control_time_s": 4.0,
            "terminate_on_success": True,
            **(reset or {}),
        },
        "max_gripper_pos": 100.0,
    }
    if action_space == "ee_delta":
        processor["inverse_kinematics"] = {
            "urdf_path": URDF,
            "target_frame_name": "gripper_frame_link",
            "end_effector_bounds": {"min": [0.12, -0.16, 0.008], "max": [0.28, 0.16, 0.12]},
            "end_effector_step_sizes": {"x": 0.02, "y": 0.02, "z": 0.02},
        }
    raw = {
        "name": "real_robot",
        "fps": 10,
        "robot": {"type": "so101_sim", "fps": 10, "cameras": {}, "cube": cube, **(robot or {})},
        "teleop": {
            "type": "so101_script",
            "action_space": action_space,
            "outcome": outcome,
            "signal": signal,
            "noise": noise,
            "takeover": takeover or {},
        },
        "processor": processor,
    }
    return draccus.decode(HILSerlRobotEnvConfig, raw)
