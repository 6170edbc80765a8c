"""The settings of LeRobot that this package knows; others are reported instead of ignored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, fields
from typing import Any, Final

DATASET: Final = frozenset(
    {
        "repo_id",
        "repo_type",
        "root",
        "episodes",
        "exclude_episodes",
        "image_transforms",
        "revision",
        "use_imagenet_stats",
        "video_backend",
        "return_uint8",
        "depth_output_unit",
        "streaming",
        "eval_split",
    }
)
"""Of ``lerobot.configs.default.DatasetConfig``."""

TRAINING: Final = frozenset(
    {
        "dataset",
        "env",
        "policy",
        "reward_model",
        "output_dir",
        "job_name",
        "resume",
        "seed",
        "cudnn_deterministic",
        "num_workers",
        "batch_size",
        "prefetch_factor",
        "persistent_workers",
        "dataloader_multiprocessing_context",
        "steps",
        "env_eval_freq",
        "log_freq",
        "eval_steps",
        "max_eval_samples",
        "tolerance_s",
        "save_checkpoint",
        "save_freq",
        "use_policy_training_preset",
        "optimizer",
        "scheduler",
        "eval",
        "wandb",
        "peft",
        "job",
        "save_checkpoint_to_hub",
        "sample_weighting",
        "rename_map",
        "checkpoint_path",
    }
)
"""Of ``lerobot.configs.train.TrainPipelineConfig``."""


def unknown_settings(config: Any, kind: type, known: frozenset[str]) -> Iterator[str]:
    """Names of the fields that a config sets and this package does not know.

    Args:
        config: A config.
        kind: LeRobot's dataclass, whose fields are looked at.
        known: Those that are known.
    """
    for entry in fields(kind):
        if entry.name in known:
            continue
        default = entry.default if entry.default_factory is MISSING else entry.default_factory()
        if getattr(config, entry.name) != default:
            yield entry.name
