"""LeRobot's own lerobot-record with the simulated arm and the script."""

import os
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from lerobot_grasp_plugin import verify_dataset
from lerobot_grasp_plugin.sim.truth import read_truth
from tests.support import preloaded

pytestmark = pytest.mark.in_turn

RECORD = Path(sys.executable).parent / "lerobot-record"


@pytest.fixture(scope="module")
def recording(simulator, tmp_path_factory):
    root = tmp_path_factory.mktemp("recording") / "sim"
    options = {
        "robot.discover_packages_path": "lerobot_grasp_plugin",
        "robot.type": "so101_sim",
        "robot.fps": "10",  # few enough frames for a busy machine
        "robot.cameras": "{wrist: {width: 96, height: 64}}",
        "teleop.type": "so101_script",
        "teleop.outcome": "success,miss",
        "teleop.attempt_s": "3.0",
        "dataset.repo_id": "me/sim",
        "dataset.root": str(root),
        "dataset.no_stamp": "true",
        "dataset.single_task": "Pick up the cube",
        "dataset.fps": "10",
        "dataset.num_episodes": "3",
        "dataset.episode_time_s": "5",
        "dataset.reset_time_s": "1.5",
        "dataset.push_to_hub": "false",
        "play_sounds": "false",
    }
    code, printed = preloaded.run(
        [RECORD, *(f"--{name}={value}" for name, value in options.items())], os.environ
    )
    assert code == 0, printed
    return root


def test_the_dataset_is_whole_and_looks_like_the_real_arms(recording):
    # a slow machine records fewer frames in the same seconds
    assert {problem.code for problem in verify_dataset(recording).problems} <= {
        "short-episode",
        "episode-quantiles",
    }
    rows = pq.read_table(next((recording / "data").rglob("*.parquet")))
    state = np.array(rows["observation.state"].to_pylist())
    assert state.shape[1] == 6
    assert 0 <= state[:, 5].min() < state[:, 5].max() <= 100
    assert np.ptp(state[:, 1]) > 5


def test_each_episode_has_the_truth_of_each_of_its_rows(recording):
    rows = pq.read_table(next((recording / "data").rglob("*.parquet")))
    episodes = np.array(rows["episode_index"].to_pylist())
    gripper = np.array(rows["observation.state"].to_pylist())[:, 5]
    truth = read_truth(recording.with_name("sim_sim_truth"))
    assert sorted(truth) == [0, 1, 2]
    for index, episode in truth.items():
        assert len(episode.frames) == int((episodes == index).sum())
        held = np.array([frame.held for frame in episode.frames])
        # the jaws are then as far apart as the cube is wide
        assert ((gripper[episodes == index][held] > 4) & (gripper[episodes == index][held] < 60)).all()
    assert truth[0].frames[0].cube != truth[2].frames[0].cube


def test_outcomes_come_in_turn(recording):
    truth = read_truth(recording.with_name("sim_sim_truth"))
    # a slow machine records fewer frames in the same seconds; an attempt that was cut short says nothing
    long_enough = [index for index, episode in truth.items() if len(episode.frames) >= 35]
    grasped = {index: any(frame.grasped for frame in truth[index].frames) for index in long_enough}
    assert grasped == {index: index != 1 for index in long_enough}
    assert not any(episode.frames[0].grasped for episode in truth.values())
