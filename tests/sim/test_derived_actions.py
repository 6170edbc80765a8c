"""One simulated episode recorded in joints and in end-effector steps: what is derived is what is recorded."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from lerobot_grasp_plugin.merging.merge import merge
from lerobot_grasp_plugin.merging.recipe import KinematicsOptions, MergeConfig, SourceConfig
from tests.support import factories, lerobot_judge

URDF = "package://so101_nexus/assets/SO101/so101_new_calib.urdf"
JOINTS = [
    f"{joint}.pos"
    for joint in ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
]
SIZE = 0.02
CUBE = {"radius": [0.19, 0.24], "azimuth": [-0.3, 0.3], "yaw": [-0.1, 0.1]}


def config_of(action_space):
    import draccus
    from lerobot.envs import HILSerlRobotEnvConfig

    from lerobot_grasp_plugin.sim import config_so101_script, config_so101_sim  # noqa: F401  # registers itself

    processor = {
        "gripper": {"use_gripper": True, "gripper_penalty": -0.02},
        "observation": {"add_joint_velocity_to_observation": True, "add_ee_pose_to_observation": True},
        "reset": {"reset_time_s": 0.0, "control_time_s": 4.0, "terminate_on_success": False},
        "max_gripper_pos": 100.0,
        "inverse_kinematics": {
            "urdf_path": URDF,
            "target_frame_name": "gripper_frame_link",
            "end_effector_bounds": {"min": [0.05, -0.2, 0.0], "max": [0.3, 0.2, 0.2]},
            "end_effector_step_sizes": dict.fromkeys("xyz", SIZE),
        },
    }
    return draccus.decode(
        HILSerlRobotEnvConfig,
        {
            "name": "real_robot",
            "fps": 10,
            "robot": {"type": "so101_sim", "fps": 10, "cameras": {}, "cube": CUBE, "seed": 3},
            "teleop": {"type": "so101_script", "action_space": action_space, "outcome": "success"},
            "processor": processor,
        },
    )


class Environment:
    """LeRobot's environment of the simulated arm, in which the script or the caller acts."""

    def __init__(self):
        from lerobot.rl import gym_manipulator as gm

        self.gm = gm
        self.config = config_of("ee_delta")
        self.env, self.teleop = gm.make_robot_env(self.config)
        self.processors = gm.make_processors(self.env, self.teleop, self.config, "cpu")

    def episode(self, actions=None, rows=40):
        """Plays an episode; what a recorder sees: states, actions, joint goals and the truth at its end."""
        import torch

        from lerobot_grasp_plugin.sim.world import World

        transition = self.gm.reset_and_build_transition(self.env, *self.processors)
        self.teleop._acts = actions is None
        states, made, goals, held = [], [], [], False
        send = self.env.robot.send_action
        self.env.robot.send_action = lambda action: (
            goals.append([float(action[name]) for name in JOINTS]) or send(action)
        )
        for row in range(rows if actions is None else len(actions)):
            states.append(transition["observation"]["observation.state"].squeeze(0).numpy())
            action = torch.tensor([0.0, 0.0, 0.0, 1.0] if actions is None else actions[row])
            transition = self.gm.step_env_and_process_transition(
                self.env, transition, action, *self.processors
            )
            made.append(np.asarray(transition["complementary_data"]["teleop_action"], dtype=np.float32))
            held = World.current.truth()
        self.env.robot.send_action = send
        return SimpleNamespace(
            states=np.array(states),
            actions=np.array(made),
            goals=np.array(goals, dtype=np.float32),
            held=held,
        )

    def again(self):
        """Lays out the places of the first episode once more."""
        from lerobot_grasp_plugin.sim.world import World

        World.current.restart()

    def joints_episode(self, rows=40):
        """The script in joints in the same world, as lerobot-record would record it."""
        from lerobot_grasp_plugin.sim.grasp_motion import plan_grasp
        from lerobot_grasp_plugin.sim.joints import JointUnits
        from lerobot_grasp_plugin.sim.world import World

        self.gm.reset_and_build_transition(self.env, *self.processors)
        world, robot = World.current, self.env.robot
        units = JointUnits(world.ranges, use_degrees=True)
        motion = plan_grasp(world, "success", 4.0, np.random.default_rng(0))
        states, goals = [], []
        for row in range(rows):
            states.append(list(units.from_radians(world.joints).values()))
            goal = units.from_radians(motion.at((row + 1) / world.fps))
            goals.append(list(goal.values()))
            robot.send_action(dict(zip(JOINTS, goals[-1], strict=True)))
        return SimpleNamespace(
            states=np.array(states, np.float32), goals=np.array(goals, np.float32), held=world.truth()
        )

    def close(self):
        self.env.close()
        self.teleop.disconnect()


