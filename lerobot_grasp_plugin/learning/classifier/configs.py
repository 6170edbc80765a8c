"""Options of ``lerobot-grasp-train-classifier`` and ``lerobot-grasp-eval-classifier``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

from lerobot.configs.default import DatasetConfig
from lerobot.configs.rewards import RewardModelConfig
from lerobot.configs.train import TrainPipelineConfig
from lerobot.envs.configs import ImagePreprocessingConfig
from lerobot.rewards.classifier import RewardClassifierConfig

from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.learning.classifier.options import ClassifierEvalOptions, ClassifierTrainOptions
from lerobot_grasp_plugin.learning.data.known_settings import DATASET, TRAINING, unknown_settings

VAL_SHARE = 0.2
"""Default share of validation episodes."""


@dataclass(kw_only=True)
class ClassifierTrainConfig(ClassifierTrainOptions, TrainPipelineConfig):  # type: ignore[misc]  # lerobot is not typed
    """LeRobot's training configuration, with further options for a reward classifier of grasps.

    LeRobot's fields keep their meaning: ``dataset.eval_split`` is the share of validation episodes,
    ``eval_steps`` the interval of validations.
    """

    # the classifier; only LeRobot's reward_classifier
    reward_model: RewardModelConfig | None = field(default_factory=RewardClassifierConfig)
    # crop_params_dict and resize_size as in env.processor.image_preprocessing
    # (default: as stored with the dataset)
    image_preprocessing: ImagePreprocessingConfig | None = None

    def classifier(self) -> RewardClassifierConfig:
        """The model's configuration, after checking all settings.

        Raises:
            UsageError: With every setting that this command does not support.
        """
        problems = [
            Problem("unsupported-option", f"this command does not support {what}", hint=hint)
            for what, hint in self._unsupported()
        ]
        problems += self.problems()
        model = self.reward_model
        if isinstance(model, RewardClassifierConfig):
            problems += _model_problems(model, self.make_encoder)
        else:
            named = "none" if model is None else model.type
            message = f"the reward model must be reward_classifier, not {named}"
            hint = "set --reward_model.type=reward_classifier"
            problems.append(Problem("unsupported-model", message, hint=hint))
        if problems:
            raise UsageError(problems)
        return model

    def _unsupported(self) -> Iterator[tuple[str, str]]:
        for name in ("env", "policy", "peft", "scheduler", "sample_weighting"):
            if getattr(self, name) is not None:
                yield name, "remove it"
        if self.resume:
            yield "resume", "start a new run with another output_dir; it takes minutes"
        if self.job.is_remote:
            yield "job", "it runs on this machine"
        if self.wandb.enable:
            yield "wandb.enable", "the figures are in report.json in output_dir"
        if self.rename_map:
            yield "rename_map", "rename features with lerobot-grasp-merge"
        if self.save_checkpoint_to_hub:
            yield "save_checkpoint_to_hub", "upload the pretrained_model folder yourself"
        if self.dataset.streaming or self.dataset.repo_type != "dataset":
            yield "dataset.streaming", "the whole dataset is read"
        if self.dataset.image_transforms.enable:
            yield "dataset.image_transforms", "set crop and resize in image_preprocessing"
        for name in unknown_settings(self, TrainPipelineConfig, TRAINING):
            yield name, "remove it: it is a setting of a later LeRobot"
        for name in unknown_settings(self.dataset, DatasetConfig, DATASET):
            yield f"dataset.{name}", "remove it: it is a setting of a later LeRobot"

    def plain(self, model: RewardClassifierConfig, root: Path, output_dir: Path) -> TrainPipelineConfig:
        """LeRobot's own configuration of this run, for ``train_config.json``."""
        settings = {item.name: getattr(self, item.name) for item in fields(TrainPipelineConfig) if item.init}
        settings |= {"reward_model": model, "output_dir": output_dir}
        dataset = {item.name: getattr(self.dataset, item.name) for item in fields(DatasetConfig)}
        return TrainPipelineConfig(**settings | {"dataset": DatasetConfig(**dataset | {"root": str(root)})})


@dataclass(kw_only=True)
class ClassifierEvalConfig(ClassifierEvalOptions):
    """Evaluates a reward classifier on a dataset."""

    # the dataset: repo_id, root, episodes
    dataset: DatasetConfig

    def problems(self) -> list[Problem]:
        problems = super().problems()
        for name in unknown_settings(self.dataset, DatasetConfig, DATASET):
            message = f"this command does not support dataset.{name}"
            hint = "remove it: it is a setting of a later LeRobot"
            problems.append(Problem("unsupported-option", message, hint=hint))
        if self.split is not None and self.dataset.episodes is not None:
            message = "split and dataset.episodes both choose episodes"
            problems.append(Problem("contradicting-options", message, hint="remove one of the two"))
        return problems


def _model_problems(model: RewardClassifierConfig, make_encoder: bool) -> Iterator[Problem]:
    if model.num_classes != 2:
        message = f"reward_model.num_classes must be 2, not {model.num_classes}"
        yield Problem("unsupported-option", message, hint="a frame is success or failure")
    if model.push_to_hub or model.pretrained_path:
        message = "this command does not support reward_model.push_to_hub and pretrained_path"
        yield Problem("unsupported-option", message, hint="remove them")
    default = RewardClassifierConfig.model_name
    if make_encoder and (model.model_name != default or model.model_type != "cnn"):
        message = f"make_encoder and reward_model.model_name {model.model_name!r} both choose the encoder"
        yield Problem("contradicting-options", message, hint="remove one of the two")
