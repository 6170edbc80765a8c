"""What LeRobot's learner saves with a checkpoint."""

from types import SimpleNamespace

import pytest

pytest.importorskip("lerobot.rl")

from lerobot_grasp_plugin.learning.rl import learner_run
from lerobot_grasp_plugin.learning.rl.learner_run import _save
from lerobot_grasp_plugin.learning.rl.trainer import TrainerSettings


def test_a_checkpoint_between_two_episodes_has_the_steps_of_the_actor(tmp_path, monkeypatch):
    saved = []
    monkeypatch.setattr(learner_run, "save_with_buffers", lambda save, **values: save(**values))
    settings = TrainerSettings(bc_ratio=1.0)
    watch = SimpleNamespace(interaction_step=80)
    config = SimpleNamespace(output_dir=tmp_path)
    for message in (None, {"Interaction step": 120}):  # LeRobot has one where an episode has just ended
        _save(
            lambda **values: saved.append(values),
            watch,
            settings,
            cfg=config,
            interaction_message=message,
            optimization_step=20,
        )
    assert [values["interaction_message"]["Interaction step"] for values in saved] == [80, 120]
    assert [values["optimization_step"] for values in saved] == [20, 20]
    assert TrainerSettings().resumed(tmp_path).bc_ratio == 1.0
