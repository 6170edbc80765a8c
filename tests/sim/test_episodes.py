"""When an episode begins and ends, as the simulated robot and the script see it."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from lerobot_grasp_plugin.findings.problem import UsageError
from lerobot_grasp_plugin.sim.episode_log import EpisodeLog
from lerobot_grasp_plugin.sim.joints import JOINTS, JointUnits
from lerobot_grasp_plugin.sim.truth import read_truth


class Recorder:
    """Calls the log as a robot and a dataset would."""

    def __init__(self, world, root):
        self.world = world
        self.log = EpisodeLog(world, None)
        self.dataset = SimpleNamespace(root=root, fps=world.fps)
        self.units = JointUnits(world.ranges, use_degrees=True)

    def observe(self):
        positions = self.units.from_radians(self.world.joints)
        self.log.observed(positions)
        return {"observation.state": np.array([positions[joint] for joint in JOINTS], dtype=np.float32)}

    def act(self):
        self.world.act(self.world.goal + 0.01)
        self.log.acted()

    def record(self, frames):
        for _ in range(frames):
            frame = self.observe()
            self.act()
            self.log.frame_added(self.dataset, frame)

    def reset(self, frames):
        for _ in range(frames):
            self.observe()
            self.act()


@pytest.fixture
def recorder(make_world, tmp_path):
    return Recorder(make_world(), tmp_path / "set")


def test_the_cube_is_laid_out_once_between_episodes(recorder):
    world, log = recorder.world, recorder.log
    attempts = []
    for episode in range(3):
        recorder.record(5)
        attempts.append(world.attempt)
        recorder.reset(4)
        log.episode_saved(recorder.dataset, episode)
    assert attempts == [0, 1, 2]
    assert world.attempt == 3
    assert world.saved == 3


def test_it_is_laid_out_where_there_is_no_reset_at_all(recorder):
    recorder.record(5)
    recorder.log.episode_saved(recorder.dataset, 0)
    assert recorder.world.attempt == 1


def test_an_episode_that_is_recorded_again_leaves_no_truth(recorder, tmp_path):
    recorder.record(5)
    recorder.reset(3)
    recorder.log.episode_discarded(recorder.dataset)
    assert recorder.world.saved == 0
    recorder.record(7)
    recorder.log.episode_saved(recorder.dataset, 0)
    truth = read_truth(tmp_path / "set_sim_truth")
    assert truth[0].attempt == 1
    assert len(truth[0].frames) == 7


def test_a_frame_recorded_one_step_late_has_the_truth_of_its_own_observation(recorder, tmp_path):
    observed = recorder.observe()
    recorder.act()
    before = recorder.world.truth()
    recorder.world.data.qpos[6:9] = 0.3, 0.2, 0.4
    recorder.world.act(recorder.world.goal)
    recorder.observe()
    recorder.log.frame_added(recorder.dataset, observed)
    recorder.log.episode_saved(recorder.dataset, 0)
    shutil.move(tmp_path / "set_sim_truth", tmp_path / "truth")
    (frame,) = read_truth(tmp_path / "truth")[0].frames
    assert frame.cube == pytest.approx(before.cube, abs=1e-3)


@pytest.mark.parametrize("observes_again", [False, True])
def test_a_row_has_its_own_truth_also_where_the_arm_does_not_move(recorder, tmp_path, observes_again):
    world = recorder.world
    heights = []
    for _ in range(6):
        frame = recorder.observe()
        frame["observation.state"] = np.zeros(6, dtype=np.float32)
        recorder.log._observed[-1] = (frame["observation.state"], world.truth())
        heights.append(world.truth().cube[2])
        world.data.qpos[8] += 0.01
        recorder.act()
        if observes_again:
            recorder.observe()
            recorder.log._observed[-1] = (frame["observation.state"], world.truth())
        recorder.log.frame_added(recorder.dataset, frame)
    recorder.log.episode_saved(recorder.dataset, 0)
    assert [truth.cube[2] for truth in read_truth(tmp_path / "set_sim_truth")[0].frames] == heights


def test_a_dataset_of_another_frame_rate_is_refused(recorder):
    recorder.dataset.fps = 10
    with pytest.raises(UsageError, match="the dataset has 10 frames per second, but the simulated arm 30"):
        recorder.record(1)


def test_the_script_goes_home_between_episodes_and_begins_with_the_next(recorder):
    pytest.importorskip("lerobot.teleoperators")
    from lerobot_grasp_plugin.sim.config_so101_script import So101ScriptConfig
    from lerobot_grasp_plugin.sim.so101_script import So101Script
    from lerobot_grasp_plugin.sim.world import World

    world = World.current = recorder.world
    script = So101Script(So101ScriptConfig(outcome="success,air", attempt_s=2.0))
    script.connect()

    def play(frames, *, recorded):
        truths = []
        for _ in range(frames):
            frame = recorder.observe()
            truths.append(world.truth())
            goals = {name.removesuffix(".pos"): goal for name, goal in script.get_action().items()}
            world.act(recorder.units.to_radians(goals, world.goal))
            recorder.log.acted()
            if recorded:
                recorder.log.frame_added(recorder.dataset, frame)
        return truths

    try:
        first = play(70, recorded=True)
        play(45, recorded=False)
        assert world.joints == pytest.approx(world.home, abs=0.05)
        recorder.log.episode_saved(recorder.dataset, 0)
        second = play(70, recorded=True)
    finally:
        World.current = None
    assert first[-1].grasped
    assert not any(truth.grasped for truth in second)
    assert np.hypot(*(world.joints - world.home)[:2]) > 0.01
