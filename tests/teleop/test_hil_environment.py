"""LeRobot's environment for HIL-SERL with its real SO101 drivers, on emulated buses."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.support.feetech_bus import write_calibration
from tests.support.project import CONFIGS
from tests.support.servos import Servos

pytestmark = pytest.mark.in_turn

URDF = "package://so101_nexus/assets/SO101/so101_new_calib.urdf"


@pytest.fixture
def arms(tmp_path):
    """Leader, moved by hand, and follower."""
    pytest.importorskip("scservo_sdk")
    pytest.importorskip("placo")
    pytest.importorskip("so101_nexus")
    from tests.support import patient_feetech  # noqa: F401  # acts on import

    made = {"leader": Servos("sway"), "follower": Servos("goal")}
    for name in made:
        write_calibration(tmp_path / f"{name}.json")
    yield made
    for servos in made.values():
        servos.unplug()


def config_of(arms, folder, name):
    """The environment of a shipped config on the emulated arms, without cameras, with shorter episodes."""
    import draccus
    from lerobot.envs import HILSerlRobotEnvConfig

    from lerobot_grasp_plugin import plugin  # noqa: F401  # registers

    raw = json.loads((CONFIGS / "so101" / name).read_text())["env"]
    raw = {key: value for key, value in raw.items() if key not in ("type", "features", "features_map")}
    for device, arm in (("robot", "follower"), ("teleop", "leader")):
        raw[device] |= {"port": arms[arm].port, "id": arm, "calibration_dir": str(folder)}
    raw["robot"] |= {"cameras": {}}
    raw["robot"]["random_ee_reset"] |= {"seed": 2, "max_speed": 180.0}
    raw["processor"]["reset"] |= {"control_time_s": 1.5}
    for camera_step in ("image_preprocessing", "reward_classifier"):
        raw["processor"].pop(camera_step, None)
    return draccus.decode(HILSerlRobotEnvConfig, raw)


@pytest.mark.parametrize("name", ["record.json", "hilserl.json"])
def test_the_real_arms_configs_run_on_the_emulated_arms(name, arms, tmp_path, caplog):
    import torch
    from lerobot.model.kinematics import RobotKinematics
    from lerobot.rl import gym_manipulator as gm

    from lerobot_grasp_plugin.dataset.installed_files import installed_file
    from lerobot_grasp_plugin.lerobot_seams.environment import notes_of_episode

    config = config_of(arms, tmp_path, name)
    bounds = config.processor.inverse_kinematics.end_effector_bounds
    env, teleop = gm.make_robot_env(config)
    try:
        processors = gm.make_processors(env, teleop, config, "cpu")
        names = list(env.robot.bus.motors)
        kinematics = RobotKinematics(installed_file(URDF, "test"), "gripper_frame_link", names)

        def gripper_at():
            raw = env.get_raw_joint_positions()
            return kinematics.forward_kinematics(np.array([raw[f"{name}.pos"] for name in names]))[:3, 3]

        policy = torch.tensor([0.0, 0.0, 0.0, 1.0])
        points = []
        for _ in range(2):
            transition = gm.reset_and_build_transition(env, *processors)
            record = notes_of_episode()["random_ee_reset"]
            points.append(tuple(record["commanded"]))
            assert record["error_m"] <= 0.005
            assert gripper_at() == pytest.approx(record["achieved"], abs=0.002)
            at = gripper_at()
            done, steps = False, 0
            while not done:
                transition = gm.step_env_and_process_transition(env, transition, policy, *processors)
                action = transition["complementary_data"]["teleop_action"].numpy()
                assert np.all(np.abs(action[:3]) <= 1.0)
                assert action[3] in (0.0, 1.0, 2.0)
                assert np.linalg.norm(gripper_at() - at) < 0.05  # a step is at most 2 cm along each axis
                at = gripper_at()
                assert np.all(at >= np.array(bounds["min"]) - 0.01)
                assert np.all(at <= np.array(bounds["max"]) + 0.01)
                done, steps = bool(transition["done"] or transition["truncated"]), steps + 1
            assert steps == 14  # LeRobot counts the observation after the reset as one of 15
        assert len(set(points)) == 2
        assert "EE jump" not in caplog.text
    finally:
        env.close()
        teleop.disconnect()
