"""What HIL-SERL's learner saves, while it runs and when it ends."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("lerobot.rl")

from lerobot_grasp_plugin.learning.rl import checkpoints as module
from lerobot_grasp_plugin.learning.rl.checkpoints import Checkpoints
from lerobot_grasp_plugin.learning.rl.trainer import TrainerSettings


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What is handed to LeRobot's function."""
    monkeypatch.setattr(module, "save_with_buffers", lambda save, **values: save(**values))
    return []


@pytest.fixture
def checkpoints(tmp_path, saved) -> Checkpoints:
    made = Checkpoints(
        lambda **values: saved.append(values),
        lambda **settings: ("before", f"after {settings['dataset_stats']}"),
        SimpleNamespace(interaction_step=80),
        TrainerSettings(bc_ratio=1.0),
    )
    policy = SimpleNamespace(online_steps=4000, dataset_stats="stats")
    made.config = SimpleNamespace(output_dir=tmp_path, policy=policy, dataset=None, save_checkpoint=True)
    return made


def trainer_at(step: int, updates: int) -> Any:
    algorithm = SimpleNamespace(policy="policy", optimizers="optimizers", optimization_step=step)
    mixer = SimpleNamespace(online_buffer="online", offline_buffer=None)
    parts = {"algorithm": algorithm, "data_mixer": mixer, "preprocessor": "before"}
    return SimpleNamespace(optimization_step=step, updates=updates, parts=parts if updates else {})


def test_a_checkpoint_between_two_episodes_has_the_steps_of_the_actor(checkpoints, saved, tmp_path):
    for message in (None, {"Interaction step": 120}):  # LeRobot has one where an episode has just ended
        checkpoints(cfg=checkpoints.config, interaction_message=message, optimization_step=20)
    assert [values["interaction_message"]["Interaction step"] for values in saved] == [80, 120]
    assert [values["optimization_step"] for values in saved] == [20, 20]
    assert TrainerSettings().resumed(tmp_path).bc_ratio == 1.0


def test_what_was_learned_after_the_last_checkpoint_is_saved_at_the_end(checkpoints, saved):
    checkpoints(cfg=checkpoints.config, interaction_message=None, optimization_step=20)
    checkpoints.save_rest(trainer_at(step=37, updates=37))
    assert [values["optimization_step"] for values in saved] == [20, 37]
    assert saved[-1]["postprocessor"] == "after stats"
    assert saved[-1]["interaction_message"] == {"Interaction step": 80}


@pytest.mark.parametrize(
    ("step", "updates"),
    [(20, 20), (0, 0), (40, 0)],
    ids=["saved already", "not begun", "resumed for nothing"],
)
def test_nothing_is_saved_twice(step, updates, checkpoints, saved):
    checkpoints(cfg=checkpoints.config, interaction_message=None, optimization_step=20)
    checkpoints.save_rest(trainer_at(step, updates))
    assert len(saved) == 1


def test_a_run_without_checkpoints_stays_without(checkpoints, saved):
    checkpoints.config.save_checkpoint = False
    checkpoints.save_rest(trainer_at(step=37, updates=37))
    assert saved == []
