"""Options of ``lerobot-grasp-train-classifier`` and ``lerobot-grasp-eval-classifier``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from lerobot.configs.default import DatasetConfig
from lerobot.configs.rewards import RewardModelConfig
from lerobot.configs.train import TrainPipelineConfig
from lerobot.envs.configs import ImagePreprocessingConfig
from lerobot.rewards.classifier import RewardClassifierConfig

from lerobot_grasp_plugin.core.choices import Unlisted
from lerobot_grasp_plugin.errors import Problem, UsageError
from lerobot_grasp_plugin.learning.known_settings import DATASET, TRAINING, unknown_settings
from lerobot_grasp_plugin.ops.annotate import check_annotations
from lerobot_grasp_plugin.ops.recipe import LabelOptions

VAL_SHARE = 0.2
"""Share of the episodes that validate, where neither the call nor the dataset says another."""


@dataclass(kw_only=True)
class LabelSourceConfig:
    """Labels of an annotation file instead of the dataset's own."""

    # annotation file that labels the dataset as it is read (without a value: its next.reward)
    annotations: Path | None = None
    # episodes no annotation names: error, fail (all failure), keep (their labels), drop (leave out)
    unlisted: Unlisted = "error"
    # what the first frame is called in annotations that do not say it themselves: 0 or 1
    index_base: int | None = None

    def dataset_options(self) -> dict[str, Any]:
        """The arguments for ``GraspDataset``.

        Raises:
            GraspError: The annotation file has errors; or is not given, and options for it are.
        """
        if self.annotations is not None:
            options = LabelOptions(unlisted=self.unlisted, index_base=self.index_base)
            check_annotations([self.annotations], options)
            names = ("annotations", "unlisted", "index_base")
            return {name: getattr(self, name) for name in names}
        if self.unlisted != "error" or self.index_base is not None:
            message = "unlisted and index_base are about an annotation file, and none is given"
            raise UsageError(Problem("no-effect", message, hint="give --annotations, or leave them out"))
        return {}


@dataclass(kw_only=True)
class ClassifierTrainConfig(TrainPipelineConfig, LabelSourceConfig):  # type: ignore[misc]  # lerobot is not typed
    """LeRobot's training configuration, with what a reward classifier of grasps needs besides.

    Fields that LeRobot has mean what they mean there: ``dataset.eval_split`` is the share of episodes
    that validate, ``eval_steps`` how often they do.
    """

    # the classifier; only LeRobot's reward_classifier
    reward_model: RewardModelConfig | None = field(default_factory=RewardClassifierConfig)
    # optimisation steps at most
    steps: int = 400
    # frames in each step
    batch_size: int = 32
    # validate every so many steps
    eval_steps: int = 25
    # print a line every so many steps
    log_freq: int = 25
    # stop after so many validations without a lower loss
    patience: int = 6
    # episodes that validate: "1,3,5-9" (without a value: those stored with the dataset, else drawn)
    val_episodes: list[int] | str | None = None
    # crop_params_dict and resize_size as in env.processor.image_preprocessing
    # (without a value: what is stored with the dataset)
    image_preprocessing: ImagePreprocessingConfig | None = None
    # make a small encoder and train it with the head, instead of taking reward_model.model_name
    make_encoder: bool = False

    def classifier(self) -> RewardClassifierConfig:
        """The model's configuration, after looking at all the settings.

        Raises:
            UsageError: With every setting that this command does not carry out.
        """
        problems = [
            Problem("unsupported-option", f"{what} is not for this command", hint=hint)
            for what, hint in self._unsupported()
        ]
        positive = ("steps", "batch_size", "eval_steps", "log_freq", "patience")
        problems += [
            Problem("bad-value", f"{name} is {getattr(self, name)}", hint="it must be 1 or more")
            for name in positive
            if getattr(self, name) < 1
        ]
        model = self.reward_model
        if isinstance(model, RewardClassifierConfig):
            problems += _model_problems(model, self.make_encoder)
        else:
            named = "none" if model is None else model.type
            message = f"the reward model is {named}"
            hint = "this trains LeRobot's reward_classifier: --reward_model.type=reward_classifier"
            problems.append(Problem("unsupported-model", message, hint=hint))
        if problems:
            raise UsageError(problems)
        return model

    def _unsupported(self) -> Iterator[tuple[str, str]]:
        for name in ("env", "policy", "peft", "scheduler", "sample_weighting"):
            if getattr(self, name) is not None:
                yield name, "leave it out"
        if self.resume:
            yield "resume", "a run takes minutes: start a new one with another output_dir"
        if self.job.is_remote:
            yield "job", "it runs here"
        if self.wandb.enable:
            yield "wandb.enable", "figures go to report.json in output_dir"
        if self.rename_map:
            yield "rename_map", "rename features with lerobot-grasp-merge"
        if self.save_checkpoint_to_hub:
            yield "save_checkpoint_to_hub", "upload the pretrained_model folder when it is good"
        if self.dataset.streaming or self.dataset.repo_type != "dataset":
            yield "dataset.streaming", "the dataset is read whole"
        if self.dataset.image_transforms.enable:
            yield "dataset.image_transforms", "the crop and the resize go into image_preprocessing"
        for name in unknown_settings(self, TrainPipelineConfig, TRAINING):
            yield name, "leave it out: it is a setting of a later LeRobot"
        for name in unknown_settings(self.dataset, DatasetConfig, DATASET):
            yield f"dataset.{name}", "leave it out: it is a setting of a later LeRobot"

    def plain(self, model: RewardClassifierConfig, root: Path, output_dir: Path) -> TrainPipelineConfig:
        """LeRobot's own configuration of this run, for ``train_config.json``."""
        settings = {item.name: getattr(self, item.name) for item in fields(TrainPipelineConfig) if item.init}
        settings |= {"reward_model": model, "output_dir": output_dir}
        dataset = {item.name: getattr(self.dataset, item.name) for item in fields(DatasetConfig)}
        return TrainPipelineConfig(**settings | {"dataset": DatasetConfig(**dataset | {"root": str(root)})})


