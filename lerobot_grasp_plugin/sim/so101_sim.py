"""The robot of ``--robot.type=so101_sim``."""

import logging
import time
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lerobot.robots.robot import Robot
from lerobot.robots.utils import ensure_safe_goal_position
from lerobot.utils.decorators import check_if_already_connected, check_if_not_connected

from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.lerobot_seams.dataset_watch import start_watch, stop_watch
from lerobot_grasp_plugin.lerobot_seams.environment import (
    EnvironmentListener,
    follow_environment,
    leave_environment,
)
from lerobot_grasp_plugin.lerobot_seams.recording_clock import run_by, run_by_the_wall
from lerobot_grasp_plugin.robots.environment_reset import EnvironmentReset
from lerobot_grasp_plugin.sim.config_so101_sim import SimCameraConfig, So101SimConfig
from lerobot_grasp_plugin.sim.episode_log import EpisodeLog
from lerobot_grasp_plugin.sim.joints import JOINTS, JointUnits
from lerobot_grasp_plugin.sim.layout import CubeLayout
from lerobot_grasp_plugin.sim.scene import view_names
from lerobot_grasp_plugin.sim.truth import next_attempt, truth_folder
from lerobot_grasp_plugin.sim.world import World

logger = logging.getLogger(__name__)


class So101Sim(Robot):  # type: ignore[misc]
    """An SO101 follower that is simulated: features, units and actions as ``SO101Follower`` has them.

    It has the name of the real one, too, so that what it records has the real arm's ``robot_type``.
    """

    config_class = So101SimConfig
    name = "so_follower"

    def __init__(self, config: So101SimConfig) -> None:
        super().__init__(config)
        self.config = config
        self.cameras = config.cameras
        self._views = {name: _view(name, camera) for name, camera in config.cameras.items()}
        cube = config.cube
        self._layout = CubeLayout(cube.radius, cube.azimuth, cube.yaw)
        self._layout.check("--robot.cube")
        self._world: World | None = None
        self._log: EpisodeLog | None = None
        self._environment = SimulatedEpisodes(self)
        reset, wait = config.random_ee_reset, time.sleep if config.realtime else _at_once
        self._reset = None if reset is None else EnvironmentReset(self, reset, config.fps, wait)
        self.bus = SimBus(self)

    @property
    def _motors_ft(self) -> dict[str, type]:
        return {f"{joint}.pos": float for joint in JOINTS}

    @cached_property
    def observation_features(self) -> dict[str, Any]:
        images = {name: (camera.height, camera.width, 3) for name, camera in self.cameras.items()}
        return {**self._motors_ft, **images}

    @cached_property
    def action_features(self) -> dict[str, type]:
        return self._motors_ft

    @property
    def is_connected(self) -> bool:
        return self._world is not None

    @property
    def is_calibrated(self) -> bool:
        return True

    def calibrate(self) -> None:
        """There is nothing to calibrate."""

    def configure(self) -> None:
        """There is nothing to configure."""

    @check_if_already_connected  # type: ignore[untyped-decorator]
    def connect(self, calibrate: bool = True) -> None:
        """Build the world and lay out the cube of the first attempt.

        Raises:
            UsageError: The extra ``sim`` is not installed.
        """
        world = World(fps=self.config.fps, seed=self.config.seed, layout=self._layout)
        self._units = JointUnits(world.ranges, use_degrees=self.config.use_degrees)
        for name, camera in self.cameras.items():  # the first image of each takes its time
            world.render(self._views[name], camera.width, camera.height, camera.fovy)
        self._log = EpisodeLog(world, self.config.truth_dir)
        start_watch(self._log)
        follow_environment(self._environment)
        if not self.config.realtime:
            run_by(world.clock)
        if self._reset is not None:
            self._reset.follow()
        self._world = World.current = world
        logger.info("%s connected.", self)

    @check_if_not_connected  # type: ignore[untyped-decorator]
    def continue_recording(self, root: Path, episodes: int) -> None:
        """Go on with the cube's places and the script's outcomes where a dataset's recording stopped.

        Args:
            root: The dataset's folder.
            episodes: How many it has.
        """
        assert self._world is not None
        folder = truth_folder(self.config.truth_dir, root)
        self._world.resume(episodes, next_attempt(folder, episodes))

    @check_if_not_connected  # type: ignore[untyped-decorator]
    def get_observation(self) -> dict[str, Any]:
        assert self._world is not None
        assert self._log is not None
        positions = self._units.from_radians(self._world.joints)
        self._log.observed(positions)
        observation: dict[str, Any] = {f"{name}.pos": value for name, value in positions.items()}
        for name, camera in self.cameras.items():
            observation[name] = self._world.render(
                self._views[name], camera.width, camera.height, camera.fovy
            )
        return observation

    @check_if_not_connected  # type: ignore[untyped-decorator]
    def send_action(self, action: dict[str, Any]) -> dict[str, float]:
        """Send the joints on their way and let ``1 / fps`` s pass.

        Args:
            action: Goals by ``<joint>.pos``, in the units of the observation.

        Returns:
            The goals that were sent, shortened by ``max_relative_target``.
        """
        assert self._world is not None
        assert self._log is not None
        goals = {
            key.removesuffix(".pos"): float(goal) for key, goal in action.items() if key.endswith(".pos")
        }
        if self.config.max_relative_target is not None:
            present = self._units.from_radians(self._world.joints)
            pairs = {joint: (goal, present[joint]) for joint, goal in goals.items()}
            goals = ensure_safe_goal_position(pairs, self.config.max_relative_target)
        self._world.act(self._units.to_radians(goals, self._world.goal))
        self._log.acted()
        return {f"{joint}.pos": goal for joint, goal in goals.items()}

    @check_if_not_connected  # type: ignore[untyped-decorator]
    def disconnect(self) -> None:
        assert self._world is not None
        assert self._log is not None
        stop_watch(self._log)
        if self._reset is not None:
            self._reset.leave()
        leave_environment(self._environment)
        run_by_the_wall()
        self._world.close()
        if World.current is self._world:
            World.current = None
        self._world = self._log = None
        logger.info("%s disconnected.", self)


