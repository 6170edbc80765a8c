"""Parses a config with LeRobot's own parser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lerobot_grasp_plugin.findings.problem import GraspError, Problem
from lerobot_grasp_plugin.findings.words import short
from lerobot_grasp_plugin.preflight.dataset_facts import is_of_plugin, is_recipe, is_reward_training
from lerobot_grasp_plugin.preflight.facts import Facts


def check_parsing(facts: Facts) -> Iterator[Problem]:
    """Parses the config like the command that will run it, LeRobot's or this package's."""
    import draccus
    from draccus.utils import DraccusException
    from lerobot.cameras import opencv  # noqa: F401  # registers its config, as the learner does
    from lerobot.rl.train_rl import TrainRLServerPipelineConfig
    from lerobot.robots import so_follower  # noqa: F401  # as above
    from lerobot.teleoperators import gamepad, keyboard, so_leader  # noqa: F401  # as above

    from lerobot_grasp_plugin.learning.classifier.configs import ClassifierTrainConfig
    from lerobot_grasp_plugin.learning.rl.configs import GraspTrainRLConfig

    path = facts.config.path
    config_class: Any = GraspTrainRLConfig if is_of_plugin(facts.config) else TrainRLServerPipelineConfig
    if is_reward_training(facts.config):
        config_class = ClassifierTrainConfig  # LeRobot's TrainPipelineConfig, and more
    try:
        with draccus.config_type("json"):
            config = draccus.parse(config_class, config_path=path, args=[])
        if is_recipe(facts.config):
            config.dataset.source_configs()
    except (DraccusException, ValueError, TypeError, KeyError, AttributeError) as reason:
        lines = [line.strip() for line in str(reason).splitlines() if line.strip()]
        message = f"{config_class.__name__} refuses it: " + short(" ".join(lines), 600)
        yield Problem("config-rejected", message, path, "fix the named field")
    except GraspError as failure:
        for problem in failure.problems:
            yield Problem("config-rejected", problem.message, "dataset", problem.hint)
