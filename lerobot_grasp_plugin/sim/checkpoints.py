"""Finds the checkpoints of a run on disk; imports neither lerobot nor torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lerobot_grasp_plugin.dataset.info import read_json
from lerobot_grasp_plugin.findings.problem import DataError, Place, Problem, UsageError

CONFIG = "train_config.json"
_PROCESSOR = ("env", "processor")


def checkpoints_of(run: Path) -> list[Path]:
    """The checkpoints of a run, oldest first; a checkpoint itself is the only one of its own.

    Args:
        run: A run's ``output_dir``, its ``checkpoints`` folder, a checkpoint or its ``pretrained_model``.

    Raises:
        UsageError: The run has no checkpoint.
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
        hint = "give the output_dir of a lerobot-grasp-learner run that has saved a checkpoint"
        message = "the folder has no checkpoint of a policy" if run.is_dir() else "the folder does not exist"
        raise UsageError(Problem("no-checkpoint", message, run, hint))
    return found


def check_environment(checkpoint: Path) -> None:
    """Checks the environment in a checkpoint's config.

    Args:
        checkpoint: Its ``pretrained_model`` folder.

    Raises:
        DataError: The config is missing or unreadable, or grasps cannot be counted in its environment.
    """
    path = checkpoint / CONFIG
    problems = []
    robot = _setting(checkpoint, "env", "robot", "type")
    if robot != "so101_sim":
        message = f"the environment's robot must be 'so101_sim', not {robot!r}"
        hint = "grasps are counted by the physics of the simulated arm"
        problems.append(
            Problem("no-simulated-robot", message, Place(str(path), field="env.robot.type"), hint)
        )
    if _setting(checkpoint, *_PROCESSOR, "inverse_kinematics") is None:
        message = "the policy acts on joints, but the lift after a grasp needs end-effector steps"
        hint = "set env.processor.inverse_kinematics, and train on ee_delta actions"
        problems.append(Problem("no-end-effector", message, Place(str(path), field="env.processor"), hint))
    if _setting(checkpoint, *_PROCESSOR, "reset") is None:
        message = "the time limit of an episode is missing"
        hint = "set env.processor.reset.control_time_s, in seconds"
        problems.append(
            Problem("no-time-limit", message, Place(str(path), field="env.processor.reset"), hint)
        )
    if problems:
        raise DataError(problems)


def check_recordable(root: Path, checkpoint: Path, classifier: Path | None) -> None:
    """Checks that the episodes that fool a classifier can be recorded.

    Args:
        root: The dataset's folder.
        checkpoint: The ``pretrained_model`` folder of the policy.
        classifier: That of the classifier; None for the one in the checkpoint's config.

    Raises:
        UsageError: The folder exists, or the classifier is missing.
    """
    problems = []
    if root.exists():
        problems.append(Problem("target-exists", "the folder already exists", root, "choose another name"))
    named = classifier or _setting(checkpoint, *_PROCESSOR, "reward_classifier", "pretrained_path")
    if named is None:
        message = "the run has no reward classifier that could be fooled"
        hint = "give --classifier with its pretrained_model folder"
        problems.append(Problem("no-classifier", message, "--hard_negatives", hint))
    if problems:
        raise UsageError(problems)


def _setting(checkpoint: Path, *names: str) -> Any:
    """A setting of the config that a checkpoint was saved with; None without one."""
    value = read_json(checkpoint / CONFIG)
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value
