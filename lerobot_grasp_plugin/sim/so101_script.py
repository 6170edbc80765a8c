"""The teleoperator of ``--teleop.type=so101_script``."""

from typing import Any, get_args

import numpy as np
from lerobot.teleoperators.teleoperator import Teleoperator
from lerobot.teleoperators.utils import TeleopEvents
from lerobot.utils.decorators import check_if_already_connected, check_if_not_connected

from lerobot_grasp_plugin.core.action_space import DELTA_NAMES, ActionSpace, step_sizes
from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.lerobot_seams.dataset_watch import start_watch, stop_watch
from lerobot_grasp_plugin.lerobot_seams.environment import (
    EnvironmentListener,
    follow_environment,
    leave_environment,
)
from lerobot_grasp_plugin.lerobot_seams.recorded_environment import RecordedEnvironment
from lerobot_grasp_plugin.sim.config_so101_script import So101ScriptConfig
from lerobot_grasp_plugin.sim.ee_attempt import STAY, EeAttempt
from lerobot_grasp_plugin.sim.grasp_motion import GraspMotion, parse_outcomes, plan_grasp, plan_home
from lerobot_grasp_plugin.sim.joints import JOINTS, JointUnits
from lerobot_grasp_plugin.sim.world import World
from lerobot_grasp_plugin.teleop.finished_recording import FinishedRecording
from lerobot_grasp_plugin.teleop.joint_actions import accept_policy_actions

_HOME_S = 1.2
_SIGNALS = ("none", "held", "grasped")