class SimulatedEpisodes(EnvironmentListener):
    """Starts each episode of LeRobot's environment with the arm at home and the cube at its next place."""

    def __init__(self, robot: So101Sim) -> None:
        self._robot = robot

    def environment_built(self, env: Any, config: Any, env_processor: Any, action_processor: Any) -> None:
        if env.robot is self._robot:
            env.reset_time_s = 0.0  # the simulation resets the cube

    def episode_starts(self, env: Any) -> None:
        world = self._robot._world
        if env.robot is self._robot and world is not None:
            if world.episodic or world.attempt < 0:
                world.lay_out()
            world.episodic = True
            world.go_home()

    def paces(self) -> bool:
        return self._robot.config.realtime or self._robot._world is None


class SimBus:
    """As much of a motors bus as LeRobot's ``gym_manipulator`` asks its robot for."""

    def __init__(self, robot: So101Sim) -> None:
        self._robot = robot
        self.motors = {joint: SimpleNamespace(id=index + 1) for index, joint in enumerate(JOINTS)}

    @property
    def is_connected(self) -> bool:
        """Whether the robot is."""
        return self._robot.is_connected

    def sync_read(self, name: str) -> dict[str, float]:
        """``Present_Position`` of every joint, in the robot's units."""
        assert name == "Present_Position", name
        assert self._robot._world is not None
        return self._robot._units.from_radians(self._robot._world.joints)

    def sync_write(self, name: str, values: dict[str, Any]) -> None:
        """``Goal_Position`` by joint, in the robot's units."""
        assert name == "Goal_Position", name
        self._robot.send_action({f"{joint}.pos": float(value) for joint, value in values.items()})


def _at_once(_: float) -> None:
    """Actions move the simulated time on."""


def _view(name: str, camera: SimCameraConfig) -> str:
    view = camera.view or name
    if view not in view_names():
        choices = " or ".join(view_names())
        raise UsageError(
            Problem(
                "unknown-choice",
                f"the simulated SO101 has no view {view!r}",
                place=f"--robot.cameras, {name}",
                hint=f"set view to one of {choices}",
            )
        )
    if camera.fovy is not None and not 1 <= camera.fovy <= 170:
        message = f"fovy must be 1 to 170 degrees, not {camera.fovy}"
        raise UsageError(Problem("bad-value", message, place=f"--robot.cameras, {name}"))
    return view
