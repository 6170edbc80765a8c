"""The teleoperator of ``--teleop.type=so101_leader_hil``."""

import logging
import threading
from typing import Any, get_args

import numpy as np
from lerobot.teleoperators.so_leader.so_leader import SOLeader
from lerobot.teleoperators.utils import TeleopEvents
from lerobot.utils.keyboard_input import create_key_listener
from numpy.typing import NDArray

from lerobot_grasp_plugin.core.action_space import DELTA_NAMES, ActionSpace
from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.lerobot_seams.dataset_watch import start_watch, stop_watch
from lerobot_grasp_plugin.lerobot_seams.environment import follow_environment, leave_environment
from lerobot_grasp_plugin.lerobot_seams.recorded_environment import RecordedEnvironment
from lerobot_grasp_plugin.teleop.config_so101_leader_hil import So101LeaderHilConfig
from lerobot_grasp_plugin.teleop.finished_recording import FinishedRecording
from lerobot_grasp_plugin.teleop.joint_actions import accept_policy_actions
from lerobot_grasp_plugin.teleop.leader_deltas import LeaderDeltas

logger = logging.getLogger(__name__)


class So101LeaderHil(SOLeader):  # type: ignore[misc]
    """An SO101 leader for ``lerobot.rl.gym_manipulator`` and ``lerobot.rl.actor``.

    Success ends the episode with reward 1, failure with reward 0, re-record throws it away; the
    intervention key gives the follower to the leader and back. What ``gym_manipulator`` records is
    finalised when the process ends, which it does not do by itself.
    """

    config_class = So101LeaderHilConfig

    def __init__(self, config: So101LeaderHilConfig) -> None:
        super().__init__(config)
        self._events = {
            config.success_key: TeleopEvents.SUCCESS,
            config.failure_key: TeleopEvents.FAILURE,
            config.rerecord_key: TeleopEvents.RERECORD_EPISODE,
            config.intervene_key: TeleopEvents.IS_INTERVENTION,
        }
        if len(self._events) < len(TeleopEvents) - 1:
            keys = (config.success_key, config.failure_key, config.rerecord_key, config.intervene_key)
            raise UsageError(
                Problem(
                    "key-twice",
                    f"one key has two events: {', '.join(keys)}",
                    place="--teleop",
                    hint="give success, failure, rerecord and intervene different keys",
                )
            )
        if config.action_space not in get_args(ActionSpace):
            choices = ", ".join(get_args(ActionSpace))
            message = f"action_space must be one of {choices}, not {config.action_space!r}"
            raise UsageError(Problem("unknown-choice", message, place="--teleop.action_space"))
        if config.action_space == "ee_delta" and not config.use_degrees:
            message = "kinematics need joints in degrees, but use_degrees is false"
            raise UsageError(Problem("not-degrees", message, place="--teleop.use_degrees"))
        self._deltas = LeaderDeltas(_kinematics) if config.action_space == "ee_delta" else None
        self._pressed: set[TeleopEvents] = set()
        self._intervening = config.intervene
        self._lock = threading.Lock()
        self._listener: Any = None
        self._recording = FinishedRecording()
        self._recorded = RecordedEnvironment()

    @property
    def action_features(self) -> dict[str, Any]:
        """The feature of an action, as ``gym_manipulator`` puts it into its dataset."""
        if self._deltas is not None:
            return {"dtype": "float32", "shape": (len(DELTA_NAMES),), "names": list(DELTA_NAMES)}
        names = [f"{motor}.pos" for motor in self.bus.motors]
        return {"dtype": "float32", "shape": (len(names),), "names": names}

    @property
    def feedback_features(self) -> dict[str, type]:
        return {f"{motor}.pos": float for motor in self.bus.motors}

    def connect(self, calibrate: bool = True) -> None:
        super().connect(calibrate)
        start_watch(self._recording)
        self._recorded.follow()
        if self._deltas is not None:
            follow_environment(self._deltas)
        accept_policy_actions()
        shown = ", ".join(f"{key}: {event.value}" for key, event in self._events.items())
        self._listener = create_key_listener(self.press, controls_help=shown)
        if self._listener is None:
            logger.warning("The keyboard cannot be read: episodes end only by their time limit.")

    def press(self, key: str) -> None:
        """Handle a key; unknown ones are ignored.

        Args:
            key: A character, or a name such as ``space``.
        """
        event = self._events.get(key)
        if event is None:
            return
        with self._lock:
            if event is TeleopEvents.IS_INTERVENTION:
                self._intervening = not self._intervening
                logger.info("The %s moves the follower.", "leader" if self._intervening else "policy")
            else:
                self._pressed.add(event)
                logger.info("%s", event.value)

    def get_action(self) -> NDArray[np.float32]:
        """Joints, float32 (6,), or a step, float32 (4,), in the order of ``action_features``."""
        positions = super().get_action()
        if self._deltas is not None:
            with self._lock:
                acts = self._intervening
            return self._deltas.action(positions, acts=acts)
        return np.array([positions[name] for name in self.action_features["names"]], dtype=np.float32)

    def get_teleop_events(self) -> dict[TeleopEvents, bool]:
        """The presses since the last call; each press is returned once.

        The last of several verdicts does not matter: re-recording wins over failure, failure over
        success.
        """
        with self._lock:
            pressed, self._pressed = self._pressed, set()
            intervening = self._intervening
        rerecord = TeleopEvents.RERECORD_EPISODE in pressed
        failure = TeleopEvents.FAILURE in pressed and not rerecord
        success = TeleopEvents.SUCCESS in pressed and not rerecord and not failure
        return {
            TeleopEvents.IS_INTERVENTION: intervening,
            TeleopEvents.SUCCESS: success,
            TeleopEvents.FAILURE: failure,
            TeleopEvents.RERECORD_EPISODE: rerecord,
            TeleopEvents.TERMINATE_EPISODE: bool(pressed),
        }

    def disconnect(self) -> None:
        if self._listener is not None:
            self._listener.stop()
            self._listener = None
        self._recording.finish()
        stop_watch(self._recording)
        self._recorded.leave()
        if self._deltas is not None:
            leave_environment(self._deltas)
        super().disconnect()


def _kinematics(**settings: Any) -> Any:
    """LeRobot's kinematics of an arm."""
    from lerobot.model.kinematics import RobotKinematics

    return RobotKinematics(**settings)