class So101Script(Teleoperator):  # type: ignore[misc]
    """Plays the person at the leader arm of the simulated SO101.

    With a recorder it starts an attempt with each episode, keeps still when the attempt is over, and goes
    home while nothing is recorded. In LeRobot's environment for reinforcement learning it starts an attempt
    at each reset, and takes over as often as ``takeover`` says. Where nothing records at all, one attempt
    follows the other.
    """

    config_class = So101ScriptConfig
    name = "so101_script"

    def __init__(self, config: So101ScriptConfig) -> None:
        super().__init__(config)
        self.config = config
        self._check()
        self._outcomes = parse_outcomes(config.outcome)
        self._connected = False
        self._motion: GraspMotion | None = None
        self._attempt_ee: EeAttempt | None = None
        self._world: World | None = None
        self._frames = 0
        self._episode = config.first_episode - 1
        self._step = -1
        self._first_step: int | None = 0
        self._acts = True
        self._environment = _Environment(self)
        self._recording = FinishedRecording()
        self._recorded = RecordedEnvironment()

    def _check(self) -> None:
        config = self.config
        problems = []
        if not config.attempt_s > 0:
            problems.append(
                Problem(
                    "bad-value",
                    f"attempt_s must be above 0, not {config.attempt_s}",
                    place="--teleop.attempt_s",
                    hint="in seconds; 4 looks natural",
                )
            )
        for name, choices in (("action_space", get_args(ActionSpace)), ("signal", _SIGNALS)):
            if getattr(config, name) not in choices:
                message = f"{name} must be one of {', '.join(choices)}, not {getattr(config, name)!r}"
                problems.append(Problem("unknown-choice", message, place=f"--teleop.{name}"))
        shares = config.takeover
        for name in ("start", "decay", "floor"):
            if not 0 <= getattr(shares, name) <= 1:
                message = f"{name} must be from 0 to 1, not {getattr(shares, name)}"
                problems.append(Problem("bad-value", message, place=f"--teleop.takeover.{name}"))
        if shares.latest < 0:
            message = f"latest must be a step of an episode (0 or more), not {shares.latest}"
            problems.append(Problem("bad-value", message, place="--teleop.takeover.latest"))
        if shares.patience is not None and shares.patience < 0:
            message = f"patience must be a step of an episode (0 or more), not {shares.patience}"
            problems.append(Problem("bad-value", message, place="--teleop.takeover.patience"))
        if problems:
            raise UsageError(problems)

    @property
    def _is_delta(self) -> bool:
        return self.config.action_space == "ee_delta"

    @property
    def action_features(self) -> dict[str, Any]:
        """Of an action: for ``lerobot-record`` a type by name, for ``gym_manipulator`` a feature."""
        if self._is_delta:
            return {"dtype": "float32", "shape": (len(DELTA_NAMES),), "names": list(DELTA_NAMES)}
        names = [f"{joint}.pos" for joint in JOINTS]
        if self._environment.built:
            return {"dtype": "float32", "shape": (len(names),), "names": names}
        return dict.fromkeys(names, float)

    @property
    def feedback_features(self) -> dict[str, type]:
        return {}

    @property
    def is_connected(self) -> bool:
        return self._connected

    @property
    def is_calibrated(self) -> bool:
        return True

    def calibrate(self) -> None:
        """There is nothing to calibrate."""

    def configure(self) -> None:
        """There is nothing to configure."""

    @check_if_already_connected  # type: ignore[untyped-decorator]
    def connect(self, calibrate: bool = True) -> None:
        self._connected = True
        follow_environment(self._environment)
        start_watch(self._recording)
        self._recorded.follow()
        accept_policy_actions()

    @check_if_not_connected  # type: ignore[untyped-decorator]
    def get_action(self) -> Any:
        """The action of the next frame: joint goals by ``<joint>.pos``, or steps by ``DELTA_NAMES``.

        In LeRobot's environment for reinforcement learning joint goals are float32 (6,), as ``JOINTS``.

        Raises:
            UsageError: The robot of this process is not the simulated one, or takes no end-effector steps.
        """
        self._take_over()
        world = World.current
        if world is None:
            raise UsageError(
                Problem(
                    "no-simulated-robot",
                    "so101_script works only with the simulated SO101",
                    place="--teleop.type",
                    hint="use it with --robot.type=so101_sim",
                )
            )
        if self._is_delta and not self._environment.built:
            message = "action_space ee_delta works only in LeRobot's HIL-SERL environment"
            hint = "record with lerobot.rl.gym_manipulator, or set --teleop.action_space=joints"
            raise UsageError(Problem("no-environment", message, "--teleop.action_space", hint))
        if world is not self._world:
            self._world, self._units = world, JointUnits(world.ranges, use_degrees=self.config.use_degrees)
            self._attempt, self._homing = world.attempt, False
            self._begin(world)
        self._follow(world)
        self._frames += 1
        if self._is_delta:
            return self._delta(world)
        assert self._motion is not None
        goals = self._units.from_radians(self._motion.at(self._frames / world.fps))
        if self._environment.built:
            return np.array([goals[joint] for joint in JOINTS], dtype=np.float32)
        return {f"{joint}.pos": goal for joint, goal in goals.items()}

    def get_teleop_events(self) -> dict[TeleopEvents, bool]:
        """Whether the script acts in this episode, and what it signals."""
        world = World.current
        success = False
        if world is not None and self.config.signal != "none":
            success = bool(getattr(world.truth(), self.config.signal))
        return {
            TeleopEvents.IS_INTERVENTION: self._acts,
            TeleopEvents.SUCCESS: success,
            TeleopEvents.FAILURE: False,
            TeleopEvents.RERECORD_EPISODE: False,
            TeleopEvents.TERMINATE_EPISODE: False,
        }

    def start_episode(self) -> None:
        """An episode of LeRobot's environment starts: decide who acts, and what the attempt comes to."""
        self._episode += 1
        shares = self.config.takeover
        share = max(shares.floor, shares.start * shares.decay**self._episode)
        random = np.random.default_rng([self.config.seed, self._episode])
        takes_over = random.random() < share
        self._step, self._acts = -1, False
        self._first_step = int(random.integers(shares.latest + 1)) if takes_over else shares.patience

    def _take_over(self) -> None:
        """Act from the step on that this episode has for it; the attempt starts where the gripper is then."""
        self._step += 1
        acts = self._first_step is not None and self._step >= self._first_step
        if acts and not self._acts:
            self._world = None  # the next action starts an attempt
        self._acts = acts

    def _delta(self, world: World) -> dict[str, float]:
        if self._attempt_ee is None:
            return {**dict.fromkeys(DELTA_NAMES[:3], 0.0), DELTA_NAMES[3]: STAY}
        command = self._attempt_ee.next(world)
        values = [*command.delta.tolist(), command.gripper]
        return dict(zip(DELTA_NAMES, values, strict=True))

    def _follow(self, world: World) -> None:
        """Go home when an episode is over, begin when the next one has begun."""
        if world.episodic or self._motion is None:
            return
        finished = self._frames / world.fps >= self._motion.duration
        world.ready = self._homing and finished
        if world.recording is None and finished:
            if not self._homing:
                world.lay_out()
            else:
                self._begin(world)
                return
        if world.attempt != self._attempt:
            self._attempt, self._homing, self._frames = world.attempt, True, 0
            self._motion = plan_home(world, _HOME_S)
        elif self._homing and world.recording:
            self._begin(world)

    def _begin(self, world: World) -> None:
        self._homing, self._frames = False, 0
        world.ready = False
        number = self._episode if world.episodic else world.saved
        outcome = self._outcomes[max(number, 0) % len(self._outcomes)]
        random = np.random.default_rng([self.config.seed, world.attempt])
        if self._is_delta:
            steps = self._environment.steps
            self._attempt_ee = None if steps is None else EeAttempt(outcome, steps, self.config.noise, random)
        else:
            self._motion = plan_grasp(world, outcome, self.config.attempt_s, random)

    def send_feedback(self, feedback: dict[str, Any]) -> None:
        """A script feels nothing."""

    def disconnect(self) -> None:
        self._connected = False
        leave_environment(self._environment)
        self._recording.finish()
        stop_watch(self._recording)
        self._recorded.leave()


class _Environment(EnvironmentListener):
    """Takes the step sizes from LeRobot's environment, and starts the script's attempts at its resets."""

    def __init__(self, script: So101Script) -> None:
        self._script = script
        self.built = False
        self.steps: np.ndarray[Any, np.dtype[np.float64]] | None = None

    def environment_built(self, env: Any, config: Any, env_processor: Any, action_processor: Any) -> None:
        self.built = True
        self.steps = step_sizes(config)

    def episode_starts(self, env: Any) -> None:
        self._script.start_episode()
