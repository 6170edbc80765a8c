"""Steps from a leader, on kinematics in which joints are coordinates."""

from types import SimpleNamespace

import numpy as np
import pytest

from lerobot_grasp_plugin.teleop.leader_deltas import CLOSE, OPEN, STAY, LeaderDeltas

NAMES = ["x", "y", "z", "gripper"]
STEP = 0.02


class Coordinates:
    def __init__(self, urdf_path, target_frame_name, joint_names):
        assert (urdf_path, joint_names) == ("arm.urdf", NAMES)

    def forward_kinematics(self, joints):
        pose = np.eye(4)
        pose[:3, 3] = joints[:3]
        return pose


class Arm:
    """An environment whose follower does what it is told, one step late where ``lag`` says so."""

    def __init__(self):
        self.joints = {"x.pos": 0.2, "y.pos": 0.0, "z.pos": 0.1, "gripper.pos": 50.0}
        self.robot = SimpleNamespace(bus=SimpleNamespace(motors=dict.fromkeys(NAMES)))

    def get_raw_joint_positions(self):
        return dict(self.joints)


@pytest.fixture
def deltas():
    sizes = {"x": STEP, "y": STEP, "z": STEP}
    kinematics = SimpleNamespace(urdf_path="arm.urdf", target_frame_name="tip", end_effector_step_sizes=sizes)
    config = SimpleNamespace(processor=SimpleNamespace(inverse_kinematics=kinematics))
    deltas, arm = LeaderDeltas(Coordinates), Arm()
    deltas.environment_built(arm, config, None, None)
    deltas.episode_starts(arm)
    return deltas, arm


def leader(x, y, z, gripper=50.0):
    return {"x.pos": x, "y.pos": y, "z.pos": z, "gripper.pos": gripper}


def obey(deltas, arm, action):
    """What the environment does: the reference of the next step is the solution of this one."""
    for axis, delta in zip("xyz", action[:3], strict=True):
        arm.joints[f"{axis}.pos"] += float(delta) * STEP
    solution = [arm.joints[f"{name}.pos"] for name in NAMES]
    deltas.stepped(arm, {"complementary_data": {"IK_solution": solution}})


def test_a_person_who_takes_over_far_away_makes_no_jump(deltas):
    deltas, _ = deltas
    assert deltas.action(leader(0.5, 0.5, 0.5), acts=False)[:3] == pytest.approx([0, 0, 0])
    assert deltas.action(leader(0.4, 0.4, 0.4), acts=False)[:3] == pytest.approx([0, 0, 0])
    assert deltas.action(leader(0.4, 0.4, 0.4), acts=True)[:3] == pytest.approx([0, 0, 0], abs=1e-6)
    assert deltas.action(leader(0.41, 0.4, 0.4), acts=True)[:3] == pytest.approx([0.5, 0, 0], abs=1e-6)


def test_the_follower_goes_where_the_leader_goes_in_steps_of_at_most_one(deltas):
    deltas, arm = deltas
    deltas.action(leader(0.3, 0.0, 0.1), acts=True)
    for _ in range(5):
        action = deltas.action(leader(0.37, 0.01, 0.08), acts=True)
        assert np.abs(action[:3]).max() <= 1.0
        obey(deltas, arm, action)
    assert [arm.joints[f"{axis}.pos"] for axis in "xyz"] == pytest.approx([0.27, 0.01, 0.08], abs=1e-6)


def test_an_episode_starts_from_where_the_follower_was_reset_to(deltas):
    deltas, arm = deltas
    obey(deltas, arm, deltas.action(leader(0.3, 0.0, 0.1), acts=True))
    arm.joints["x.pos"] = 0.15
    deltas.episode_starts(arm)
    assert deltas.action(leader(0.3, 0.0, 0.1), acts=True)[:3] == pytest.approx([0, 0, 0], abs=1e-6)


@pytest.mark.parametrize(
    ("pointed", "is_at", "command"),
    [(80, 20, OPEN), (80, 97, STAY), (10, 60, CLOSE), (10, 20, CLOSE), (10, 3, STAY), (50, 20, STAY)],
)
def test_the_gripper_is_sent_to_the_end_the_leaders_is_at(deltas, pointed, is_at, command):
    deltas, arm = deltas
    arm.joints["gripper.pos"] = float(is_at)
    assert deltas.action(leader(0, 0, 0, float(pointed)), acts=True)[3] == command
