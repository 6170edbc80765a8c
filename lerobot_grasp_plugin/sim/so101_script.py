"""The teleoperator that ``--teleop.type=so101_script`` makes."""

from typing import Any

import numpy as np
from lerobot.teleoperators.teleoperator import Teleoperator
from lerobot.utils.decorators import check_if_already_connected, check_if_not_connected

from lerobot_grasp_plugin.errors import Problem, UsageError
from lerobot_grasp_plugin.sim.config_so101_script import So101ScriptConfig
from lerobot_grasp_plugin.sim.grasp_motion import GraspMotion, parse_outcomes, plan_grasp, plan_home
from lerobot_grasp_plugin.sim.joints import JOINTS, JointUnits
from lerobot_grasp_plugin.sim.world import World

_HOME_S = 1.2


class So101Script(Teleoperator):  # type: ignore[misc]
    """Plays the person at the leader arm of the simulated SO101.

    It begins an attempt with each episode, keeps still when the attempt is over, and goes home while
    nothing is recorded. Where nothing records at all, one attempt follows the other.
    """

    config_class = So101ScriptConfig
    name = "so101_script"

    def __init__(self, config: So101ScriptConfig) -> None:
        super().__init__(config)
        self.config = config
        self._outcomes = parse_outcomes(config.outcome)
        if not config.attempt_s > 0:
            raise UsageError(
                Problem(
                    "attempt-length",
                    f"an attempt cannot take {config.attempt_s} s",
                    where="--teleop.attempt_s",
                    hint="say seconds above 0; 4 looks natural",
                )
            )
        self._connected = False
        self._motion: GraspMotion | None = None
        self._world: World | None = None
        self._frames = 0

    @property
    def action_features(self) -> dict[str, type]:
        return {f"{joint}.pos": float for joint in JOINTS}

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

    @check_if_not_connected  # type: ignore[untyped-decorator]
    def get_action(self) -> dict[str, float]:
        """The joint goals of the next frame, by ``<joint>.pos``.

        Raises:
            UsageError: The robot of this process is not the simulated one.
        """
        world = World.current
        if world is None:
            raise UsageError(
                Problem(
                    "no-simulated-robot",
                    "so101_script plays with the simulated SO101 only",
                    where="--teleop.type",
                    hint="use it with --robot.type=so101_sim",
                )
            )
        if world is not self._world:
            self._world, self._units = world, JointUnits(world.ranges, use_degrees=self.config.use_degrees)
            self._attempt, self._homing = world.attempt, False
            self._motion = self._plan(world)
        self._follow(world)
        assert self._motion is not None
        self._frames += 1
        goals = self._units.from_radians(self._motion.at(self._frames / world.fps))
        return {f"{joint}.pos": goal for joint, goal in goals.items()}

    def _follow(self, world: World) -> None:
        """Go home when an episode is over, begin when the next one has begun."""
        assert self._motion is not None
        finished = self._frames / world.fps >= self._motion.duration
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
        self._motion = self._plan(world)

    def _plan(self, world: World) -> GraspMotion:
        outcome = self._outcomes[world.saved % len(self._outcomes)]
        random = np.random.default_rng([self.config.seed, world.attempt])
        return plan_grasp(world, outcome, self.config.attempt_s, random)

    def send_feedback(self, feedback: dict[str, Any]) -> None:
        """A script feels nothing."""

    def disconnect(self) -> None:
        self._connected = False
