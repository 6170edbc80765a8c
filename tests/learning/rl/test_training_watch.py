import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from lerobot_grasp_plugin.learning.rl.run_lines import read_lines
from lerobot_grasp_plugin.learning.rl.training_plot import plot_training
from lerobot_grasp_plugin.learning.rl.training_watch import TrainingWatch, line_of
from tests.support.file_schemas import violation


class Hooked:
    """A module of the algorithm: calls its hook with what it computed."""

    def register_forward_hook(self, hook):
        self.hook = hook

    def computes(self, output):
        self.hook(self, (), output)


class Numbers(np.ndarray):
    """Stands for a tensor."""

    def detach(self):
        return self


def numbers(*values):
    return np.array(values, float).view(Numbers)


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def algorithm():
    return SimpleNamespace(
        critic_ensemble=Hooked(),
        policy=SimpleNamespace(actor=Hooked()),
        temperature=0.02,
        optimization_step=0,
    )


def test_a_row_has_the_figures_of_the_last_episodes_and_of_the_last_update(tmp_path):
    clock, learner, rows = Clock(), algorithm(), []
    watch = TrainingWatch(tmp_path, 10, [rows.append], clock)
    watch.follow(learner)
    for number in range(30):
        clock.now += 2
        message = {"Episodic reward": float(number >= 25), "Interaction step": 10 * number}
        message |= {"Intervention rate": 0.25, "Held": number >= 26, "False reward": number == 25}
        watch.episode(message)
    stats = SimpleNamespace(extra={})
    for step in range(1, 21):
        clock.now += 0.5
        learner.optimization_step = step
        learner.critic_ensemble.computes(numbers(0.2, 0.4))
        learner.policy.actor.computes((None, numbers(-1.0, -2.0), None))
        watch.updated(learner, stats)
    assert [row["update"] for row in rows] == [10, 20]
    assert rows == list(read_lines(tmp_path / "training.jsonl"))
    assert [violation(row, "training") for row in rows] == [None, None]
    last = rows[-1]
    assert (last["episodes"], last["interaction_step"], last["seconds"]) == (30, 290, 70.0)
    assert (last["rewarded"], last["held"], last["false_rewards"]) == (0.25, 0.2, 0.05)
    assert (last["reward"], last["interventions"]) == (0.25, 0.25)
    assert (last["q"], last["entropy"], last["temperature"]) == (0.3, 1.5, 0.02)
    assert (last["updates_per_second"], last["steps_per_second"]) == (2.0, 5.0)
    assert stats.extra == pytest.approx({"q": 0.3, "entropy": 1.5, "temperature": 0.02})
    line = line_of(last, 20)
    assert line == (
        "Update 20, episode 30; last 20: rewarded 25 %, held 20 %, false rewards 5 %, interventions 25 %; "
        "reward 0.25, Q 0.30, entropy 1.50, temperature 0.0200; 2.0 updates/s, 5.0 steps/s"
    )


def test_a_real_arm_has_no_truth_and_a_run_without_episodes_has_no_shares(tmp_path):
    learner, rows = algorithm(), []
    watch = TrainingWatch(tmp_path, 1, [rows.append], Clock())
    learner.optimization_step = 1
    watch.updated(learner, SimpleNamespace(extra={}))
    watch.episode({"Episodic reward": 1.0, "Interaction step": 8})
    learner.optimization_step = 2
    watch.updated(learner, SimpleNamespace(extra={}))
    assert (rows[0]["rewarded"], rows[0]["held"], rows[0]["q"]) == (None, None, None)
    assert (rows[1]["rewarded"], rows[1]["held"], rows[1]["false_rewards"]) == (1.0, None, None)
    assert "last" not in line_of(rows[0], 0)
    assert [violation(row, "training") for row in rows] == [None, None]


def test_a_resumed_run_goes_on_behind_the_line_that_a_kill_cut_off(tmp_path):
    clock, learner = Clock(), algorithm()
    watch = TrainingWatch(tmp_path, 1, [], clock)
    watch.episode({"Episodic reward": 1.0, "Interaction step": 8})
    clock.now += 5
    learner.optimization_step = 1
    watch.updated(learner, SimpleNamespace(extra={}))
    path = tmp_path / "training.jsonl"
    path.write_text(path.read_text() + '{"seconds": 1')
    clock.now += 1000
    later = TrainingWatch(tmp_path, 1, [], clock)
    clock.now += 1
    learner.optimization_step = 2
    later.updated(learner, SimpleNamespace(extra={}))
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    assert (first["seconds"], second["seconds"]) == (5.0, 6.0)
    assert (second["update"], second["episodes"], second["interaction_step"]) == (2, 1, 8)


def test_the_course_of_a_run_is_drawn(tmp_path):
    rows = [
        {"update": 100 * number, "rewarded": number / 9, "held": None, "q": 0.1 * number, "entropy": 1.0}
        for number in range(10)
    ]
    plot_training(rows, tmp_path / "training.png")
    image = np.asarray(Image.open(tmp_path / "training.png"))
    colours = {tuple(colour) for colour in image.reshape(-1, 3)[::1].tolist()}
    assert (30, 80, 190) in colours  # rewarded
    plot_training(rows[:1], tmp_path / "training.png")
    plot_training([], tmp_path / "empty.png")


def test_rerun_gets_each_figure_over_the_updates(tmp_path, monkeypatch):
    rerun = pytest.importorskip("rerun")
    from lerobot_grasp_plugin.learning.rl.rerun_view import RerunView

    monkeypatch.setattr(rerun, "spawn", lambda **_: rerun.save(tmp_path / "run.rrd"))
    view = RerunView()
    view({"update": 100, "rewarded": 0.5, "held": None})
    rerun.disconnect()
    content = (tmp_path / "run.rrd").read_bytes()
    assert b"training/rewarded" in content
    assert b"training/held" not in content
