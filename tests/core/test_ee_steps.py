"""Forward kinematics and steps against LeRobot's own kinematics, and against what a step is to do."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from lerobot_grasp_plugin.core.ee_steps import STILL, StepSolver, solve_steps
from lerobot_grasp_plugin.merging.derivation.urdf import read_chain

HOME = np.radians([0.0, -22.0, 25.0, 85.0, 2.6])
MOTORS = ["shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper"]


@pytest.fixture(scope="module")
def urdf():
    found = find_spec("so101_nexus")
    if found is None:
        pytest.skip("the extra sim is not installed")
    return Path(found.submodule_search_locations[0], "assets/SO101/so101_new_calib.urdf")


@pytest.fixture(scope="module")
def chain(urdf):
    return read_chain(urdf, "gripper_frame_link")


@pytest.fixture(scope="module")
def lerobots(urdf):
    pytest.importorskip("placo")
    from lerobot.model.kinematics import RobotKinematics

    return RobotKinematics(str(urdf), "gripper_frame_link", MOTORS)


def test_poses_are_lerobots(chain, lerobots):
    from lerobot.utils.rotation import Rotation

    angles = np.random.default_rng(0).uniform(-1.6, 1.6, (300, 5))
    poses = chain.pose(angles)
    for row, own in enumerate(angles):
        theirs = lerobots.forward_kinematics(np.append(np.degrees(own), 30.0))
        np.testing.assert_allclose(poses.position[row], theirs[:3, 3], atol=1e-9)
        np.testing.assert_allclose(poses.rotation[row], theirs[:3, :3], atol=1e-9)
        vector = Rotation.from_matrix(theirs[:3, :3]).as_rotvec()
        np.testing.assert_allclose(poses.rotation_vector[row], vector, atol=1e-6)


def test_a_step_moves_the_joints_as_lerobots_inverse_kinematics(chain, lerobots):
    """Also where a joint is at its limit: the gripper that points down is 10 degrees from one."""
    random, solver = np.random.default_rng(1), StepSolver(chain)
    for _ in range(200):
        angles = HOME + np.radians(random.uniform(-9, 9, 5))
        shift = random.uniform(-0.02, 0.02, 3)
        aim = lerobots.forward_kinematics(np.append(np.degrees(angles), 50.0)).copy()
        aim[:3, 3] += shift
        theirs = lerobots.inverse_kinematics(np.append(np.degrees(angles), 50.0), aim)[:5]
        own = solver.move(solver.reference(angles[None]), shift[None])[0]
        np.testing.assert_allclose(np.degrees(own), theirs, atol=0.02)


def wandering(chain, episodes, rows, random, speed=0.008):
    start = np.tile(HOME, (episodes, 1))
    return [np.clip(own + np.cumsum(random.normal(0, speed, (rows, 5)), 0), *chain.limits.T) for own in start]


def test_steps_follow_the_goals_and_no_error_adds_up(chain):
    goals = wandering(chain, 5, 200, np.random.default_rng(2))
    starts = np.stack([own[0] for own in goals])
    for episode in solve_steps(chain, starts, goals, np.full(3, 0.02)):
        assert not episode.clipped.any()
        assert episode.off[-20:].max() < 0.001
        assert np.abs(episode.steps).max() <= 1.0


def test_what_a_clipped_step_leaves_over_is_left_to_the_next(chain):
    goals = [np.vstack([np.tile(HOME, (3, 1)), np.tile(HOME + np.eye(5)[0] * 0.3, (20, 1))])]
    (episode,) = solve_steps(chain, HOME[None], goals, np.full(3, 0.01))
    assert 3 <= episode.clipped.sum() <= 12
    assert not episode.clipped[:3].any()
    assert episode.off[3] > 0.03
    assert episode.off[-1] < 0.001


def test_an_arm_at_rest_has_steps_of_nothing(chain):
    noise = np.random.default_rng(3).normal(0, 1e-6, (30, 5))
    (episode,) = solve_steps(chain, HOME[None], [HOME + noise], np.full(3, 0.02))
    assert not episode.steps.any()
    assert np.linalg.norm(episode.steps, axis=1).max() <= STILL


def test_an_episode_has_the_same_steps_whichever_others_are_solved_with_it(chain):
    goals = wandering(chain, 4, 60, np.random.default_rng(4))
    goals = [own[: 20 + 10 * number] for number, own in enumerate(goals)]
    starts = np.stack([own[0] for own in goals])
    together = list(solve_steps(chain, starts, goals, np.full(3, 0.02)))
    for number, own in enumerate(goals):
        (alone,) = solve_steps(chain, starts[number : number + 1], [own], np.full(3, 0.02))
        np.testing.assert_allclose(alone.steps, together[number].steps, atol=1e-6)
