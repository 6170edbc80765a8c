"""What an evaluation leaves on disk."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from lerobot.rl.train_rl import TrainRLServerPipelineConfig

from lerobot_grasp_plugin.errors import DataError, Problem
from lerobot_grasp_plugin.learning.rl.evaluation import CheckpointResult

EPISODES = "episodes.csv"
COLUMNS = ("checkpoint", "episode", "held", "lifted", "steps", "classifier", "false_rewards")


def read_config(checkpoint: Path) -> TrainRLServerPipelineConfig:
    """The learner's config that a checkpoint was saved with.

    Args:
        checkpoint: Its ``pretrained_model`` folder.

    Raises:
        DataError: The config is missing or unreadable, or its environment is not the simulated arm.
    """
    path = checkpoint / "train_config.json"
    try:
        config = TrainRLServerPipelineConfig.from_pretrained(path)
    except Exception as error:  # whatever draccus and LeRobot raise on a damaged file
        reason = str(error).splitlines()[0]
        raise DataError(Problem("bad-config", f"cannot be read: {reason}", str(path))) from None
    robot = getattr(config.env, "robot", None)
    if robot is None or robot.type != "so101_sim":
        message = f"the environment's robot is {getattr(robot, 'type', None)!r}, not 'so101_sim'"
        hint = "grasps are counted by the physics of the simulated arm"
        raise DataError(Problem("no-simulated-robot", message, f"{path}: env.robot.type", hint))
    return config


def write_results(results: Sequence[CheckpointResult], folder: Path) -> None:
    """One row an episode, in ``episodes.csv``."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / EPISODES).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for result in results:
            for one in result.episodes:
                said = "" if one.classifier is None else int(one.classifier)
                row = (result.name, one.episode, int(one.held), int(one.lifted), one.steps, said)
                writer.writerow((*row, one.false_rewards))
