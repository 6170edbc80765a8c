"""The reset to a point, and the person's veto, in LeRobot's own environment with the simulated arm."""

import functools
import logging

import numpy as np
import pyarrow.parquet as pq
import pytest

from lerobot_grasp_plugin.findings.problem import UsageError
from tests.support.file_schemas import read, violation
from tests.support.simulated_environment import URDF

BOX = {"base": [0.2, 0.0, 0.08], "half_box": [0.03, 0.03, 0.02], "seed": 4}


@functools.cache
def kinematics():
    from lerobot.model.kinematics import RobotKinematics

    from lerobot_grasp_plugin.dataset.installed_files import installed_file
    from lerobot_grasp_plugin.sim.joints import JOINTS

    return RobotKinematics(installed_file(URDF, "test"), "gripper_frame_link", list(JOINTS))


def tip():
    """Where the simulated joints put the frame that LeRobot moves.

    MuJoCo's site between the fingertips is 2 cm beside it.
    """
    from lerobot_grasp_plugin.sim.joints import JointUnits
    from lerobot_grasp_plugin.sim.world import World

    units = JointUnits(World.current.ranges, use_degrees=True)
    degrees = np.array(list(units.from_radians(World.current.joints).values()))
    return kinematics().forward_kinematics(degrees)[:3, 3].copy()


def record_of():
    from lerobot_grasp_plugin.lerobot_seams.environment import notes_of_episode

    return notes_of_episode()["random_ee_reset"]


def test_each_episode_starts_at_a_point_of_the_box_and_the_first_step_is_a_small_one(
    environment,
    caplog,
):
    built = environment(robot={"random_ee_reset": BOX}, takeover={"start": 0.0})
    points = []
    for _ in range(4):
        with caplog.at_level(logging.WARNING):
            transition = built.reset()
            record = record_of()
            before = tip()
            assert np.linalg.norm(before - record["commanded"]) < 0.006
            assert record["error_m"] <= 0.005
            assert np.all(np.abs(record["offset"]) <= np.array(BOX["half_box"]) + 1e-5)
            points.append(tuple(record["commanded"]))
            for _ in range(3):
                transition = built.step(transition)
                assert np.linalg.norm(tip() - before) < 0.01
        assert "EE jump" not in caplog.text
    assert len(set(points)) == 4


def test_a_fixed_point_is_reached_each_time(environment):
    fixed = {"base": [0.2, 0.02, 0.08], "half_box": [0.0, 0.0, 0.0]}
    built = environment(robot={"random_ee_reset": fixed})
    for _ in range(2):
        built.reset()
        assert record_of()["commanded"] == fixed["base"]
        assert tip() == pytest.approx(fixed["base"], abs=0.006)


def test_the_pose_of_the_config_comes_first(environment):
    pose = [0.0, -20.0, 20.0, 60.0, 0.0, 80.0]
    built = environment(robot={"random_ee_reset": BOX}, reset={"fixed_reset_joint_positions": pose})
    transition = built.reset()
    assert built.env.get_raw_joint_positions()["gripper.pos"] == pytest.approx(80.0, abs=2.0)
    assert np.linalg.norm(tip() - record_of()["commanded"]) < 0.006
    built.step(transition)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"robot": {"random_ee_reset": {**BOX, "half_box": [0.1, 0.0, 0.0]}}}, "leaves the workspace"),
        (
            {
                "robot": {"random_ee_reset": BOX},
                "reset": {"fixed_reset_joint_positions": [0.0, -20.0, 20.0, 60.0, 0.0]},
            },
            "expected one value for each of 6 motors",
        ),
        ({"robot": {"random_ee_reset": BOX}, "action_space": "joints"}, "the URDF does not exist"),
    ],
)
def test_what_cannot_be_is_named_before_anything_moves(environment, options, said):
    with pytest.raises(UsageError, match=said):
        environment(**options)


def test_the_record_of_each_episode_is_kept_in_dataset_and_log(environment, tmp_path):
    from lerobot.rl import gym_manipulator as gm

    from lerobot_grasp_plugin.learning.rl.episode_log import EpisodeLog, read_episode_log
    from lerobot_grasp_plugin.learning.rl.run_lines import read_lines
    from lerobot_grasp_plugin.lerobot_seams.environment import follow_environment, leave_environment

    built = environment(
        robot={"random_ee_reset": BOX},
        reset={"control_time_s": 0.5},
        observation={"add_joint_velocity_to_observation": True, "add_ee_pose_to_observation": True},
    )
    config = gm.GymManipulatorConfig(
        env=built.config,
        dataset=gm.DatasetConfig("me/reset", "grasp", root=str(tmp_path / "set"), num_episodes_to_record=2),
        mode="record",
    )
    log = EpisodeLog(tmp_path / "episodes.jsonl")
    follow_environment(log)
    try:
        gm.control_loop(built.env, built.env_processor, built.action_processor, built.teleop, config)
    finally:
        leave_environment(log)
    built.teleop.disconnect()
    built.teleop.connect()
    recording = read(tmp_path / "set/meta/grasp_recording.json")
    assert recording["environment"] == {
        "action_space": "ee_delta",
        "state": ["joint positions", "joint velocities", "end-effector pose"],
        "end_effector_step_sizes": {"x": 0.02, "y": 0.02, "z": 0.02},
        "target_frame_name": "gripper_frame_link",
    }
    episodes = recording["episodes"]
    kept = [episodes[number]["hooks"]["random_ee_reset"] for number in ("0", "1")]
    assert [episode.reset for episode in read_episode_log(tmp_path / "episodes.jsonl")] == kept
    assert kept[0]["commanded"] != kept[1]["commanded"]
    for line in read_lines(tmp_path / "episodes.jsonl"):
        assert violation(line, "episodes") is None
    rows = pq.read_table(tmp_path / "set/data")
    states = rows["observation.state"].to_pylist()
    assert {len(state) for state in states} == {18}
    starts = [states[row] for row, frame in enumerate(rows["frame_index"].to_pylist()) if frame == 0]
    for state, record in zip(starts, kept, strict=True):  # the first state is that of the reset
        assert state[12:15] == pytest.approx(record["achieved"], abs=0.003)
        assert state[6:12] == [0.0] * 6


class Fooled:
    """Stands where LeRobot's reward classifier stands, and always says success."""

    def __call__(self, transition):
        return {**transition, "reward": 1.0, "done": True}

    def reset(self):
        pass


@pytest.mark.parametrize(
    ("pressed", "reward", "taken"),
    [
        ((), 1.0, None),
        (("success", "terminate_episode"), 1.0, None),
        (("failure", "terminate_episode"), 0.0, 1.0),
        (("rerecord_episode", "terminate_episode"), 0.0, 1.0),
        (("terminate_episode",), 0.0, 1.0),  # as LeRobot's gamepad says failure
    ],
)
def test_a_key_takes_the_classifiers_reward_away(environment, monkeypatch, pressed, reward, taken):
    from lerobot.teleoperators.utils import TeleopEvents

    from lerobot_grasp_plugin.lerobot_seams.environment import VETO

    built = environment(takeover={"start": 0.0})
    built.env_processor.steps = [*built.env_processor.steps, Fooled()]
    events = {event: event.value in pressed for event in TeleopEvents}
    transition = built.reset()
    monkeypatch.setattr(built.teleop, "get_teleop_events", lambda: events)
    transition = built.step(transition)
    assert transition["reward"] == reward
    assert transition["done"]
    assert transition["info"].get(VETO) == taken