@dataclass(kw_only=True)
class ClassifierEvalConfig(LabelSourceConfig):
    """Evaluates a reward classifier on a dataset, and drafts annotations with it."""

    # the checkpoint's pretrained_model folder, as in env.processor.reward_classifier.pretrained_path
    pretrained_path: Path
    # the dataset: repo_id, root, episodes
    dataset: DatasetConfig
    # only the episodes of a stored split: train or val
    split: str | None = None
    # a frame is a success over this probability, as in env.processor.reward_classifier
    success_threshold: float = 0.5
    # folder for the report, the curves and the contact sheet; must not exist (without a value: none)
    output_dir: Path | None = None
    # annotation file to write the verdicts to, as a draft; must not exist
    draft: Path | None = None
    # in the draft, a success begins over this probability (without a value: success_threshold)
    draft_enter: float | None = None
    # and lasts while it is over this one (without a value: half of draft_enter)
    draft_leave: float | None = None
    # shorter successes are left out of the draft, and shorter gaps in one are closed; in frames
    draft_min_length: int = 3

    def check(self) -> None:
        """Looks at all the settings.

        Raises:
            UsageError: With everything that is wrong with them.
        """
        problems = []
        enter, leave = self.hysteresis()
        values = {"success_threshold": self.success_threshold, "draft_enter": enter, "draft_leave": leave}
        for name, value in values.items():
            if not 0 <= value < 1:
                hint = "a probability from 0 up to, not including, 1"
                problems.append(Problem("bad-value", f"{name} is {value}", hint=hint))
        if leave > enter:
            hint = "a success begins at the higher of the two"
            message = f"draft_leave {leave} is over draft_enter {enter}"
            problems.append(Problem("bad-value", message, hint=hint))
        if self.draft_min_length < 1:
            message = f"draft_min_length is {self.draft_min_length}"
            problems.append(Problem("bad-value", message, hint="it must be 1 or more"))
        for name in ("output_dir", "draft"):
            path = getattr(self, name)
            if path is not None and path.expanduser().exists():
                message = f"{name} exists already, and nothing is ever overwritten"
                problems.append(Problem("target-exists", message, str(path), "choose another name"))
        for name in unknown_settings(self.dataset, DatasetConfig, DATASET):
            message = f"dataset.{name} is not for this command"
            hint = "leave it out: it is a setting of a later LeRobot"
            problems.append(Problem("unsupported-option", message, hint=hint))
        if self.split is not None and self.dataset.episodes is not None:
            message = "split and dataset.episodes both say which episodes are meant"
            problems.append(Problem("contradicting-options", message, hint="leave one out"))
        if problems:
            raise UsageError(problems)

    def hysteresis(self) -> tuple[float, float]:
        """Probabilities at which a success of the draft begins, and ends."""
        enter = self.success_threshold if self.draft_enter is None else self.draft_enter
        return enter, enter / 2 if self.draft_leave is None else self.draft_leave


def _model_problems(model: RewardClassifierConfig, make_encoder: bool) -> Iterator[Problem]:
    if model.num_classes != 2:
        message = f"reward_model.num_classes is {model.num_classes}"
        yield Problem("unsupported-option", message, hint="frames are success or failure: 2")
    if model.push_to_hub or model.pretrained_path:
        message = "reward_model.push_to_hub and pretrained_path are not for this command"
        yield Problem("unsupported-option", message, hint="leave them out")
    default = RewardClassifierConfig.model_name
    if make_encoder and (model.model_name != default or model.model_type != "cnn"):
        message = f"make_encoder makes the encoder that reward_model.model_name {model.model_name!r} names"
        yield Problem("contradicting-options", message, hint="give one of the two")
