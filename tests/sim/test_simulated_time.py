"""LeRobot's recorder with the simulated arm: exact frames, no waiting, the same seed gives the same rows."""

import hashlib
import time
from types import SimpleNamespace

import numpy as np
import pytest

from lerobot_grasp_plugin.sim.truth import read_truth

FPS, SECONDS, RESET_S = 10, 3.1, 3600


def record(root, *, seed=0):
    """Two episodes, the digest of every row with its images, and what held at each observation."""
    recorder = pytest.importorskip("lerobot.scripts.lerobot_record")
    from lerobot.configs.dataset import DatasetRecordConfig

    from lerobot_grasp_plugin.sim.config_so101_script import So101ScriptConfig
    from lerobot_grasp_plugin.sim.config_so101_sim import SimCameraConfig, So101SimConfig
    from lerobot_grasp_plugin.sim.so101_sim import So101Sim
    from lerobot_grasp_plugin.sim.world import World

    config = recorder.RecordConfig(
        robot=So101SimConfig(fps=FPS, seed=seed, cameras={"wrist": SimCameraConfig(width=64, height=64)}),
        teleop=So101ScriptConfig(outcome="success,drop", attempt_s=3.0, seed=seed),
        dataset=DatasetRecordConfig(
            repo_id="me/sim",
            root=str(root),
            no_stamp=True,
            single_task="grasp",
            fps=FPS,
            num_episodes=2,
            episode_time_s=SECONDS,
            reset_time_s=RESET_S,
            push_to_hub=False,
            video=False,
        ),
        play_sounds=False,
    )
    seen = []
    observe = So101Sim.get_observation

    def observed(robot):
        observation = observe(robot)
        state = np.array([observation[f"{joint}.pos"] for joint in robot.bus.motors], dtype=np.float32)
        seen.append((state, World.current.truth()))
        return observation

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(So101Sim, "get_observation", observed)
        dataset = recorder.record(config)
    from lerobot.datasets import LeRobotDataset

    dataset = LeRobotDataset("me/sim", root=dataset.root)
    rows = [dataset[index] for index in range(len(dataset))]
    digests = [
        hashlib.sha256(b"".join(row[key].numpy().tobytes() for key in sorted(dataset.features))).hexdigest()
        for row in rows
    ]
    return SimpleNamespace(dataset=dataset, rows=rows, digests=digests, seen=seen)


@pytest.fixture(scope="module")
def recording(simulator, tmp_path_factory):
    return record(tmp_path_factory.mktemp("recording") / "sim")


def test_an_episode_has_exactly_its_frames_on_the_grid(recording):
    meta = recording.dataset.meta.episodes
    assert list(meta["length"]) == [31, 31]
    times = np.array([float(row["timestamp"]) for row in recording.rows])
    assert times == pytest.approx(np.tile(np.arange(31) / FPS, 2), abs=1e-6)


def test_the_reset_ends_when_the_arm_is_at_home(recording):
    assert len(recording.seen) < 2 * 31 + 20


def test_the_truth_is_that_of_each_rows_own_observation(recording):
    truth = read_truth(recording.dataset.root.with_name("sim_sim_truth"))
    at = 0
    for row in recording.rows:
        state = row["observation.state"].numpy()
        at = next(n for n in range(at, len(recording.seen)) if np.array_equal(recording.seen[n][0], state))
        expected = recording.seen[at][1]
        assert truth[int(row["episode_index"])].frames[int(row["frame_index"])] == expected
        at += 1
    assert truth[0].frames[-1].grasped
    assert not truth[1].frames[-1].held


def test_the_same_seed_gives_the_same_rows_and_images(recording, tmp_path):
    assert record(tmp_path / "sim").digests == recording.digests
    assert record(tmp_path / "other" / "sim", seed=1).digests != recording.digests


def test_lerobot_has_its_own_clock_back(recording):
    from lerobot.scripts import lerobot_record
    from lerobot.utils.robot_utils import precise_sleep

    assert lerobot_record.time is time
    assert lerobot_record.precise_sleep is precise_sleep
