"""Checks the files that a resumed run needs."""

from __future__ import annotations

from collections.abc import Iterator

from lerobot_grasp_plugin.core.run_files import BUFFERS
from lerobot_grasp_plugin.findings.problem import Problem
from lerobot_grasp_plugin.preflight.config_view import is_file, named_path
from lerobot_grasp_plugin.preflight.facts import Facts

_CHECKPOINT = "checkpoints/last/pretrained_model/train_config.json"
_DATASETS = ("dataset", "dataset_offline")
"""Folders of the buffers that LeRobot's own learner saves."""


def check_resuming(facts: Facts) -> Iterator[Problem]:
    """Source of the rules: ``learner.handle_resume_logic`` and ``initialize_replay_buffer``."""
    if not facts.config.flag("resume", False):
        return
    named = facts.config.text("output_dir")
    if named is None:
        message = "is null, but resume is true: LeRobot looks for the checkpoint there"
        yield Problem("resume-missing", message, "output_dir", "give the folder of the run to resume")
        return
    folder = named_path(named)
    if not is_file(folder / _CHECKPOINT):
        message = f"resume is true, but {folder / _CHECKPOINT} does not exist"
        yield Problem(
            "resume-missing", message, "output_dir", "give the folder of a run that has a checkpoint"
        )
        return
    as_datasets = all(is_file(folder / name / "meta/info.json") for name in _DATASETS)
    if not as_datasets and not is_file(folder / BUFFERS):
        message = f"resume is true, but the folder of the run has no {BUFFERS}: {folder}"
        yield Problem("resume-missing", message, "output_dir", "copy the whole folder of the run")
