"""Steps of HIL-SERL's environment on the simulated arm, against MuJoCo's own step and render.

Run from the project's folder: ``python benchmarks/environment_speed.py``. MuJoCo's own step replays the last
episode from its start, contacts with the cube included. Milliseconds are CPU time of the process, so that the
ratio does not depend on what else the machine does; steps per second are of wall time.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

import draccus
import torch
from lerobot.envs import HILSerlRobotEnvConfig
from lerobot.rl import gym_manipulator

from lerobot_grasp_plugin.sim import config_so101_script, config_so101_sim  # noqa: F401  # registers both
from lerobot_grasp_plugin.sim.scene import camera_of
from lerobot_grasp_plugin.sim.world import World

FPS, STEPS, TARGET = 10, 40, 3.0
CAMERAS: dict[str, dict[str, dict[str, int]]] = {
    "state": {},
    "wrist 48": {"wrist": {"width": 48, "height": 48}},
    "wrist, front 128": {
        "wrist": {"width": 128, "height": 128},
        "front": {"width": 128, "height": 128},
    },
}


def config_of(cameras: dict[str, dict[str, int]]) -> Any:
    """LeRobot's config of the environment: the script acts in end-effector steps."""
    kinematics = {
        "urdf_path": "package://so101_nexus/assets/SO101/so101_new_calib.urdf",
        "target_frame_name": "gripper_frame_link",
        "end_effector_bounds": {"min": [0.12, -0.16, 0.008], "max": [0.28, 0.16, 0.12]},
        "end_effector_step_sizes": {"x": 0.02, "y": 0.02, "z": 0.02},
    }
    raw = {
        "name": "real_robot",
        "fps": FPS,
        "robot": {"type": "so101_sim", "fps": FPS, "cameras": cameras},
        "teleop": {"type": "so101_script", "action_space": "ee_delta"},
        "processor": {
            "gripper": {"use_gripper": True, "gripper_penalty": -0.02},
            "reset": {"reset_time_s": 0.0, "control_time_s": STEPS / FPS},
            "max_gripper_pos": 100.0,
            "inverse_kinematics": kinematics,
        },
    }
    return draccus.decode(HILSerlRobotEnvConfig, raw)


def milliseconds(action: Callable[[], Any], times: int) -> tuple[float, float]:
    """CPU and wall time of one call."""
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(times):
        action()
    return 1000 * (time.process_time() - cpu) / times, 1000 * (time.perf_counter() - wall) / times


def measure(cameras: dict[str, dict[str, int]], episodes: int) -> tuple[float, float, float, float]:
    """Milliseconds of MuJoCo's step, of its render and of a whole step, and steps per second."""
    config = config_of(cameras)
    env, teleop = gym_manipulator.make_robot_env(config)
    processors = gym_manipulator.make_processors(env, teleop, config, "cpu")
    world = World.current
    assert world is not None
    neutral = torch.tensor([0.0, 0.0, 0.0, 1.0])
    goals: list[Any] = []
    start: list[Any] = []

    def episode() -> None:
        transition = gym_manipulator.reset_and_build_transition(env, *processors)
        goals.clear()
        start[:] = [world.data.qpos.copy(), world.data.qvel.copy()]
        for _ in range(STEPS):
            transition = gym_manipulator.step_env_and_process_transition(
                env, transition, neutral, *processors
            )
            goals.append(world.goal)

    import mujoco  # after the simulated arm has decided how it renders without a window

    episode()
    whole_cpu, whole_wall = milliseconds(episode, episodes)
    world.data.qpos[:], world.data.qvel[:] = start  # of the last episode: the same contacts
    nstep = round(1 / FPS / world.model.opt.timestep)
    replayed = iter(goals)

    def step() -> None:
        world.data.ctrl[:] = next(replayed)
        mujoco.mj_step(world.model, world.data, nstep=nstep)

    step_ms = milliseconds(step, STEPS)[0]
    render_ms = 0.0
    for name, size in cameras.items():
        limits = world.model.vis.global_
        limits.offwidth, limits.offheight = size["width"], size["height"]
        renderer = mujoco.Renderer(world.model, size["height"], size["width"])

        def render(name: str = name, renderer: Any = renderer) -> None:
            renderer.update_scene(world.data, camera_of(name))
            renderer.render()

        render()
        render_ms += milliseconds(render, STEPS)[0]
        renderer.close()
    env.close()
    teleop.disconnect()
    return step_ms, render_ms, whole_cpu / STEPS, 1000 * STEPS / whole_wall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"load {os.getloadavg()[0]:.1f}; milliseconds of CPU a step; target: at most {TARGET:g} times")
    print(f"{'Observation':<18}{'MuJoCo step':>12}{'render':>8}{'whole':>8}{'ratio':>7}{'steps/s':>9}")
    for name, cameras in CAMERAS.items():
        step, render, whole, rate = measure(cameras, arguments.episodes)
        ratio = whole / (step + render)
        print(f"{name:<18}{step:>12.2f}{render:>8.2f}{whole:>8.2f}{ratio:>7.1f}{rate:>9.0f}", flush=True)


if __name__ == "__main__":
    main()
