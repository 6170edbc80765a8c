"""The simulated table: arm, cube, time, and the current attempt."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lerobot_grasp_plugin.sim.frame_clock import FrameClock
from lerobot_grasp_plugin.sim.joints import JOINTS, Radians
from lerobot_grasp_plugin.sim.kinematics import SITE, GripperDown
from lerobot_grasp_plugin.sim.layout import CubeLayout
from lerobot_grasp_plugin.sim.renderer import SceneRenderer, use_gl_that_is_there
from lerobot_grasp_plugin.sim.scene import CUBE_HALF, build_scene, camera_of
from lerobot_grasp_plugin.sim.truth import LIFTED, Truth

HOME_POSITION = np.array([0.20, 0.0, 0.07])
_ARM = len(JOINTS) - 1
_CUBE_QPOS = slice(len(JOINTS), len(JOINTS) + 7)
_CUBE_QVEL = slice(len(JOINTS), len(JOINTS) + 6)


class World:
    """One simulated arm and its cube.

    A robot opens it and makes it ``World.current``, where the script that plays the teleoperator
    finds it: the script may look at the table as a person would.

    Attributes:
        current: The world of the connected robot, if there is one.
        attempt: Counts the times the cube was laid out, from 0.
        saved: Episodes saved since the robot was connected, and those a resumed recording had before.
        recording: The last action belonged to a frame that was recorded; None before the first one.
        episodic: Episodes are those of LeRobot's reinforcement learning environment, which starts each by a
            reset, and not those of a recorder.
        ready: Nothing is recorded and the arm waits at home: the next episode may start.
        clock: Counts the frames that were observed.
        cube_yaw: How the cube was turned when it was laid out, radians.
    """

    current: ClassVar[World | None] = None

    def __init__(
        self,
        *,
        fps: int,
        seed: int,
        layout: CubeLayout | None = None,
    ) -> None:
        """Args:
        fps: Actions per simulated second.
        seed: Decides where the cube lies in each attempt.
        layout: Where the cube may lie; None for all of the reach.
        """
        use_gl_that_is_there()
        import mujoco

        self._mujoco = mujoco
        self.model = build_scene()
        self.data = mujoco.MjData(self.model)
        self.kinematics = GripperDown(self.model)
        self.fps = fps
        self._seed = seed
        self._layout = layout or CubeLayout()
        self._steps_done = 0
        self._actions = 0
        self._renderer: SceneRenderer | None = None
        self._fixed_jaw = self.model.body("gripper").id
        self._moving_jaw = self.model.body("moving_jaw_so101_v1").id
        self._cube = self.model.body("cube").id
        self._tip = self.model.site(SITE).id
        self.home = self._home()
        self.goal = self.home.copy()
        self.data.qpos[: len(JOINTS)] = self.home
        self.data.ctrl[:] = self.home
        self.saved = 0
        self.recording: bool | None = None
        self.episodic = False
        self.ready = False
        self.clock = FrameClock(fps)
        self.attempt = -1
        self.cube_yaw = 0.0
        self.lay_out()

    def _home(self) -> Radians:
        low, high = self.ranges[-1]
        gripper = low + 0.6 * (high - low)
        return np.append(self.kinematics.solve(HOME_POSITION, 0.0), gripper)

    @property
    def ranges(self) -> Radians:
        """Limits of the joints, float64 (6, 2), radians."""
        limits: Radians = self.model.jnt_range[: len(JOINTS)]
        return limits

    @property
    def joints(self) -> Radians:
        """Where the joints are, float64 (6,), radians."""
        angles: Radians = self.data.qpos[: len(JOINTS)].copy()
        return angles

    @property
    def opening(self) -> float:
        """How far the jaws are open: 0 closed, 1 at their limit."""
        low, high = self.ranges[-1]
        return float((self.joints[-1] - low) / (high - low))

    @property
    def cube_position(self) -> NDArray[np.float64]:
        """The cube's centre, float64 (3,), metres, from the arm's base."""
        position: NDArray[np.float64] = self.data.xpos[self._cube].copy()
        return position

    def lay_out(self) -> None:
        """Begin the next attempt: put the cube at a place the seed and the attempt decide."""
        self.attempt += 1
        radius, azimuth, turn = self._layout.draw(self._seed, self.attempt)
        self.cube_yaw = azimuth + turn
        cube = self.data.qpos[_CUBE_QPOS]
        cube[:3] = radius * np.cos(azimuth), radius * np.sin(azimuth), CUBE_HALF
        cube[3:] = np.cos(self.cube_yaw / 2), 0, 0, np.sin(self.cube_yaw / 2)
        self.data.qvel[_CUBE_QVEL] = 0
        self._mujoco.mj_forward(self.model, self.data)

    def restart(self) -> None:
        """Lay out the places of the first attempts once more, from the next attempt on."""
        self.attempt = -1

    def resume(self, saved: int, attempt: int) -> None:
        """Go on where another session stopped, with the next attempt laid out.

        Args:
            saved: Episodes that exist already.
            attempt: The number of the next attempt.
        """
        self.saved, self.attempt = saved, attempt - 1
        self.lay_out()

    def go_home(self) -> None:
        """Put the arm where attempts begin, at once and at rest."""
        self.data.qpos[: len(JOINTS)] = self.home
        self.data.qvel[: len(JOINTS)] = 0
        self.data.ctrl[:] = self.home
        self.goal = self.home.copy()
        self._mujoco.mj_forward(self.model, self.data)

    @property
    def tip(self) -> NDArray[np.float64]:
        """The point between the fingertips, float64 (3,), metres, from the arm's base."""
        position: NDArray[np.float64] = self.data.site_xpos[self._tip].copy()
        return position

    def act(self, goal: Radians) -> None:
        """Send the joints to ``goal`` and let one frame of time pass.

        Args:
            goal: float64 (6,), radians, within the joints' limits.
        """
        self.goal = goal.copy()
        self.data.ctrl[:] = goal
        self._actions += 1
        due = round(self._actions / self.fps / self.model.opt.timestep)
        self._mujoco.mj_step(self.model, self.data, nstep=due - self._steps_done)
        self._steps_done = due

    def truth(self) -> Truth:
        """What holds now."""
        mujoco, data = self._mujoco, self.data
        touching: set[int] = set()
        force = np.zeros(6)
        pairs = self.model.geom_bodyid[data.contact.geom]
        for index in np.flatnonzero((pairs == self._cube).any(axis=1)):
            mujoco.mj_contactForce(self.model, data, index, force)
            if force[0] > 0:
                touching.update(pairs[index].tolist())
        x, y, z = (round(float(value), 5) for value in self.cube_position)
        rotation = data.xmat[self._cube].reshape(3, 3)
        lowest = z - CUBE_HALF * float(np.abs(rotation[2]).sum())
        return Truth({self._fixed_jaw, self._moving_jaw} <= touching, lowest > LIFTED, (x, y, z))

    def render(self, view: str, width: int, height: int, fovy: float | None = None) -> NDArray[np.uint8]:
        """The scene from ``wrist`` or ``front``, RGB, uint8 (height, width, 3).

        Args:
            view: ``wrist`` or ``front``.
            width: Pixels.
            height: Pixels.
            fovy: Vertical field of view, degrees; None for the model's.
        """
        if self._renderer is None:
            self._renderer = SceneRenderer(self.model)
        return self._renderer.image(self.data, camera_of(view), width, height, fovy)

    def close(self) -> None:
        """Give the renderer back."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None


def current_truth() -> Truth | None:
    """What holds in the world of the connected robot; None where the robot is a real one."""
    return None if World.current is None else World.current.truth()
