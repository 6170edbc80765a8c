"""The checkpoints that a run has left on disk; imports neither lerobot nor torch."""

from __future__ import annotations

from pathlib import Path

from lerobot_grasp_plugin.dataset.info import read_json
from lerobot_grasp_plugin.errors import DataError, Problem


def checkpoints_of(run: Path) -> list[Path]:
    """The checkpoints of a run, oldest first; a checkpoint itself is the only one of its own.

    Args:
        run: A run's ``output_dir``, its ``checkpoints`` folder, a checkpoint or its ``pretrained_model``.

    Raises:
        DataError: There is none.
    """
    for folder in (run, run / "pretrained_model"):
        if (folder / "model.safetensors").is_file():
            return [folder]
    folders = [run / "checkpoints", run]
    found = [
        path / "pretrained_model"
        for folder in folders
        for path in sorted(folder.glob("*"), key=lambda path: (len(path.name), path.name))
        if path.name.isdecimal() and (path / "pretrained_model/model.safetensors").is_file()
    ]
    if not found:
        hint = "give the output_dir of a run of lerobot-grasp-learner that has saved a checkpoint"
        raise DataError(Problem("no-checkpoint", "the folder has no checkpoint of a policy", str(run), hint))
    return found


def check_environment(checkpoint: Path) -> None:
    """Looks at the environment of the config that a checkpoint was saved with.

    Args:
        checkpoint: Its ``pretrained_model`` folder.

    Raises:
        DataError: The config is missing or unreadable, or its environment is not the simulated arm.
    """
    path = checkpoint / "train_config.json"
    robot = read_json(path)
    for name in ("env", "robot", "type"):
        robot = robot.get(name) if isinstance(robot, dict) else None
    if robot != "so101_sim":
        message = f"the environment's robot is {robot!r}, not 'so101_sim'"
        hint = "grasps are counted by the physics of the simulated arm"
        raise DataError(Problem("no-simulated-robot", message, f"{path}: env.robot.type", hint))
