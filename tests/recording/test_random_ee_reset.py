"""The reset hook on a robot with play, and kinematics that can be reckoned by hand."""

from __future__ import annotations

from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest

from lerobot_grasp_plugin.findings.problem import DataError, UsageError
from lerobot_grasp_plugin.recording.hooks import HookSession
from lerobot_grasp_plugin.recording.random_ee_reset import RandomEeReset, RandomEeResetConfig
from tests.support.deadline import DEADLINE_S

JOINTS = ("x", "y", "z")


class Gantry:
    """A thousand degrees of a joint are a metre."""

    def __init__(self, *arguments):
        pass

    def forward_kinematics(self, joints):
        pose = np.eye(4)
        pose[:3, 3] = np.asarray(joints) / 1000
        return pose

    def inverse_kinematics(self, joints, pose, position_weight, orientation_weight):
        return pose[:3, 3] * 1000


class Robot:
    """Stays short of every goal by ``sag``; notes its speed."""

    action_features = dict.fromkeys(["x.pos", "y.pos", "z.pos", "gripper.pos"], float)
    config = SimpleNamespace(use_degrees=True)

    def __init__(self, sag: float = 0.0, stuck: bool = False):
        self.at = np.array([200.0, 0.0, 50.0])
        self.goal = self.at.copy()
        self.sag = np.array([0.0, 0.0, sag])
        self.stuck = stuck
        self.longest_step = 0.0

    def get_observation(self):
        return {f"{name}.pos": value for name, value in zip(JOINTS, self.at, strict=True)}

    def send_action(self, action):
        goal = np.array([action[f"{name}.pos"] for name in JOINTS])
        self.longest_step = max(self.longest_step, np.abs(goal - self.at).max())
        if not self.stuck:
            self.at = goal - self.sag


@pytest.fixture
def urdf(tmp_path):
    path = tmp_path / "gantry.urdf"
    limit = '<limit lower="-10" upper="10"/>'
    joints = "".join(f'<joint name="{name}">{limit}</joint>' for name in JOINTS)
    path.write_text(f"<robot>{joints}</robot>")
    return path


def hook(urdf, robot, timeout_s=DEADLINE_S, first_episode=0, **options):
    config = RandomEeResetConfig(urdf_path=str(urdf), max_speed=20000, seed=3, timeout_s=timeout_s, **options)
    made = RandomEeReset(config, Gantry)
    made.session_started(HookSession(robot, None, 1000, {}, urdf.parent, lambda line: None, first_episode))
    return made


def test_goes_there_in_spite_of_play_and_says_how_near(urdf):
    robot = Robot(sag=8.0)
    made = hook(urdf, robot)
    targets = []
    for episode in range(4):
        made.reset(episode)
        record = made.episode_ended(10).record
        assert record["error_m"] <= 0.005
        assert np.allclose(record["achieved"], robot.at / 1000, atol=1e-4)
        offset = np.subtract(record["commanded"], [0.25, 0, 0.07])
        assert np.allclose(offset, record["offset"], atol=1e-4)
        assert np.abs(offset).max() <= 0.03
        targets.append(tuple(record["commanded"]))
    assert len(set(targets)) == 4
    assert robot.longest_step <= 20 + 8 + 1e-6
    again = hook(urdf, Robot())
    again.reset(0)
    assert tuple(again.episode_ended(1).record["commanded"]) == targets[0]
    resumed = hook(urdf, Robot(), first_episode=3)
    resumed.reset(3)
    assert tuple(resumed.episode_ended(1).record["commanded"]) == targets[3]


def test_refusals_are_named(urdf):
    with pytest.raises(DataError, match=r"stayed .* mm from its target"):
        hook(urdf, Robot(stuck=True), timeout_s=0.2).reset(0)
    with pytest.raises(UsageError, match=r"leaves the workspace \[outside-workspace\]"):
        hook(urdf, Robot(), half_box=[0.03, 0.03, 0.06])
    with pytest.raises(UsageError, match="URDF does not exist"):
        RandomEeResetConfig(urdf_path=str(urdf.with_name("none.urdf"))).make()  # before any robot is touched
    urdf.write_text(urdf.read_text().replace('lower="-10" upper="10"', 'lower="-1" upper="1"'))
    robot = Robot()
    with pytest.raises(DataError, match=r"outside -57\.3 to 57\.3"):
        hook(urdf, robot).reset(0)
    assert robot.longest_step == 0


@pytest.mark.skipif(find_spec("so101_nexus") is None, reason="the extra sim is not installed")
def test_the_urdf_of_the_so101_need_not_be_given():
    RandomEeResetConfig().make()