def as_dataset(root: Path, episodes) -> Path:
    """Joint recordings as LeRobot writes them."""
    from lerobot.datasets import LeRobotDataset

    feature = {"dtype": "float32", "shape": (6,), "names": JOINTS}
    dataset = LeRobotDataset.create(
        "me/joints",
        10,
        root=root,
        features={"observation.state": feature, "action": feature},
        use_videos=False,
    )
    for episode in episodes:
        for state, goal in zip(episode.states[:, :6], episode.goals, strict=True):
            dataset.add_frame({"observation.state": state, "action": goal, "task": "grasp"})
        dataset.save_episode()
    dataset.finalize()
    return root


@pytest.fixture(scope="module")
def derived(simulator, tmp_path_factory):
    """An episode of the environment and one of the script in joints, each derived from its joints."""
    pytest.importorskip("lerobot.rl.gym_manipulator")
    pytest.importorskip("placo")
    folder = tmp_path_factory.mktemp("derived")
    environment = Environment()
    stepped = environment.episode()
    environment.again()
    joints = environment.joints_episode()
    root = as_dataset(folder / "joints", [stepped, joints])
    report = merge(
        MergeConfig(
            sources=[SourceConfig(root=root)],
            new_root=folder / "steps",
            actions="ee_delta",
            state="full",
            kinematics=KinematicsOptions(end_effector_step_sizes=dict.fromkeys("xyz", SIZE)),
        )
    )
    columns = factories.data_table(folder / "steps")
    found = SimpleNamespace(
        environment=environment,
        stepped=stepped,
        joints=joints,
        report=report,
        root=folder / "steps",
        actions=np.split(np.array(columns["action"].to_pylist(), np.float32), [40]),
        states=np.split(np.array(columns["observation.state"].to_pylist(), np.float32), [40]),
    )
    yield found
    environment.close()


def test_derived_actions_are_those_that_were_recorded(derived):
    """The environment's own joint goals give back the steps they were made of."""
    off = np.abs(derived.actions[0][:, :3] - derived.stepped.actions[:, :3]) * SIZE
    assert derived.stepped.held.held
    assert off.max() < 0.001
    pulled = np.abs(derived.stepped.goals[:, -1] - derived.stepped.states[:, 5]) > 5
    np.testing.assert_array_equal(derived.actions[0][pulled, 3], derived.stepped.actions[pulled, 3])


def test_a_full_state_is_the_environments(derived):
    np.testing.assert_allclose(derived.states[0], derived.stepped.states, rtol=1e-4, atol=2e-3)
    assert derived.states[0].shape == (40, 18)


@pytest.mark.parametrize("episode", [0, 1])
def test_replayed_steps_grasp_the_cube(derived, episode):
    """Those of the environment's episode and those of the script that moved the joints."""
    assert derived.joints.held.held
    derived.environment.again()
    replayed = derived.environment.episode(derived.actions[episode])
    assert replayed.held.held


def test_lerobot_opens_the_output_and_its_statistics_are_those_of_the_rows(derived):
    dataset = lerobot_judge.open_set(derived.root)
    assert dataset.meta.features["action"]["names"] == ["delta_x", "delta_y", "delta_z", "gripper"]
    assert dataset.meta.features["observation.state"]["shape"] == (18,)
    rows = np.concatenate(derived.actions)
    np.testing.assert_allclose(dataset.meta.stats["action"]["mean"], rows.mean(axis=0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(dataset.meta.stats["action"]["max"], rows.max(axis=0))
    assert derived.report.verification.ok
