"""Gripper commands and full states."""

import numpy as np
import pytest

from lerobot_grasp_plugin.core.action_space import (
    LOWER,
    RAISE,
    STAY,
    full_state_names,
    gripper_commands,
    joint_velocities,
)


@pytest.mark.parametrize(
    ("goals", "measured", "commands"),
    [
        ([100, 100, 100], [60, 80, 100], [RAISE, RAISE, STAY]),
        ([0, 0, 0, 0], [60, 40, 30, 30], [LOWER] * 4),  # a cube keeps it from closing
        ([60, 60, 60], [60, 60.4, 59.7], [STAY] * 3),
        ([30, 30], [30, 30], [STAY, STAY]),  # the goal of LeRobot's STAY is where the gripper is
    ],
)
def test_the_command_is_where_the_goal_pulls(goals, measured, commands):
    assert gripper_commands(goals, measured).tolist() == commands


def test_a_slow_movement_is_no_standstill():
    goals = np.arange(60.0, 20.0, -1.0)
    commands = gripper_commands(goals.tolist(), (goals + 1.0).tolist())
    assert set(commands.tolist()) == {STAY, LOWER}
    assert (commands == LOWER).sum() >= 6


def test_velocities_are_differences_and_the_first_row_has_none():
    positions = np.array([[0.0, 1.0], [1.0, 1.0], [3.0, 0.0]], np.float32)
    np.testing.assert_allclose(joint_velocities(positions, 10), [[0, 0], [10, 0], [20, -10]], rtol=1e-6)


def test_a_full_state_is_joints_then_velocities_then_pose():
    names = full_state_names(["a", "gripper"])
    assert names == ["a.pos", "gripper.pos", "a.vel", "gripper.vel", *names[4:]]
    assert names[4:] == ["ee.x", "ee.y", "ee.z", "ee.wx", "ee.wy", "ee.wz"]
