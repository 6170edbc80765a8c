"""Writes an environment's settings and resets into ``meta/grasp_recording.json``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.recording import RecordingSidecar, read_recording
from lerobot_grasp_plugin.findings.problem import DatasetError
from lerobot_grasp_plugin.lerobot_seams.dataset_watch import start_watch, stop_watch
from lerobot_grasp_plugin.lerobot_seams.environment import (
    EnvironmentListener,
    follow_environment,
    leave_environment,
)
from lerobot_grasp_plugin.writers.whole import write_whole

STATE_PARTS: Final = {
    "joint velocities": "add_joint_velocity_to_observation",
    "motor currents": "add_current_to_observation",
    "end-effector pose": "add_ee_pose_to_observation",
}
"""The parts after the joint positions in ``observation.state``, in this order, and their options."""


class RecordedEnvironment(EnvironmentListener):
    """Notes in a dataset, which is recorded in LeRobot's environment, what its actions and states are."""

    def __init__(self) -> None:
        self._facts: dict[str, Any] | None = None

    def follow(self) -> None:
        """Start, when a teleoperator is connected."""
        follow_environment(self)
        start_watch(self)

    def leave(self) -> None:
        """End, when it is disconnected."""
        stop_watch(self)
        leave_environment(self)

    def environment_built(self, env: Any, config: Any, env_processor: Any, action_processor: Any) -> None:
        kinematics, observation = config.processor.inverse_kinematics, config.processor.observation
        parts = [part for part, option in STATE_PARTS.items() if getattr(observation, option, False)]
        if kinematics is None:  # then LeRobot adds no pose either
            parts = [part for part in parts if part != "end-effector pose"]
        self._facts = {
            "action_space": "joints" if kinematics is None else "ee_delta",
            "state": ["joint positions", *parts],
        }
        if kinematics is not None:
            self._facts["end_effector_step_sizes"] = dict(kinematics.end_effector_step_sizes)
            self._facts["target_frame_name"] = str(kinematics.target_frame_name)

    def frame_added(self, dataset: Any, frame: dict[str, Any]) -> None:
        """A frame says nothing of the environment."""

    def frame_held(self, dataset: Any) -> None:
        """A pause says nothing of it either."""

    def frames_kept(self, dataset: Any, start: int, stop: int) -> None:
        """Trimming does not concern the environment."""

    def episode_saved(self, dataset: Any, episode_index: int) -> None:
        facts = self._facts
        if facts is not None:
            update_recording(Path(dataset.root), lambda raw: raw.update(environment=facts))

    def episode_discarded(self, dataset: Any) -> None:
        """Nothing was noted of it."""


def update_recording(root: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a dataset's recording sidecar, or make one; the file is whole at all times.

    Raises:
        DatasetError: The file is damaged.
    """
    known = read_recording(root) or RecordingSidecar.new({})
    if known.problems:
        raise DatasetError(known.problems)
    known = known if known.raw else RecordingSidecar.new({})
    change(known.raw)
    write_whole(root / layout.RECORDING_PATH, known.encoded())
